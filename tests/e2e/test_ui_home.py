"""Home: what there is, finding it, and a newcomer's first run."""

import json
import subprocess
import sys

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import LARGE_TENANT, Begin, Site
from tests.support.browser import Visit
from tests.support.large_project import Project

# Minutes of a real browser: `make e2e` and `make nightly` run it, `make test` opens every page.
pytestmark = pytest.mark.nightly


def test_the_experiments_are_listed_with_their_runs_and_best_value(site: Site, visit: Visit) -> None:
    visit.open("/")
    row = visit.page.get_by_role("row", name="digits")
    expect(row).to_contain_text("Handwritten digits")
    expect(row.get_by_role("cell").nth(2)).to_have_text("26")
    expect(row.locator("svg path").first).to_be_visible()
    expect(row).to_contain_text("val/accuracy")
    expect(visit.page.get_by_text("Nothing is running")).to_be_visible()
    row.get_by_role("link", name="digits").click()
    expect(visit.page).to_have_url(f"{site.base_url}/e/{site.digits}")
    expect(visit.page).to_have_title("digits · Gnomon")


def test_search_finds_by_a_part_of_the_name(begin: Begin) -> None:
    visit = begin().open("/")
    expect(visit.page.get_by_role("link", name="digits")).to_be_visible()
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("DIGI")
    expect(visit.page.get_by_role("link", name="digits")).to_be_visible()
    visit.page.keyboard.type("x")
    expect(visit.page.get_by_text("No experiment is called “DIGIx”")).to_be_visible()


def test_the_command_bar_jumps_to_a_run(site: Site, begin: Begin) -> None:
    visit = begin(theme="dark").open("/")
    visit.page.keyboard.press("Control+k")
    visit.page.keyboard.type("adam-lr0.01-s0")
    expect(visit.page.get_by_role("option", name="adam-lr0.01-s0")).to_be_visible()
    visit.picture("command-bar")
    assert visit.accessibility_problems() == []
    visit.page.keyboard.press("Enter")
    expect(visit.page).to_have_url(f"{site.base_url}/r/{site.runs['adam-lr0.01-s0']}")


def test_another_tenant_is_one_press_away(site: Site, begin: Begin, large: Project) -> None:
    visit = begin().open("/")
    visit.page.get_by_role("button", name="Tenant default: switch").click()
    visit.page.get_by_role("textbox", name="Name of another tenant").fill(LARGE_TENANT)
    visit.page.get_by_role("button", name="Switch", exact=True).click()
    expect(visit.page.get_by_role("row", name="large").get_by_role("cell").nth(2)).to_have_text("2,000")
    visit.page.get_by_role("link", name="large", exact=True).click()
    expect(visit.rows.first).to_be_visible()
    assert visit.query()["tenant"] == LARGE_TENANT
    visit.page.get_by_role("link", name="Gnomon: home").click()
    expect(visit.page.get_by_role("link", name="large", exact=True)).to_be_visible()


def test_a_new_tenant_learns_the_first_run_in_the_words_of_three_clients(site: Site, begin: Begin, tenant: str) -> None:
    visit = begin().open(f"/?tenant={tenant}")
    lines = visit.page.locator(".snippet pre")
    for client, sign in (("MLflow", "set_tracking_uri"), ("curl", "X-Tenant-ID"), ("Python", "gnomon.Client")):
        visit.page.get_by_role("radio", name=client).click()
        expect(lines).to_contain_text(sign)
        expect(lines).to_contain_text(site.base_url)
        expect(lines).to_contain_text(tenant)
    # What the page says works, and what it promises comes true without a reload.
    subprocess.run([sys.executable, "-c", lines.inner_text()], check=True)
    expect(visit.page.get_by_role("link", name="first steps")).to_be_visible(timeout=15_000)


def test_the_curl_lines_work_as_they_stand(site: Site, begin: Begin, tenant: str) -> None:
    visit = begin().open(f"/?tenant={tenant}")
    visit.page.get_by_role("radio", name="curl").click()
    create, _, run, _, log = visit.page.locator(".snippet pre").inner_text().splitlines()
    experiment_id = _made_by(create)
    run_id = _made_by(run.replace("EXPERIMENT", experiment_id))
    subprocess.run(["sh", "-c", f"{log.replace('RUN', run_id)} --silent --fail"], check=True, capture_output=True)
    with site.server.client(tenant) as api:
        assert api.get(f"/experiments/runs/{run_id}").json()["metrics"] == {"loss": 0.42}


def _made_by(line: str) -> str:
    """The id of what a shell line made."""
    answer = subprocess.run(["sh", "-c", f"{line} --silent --fail"], check=True, capture_output=True)
    return str(json.loads(answer.stdout)["id"])

"""Archive, restore, rename and delete runs and experiments from the page."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin


@pytest.fixture
def own(site_api: httpx.Client) -> Iterator[str]:
    """An experiment of the test's own, with three finished runs."""
    made = site_api.post("/experiments", json={"name": "to be managed"})
    made.raise_for_status()
    experiment: str = made.json()["id"]
    for name in ("first", "second", "third"):
        run = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": name}).json()["id"]
        site_api.post(f"/experiments/runs/{run}/end", json={}).raise_for_status()
    yield experiment
    if site_api.get(f"/experiments/{experiment}").status_code == 200:
        site_api.delete(f"/experiments/{experiment}").raise_for_status()
        site_api.post(f"/experiments/{experiment}/purge").raise_for_status()


def test_a_run_is_archived_by_key_and_taken_back(begin: Begin, own: str) -> None:
    visit = begin().open(f"/e/{own}?s=name")
    expect(visit.rows).to_have_count(3)
    visit.page.keyboard.press("j")
    expect(visit.rows.nth(1)).to_be_focused()
    visit.page.keyboard.press("Delete")
    expect(visit.rows).to_have_count(2)
    expect(visit.page.get_by_role("status").filter(has_text="second archived")).to_be_visible()
    assert visit.accessibility_problems() == []
    visit.page.get_by_role("button", name="Undo").click()
    expect(visit.rows).to_have_count(3)


def test_a_run_is_renamed_archived_and_deleted_for_good(begin: Begin, own: str) -> None:
    visit = begin(theme="dark").open(f"/e/{own}")
    visit.page.get_by_role("link", name="first").click()
    actions = visit.page.get_by_role("button", name="Rename, archive or delete this run")
    actions.click()
    visit.page.get_by_role("menuitem", name="Rename…").click()
    expect(visit.page.get_by_role("textbox", name="Name")).to_be_focused()
    assert visit.accessibility_problems() == []
    visit.page.keyboard.type("<i>best</i>")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator(".run-title")).to_have_text("<i>best</i>")
    actions.click()
    visit.page.get_by_role("menuitem", name="Archive").click()
    expect(visit.page.locator(".run-archived")).to_be_visible()
    visit.page.locator(".crumb").get_by_role("link").first.click()
    expect(visit.rows).to_have_count(2)

    visit.page.get_by_role("button", name="Rename, archive or delete this experiment").click()
    visit.page.get_by_role("menuitem", name="Archived runs…").click()
    dialog = visit.page.get_by_role("dialog", name="Archived runs")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    assert visit.accessibility_problems() == []
    dialog.get_by_role("button", name="Delete <i>best</i> for good").click()
    sure = visit.page.get_by_role("dialog", name="Delete this run for good")
    delete = sure.get_by_role("button", name="Delete for good")
    expect(delete).to_be_disabled()
    sure.get_by_role("textbox").fill("<i>best</i>")
    visit.picture("purge")
    delete.click()
    expect(visit.page.get_by_role("dialog", name="Archived runs")).to_contain_text(
        "No run of this experiment is archived"
    )


def test_an_experiment_is_renamed_archived_and_restored(begin: Begin, own: str, site_api: httpx.Client) -> None:
    visit = begin().open(f"/e/{own}")
    actions = visit.page.get_by_role("button", name="Rename, archive or delete this experiment")
    actions.click()
    visit.page.get_by_role("menuitem", name="Rename…").click()
    visit.page.get_by_role("textbox", name="Name").fill("managed")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("button", name="Experiment managed: switch")).to_be_visible()
    actions.click()
    visit.page.get_by_role("menuitem", name="Archive", exact=True).click()
    expect(visit.page.locator(".crumb .pill")).to_have_text("archived")
    visit.page.get_by_role("button", name="Undo").click()
    expect(visit.page.locator(".crumb .pill")).to_have_count(0)
    assert site_api.get(f"/experiments/{own}").json()["run_count"] == 3

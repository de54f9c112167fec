"""The page of a run that brought its surroundings: code, machine, packages, system metrics, console output."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin

LINES = 60_000


def captured(api: httpx.Client, experiment: str, number: int) -> str:
    """A run as gnomon.init leaves it."""
    tags = {
        "gnomon.git.commit": "4f2a9be01d6c5a7e8f90b1c2d3e4f5a6b7c8d9e0",
        "gnomon.git.dirty": "true",
        "gnomon.command": f"python train.py --seed {number}",
        "gnomon.host": f"node-{number}",
        "gnomon.python": "3.12.1",
        "team": "lm",
    }
    body = {"experiment_id": experiment, "name": f"captured-{number}", "tags": tags}
    run: str = api.post("/experiments/runs", json=body).raise_for_status().json()["id"]
    console = "".join(f"\x1b[32mstep {i}\x1b[0m loss {4 / (1 + i):.4f}\n" for i in range(LINES))
    files = {
        "console.log": console + "RuntimeError: <b>out of memory</b>\n",
        "console.rank1.log": "hello from rank 1\n",
        "requirements.txt": f"numpy==2.{number}.0\ntorch==2.9.0\n",
        "environment.json": json.dumps({"host": {"processor": "EPYC", "cpus": 64, "gpus": [{"name": "A100"}] * 2}}),
        "diff.patch": "-lr = 1\n+lr = 2\n",
    }
    for name, content in files.items():
        api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, content)}).raise_for_status()
    metrics = [{"key": key, "value": i % 7, "step": i} for i in range(50) for key in ("system/cpu", "train/loss")]
    api.post(f"/experiments/runs/{run}/log-batch", json={"metrics": metrics}).raise_for_status()
    api.post(f"/experiments/runs/{run}/end", json={}).raise_for_status()
    return run


@pytest.fixture(scope="module")
def two(site_api_of_module: httpx.Client) -> Iterator[tuple[str, list[str]]]:
    api = site_api_of_module
    experiment: str = api.post("/experiments", json={"name": "with surroundings"}).raise_for_status().json()["id"]
    yield experiment, [captured(api, experiment, number) for number in (1, 2)]
    api.delete(f"/experiments/{experiment}").raise_for_status()


def test_code_and_environment_are_told_and_searched(begin: Begin, two: tuple[str, list[str]]) -> None:
    visit = begin().open(f"/r/{two[1][0]}")
    card = visit.page.locator(".run-surroundings")
    expect(card).to_contain_text("python train.py --seed 1")
    expect(card).to_contain_text("EPYC, 64 cores")
    expect(card).to_contain_text("2 × A100")
    expect(visit.page.locator(".run-card", has_text=re.compile("^Tags"))).not_to_contain_text("gnomon.host")
    assert visit.accessibility_problems() == []
    visit.picture("run-surroundings")
    visit.page.get_by_role("searchbox", name="Search everything below").fill("numpy")
    expect(card).to_contain_text("package numpy")
    visit.page.get_by_role("link", name="diff.patch").click()
    expect(visit.page.locator(".artifact-text")).to_contain_text("+lr = 2")


def test_the_log_opens_at_its_end_and_is_searched(begin: Begin, two: tuple[str, list[str]]) -> None:
    visit = begin(theme="dark").open(f"/r/{two[1][0]}/logs")
    lines = visit.page.locator(".log-line")
    expect(lines.last).to_contain_text("RuntimeError: <b>out of memory</b>")
    assert lines.count() < 200, "lines out of sight do not exist"
    expect(visit.page.locator(".log-lines")).not_to_contain_text("\x1b")
    assert visit.accessibility_problems() == []
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("step 59990")
    expect(visit.page.locator(".log-line.is-here mark")).to_have_text("step 59990")
    visit.picture("run-log")
    visit.page.get_by_role("searchbox", name="Search the log").fill("step 17 ")
    visit.page.get_by_role("button", name=re.compile("^Earlier lines")).click()
    expect(visit.page.locator(".log-line.is-here")).to_contain_text("step 17 loss")
    visit.page.get_by_role("radio", name="console.rank1.log").click()
    expect(lines).to_have_text(["1hello from rank 1"])


def test_system_metrics_have_a_tab_of_their_own(begin: Begin, two: tuple[str, list[str]]) -> None:
    visit = begin().open(f"/r/{two[1][0]}/system")
    visit.until(lambda: visit.panel("system/cpu").count() == 1 and visit.drawn("system/cpu") != "")
    expect(visit.panel("train/loss")).to_have_count(0)
    visit.page.keyboard.press("2")
    visit.until(lambda: visit.panel("train/loss").count() == 1 and visit.drawn("train/loss") != "")
    expect(visit.panel("system/cpu")).to_have_count(0)


def test_compare_tells_what_differs_around_the_runs(begin: Begin, two: tuple[str, list[str]]) -> None:
    visit = begin().open(f"/e/{two[0]}/compare")
    table = visit.page.get_by_role("region", name="Comparison")
    expect(table.get_by_role("row", name=re.compile("^package numpy"))).to_contain_text("2.1.0")
    expect(table.get_by_role("row", name=re.compile("^host"))).to_be_visible()
    expect(table.get_by_role("row", name=re.compile("^commit"))).to_have_count(0)
    expect(table.get_by_role("row", name=re.compile("^package torch"))).to_have_count(0)
    assert visit.accessibility_problems() == []

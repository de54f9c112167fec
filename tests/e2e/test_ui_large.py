"""A large project: nothing is cut off silently, only what is in sight is asked for, zooming brings finer data."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Response, expect
from tests.e2e.conftest import LARGE_TENANT, Begin
from tests.e2e.test_ui_charts import drag
from tests.support import large_project
from tests.support.large_project import Project
from tests.support.server_process import ServerProcess

# Minutes of a real browser: `make e2e` and `make nightly` run it, `make test` opens every page.
pytestmark = pytest.mark.nightly


def test_every_run_is_reached_by_scrolling(large: Project, begin: Begin) -> None:
    visit = begin(theme="dark").open(f"/e/{large.experiment_id}/table?tenant={LARGE_TENANT}&s=name")
    runs = large.size.runs
    grid = visit.page.get_by_role("grid", name="Runs")
    expect(grid).to_have_attribute("aria-rowcount", str(runs + 1))
    expect(visit.rows.first.get_by_role("link")).to_have_attribute("title", "adamw-00004")
    visit.page.keyboard.press("End")
    expect(visit.rows.last.get_by_role("link")).to_have_attribute("title", re.compile("^shampoo-0"))
    expect(visit.rows.last).to_have_attribute("aria-rowindex", str(runs + 1))
    assert visit.rows.count() < 100, "rows out of sight do not exist"
    visit.picture("large-end")


def test_only_panels_in_sight_ask_for_points(large: Project, begin: Begin) -> None:
    visit = begin()
    asked: list[str] = []
    visit.page.on(
        "request", lambda request: asked.append(request.post_data or "") if "/series" in request.url else None
    )
    visit.open(f"/e/{large.experiment_id}?tenant={LARGE_TENANT}")
    visit.until(lambda: visit.panel("val/loss").count() == 1 and visit.drawn("val/loss") != "")
    first = {key for body in asked for key in json.loads(body)["keys"]}
    assert first < set(large.metrics)
    expect(visit.page.locator(".charts-footer")).to_contain_text("× 30 panels")
    expect(visit.page.locator(".charts-footer")).to_contain_text("drawn, extremes exact")
    hidden = (set(large.metrics) - first).pop()
    visit.panel(hidden).scroll_into_view_if_needed()
    visit.until(lambda: visit.drawn(hidden) != "")


def test_zooming_fetches_finer_data(large: Project, begin: Begin) -> None:
    visit = begin().open(f"/e/{large.experiment_id}?tenant={LARGE_TENANT}")
    visit.until(lambda: visit.panel("train/loss").count() == 1 and visit.drawn("train/loss") != "")

    def is_finer(response: Response) -> bool:
        return "/series" in response.url and json.loads(response.request.post_data or "{}").get("range") is not None

    with visit.page.expect_response(is_finer) as found:
        drag(visit, "train/loss", 0.4, 0.45)
    assert found.value.ok
    visit.settle()
    visit.picture("large-zoom")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Project]]:
    server = ServerProcess(tmp_path_factory.mktemp("full") / "home").start()
    yield server, large_project.load(server.base_url, large_project.FULL)
    assert server.stop() == 0, server.log_path.read_text()[-4000:]


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_ten_thousand_runs_with_two_hundred_metrics(full: tuple[ServerProcess, Project], begin: Begin) -> None:
    server, project = full
    shown = ",".join(project.long_runs)
    visit = begin(base_url=server.base_url).open(f"/e/{project.experiment_id}?v={shown}")
    visit.until(lambda: visit.panel("val/loss").count() == 1 and visit.drawn("val/loss") != "")
    expect(visit.page.locator(".charts-footer")).to_contain_text("20 lines × 200 panels")
    assert visit.accessibility_problems() == []
    visit.picture("full")
    visit.open(f"/e/{project.experiment_id}/table")
    expect(visit.page.get_by_role("grid", name="Runs")).to_have_attribute("aria-rowcount", str(project.size.runs + 1))
    visit.page.keyboard.press("End")
    expect(visit.rows.last).to_have_attribute("aria-rowindex", str(project.size.runs + 1))

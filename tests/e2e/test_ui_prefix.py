"""The UI below a path prefix: pages, charts and the live stream of a server behind a proxy that strips it."""

import re
from pathlib import Path

from playwright.sync_api import Route, expect
from tests.e2e.conftest import Begin
from tests.support.server_process import ServerProcess

PREFIX = "/gnomon"


def test_everything_that_a_page_asks_for_is_below_the_prefix(begin: Begin, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", env={"GNOMON_BASE_PATH": PREFIX}).start()
    with server.client() as api:
        experiment = api.post("/experiments", json={"name": "behind a proxy"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment, "name": "far"}).json()["id"]
        for step in range(5):
            body = {"metrics": {"loss": 1 / (step + 1)}, "step": step}
            api.post(f"/experiments/runs/{run}/log-metrics", json=body).raise_for_status()
    outside: list[str] = []

    def as_a_proxy(route: Route) -> None:
        path = route.request.url.removeprefix(server.base_url)
        if path.startswith(f"{PREFIX}/"):
            route.continue_(url=server.base_url + path.removeprefix(PREFIX))
        else:
            outside.append(path)
            route.abort()

    visit = begin(base_url=server.base_url)
    visit.page.route(f"{server.base_url}/**", as_a_proxy)
    visit.open(f"{PREFIX}/")
    visit.page.get_by_role("link", name="behind a proxy").click()
    visit.until(lambda: visit.panel("loss").count() == 1 and visit.drawn("loss") != "")
    expect(visit.page.locator(".live")).to_have_text(re.compile("Live ?1 running"))
    assert visit.page.url.startswith(f"{server.base_url}{PREFIX}/e/{experiment}")
    for tab in ("Table", "Compare", "Sweep", "Media"):
        visit.page.get_by_role("link", name=re.compile(f"^{tab}")).click()
        visit.settle()
    visit.page.reload()
    expect(visit.row("far")).to_be_visible()
    visit.row("far").get_by_role("link", name="far").click()
    expect(visit.page).to_have_url(re.compile(f"{PREFIX}/r/{run}"))
    expect(visit.page.locator(".run-title")).to_have_text("far")
    assert outside == []
    visit.page.context.close()
    assert server.stop() == 0

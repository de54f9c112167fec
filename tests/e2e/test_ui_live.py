"""A page left open: points appear, a lost server is said and found again, and strings from users stay text."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import APIResponse, Route, expect
from tests.e2e.conftest import Begin
from tests.support.browser import Theme
from tests.support.server_process import ServerProcess

# Minutes of a real browser: `make e2e` and `make nightly` run it, `make test` opens every page.
pytestmark = pytest.mark.nightly

# Longer than the page ever waits between two tries, on a machine that does much else.
LONGEST_MS = 120_000
HOSTILE = "<img src=x onerror=alert(1)>\"'`${1}"


def log(api: httpx.Client, run: str, values: dict[str, float], step: int) -> None:
    api.post(f"/experiments/runs/{run}/log-metrics", json={"metrics": values, "step": step}).raise_for_status()


def test_a_running_run_moves_within_two_seconds(begin: Begin, site_api: httpx.Client, theme: Theme) -> None:
    experiment = site_api.post("/experiments", json={"name": f"live {theme}"}).json()["id"]
    run = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "now"}).json()["id"]
    visit = begin(theme=theme).open(f"/e/{experiment}")
    expect(visit.page.locator(".live")).to_have_text(re.compile("Live ?1 running"))
    log(site_api, run, {"loss": 1.0}, 0)
    expect(visit.panel("loss")).to_be_visible(timeout=15_000)
    log(site_api, run, {"loss": 0.5}, 1)
    visit.until(lambda: visit.drawn("loss") != "")
    for step in range(2, 5):
        before = visit.drawn("loss")
        log(site_api, run, {"loss": 1 / (step + 1)}, step)
        visit.until(lambda before=before: visit.drawn("loss") not in ("", before))
    visit.picture("live")
    ended = site_api.post(f"/experiments/runs/{run}/end", json={})
    assert ended.status_code == 200
    expect(visit.page.locator(".live")).to_have_text("Live", timeout=15_000)
    site_api.delete(f"/experiments/{experiment}").raise_for_status()


def test_a_metric_that_is_new_while_the_first_list_of_keys_is_on_its_way_is_shown(
    begin: Begin, site_api: httpx.Client
) -> None:
    experiment = site_api.post("/experiments", json={"name": "early"}).json()["id"]
    run = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "now"}).json()["id"]
    visit = begin()
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))  # as it was read before there was a metric

    visit.page.route("**/keys?*", hold_the_first)
    visit.open(f"/e/{experiment}")
    expect(visit.page.locator(".live")).to_have_text(re.compile("Live ?1 running"))
    told = visit.page.evaluate("performance.now()")
    log(site_api, run, {"loss": 1.0}, 0)
    # The page hears of it, and asks for the rows of its table again.
    visit.page.wait_for_function(
        "told => performance.getEntriesByType('resource')"
        ".some(one => one.name.includes('/table?') && one.startTime > told)",
        arg=told,
    )
    ((route, answer),) = held
    with visit.page.expect_request("**/keys?*", timeout=5_000):  # less than the list is renewed in of itself
        route.fulfill(response=answer)
    expect(visit.panel("loss")).to_be_visible()
    site_api.post(f"/experiments/runs/{run}/end", json={})
    site_api.delete(f"/experiments/{experiment}").raise_for_status()


def test_a_run_that_began_between_the_first_read_and_the_stream_is_shown(begin: Begin, site_api: httpx.Client) -> None:
    experiment = site_api.post("/experiments", json={"name": "between"}).json()["id"]
    first = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "before"}).json()["id"]
    log(site_api, first, {"loss": 1.0}, 0)
    visit = begin()
    held: list[Route] = []
    visit.page.route("**/live", lambda route: held.append(route))
    visit.open(f"/e/{experiment}?tab=table")
    expect(visit.page.get_by_text("before").first).to_be_visible()
    visit.until(lambda: len(held) == 1)
    second = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "between the two"}).json()
    held[0].continue_()
    expect(visit.page.get_by_text("between the two").first).to_be_visible(timeout=5_000)
    for run in (first, second["id"]):
        site_api.post(f"/experiments/runs/{run}/end", json={})
    site_api.delete(f"/experiments/{experiment}").raise_for_status()


def test_a_stopped_server_is_said_and_found_again(begin: Begin, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ServerProcess(tmp_path / "home", "--port", str(port)).start()
    with server.client() as api:
        experiment = api.post("/experiments", json={"name": "interrupted"}).json()["id"]
        run = api.post("/experiments/runs", json={"experiment_id": experiment, "name": "steady"}).json()["id"]
        for step in range(5):
            log(api, run, {"loss": 1 / (step + 1)}, step)
    visit = begin(base_url=server.base_url)
    visit.expect_console(
        "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE"
    )
    visit.open(f"/e/{experiment}")
    expect(visit.row("steady")).to_be_visible()
    visit.until(lambda: visit.drawn("loss") != "")
    server.stop()
    expect(visit.page.get_by_text("Live updates paused.")).to_be_visible(timeout=LONGEST_MS)
    assert visit.drawn("loss") != "", "the data stays on screen"
    visit.picture("lost")
    assert visit.accessibility_problems() == []
    visit.page.get_by_role("button", name="Reconnect now").click()
    expect(visit.page.get_by_text("Live updates paused.")).to_be_visible()
    server.start()
    # It is tried again after as much as a quarter of a minute, and the page reads everything anew.
    expect(visit.page.get_by_text("Live updates paused.")).to_have_count(0, timeout=LONGEST_MS)
    visit.settle()
    before = visit.drawn("loss")
    with server.client() as api:
        log(api, run, {"loss": 3.0}, 9)
    visit.until(lambda: visit.drawn("loss") != before)
    assert server.stop() == 0


@pytest.mark.parametrize("tab", ["", "/table", "/compare", "/sweep", "/artifacts", "/media", "/notes"])
def test_strings_of_users_are_text(begin: Begin, site_api: httpx.Client, hostile: str, tab: str) -> None:
    visit = begin().open(f"/e/{hostile}{tab}")
    expect(visit.page.get_by_text(HOSTILE).first).to_be_visible()
    visit.settle()
    assert visit.page.locator("img[src=x], [onerror]").count() == 0
    visit.open("/")
    expect(visit.page.get_by_role("link", name=HOSTILE)).to_be_visible()


@pytest.fixture
def hostile(site_api: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """An experiment in which every string tries to be markup."""
    name = f"{HOSTILE} {request.node.name}"
    experiment = site_api.post("/experiments", json={"name": name, "description": HOSTILE, "tags": {HOSTILE: HOSTILE}})
    experiment_id = str(experiment.json()["id"])
    for number in range(2):
        run = site_api.post(
            "/experiments/runs",
            json={
                "experiment_id": experiment_id,
                "name": f"{HOSTILE} {number}",
                "tags": {HOSTILE: f"{HOSTILE}{number}"},
            },
        ).json()["id"]
        site_api.post(f"/experiments/runs/{run}/log-params", json={"params": {HOSTILE: f"{HOSTILE}{number}"}})
        log(site_api, run, {HOSTILE: 1.0 + number}, 0)
        log(site_api, run, {HOSTILE: 2.0 - number}, 1)
        site_api.post(f"/experiments/runs/{run}/end", json={})
    yield experiment_id
    site_api.delete(f"/experiments/{experiment_id}").raise_for_status()

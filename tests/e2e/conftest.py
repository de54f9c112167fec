"""What the browser suite shares: one server with the demo and, where asked for, a larger project; one chromium; a visit
for each test."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.support import large_project
from tests.support.browser import THEMES, Theme, Visit, launch
from tests.support.large_project import Project
from tests.support.server_process import ServerProcess

PICTURES = Path(__file__).parents[2] / "test-output" / "ui"
LARGE_TENANT = "large"
# The library gives up after five seconds, which a machine that does much else needs for a page.
expect.set_options(timeout=30_000)


@dataclass(frozen=True, slots=True)
class Site:
    """A server with the demo in its default tenant."""

    server: ServerProcess
    digits: str
    runs: dict[str, str]  # of the demo: name to id

    @property
    def base_url(self) -> str:
        return self.server.base_url


Begin = Callable[..., Visit]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    server = ServerProcess(tmp_path_factory.mktemp("site") / "home").start()
    subprocess.run(
        [sys.executable, "-m", "gnomon", "demo"],
        env={**os.environ, "GNOMON_URL": server.base_url},
        capture_output=True,
        check=True,
    )
    with server.client() as api:
        (digits,) = api.get("/experiments").json()["experiments"]
        found = api.get("/experiments/runs", params={"experiment_id": digits["id"], "limit": 100}).json()["runs"]
    yield Site(server, digits["id"], {run["name"]: run["id"] for run in found})
    assert server.stop() == 0, server.log_path.read_text()[-4000:]


@pytest.fixture(scope="session")
def large(site: Site) -> Project:
    """A larger project, in a tenant of its own."""
    return large_project.load(site.base_url, large_project.SMALL, tenant=LARGE_TENANT)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(params=THEMES)
def theme(request: pytest.FixtureRequest) -> Theme:
    chosen: Theme = request.param
    return chosen


@pytest.fixture
def begin(site: Site, chromium: Browser) -> Iterator[Begin]:
    """Begins visits, each in a browser profile of its own; at the end none of them may have seen a problem."""
    visits: list[Visit] = []

    def one(*, theme: Theme = "light", base_url: str | None = None, width: int = 1440, height: int = 900) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB", timezone_id="UTC"
        )
        visit = Visit.begin(context, base_url=base_url or site.base_url, theme=theme, pictures=PICTURES)
        visits.append(visit)
        return visit

    yield one
    for visit in visits:
        visit.page.context.close()
    for visit in visits:
        visit.check()


@pytest.fixture
def visit(begin: Begin, theme: Theme) -> Visit:
    """A visit in each of the two themes."""
    return begin(theme=theme)


@pytest.fixture
def site_api(site: Site) -> Iterator[httpx.Client]:
    """A client of /api/v1 in the default tenant, where the demo is."""
    with site.server.client() as api:
        yield api


@pytest.fixture(scope="module")
def site_api_of_module(site: Site) -> Iterator[httpx.Client]:
    """The same for what a whole module shares."""
    with site.server.client() as api:
        yield api

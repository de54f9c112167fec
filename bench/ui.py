"""The web UI in the browser: how soon charts stand, how smooth they move, what it weighs. With MLflow's beside it.

Debian's chromium without a GPU draws the generated project of the browser suite: 10,000 runs with 200 metrics each,
20 of them of 100,000 points. Every visit is a browser profile of its own, so nothing is cached, at a server that has
answered before. Milliseconds from navigation go to the frame in which a chart's lines are shown; frames of the cursor
and of zooming are measured without the limit of the screen; scrolling is looked at frame by frame as it is shown.

MLflow's server takes hours for that project, so its UI is compared on a smaller one, and both draw the same: the first
charts that MLflow's shows, of its ten runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote

from playwright.sync_api import Browser
from tests.support.large_project import FULL, Project, Size

from bench import chromium, servers, ui_project
from bench.chromium import NO_LIMIT, Window, browser
from bench.report import Result
from bench.servers import Running, scratch_home

_SCREEN = {"width": 1440, "height": 900}
# Room for twenty panels at their usual size.
_WALL = {"width": 1920, "height": 1800}
_PANELS = _RUNS = 20
_COLUMNS = 60
_FRAMES = 300
_SCROLL_PX, _SCROLL_PX_PER_SEC = 36_000, 6_000
# Both servers have what takes MLflow's long: few runs, and a hundredth of the points.
_SHARED = Size(runs=500, metrics=20, long_runs=20, long_points=10_000)
_MLFLOW_CHARTS = 8  # as many as it draws unasked in the window of _WALL
_MLFLOW_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Site:
    """Whose UI, where its charts are, what moves in one and how."""

    who: str
    charts: str
    over: str
    move: str

    @classmethod
    def ours(cls, base: str, project: Project) -> "Site":
        return cls("gnomon", f"{base}/e/{project.experiment_id}", ".panel .u-over", "pointermove")

    @classmethod
    def mlflow(cls, base: str) -> "Site":
        charts = f"{base}/#/experiments/{ui_project.EXPERIMENT}/runs?compareRunsMode=CHART"
        return cls("mlflow", charts, ".js-plotly-plot .nsewdrag", "mousemove")


def run(*, rounds: int = 5, quick: bool = False) -> list[Result]:
    size = Size(runs=1_000, metrics=60, long_runs=20, long_points=20_000) if quick else FULL
    with scratch_home() as home:
        with servers.gnomon(home, is_pinned=False) as running:
            project = ui_project.fill_ours(running.address, size)
        # Another process, as after a restart: nothing of the filling is in its memory.
        with servers.gnomon(home, is_pinned=False) as running:
            results = list(_ours(_base(running), project, rounds))
    return [*results, *_beside_mlflow(rounds)]


def _base(running: Running) -> str:
    return f"http://{running.address[0]}:{running.address[1]}"


def _ours(base: str, project: Project, rounds: int) -> Iterator[Result]:
    site = Site.ours(base, project)
    of_all = f"{site.charts}?v={','.join(project.long_runs[:_RUNS])}"
    what = f"{project.size.runs:,} runs, {project.size.metrics} metrics, {project.points / 1e6:,.0f} M points"
    with browser() as plain:
        _warm(plain, site.charts)
        first = [_load(plain, _SCREEN, site.charts, charts=1) for _ in range(rounds)]
        yield _at_most(
            "first chart of ten runs, from navigation", "ms", [one.first_ms for one in first], 600, project=what
        )
        wall = [_load(plain, _WALL, of_all, charts=_PANELS) for _ in range(rounds)]
        held_up = f"{max(one.held_up_ms for one in wall):,.0f} ms of it in tasks of more than 50 ms"
        name = f"{_PANELS} panels of {_RUNS} runs, from navigation"
        yield _at_most(name, "ms", [one.last_ms for one in wall], 1_500, thread=held_up)
        yield _scripts(plain, site)
        yield _at_most("the UI as it lies in the wheel", "MB", [_folder_mb(servers.ui_folder("gnomon"))], 1.5)
        yield from _scrolling(plain, f"{site.charts}/table?c={_columns(project)}", rounds)
    with browser(*NO_LIMIT) as unlimited:
        yield from _moving(unlimited, site, of_all, rounds)


def _load(browser: Browser, screen: dict[str, int], url: str, *, charts: int) -> chromium.Loaded:
    with chromium.window(browser, **screen) as window:
        return window.load(url, charts=charts)


def _warm(browser: Browser, url: str) -> None:
    for _ in range(2):
        _load(browser, _SCREEN, url, charts=1)


def _scripts(browser: Browser, *sites: Site) -> Result:
    figures: dict[str, list[float]] = {}
    for site in sites:
        with chromium.window(browser, **_SCREEN) as window, chromium.scripts(window.page) as sizes:
            window.load(site.charts, charts=1)
        figures[site.who] = [sum(sizes.values()) / 1e3]
    return Result("JavaScript until the first chart, packed", "KB", figures, at_most=130, is_cost=True)


def _moving(browser: Browser, site: Site, url: str, rounds: int) -> Iterator[Result]:
    cursor: list[list[float]] = []
    zoom: list[list[float]] = []
    heaps: list[float] = []
    for _ in range(rounds):
        with chromium.window(browser, **_SCREEN) as window:
            window.load(url, charts=1)
            window.page.wait_for_timeout(1_500)
            cursor.append(window.frames(site.over, kind=site.move, count=_FRAMES))
            with _held_rail(window):
                zoom.append(window.frames(".rail", kind="pointermove", count=_FRAMES, span=(0.3, 0.9)))
            window.page.wait_for_timeout(1_500)
            heaps.append(window.heap_mb())
    panels = f"the panels of a window of {_SCREEN['width']} x {_SCREEN['height']}, {_RUNS} runs each"
    for name, rounds_of in (("cursor", cursor), ("zoom", zoom)):
        yield _at_most(
            f"a frame while the {name} moves, median", "ms", [_share(one, 50) for one in rounds_of], 16, over=panels
        )
        yield _at_most(
            f"a frame while the {name} moves, 99th percentile", "ms", [_share(one, 99) for one in rounds_of], 50
        )
    yield _at_most("heap of the page after all of that, with its arrays", "MB", heaps, 150)


@contextmanager
def _held_rail(window: Window) -> Iterator[None]:
    """The end of the zoom window in the hand: what then moves over the rail zooms every panel."""
    box = window.page.locator(".rail").bounding_box()
    assert box is not None
    window.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    window.page.mouse.down()
    yield
    window.page.mouse.up()


def _scrolling(browser: Browser, url: str, rounds: int) -> Iterator[Result]:
    blank: list[float] = []
    seen = 0
    heaps: list[float] = []
    for _ in range(rounds):
        with chromium.window(browser, **_SCREEN) as window:
            window.page.goto(url)
            window.page.locator(".grid-row").nth(20).wait_for()
            window.page.wait_for_timeout(1_000)
            scrolled = chromium.scroll(window, ".run-grid", distance=_SCROLL_PX, speed=_SCROLL_PX_PER_SEC)
            blank.append(scrolled.blank)
            seen += len(scrolled.bands_px)
            heaps.append(window.heap_mb())
    name = f"blank frames while {_COLUMNS} columns of all runs are scrolled, {_SCROLL_PX_PER_SEC:,} px a second"
    yield _at_most(name, "frames", blank, 0, check=f"of {seen:,} that the screen was sent")
    yield _at_most("heap of the table after that", "MB", heaps, 150)


def _columns(project: Project) -> str:
    plain = ["status", "duration", "params.optimiser", "params.lr", "params.batch_size", "params.depth"]
    metrics = [f"metrics.{name}.last" for name in project.metrics[: _COLUMNS - len(plain)]]
    return ",".join(quote(column, safe="") for column in [*plain, *metrics])


def _beside_mlflow(rounds: int) -> Iterator[Result]:
    with scratch_home() as ours, scratch_home() as theirs:
        with servers.mlflow(theirs, is_pinned=False):
            pass
        ui_project.fill_mlflow(theirs / "mlflow.db", _SHARED)
        with (
            servers.gnomon(ours, is_pinned=False) as running,
            servers.mlflow(theirs, is_pinned=False, workers=_MLFLOW_WORKERS) as peer,
        ):
            project = ui_project.fill_ours(running.address, _SHARED)
            peer.rest()
            yield from _compared([Site.ours(_base(running), project), Site.mlflow(_base(peer))], rounds)


def _compared(sites: list[Site], rounds: int) -> Iterator[Result]:
    first: dict[str, list[float]] = {}
    several: dict[str, list[float]] = {}
    heaps: dict[str, list[float]] = {}
    with browser() as plain:
        for site in sites:
            _warm(plain, site.charts)
        for _ in range(rounds):
            for site in sites:
                with chromium.window(plain, **_WALL) as window:
                    loaded = window.load(site.charts, charts=_MLFLOW_CHARTS)
                    first.setdefault(site.who, []).append(loaded.first_ms)
                    several.setdefault(site.who, []).append(loaded.last_ms)
                    heaps.setdefault(site.who, []).append(window.heap_mb())
        what = f"{_SHARED.runs} runs, {_SHARED.metrics} metrics, {_SHARED.long_points:,} points in the longest"
        yield Result("smaller project: first chart of ten runs", "ms", first, notes={"project": what}, is_cost=True)
        yield Result(f"smaller project: {_MLFLOW_CHARTS} charts of ten runs", "ms", several, is_cost=True)
        yield Result("smaller project: heap with those", "MB", heaps, is_cost=True)
        yield _scripts(plain, *sites)
    folders = {site.who: [_folder_mb(servers.ui_folder(site.who))] for site in sites}
    yield Result("the whole UI, unpacked", "MB", folders, is_cost=True)
    with browser(*NO_LIMIT) as unlimited:
        yield _cursors(unlimited, sites, rounds)


def _cursors(browser: Browser, sites: list[Site], rounds: int) -> Result:
    worst: dict[str, list[float]] = {}
    for _ in range(rounds):
        for site in sites:
            with chromium.window(browser, **_WALL) as window:
                window.load(site.charts, charts=_MLFLOW_CHARTS)
                window.page.wait_for_timeout(1_500)
                frames = window.frames(site.over, kind=site.move, count=_FRAMES)
                worst.setdefault(site.who, []).append(_share(frames, 99))
    name = "smaller project: a frame while the cursor moves, 99th percentile"
    return Result(name, "ms", worst, notes={"check": "ours moves it in every panel, MLflow's in one"}, is_cost=True)


def _folder_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _share(frames: list[float], percent: int) -> float:
    return quantiles(frames, n=100)[percent - 1]


def _at_most(name: str, unit: str, rounds: list[float], bound: float, **notes: object) -> Result:
    return Result(name, unit, {"gnomon": rounds}, at_most=bound, notes=notes)

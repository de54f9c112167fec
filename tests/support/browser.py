"""Debian's chromium as a person's browser, and a visit to the UI that notices whatever a person must never see."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Locator, Page, Playwright, Request

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

CHROMIUM = Path("/usr/bin/chromium")
# Nothing but the page itself may speak to the network, and no GPU is assumed.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
_RUN_AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    ({id, nodes}) => `${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)"""
# What is below the fold is not asked for, so it may wait.
_IS_SETTLED = """() =>
    [...document.querySelectorAll(".panel-loading, .loading:not(:empty), .is-stale, [aria-busy=true]")]
        .every((one) => one.getBoundingClientRect().top >= innerHeight)
    && document.getAnimations()
        .every((one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""
_PATIENCE_SECS = 30
# Lines are coloured, axes and grid are grey.
_INK = """(canvas) => {
    // A copy, because reading a canvas back makes the browser draw it in another way from then on.
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const {data, width, height} = copy.getImageData(0, 0, canvas.width, canvas.height);
    let [sum, count] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
        const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
        if (data[i + 3] < 60 || Math.max(r, g, b) - Math.min(r, g, b) < 40) continue;
        count++;
        sum = (sum * 31 + i + r + 2 * g + 3 * b) % 1000000007;
    }
    return count === 0 ? "" : `${width}x${height} ${count} ${sum}`;
}"""
# Cumulative layout shift, as https://web.dev/articles/cls defines it but summed over the whole visit.
_MOVED = """() => new Promise((done) => {
    let sum = 0;
    const add = (list) => list.getEntries().forEach((one) => { if (!one.hadRecentInput) sum += one.value; });
    new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 100);
})"""
_OWN = ("blob:", "data:")


def launch(playwright: Playwright, *more_flags: str) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS, *more_flags])


@dataclass
class Visit:
    """One person at one server. `problems` gathers console errors, dialogs and requests that leave the origin."""

    page: Page
    base_url: str
    theme: Theme
    pictures: Path
    problems: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    @classmethod
    def begin(cls, context: BrowserContext, *, base_url: str, theme: Theme, pictures: Path) -> "Visit":
        visit = cls(context.new_page(), base_url, theme, pictures)
        visit.page.on("console", visit._on_console)
        visit.page.on("pageerror", lambda error: visit.problems.append(f"page error: {error}"))
        visit.page.on("dialog", visit._on_dialog)
        visit.page.on("request", visit._on_request)
        return visit

    def open(self, path: str) -> "Visit":
        self.page.goto(f"{self.base_url}{path}")
        self.page.locator("header.app-bar").wait_for()
        return self

    def expect_console(self, pattern: str) -> None:
        """Some errors are the browser's own words for what the test does, such as a stopped server."""
        self._expected.append(re.compile(pattern))

    def settle(self) -> None:
        """Wait until everything in sight has come."""
        self.page.wait_for_function(_IS_SETTLED)

    def picture(self, name: str) -> None:
        """A screenshot, kept for people to look at."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{name}-{self.theme}.png")

    def moved(self) -> float:
        """How much of what was shown has moved since the page was opened: 0 nothing, 1 a whole screen by its height."""
        share: float = self.page.evaluate(_MOVED)
        return share

    def accessibility_problems(self) -> list[str]:
        """What axe finds on the page as it stands. The page's policy lets it run no scripts but its own, so axe comes
        through the debugger's door."""
        self.settle()
        self.page.evaluate(_AXE.read_text())
        found: list[str] = self.page.evaluate(_RUN_AXE)
        return found

    def check(self) -> None:
        """Raise for what happened that must not."""
        left = [text for text in self.problems if not any(pattern.search(text) for pattern in self._expected)]
        assert left == [], left

    def panel(self, metric: str) -> Locator:
        return self.page.locator(f'article.panel[data-metric="{metric}"]')

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what no locator can say, such as what a canvas shows."""
        deadline = monotonic() + _PATIENCE_SECS
        while not holds():
            assert monotonic() < deadline, "it did not come to hold"
            self.page.wait_for_timeout(50)

    def drawn(self, metric: str) -> str:
        """The colours and places of a panel's lines as a digest: equal while the same is drawn. Empty without lines."""
        digest: str = self.panel(metric).locator("canvas").first.evaluate(_INK)
        return digest

    @property
    def rows(self) -> Locator:
        """The runs of the table, from the top; a pinned run's own row is not among them."""
        return self.page.locator(".grid-rows .grid-row:not(.is-group)")

    def row(self, run: str) -> Locator:
        return self.rows.filter(has=self.page.get_by_role("link", name=run, exact=True))

    @property
    def shown(self) -> Locator:
        """The runs of the table that the charts show."""
        return self.page.locator(".grid-rows [role=switch][aria-checked=true]")

    def filter_runs(self, query: str) -> None:
        box = self.page.get_by_role("combobox", name="Filter runs")
        box.fill(query)
        box.press("Enter")

    def query(self) -> dict[str, str]:
        """The view as the URL has it."""
        found: dict[str, str] = self.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
        return found

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base_url}/", *_OWN)):
            self.problems.append(f"request to {request.url}")

"""A page in chromium, watched from outside: when its charts stand, how long its frames take, what its heap holds.

Nothing of this is in the page that is shipped. What is noted before the page's own scripts run works for any page that
draws lines with uPlot (a `Path2D` stroked on a canvas of its own) or with Plotly (a path of the class `js-line`). A
chart stands when the frame with its lines has been handed to the browser.

Frames are measured without the limit of the screen, so that the distance of two is what the later one cost.
"""

import base64
import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, Response, sync_playwright
from tests.support.browser import launch

NO_LIMIT = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
_PATIENCE_MS = 180_000
_HEADING_PX = 30
_BLANK_PX = 50  # a row is 26 high, and what is written in it 10
_INK = 40  # of 255
_NOTE_CHARTS = """(() => {
    const probe = (window.benchProbe = {charts: new Map(), tasks: []});
    const stands = (chart) => {
        if (probe.charts.has(chart)) return;
        probe.charts.set(chart, Infinity);
        const channel = new MessageChannel();
        channel.port1.onmessage = () => probe.charts.set(chart, performance.now());
        // A message posted inside a frame arrives once the frame has been produced.
        requestAnimationFrame(() => channel.port2.postMessage(null));
    };
    const stroke = CanvasRenderingContext2D.prototype.stroke;
    CanvasRenderingContext2D.prototype.stroke = function (...path) {
        stroke.apply(this, path);
        const chart = path.length === 1 && this.canvas instanceof HTMLCanvasElement && this.canvas.closest(".uplot");
        if (chart) stands(chart);
    };
    new MutationObserver((changes) => {
        for (const {addedNodes} of changes) for (const node of addedNodes) {
            if (!(node instanceof Element)) continue;
            const lines = node.matches(".js-line") ? [node] : node.querySelectorAll(".js-line");
            for (const line of lines) {
                const chart = line.closest(".js-plotly-plot");
                if (chart) stands(chart);
            }
        }
    }).observe(document, {childList: true, subtree: true});
    new PerformanceObserver((list) => {
        for (const {startTime, duration} of list.getEntries()) probe.tasks.push([startTime, duration]);
    }).observe({type: "longtask", buffered: true});
})()"""
_STANDING = """(count) => {
    const times = [...window.benchProbe.charts].filter(([chart]) => chart.isConnected).map(([, time]) => time);
    times.sort((a, b) => a - b);
    return times.length >= count && times[count - 1] < Infinity ? times.slice(0, count) : null;
}"""
_FRAMES = """async ([selector, type, count, from, to]) => {
    const element = document.querySelector(selector);
    const box = element.getBoundingClientRect();
    const at = (i) => {
        const back = (i / count) * 3 % 2;
        const share = from + (to - from) * (back < 1 ? back : 2 - back);
        return {clientX: box.left + box.width * share, clientY: box.top + box.height / 2};
    };
    const init = {bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse", isPrimary: true};
    const Kind = type.startsWith("pointer") ? PointerEvent : MouseEvent;
    const took = [];
    let last = null;
    await new Promise((done) => {
        const frame = () => {
            const now = performance.now();
            if (last !== null) took.push(now - last);
            last = now;
            if (took.length === count) return done();
            element.dispatchEvent(new Kind(type, {...init, ...at(took.length)}));
            requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
    });
    return took;
}"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A page whose charts stand: milliseconds from navigation to the first and to the last of those asked for, and for
    how much of that the page's thread was held up at a time (tasks of more than 50 ms)."""

    first_ms: float
    last_ms: float
    held_up_ms: float


@dataclass(frozen=True, slots=True)
class Window:
    """A page under watch."""

    page: Page
    debugger: CDPSession

    def load(self, url: str, *, charts: int) -> Loaded:
        """Go there, and wait until so many charts stand."""
        self.page.goto(url, wait_until="commit")
        times: list[float] = self.page.wait_for_function(_STANDING, arg=charts, timeout=_PATIENCE_MS).json_value()
        tasks: list[tuple[float, float]] = self.page.evaluate("benchProbe.tasks")
        held_up = sum(duration for start, duration in tasks if start < times[-1])
        return Loaded(times[0], times[-1], held_up)

    def frames(self, selector: str, *, kind: str, count: int, span: tuple[float, float] = (0.05, 0.95)) -> list[float]:
        """Move the pointer over an element, once a frame, there and back; milliseconds that each frame took."""
        found: list[float] = self.page.evaluate(_FRAMES, [selector, kind, count, *span])
        return found

    def heap_mb(self) -> float:
        """What the page's scripts hold, with the bytes of their arrays, after what is garbage has gone."""
        self.debugger.send("HeapProfiler.collectGarbage")
        usage = self.debugger.send("Runtime.getHeapUsage")
        return (float(usage["usedSize"]) + float(usage.get("backingStorageSize", 0))) / 1e6


@dataclass(frozen=True, slots=True)
class Scrolled:
    """What was seen while scrolling: frames that the screen was sent, and the tallest blank band of each."""

    bands_px: list[int]

    @property
    def blank(self) -> int:
        """Frames with a band of more than a row without anything in it."""
        return sum(band > _BLANK_PX for band in self.bands_px)


def scroll(window: Window, selector: str, *, distance: int, speed: int) -> Scrolled:
    """Turn the wheel over an element, `speed` in pixels a second, and look at every frame that the screen is sent."""
    box = window.page.locator(selector).bounding_box()
    assert box is not None, f"there is no {selector}"
    shots: list[str] = []

    def keep(frame: Mapping[str, object]) -> None:
        shots.append(str(frame["data"]))
        window.debugger.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    gesture = {**place, "yDistance": -distance, "speed": speed, "gestureSourceType": "mouse"}
    window.debugger.on("Page.screencastFrame", keep)
    window.debugger.send("Page.startScreencast", {"format": "jpeg", "quality": 80})
    window.debugger.send("Input.synthesizeScrollGesture", gesture)
    window.debugger.send("Page.stopScreencast")
    window.debugger.remove_listener("Page.screencastFrame", keep)
    return Scrolled([_tallest_blank(shot, box["y"], box["y"] + box["height"]) for shot in shots])


def _tallest_blank(shot: str, top: float, bottom: float) -> int:
    """The most rows of pixels, one after the other, in which nothing is written. Hairlines and placeholders are too
    faint to count as writing. The last few pixels are a scroll bar's."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot))).convert("L")).astype(np.int16)
    part = pixels[int(top) + _HEADING_PX : int(bottom) - _HEADING_PX, : pixels.shape[1] * 9 // 10]
    tallest = blank = 0
    for is_written in (part.max(axis=1) - part.min(axis=1)) > _INK:
        blank = 0 if is_written else blank + 1
        tallest = max(tallest, blank)
    return tallest


@contextmanager
def browser(*flags: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright, *flags)
        yield started
        started.close()


@contextmanager
def window(browser: Browser, *, width: int, height: int) -> Iterator[Window]:
    """A page in a profile of its own: nothing is cached, nothing is remembered."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.add_init_script(_NOTE_CHARTS)
    yield Window(page, context.new_cdp_session(page))
    context.close()


@contextmanager
def scripts(page: Page) -> Iterator[dict[str, int]]:
    """What every script that comes meanwhile weighs packed with gzip, by its address; filled at the end."""
    answers: dict[str, Response] = {}
    page.on("response", lambda answer: answers.update({answer.url: answer}) if ".js" in answer.url else None)
    sizes: dict[str, int] = {}
    yield sizes
    sizes.update({url: len(gzip.compress(answer.body())) for url, answer in answers.items() if answer.ok})

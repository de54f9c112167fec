"""What the UI weighs: the JavaScript before the first chart, and all of the UI in the wheel."""

import gzip
from pathlib import Path

from tests.e2e.conftest import Begin, Site

from gnomon_server.api.web import UI_FOLDER

FIRST_ROUTE = 120_000
MOST_SCRIPTS = 5
WHEEL = 1_500_000


def packed_size(path: Path) -> int:
    """What crosses the wire at worst: packed with gzip."""
    packed = path.with_name(path.name + ".gz")
    return packed.stat().st_size if packed.is_file() else len(gzip.compress(path.read_bytes()))


def test_the_first_chart_takes_little_javascript(site: Site, begin: Begin) -> None:
    visit = begin()
    scripts: dict[str, str] = {}
    visit.page.on(
        "response",
        lambda answer: (
            scripts.update({answer.url: answer.headers.get("content-encoding", "")})
            if answer.url.endswith(".js")
            else None
        ),
    )
    visit.open(f"/e/{site.digits}")
    visit.until(lambda: visit.panel("val/loss").count() == 1 and visit.drawn("val/loss") != "")
    sizes = {url.rsplit("/", 1)[-1]: packed_size(UI_FOLDER / "assets" / url.rsplit("/", 1)[-1]) for url in scripts}
    assert any(name.startswith("experiment") for name in sizes), (
        f"the page of the charts has another name now: {sorted(sizes)}"
    )
    assert sum(sizes.values()) <= FIRST_ROUTE, sorted(sizes.items(), key=lambda item: -item[1])
    assert len(sizes) <= MOST_SCRIPTS, sorted(sizes)
    # The browser asks for the best coding it knows, and whatever is worth packing comes in it.
    unpacked = {name for name in scripts if scripts[name] != "br" and "runtime" not in name}
    assert unpacked == set()


def test_all_of_the_ui_in_the_wheel_stays_small() -> None:
    sizes = {str(path.relative_to(UI_FOLDER)): path.stat().st_size for path in UI_FOLDER.rglob("*") if path.is_file()}
    assert sum(sizes.values()) <= WHEEL, sorted(sizes.items(), key=lambda item: -item[1])[:20]

"""Charts: panels, the one cursor, zoom, smoothing, axes, bands, the metric tree, sections and downloads."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site
from tests.support.browser import Visit

# Minutes of a real browser: `make e2e` and `make nightly` run it, `make test` opens every page.
pytestmark = pytest.mark.nightly

IN_VIEW = ("val/accuracy", "val/loss", "epoch", "gradient_norm", "train/accuracy", "train/loss")


def charts(visit: Visit, site: Site, query: str = "") -> Visit:
    visit.open(f"/e/{site.digits}{query}")
    expect(visit.shown).to_have_count(10)
    visit.until(lambda: all(visit.drawn(metric) for metric in IN_VIEW))
    return visit


def hover(visit: Visit, metric: str, share: float = 0.5) -> None:
    box = visit.panel(metric).locator(".u-over").bounding_box()
    assert box is not None
    visit.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)


def drag(visit: Visit, metric: str, start: float, end: float) -> None:
    hover(visit, metric, start)
    visit.page.mouse.down()
    hover(visit, metric, (start + end) / 2)
    hover(visit, metric, end)
    visit.page.mouse.up()


def test_every_panel_in_sight_is_drawn(site: Site, visit: Visit) -> None:
    charts(visit, site)
    assert len({visit.drawn(metric) for metric in IN_VIEW}) == len(IN_VIEW)
    expect(visit.page.locator(".charts-footer")).to_contain_text(
        re.compile(r"10 lines × 7 panels.*points, every one drawn")
    )


def test_a_diverged_run_is_marked_and_does_not_flatten_the_others(site: Site, visit: Visit) -> None:
    charts(visit, site)
    broken = visit.panel("val/loss").locator(".panel-broken")
    expect(broken).to_have_text(re.compile(r"^NaN from \d+$"))
    expect(broken).to_have_attribute("title", re.compile("^sgd-lr30-s0: "))
    clipped = visit.drawn("val/loss")
    visit.page.get_by_role("button", name="Clip outliers").click()
    expect(visit.page.get_by_role("button", name="Clip outliers")).to_have_attribute("aria-pressed", "false")
    visit.until(lambda: visit.drawn("val/loss") != clipped)
    visit.picture("unclipped")


def test_one_cursor_for_all_panels_and_the_rail(site: Site, visit: Visit) -> None:
    charts(visit, site)
    hover(visit, "train/loss")
    readout = visit.page.locator(".readout")
    expect(readout).to_be_visible()
    expect(readout.locator(".readout-head")).to_contain_text("train/loss")
    values = [float(text) for text in readout.locator(".readout-row:not([hidden]) em").all_inner_texts()]
    assert len(values) >= 8
    assert values == sorted(values), "a loss is best when it is low"
    for metric in IN_VIEW:
        expect(visit.panel(metric).locator(".panel-value")).not_to_be_empty()
    expect(visit.page.locator(".rail-caret")).to_be_visible()
    visit.picture("cursor")
    visit.page.mouse.move(5, 5)
    expect(readout).not_to_be_visible()


def test_a_run_under_the_pointer_is_lifted_in_the_table_and_in_the_charts(site: Site, begin: Begin) -> None:
    visit = charts(begin(), site)
    visit.row("adam-lr0.01-s0").hover()
    # The lifted line is painted on a layer of its own.
    expect(visit.panel("val/loss").locator("canvas")).to_have_count(2)
    visit.picture("focus")


def test_dragging_zooms_all_panels_and_escape_shows_everything_again(site: Site, visit: Visit) -> None:
    charts(visit, site)
    whole = visit.drawn("val/accuracy")
    drag(visit, "val/loss", 0.3, 0.6)
    visit.page.wait_for_url(re.compile("z="))
    low, high = (float(end) for end in visit.query()["z"].split(":"))
    assert 700 < low < high < 1_700
    visit.until(lambda: visit.drawn("val/accuracy") != whole)
    expect(visit.page.locator(".rail-window")).to_be_visible()
    visit.picture("zoom")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator(".rail-window")).to_be_hidden()
    assert "z" not in visit.query()
    visit.until(lambda: visit.drawn("val/accuracy") == whole)


def test_the_rail_is_a_slider_for_the_keyboard(site: Site, begin: Begin) -> None:
    visit = charts(begin(theme="dark"), site)
    rail = visit.page.get_by_role("slider", name="Visible range")
    expect(rail).to_have_attribute("aria-valuetext", re.compile("everything"))
    rail.focus()
    visit.page.keyboard.press("ArrowRight")
    expect(rail).not_to_have_attribute("aria-valuetext", re.compile("everything"))
    assert "z" in visit.query()


def test_smoothing_by_slider_kind_and_keys(site: Site, visit: Visit) -> None:
    charts(visit, site)
    before = visit.drawn("gradient_norm")
    visit.page.get_by_role("slider", name="Smoothing").fill("0.3")
    visit.page.wait_for_url(re.compile("sm=ema:0.3"))
    visit.until(lambda: visit.drawn("gradient_norm") != before)
    visit.page.get_by_role("combobox", name="Kind of smoothing").select_option("gaussian")
    visit.page.wait_for_url(re.compile("sm=gaussian:0.3"))
    visit.page.keyboard.press("]")
    visit.page.wait_for_url(re.compile("sm=gaussian:0.35"))
    visit.page.get_by_role("combobox", name="Kind of smoothing").select_option("none")
    expect(visit.page.get_by_role("slider", name="Smoothing")).to_be_disabled()


def test_x_is_step_relative_time_wall_time_or_a_metric(site: Site, visit: Visit) -> None:
    charts(visit, site)
    seen = {visit.drawn("val/accuracy")}
    for axis in ("Wall", "Relative"):
        visit.page.get_by_role("radio", name=axis, exact=True).click()
        expect(visit.page.get_by_role("radio", name=axis, exact=True)).to_be_checked()
        visit.until(lambda: visit.drawn("val/accuracy") not in seen | {""})
        seen.add(visit.drawn("val/accuracy"))
    relative = visit.drawn("val/accuracy")
    visit.page.get_by_role("combobox", name="Metric as x axis").select_option("epoch")
    visit.page.wait_for_url(re.compile("x=metrics.epoch"))
    # Epochs come at even steps, so that the lines are those over the step to the pixel.
    visit.until(lambda: visit.drawn("val/accuracy") not in {"", relative})
    hover(visit, "val/loss")
    expect(visit.page.locator(".readout-head span")).to_have_text(re.compile(r"^\d{1,2}(\.\d+)?$"))
    visit.page.keyboard.press("x")
    expect(visit.page.get_by_role("radio", name="Step")).to_be_checked()


def test_log_axis_and_band_are_switches_with_keys(site: Site, visit: Visit) -> None:
    charts(visit, site)
    expect(visit.panel("val/loss").locator("abbr", has_text="log")).to_be_visible()
    visit.page.keyboard.press("l")
    expect(visit.panel("val/loss").locator("abbr", has_text="log")).to_have_count(0)
    assert visit.query()["log"] == "0"
    plain = visit.drawn("gradient_norm")
    visit.page.keyboard.press("e")
    expect(visit.page.get_by_role("button", name="Min–max")).to_have_attribute("aria-pressed", "true")
    visit.page.keyboard.press("x")  # relative time puts many steps into one bucket
    visit.until(lambda: visit.drawn("gradient_norm") not in (plain, ""))


def test_the_metric_tree_hides_and_shows_panels(site: Site, visit: Visit) -> None:
    charts(visit, site)
    visit.page.get_by_role("button", name="Panel", exact=True).click()
    tree = visit.page.get_by_role("dialog", name="Choose panels")
    tree.get_by_role("searchbox", name="Search metrics").fill("loss")
    expect(tree.get_by_role("status")).to_have_text("3 of 7 match")
    visit.picture("metric-tree")
    assert visit.accessibility_problems() == []
    tree.get_by_role("button", name="Hide all").click()
    expect(visit.page.locator("article.panel")).to_have_count(4)
    expect(visit.panel("val/loss")).to_have_count(0)
    tree.get_by_role("button", name="Show all").click()
    expect(visit.panel("val/loss")).to_be_visible()


def test_sections_fold_and_panels_move_grow_and_hide(site: Site, begin: Begin) -> None:
    visit = charts(begin(), site)
    section = visit.page.get_by_role("button", name=re.compile("^val ?2$"))
    section.click()
    expect(section).to_have_attribute("aria-expanded", "false")
    expect(visit.panel("val/loss")).to_have_count(0)
    section.click()
    panels = visit.page.get_by_role("region", name="val").locator("article.panel")
    choose(visit, "val/loss", "Move earlier")
    expect(panels.first).to_have_attribute("data-metric", "val/loss")
    choose(visit, "val/loss", "Full width")
    wide = panels.first.bounding_box()
    usual = panels.last.bounding_box()
    assert wide is not None
    assert usual is not None
    assert wide["width"] > 2 * usual["width"]
    choose(visit, "epoch", "Hide panel")
    expect(visit.panel("epoch")).to_have_count(0)
    assert {"order", "wide", "hide"} <= visit.query().keys()


def test_a_panel_is_read_as_a_table_enlarged_and_by_arrow_keys(site: Site, begin: Begin) -> None:
    visit = charts(begin(theme="dark"), site)
    choose(visit, "val/loss", "View as table")
    table = visit.page.get_by_role("dialog", name="val/loss")
    expect(table.get_by_role("row")).to_have_count(11)
    expect(table.get_by_role("row", name="sgd-lr30-s0")).to_contain_text(re.compile("from 1"))
    visit.picture("panel-table")
    assert visit.accessibility_problems() == []
    visit.page.keyboard.press("Escape")
    expect(table).to_have_count(0)
    choose(visit, "val/loss", "Enlarge")
    expect(visit.page.get_by_role("dialog", name="val/loss").locator("canvas").first).to_be_visible()
    visit.picture("panel-large")
    visit.page.keyboard.press("Escape")
    plot = visit.panel("val/loss").get_by_role("group")
    plot.focus()
    visit.page.keyboard.press("End")
    expect(visit.panel("val/loss").get_by_role("status")).to_have_text(re.compile(r"^[\d,]+: \S+ 0\.\d+, "))


def test_a_panel_is_downloaded_as_picture_and_as_numbers(site: Site, begin: Begin, tmp_path: Path) -> None:
    visit = charts(begin(), site)
    files = {}
    for kind in ("PNG", "SVG", "CSV"):
        with visit.page.expect_download() as found:
            choose(visit, "val/loss", f"Download {kind}")
        files[kind] = tmp_path / found.value.suggested_filename
        found.value.save_as(files[kind])
    assert [path.name for path in files.values()] == ["val_loss.png", "val_loss.svg", "val_loss.csv"]
    with Image.open(files["PNG"]) as picture:
        assert picture.width > 500
        assert len(picture.convert("RGB").getcolors(100_000) or []) > 10
    svg = files["SVG"].read_text()
    assert svg.startswith("<svg")
    assert "adam-lr0.01-s0" in svg
    header, *rows = files["CSV"].read_text().splitlines()
    assert "adam-lr0.01-s0" in files["CSV"].read_text()
    assert len(rows) > 100, header


def choose(visit: Visit, metric: str, item: str) -> None:
    """Choose from a panel's menu, by the keyboard."""
    button = visit.page.get_by_role("button", name=f"Options for {metric}")
    button.focus()
    visit.page.keyboard.press("Enter")
    entry = visit.page.get_by_role("menu").get_by_role("menuitem", name=item, exact=True)
    entry.focus()
    visit.page.keyboard.press("Enter")

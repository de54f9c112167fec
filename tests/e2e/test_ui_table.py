"""The run table beside the charts: sort, filter, group, columns, baseline, shown runs, keys."""

import re

from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site
from tests.support.browser import Visit

BEST = "adam-lr0.01-s0"


def test_a_heading_sorts_the_better_end_first_then_the_other_way_then_not_at_all(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}")
    newest = "adam-lr0.0003-s2"
    expect(visit.rows.first).to_contain_text("lr0")
    expect(visit.rows.first.get_by_role("link")).to_have_attribute("title", newest)
    heading = visit.page.get_by_role("columnheader", name="loss min")
    for direction, column in (("ascending", "metrics.val/loss.min"), ("descending", "-metrics.val/loss.min")):
        heading.get_by_role("button").click()
        expect(heading).to_have_attribute("aria-sort", direction)
        assert visit.query()["s"] == column
    expect(visit.rows.first.get_by_role("link")).to_have_attribute("title", "sgd-lr30-s0")
    heading.get_by_role("button").click()
    expect(visit.rows.first.get_by_role("link")).to_have_attribute("title", newest)
    assert "s" not in visit.query()


def test_a_filter_is_completed_applied_and_cleared(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}")
    expect(visit.rows).to_have_count(26)
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("params.opt")
    expect(visit.page.get_by_role("option", name="params.optimiser")).to_be_visible()
    visit.picture("completion")
    assert visit.accessibility_problems() == []
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.type("= 'adam' and metrics.val/accuracy.max > 0.95")
    visit.page.keyboard.press("Enter")
    expect(visit.rows).to_have_count(4)
    assert visit.query()["q"] == "params.optimiser = 'adam' and metrics.val/accuracy.max > 0.95"
    visit.page.get_by_role("button", name="Clear the filter").click()
    expect(visit.rows).to_have_count(26)


def test_an_error_stands_under_its_character_and_changes_nothing_else(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}?q=params.optimiser = 'adam'")
    expect(visit.rows).to_have_count(7)
    visit.expect_console("status of 400")
    visit.filter_runs("status = = 'failed'")
    expect(visit.page.get_by_role("alert")).to_have_text("A value is missing here")
    expect(visit.page.locator(".query-text .is-place")).to_have_text("=")
    box = visit.page.get_by_role("combobox", name="Filter runs")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(visit.rows).to_have_count(7)
    visit.filter_runs("status = 'failed'")
    expect(visit.page.get_by_role("alert")).to_have_count(0)
    expect(visit.rows).to_have_count(1)


def test_groups_have_a_mean_and_fold(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}")
    expect(visit.rows.first).to_be_visible()
    visit.page.keyboard.press("g")
    visit.page.get_by_role("textbox", name="Group by: search").or_(
        visit.page.get_by_role("searchbox", name="Group by: search")
    ).fill("optimiser param")
    visit.page.get_by_role("button", name=re.compile("^optimiser ?param")).click()
    visit.page.keyboard.press("Escape")
    groups = visit.page.locator(".grid-rows .grid-row.is-group")
    expect(groups).to_have_count(4)
    expect(groups.first).to_contain_text(re.compile(r"mean 0\.\d{4} ± 0\.\d{4}"))
    groups.first.get_by_role("button").click()
    expect(groups.first).to_have_attribute("aria-expanded", "false")
    expect(visit.rows).to_have_count(19)
    assert visit.query()["g"] == "params.optimiser"


def test_columns_are_chosen_and_given_back_to_what_differs(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}")
    headings = visit.page.locator(".is-head .grid-cell[role=columnheader]")
    expect(headings).to_have_count(5)
    visit.page.get_by_role("button", name="Columns 5").click()
    panel = visit.page.get_by_role("dialog", name="Columns")
    expect(panel.get_by_role("button", name="Only what differs")).to_have_attribute("aria-pressed", "true")
    panel.get_by_role("checkbox", name="seed").check()
    panel.get_by_role("group", name="Columns of train/loss").get_by_role("button", name="mean").click()
    visit.picture("columns")
    assert visit.accessibility_problems() == []
    columns = visit.query()["c"].split(",")
    assert columns[-2:] == ["params.seed", "metrics.train/loss.mean"]
    panel.get_by_role("button", name="Only what differs").click()
    expect(headings).to_have_count(5)
    visit.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    # All runs have the same batch size, so that column does not come by itself.
    expect(visit.page.get_by_role("columnheader", name="batch_size")).to_have_count(0)


def test_keys_move_show_hide_solo_and_pin(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}?s=name")
    expect(visit.shown).to_have_count(10)
    press = visit.page.keyboard.press
    press("j")
    expect(visit.rows.nth(1)).to_be_focused()
    press("k")
    expect(visit.rows.nth(0)).to_be_focused()
    press("Space")
    expect(visit.shown).to_have_count(9)
    press("j")
    press("Shift+Space")
    expect(visit.shown).to_have_count(1)
    expect(visit.rows.nth(1).get_by_role("switch")).to_be_checked()
    press("j")
    press("p")
    expect(visit.page.locator(".grid-top").get_by_text("baseline")).to_have_count(1)
    expect(visit.shown).to_have_count(2)
    expect(visit.rows.nth(0).locator(".grid-delta")).to_have_text(re.compile(r"^[+−]?\d"))
    expect(visit.rows.nth(2).locator(".grid-pin")).to_be_visible()
    press("?")
    expect(visit.page.get_by_role("dialog", name="Keys")).to_contain_text("pin as baseline")
    visit.picture("keys")
    assert visit.accessibility_problems() == []
    press("Escape")
    press("Enter")
    expect(visit.page).to_have_url(re.compile("/r/"))


def test_a_hidden_run_leaves_the_charts_and_the_others_keep_their_colours(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}")
    expect(visit.shown).to_have_count(10)
    visit.until(lambda: visit.drawn("val/loss") != "")
    swatch = visit.row(BEST).get_by_role("switch")
    colours = {
        name: visit.row(name).locator("[role=switch] i").get_attribute("style") for name in (BEST, "nesterov-lr0.1-s1")
    }
    before = visit.drawn("val/loss")
    swatch.click()
    expect(swatch).not_to_be_checked()
    expect(visit.page.locator(".charts-footer")).to_contain_text("9 lines")
    visit.until(lambda: visit.drawn("val/loss") != before)
    assert (
        visit.row("nesterov-lr0.1-s1").locator("[role=switch] i").get_attribute("style") == colours["nesterov-lr0.1-s1"]
    )
    swatch.click()
    expect(visit.page.locator(".charts-footer")).to_contain_text("10 lines")
    assert visit.row(BEST).locator("[role=switch] i").get_attribute("style") == colours[BEST]


def test_spark_lines_are_there_for_pinned_and_plain_runs(site: Site, begin: Begin) -> None:
    visit = begin().open(f"/e/{site.digits}/table?b={site.runs[BEST]}")
    expect(visit.page.locator(".grid-row:not(.is-head) .grid-spark path")).to_have_count(27)

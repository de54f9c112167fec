"""The URL is the view: a link shows what its sender sees; undo, redo, back and forward lose nothing."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site

VIEW = (
    "?q=params.optimiser != 'sgd'&g=params.optimiser&s=-metrics.val/accuracy.max"
    "&c=metrics.val/accuracy.max,params.lr&b={best}&z=500:2000&sm=mean:0.4&log=0&band=1&size=l&hide=epoch&scale=val/loss:log"
)


def test_a_link_shows_the_same_to_somebody_else(site: Site, begin: Begin) -> None:
    mine = begin(theme="dark").open(f"/e/{site.digits}{VIEW.format(best=site.runs['adam-lr0.01-s0'])}")
    expect(mine.shown).to_have_count(10)
    mine.filter_runs("params.optimiser = 'adam'")
    mine.until(lambda: mine.query()["q"] == "params.optimiser = 'adam'")
    mine.row("adam-lr0.01-s1").get_by_role("switch").click()
    mine.until(lambda: "v" in mine.query() and mine.drawn("val/loss") != "")
    theirs = begin(theme="dark")
    theirs.page.goto(mine.page.url)
    expect(theirs.shown).to_have_count(mine.shown.count())
    expect(theirs.row("adam-lr0.01-s1").get_by_role("switch")).not_to_be_checked()
    expect(theirs.page.get_by_role("combobox", name="Filter runs")).to_have_value("params.optimiser = 'adam'")
    expect(theirs.page.get_by_role("combobox", name="Kind of smoothing")).to_have_value("mean")
    expect(theirs.page.locator(".grid-row.is-group")).to_have_count(1)
    expect(theirs.page.locator(".is-head .grid-cell")).to_have_count(2)
    expect(theirs.panel("epoch")).to_have_count(0)
    theirs.until(lambda: theirs.drawn("val/loss") == mine.drawn("val/loss"))
    assert theirs.page.url == mine.page.url


def test_undo_and_redo_go_through_the_changes_of_the_view(site: Site, begin: Begin) -> None:
    visit = begin().open(f"/e/{site.digits}")
    expect(visit.shown).to_have_count(10)
    visit.filter_runs("params.optimiser = 'adam'")
    expect(visit.rows).to_have_count(7)
    visit.page.get_by_role("columnheader", name="loss min").get_by_role("button").click()
    visit.page.wait_for_url(re.compile("s=metrics"))
    visit.page.get_by_role("button", name="Min–max").click()
    visit.page.wait_for_url(re.compile("band=1"))
    for expected in ({"q", "s"}, {"q"}, set()):
        visit.page.keyboard.press("u")
        visit.until(lambda expected=expected: visit.query().keys() == expected)
    expect(visit.rows).to_have_count(26)
    for expected in ({"q"}, {"q", "s"}, {"q", "s", "band"}):
        visit.page.keyboard.press("Shift+U")
        visit.until(lambda expected=expected: visit.query().keys() == expected)
    expect(visit.rows).to_have_count(7)


def test_back_and_forward_go_from_page_to_page_and_keep_the_view(site: Site, begin: Begin) -> None:
    visit = begin().open("/")
    visit.page.get_by_role("link", name="digits").click()
    expect(visit.shown).to_have_count(10)
    visit.filter_runs("params.optimiser = 'adam'")
    expect(visit.rows).to_have_count(7)
    visit.page.get_by_role("link", name="Table").click()
    expect(visit.page).to_have_url(re.compile("/table.*q="))
    expect(visit.rows).to_have_count(7)
    visit.row("adam-lr0.01-s0").get_by_role("link").click()
    expect(visit.page.get_by_role("heading", name="adam-lr0.01-s0", exact=True, level=2)).to_be_visible()
    for sign in ("/table.*q=", rf"/e/{site.digits}\?q=", rf"^{re.escape(site.base_url)}/$"):
        visit.page.go_back()
        expect(visit.page).to_have_url(re.compile(sign))
    visit.page.go_forward()
    expect(visit.rows).to_have_count(7)


def test_keys_and_addresses_open_every_tab(site: Site, begin: Begin) -> None:
    visit = begin().open(f"/e/{site.digits}?q=params.optimiser = 'adam'")
    expect(visit.rows).to_have_count(7)
    for number, tab in enumerate(("Charts", "Table", "Compare", "Sweep", "Artifacts", "Media", "Notes"), start=1):
        visit.page.keyboard.press(str(number))
        expect(visit.page.get_by_role("link", name=tab)).to_have_attribute("aria-current", "page")
        assert visit.query()["q"] == "params.optimiser = 'adam'"


def test_what_does_not_exist_is_said(site: Site, begin: Begin) -> None:
    visit = begin()
    visit.expect_console("status of 404")
    for path, back in (
        (f"/e/{'0' * 32}", "All experiments"),
        (f"/r/{'0' * 32}", "All experiments"),
        ("/models/none", "All models"),
    ):
        visit.open(path)
        said = visit.page.get_by_role("alert")
        expect(said).to_contain_text("cannot be shown")
        expect(said.get_by_role("button", name="Try again")).to_have_count(0)  # it would be the same again
        said.get_by_role("link", name=back).click()
        expect(said).to_have_count(0)
    visit.open("/nowhere/at/all")
    expect(visit.page.get_by_text("There is no such page")).to_be_visible()


@pytest.mark.parametrize("tab", ["", "/table", "/sweep"])
def test_a_refused_filter_in_an_address_is_asked_once(site: Site, begin: Begin, tab: str) -> None:
    visit = begin()
    visit.expect_console("status of 400")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url) if "absurd" in request.url else None)
    visit.open(f"/e/{site.digits}{tab}?q=absurd = = 1")
    expect(visit.page.get_by_role("alert").first).to_be_visible()
    expect(visit.rows.first).to_be_visible()
    visit.settle()
    assert len([url for url in asked if "/api/" in url]) == 1, asked

"""Named views: saved, opened, changed, renamed and removed by keyboard, and there for everybody."""

import httpx
import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site

QUERY = "params.optimiser = 'adam'"


@pytest.fixture
def no_views(site: Site, site_api: httpx.Client) -> None:
    path = f"/experiments/{site.digits}/views"
    for view in site_api.get(path).json()["views"]:
        site_api.delete(f"{path}/{view['id']}").raise_for_status()


def test_a_view_is_kept_by_keyboard_and_opens_for_somebody_else(site: Site, begin: Begin, no_views: None) -> None:
    visit = begin().open(f"/e/{site.digits}?q={QUERY}&log=0")
    expect(visit.rows).to_have_count(7)
    press = visit.page.keyboard.press
    press("v")
    expect(visit.page.get_by_role("textbox", name="Name of a new view")).to_be_focused()
    assert visit.accessibility_problems() == []
    visit.page.keyboard.type("Adam alone")
    press("Enter")
    expect(visit.page.get_by_role("button", name="View Adam alone: saved views")).to_be_focused()

    press("e")
    button = visit.page.get_by_role("button", name="View Adam alone, changed: saved views")
    expect(button).to_be_visible()
    press("v")
    expect(visit.page.locator(".view-open")).to_be_focused()
    visit.picture("saved-views")
    assert visit.accessibility_problems() == []
    press("ArrowDown")
    press("Enter")
    expect(visit.page.get_by_role("button", name="View Adam alone: saved views")).to_be_visible()

    other = begin(theme="dark").open(f"/e/{site.digits}/compare")
    expect(other.rows).to_have_count(26)
    other.page.keyboard.press("v")
    other.page.locator(".view-open").press("Enter")
    expect(other.rows).to_have_count(7)
    shown = other.query()
    assert (shown["q"], shown["log"], shown["band"]) == (QUERY, "0", "1")
    expect(other.page.locator(".tabs [aria-current=page]")).to_contain_text("Charts")
    other.page.keyboard.press("u")
    expect(other.rows).to_have_count(26)


def test_a_view_is_renamed_and_removed_and_brought_back(
    site: Site, begin: Begin, site_api: httpx.Client, no_views: None
) -> None:
    path = f"/experiments/{site.digits}/views"
    for name in ("one", "two"):
        site_api.post(path, json={"name": name, "state": f"q={QUERY}&tab=sweep"}).raise_for_status()
    visit = begin().open(f"/e/{site.digits}")
    expect(visit.rows).to_have_count(26)
    press = visit.page.keyboard.press
    press("v")
    rows = visit.page.locator(".view-open")
    expect(rows).to_have_count(2)
    expect(rows.first).to_be_focused()
    press("F2")
    visit.expect_console("status of 400")
    visit.page.keyboard.type("two")
    press("Enter")
    expect(visit.page.get_by_role("alert")).to_contain_text("is called 'two' already")
    press("Escape")
    rows.first.press("F2")
    visit.page.keyboard.type("three <b>")
    press("Enter")
    expect(visit.page.locator(".view-open .menu-label")).to_have_text(["three <b>", "two"])
    rows.first.press("Delete")
    expect(rows).to_have_count(1)
    expect(rows).to_be_focused()
    visit.page.get_by_role("button", name="Undo").click()
    press("v")
    expect(rows).to_have_count(2)
    rows.first.press("Enter")
    expect(visit.page.get_by_role("button", name="View three <b>: saved views")).to_be_visible()
    expect(visit.page.locator(".tabs [aria-current=page]")).to_contain_text("Sweep")

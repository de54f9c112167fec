"""Every page in both themes: it shows what it is for, and axe, the console and the network have nothing to say."""

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import LARGE_TENANT, Site
from tests.support.browser import Visit
from tests.support.large_project import Project

PAGES = {
    "home": ("/", "text=Handwritten digits"),
    "first-run": ("/?tenant=newcomer", "text=No runs here yet"),
    "charts": ("/e/{digits}", "article.panel[data-metric='val/loss'] canvas"),
    "charts-log-band": ("/e/{digits}?band=1&x=time&sm=gaussian:0.5", "article.panel[data-metric='val/loss'] canvas"),
    "charts-groups": ("/e/{digits}?g=params.optimiser&gl=1", "article.panel[data-metric='val/loss'] canvas"),
    "table": ("/e/{digits}/table?g=params.optimiser&s=-metrics.val/accuracy.max&b={best}", ".grid-row.is-group"),
    "query-error": ("/e/{digits}?q=status = = 'failed'", ".query-error"),
    "nothing-found": ("/e/{digits}?q=params.lr > 1000", "text=No run matches this filter"),
    "compare": ("/e/{digits}/compare?b={best}", "text=Only differences"),
    "sweep": ("/e/{digits}/sweep", "text=What goes with val/accuracy"),
    "artifact-image": ("/e/{digits}/artifacts?ar={best}&af=plots/confusion_matrix.png", "img.artifact-image"),
    "notes": ("/e/{digits}/notes", "text=No notes yet"),
    "run": ("/r/{best}", "text=hidden_units"),
    "run-charts": ("/r/{best}/charts", "article.panel[data-metric='val/loss'] canvas"),
    "run-artifacts": ("/r/{best}/artifacts", "text=Choose a file"),
    "run-notes": ("/r/{best}/notes", "text=No notes yet"),
    "settings": ("/settings", "text=openapi.json"),
}
LARGE_PAGES = {
    "large-charts": ("/e/{large}?tenant=" + LARGE_TENANT, "article.panel[data-metric='val/loss'] canvas"),
    "large-table": ("/e/{large}/table?tenant=" + LARGE_TENANT, ".grid-rows .grid-row"),
}
# Pages on which nothing comes late above anything else; what counts as good is twice this.
STEADY = {"home", "settings", "run"}
MOST_MOVED = 0.05


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, site: Site, visit: Visit) -> None:
    path, sign = PAGES[name]
    if name == "query-error":
        visit.expect_console("status of 400")  # the browser's own line for a refused filter
    look_at(visit, name, path.format(digits=site.digits, best=site.runs["adam-lr0.01-s0"]), sign)


@pytest.mark.nightly
@pytest.mark.parametrize("name", LARGE_PAGES)
def test_page_of_a_large_project(name: str, large: Project, visit: Visit) -> None:
    path, sign = LARGE_PAGES[name]
    look_at(visit, name, path.format(large=large.experiment_id), sign)


def look_at(visit: Visit, name: str, path: str, sign: str) -> None:
    visit.open(path)
    expect(visit.page.locator(sign).first).to_be_visible()
    visit.settle()
    visit.picture(name)
    assert name not in STEADY or visit.moved() < MOST_MOVED
    assert visit.accessibility_problems() == []
    expect(visit.page).to_have_title(re.compile("Gnomon"))

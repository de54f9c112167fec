"""The other tabs of an experiment, the page of a run, and the settings."""

import io
import re
from collections.abc import Iterator

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect
from tests.e2e.conftest import Begin, Site
from tests.support.browser import Visit

# Minutes of a real browser: `make e2e` and `make nightly` run it, `make test` opens every page.
pytestmark = pytest.mark.nightly

BEST = "adam-lr0.01-s0"


def test_compare_shows_what_differs_and_marks_the_best(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}/compare?b={site.runs[BEST]}")
    table = visit.page.get_by_role("region", name="Comparison")
    expect(table.get_by_role("rowheader", name="lr", exact=True)).to_be_visible()
    expect(table.get_by_role("rowheader", name="batch_size")).to_have_count(0)
    expect(table.locator(".is-best").first).to_be_visible()
    loss = table.get_by_role("row", name=re.compile("^val.loss"))
    best = float(loss.locator(".is-best").first.evaluate("(cell) => cell.title"))
    others = [float(text) for text in loss.locator("td").evaluate_all("(cells) => cells.map((cell) => cell.title)")]
    assert best == min(value for value in others if value == value)
    visit.page.get_by_role("button", name="Only differences").click()
    expect(table.get_by_role("rowheader", name="batch_size")).to_be_visible()
    visit.page.get_by_role("searchbox", name="Search keys").fill("weight")
    expect(table.get_by_role("rowheader", name="lr", exact=True)).to_have_count(0)
    expect(table.get_by_role("rowheader", name="weight_decay")).to_be_visible()


def test_sweep_marks_runs_and_shows_them_on_the_charts(site: Site, visit: Visit) -> None:
    visit.open(f"/e/{site.digits}/sweep")
    expect(visit.page.locator(".sweep-figures")).to_contain_text("26 of 26 runs have val/accuracy")
    association = visit.page.get_by_role("region", name="Association of parameters")
    expect(association.get_by_role("row")).to_have_count(6)
    axis = visit.page.get_by_role("slider", name="val/accuracy, marked stretch")
    axis.focus()
    visit.page.keyboard.press("ArrowUp")
    expect(visit.page.locator(".brush-bar")).to_contain_text(re.compile(r"\d+ of 26 runs"))
    visit.picture("sweep-brushed")
    assert visit.accessibility_problems() == []
    visit.page.get_by_role("button", name="Show on charts").click()
    chosen = int(visit.page.locator(".brush-bar b").inner_text().split()[0])
    expect(visit.shown).to_have_count(chosen)
    visit.page.get_by_role("combobox", name="Judge runs by").select_option("train/loss")
    expect(visit.page.locator(".sweep-figures")).to_contain_text("have train/loss")


def parquet() -> bytes:
    """2,000 rows in two groups, packed with zstd."""
    table = pa.table(
        {
            "name": [f"<i>{i}</i>" for i in range(2_000)],
            "score": [i / 7 for i in range(2_000)],
            "at": pa.array(range(2_000), pa.timestamp("ms")),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=1_000)
    return sink.getvalue()


@pytest.fixture
def pages_run(site_api: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A run with one file of each kind, in an experiment of its own."""
    experiment = site_api.post("/experiments", json={"name": f"files of {request.node.name}"}).json()["id"]
    run = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "with files"}).json()["id"]
    files = {
        "report.html": b"<h1 id='owned'>hello</h1><script>window.owned = 1; alert(1)</script>",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>alert(2)</script>"
        b"<rect width='9' height='9' fill='red'/></svg>",
        "notes.md": b"# Title\n\n<img src=x onerror=alert(3)> [click](javascript:alert(4))",
        "table.csv": b'name,loss\nadam,0.25\n"<b>x</b>",3\n',
        "rows.parquet": parquet(),
        "config.json": b'{"lr": 0.1}',
        "log.txt": b"step 1\nstep 2\n",
        "model.pkl": b"\x80\x04.",
    }
    for name, content in files.items():
        site_api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (name, content)}).raise_for_status()
    yield run
    site_api.delete(f"/experiments/{experiment}").raise_for_status()


def test_the_confusion_matrix_is_shown_as_an_image(site: Site, visit: Visit) -> None:
    visit.open(f"/r/{site.runs[BEST]}/artifacts")
    visit.page.get_by_role("button", name="plots").click()
    visit.page.get_by_role("button", name="plots").click()
    visit.page.get_by_role("button", name=re.compile("confusion_matrix.png")).click()
    image = visit.page.get_by_role("img", name="plots/confusion_matrix.png")
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.naturalWidth") > 100
    with visit.page.expect_download() as found:
        visit.page.get_by_role("button", name="Download").click()
    assert found.value.suggested_filename == "confusion_matrix.png"


def test_files_of_each_kind_are_read_and_none_is_run(begin: Begin, pages_run: str) -> None:
    visit = begin(theme="dark").open(f"/r/{pages_run}/artifacts")
    preview = visit.page.locator(".artifact-body")

    def choose(name: str) -> None:
        visit.page.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).click()
        expect(visit.page.get_by_role("heading", name=name)).to_be_visible()

    choose("log.txt")
    expect(preview).to_have_text("step 1\nstep 2")
    choose("config.json")
    expect(preview).to_contain_text('{ "lr": 0.1 }')
    choose("table.csv")
    expect(preview.get_by_role("columnheader")).to_have_text(["name", "loss"])
    expect(preview.get_by_role("cell", name="<b>x</b>")).to_be_visible()
    choose("rows.parquet")
    expect(preview.get_by_role("columnheader")).to_have_text(["name", "score", "at"])
    expect(preview).to_contain_text("2,000 rows, 3 columns; the first 500 are shown")
    expect(preview.get_by_role("row").nth(2)).to_contain_text("<i>1</i>")
    choose("notes.md")
    expect(preview.get_by_role("heading", name="Title")).to_be_visible()
    expect(preview).to_contain_text("<img src=x onerror=alert(3)>")
    assert preview.locator("img, a[href^='javascript']").count() == 0
    choose("report.html")
    expect(preview).to_contain_text("<script>window.owned = 1; alert(1)</script>")
    assert preview.locator("iframe, h1, script").count() == 0
    choose("drawing.svg")
    expect(preview.get_by_role("img")).to_be_visible()
    choose("model.pkl")
    expect(preview).to_contain_text("A pickle is a program")
    assert visit.page.evaluate("window.owned") is None


def test_notes_are_kept(begin: Begin, site_api: httpx.Client, pages_run: str) -> None:
    visit = begin().open(f"/r/{pages_run}/notes")
    visit.page.get_by_role("button", name="Write notes").click()
    visit.page.get_by_role("textbox", name="Notes in Markdown").fill(
        "## Found\n\n- **lr** matters\n\n<script>alert(1)</script>"
    )
    expect(visit.page.get_by_role("region", name="Preview").get_by_role("heading", name="Found")).to_be_visible()
    assert visit.accessibility_problems() == []
    visit.page.get_by_role("button", name="Save").click()
    expect(visit.page.get_by_role("button", name="Edit")).to_be_visible()
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Found")).to_be_visible()
    expect(visit.page.locator("strong", has_text="lr")).to_be_visible()
    expect(visit.page.locator(".markdown")).to_contain_text("<script>alert(1)</script>")


def test_the_page_of_a_run_tells_what_it_is(site: Site, visit: Visit) -> None:
    visit.open(f"/r/{site.runs['sgd-lr30-s0']}")
    page = visit.page
    expect(page.get_by_role("heading", name="sgd-lr30-s0", exact=True, level=2)).to_be_visible()
    expect(page.locator(".run-facts")).to_contain_text("failed")
    expect(page.locator(".run-facts")).to_contain_text(site.runs["sgd-lr30-s0"])
    metrics = page.get_by_role("row", name=re.compile("^val.loss"))
    expect(metrics).to_contain_text("NaN")
    page.get_by_role("searchbox", name="Search everything below").fill("hidden")
    expect(page.get_by_text("hidden_units")).to_be_visible()
    expect(page.get_by_text("weight_decay")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Charts").click()
    expect(visit.panel("val/loss").locator("canvas").first).to_be_visible()
    page.get_by_role("link", name="digits").click()
    expect(page).to_have_url(f"{site.base_url}/e/{site.digits}")


def test_settings_are_kept_in_the_browser(site: Site, begin: Begin) -> None:
    visit = begin().open("/settings")
    visit.page.get_by_role("radio", name="Dark").click()
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "dark")
    visit.page.get_by_role("radio", name="Six hues and dashes").click()
    visit.page.get_by_role("radio", name="Comfortable").click()
    visit.page.reload()
    for choice in ("Dark", "Six hues and dashes", "Comfortable"):
        expect(visit.page.get_by_role("radio", name=choice)).to_be_checked()
    expect(visit.page.locator(".about")).to_contain_text(site.base_url)
    visit.open(f"/e/{site.digits}")
    expect(visit.rows.first).to_have_css("height", "32px")
    visit.page.keyboard.press("d")
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "light")

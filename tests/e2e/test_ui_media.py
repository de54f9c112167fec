"""Pictures, tables, distributions, texts and sound of several runs side by side: by key, step by step."""

import io
import json
import wave

import httpx
from PIL import Image
from playwright.sync_api import Locator, expect
from tests.e2e.conftest import Begin

# The number of a step is in its colour, so that a picture tells which one it is.
STEPS = {"one": (0, 100, 1_000), "two": (0, 150)}


def _png(shade: int) -> bytes:
    """A few pixels of one grey."""
    content = io.BytesIO()
    Image.new("L", (8, 8), shade).save(content, "png")
    return content.getvalue()


def _shade(picture: Locator) -> int:
    return int(
        picture.evaluate("""async (img) => {
            await img.decode();
            const pen = new OffscreenCanvas(8, 8).getContext("2d");
            pen.drawImage(img, 0, 0, 8, 8);
            return pen.getImageData(0, 0, 8, 8).data[0];
        }""")
    )


def _run(api: httpx.Client, experiment: str, name: str) -> None:
    run = (
        api.post("/experiments/runs", json={"experiment_id": experiment, "name": name}).raise_for_status().json()["id"]
    )
    at = f"/experiments/runs/{run}/log-artifact"
    for number, step in enumerate(STEPS[name]):
        to = {"artifact_path": "media/images/val/samples"}
        api.post(at, params=to, files={"file": (f"{step}.png", _png(50 + number))}).raise_for_status()
        api.post(at, params=to, files={"file": (f"{step}_1.png", _png(150 + number))}).raise_for_status()
    caption = ("0.json", b'{"caption": "<b>first</b>"}')
    api.post(at, params={"artifact_path": "media/images/val/samples"}, files={"file": caption}).raise_for_status()
    figure = ("7.png", _png(99))
    api.post(at, params={"artifact_path": "media/figures/roc"}, files={"file": figure}).raise_for_status()
    api.post(f"/experiments/runs/{run}/end", json={}).raise_for_status()


def test_pictures_stand_side_by_side_step_by_step(site_api: httpx.Client, begin: Begin) -> None:
    experiment = site_api.post("/experiments", json={"name": "with pictures"}).raise_for_status().json()["id"]
    for name in STEPS:
        _run(site_api, experiment, name)
    try:
        visit = begin().open(f"/e/{experiment}/media")
        key = visit.page.get_by_role("combobox", name="Key")
        expect(key.get_by_role("option")).to_have_text(["figures/roc", "images/val/samples"])
        key.select_option("images/val/samples")
        runs = {name: visit.page.get_by_role("region", name=name, exact=True) for name in STEPS}
        for run in runs.values():
            expect(run.get_by_role("img")).to_have_count(2)
        visit.until(lambda: _shade(runs["one"].get_by_role("img").first) == 52)
        # The last step is 1,000; the other run's last one before is said.
        expect(runs["two"]).to_contain_text("step 150")
        visit.until(lambda: _shade(runs["two"].get_by_role("img").last) == 151)
        visit.page.get_by_role("slider", name="Step").focus()
        visit.page.keyboard.press("ArrowLeft")
        visit.page.keyboard.press("ArrowLeft")
        expect(visit.page.locator("output")).to_have_text("100")
        visit.until(lambda: _shade(runs["one"].get_by_role("img").first) == 51)
        assert (visit.query()["mk"], visit.query()["ms"]) == ("images/val/samples", "100")
        visit.page.keyboard.press("Home")
        expect(runs["one"].get_by_role("figure").first).to_contain_text("<b>first</b>")
        for theme in ("light", "dark"):
            seen = begin(theme=theme).open(visit.page.url.removeprefix(visit.base_url))
            expect(seen.page.get_by_role("img")).to_have_count(4)
            assert seen.accessibility_problems() == []
            seen.picture("media")
    finally:
        site_api.delete(f"/experiments/{experiment}").raise_for_status()


def _wav() -> bytes:
    """A tenth of a second of silence."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setparams((1, 2, 8_000, 0, "NONE", ""))
        sound.writeframes(bytes(1_600))
    return content.getvalue()


def _histogram(middle: float) -> bytes:
    edges = [middle - 1, middle, middle + 1]
    return json.dumps({"edges": edges, "counts": [3, 5], "total": 9, "nonfinite": 1, "mean": middle}).encode()


def _file(api: httpx.Client, run: str, path: str, data: bytes) -> None:
    folder, _, name = path.rpartition("/")
    to = {"artifact_path": folder}
    api.post(f"/experiments/runs/{run}/log-artifact", params=to, files={"file": (name, data)}).raise_for_status()


TABLE = {
    "columns": [{"name": "label", "type": "string"}, {"name": "score", "type": "double"}],
    "rows": [["<i>cat</i>", 0.912345678912], ["dog", "NaN"]],
    "total": 2_000,
    "is_whole": False,
}


# As plotly's own JSON, with what it would fetch or run if it were taken as more than numbers and words.
FIGURE = {
    "data": [
        {"type": "scatter", "mode": "lines", "name": "<img src=https://example.org/a.png>shown", "y": [3, 1, 2]},
        {
            "type": "bar",
            "name": "bars",
            "x": [0, 1, 2],
            "y": {"dtype": "f8", "bdata": "AAAAAAAA8D8AAAAAAAAAQAAAAAAAAAhA"},
        },
        {"type": "pie", "values": [1, 2]},
    ],
    "layout": {
        "title": {"text": "Loss<br><script>alert(1)</script>"},
        "images": [{"source": "https://example.org/b.png"}],
    },
}


def test_figures_of_plotly_are_drawn_from_their_numbers(site_api: httpx.Client, begin: Begin) -> None:
    experiment = site_api.post("/experiments", json={"name": "with figures"}).raise_for_status().json()["id"]
    made = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "drawn"})
    run = made.raise_for_status().json()["id"]
    _file(site_api, run, "media/figures/curve/0.plotly.json", json.dumps(FIGURE).encode())
    _file(site_api, run, "media/figures/broken/0.plotly.json", b"{")
    try:
        for theme in ("light", "dark"):
            visit = begin(theme=theme).open(f"/e/{experiment}/media?mk=figures/curve")
            figure = visit.page.locator(".figure")
            expect(figure.get_by_role("img", name="Figure, shown, bars")).to_be_visible()
            expect(figure).to_contain_text("Loss alert(1)")
            expect(figure).to_contain_text("A trace of the kind “pie” is not drawn.")
            expect(figure.locator("rect")).to_have_count(3)
            assert visit.accessibility_problems() == []
            visit.picture("media-figure")
        visit.open(f"/r/{run}/artifacts?af=media/figures/curve/0.plotly.json")
        expect(visit.page.locator(".artifact-preview .figure rect")).to_have_count(3)
        visit.open(f"/e/{experiment}/media?mk=figures/broken")
        expect(visit.page.get_by_text("no figure of plotly that can be read")).to_be_visible()
    finally:
        site_api.delete(f"/experiments/{experiment}").raise_for_status()


def test_distributions_of_several_runs_share_one_range(site_api: httpx.Client, begin: Begin) -> None:
    experiment = site_api.post("/experiments", json={"name": "with distributions"}).raise_for_status().json()["id"]
    for name, middle in (("low", 1.0), ("high", 9.0)):
        body = {"experiment_id": experiment, "name": name}
        run = site_api.post("/experiments/runs", json=body).raise_for_status().json()["id"]
        _file(site_api, run, "media/histograms/weights/0.json", _histogram(middle))
    try:
        visit = begin().open(f"/e/{experiment}/media")
        for name in ("low", "high"):
            card = visit.page.get_by_role("region", name=name, exact=True)
            expect(card.locator(".media-ends")).to_have_text("010")
    finally:
        site_api.delete(f"/experiments/{experiment}").raise_for_status()


def test_tables_distributions_texts_and_sound_have_a_view_each(site_api: httpx.Client, begin: Begin) -> None:
    experiment = site_api.post("/experiments", json={"name": "with media"}).raise_for_status().json()["id"]
    made = site_api.post("/experiments/runs", json={"experiment_id": experiment, "name": "all kinds"})
    run = made.raise_for_status().json()["id"]
    for step in (0, 50, 100):
        _file(site_api, run, f"media/histograms/weights/{step}.json", _histogram(step / 50))
    _file(site_api, run, "media/tables/errors/0.json", json.dumps(TABLE).encode())
    _file(site_api, run, "media/text/sample/0.txt", b"<script>alert(1)</script> is text")
    _file(site_api, run, "audio/speech/0.wav", _wav())
    try:
        for theme in ("light", "dark"):
            visit = begin(theme=theme).open(f"/e/{experiment}/media")
            key = visit.page.get_by_role("combobox", name="Key")
            card = visit.page.get_by_role("region", name="all kinds", exact=True)
            expect(key.get_by_role("option")).to_have_count(4)
            key.select_option("histograms/weights")
            expect(card).to_contain_text("9 values, mean 2, 1 not finite")
            expect(card.get_by_role("img", name="Distribution over 3 steps")).to_be_visible()
            visit.page.get_by_role("slider", name="Step").press("Home")
            expect(card).to_contain_text("mean 0")
            assert visit.accessibility_problems() == []
            visit.picture("media-histogram")
            key.select_option("tables/errors")
            expect(card.get_by_role("cell")).to_have_text(["<i>cat</i>", "0.9123", "dog", "NaN"])
            expect(card).to_contain_text("2,000 rows; the first 2 are shown")
            assert visit.accessibility_problems() == []
            key.select_option("text/sample")
            expect(card.locator("pre")).to_have_text("<script>alert(1)</script> is text")
            key.select_option("audio/speech")
            visit.until(lambda card=card: card.locator("audio").evaluate("sound => sound.readyState >= 1"))
            assert visit.accessibility_problems() == []
    finally:
        site_api.delete(f"/experiments/{experiment}").raise_for_status()

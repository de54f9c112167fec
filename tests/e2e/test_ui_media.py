"""Pictures of several runs side by side: by key, step by step."""

import io

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

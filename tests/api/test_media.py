"""Pictures, figures, tables, distributions and texts of a run arrive as docs/formats/media.md says."""

import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.media import clean_path, media_path
from gnomon.media.histograms import histogram
from gnomon.media.pictures import as_pixels, png

mpl.use("agg")


@pytest.fixture
def run(server: ServerProcess, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[gnomon.Run]:
    """A run whose mistakes are raised."""
    monkeypatch.setenv("GNOMON_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("GNOMON_STRICT", "1")
    monkeypatch.setenv("GNOMON_EXIT_TIMEOUT", "60")
    monkeypatch.setenv("GNOMON_CAPTURE", "none")
    made = gnomon.init("fraud", url=server.base_url, tenant=tenant)
    yield made
    made.finish()


def content(api: httpx.Client, run: gnomon.Run, path: str) -> bytes:
    assert run.flush(60)
    answer = api.get(f"/experiments/runs/{run.id}/artifacts/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


def pixels(data: bytes) -> list[object]:
    return np.asarray(Image.open(io.BytesIO(data))).tolist()


def test_pictures_stand_at_the_step_that_was_logged_last(api: httpx.Client, run: gnomon.Run) -> None:
    array = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
    run.log({"loss": 1.0}, step=7)
    run.log_image("val/sample", array)
    run.log_image("val/sample", Image.fromarray(array), step=10.5)
    run.log_image("val/sample", [array / 255.0, np.moveaxis(array, 2, 0)], step=8, caption=["first", "second"])
    assert pixels(content(api, run, "media/images/val/sample/7.png")) == array.tolist()
    assert pixels(content(api, run, "media/images/val/sample/10.5.png")) == array.tolist()
    assert pixels(content(api, run, "media/images/val/sample/8.png")) == array.tolist()
    assert pixels(content(api, run, "media/images/val/sample/8_1.png")) == array.tolist()
    assert json.loads(content(api, run, "media/images/val/sample/8_1.json")) == {"caption": "second"}


def test_a_picture_that_is_a_file_already_is_kept_byte_for_byte(
    api: httpx.Client, run: gnomon.Run, tmp_path: Path
) -> None:
    file = tmp_path / "photo.jpeg"
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(file, format="JPEG")
    run.log_image("photo", file)
    run.log_image("photo", file.read_bytes(), step=1)
    assert content(api, run, "media/images/photo/0.jpg") == file.read_bytes()
    assert content(api, run, "media/images/photo/1.jpg") == file.read_bytes()


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (5, 3, 1), (5, 3, 2), (4, 5, 4), (1, 6, 7, 3)])
def test_our_png_is_one_that_others_read(shape: tuple[int, ...]) -> None:
    wanted = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png(as_pixels(wanted)))))
    assert read.tobytes() == wanted.tobytes()


def test_floats_and_truth_values_become_bytes() -> None:
    mask = np.array([[True, False]])
    assert as_pixels(mask)[:, :, 0].tolist() == [[255, 0]]
    assert as_pixels(np.array([[0.0, 0.5, 1.0, np.nan, -1.0]]))[:, :, 0].tolist() == [[0, 128, 255, 0, 0]]
    assert as_pixels(np.array([[0.0, 128.0, 300.0]]))[:, :, 0].tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("image", [np.zeros(5), np.zeros((2, 2, 7)), np.zeros((0, 2)), b"no picture", object()])
def test_what_is_no_picture_is_refused(run: gnomon.Run, image: object) -> None:
    with pytest.raises((gnomon.GnomonError, TypeError)):
        run.log_image("a", image)


def test_figures_are_drawn_at_the_call(api: httpx.Client, run: gnomon.Run) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2, 3])
    run.log_figure("roc", figure, step=3)
    run.log_figure("roc", axes, step=4)
    first = content(api, run, "media/figures/roc/3.png")
    assert Image.open(io.BytesIO(first)).size > (100, 100)
    assert content(api, run, "media/figures/roc/4.png") == first


class Plotly:
    """What a figure of plotly offers."""

    def to_plotly_json(self) -> dict[str, object]:
        return {"data": [], "layout": {}}

    def to_json(self) -> str:
        return json.dumps(self.to_plotly_json())


def test_a_plotly_figure_is_kept_as_its_own_json(api: httpx.Client, run: gnomon.Run) -> None:
    run.log_figure("surface", Plotly())
    assert json.loads(content(api, run, "media/figures/surface/0.plotly.json")) == {"data": [], "layout": {}}


ROWS = {"label": ["cat", "dog", None], "score": [0.5, float("nan"), 1.0], "n": [1, 2, 3]}


@pytest.mark.parametrize("table", [pd.DataFrame(ROWS), pl.DataFrame(ROWS), pa.table(ROWS)], ids=["pandas", "pl", "pa"])
def test_a_frame_is_kept_whole_and_its_view_can_be_shown(api: httpx.Client, run: gnomon.Run, table: object) -> None:
    run.log_table("predictions", table, step=2)
    view = json.loads(content(api, run, "media/tables/predictions/2.json"))
    assert [column["name"] for column in view["columns"]] == ["label", "score", "n"]
    assert (view["rows"][0], view["rows"][2], view["total"], view["is_whole"]) == (
        ["cat", 0.5, 1],
        [None, 1.0, 3],
        3,
        True,
    )
    kept = pq.read_table(io.BytesIO(content(api, run, "media/tables/predictions/2.parquet")))
    assert kept.column("n").to_pylist() == [1, 2, 3]


def test_plain_rows_need_no_library_and_the_view_is_cut(api: httpx.Client, run: gnomon.Run) -> None:
    run.log_table("rows", [{"a": 1, "b": float("inf")}, {"a": "x" * 3000, "c": [1]}])
    run.log_table("long", {"i": range(2500)})
    view = json.loads(content(api, run, "media/tables/rows/0.json"))
    assert view["rows"] == [[1, "Infinity", None], ["x" * 2000, None, "[1]"]]
    assert [column["type"] for column in view["columns"]] == ["mixed", "float", "list"]
    long = json.loads(content(api, run, "media/tables/long/0.json"))
    assert (len(long["rows"]), long["total"], long["is_whole"]) == (1000, 2500, False)
    assert content(api, run, "media/tables/long/0.csv").split() == [b"i", *(str(i).encode() for i in range(2500))]


@pytest.mark.parametrize("table", [{"a": [1], "b": []}, {"a": 1}, [1, 2], "text", {str(i): [1] for i in range(1001)}])
def test_what_is_no_table_is_refused(run: gnomon.Run, table: object) -> None:
    with pytest.raises(gnomon.GnomonError):
        run.log_table("t", table)


def test_distributions_count_every_value(api: httpx.Client, run: gnomon.Run) -> None:
    run.log_histogram("grad/w", np.array([[0.0, 1.0], [2.0, np.nan]]), step=5, bins=2)
    run.log_histogram("counted", (np.array([3, 5]), np.array([-1.0, 0.0, 1.0])))
    assert json.loads(content(api, run, "media/histograms/grad/w/5.json")) == {
        "edges": [0.0, 1.0, 2.0],
        "counts": [1, 2],
        "total": 4,
        "nonfinite": 1,
        "min": 0.0,
        "max": 2.0,
        "mean": 1.0,
    }
    assert json.loads(content(api, run, "media/histograms/counted/0.json"))["counts"] == [3, 5]
    assert histogram([float("nan")]).counts == []
    with pytest.raises(gnomon.GnomonError):
        histogram(([1, 2], [0.0, 1.0]))


def test_texts_and_dicts_are_files_and_large_contents_arrive_too(api: httpx.Client, run: gnomon.Run) -> None:
    run.log_text("notes/read me.txt", "héllo")
    run.log_text("samples", "a cat", step=100)
    run.log_dict("config.json", {"lr": 0.1, "path": Path("x")})
    noise = zlib.compress(np.random.default_rng(2).bytes(3_000_000)).hex()
    run.log_text("large.txt", noise)
    assert content(api, run, "notes/read%20me.txt").decode() == "héllo"
    assert content(api, run, "media/text/samples/100.txt") == b"a cat"
    assert json.loads(content(api, run, "config.json")) == {"lr": 0.1, "path": "x"}
    assert content(api, run, "large.txt").decode() == noise
    run.log_dict({"lr": 0.2}, "swapped.json")  # type: ignore[arg-type]  # as MLflow takes them
    assert json.loads(content(api, run, "swapped.json")) == {"lr": 0.2}
    with pytest.raises(gnomon.GnomonError, match="the name comes first"):
        run.log_dict({"lr": 0.1}, 3)  # type: ignore[arg-type]  # neither is a name
    with pytest.raises(gnomon.GnomonError, match="the name comes first"):
        run.log_text(3, "text")  # type: ignore[arg-type]  # the slip that is meant


def test_events_are_points_of_their_own(api: httpx.Client, run: gnomon.Run) -> None:
    run.log({"loss": 1.0}, step=40)
    run.event("lr drop")
    run.event("lr drop", step=50)
    assert run.flush(60)
    found = api.get(f"/experiments/runs/{run.id}/history", params={"key": "event/lr drop"}).json()["series"][0]
    assert (found["step"], found["value"]) == ([40, 50], [1, 1])


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("a/b", "media/images/a/b/1.png"),
        ("../../etc", "media/images/etc/1.png"),
        ("a\\b%?#\n", "media/images/a_b____/1.png"),
        ("C:/x", "media/images/C_/x/1.png"),
        ("", "media/images/unnamed/1.png"),
    ],
)
def test_media_paths_are_ones_that_the_server_takes(run: gnomon.Run, api: httpx.Client, given: str, path: str) -> None:
    assert media_path("images", given, 1, ".png") == path
    run.log_text(given, "x")
    assert content(api, run, clean_path(given)) == b"x"


def test_media_calls_never_raise_into_a_script(
    run: gnomon.Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("GNOMON_STRICT")
    run.log_image("a", object())
    run.log_figure("a", object())
    run.log_table("a", 1)
    run.log_histogram("a", "text")
    run.log_artifacts("/nowhere/at/all")
    run.finish("crashed")  # type: ignore[arg-type]  # a word of another library
    assert any("run.log_table() kept nothing" in line for line in caplog.messages)
    assert any("'crashed' is kept as failed" in line for line in caplog.messages)

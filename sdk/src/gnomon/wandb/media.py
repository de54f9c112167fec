"""wandb's types of media, as they are made in a script, and how each is kept in a run (docs/formats/media.md)."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from gnomon.media import clean_path
from gnomon.run import Run
from gnomon.wandb.absent import say_once


class Media:
    """Something that is logged under a key at a step."""

    def keep(self, run: Run, key: str, step: float) -> None:
        raise NotImplementedError


class Image(Media):
    """A picture: an array, a tensor, a PIL image, a file, or a figure of matplotlib."""

    def __init__(
        self,
        data_or_path: object,
        mode: str | None = None,
        caption: str | None = None,
        grouping: int | None = None,
        classes: object = None,
        boxes: object = None,
        masks: object = None,
        **more: object,
    ) -> None:
        if boxes or masks or classes:
            say_once("boxes, masks and classes of an Image", "the picture itself is kept")
        self.data: object = data_or_path.data if isinstance(data_or_path, Image) else data_or_path
        self.caption = caption

    def keep(self, run: Run, key: str, step: float) -> None:
        if is_figure(self.data):
            run.log_figure(key, self.data, step=step)
        else:
            run.log_image(key, self.data, step=step, caption=self.caption)


class Histogram(Media):
    """How values are distributed: values of any shape, or counts and edges as numpy gives them."""

    def __init__(
        self, sequence: object = None, np_histogram: tuple[object, object] | None = None, num_bins: int = 64
    ) -> None:
        self.values = sequence if np_histogram is None else tuple(np_histogram)
        self.bins = min(512, max(1, num_bins))

    def keep(self, run: Run, key: str, step: float) -> None:
        run.log_histogram(key, self.values, step=step, bins=self.bins)


class Table(Media):
    """Rows and columns; filled when it is made, or row by row."""

    def __init__(
        self,
        columns: Sequence[object] | None = None,
        data: object = None,
        rows: Sequence[Sequence[object]] | None = None,
        dataframe: object = None,
        **more: object,
    ) -> None:
        self.columns = [str(name) for name in columns] if columns else ["Input", "Output", "Expected"]
        self.data: list[list[object]] = []
        frame = dataframe if dataframe is not None else data
        if hasattr(frame, "columns") and hasattr(frame, "itertuples"):  # a frame of pandas
            self.columns = [str(name) for name in frame.columns]
            self.data = [[*row] for row in frame.itertuples(index=False)]
        else:
            for row in cast("Iterable[Iterable[object]]", frame if frame is not None else rows or ()):
                self.data.append([*row])

    def add_data(self, *row: object) -> None:
        if len(row) != len(self.columns):
            say_once("rows of another length than the columns", "the row is filled up or cut")
        self.data.append([*row, *[None] * len(self.columns)][: len(self.columns)])

    def add_row(self, *row: object) -> None:
        self.add_data(*row)

    def add_column(self, name: str, data: Iterable[object], optional: bool = False) -> None:
        values = [*data]
        self.data = self.data or [[] for _ in values]
        self.columns = [*(self.columns if self.data[0] else []), name]
        for row, value in zip(self.data, values, strict=False):
            row.append(value)

    def get_column(self, name: str, convert_to: str | None = None) -> object:
        at = self.columns.index(name)
        column = [row[at] for row in self.data]
        if convert_to == "numpy":
            import numpy as np

            return np.asarray(column)
        return column

    def get_dataframe(self) -> object:
        import pandas as pd

        return pd.DataFrame(self.data, columns=self.columns)

    def iterrows(self) -> Iterator[tuple[int, list[object]]]:
        return iter(enumerate(self.data))

    def keep(self, run: Run, key: str, step: float) -> None:
        run.log_table(key, self.as_columns(), step=step)

    def as_columns(self) -> dict[str, list[object]]:
        """A name that occurs twice is numbered; what is no value of a cell is its text."""
        columns: dict[str, list[object]] = {}
        for at, name in enumerate(self.columns):
            unique = name if name not in columns else f"{name} ({at})"
            columns[unique] = [_cell(row[at]) if at < len(row) else None for row in self.data]
        return columns


class File(Media):
    """A sound, a film, a page, a molecule…: kept as a file, for which there is no page yet."""

    kind = "file"
    suffix = ""

    def __init__(self, data_or_path: object, *args: object, **more: object) -> None:
        self.data = data_or_path

    def keep(self, run: Run, key: str, step: float) -> None:
        say_once(f"page for {self.kind}", "it is kept as a file of the run")
        directory = clean_path(f"{self.kind}/{key}")
        if isinstance(self.data, io.IOBase | io.TextIOBase) or hasattr(self.data, "read"):
            run.log_text(f"{directory}/{step:g}{self.suffix or '.txt'}", str(self.data.read()))
        elif isinstance(self.data, str | Path) and Path(self.data).is_file():
            run.log_artifact(self.data, directory, name=f"{step:g}{Path(self.data).suffix}")
        elif isinstance(self.data, str):
            run.log_text(f"{directory}/{step:g}{self.suffix or '.txt'}", self.data)
        else:
            say_once(f"{self.kind} made of arrays", "give the path of a file")


class Html(File):
    kind, suffix = "html", ".html"


class Video(File):
    kind = "video"


class Audio(File):
    kind = "audio"


class Object3D(File):
    kind = "object3d"


class Molecule(File):
    kind = "molecule"


class Plotly(Media):
    """A figure of plotly."""

    def __init__(self, figure: object, *args: object, **more: object) -> None:
        self.figure = figure

    def keep(self, run: Run, key: str, step: float) -> None:
        run.log_figure(key, self.figure, step=step)


def as_media(value: object) -> Media | None:
    """What wandb would show of a plain object: figures, pictures, frames, arrays of more than one number."""
    if isinstance(value, Media):
        return value
    if is_figure(value):
        return Plotly(value)
    if hasattr(value, "save") and hasattr(value, "mode") and hasattr(value, "size"):
        return Image(value)
    if hasattr(value, "columns") and hasattr(value, "itertuples"):
        return Table(dataframe=value)
    size = getattr(value, "size", None)
    if callable(size) and hasattr(value, "numel"):  # a tensor of torch
        size = value.numel()
    return Histogram(value) if isinstance(size, int) and size > 1 and hasattr(value, "dtype") else None


def keep_all(run: Run, key: str, values: Sequence[object], step: float) -> bool:
    """A list of media under one key; False if it is none."""
    found = [each for each in values if isinstance(each, Media)]
    if not found or len(found) != len(values):
        return False
    images = [each for each in found if isinstance(each, Image) and not is_figure(each.data)]
    if len(images) == len(found):
        captions = [each.caption or "" for each in images]
        run.log_image(key, [each.data for each in images], step=step, caption=captions)
        return True
    for number, each in enumerate(found):
        each.keep(run, f"{key}/{number}" if number else key, step)
    return True


def is_figure(value: object) -> bool:
    """A figure of matplotlib, seaborn or plotly, or the module `pyplot` itself."""
    return hasattr(value, "savefig") or hasattr(value, "to_plotly_json")


def _cell(value: object) -> object:
    if isinstance(value, Media):
        say_once("media in the cells of a Table", "the cell says which type stood there")
        return f"<{type(value).__name__}>"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    item = getattr(value, "item", None)
    size = getattr(value, "size", 1)
    if callable(item) and size == 1:
        return cast("object", item())
    return str(dict(value)) if isinstance(value, Mapping) else str(value)

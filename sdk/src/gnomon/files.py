"""What a run keeps beside numbers: files, texts, and media at a step (docs/formats/media.md).

Invariants:
- What is logged is kept as it is at the call: turned into bytes, or copied, before the call returns.
- Small contents stand in the spool itself, one write like a metric's; larger ones are files beside it.
- Nothing here raises into the script or waits for the network.
"""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

from gnomon.errors import GnomonError
from gnomon.guard import guarded
from gnomon.media import Encoded, MediaKind, clean_path, media_path


class FileLog(ABC):
    """The part of a run that keeps files."""

    @guarded(None)
    def log_artifact(
        self, path: str | os.PathLike[str], directory: str | None = None, *, name: str | None = None
    ) -> None:
        """Keep a file with the run, as it is now: it is copied before the call returns, and sent later."""
        source = Path(path)
        if source.is_dir():
            self.log_artifacts(source, directory)
            return
        self._keep_file(source, directory, name or source.name)

    @guarded(None)
    def log_artifacts(self, folder: str | os.PathLike[str], directory: str | None = None) -> None:
        """Keep every file in and below a folder with the run, as they are now."""
        root = Path(folder)
        if not root.is_dir():
            raise GnomonError(f"there is no folder {root}")
        for file in sorted(each for each in root.rglob("*") if each.is_file()):
            parent = file.parent.relative_to(root).as_posix()
            parts = [part for part in (directory, parent) if part and part != "."]
            self._keep_file(file, "/".join(parts) or None, file.name)

    @guarded(None)
    def log_text(self, name: str, text: str, *, step: float | None = None) -> None:
        """Keep a text as the file `name` (`notes.txt`); with a `step`, as one of a series, `samples` at 100 say."""
        if not isinstance(name, str):
            raise GnomonError(f"the name comes first, then the text; {type(name).__name__} is no name")
        data = str(text).encode("utf-8", "replace")
        if step is None:
            self._keep_data(data, clean_path(name))
        else:
            self._keep_media("text", name, [Encoded(data, ".txt")], step)

    @guarded(None)
    def log_dict(self, name: str, values: object) -> None:
        """Keep a dict or list as the JSON file `name` (`config.json`); what JSON does not know is kept as its text."""
        name, values = _in_order(name, values)
        shown = json.dumps(values, indent=2, default=str, ensure_ascii=False)
        self._keep_data(shown.encode("utf-8", "replace"), clean_path(name))

    @guarded(None)
    def log_image(
        self, name: str, image: object, *, step: float | None = None, caption: str | list[str] | None = None
    ) -> None:
        """Keep a picture, or a list of them, at a step (the last one logged, if none is given).

        A picture is an array or tensor, a PIL image, or a PNG, JPEG, GIF or WebP as bytes or a path. Floats are 0 to 1.
        """
        from gnomon.media.pictures import encode_image

        name, image = _in_order(name, image)
        pictures = [*image] if isinstance(image, list | tuple) else [image]
        captions = caption if isinstance(caption, list) else [caption] * len(pictures)
        for index, picture in enumerate(pictures):
            self._keep_media("images", name, [encode_image(picture)], step, index)
            if index < len(captions) and captions[index]:
                about = json.dumps({"caption": str(captions[index])}, ensure_ascii=False).encode("utf-8", "replace")
                self._keep_media("images", name, [Encoded(about, ".json")], step, index)

    @guarded(None)
    def log_figure(self, name: str, figure: object, *, step: float | None = None) -> None:
        """Keep a figure of matplotlib, seaborn or plotly at a step. Drawing takes the script's time, not a thread's."""
        from gnomon.media.pictures import encode_figure

        name, figure = _in_order(name, figure)
        self._keep_media("figures", name, [encode_figure(figure)], step)

    @guarded(None)
    def log_table(self, name: str, table: object, *, step: float | None = None) -> None:
        """Keep a table at a step: a frame of pandas, polars or Arrow, a list of dicts, or a dict of columns."""
        from gnomon.media.tables import encode_table

        self._keep_media("tables", name, encode_table(table), step)

    @guarded(None)
    def log_histogram(self, name: str, values: object, *, step: float | None = None, bins: int = 64) -> None:
        """Keep how values are distributed, at a step: values of any shape, or `(counts, edges)`."""
        from gnomon.media.histograms import encode_histogram

        name, values = _in_order(name, values)
        self._keep_media("histograms", name, [encode_histogram(values, bins=bins)], step)

    def _keep_media(
        self, kind: MediaKind, name: str, contents: Iterable[Encoded], step: float | None, index: int = 0
    ) -> None:
        at = self._media_step(step)
        for content in contents:
            self._keep_data(content.data, media_path(kind, name, at, content.suffix, index))

    @abstractmethod
    def _keep_file(self, source: Path, directory: str | None, name: str) -> None:
        """Copy a file, to be sent as `directory/name`."""

    @abstractmethod
    def _keep_data(self, data: bytes, place: str) -> None:
        """Keep bytes, to be sent as the artifact `place`."""

    @abstractmethod
    def _media_step(self, step: float | None) -> float:
        """The step given, or that of the last `log`."""


def _in_order(name: object, value: object) -> tuple[str, object]:
    """The name and what is logged under it. MLflow takes them the other way round, so either way is understood."""
    if isinstance(name, str):
        return name, value
    if isinstance(value, str):
        return value, name
    raise GnomonError(f"the name comes first, then what is logged under it; {type(name).__name__} is no name")

"""What wandb logged at a step, sorted into what a run keeps: numbers, files at the step, and what is neither.

A value of a type of wandb's own is a mapping with `_type`; a picture, a sound or a page is a file of the run's folder
that it names, a distribution stands in the value itself.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from msgspec import Struct, json

from gnomon.importing.wandb_records import Json, KeyPath
from gnomon.media import MediaKind
from gnomon.media.histograms import Histogram
from gnomon.media.tables import encode_table
from gnomon.wire import to_wire

TYPE = "_type"
# As deep as the SDK joins keys; what lies deeper is kept as it is.
_MAX_DEPTH = 32
_INTERNAL = frozenset(("_timestamp", "_runtime", "_step", "_wandb"))
# The types whose file is shown at a step; the files of all others are kept with the run's other files.
_FILE_KINDS: Mapping[str, MediaKind] = {"image-file": "images", "plotly-file": "figures"}


class Point(Struct, frozen=True, gc=False):
    """`is_rounded`: an integer that no double is equal to."""

    key: str
    value: float
    is_rounded: bool = False


class FileAt(Struct, frozen=True):
    """A file of the run's folder, shown at a step."""

    kind: MediaKind
    key: str
    path: str
    index: int = 0
    caption: str = ""


class DataAt(Struct, frozen=True):
    """Bytes, shown at a step."""

    kind: MediaKind
    key: str
    data: bytes
    suffix: str


class TableAt(Struct, frozen=True):
    """A table: its file in the run's folder, as wandb writes it."""

    key: str
    path: str


class Beside(Struct, frozen=True):
    """Neither a number nor shown at a step: kept as a line of a file. `type` of wandb's, "" for plain values."""

    key: str
    type: str
    value: Json


Sorted = Point | FileAt | DataAt | TableAt | Beside


def nest(items: Iterable[tuple[KeyPath, Json]]) -> dict[str, Json]:
    """One mapping of the items: writers split a mapping into paths, or give it whole."""
    root: dict[str, Json] = {}
    for path, value in items:
        at = root
        for part in path[:-1]:
            below = at.get(part)
            if not isinstance(below, dict):
                below = at[part] = {}
            at = below
        at[path[-1]] = value
    return root


def remove(root: dict[str, Json], path: KeyPath) -> None:
    """Take the value at a path out, if it is there."""
    at: Json = root
    for part in path[:-1]:
        at = at.get(part) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(path[-1], None)


def strict(value: Json) -> Json:
    """The value as JSON proper can say it: non-finite numbers by name, as everywhere in Gnomon."""
    if isinstance(value, dict):
        return {key: strict(each) for key, each in value.items()}
    if isinstance(value, list):
        return [strict(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(to_wire(value))
    return value


def sort_values(values: Mapping[str, Json], prefix: str = "", depth: int = 0) -> Iterator[Sorted]:
    """The values of one step by what can be kept of them; keys of nested mappings are joined with `/`."""
    for name, value in values.items():
        if not prefix and name in _INTERNAL:
            continue
        key = f"{prefix}{name}"
        if isinstance(value, bool | int | float):
            yield _point(key, value)
        elif isinstance(value, dict) and TYPE in value:
            yield from _media(key, value)
        elif isinstance(value, dict) and value and depth < _MAX_DEPTH:
            yield from sort_values(value, f"{key}/", depth + 1)
        else:
            yield Beside(key, "", value)


def table_columns(document: Mapping[str, Json]) -> dict[str, list[object]]:
    """The columns of a table as wandb writes it: names, and rows; a name that occurs twice is numbered."""
    names, rows = document.get("columns"), document.get("data")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise ValueError("it has no columns and rows")
    columns: dict[str, list[object]] = {}
    for position, name in enumerate(names):
        unique = str(name) if str(name) not in columns else f"{name} ({position})"
        columns[unique] = [row[position] if isinstance(row, list) and position < len(row) else None for row in rows]
    return columns


def table_files(document: Mapping[str, Json]) -> list[tuple[bytes, str]]:
    """The table as a run keeps it: bytes and the end of the name of each file."""
    return [(each.data, each.suffix) for each in encode_table(table_columns(document))]


def _point(key: str, value: bool | int | float) -> Point:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    return Point(key, number, is_rounded=isinstance(value, int) and number != value)


def _media(key: str, value: Mapping[str, Json]) -> Iterator[Sorted]:
    kind = value[TYPE]
    path = value.get("path")
    if kind == "histogram" and (found := _histogram(value)) is not None:
        yield DataAt("histograms", key, found, ".json")
    elif kind == "table-file" and isinstance(path, str):
        yield TableAt(key, path)
    elif kind in ("images/separated", "images") and isinstance(value.get("filenames"), list):
        yield from _pictures(key, value)
    elif isinstance(kind, str) and kind in _FILE_KINDS and isinstance(path, str):
        yield FileAt(_FILE_KINDS[kind], key, path, caption=_said(value.get("caption")))
    else:
        yield Beside(key, str(kind), dict(value))


def _pictures(key: str, value: Mapping[str, Json]) -> Iterator[Sorted]:
    names, captions = value["filenames"], value.get("captions")
    for index, name in enumerate(names if isinstance(names, list) else []):
        caption = captions[index] if isinstance(captions, list) and index < len(captions) else ""
        yield FileAt("images", key, str(name), index, _said(caption))


def _histogram(value: Mapping[str, Json]) -> bytes | None:
    counts, edges = _numbers(value.get("values")), _numbers(value.get("bins"))
    packed = value.get("packedBins")
    if not edges and isinstance(packed, dict):
        low, size, count = (packed.get(name) for name in ("min", "size", "count"))
        if isinstance(low, int | float) and isinstance(size, int | float) and isinstance(count, int):
            edges = [low + size * n for n in range(min(count, len(counts)) + 1)]
    if not counts or len(edges) != len(counts) + 1 or not all(map(math.isfinite, [*counts, *edges])):
        return None
    whole = [round(count) for count in counts]
    return json.encode(Histogram([*edges], whole, sum(whole), 0, edges[0], edges[-1], None))


def _numbers(value: Json) -> list[float]:
    if not isinstance(value, list):
        return []
    return [float(each) for each in value if isinstance(each, int | float)]


def _said(value: Json) -> str:
    return value if isinstance(value, str) else ""


def suffix_of(path: str) -> str:
    """The end of a file's name that says what is in it: `.plotly.json` is one."""
    name = PurePosixPath(path).name
    return ".plotly.json" if name.endswith(".plotly.json") else PurePosixPath(name).suffix

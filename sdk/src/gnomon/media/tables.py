"""Tables: a view of the first rows as JSON, for a page, and all rows as Parquet where the view is not all of them.

Frames of pandas, polars and Arrow come through Arrow's own interface (`__arrow_c_stream__`); lists of dicts and dicts
of columns are taken as they are, and need no library.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, json

if TYPE_CHECKING:
    pass

from gnomon.errors import GnomonError, MissingExtra
from gnomon.media import Encoded

VIEW_ROWS = 1_000
MAX_CELL = 2_000
MAX_COLUMNS = 1_000

Cell = None | bool | int | float | str


class Column(Struct, frozen=True):
    """`type` is the name in the library the table came from."""

    name: str
    type: str


class TableView(Struct, frozen=True):
    """The first rows; `is_whole` says whether these are all `total` of them, else a file beside it has the rest."""

    columns: list[Column]
    rows: list[list[Cell]]
    total: int
    is_whole: bool


def encode_table(table: object) -> list[Encoded]:
    """The view, and the file with all rows where the view does not say everything."""
    if isinstance(table, Mapping):
        return _plain({str(name): [*_iterable(column)] for name, column in table.items()})
    if isinstance(table, Sequence) and not isinstance(table, str | bytes):
        return _plain(_columns_of(table))
    if hasattr(table, "__arrow_c_stream__"):
        return _arrow(table)
    raise GnomonError(f"{type(table).__name__} is no table; give a frame, a list of dicts or a dict of columns")


def _arrow(table: object) -> list[Encoded]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("pyarrow", extra="media", purpose="logging a frame") from error
    arrow: pa.Table = pa.table(table)
    _refuse_wide(arrow.num_columns)
    columns = [Column(field.name, str(field.type)) for field in arrow.schema]
    head = arrow.slice(0, VIEW_ROWS)
    values = [[_cell(value) for value in head.column(i).to_pylist()] for i in range(head.num_columns)]
    file = io.BytesIO()
    pq.write_table(arrow, file, compression="zstd")
    is_whole = arrow.num_rows <= VIEW_ROWS
    view = TableView(columns, [list(row) for row in zip(*values, strict=True)], arrow.num_rows, is_whole)
    return [Encoded(json.encode(view), ".json"), Encoded(file.getvalue(), ".parquet")]


def _plain(table: dict[str, list[object]]) -> list[Encoded]:
    _refuse_wide(len(table))
    lengths = {len(column) for column in table.values()}
    if len(lengths) > 1:
        raise GnomonError("the columns of a table are of equal length")
    total = lengths.pop() if lengths else 0
    columns = [Column(name, _type_of(values)) for name, values in table.items()]
    rows = [[_cell(values[i]) for values in table.values()] for i in range(min(total, VIEW_ROWS))]
    view = Encoded(json.encode(TableView(columns, rows, total, total <= VIEW_ROWS)), ".json")
    if total <= VIEW_ROWS:
        return [view]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return [view, Encoded(text.getvalue().encode("utf-8", "replace"), ".csv")]


def _columns_of(rows: Sequence[object]) -> dict[str, list[object]]:
    names: dict[str, None] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            raise GnomonError(f"a row of a table is a dict, not {type(row).__name__}")
        names.update((str(name), None) for name in row)
    return {name: [row.get(name) for row in rows if isinstance(row, Mapping)] for name in names}


def _iterable(column: object) -> Iterable[object]:
    if not isinstance(column, Iterable) or isinstance(column, str | bytes):
        raise GnomonError("a dict is a table when each of its values is a column")
    return column


def _refuse_wide(columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise GnomonError(f"a table has at most {MAX_COLUMNS} columns, not {columns}; log_artifact keeps larger files")


def _type_of(values: list[object]) -> str:
    kinds = {type(value).__name__ for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "null"


def _cell(value: object) -> Cell:
    item = getattr(value, "item", None)
    if callable(item):
        value = item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= 2**53:
        return int(value)
    return str(value)[:MAX_CELL]

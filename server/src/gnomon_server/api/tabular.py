"""Points as tables: an Arrow stream or CSV, block by block, in bounded memory. pyarrow is imported on first use."""

import csv
import io
from collections.abc import Callable, Iterator

import numpy as np

from gnomon_server.model.points import Points

Encoder = Callable[[Iterator[tuple[str, Points]]], Iterator[bytes]]

# A cell that a spreadsheet would take for a formula is written as text (CSV injection).
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def arrow_stream(blocks: Iterator[tuple[str, Points]]) -> Iterator[bytes]:
    """One Arrow IPC stream: key (dictionary), step (double), timestamp (ms), value (double, exact)."""
    import pyarrow as pa

    schema = pa.schema(
        [
            ("key", pa.dictionary(pa.int32(), pa.string())),
            ("step", pa.float64()),
            ("timestamp", pa.int64()),
            ("value", pa.float64()),
        ]
    )
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        names: dict[str, int] = {}
        for key, points in blocks:
            names.setdefault(key, len(names))
            indices = pa.array(np.full(len(points), names[key], np.int32))
            keys = pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))
            columns = [keys, pa.array(points.step), pa.array(points.time_ms), pa.array(points.value)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            yield _drain(sink)
    yield _drain(sink)


def csv_stream(blocks: Iterator[tuple[str, Points]]) -> Iterator[bytes]:
    """CSV with a header: key, step, timestamp, value. Numbers are the shortest text that reads back exactly."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(["key", "step", "timestamp", "value"])
    for key, points in blocks:
        cell = f"'{key}" if key.startswith(_FORMULA_SIGNS) else key
        for step, time_ms, value in zip(
            points.step.tolist(), points.time_ms.tolist(), points.value.tolist(), strict=True
        ):
            writer.writerow([cell, int(step) if step.is_integer() else step, time_ms, _number(value)])
        yield sink.getvalue().encode()
        sink.seek(0)
        sink.truncate()
    yield sink.getvalue().encode()


def _number(value: float) -> float | str:
    if value != value:
        return "NaN"
    return value if abs(value) != float("inf") else ("Infinity" if value > 0 else "-Infinity")


def _drain(sink: io.BytesIO) -> bytes:
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data

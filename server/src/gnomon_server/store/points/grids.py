"""Grids: batches in which the same metrics come at every step, which is what a training loop sends.

A grid has a row a step and a column a metric, so it names its metrics once, and says the step and the time of a row
once. It is kept in a third of the bytes (`segments.py`), reduced by columns (`folding.py`) and sealed without sorting
(`tail.py`). A batch is a grid when nothing would be lost by keeping it as one: steps are compared bit by bit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gnomon_server.model.ids import KeyId
from gnomon_server.model.points import Floats, Ints, Keys, PointBatch

# Below this many points looking for a grid costs more than it saves.
_FEW_POINTS = 64


class Grid(NamedTuple):
    """Points by rows: `key` holds the distinct ids of the columns, `step` and `time_ms` an entry a row.

    `value` has two dimensions, rows by columns.
    """

    key: Keys
    step: Floats
    time_ms: Ints
    value: Floats

    def key_column(self) -> Keys:
        """The key of every point, in the order they came."""
        return np.tile(self.key, len(self.step))


def as_grid(points: PointBatch, ids: Sequence[KeyId]) -> Grid | None:
    """The batch as a grid, its names replaced by their ids; None when it is none, or too small for it to matter."""
    n = len(points)
    if n < _FEW_POINTS:
        return None
    width = _width(points.key)
    rows, rest = divmod(n, width)
    if rest or points.key.tobytes() != points.key[:width].tobytes() * rows:
        return None
    # As bytes, because comparing those costs a quarter of comparing arrays, and tells 0.0 from -0.0.
    step, time_ms = points.step[::width], points.time_ms[::width]
    if width > 1 and (
        step.repeat(width).tobytes() != points.step.tobytes()
        or time_ms.repeat(width).tobytes() != points.time_ms.tobytes()
    ):
        return None
    names = [ids[place] for place in points.key[:width].tolist()]
    if len(set(names)) < width:
        return None
    return Grid(np.array(names, np.uint32), step, time_ms, points.value.reshape(rows, width))


def _width(key: Keys) -> int:
    """After how many points the first key comes again; all of them when it does not."""
    again = int((key[1:] == key[0]).argmax()) + 1
    return again if key[again] == key[0] else len(key)

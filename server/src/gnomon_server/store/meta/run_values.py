"""Params, tags and latest values of many runs: a statement a kind, handed to the driver.

Values come with the ids of their keys and in any order; names are asked for once each, and the rows of all runs are put
in the order of the names by one sort. A join would look a name up for every value, which is most of what a page costs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import LatestPoint
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points.compiled import HotSelect

_NAN = float("nan")


def read_run_params(connection: Connection, runs: Sequence[RowId]) -> dict[RowId, dict[str, str]]:
    """The params of each of the runs, by name."""
    return _by_name(connection, runs, _PARAMS)


def read_run_tags(connection: Connection, runs: Sequence[RowId]) -> dict[RowId, dict[str, str]]:
    """The tags of each of the runs, by name."""
    return _by_name(connection, runs, _TAGS)


def read_metrics(connection: Connection, runs: Sequence[RowId]) -> dict[RowId, dict[str, float]]:
    """The latest value of each metric of each of the runs, by name."""
    return _by_name(connection, runs, _METRICS)


def read_latest(connection: Connection, runs: Sequence[RowId]) -> dict[RowId, list[LatestPoint]]:
    """The latest point of each metric of each of the runs, by name."""
    rows, names = _in_order(connection, _LATEST.run(connection, (sent_ids(connection, runs),)))
    latest: dict[RowId, list[LatestPoint]] = {run: [] for run in runs}
    for run, key, value, step, time_ms in rows:
        latest[run].append(LatestPoint(names[key], _NAN if value is None else value, step, time_ms))
    return latest


def ids_in(connection: Connection, column: sa.ColumnElement[int], parameter: str) -> sa.ColumnElement[bool]:
    """That a column holds one of the ids that a parameter brings (`sent_ids`): one text for lists of any length."""
    if connection.dialect.name == "sqlite":
        return column.in_(sa.select(sa.func.json_each(sa.bindparam(parameter)).table_valued("value").c.value))
    return column == sa.any_(sa.bindparam(parameter, type_=postgresql.ARRAY(sa.BigInteger)))


def sent_ids(connection: Connection, ids: Iterable[int]) -> object:
    """A list of ids as the parameter of `ids_in`."""
    return msgspec.json.encode(list(ids)).decode() if connection.dialect.name == "sqlite" else list(ids)


# `Any`: the values of a kind are of one type, which the statement decides.
def _by_name(connection: Connection, runs: Sequence[RowId], statement: HotSelect) -> dict[RowId, dict[str, Any]]:
    rows, names = _in_order(connection, statement.run(connection, (sent_ids(connection, runs),)))
    found: dict[RowId, dict[str, Any]] = {run: {} for run in runs}
    for run, key, value in rows:
        found[run][names[key]] = _NAN if value is None else value
    return found


def _in_order(connection: Connection, rows: Sequence[Sequence[Any]]) -> tuple[Sequence[Sequence[Any]], dict[int, str]]:
    """The rows (run, key, ...) in the order of the names of their keys, and those names."""
    keys = {row[1] for row in rows}
    if not keys:
        return rows, {}
    names: dict[int, str] = {key: name for key, name in _NAMES.run(connection, (sent_ids(connection, keys),))}  # noqa: C416
    place = {key: number for number, key in enumerate(names)}
    return sorted(rows, key=lambda row: place[row[1]]), names


def _of_runs(source: sa.Table, *columns: str) -> Callable[[Connection], "sa.Select[Any]"]:
    return lambda connection: sa.select(*(source.c[name] for name in ("run", "key", *columns))).where(
        ids_in(connection, source.c.run, "runs")
    )


_PARAMS = HotSelect(("runs",), _of_runs(t.param, "value"))
_TAGS = HotSelect(("runs",), _of_runs(t.tag, "value"))
_METRICS = HotSelect(("runs",), _of_runs(t.series, "last_value"))
_LATEST = HotSelect(("runs",), _of_runs(t.series, "last_value", "last_step", "last_ms"))
_NAMES = HotSelect(
    ("keys",),
    lambda connection: (
        sa.select(t.key.c.id, t.key.c.name).where(ids_in(connection, t.key.c.id, "keys")).order_by(t.key.c.name)
    ),
)

"""Values of runs in columns, for tables; and runs put together by what they have in common, with statistics."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.errors import FieldError, InvalidRequest, invalid_field
from gnomon_server.model.filters.ast import (
    NAN_AGGREGATES,
    STATISTICS,
    Column,
    Expr,
    GroupOrder,
    OrderItem,
    Statistic,
    leaves,
)
from gnomon_server.model.filters.attributes import ATTRIBUTES
from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.search import Lifecycle, all_of, key_ids, matching
from gnomon_server.store.meta.search_sets import NO_KEY
from gnomon_server.store.meta.search_values import Ordering, Scope, Value, table_of, text_order, value_of

Cell = str | float | int | None
# Larger numbers, infinities among them, are left out of statistics: their squares are beyond a double.
LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Group:
    """Runs with equal values (by column text; None: they lack it), their number, and statistics per column.

    The statistics are over values from -1e150 to 1e150, and `n` counts those; `std` is the sample deviation.
    """

    values: Mapping[str, str | None]
    n: int
    aggregates: Mapping[str, Mapping[Statistic, float | int | None]]


def columns_page(connection: Connection, runs: Sequence[RowId], columns: Sequence[Column]) -> dict[str, list[Cell]]:
    """The values of the runs, in their order, by the text of each column; None where a run lacks one, NaN as a float.

    Times and durations are milliseconds.
    """
    keys = key_ids(connection, columns)
    found: dict[Column, dict[RowId, Cell]] = {column: {} for column in columns}
    for kind in dict.fromkeys(column.kind for column in columns):
        of_kind = [column for column in found if column.kind == kind]
        if kind == "attribute":
            _read_attributes(connection, runs, of_kind, found)
        else:
            _read_keyed(connection, runs, of_kind, keys, found)
    return {column.text: [found[column].get(run) for run in runs] for column in columns}


def group_runs(
    connection: Connection,
    *,
    experiments: Sequence[RowId] | None,
    by: Sequence[Column],
    aggregate: Sequence[Column] = (),
    filter: Expr | None = None,
    order: Sequence[GroupOrder | OrderItem] = (),
    lifecycle: Lifecycle = "active",
    status: str | None = None,
    name_search: str | None = None,
    limit: int,
    offset: int,
) -> tuple[int, list[Group]]:
    """How many groups there are, and one page of them. Ties, and no order: the largest first, then by their values.

    `by` takes params, tags and text attributes; `aggregate` metrics, params that are numbers, and the duration. An
    OrderItem on an aggregated column means its mean.
    """
    _refuse_unfit(by, aggregate)
    ordered = [item if isinstance(item, GroupOrder) else _of_item(item, by, aggregate) for item in order]
    if experiments is not None and not experiments:
        return 0, []
    scope = Scope.of(connection, experiments, None if lifecycle == "all" else lifecycle)
    wanted = all_of(filter, status=status, name_search=name_search)
    named = [leaf.column for leaf in leaves(wanted)] if wanted is not None else []
    keys = key_ids(connection, [*by, *aggregate, *named])
    groups = _grouped(scope, keys, wanted, by, aggregate)
    page = groups.add_columns(sa.func.count().over().label("total"))
    page = page.order_by(*_group_order(scope, groups, ordered, by, aggregate)).limit(limit).offset(offset)
    rows = connection.execute(page).all()
    if rows:
        return rows[0]._mapping["total"], [_group(row, by, aggregate) for row in rows]
    total = connection.scalar(sa.select(sa.func.count()).select_from(groups.subquery())) if offset else 0
    return total or 0, []


def _read_attributes(
    connection: Connection,
    runs: Sequence[RowId],
    columns: Sequence[Column],
    found: Mapping[Column, dict[RowId, Cell]],
) -> None:
    run = t.run
    values = (value_of(column, run).label(f"v{place}") for place, column in enumerate(columns))
    for row in connection.execute(sa.select(run.c.id, *values).where(run.c.id.in_(runs))):
        for column, value in zip(columns, row[1:], strict=True):
            found[column][RowId(row[0])] = value


def _read_keyed(
    connection: Connection,
    runs: Sequence[RowId],
    columns: Sequence[Column],
    keys: Mapping[str, KeyId],
    found: Mapping[Column, dict[RowId, Cell]],
) -> None:
    by_key: dict[int, list[Column]] = {}
    for column in columns:
        if column.key in keys:
            by_key.setdefault(keys[column.key], []).append(column)
    table = table_of(Scope(connection, None, None, has_deleted=False), columns[0])
    aggregates = list(dict.fromkeys(column.aggregate for column in columns))
    values = (value_of(Column(columns[0].kind, "", aggregate), table) for aggregate in aggregates)
    rows = sa.select(table.c.run, table.c.key, *values).where(table.c.run.in_(runs), table.c.key.in_(by_key))
    for row in connection.execute(rows):
        cells = dict(zip(aggregates, row[2:], strict=True))
        for column in by_key[row[1]]:
            value = cells[column.aggregate]
            is_nan = value is None and column.kind == "metric" and column.aggregate in NAN_AGGREGATES
            found[column][RowId(row[0])] = math.nan if is_nan else value


def _refuse_unfit(by: Sequence[Column], aggregate: Sequence[Column]) -> None:
    for column in by:
        if column.kind == "metric" or (column.kind == "attribute" and ATTRIBUTES[column.key].kind in _MEASURED):
            raise invalid_field(
                "by", f"{column.text} is a number or a time; group by a param, a tag or a text attribute"
            )
    for column in aggregate:
        if column.kind == "tag" or (column.kind == "attribute" and column.key != "duration"):
            raise invalid_field("aggregate", f"{column.text} is no number; aggregate metrics, params or duration")


def _of_item(item: OrderItem, by: Sequence[Column], aggregate: Sequence[Column]) -> GroupOrder:
    column = item.column
    if column in by:
        return GroupOrder(column, None, item.descending)
    if column in aggregate:
        return GroupOrder(column, "mean", item.descending)
    message = f"{column.text} is neither grouped by nor among the columns; order groups by one that is"
    raise InvalidRequest(f"order_by: {message}", errors=[FieldError("order_by", message)], code="invalid_order_by")


def _grouped(
    scope: Scope, keys: Mapping[str, KeyId], wanted: Expr | None, by: Sequence[Column], aggregate: Sequence[Column]
) -> sa.Select[object]:
    """A SELECT of all groups: their values as g0, g1, …; `runs`; and mean0, std0, min0, max0, n0, mean1, …"""
    found = matching(scope, dict(keys), wanted).subquery()
    run = scope.alias(t.run)
    source: sa.FromClause = found.join(run, run.c.id == found.c.run)
    wide: list[Value] = []
    for column in (*by, *aggregate):
        table: sa.FromClause = run
        if column.kind != "attribute":
            table = table_of(scope, column)
            key = keys.get(column.key, NO_KEY)
            source = source.outerjoin(table, sa.and_(table.c.run == found.c.run, table.c.key == key))
        wide.append(value_of(column, table) if len(wide) < len(by) else _measured(column, table))
    values = sa.select(*(each.label(f"c{place}") for place, each in enumerate(wide))).select_from(source).subquery()
    groups = [values.c[f"c{place}"] for place in range(len(by))]
    selected = [group.label(f"g{place}") for place, group in enumerate(groups)]
    selected.append(sa.func.count().label("runs"))
    for place in range(len(aggregate)):
        value = values.c[f"c{len(by) + place}"]
        selected += [_FUNCTIONS[name](value).label(f"{name}{place}") for name in STATISTICS]
    return sa.select(*selected).select_from(values).group_by(*groups)


def _measured(column: Column, table: sa.FromClause) -> sa.ColumnElement[float]:
    value = table.c.number if column.kind == "param" else value_of(column, table)
    return sa.case((value.between(-LARGEST, LARGEST), sa.cast(value, sa.Double)))


def _group_order(
    scope: Scope,
    groups: sa.Select[object],
    order: Sequence[GroupOrder],
    by: Sequence[Column],
    aggregate: Sequence[Column],
) -> list[Ordering]:
    """Groups without the value last in both directions."""
    named = groups.selected_columns
    keys: list[tuple[Value, bool]] = []
    for item in order:
        if item.column is None:
            value = named["runs"]
        elif item.statistic is None:
            value = text_order(scope, named[f"g{list(by).index(item.column)}"])
        else:
            value = named[f"{item.statistic}{list(aggregate).index(item.column)}"]
        keys.append((value, item.descending))
    keys.append((named["runs"], True))
    keys += [(text_order(scope, named[f"g{place}"]), False) for place in range(len(by))]
    ordered: list[Ordering] = []
    for value, descending in keys:
        ordered += [sa.case((value.is_(None), 1), else_=0), value.desc() if descending else value.asc()]
    return ordered


def _group(row: sa.Row[object], by: Sequence[Column], aggregate: Sequence[Column]) -> Group:
    named = row._mapping
    return Group(
        {column.text: named[f"g{place}"] for place, column in enumerate(by)},
        named["runs"],
        {column.text: {name: named[f"{name}{place}"] for name in STATISTICS} for place, column in enumerate(aggregate)},
    )


_MEASURED = ("time", "duration")
_FUNCTIONS: dict[Statistic, Callable[..., sa.ColumnElement[float] | sa.ColumnElement[int]]] = {
    "mean": sa.func.avg,
    "std": sa.func.stddev_samp,
    "min": sa.func.min,
    "max": sa.func.max,
    "n": sa.func.count,
}

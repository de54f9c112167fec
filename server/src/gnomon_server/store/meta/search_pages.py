"""One page of a set of runs in a given order.

Few runs are sorted as they are (`_sorted`). Many are not: the page is walked off the index of the first order key
(`_walk`), the runs with a value first, then those with NaN, then those without, each part in the order of the
remaining keys. An index gives the last value of a metric and the text of a tag in order, so the walk stops at the end
of the page; for other values the edge of the page is found first, and only runs up to the edge are joined and sorted.
Both ways give the same rows, and the tests hold them against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gnomon_server.model.filters.ast import Column, OrderItem
from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.search_sets import having
from gnomon_server.store.meta.search_values import (
    Condition,
    Ordering,
    RunIds,
    Scope,
    Value,
    null_is_missing,
    null_is_nan,
    run_id_of,
    table_of,
    text_order,
    unplanned,
    value_of,
)

# Up to here sorting all is as fast as walking an index of 100,000: about 3 us a run against 6 ms.
SORTED_AT_MOST = 2_000

Listing = str | Sequence[int]


@dataclass(frozen=True, slots=True)
class Members:
    """The runs to page: those in `listed` (see `ids_listed`), or (None) all of the scope."""

    scope: Scope
    listed: Listing | None
    total: int

    def has(self, run: sa.ColumnElement[int]) -> list[Condition]:
        """That a row of any table is of a member."""
        if self.listed is not None:
            return [self._is_listed(unplanned(run), self.listed)]
        return self.scope.in_stage(run)

    def has_run(self, run: sa.FromClause, *, by_id: bool = False) -> list[Condition]:
        """The same for a row of `run`; `by_id`: let the planner seek each id of the list."""
        if self.listed is not None:
            if by_id:
                return [self._is_listed(run.c.id, self.listed)]
            return [self.scope.covers_run(run), self._is_listed(unplanned(run.c.id), self.listed)]
        return [self.scope.covers_run(run)]

    def _is_listed(self, run: sa.ColumnElement[int], listed: Listing) -> Condition:
        if self.scope.is_sqlite:
            return run.in_(sa.select(sa.func.json_each(listed).table_valued("value").c.value))
        # An array, which PostgreSQL hashes: a table function it takes for a hundred rows, and then joins row by row.
        return run == sa.any_(sa.literal(listed, postgresql.ARRAY(sa.BigInteger)))


def ids_listed(scope: Scope, run: sa.ColumnElement[int]) -> sa.Function[Listing]:
    """Aggregates ids into one value, which later statements read as a set: a JSON text, on PostgreSQL an array."""
    return sa.Function("json_group_array" if scope.is_sqlite else "array_agg", run)


@dataclass(frozen=True, slots=True)
class _Part:
    """Runs that an order key puts together: those with a `value` to order by, in one table."""

    condition: Condition
    value: Value
    indexed: bool


class Pager:
    """Pages of one set of runs. `few` is how many are sorted rather than walked."""

    def __init__(self, members: Members, keys: Mapping[str, KeyId], *, few: int = SORTED_AT_MOST) -> None:
        self._members = members
        self._scope = members.scope
        self._keys = keys
        self._few = few

    def page(self, order: Sequence[OrderItem], *, limit: int, offset: int) -> list[RowId]:
        if offset >= self._members.total:
            return []
        # A key that nobody has orders nothing.
        known = [item for item in order if item.column.kind == "attribute" or item.column.key in self._keys]
        if self._members.total <= self._few:
            return self._sorted(known, limit=limit, offset=offset)
        return self._walk(known, [], limit=limit, offset=offset)

    def _sorted(self, order: Sequence[OrderItem], *, limit: int, offset: int) -> list[RowId]:
        run = self._scope.alias(t.run)
        return self._rows(run, run, self._members.has_run(run, by_id=True), [], order, limit=limit, offset=offset)

    def _walk(
        self, order: Sequence[OrderItem], only: Sequence[tuple[RunIds, bool]], *, limit: int, offset: int
    ) -> list[RowId]:
        """The page among the runs that are in each SELECT of `only` (or, with False, are not)."""
        if not order:
            run = self._scope.alias(t.run)
            where = [*self._members.has_run(run), *_restricted(run.c.id, only)]
            return self._rows(run, run, where, [], (), limit=limit, offset=offset)
        first, rest = order[0], order[1:]
        found: list[RowId] = []
        for part in range(len(self._parts(first, table_of(self._scope, first.column)))):
            found += self._part(first, part, rest, only, limit=limit - len(found), offset=offset)
            if len(found) == limit:
                return found
            offset = 0 if found else offset - self._count_part(first, part, only, offset)
        for other in self._unordered(first.column):
            found += self._walk(rest, [*only, other], limit=limit - len(found), offset=offset)
            if len(found) == limit:
                return found
            offset = 0 if found else offset - self._count([*only, other], offset)
        return found

    def _part(
        self,
        item: OrderItem,
        number: int,
        rest: Sequence[OrderItem],
        only: Sequence[tuple[RunIds, bool]],
        *,
        limit: int,
        offset: int,
    ) -> list[RowId]:
        table = table_of(self._scope, item.column)
        part = self._parts(item, table)[number]
        where = self._part_where(item, part, table, only)
        if not (part.indexed and self._scope.is_one_experiment):
            edge = self._scope.connection.scalar(
                sa.select(part.value)
                .select_from(table)
                .where(*where)
                .order_by(_directed(part.value, item))
                .limit(1)
                .offset(offset + limit - 1)
            )
            if edge is not None:
                where.append(part.value >= edge if item.descending else part.value <= edge)
        if item.column.kind == "attribute":
            return self._rows(table, table, where, [_directed(part.value, item)], rest, limit=limit, offset=offset)
        run = self._scope.alias(t.run)
        # Every row has its run; the outer join only keeps SQLite from walking the runs first.
        joined = table.outerjoin(run, run.c.id == table.c.run)
        return self._rows(joined, run, where, [_directed(part.value, item)], rest, limit=limit, offset=offset)

    def _parts(self, item: OrderItem, table: sa.FromClause) -> list[_Part]:
        """The parts of an order key whose runs have something to order by."""
        column = item.column
        value = text_order(self._scope, value_of(column, table))
        if column.kind == "param" and not item.as_text:
            number = table.c.number
            return [_Part(number.is_not(None), number, False), _Part(number.is_(None), value, True)]
        if null_is_nan(column) or null_is_missing(column):
            return [_Part(value.is_not(None), value, column.aggregate == "last" and column.kind == "metric")]
        return [_Part(sa.true(), value, column.kind in ("param", "tag") or column.key == "start_time")]

    def _unordered(self, column: Column) -> list[tuple[RunIds, bool]]:
        """The parts with nothing to order by: NaN, then nothing at all."""
        table = table_of(self._scope, column)
        run = run_id_of(column, table)
        rows = sa.select(run).where(self._scope.covers(table, column.kind))
        if column.kind == "attribute":
            return [(rows.where(value_of(column, table).is_(None)), True)] if null_is_missing(column) else []
        missing = (having(self._scope, self._keys, column).runs, False)
        if not null_is_nan(column):
            return [missing]
        nan = rows.where(table.c.key == self._keys[column.key], value_of(column, table).is_(None))
        return [(nan, True), missing]

    def _part_where(
        self, item: OrderItem, part: _Part, table: sa.FromClause, only: Sequence[tuple[RunIds, bool]]
    ) -> list[Condition]:
        run = run_id_of(item.column, table)
        if item.column.kind == "attribute":
            return [*self._members.has_run(table), part.condition, *_restricted(run, only)]
        key = table.c.key == self._keys[item.column.key]
        covers = self._scope.covers(table, item.column.kind)
        return [covers, key, part.condition, *self._members.has(run), *_restricted(run, only)]

    def _count_part(self, item: OrderItem, number: int, only: Sequence[tuple[RunIds, bool]], offset: int) -> int:
        if offset == 0:
            return 0
        table = table_of(self._scope, item.column)
        where = self._part_where(item, self._parts(item, table)[number], table, only)
        return self._scope.connection.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0

    def _count(self, only: Sequence[tuple[RunIds, bool]], offset: int) -> int:
        if offset == 0:
            return 0
        run = self._scope.alias(t.run)
        where = [*self._members.has_run(run), *_restricted(run.c.id, only)]
        return self._scope.connection.scalar(sa.select(sa.func.count()).select_from(run).where(*where)) or 0

    def _rows(
        self,
        source: sa.FromClause,
        run: sa.FromClause,
        where: Sequence[Condition],
        ordered: Sequence[Ordering],
        rest: Sequence[OrderItem],
        *,
        limit: int,
        offset: int,
    ) -> list[RowId]:
        """The ids of a page, the remaining keys joined, ties by newest start and then by id."""
        by = list(ordered)
        for item in rest:
            table = run
            if item.column.kind != "attribute":
                table = table_of(self._scope, item.column)
                key = self._keys[item.column.key]
                source = source.outerjoin(table, sa.and_(table.c.run == run.c.id, table.c.key == key))
            by += self._ranked(item, table)
        by += [run.c.start_ms.desc(), run.c.id.asc()]
        page = sa.select(run.c.id).select_from(source).where(*where).order_by(*by).limit(limit).offset(offset)
        return [RowId(row) for row in self._scope.connection.execute(page).scalars()]

    def _ranked(self, item: OrderItem, table: sa.FromClause) -> list[Ordering]:
        """An order key of joined rows: what class the value is of, then the value."""
        column = item.column
        value = text_order(self._scope, value_of(column, table))
        if column.kind == "attribute":
            classes: list[Ordering] = [sa.case((value.is_(None), 1), else_=0)] if null_is_missing(column) else []
            return [*classes, _directed(value, item)]
        missing = value.is_(None) if null_is_missing(column) else table.c.run.is_(None)
        if column.kind == "param" and not item.as_text:
            number = table.c.number
            text = sa.case((number.is_(None), value))
            rank = sa.case((missing, 2), (number.is_(None), 1), else_=0)
            return [rank, _directed(number, item), _directed(text, item)]
        return [sa.case((missing, 2), (value.is_(None), 1), else_=0), _directed(value, item)]


def _restricted(run: sa.ColumnElement[int], only: Sequence[tuple[RunIds, bool]]) -> list[Condition]:
    return [unplanned(run).in_(runs) if inside else unplanned(run).not_in(runs) for runs, inside in only]


def _directed(value: Value, item: OrderItem) -> Ordering:
    return value.desc() if item.descending else value.asc()

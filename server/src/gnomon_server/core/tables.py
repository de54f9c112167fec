"""Runs as tables: a page of chosen columns, and groups of runs with aggregates."""

from collections.abc import Sequence

from msgspec import Struct

from gnomon_server.core.access import Principal
from gnomon_server.core.runs import Runs, RunSearch
from gnomon_server.model.filters import Column, GroupOrder
from gnomon_server.model.ids import RunUid
from gnomon_server.store import Stores
from gnomon_server.store.meta import columns as sql
from gnomon_server.store.meta import runs as run_sql


class TablePage(Struct, frozen=True):
    """A page of runs, column by column; each column has a cell for each run, None where the run has no such value."""

    total: int
    runs: Sequence[RunUid]
    columns: dict[str, list[sql.Cell]]


class RunTables:
    """Tables and groups over what a run search finds."""

    def __init__(self, stores: Stores, runs: Runs) -> None:
        self._stores = stores
        self._runs = runs

    def page(self, principal: Principal, wanted: RunSearch, columns: Sequence[Column]) -> TablePage:
        """One page of the runs that the search finds, with these columns. Times are Unix milliseconds."""
        self._runs.settle(principal, wanted, columns)
        with self._stores.database.read(principal.tenant) as connection:
            total, rows = self._runs.find_rows(connection, wanted)
            uids = run_sql.uids_of(connection, rows)
            cells = sql.columns_page(connection, rows, columns)
        return TablePage(total=total, runs=[uids[row] for row in rows], columns=cells)

    def groups(
        self,
        principal: Principal,
        wanted: RunSearch,
        *,
        by: Sequence[Column],
        aggregate: Sequence[Column],
        order: Sequence[GroupOrder],
    ) -> tuple[int, list[sql.Group]]:
        """The runs that the search finds, in groups that share the values of `by`."""
        self._runs.settle(principal, wanted, aggregate)
        with self._stores.database.read(principal.tenant) as connection:
            return sql.group_runs(
                connection,
                experiments=self._runs.experiment_rows(connection, wanted.experiments),
                filter=wanted.filter,
                lifecycle=wanted.lifecycle_stage,
                by=by,
                aggregate=aggregate,
                order=order,
                limit=wanted.limit,
                offset=wanted.offset,
            )

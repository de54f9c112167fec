"""Finding runs: a filter, an order and a page, with the exact total.

Few statements: the ids of the key names, the set of runs (counted, and kept as one value, so that no later statement
computes it again and its rows never cross into Python one by one), and the page.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.entities import LifecycleStage
from gnomon_server.model.filters.ast import And, Column, Compare, Expr, Matches, OrderItem, leaves
from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.keys import find_keys
from gnomon_server.store.meta.search_pages import SORTED_AT_MOST, Members, Pager, ids_listed
from gnomon_server.store.meta.search_sets import row_of, run_set
from gnomon_server.store.meta.search_values import RunIds, Scope, condition, unplanned

Lifecycle = LifecycleStage | Literal["all"]


def find_runs(
    connection: Connection,
    *,
    experiments: Sequence[RowId] | None,
    filter: Expr | None = None,
    order: Sequence[OrderItem] = (),
    lifecycle: Lifecycle = "active",
    status: str | None = None,
    name_search: str | None = None,
    limit: int,
    offset: int,
    few: int = SORTED_AT_MOST,
) -> tuple[int, list[RowId]]:
    """How many runs match, and the ids of one page of them in order.

    `experiments` None is the whole tenant. Without an order: newest start first. Ties: newest start, then id. `few` is
    up to how many runs are sorted rather than walked off an index; it changes the speed and nothing else.
    """
    if experiments is not None and not experiments:
        return 0, []
    scope = Scope.of(connection, experiments, None if lifecycle == "all" else lifecycle)
    wanted = all_of(filter, status=status, name_search=name_search)
    columns = [item.column for item in order]
    keys = key_ids(connection, [*columns, *(leaf.column for leaf in leaves(wanted))] if wanted else columns)
    members = _members(scope, keys, wanted)
    return members.total, Pager(members, keys, few=few).page(order, limit=limit, offset=offset)


def all_of(filter: Expr | None, *, status: str | None, name_search: str | None) -> Expr | None:
    """The filter and what the other parameters of a search ask for, as one expression."""
    wanted: list[Expr] = [] if filter is None else [filter]
    if status is not None:
        wanted.append(Compare(Column("attribute", "status", text="status"), "=", status))
    if name_search:
        wanted.append(Matches(Column("attribute", "name", text="name"), "contains", name_search))
    return And(tuple(wanted)) if len(wanted) > 1 else (wanted[0] if wanted else None)


def key_ids(connection: Connection, columns: Iterable[Column]) -> dict[str, KeyId]:
    """The ids of the keys that the columns name, where they exist."""
    names = sorted({column.key for column in columns if column.kind not in ("attribute", "dataset")})
    return find_keys(connection, names) if names else {}


def matching(scope: Scope, keys: dict[str, KeyId], wanted: Expr | None) -> RunIds:
    """A SELECT of the ids (`run`) of all runs of the scope that match."""
    run = scope.alias(t.run)
    all_runs = sa.select(run.c.id.label("run")).where(scope.covers_run(run))
    if wanted is None:
        return all_runs
    if row_of(wanted) == ("attribute", ""):
        return all_runs.where(condition(scope, wanted, run))
    found = run_set(scope, keys, wanted)
    if found.is_complement:
        return all_runs.where(unplanned(run.c.id).not_in(found.runs))
    walked = found.walked
    return walked.runs.where(*scope.in_stage(walked.column))


def _members(scope: Scope, keys: dict[str, KeyId], wanted: Expr | None) -> Members:
    runs = matching(scope, keys, wanted).subquery()
    if wanted is None:
        total = _kept_total(scope)
        if total is None:
            total = scope.connection.scalar(sa.select(sa.func.count()).select_from(runs)) or 0
        return Members(scope, None, total)
    listing = sa.select(sa.func.count(), ids_listed(scope, runs.c.run))
    total, listed = scope.connection.execute(listing).one()
    return Members(scope, listed, total)


def _kept_total(scope: Scope) -> int | None:
    """How many active runs there are, from the counts that experiments keep: a page costs the same however many.

    None where the counts do not say: an archived experiment keeps how many runs its archiving took.
    """
    if scope.stage != "active":
        return None
    experiment = t.experiment.c
    archived = sa.func.count(sa.case((experiment.lifecycle_stage != "active", 1)))
    kept = sa.select(sa.func.sum(experiment.run_count), archived)
    if scope.experiments is not None:
        kept = kept.where(experiment.id.in_(scope.experiments))
    total, archived_count = scope.connection.execute(kept).one()
    return None if archived_count else int(total or 0)

"""Putting summaries right after points came late, before anybody reads a count.

Points without identity that came again are dropped when a series is read and when it is sealed. `n`, `nonfinite` and
`total` of its summary were added to all the same. `series_.late` says so: UNCOUNTED from the moment such points came,
COUNTED once this has counted the series as a reader would, 0 when sealing has removed the repeats. It is asked for when
a query names a count or a mean, and by sealing; ingest never waits for it.
"""

from collections.abc import Collection, Sequence

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta import usage
from gnomon_server.store.points import read
from gnomon_server.store.points.folding import finite_sum
from gnomon_server.store.points.tail import Pair

UNCOUNTED = 1
COUNTED = 2
_MOST_AT_ONCE = 500


def uncounted(connection: Connection, experiments: Sequence[RowId] | None, keys: Sequence[KeyId]) -> list[Pair]:
    """The series of these metrics, in these experiments (None: all), whose counts may include repeats."""
    series = t.series.c
    query = sa.select(series.run, series.key).where(series.late == UNCOUNTED, series.key.in_(keys))
    if experiments is not None:
        query = query.where(series.experiment.in_(experiments))
    return [(RowId(run), KeyId(key)) for run, key in connection.execute(query)]


def recount(connection: Connection, tenant: TenantId, pairs: Collection[Pair]) -> None:
    """Write the exact counts of those of these series that need it. Their tails are read, few chunks are decoded."""
    for start in range(0, len(pairs), _MOST_AT_ONCE):
        _recount(connection, tenant, sorted(pairs)[start : start + _MOST_AT_ONCE])


def _recount(connection: Connection, tenant: TenantId, pairs: Sequence[Pair]) -> None:
    series, base = t.series.c, t.series_base.c
    runs, keys = sorted({run for run, _ in pairs}), sorted({key for _, key in pairs})
    query = sa.select(series.run, series.key, series.n).where(
        series.run.in_(runs), series.key.in_(keys), series.late == UNCOUNTED
    )
    found = {(RowId(run), KeyId(key)): int(n) for run, key, n in connection.execute(query)}
    late = {pair: found[pair] for pair in pairs if pair in found}
    if not late:
        return
    stored = read.open_series(connection, sorted({run for run, _ in late}), sorted({key for _, key in late}))
    mine = sa.and_(base.tenant == tenant, base.run == sa.bindparam("of_run"), base.key == sa.bindparam("of_key"))
    values: dict[str, sa.BindParameter[float] | int] = {
        name: sa.bindparam(f"new_{name}") for name in ("n", "nonfinite", "total")
    }
    statement = sa.update(t.series_base).where(mine).values(values | {"late": COUNTED})
    counts = [_counts(stored[pair]) for pair in sorted(late)]
    connection.execute(statement, counts)
    usage.add(connection, tenant, points=sum(int(each["new_n"]) for each in counts) - sum(late.values()))


def _counts(series: read.StoredSeries) -> dict[str, int | float]:
    is_finite = np.isfinite(series.tail.value)
    sums = np.array([stats.total for stats in series.chunks] + [finite_sum(series.tail.value[is_finite])])
    return {
        "of_run": series.run,
        "of_key": series.key,
        "new_n": len(series),
        "new_nonfinite": sum(stats.nonfinite for stats in series.chunks) + int((~is_finite).sum()),
        "new_total": finite_sum(sums),
    }

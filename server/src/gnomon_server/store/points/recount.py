"""Putting summaries right in the transaction that took repeated points, so that a count is never behind the points.

Points without identity that came again are dropped when a series is read and when it is sealed. `n`, `nonfinite` and
`total` of its summary were added to all the same; this counts the series as a reader would, and writes what it finds.
Only series to which points came late need it, and only in the group that brought them.
"""

from collections.abc import Collection

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points import read, tail
from gnomon_server.store.points.summaries import finite_sum
from gnomon_server.store.points.tail import Pair


def recount(connection: Connection, tenant: TenantId, pairs: Collection[Pair]) -> None:
    """Write the exact counts of those of these series that may hold repeats. The tails are read, few chunks are."""
    runs = sorted({run for run, _ in pairs})
    late = tail.late_series(connection, runs).intersection(pairs)
    if not late:
        return
    stored = read.open_series(connection, sorted({run for run, _ in late}), sorted({key for _, key in late}))
    base = t.series_base.c
    mine = sa.and_(base.tenant == tenant, base.run == sa.bindparam("of_run"), base.key == sa.bindparam("of_key"))
    statement = sa.update(t.series_base).where(mine)
    values: dict[str, sa.BindParameter[float]] = {
        name: sa.bindparam(f"new_{name}") for name in ("n", "nonfinite", "total")
    }
    connection.execute(statement.values(values), [_counts(stored[pair]) for pair in sorted(late)])


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

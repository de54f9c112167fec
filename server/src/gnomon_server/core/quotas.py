"""What keeps a tenant within its limits: asked in the transaction that would keep more, so none is passed.

The limits of all tenants are held in memory and read anew when they have changed, which every process asks twice a
second; a change is felt everywhere within that time. What a tenant keeps is counted as it comes and goes
(`store/meta/usage.py`), so a question costs one look at a few rows, and a tenant without limits pays nothing.

What already is past a limit that was lowered stays, and only what would grow is refused.
"""

import threading
from collections import Counter
from collections.abc import Container, Mapping, Sequence

from gnomon_server.model.errors import QuotaExceeded
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import PointBatch
from gnomon_server.model.quotas import NO_LIMITS, Limits, QuotaName, Use
from gnomon_server.store import Connection
from gnomon_server.store.meta import runs as run_sql
from gnomon_server.store.meta import usage
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.keys import KeyCache

# What to do about each, besides asking for more.
_ADVICE: Mapping[QuotaName, str] = {
    "experiments": "remove experiments for good (archive them, then purge them)",
    "runs": "remove runs for good (archive them, then purge them)",
    "series": "remove runs for good, or log fewer metric names",
    "points": "remove runs for good, or log less often",
    "artifact_bytes": "delete artifacts, or remove runs for good",
}
_SAID: Mapping[QuotaName, str] = {
    "experiments": "experiments",
    "runs": "runs",
    "series": "metric series",
    "points": "points",
    "artifact_bytes": "bytes of artifacts",
}


class Quotas:
    """The limits of every tenant, as one process knows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = 0
        self._limits: dict[TenantId, tuple[str, Limits]] = {}
        self._lock = threading.Lock()
        self._refused: Counter[QuotaName] = Counter()
        self.refresh()

    def refresh(self) -> None:
        """Read the limits anew if they have changed since they were read."""
        with self._database.system() as connection:
            version = usage.read_version(connection)
            if version != self._version:
                self._limits, self._version = usage.read_limits(connection), version

    def limits_of(self, tenant: TenantId) -> Limits:
        """What the tenant may keep."""
        return self._limits.get(tenant, ("", NO_LIMITS))[1]

    def refused(self) -> Mapping[QuotaName, int]:
        """How often each quota refused something since this process began."""
        with self._lock:
            return dict(self._refused)

    def room_for_points(self, tx: Connection, tenant: TenantId) -> "Room | None":
        """The room for points and series that the tenant has in this transaction; None where neither is limited."""
        limits = self.limits_of(tenant)
        if limits.points is None and limits.series is None:
            return None
        return Room(self, tenant, limits, usage.read_use(tx))

    def admit(self, tx: Connection, tenant: TenantId, name: QuotaName, adding: int) -> None:
        """Raise `QuotaExceeded` when so much more would pass the limit. The caller writes for the tenant alone."""
        limit = self.limits_of(tenant).of(name)
        if limit is None or adding <= 0:
            return
        used = usage.read_use(tx).of(name)
        if used + adding > limit:
            raise self.refusal(tenant, name, adding=adding, used=used, limit=limit)
        if name == "artifact_bytes" and used + adding + (waiting := usage.read_waiting_bytes(tx)) > 2 * limit:
            # What was deleted is on the disk until it is swept: else deleting and sending anew would fill the disk.
            raise self.refusal(tenant, name, adding=adding, used=used, limit=limit, waiting=waiting)

    def refusal(
        self, tenant: TenantId, name: QuotaName, *, adding: int, used: int, limit: int, waiting: int = 0
    ) -> QuotaExceeded:
        """What is answered to who asked for too much; counted."""
        with self._lock:
            self._refused[name] += 1
        tenant_name = self._limits.get(tenant, ("", NO_LIMITS))[0]
        said = _SAID[name]
        first = (
            f"tenant {tenant_name} keeps {used:,} of the {limit:,} {said} of its quota, and this would add {adding:,}"
        )
        if waiting:
            advice = (
                f"{waiting:,} bytes that were deleted are on the disk still; wait until the server has removed them"
            )
        else:
            advice = f"nothing of it was kept: {_ADVICE[name]}"
        return QuotaExceeded(f"{first}; {advice}, or ask whoever runs the server for a larger quota", quota=name)


class Room:
    """What one transaction may still add for a tenant. A batch asks (`check`), and takes it once it is admitted."""

    def __init__(self, quotas: Quotas, tenant: TenantId, limits: Limits, use: Use) -> None:
        self._quotas = quotas
        self._tenant = tenant
        self._limits = limits
        self._points, self._series = use.points, use.series
        self._asked = (0, 0)

    def check(
        self,
        tx: Connection,
        run: RowId,
        points: PointBatch,
        before: Sequence[PointBatch],
        *,
        keys: KeyCache,
        known: Container[tuple[RowId, KeyId]],
    ) -> None:
        """Raise `QuotaExceeded` when these points of a run would pass a limit.

        `before`: what was admitted for the run and is not stored yet. `known`: series that surely are stored.
        """
        new = 0
        if self._limits.series is not None:
            names = _names(points).difference(*map(_names, before))
            unknown = [key for key in keys.resolve(tx, self._tenant, sorted(names)) if (run, key) not in known]
            new = len(unknown) - len(run_sql.read_series_keys(tx, run, unknown)) if unknown else 0
        self._refuse("points", len(points), self._points, self._limits.points)
        self._refuse("series", new, self._series, self._limits.series)
        self._asked = (len(points), new)

    def take(self) -> None:
        """What was asked for last is kept."""
        points, series = self._asked
        self._points, self._series, self._asked = self._points + points, self._series + series, (0, 0)

    def is_overrun(self, tx: Connection, *, points: int, series: int) -> bool:
        """Whether others, who write beside this transaction, have taken room that this one took for its own."""
        use, limits = usage.read_use(tx), self._limits
        return (points > 0 and limits.points is not None and use.points > limits.points) or (
            series > 0 and limits.series is not None and use.series > limits.series
        )

    def _refuse(self, name: QuotaName, adding: int, used: int, limit: int | None) -> None:
        if limit is not None and adding > 0 and used + adding > limit:
            raise self._quotas.refusal(self._tenant, name, adding=adding, used=used, limit=limit)


def _names(points: PointBatch) -> set[str]:
    """The metrics that have points in a batch; it may name more."""
    return {points.names[place] for place in set(points.key.tolist())}

"""Reading metrics: full histories by page or as a stream, and many series reduced to what a chart can show."""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from gnomon_server.core.access import Access, Principal
from gnomon_server.model.errors import invalid_field
from gnomon_server.model.ids import KeyId, RowId
from gnomon_server.model.points import EMPTY, Buckets, Floats, Points
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import keys as key_sql
from gnomon_server.store.meta import runs as run_sql
from gnomon_server.store.points import downsample, read

MAX_SERIES_RUNS = 1_000
MAX_SERIES_KEYS = 500
# Buckets that one answer may hold in all: about 100 MB of JSON, far more than a screen has pixels.
MAX_ANSWER_BUCKETS = 2_000_000


class SeriesPage(Struct, frozen=True):
    """Points of one key from `offset`, and how many the key has in all."""

    key: str
    total: int
    points: Points


class ReducedRun(Struct, frozen=True):
    """One series of one run, reduced. `n` counts all of its points, `nonfinite` the NaN and infinite ones in range."""

    run: str
    key: str
    n: int
    buckets: Buckets


class Metrics:
    def __init__(self, stores: Stores, access: Access) -> None:
        self._stores = stores
        self._access = access

    def history(
        self, principal: Principal, run_uid: str, keys: Sequence[str], *, limit: int, offset: int
    ) -> list[SeriesPage]:
        """A page of each key's points in the order (step, arrival). No key means all; an unknown one is empty."""
        with self._stores.database.read(principal.tenant) as connection:
            run = self._row(connection, run_uid)
            ids = self._keys_of(connection, run, keys)
            known = [key for key in ids.values() if key is not None]
            windows = read.read_window(connection, run, known, offset=offset, limit=limit)
            pages = []
            for name, key in ids.items():
                window = windows.get(key) if key is not None else None
                total, points = (0, EMPTY) if window is None else (window.total, window.points)
                pages.append(SeriesPage(key=name, total=total, points=points))
            return pages

    def stream(self, principal: Principal, run_uid: str, keys: Sequence[str]) -> Iterator[tuple[str, Points]]:
        """Every point of the keys, in bounded blocks, from one snapshot that lasts as long as the iteration."""
        with self._stores.database.read(principal.tenant) as connection:
            run = self._row(connection, run_uid)
            for name, key in self._keys_of(connection, run, keys).items():
                if key is not None:
                    for points in read.iter_series(connection, run, key):
                        yield name, points

    def series(
        self,
        principal: Principal,
        run_uids: Sequence[str],
        keys: Sequence[str],
        *,
        x: str,
        buckets: int,
        x_range: tuple[float, float] | None,
    ) -> list[ReducedRun]:
        """Many runs by many keys, each reduced from all of its points over one shared range of x."""
        _refuse_too_much(run_uids, keys, buckets)
        with self._stores.database.read(principal.tenant) as connection:
            rows = run_sql.find_rows(connection, run_uids)
            for uid in run_uids:
                if uid not in rows:
                    raise self._access.missing_run(uid)
            ids = key_sql.find_keys(connection, [*keys, x])
            wanted = _Wanted(run_uids, rows, keys, ids, buckets, x_range)
            if x in ("step", "time", "relative"):
                starts = run_sql.read_starts(connection, list(rows.values()))
                return _reduce_by_axis(connection, wanted, x, starts)
            return _reduce_by_metric(connection, wanted, ids.get(x))

    def _row(self, connection: Connection, uid: str) -> RowId:
        rows = run_sql.find_rows(connection, [uid])
        if uid not in rows:
            raise self._access.missing_run(uid)
        return rows[uid]

    def _keys_of(self, connection: Connection, run: RowId, names: Sequence[str]) -> dict[str, KeyId | None]:
        if not names:
            return dict(run_sql.read_series_names(connection, run))
        found = key_sql.find_keys(connection, names)
        return {name: found.get(name) for name in names}


class _Wanted(Struct, frozen=True):
    run_uids: Sequence[str]
    rows: dict[str, RowId]
    keys: Sequence[str]
    ids: dict[str, KeyId]
    buckets: int
    x_range: tuple[float, float] | None


def _refuse_too_much(run_uids: Sequence[str], keys: Sequence[str], buckets: int) -> None:
    for field, given, most in (("run_ids", run_uids, MAX_SERIES_RUNS), ("keys", keys, MAX_SERIES_KEYS)):
        if not 1 <= len(given) <= most:
            raise invalid_field(field, f"holds {len(given)} entries; give 1 to {most}")
        if len(set(given)) != len(given):
            raise invalid_field(field, "names one entry twice")
    if len(run_uids) * len(keys) * buckets > MAX_ANSWER_BUCKETS:
        most = MAX_ANSWER_BUCKETS
        raise invalid_field("buckets", f"times runs times keys is more than {most}; ask for fewer of one of them")


def _reduce_by_axis(connection: Connection, wanted: _Wanted, x: str, starts: dict[RowId, int]) -> list[ReducedRun]:
    """Reduce along step, time or time since each run's start; chunks that fall into one bucket are not even decoded."""
    keys = [wanted.ids[key] for key in wanted.keys if key in wanted.ids]
    stored = read.open_series(connection, list(wanted.rows.values()), keys)
    axes = {row: _axis(x, starts[row]) for row in wanted.rows.values()}
    low_high = wanted.x_range
    if low_high is None:
        extents = [read.extent([series], axes[run]) for (run, _), series in stored.items()]
        known = [extent for extent in extents if extent is not None]
        low_high = (min(low for low, _ in known), max(high for _, high in known)) if known else (0.0, 0.0)
    lo, hi = low_high
    sharing: dict[downsample.Axis, list[read.StoredSeries]] = {}  # all series but for `relative`: read together
    for (run, _), series in stored.items():
        sharing.setdefault(axes[run], []).append(series)
    found: dict[tuple[RowId, KeyId], tuple[int, Buckets]] = {}
    for axis, group in sharing.items():
        reduced = read.reduce_series(connection, group, axis, lo=lo, hi=hi, buckets=wanted.buckets)
        found.update(((each.run, each.key), (len(each), buckets)) for each, buckets in zip(group, reduced, strict=True))
    nothing = (0, _NO_BUCKETS)
    answer = []
    for uid in wanted.run_uids:
        for key in wanted.keys:
            n, buckets = found.get((wanted.rows[uid], wanted.ids[key]), nothing) if key in wanted.ids else nothing
            answer.append(ReducedRun(run=uid, key=key, n=n, buckets=buckets))
    return answer


def _reduce_by_metric(connection: Connection, wanted: _Wanted, x_key: KeyId | None) -> list[ReducedRun]:
    """Reduce along another metric: a point lies where that metric stood at its step, or last stood before it.

    Points before its first finite value lie nowhere and are left out.
    """
    keys = [wanted.ids[key] for key in wanted.keys if key in wanted.ids]
    placed: dict[tuple[str, str], tuple[Floats, Points]] = {}
    for uid, run in wanted.rows.items():
        if x_key is None:
            break
        columns = read.read_series(connection, run, [*keys, x_key])
        for key in wanted.keys:
            if key in wanted.ids and wanted.ids[key] in columns:
                placed[(uid, key)] = _place(columns[wanted.ids[key]], columns.get(x_key, EMPTY))
    lo, hi = wanted.x_range or _extent_of([x for x, _ in placed.values()])
    answer = []
    for uid in wanted.run_uids:
        for key in wanted.keys:
            x, points = placed.get((uid, key), (np.empty(0), EMPTY))
            buckets = downsample.reduce(x, points, lo, hi, wanted.buckets) if len(x) else _NO_BUCKETS
            answer.append(ReducedRun(run=uid, key=key, n=len(points), buckets=buckets))
    return answer


def _place(points: Points, along: Points) -> tuple[Floats, Points]:
    finite = np.isfinite(along.value)
    steps, values = along.step[finite], along.value[finite]
    at = np.searchsorted(steps, points.step, side="right") - 1
    has_place = at >= 0
    kept = Points(points.step[has_place], points.time_ms[has_place], points.value[has_place])
    return values[at[has_place]], kept


def _extent_of(columns: Sequence[Floats]) -> tuple[float, float]:
    filled = [x for x in columns if len(x)]
    if not filled:
        return 0.0, 0.0
    return float(min(x.min() for x in filled)), float(max(x.max() for x in filled))


def _axis(x: str, start_ms: int) -> downsample.Axis:
    if x == "relative":
        return downsample.relative_to(start_ms)
    return downsample.TIME if x == "time" else downsample.STEP


_NO_FLOATS = np.empty(0)
_NO_INTS = np.empty(0, np.int64)
_NO_BUCKETS = Buckets(
    x=_NO_FLOATS,
    first=_NO_FLOATS,
    last=_NO_FLOATS,
    low=_NO_FLOATS,
    high=_NO_FLOATS,
    mean=_NO_FLOATS,
    count=_NO_INTS,
    nonfinite=_NO_INTS,
)

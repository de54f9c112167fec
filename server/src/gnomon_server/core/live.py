"""Who watches an experiment, and what has changed in it since they looked last.

The writer tells `publish` after each commit. A watch gathers what concerns its experiment and wakes its owner once; the
owner takes what gathered and reads how things stand now. So a thousand commits between two looks cost one read, and
what is told is always committed. Invariants:

- A watch belongs to one tenant and one experiment, and reads behind that tenant's wall.
- What gathers is bounded: past a bound it becomes "look at all of it again".
- A revision counts the commits that this process made or heard of. The journal knows which runs changed since one, back
  to a bound.
- Nothing here waits: `publish` runs in the writer's thread.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from gnomon_server.core.access import Principal
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import Experiment
from gnomon_server.model.ids import KeyId, RowId, RunUid, TenantId, new_uid
from gnomon_server.store.meta import experiments as experiment_sql
from gnomon_server.store.meta import live as sql
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.live import RunLine, SeriesLine

# What one look may hold: past it a page is better off reading its own screen again.
MAX_RUNS = 1_000
MAX_SERIES = 2_000
# A run with more changed metrics than this is told as a whole; a page shows a few dozen of them.
MAX_KEYS_A_RUN = 200
_JOURNAL_RUNS = 20_000
_WHOLE = RowId(0)  # in the journal: the experiment, not one of its runs

Place = tuple[TenantId, RowId]


@dataclass(slots=True)
class Touched:
    """What changed between two looks. `points` of a run are its changed series; None is "any of them"."""

    is_everything: bool = False
    has_experiment: bool = False
    runs: set[RowId] = field(default_factory=set)
    points: dict[RowId, set[KeyId] | None] = field(default_factory=dict)

    def add(self, change: Change) -> None:
        if self.is_everything:
            return
        match change.kind:
            case "experiment":
                self.has_experiment = True
            case "runs":
                self.make_everything()
            case "run":
                self.runs.add(change.run)
            case "points":
                self._add_points(change.run, change.keys)
        if len(self.runs) > MAX_RUNS or len(self.points) > MAX_RUNS:
            self.make_everything()

    def add_run(self, run: RowId) -> None:
        """A run of which only is known that it changed."""
        self.runs.add(run)
        self.points[run] = None

    def make_everything(self) -> None:
        self.is_everything = True
        self.runs.clear()
        self.points.clear()

    def _add_points(self, run: RowId, keys: Collection[KeyId]) -> None:
        known = self.points.setdefault(run, set())
        if known is None:
            return
        known.update(keys)
        if len(known) > MAX_KEYS_A_RUN:
            self.points[run] = None


class RunPoints(Struct, frozen=True):
    """The series of a run that took points. `is_partial`: others did too, which are not listed."""

    run: RunUid
    series: Sequence[SeriesLine]
    is_partial: bool


class News(Struct, frozen=True):
    """How things stand, of what was touched. `is_everything`: more changed than is told here; look at all of it."""

    is_everything: bool
    experiment: Experiment | None = None
    running: int = 0
    runs: Sequence[RunLine] = ()
    points: Sequence[RunPoints] = ()


class Watch:
    """One watched experiment. `wake` is called, from the writer's thread, when something gathers after a `take`."""

    def __init__(self, live: "Live", place: Place, wake: Callable[[], None]) -> None:
        self._live = live
        self.place = place
        self._wake = wake
        self._touched = Touched()
        self._is_woken = False

    def take(self) -> tuple[Touched, int]:
        """What gathered since the last take, and the revision that it belongs to."""
        with self._live.lock:
            touched, self._touched = self._touched, Touched()
            self._is_woken = False
            return touched, self._live.revision

    def add(self, change: Change) -> None:
        self._touched.add(change)
        if not self._is_woken:
            self._is_woken = True
            self._wake()

    def close(self) -> None:
        """Once this returns, `wake` is not called any more."""
        self._live.forget(self)


class Live:
    """The watches of one server and the journal of its latest changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watches: dict[Place, set[Watch]] = {}
        self._journal: OrderedDict[tuple[TenantId, RowId, RowId], int] = OrderedDict()
        self._forgotten = 0
        self.lock = threading.Lock()
        self.revision = 0
        self.epoch = new_uid()[:12]  # revisions of another process mean nothing here

    def publish(self, changes: Sequence[Change]) -> None:
        """These changes are committed, here or by another process. Called in writers' threads and that of `gossip`."""
        with self.lock:
            self.revision += 1
            for change in changes:
                self._keep(change)
                for watch in self._watches.get((change.tenant, change.experiment), ()):
                    watch.add(change)

    def lose_track(self) -> None:
        """Other processes may have changed anything: whoever watches looks at all of it again."""
        with self.lock:
            self.revision += 1
            self._journal.clear()
            self._forgotten = self.revision
            for place, watches in self._watches.items():
                for watch in watches:
                    watch.add(Change("runs", *place))

    def watch(self, principal: Principal, experiment: Experiment, wake: Callable[[], None]) -> Watch:
        """Watch an experiment of the principal's tenant until the watch is closed."""
        found = Watch(self, (principal.tenant, experiment.row), wake)
        with self.lock:
            self._watches.setdefault(found.place, set()).add(found)
        return found

    def forget(self, watch: Watch) -> None:
        with self.lock:
            watches = self._watches.get(watch.place, set())
            watches.discard(watch)
            if not watches:
                self._watches.pop(watch.place, None)

    def since(self, place: Place, revision: int | None) -> tuple[Touched, int]:
        """What changed after a revision, and the revision now. Without one, or past the journal: everything."""
        touched = Touched(has_experiment=True)
        with self.lock:
            if revision is None or not self._forgotten <= revision <= self.revision:
                touched.make_everything()
                return touched, self.revision
            for (tenant, experiment, run), changed in reversed(self._journal.items()):
                if changed <= revision:
                    break
                if (tenant, experiment) != place:
                    continue
                if run == _WHOLE or len(touched.runs) >= MAX_RUNS:
                    touched.make_everything()
                    break
                touched.add_run(run)
            return touched, self.revision

    def read(self, principal: Principal, experiment: Experiment, touched: Touched) -> News:
        """How everything that was touched stands now, in one snapshot."""
        listed: list[tuple[RowId, KeyId]] = []
        partial: set[RowId] = set()
        for run, keys in touched.points.items():
            if keys is None or len(listed) + len(keys) > MAX_SERIES:
                partial.add(run)
            else:
                listed.extend((run, key) for key in keys)
        with self._database.read(principal.tenant) as connection:
            lines = sql.read_run_lines(connection, touched.runs | touched.points.keys())
            series: dict[RowId, list[SeriesLine]] = {}
            for line in sql.read_series_lines(connection, listed):
                series.setdefault(line.run, []).append(line)
            is_counted = bool(touched.is_everything or touched.has_experiment or touched.runs)
            return News(
                is_everything=touched.is_everything,
                experiment=experiment_sql.find_experiment(connection, experiment.uid) if is_counted else None,
                running=sql.count_running(connection, experiment.row) if is_counted else 0,
                runs=[line for line in lines if line.row in touched.runs],
                points=[
                    RunPoints(run=line.uid, series=series.get(line.row, []), is_partial=line.row in partial)
                    for line in lines
                    if line.row in touched.points
                ],
            )

    def _keep(self, change: Change) -> None:
        is_whole = change.kind in ("experiment", "runs")
        entry = (change.tenant, change.experiment, _WHOLE if is_whole else change.run)
        self._journal[entry] = self.revision
        self._journal.move_to_end(entry)
        if len(self._journal) > _JOURNAL_RUNS:
            _, self._forgotten = self._journal.popitem(last=False)

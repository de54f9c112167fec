"""The hot path: what a run logs, from checked columns to a committed transaction.

`append` runs in the request; it checks what needs no I/O and queues the batch. `commit` runs in the writer's thread,
inside the group's transaction, and answers each batch with its own result or error: an unknown run, an archived run,
a conflicting param, a gap in a writer's sequence. A batch with an error leaves nothing behind.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from math import isfinite
from operator import itemgetter
from threading import Lock, local

import numpy as np

from gnomon_server.core.liveness import check_in
from gnomon_server.core.outbox import Outbox
from gnomon_server.core.quotas import Quotas, Room
from gnomon_server.core.run_begin import begin_asked
from gnomon_server.model.batches import BatchKept, Identity, RunBatch
from gnomon_server.model.changes import Change
from gnomon_server.model.entities import RunHead
from gnomon_server.model.errors import GnomonError, InvalidRequest, ParamConflict, RunArchived, SequenceGap
from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.model.points import Keys, PointBatch
from gnomon_server.store import BatchWriter, Connection
from gnomon_server.store.meta import ledger as ledger_sql
from gnomon_server.store.meta import runs as sql
from gnomon_server.store.meta import usage
from gnomon_server.store.meta.doors import Writing
from gnomon_server.store.meta.driver import Savepoint
from gnomon_server.store.meta.keys import KeyCache, count_keys
from gnomon_server.store.points import folding, segments, summaries
from gnomon_server.store.points.grids import as_grid
from gnomon_server.store.tickets import MustBeAlone, Ticket, Waker

MAX_KEYS_PER_RUN = 10_000
# Bytes of one point in a segment: key, step, time, value.
_POINT_BYTES = 28
_CACHED_RUNS = 20_000
_CACHED_SERIES = 500_000
# Of a SeriesRow. An itemgetter by place is what costs least for each of a thousand rows.
_RUN_AND_KEY = itemgetter(0, 1)
_EXPERIMENT_AND_RUN = itemgetter(2, 0)


class _Memory(local):
    """What a writer's thread knows of the database. Each has its own: a batch always comes to the thread of its run.

    Where other processes write too, only what never changes is remembered: the numbers of keys, and that a series of a
    run is there (a run's number is never given out again).
    """

    def __init__(self) -> None:
        self.heads: dict[tuple[TenantId, str], RunHead] = {}
        self.series: dict[TenantId, set[tuple[RowId, KeyId]]] = {}
        self.series_count = 0
        self.keys = KeyCache()
        self.shard = random.choice(usage.SHARDS)  # noqa: S311  # so that few threads share one

    def clear(self) -> None:
        self.heads.clear()
        self.series.clear()
        self.series_count = 0
        self.keys.clear()


class Ingest:
    """Stores batches. One per server."""

    def __init__(
        self,
        *,
        missing_run: Callable[[str], GnomonError],
        outbox: Outbox,
        now_ms: Callable[[], int],
        rng: random.Random,
        quotas: Quotas,
    ) -> None:
        self._missing_run = missing_run
        self._outbox = outbox
        self._now_ms = now_ms
        self._rng = rng
        self._quotas = quotas
        self._writer: BatchWriter | None = None
        self._is_shared = False
        self._memory = _Memory()
        self._counting = Lock()
        self.points_kept = 0

    def attach(self, writer: BatchWriter, *, is_shared: bool = False) -> None:
        """The writer that calls `commit`. `is_shared`: other processes write to the database too."""
        self._writer = writer
        self._is_shared = is_shared

    def append(self, tenant: TenantId, batch: RunBatch, *, waker: Waker | None = None) -> Ticket[object]:
        """Queue a batch. The ticket is answered with `BatchKept`, or an error, once the group is on the disk."""
        assert self._writer is not None, "attach() comes first"
        size = _POINT_BYTES * len(batch.points) if batch.points is not None else 0
        return self._writer.submit_batch(tenant, batch, size=size + 200, waker=waker)

    def forget_runs(self) -> None:
        """Called in a transaction that changes which runs take points."""
        self._memory.heads.clear()

    def undo(self) -> None:
        """A transaction was undone, or rows were removed: nothing learnt of them may be remembered."""
        self._memory.clear()

    def commit(self, writing: Writing, group: Sequence[tuple[TenantId, RunBatch]]) -> list[BatchKept | GnomonError]:
        """Store the batches of a group in its transaction; one answer each, in order."""
        answers: list[BatchKept | GnomonError] = []
        for tenant, part in groupby(group, key=lambda item: item[0]):
            with writing.as_tenant(tenant) as tx:
                answers.extend(self._commit_tenant(tx, tenant, [batch for _, batch in part]))
        return answers

    def _commit_tenant(
        self, tx: Connection, tenant: TenantId, batches: Sequence[RunBatch]
    ) -> list[BatchKept | GnomonError]:
        heads = self._find_heads(tx, tenant, batches)
        room = self._quotas.room_for_points(tx, tenant)
        answers: list[BatchKept | GnomonError] = []
        kept: list[tuple[RunHead, RunBatch]] = []
        for batch in batches:
            head = heads.get(batch.run)
            try:
                if head is None:
                    head, is_new = self._begin(tx, tenant, batch, room)
                    heads[batch.run] = self._memory.heads[(tenant, batch.run)] = head
                else:
                    is_new = self._admit(tx, tenant, head, batch, room, waiting=kept)
            except GnomonError as error:
                answers.append(error)
                continue
            answers.append(BatchKept(is_duplicate=not is_new))
            if is_new and (batch.params or batch.tags or batch.create is not None or batch.name is not None):
                self._note(Change("run", tenant, head.experiment, head.row))
            if is_new and batch.points is not None and len(batch.points):
                kept.append((head, batch))
                if room is not None:
                    room.take()
        if kept:
            points, series = self._store_points(tx, tenant, kept)
            # The last thing before the commit: who adds to the same row waits for that.
            shard = self._memory.shard if self._is_shared and room is None else usage.ALONE
            usage.add(tx, tenant, shard=shard, points=points, series=series)
            if self._is_shared and room is not None and room.is_overrun(tx, points=points, series=series):
                raise MustBeAlone
        return answers

    def _begin(self, tx: Connection, tenant: TenantId, batch: RunBatch, room: Room | None) -> tuple[RunHead, bool]:
        """The run that this batch asks for, begun with it; refused, neither is left."""
        if batch.create is None:
            raise self._missing_run(batch.run)
        savepoint = Savepoint(tx)
        try:
            head = begin_asked(
                tx,
                tenant,
                batch.run,
                batch.create,
                missing_run=self._missing_run,
                now_ms=self._now_ms(),
                rng=self._rng,
                quotas=self._quotas,
            )
            if batch.create.tags:
                store_tags(tx, tenant, head, batch.create.tags, keys=self._memory.keys)
            is_new = self._admit(tx, tenant, head, batch, room)
            self._outbox.tell_begun(tx, tenant, head.row)
        except GnomonError:
            savepoint.undo()
            self.undo()
            raise
        savepoint.keep()
        return head, is_new

    def _admit(
        self,
        tx: Connection,
        tenant: TenantId,
        head: RunHead,
        batch: RunBatch,
        room: Room | None,
        *,
        waiting: Sequence[tuple[RunHead, RunBatch]] = (),
    ) -> bool:
        """Check the batch and store all of it but the points. False: it had been stored before.

        A repeat is known for one even where the run takes no more. `waiting`: what the group admitted before it.
        """
        last_seq = -1 if batch.identity is None else ledger_sql.last_seq(tx, head.row, batch.identity.writer)
        if batch.identity is not None and batch.identity.seq <= last_seq:
            ledger_sql.count_duplicate(tx, tenant, head.row, batch.identity.writer, now_ms=self._now_ms())
            return False
        if head.lifecycle_stage != "active":
            raise RunArchived(batch.run)
        if batch.is_check_in:
            if check_in(tx, tenant, head, outbox=self._outbox, now_ms=self._now_ms()):
                self._note(Change("run", tenant, head.experiment, head.row))
            return True
        if batch.points is not None:
            self._refuse_too_many_keys(tx, tenant, head, batch, waiting)
            if room is not None:
                before = [other.points for run, other in waiting if run.row == head.row and other.points is not None]
                known = self._memory.series.get(tenant, set())
                room.check(tx, head.row, batch.points, before, keys=self._memory.keys, known=known)
        new_params = self._new_params(tx, tenant, head, batch) if batch.params else {}
        if batch.identity is not None:
            self._advance(tx, tenant, head, batch, batch.identity, last_seq=last_seq)
        if new_params:
            sql.insert_params(tx, tenant, head.row, head.experiment, new_params)
            count_keys(tx, tenant, "param", {(head.experiment, key): 1 for key in new_params})
        if batch.tags:
            store_tags(tx, tenant, head, batch.tags, keys=self._memory.keys)
        if batch.name is not None:
            sql.update_run(tx, tenant, head.row, name=batch.name, updated_ms=self._now_ms())
        return True

    def _advance(
        self, tx: Connection, tenant: TenantId, head: RunHead, batch: RunBatch, identity: Identity, *, last_seq: int
    ) -> None:
        """Move the writer's place in the ledger to this batch, which must be the next."""
        if identity.seq > last_seq + 1:
            raise SequenceGap(expected_seq=last_seq + 1, got=identity.seq)
        points, now_ms = 0 if batch.points is None else len(batch.points), self._now_ms()
        ledger_sql.advance(tx, tenant, head.row, identity.writer, seq=identity.seq, points=points, now_ms=now_ms)
        if identity.thinned:
            ledger_sql.add_thinned(tx, tenant, head.row, identity.writer, identity.thinned)

    def _new_params(
        self, tx: Connection, tenant: TenantId, head: RunHead, batch: RunBatch
    ) -> dict[KeyId, tuple[str, float | None]]:
        """The params that the run has not yet; one that has another value already refuses the batch."""
        ids = dict(zip(batch.params, self._memory.keys.resolve(tx, tenant, batch.params), strict=True))
        old = sql.read_params(tx, head.row, list(ids.values()))
        changed = [
            (name, old[key], batch.params[name])
            for name, key in ids.items()
            if key in old and old[key] != batch.params[name]
        ]
        if changed:
            name, was, new = changed[0]
            raise ParamConflict(name, old=was, new=new, more=changed[1:])
        return {key: (batch.params[name], _number(batch.params[name])) for name, key in ids.items() if key not in old}

    def _refuse_too_many_keys(
        self,
        tx: Connection,
        tenant: TenantId,
        head: RunHead,
        batch: RunBatch,
        waiting: Sequence[tuple[RunHead, RunBatch]],
    ) -> None:
        """Refuse a batch whose names are too many for its run, those counted that the group will store before it."""
        assert batch.points is not None
        known = self._memory.series.get(tenant, set())
        keys = self._memory.keys.resolve(tx, tenant, batch.points.names)
        new = [key for key in keys if (head.row, key) not in known]
        if not new:
            return
        beside = [other.points.names for run, other in waiting if run.row == head.row and other.points is not None]
        stored = sql.count_series(tx, head.row)
        if stored + len(new) + sum(map(len, beside)) > MAX_KEYS_PER_RUN:
            for listed in beside:
                new += self._memory.keys.resolve(tx, tenant, listed)
            new_here = len(set(new) - sql.read_series_keys(tx, head.row, new))
            if stored + new_here > MAX_KEYS_PER_RUN:
                raise InvalidRequest(
                    f"run {batch.run} has {stored} metrics and takes {MAX_KEYS_PER_RUN} at most; use fewer names",
                    code="too_many_keys",
                )

    def _store_points(
        self, tx: Connection, tenant: TenantId, kept: Sequence[tuple[RunHead, RunBatch]]
    ) -> tuple[int, int]:
        """How many points were stored, and how many series began with them."""
        rows: list[segments.SegmentRow] = []
        items: list[folding.FoldItem] = []
        for head, batch in kept:
            points = batch.points
            assert points is not None
            ids = self._memory.keys.resolve(tx, tenant, points.names)
            is_identified = batch.identity is not None
            grid = as_grid(points, ids)
            if grid is None:
                keys = _key_column(points, ids)
                data = segments.encode(keys, points.step, points.time_ms, points.value, identified=is_identified)
            else:
                keys, data = None, segments.encode_grid(grid, identified=is_identified)
            columns = (keys, points.step, points.time_ms, points.value)
            rows.append(segments.SegmentRow(head.row, len(points), data))
            items.append(folding.FoldItem(head.row, head.experiment, *columns, identified=is_identified, grid=grid))
        segments.insert(tx, tenant, rows)
        with self._counting:
            self.points_kept += sum(row.n for row in rows)
        folded = folding.fold(items)
        known = self._known_series(tenant)
        added: dict[tuple[RowId, KeyId], int] = {}
        for row in summaries.new_series(tx, folded, known):
            place = (row.experiment, row.key)
            added[place] = added.get(place, 0) + 1
        summaries.write_summaries(tx, tenant, folded)
        count_keys(tx, tenant, "metric", added)
        known.update(map(_RUN_AND_KEY, folded))
        self._memory.series_count += len(added)
        grown: dict[tuple[RowId, RowId], list[KeyId]] = {}
        for (experiment, run), of_run in groupby(folded, key=_EXPERIMENT_AND_RUN):  # sorted by run
            grown[(experiment, run)] = [row.key for row in of_run]
        for (experiment, run), run_keys in grown.items():
            self._note(Change("points", tenant, experiment, run, run_keys))
        return sum(row.n for row in folded), sum(added.values())

    def _note(self, change: Change) -> None:
        assert self._writer is not None, "attach() comes first"
        self._writer.note(change)

    def _known_series(self, tenant: TenantId) -> set[tuple[RowId, KeyId]]:
        if self._memory.series_count > _CACHED_SERIES:
            self._memory.series.clear()
            self._memory.series_count = 0
        return self._memory.series.setdefault(tenant, set())

    def _find_heads(self, tx: Connection, tenant: TenantId, batches: Sequence[RunBatch]) -> dict[str, RunHead]:
        if self._is_shared:
            return sql.lock_heads(tx, sorted({batch.run for batch in batches}))
        found: dict[str, RunHead] = {}
        missing: set[str] = set()
        for batch in batches:
            head = self._memory.heads.get((tenant, batch.run))
            if head is None:
                missing.add(batch.run)
            else:
                found[batch.run] = head
        if missing:
            if len(self._memory.heads) > _CACHED_RUNS:
                self._memory.heads.clear()
            for uid, head in sql.find_heads(tx, sorted(missing)).items():
                found[uid] = self._memory.heads[(tenant, uid)] = head
        return found


def _key_column(points: PointBatch, ids: Sequence[KeyId]) -> Keys:
    if len(ids) == 1:
        return np.full(len(points), ids[0], np.uint32)
    return np.array(ids, np.uint32)[points.key]


def store_tags(
    tx: Connection, tenant: TenantId, head: RunHead, tags: Mapping[str, str | None], *, keys: KeyCache
) -> None:
    """Merge tags into a run: a value sets, None removes. Keeps the key catalogue."""
    ids = dict(zip(tags, keys.resolve(tx, tenant, tags), strict=True))
    old = sql.read_tag_keys(tx, head.row, list(ids.values()))
    values = {ids[name]: value for name, value in tags.items() if value is not None}
    removed = [ids[name] for name, value in tags.items() if value is None and ids[name] in old]
    if values:
        sql.set_tags(tx, tenant, head.row, head.experiment, values)
    if removed:
        sql.delete_tags(tx, tenant, head.row, removed)
    changes = {(head.experiment, key): 1 for key in values if key not in old}
    changes.update({(head.experiment, key): -1 for key in removed})
    count_keys(tx, tenant, "tag", changes)


def _number(text: str) -> float | None:
    """A param read as a finite number, where it is one; `1_000` and blanks are text."""
    if not text or text[0] not in "+-.0123456789" or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None

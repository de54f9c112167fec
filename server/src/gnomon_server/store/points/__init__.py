"""Points: how the metric history of a run is kept, read, reduced and removed.

The contract, in prose
======================
A point is (run, key, step, time_ms, value): `key` is a row of `key_`, `step` a double with |step| <= 2^53 and never
NaN, `time_ms` any int64, `value` any double; NaN payloads, infinities and -0.0 come back bit for bit.

* **Kept once, in columns.** A committed request is one *segment* (raw columns, the tail of its run). Sealing turns
  the tail into *chunks* (compressed, immutable, one series each). Reading takes chunks and tail in one snapshot.
* **Order.** A series is ordered by (step, arrival). Arrival is segment id, then place in the segment; a chunk's `gen`
  is the greatest segment id in it, so generations and segment ids are one ascending count.
* **Repeats.** A point that came *without* a writer identity is dropped when an exactly equal point (step, time, bits of
  the value) came before it. Points of identified batches are all kept: the ledger has already made them unique.
  It is decided at reading and at sealing by the same code, so sealing never changes an answer. `series_.late` says
  that such repeats may be in the tail; only then is there anything to compare. Whoever asks for
  counts or means has such series counted first (`recount`), so an answer never counts repeats.
* **Summaries are never behind.** `series_` is written in the transaction that keeps the segment.
* **Nothing here holds state or begins a transaction**: every function takes a connection on which the caller has
  begun one; writers pass the tenant. On SQLite a transaction is a snapshot; on PostgreSQL readers need
  REPEATABLE READ, and a writer first locks the run's row (`SELECT ... FROM run ... FOR NO KEY UPDATE`), so that segment
  ids of a run ascend in the order of commits. SQLite's single writer has that for nothing.

The calls
=========
Writing, in the transaction of a group (`segments`, `folding`, `summaries`)::

    segments.encode(key, step, time_ms, value, *, identified: bool) -> bytes      key: key ids as uint32
    grids.as_grid(points: PointBatch, ids) -> Grid | None                         the same metrics at every step?
    segments.encode_grid(grid, *, identified: bool) -> bytes                      then it takes a third of the bytes
    segments.insert(connection, tenant, rows: Sequence[SegmentRow])               SegmentRow(run, n, data)

    folding.FoldItem(run, experiment, key, step, time_ms, value, identified, grid)    one batch, key ids resolved
    folding.fold(items: Sequence[FoldItem]) -> list[SeriesRow]                    one row per (run, key), sorted
    summaries.new_series(connection, rows, known: Container[(RowId, KeyId)]) -> list[SeriesRow]
                                      the rows whose (run, key) is not stored yet: call it *before* write_summaries to
                                      count keys; remember stored pairs (row.run, row.key) in `known` only after the
                                      commit
    summaries.write_summaries(connection, tenant, rows) -> None                   one upsert, executemany
    recount.uncounted(connection, experiments, keys) -> list[Pair]                before reading n or mean
    recount.recount(connection, tenant, pairs) -> None                            their exact counts

Reading, in one snapshot (`read`)::

    read.open_series(connection, runs, keys | None) -> dict[(RowId, KeyId), StoredSeries]
                                      chunk statistics and the tail, nothing decoded; `keys=None` means all keys
    read.read_series(connection, run, keys, *, steps: (lo, hi) | None = None) -> dict[KeyId, Points]
    read.read_window(connection, run, keys, *, offset, limit) -> dict[KeyId, Window]   Window(total, points)
    read.iter_series(connection, run, key, *, steps=None) -> Iterator[Points]     bounded blocks: export, CSV, Arrow
    read.extent(series: Iterable[StoredSeries], axis) -> (lo, hi) | None          the range of x over many series
    read.iter_stored(connection, series, *, steps=None) -> Iterator[Points]        the same of an opened series
    read.reduce_series(connection, series: Sequence[StoredSeries], axis, *, lo, hi, buckets) -> list[Buckets]
                                      axis: downsample.STEP | downsample.TIME | downsample.relative_to(start_ms)

Reducing in memory (`downsample`)::

    downsample.reduce(x, points, lo, hi, buckets) -> Buckets                      x: one double a point, any order

Sealing and removing (`schedule`, `sealing`, `purge`)::

    schedule.SealSchedule(points=40_000, segments=512, idle_ms=60_000)             remembers which tails stand still
        .due(system_connection, now_ms) -> list[DueRun]                           DueRun(tenant, run, ...); unwalled
    sealing.prepare(read_connection, run) -> SealPlan | None                      long part, no lock held
    sealing.commit(write_connection, tenant, plan) -> bool                        short part; False: overtaken, nothing
                                                                                  was changed
    purge.delete_run(connection, tenant, run) -> list[KeyId]                      series, segments, chunks, ledger; the
                                                                                  keys it had, for the catalogue
"""

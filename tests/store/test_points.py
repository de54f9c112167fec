"""The contract of the point store, under random schedules against a model, and its rules one by one.

The schedules run with chunks of a few points, so that merging, interleaving and windows happen all the time.
"""

import math
import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from tests.support.places import KINDS, make_place
from tests.support.points_world import KEYS, RUNS, TENANT, Entry, Point, World, as_list

from gnomon_server.model.ids import KeyId, RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.points import chunks, downsample, grids, read, recount, sealing
from gnomon_server.store.points.codec import DamagedPoints
from gnomon_server.store.points.schedule import SealSchedule

NAN_PAYLOAD = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_DEAD_BEEF))[0]
VALUES = (0.0, -0.0, 1.0, 0.5, -2.25, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan, NAN_PAYLOAD, 0.1)


def bits(points: Sequence[Point]) -> list[tuple[float, int, bytes]]:
    """Points as they compare exactly: NaN with its payload, -0.0 apart from 0.0."""
    return [(step, time_ms, struct.pack("<d", value)) for step, time_ms, value in points]


class Model:
    """What the store must hold, by the words of the contract alone."""

    def __init__(self) -> None:
        self.series: dict[tuple[RowId, int], list[Point]] = {}

    def append(self, run: RowId, entries: Sequence[Entry], identified: bool) -> None:
        for key, *point in entries:
            series = self.series.setdefault((run, key), [])
            if identified or bits([tuple(point)])[0] not in bits(series):
                series.append(tuple(point))

    def read(self, run: RowId, key: int) -> list[Point]:
        return sorted(self.series.get((run, key), []), key=lambda point: point[0])


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world = World(make_place(request.param, request, tmp_path, shared="points"))
    yield world
    world.close()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "_FEW_POINTS", 2)
    monkeypatch.setattr(chunks, "MAX_POINTS", 8)
    monkeypatch.setattr(sealing, "_FULL", 4)
    monkeypatch.setattr(sealing, "_MOST_POINTS", 30)


def _random_entries(random_: random.Random, clock: int, values: Sequence[float] = VALUES) -> list[Entry]:
    """Mostly onward, sometimes back; few times and values, so that exact repeats are common."""
    base = clock if random_.random() < 0.7 else random_.randrange(clock + 1)
    if random_.random() < 0.3:
        return _random_grid(random_, base, values)
    return [
        (
            random_.choice(KEYS),
            (base + offset) / random_.choice((1, 1, 1, 4)),
            1_000 + random_.randrange(2),
            random_.choice(values),
        )
        for offset in range(random_.randrange(1, 9))
    ]


def _random_grid(random_: random.Random, base: int, values: Sequence[float]) -> list[Entry]:
    """The same metrics at every step, each step at one time; sometimes it only looks like it."""
    keys = random_.sample(KEYS, random_.randrange(1, len(KEYS) + 1))
    steps = [(base + offset, 1_000 + random_.randrange(2)) for offset in range(random_.randrange(1, 4))]
    entries = [(key, *step, random_.choice(values)) for step in steps for key in keys]
    if random_.random() < 0.2:
        at = random_.randrange(len(entries))
        key, step, time_ms, value = entries[at]
        entries[at] = random_.choice(
            [(KEYS[0], step, time_ms, value), (key, step, 999, value), (key, -0.0, 999, value)]
        )
    return entries


def _check(world: World, model: Model, random_: random.Random) -> None:
    run = random_.choice(RUNS)
    whole = world.read(run)
    for key in KEYS:
        assert bits(whole[key]) == bits(model.read(run, key))
    lo, hi = sorted(random_.uniform(-1, 60) for _ in range(2))
    offset, limit = random_.randrange(40), random_.randrange(1, 30)
    part = world.read(run, steps=(lo, hi))
    with world.database.read(TENANT) as connection:
        windows = read.read_window(connection, run, KEYS, offset=offset, limit=limit)
        blocks = {key: [as_list(block) for block in read.iter_series(connection, run, key)] for key in KEYS}
        lengths = {key: len(series) for (_, key), series in read.open_series(connection, [run]).items()}
    for key in KEYS:
        want = model.read(run, key)
        assert bits(part[key]) == bits([point for point in want if lo <= point[0] <= hi])
        assert windows[key].total == len(want) == lengths.get(key, 0)
        assert bits(as_list(windows[key].points)) == bits(want[offset : offset + limit])
        assert bits([point for block in blocks[key] for point in block]) == bits(want)
        assert all(blocks[key])


def _check_counts(world: World, model: Model) -> None:
    """Whatever came again: a summary counts what a reader finds, before sealing and after."""
    for (run, key), points in model.series.items():
        row = world.summary(run, KeyId(key))
        finite = [value for _, _, value in points if math.isfinite(value)]
        assert (row.n, row.nonfinite) == (len(points), len(points) - len(finite))


def _check_summaries(world: World, model: Model) -> None:
    """After sealing, with nothing late, the summary tells of exactly the points that are read."""
    for (run, key), points in model.series.items():
        row = world.summary(run, KeyId(key))
        finite = [value for _, _, value in points if math.isfinite(value)]
        last = max(points, key=lambda point: (point[0], point[1], 0.0 if math.isnan(point[2]) else point[2]))
        assert (row.n, row.nonfinite, row.late) == (len(points), len(points) - len(finite), 0)
        assert (row.last_step, row.last_ms) == last[:2]
        assert row.first_step == min(step for step, _, _ in points)
        assert row.low == (min(finite) if finite else None)
        assert row.high == (max(finite) if finite else None)
        if all(abs(value) < 1e300 for value in finite):
            assert row.total == pytest.approx(math.fsum(finite))


@pytest.mark.parametrize("seed", range(8))
def test_any_schedule_reads_as_the_model(world: World, small_chunks: None, seed: int) -> None:
    random_, model = random.Random(seed), Model()
    waiting: list[sealing.SealPlan] = []
    for clock in range(100 if world.is_embedded else 25):  # each step reads all there is
        action = random_.random()
        run = random_.choice(RUNS)
        if action < 0.55:
            group = [
                (random_.choice(RUNS), _random_entries(random_, clock // 3), random_.random() < 0.5)
                for _ in range(random_.randrange(1, 4))
            ]
            new = world.append(*group)
            seen = set(model.series)
            for each in group:
                model.append(*each)
            assert set(new) == set(model.series) - seen
        elif action < 0.70:
            plan = world.plan(run)
            if plan is not None:
                waiting.append(plan)
        elif action < 0.85 and waiting:
            # A plan that waited may have been overtaken, by another or by a deletion: then nothing happens.
            world.commit(waiting.pop(random_.randrange(len(waiting))))
        elif action < 0.87:
            assert set(world.delete(run)) == {key for owner, key in model.series if owner == run}
            model.series = {pair: points for pair, points in model.series.items() if pair[0] != run}
        elif action < 0.90:
            world.reopen()
        _check(world, model, random_)
        _check_counts(world, model)
    for run in RUNS:
        while world.plan(run) is not None:  # a long tail is sealed from its front, some at a time
            world.seal(run)
    _check(world, model, random_)
    _check_summaries(world, model)


def test_a_plan_is_carried_out_once(world: World) -> None:
    world.append((RUNS[0], [(1, 0.0, 1, 0.5), (2, 0.0, 1, 0.5)], True))
    plans = [world.plan(RUNS[0]), world.plan(RUNS[0])]
    assert [world.commit(plan) for plan in plans if plan is not None] == [True, False]
    assert world.read(RUNS[0])[KEYS[0]] == [(0.0, 1, 0.5)]


def test_sealing_a_purged_run_changes_nothing(world: World) -> None:
    world.append((RUNS[0], [(1, 0.0, 1, 0.5)], True))
    plan = world.plan(RUNS[0])
    assert plan is not None
    assert world.delete(RUNS[0]) == [KEYS[0]]
    assert not world.commit(plan)
    assert world.read(RUNS[0])[KEYS[0]] == []


def test_points_that_came_while_a_plan_was_made_stay_in_the_tail(world: World) -> None:
    world.append((RUNS[0], [(1, 0.0, 1, 0.5)], False))
    plan = world.plan(RUNS[0])
    world.append((RUNS[0], [(1, 0.0, 1, 0.5), (1, 1.0, 1, 0.5)], False))
    assert plan is not None
    assert world.commit(plan)
    assert world.read(RUNS[0])[KEYS[0]] == [(0.0, 1, 0.5), (1.0, 1, 0.5)]
    assert world.summary(RUNS[0], KEYS[0]).late == recount.COUNTED
    world.seal(RUNS[0])
    row = world.summary(RUNS[0], KEYS[0])
    assert (row.n, row.late, row.total) == (2, 0, 1.0)


@pytest.mark.parametrize("is_sealed_between", [True, False])
def test_only_a_point_without_identity_can_be_a_repeat(world: World, is_sealed_between: bool) -> None:
    for identified in (False, True, True, False):
        world.append((RUNS[0], [(1, 3.0, 7, math.nan)], identified))
        if is_sealed_between:
            world.seal(RUNS[0])
    assert len(world.read(RUNS[0])[KEYS[0]]) == 3


def test_points_in_order_are_never_late(world: World) -> None:
    for number in range(5):
        world.append((RUNS[0], [(1, float(number), 1, 0.5), (1, float(number), 2, 0.5)], False))
    assert world.summary(RUNS[0], KEYS[0]).late == 0


def test_a_total_stays_finite(world: World) -> None:
    for value in (1e308, 1e308, -1e308, -1e308, -1e308, -1e308):
        world.append((RUNS[0], [(1, 0.0, 1, value)], True))
    total = world.summary(RUNS[0], KEYS[0]).total
    assert isinstance(total, float)
    assert math.isfinite(total)


def test_a_window_decodes_only_what_it_touches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MAX_POINTS", 100)
    world.append((RUNS[0], [(1, float(step), step, step / 3) for step in range(10_000)], True))
    world.seal(RUNS[0])
    taken: list[int] = []
    take = chunks.ChunkReader.take
    monkeypatch.setattr(chunks.ChunkReader, "take", lambda self, stats: taken.append(stats.n) or take(self, stats))
    with world.database.read(TENANT) as connection:
        window = read.read_window(connection, RUNS[0], KEYS[:1], offset=5_050, limit=100)[KEYS[0]]
    assert window.total == 10_000
    assert window.points.step.tolist() == [float(step) for step in range(5_050, 5_150)]
    assert len(taken) <= 2


def test_small_chunks_are_merged_as_a_series_grows(world: World) -> None:
    for number in range(60):
        entries = [(1, float(number * 500 + step), 1, 0.5) for step in range(500)]
        world.append((RUNS[0], entries, True))
        world.seal(RUNS[0])
    with world.database.read(TENANT) as connection:
        sizes = [stats.n for stats in chunks.list_chunks(connection, RUNS[:1], None)]
    assert sum(sizes) == 30_000
    assert len(sizes) <= 8
    assert max(sizes) > 16_000


def test_a_damaged_chunk_is_said_to_be_damaged(world: World) -> None:
    world.append((RUNS[0], [(1, float(step), 1, step / 7) for step in range(100)], True))
    world.seal(RUNS[0])
    with world.place.past_wall().begin() as connection:
        data = bytearray(connection.scalars(sa.select(t.chunk_base.c.data)).one())
        data[len(data) // 2] ^= 1
        connection.execute(sa.update(t.chunk_base).values(data=bytes(data)))
    with pytest.raises(DamagedPoints, match="checksum"):
        world.read(RUNS[0])


def test_tails_are_due_by_points_by_segments_and_by_rest(world: World) -> None:
    schedule = SealSchedule(points=40, segments=3, idle_ms=1_000)

    def due(now_ms: int) -> list[tuple[TenantId, RowId, int, int]]:
        with world.database.system() as connection:
            return [tuple(each) for each in schedule.due(connection, now_ms)]

    world.append((RUNS[0], [(1, float(step), 1, 0.5) for step in range(39)], True))
    world.append((RUNS[1], [(1, float(step), 1, 0.5) for step in range(16)], True))
    assert due(0) == []
    world.append((RUNS[0], [(1, 39.0, 1, 0.5)], True))
    assert due(500) == [(TENANT, RUNS[0], 40, 2)]
    assert due(1_000) == [(TENANT, RUNS[0], 40, 2), (TENANT, RUNS[1], 16, 1)]
    world.seal(RUNS[0])
    world.append((RUNS[1], [(1, 16.0, 1, 0.5)], True))
    assert due(1_100) == []
    world.append((RUNS[1], [(1, 17.0, 1, 0.5)], True))
    assert due(1_200) == [(TENANT, RUNS[1], 18, 3)]


@pytest.mark.parametrize("is_repeated", [False, True])
def test_a_short_tail_rests_unless_it_may_hold_repeats(world: World, is_repeated: bool) -> None:
    schedule = SealSchedule(idle_ms=1_000)
    for _ in range(1 + is_repeated):
        world.append((RUNS[0], [(key, 0.0, 1, 0.5) for key in KEYS], False))
    with world.database.system() as connection:
        assert schedule.due(connection, 0) == []
        assert [each.run for each in schedule.due(connection, 2_000)] == RUNS[:1] * is_repeated
        assert [each.run for each in schedule.due(connection, 9_000)] == RUNS[:1] * is_repeated


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("axis", [downsample.STEP, downsample.TIME, downsample.relative_to(900)])
def test_a_stored_series_reduces_as_its_points_do(
    world: World, small_chunks: None, seed: int, axis: downsample.Axis
) -> None:
    random_ = random.Random(seed)
    values = [value for value in VALUES if abs(value) != 1e308]  # their sum overflows: its mean means nothing
    for clock in range(20 if world.is_embedded else 8):
        world.append((RUNS[0], _random_entries(random_, clock, values), True))
        if random_.random() < 0.5:
            world.seal(RUNS[0])
    with world.database.read(TENANT) as connection:
        series = list(read.open_series(connection, RUNS[:1]).values())
        extent = read.extent(series, axis)
        assert extent is not None
        for lo, hi in (extent, (extent[0] + 1, extent[1] - 1)):
            for buckets in (1, 3, 50):
                got = read.reduce_series(connection, series, axis, lo=lo, hi=max(lo, hi), buckets=buckets)
                for each, reduced in zip(series, got, strict=True):
                    points = read.read_series(connection, each.run, [each.key])[each.key]
                    want = downsample.reduce(axis.of(points), points, lo, max(lo, hi), buckets)
                    for name in ("x", "first", "last", "low", "high", "count", "nonfinite"):
                        np.testing.assert_array_equal(getattr(reduced, name), getattr(want, name), name)
                    np.testing.assert_allclose(reduced.mean, want.mean, rtol=1e-9)

"""Summaries: all ways to fold agree with a plain reading of the rules, however batches are cut and merged."""

import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.support.places import KINDS, make_place
from tests.support.points_world import RUNS, Entry, World, fold_item

from gnomon_server.model.ids import RowId
from gnomon_server.store.points import folding, grids
from gnomon_server.store.points.folding import FoldItem, SeriesRow

VALUES = (0.0, -1.0, 1.0, 0.5, math.nan, math.inf, -math.inf, 3.0)

Batch = tuple[RowId, list[Entry], bool]


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world = World(make_place(request.param, request, tmp_path, shared="points"))
    yield world
    world.close()


def _batches(random_: random.Random, count: int) -> list[Batch]:
    def entry() -> Entry:
        step = float(random_.randrange(6)) / random_.choice((1, 2))
        return (random_.randrange(1, 4), step, random_.randrange(3), random_.choice(VALUES))

    return [
        (random_.choice(RUNS), [entry() for _ in range(random_.randrange(1, 12))], random_.random() < 0.5)
        for _ in range(count)
    ]


def _items(batches: list[Batch]) -> list[FoldItem]:
    return [fold_item(run, RowId(7), entries, identified) for run, entries, identified in batches]


def _plainly(batches: list[Batch]) -> dict[tuple[int, int], dict[str, object]]:
    """The summary of each series, by the words of the module."""
    series: dict[tuple[int, int], list[tuple[float, int, float]]] = {}
    for run, entries, _ in batches:
        for key, *point in entries:
            series.setdefault((run, key), []).append(tuple(point))
    return {pair: _summary(points) for pair, points in series.items()}


def _summary(points: list[tuple[float, int, float]]) -> dict[str, object]:
    finite = [(step, value) for step, _, value in points if math.isfinite(value)]
    first = min(points, key=lambda point: point[0])
    last = max(points, key=lambda point: (point[0], point[1], 0.0 if math.isnan(point[2]) else point[2]))
    low = min(finite, key=lambda each: each[1], default=(None, None))
    high = max(finite, key=lambda each: each[1], default=(None, None))
    return {
        "n": len(points),
        "nonfinite": len(points) - len(finite),
        "first_step": first[0],
        "first_value": None if math.isnan(first[2]) else first[2],
        "last_step": last[0],
        "last_ms": last[1],
        "last_value": None if math.isnan(last[2]) else last[2],
        "low": low[1],
        "low_step": low[0],
        "high": high[1],
        "high_step": high[0],
        "total": math.fsum(value for _, value in finite),
    }


def _may_hold_repeats(batches: list[Batch]) -> set[tuple[int, int]]:
    seen: set[tuple[object, ...]] = set()
    pairs: set[tuple[int, int]] = set()
    for run, entries, identified in batches:
        for key, step, time_ms, value in entries:
            point = (run, key, step, time_ms, repr(value))
            if point in seen and not identified:
                pairs.add((run, key))
            seen.add(point)
    return pairs


def _assert_rows(rows: list[SeriesRow], batches: list[Batch]) -> None:
    want = _plainly(batches)
    assert [(row.run, row.key) for row in rows] == sorted(want)
    for row in rows:
        summary = want[row.run, row.key]
        assert {name: getattr(row, name) for name in summary} == pytest.approx(summary)
        assert row.experiment == 7
    assert {(row.run, row.key) for row in rows if row.late} >= _may_hold_repeats(batches)


@pytest.mark.parametrize("seed", range(40))
def test_all_ways_to_fold_follow_the_rules(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "_FEW_POINTS", 2 if seed % 2 else 1_000_000)
    batches = _batches(random.Random(seed), count=1 + seed % 6)
    rows = []
    for few_points in (0, 1_000_000):
        monkeypatch.setattr(folding, "_FEW_POINTS", few_points)
        rows.append(folding.fold(_items(batches)))
        _assert_rows(rows[-1], batches)
    assert rows[0] == [pytest.approx(row) for row in rows[1]]


@pytest.mark.parametrize("seed", range(60))
def test_grids_fold_by_the_same_rules(seed: int) -> None:
    """Batches as a training loop sends them, the same metrics at every step, and such as only look like it."""
    random_ = random.Random(seed)
    batches: list[Batch] = []
    for run in RUNS[: 1 + seed % 2]:
        keys = random_.sample(range(1, 60), random_.choice((1, 3, 50)))
        if seed % 5 == 1:
            keys[-1] = keys[0]
        steps = [float(step) for step in range(120)]
        if seed % 5 == 2:
            steps[random_.randrange(120)] = 7.0
        values = VALUES[:4] if seed % 5 != 3 else (*VALUES, 1e308, 1.7e308)
        entries = [(key, step, int(step), random_.choice(values)) for step in steps for key in keys]
        if seed % 5 == 4:
            del entries[random_.randrange(len(entries))]
        batches.append((run, entries, random_.random() < 0.5))
    if seed % 7 == 6:
        batches.append(batches[0])
    rows = folding.fold(_items(batches))
    if not any(abs(value) > 1e300 for _, entries, _ in batches for *_, value in entries):
        _assert_rows(rows, batches)
    alone = folding._fold_few(_items(batches))
    assert rows == [pytest.approx(row) for row in alone]


@pytest.mark.parametrize("seed", range(10))
def test_merging_groups_in_the_database_is_folding_all_at_once(world: World, seed: int) -> None:
    batches = _batches(random.Random(seed), count=20)
    random_ = random.Random(seed)
    waiting = list(batches)
    while waiting:
        size = random_.randrange(1, 4)
        world.append(*waiting[:size], is_recounted=False)
        del waiting[:size]
    may_repeat = _may_hold_repeats(batches)
    for (run, key), summary in _plainly(batches).items():
        row = world.summary(run, key)
        assert {name: getattr(row, name) for name in summary} == pytest.approx(summary)
        assert row.late == 1 or (run, key) not in may_repeat


def test_a_series_is_new_once(world: World) -> None:
    assert world.append((RUNS[0], [(1, 0.0, 1, 0.5), (2, 0.0, 1, 0.5), (1, 1.0, 1, 0.5)], True)) == [
        (RUNS[0], 1),
        (RUNS[0], 2),
    ]
    assert world.append((RUNS[0], [(2, 2.0, 1, 0.5)], True), (RUNS[1], [(2, 0.0, 1, 0.5)], True)) == [(RUNS[1], 2)]


def test_keys_far_apart_fold_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_FEW_POINTS", 0)
    key = np.array([4_000_000_000, 1, 4_000_000_000, 70_000], np.uint32)
    item = FoldItem(RUNS[0], RowId(7), key, np.arange(4.0), np.arange(4), np.arange(4.0), True)
    again = item._replace(run=RUNS[1])
    rows = folding.fold([item, again])
    assert [(row.run, row.key, row.n, row.last_value) for row in rows] == [
        (run, key, n, last) for run in RUNS for key, n, last in ((1, 1, 1.0), (70_000, 1, 3.0), (4_000_000_000, 2, 2.0))
    ]

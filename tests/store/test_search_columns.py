"""Columns of runs and groups of runs agree with sums done in plain Python."""

import math
import statistics
from collections.abc import Iterator, Sequence

import pytest
from tests.support.places import KINDS, make_place
from tests.support.search_world import KEYS, METRICS, TENANT, World, make_world

from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters import Column, parse_columns, parse_filter, parse_group_order, parse_order_by
from gnomon_server.model.filters.evaluate import Param, RunRecord, holds, value_of
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta.columns import LARGEST, Group, columns_page, group_runs

RUNS = 80


@pytest.fixture(scope="module", params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(make_place(request.param, request, tmp_path_factory.mktemp("columns")), seed=5, runs=RUNS)
    yield made
    made.database.close()


def groups_of(
    world: World, by: str, columns: str = "", *, order_by: str = "", text: str = "", limit: int = 1_000, offset: int = 0
) -> tuple[int, list[Group]]:
    grouped, aggregated = parse_columns(by, field="by"), parse_columns(columns)
    with world.database.read(TENANT) as connection:
        return group_runs(
            connection,
            experiments=None,
            by=grouped,
            aggregate=aggregated,
            filter=parse_filter(text, now_ms=0),
            order=parse_group_order(order_by, by=grouped, aggregate=aggregated),
            limit=limit,
            offset=offset,
        )


def active(world: World) -> list[RunRecord]:
    return [run for run in world.records if run.attributes["lifecycle_stage"] == "active"]


def text_in(column: Column, run: RunRecord) -> str | None:
    value = value_of(column, run)
    assert value is None or isinstance(value, str | Param)
    return value.text if isinstance(value, Param) else value


def numbers_in(column: Column, runs: Sequence[RunRecord]) -> list[float]:
    values = [value_of(column, run) for run in runs]
    numbers = [value.number if isinstance(value, Param) else value for value in values]
    return [number for number in numbers if isinstance(number, float | int) and abs(number) <= LARGEST]


def test_a_page_holds_every_kind_of_column_in_the_order_of_the_runs(world: World) -> None:
    wanted = [f"metrics.`{key}`.{suffix}" for key in METRICS for suffix in ("last", "min", "max", "mean", "first", "n")]
    wanted += [f"params.`{key}`" for key in KEYS] + [f"tags.`{key}`" for key in KEYS]
    wanted += ["metrics.nope", "params.nope", "name", "status", "start_time", "end_time", "duration", "run_id"]
    wanted += ["experiment_id", "artifact_uri", "created_by", "description", "lifecycle_stage", "created_at"]
    columns = parse_columns(",".join(wanted))
    runs = list(reversed(world.records))
    with world.database.read(TENANT) as connection:
        page = columns_page(connection, [RowId(run.row) for run in runs], columns)
    assert list(page) == wanted
    for column in columns:
        values = [value_of(column, run) for run in runs]
        texts = [value.text if isinstance(value, Param) else value for value in values]
        assert page[column.text] == pytest.approx(texts, nan_ok=True), column.text


def test_another_tenants_runs_have_no_values(world: World) -> None:
    with world.database.read(TENANT) as connection:
        page = columns_page(connection, [RowId(RUNS + 1)], parse_columns("name,metrics.loss"))
    assert page == {"name": [None], "metrics.loss": [None]}


def test_groups_hold_all_their_runs_and_their_statistics(world: World) -> None:
    by, columns = "params.opt,status", "metrics.loss.min,params.lr,duration,metrics.acc"
    total, groups = groups_of(world, by, columns)
    members: dict[tuple[str | None, ...], list[RunRecord]] = {}
    for run in active(world):
        members.setdefault(tuple(text_in(column, run) for column in parse_columns(by)), []).append(run)
    assert total == len(groups) == len(members)
    assert {tuple(group.values.values()): group.n for group in groups} == {
        values: len(runs) for values, runs in members.items()
    }
    for group in groups:
        for column in parse_columns(columns):
            numbers = numbers_in(column, members[tuple(group.values.values())])
            found = group.aggregates[column.text]
            assert found["n"] == len(numbers)
            assert found["min"] == min(numbers, default=None)
            assert found["max"] == max(numbers, default=None)
            assert found["mean"] == (pytest.approx(math.fsum(numbers) / len(numbers)) if numbers else None)
            assert found["std"] == (pytest.approx(statistics.stdev(numbers)) if len(numbers) > 1 else None)


def test_groups_come_largest_first_and_are_paged(world: World) -> None:
    total, groups = groups_of(world, "tags.team")
    sizes = [group.n for group in groups]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == len(active(world))
    pages = [groups_of(world, "tags.team", limit=3, offset=offset) for offset in range(0, total + 3, 3)]
    assert [page_total for page_total, _ in pages] == [total] * len(pages)
    assert [group for _, page in pages for group in page] == groups


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["mean(metrics.acc)", "std(metrics.acc)", "max(metrics.acc)", "n(metrics.acc)"])
def test_groups_are_ordered_by_a_statistic_with_nothing_last(world: World, key: str, direction: str) -> None:
    _, groups = groups_of(world, "params.`a b`", "metrics.acc", order_by=f"{key} {direction}")
    statistic = key.partition("(")[0]
    values = [group.aggregates["metrics.acc"][statistic] for group in groups]
    there = [value for value in values if value is not None]
    assert values == sorted(there, reverse=direction == "desc") + [None] * (len(values) - len(there))


def test_groups_are_ordered_by_a_column_they_are_grouped_by(world: World) -> None:
    _, groups = groups_of(world, "params.opt", order_by="params.opt desc")
    values = [group.values["params.opt"] for group in groups]
    assert values == [*sorted((value for value in values if value is not None), reverse=True), None]


def test_groups_of_a_filter_hold_only_its_runs(world: World) -> None:
    text = "metrics.loss > 0 and status != 'failed'"
    _, groups = groups_of(world, "status", text=text)
    wanted = parse_filter(text, now_ms=0)
    assert sum(group.n for group in groups) == sum(holds(wanted, run) for run in active(world))
    assert "failed" not in {group.values["status"] for group in groups}


@pytest.mark.parametrize("by", ["metrics.loss", "start_time", "duration"])
def test_numbers_and_times_are_no_groups(world: World, by: str) -> None:
    with pytest.raises(InvalidRequest, match="group by a param, a tag or a text attribute"):
        groups_of(world, by)


@pytest.mark.parametrize("column", ["tags.team", "name", "start_time"])
def test_text_has_no_statistics(world: World, column: str) -> None:
    with pytest.raises(InvalidRequest, match="is no number"):
        groups_of(world, "status", column)


def test_a_run_order_on_groups_means_their_mean_or_is_refused(world: World) -> None:
    by, aggregate = parse_columns("status"), parse_columns("metrics.acc")
    with world.database.read(TENANT) as connection:

        def ordered(order_by: str) -> list[Group]:
            order = parse_order_by(order_by)
            return group_runs(connection, experiments=None, by=by, aggregate=aggregate, order=order, limit=9, offset=0)[
                1
            ]

        means = [group.aggregates["metrics.acc"]["mean"] for group in ordered("metrics.acc")]
        assert means == sorted(mean for mean in means if mean is not None)
        assert [group.values["status"] for group in ordered("status")] == sorted(
            {str(run.attributes["status"]) for run in active(world)}
        )
        with pytest.raises(InvalidRequest) as raised:
            ordered("params.lr")
    assert raised.value.code == "invalid_order_by"

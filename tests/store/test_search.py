"""Run search in SQL agrees with the plain evaluator: random filters, orders and pages of random runs, on either."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.places import make_place
from tests.support.search_world import KEYS, METRICS, START_MS, TENANT, TEXTS, World, make_world

from gnomon_server.model.filters import Expr, OrderItem, parse_filter, parse_order_by
from gnomon_server.model.filters.attributes import ATTRIBUTES
from gnomon_server.model.filters.evaluate import RunRecord, holds, in_order
from gnomon_server.model.ids import RowId
from gnomon_server.store.meta.search import Lifecycle, find_runs

NOW_MS = START_MS + 5 * 60_000


@pytest.fixture(
    scope="module",
    params=[("sqlite", 1), ("sqlite", 2), ("postgresql", 2), ("postgresql", 3)],
    ids=lambda param: f"{param[0]}-seed{param[1]}",
)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    kind, seed = request.param
    made = make_world(make_place(kind, request, tmp_path_factory.mktemp("search")), seed=seed, runs=60)
    yield made
    made.database.close()


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def key_column(entity: str, key: str, suffix: str) -> str:
    return f"{entity}.`{key}`{suffix}"


metric_columns = st.builds(
    key_column,
    st.just("metrics"),
    st.sampled_from((*METRICS, "nope")),
    st.sampled_from(("", ".last", ".min", ".max", ".mean", ".first", ".n")),
)
param_columns = st.builds(key_column, st.just("params"), st.sampled_from((*KEYS, "nope")), st.just(""))
tag_columns = st.builds(key_column, st.just("tags"), st.sampled_from((*KEYS, "nope")), st.just(""))
text_attributes = st.sampled_from(("name", "description", "status", "created_by", "lifecycle_stage", "run_id"))
time_attributes = st.sampled_from(("start_time", "end_time", "duration", "created_at", "last_updated"))
columns = metric_columns | param_columns | tag_columns | text_attributes | time_attributes | st.just("experiment_id")
text_columns = param_columns | tag_columns | text_attributes

numbers = st.sampled_from(("0", "0.1", "0.3", "-2.5", "3", "1e300", "inf", "-inf", "100"))
finite = numbers.filter(lambda number: "inf" not in number)
texts = st.sampled_from((*TEXTS, "finished", "failed", "RUNNING", "alice", "0.1", "1e-1")).map(quoted)
moments = st.sampled_from((str(START_MS + 60_000), "'-2m'", "'-4m'", "'2023-11-14T22:14:20Z'", "'now'"))
spans = st.sampled_from(("90000", "'90s'", "'1m30s'", "0", "'5m'"))
comparisons = st.sampled_from(("=", "==", "!=", "<>", "<", "<=", ">", ">="))
negation = st.sampled_from(("", "not "))
likes = st.text(alphabet="adim%_sé[*?\\", max_size=6).map(quoted)
regexes = st.sampled_from(("^a", "(?i)ADAM", "[aé].", "^$", r"\d", "a.b", r"\x{10FFFF}$")).map(quoted)


def pairs(column: st.SearchStrategy[str], value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Every operator that compares a column with values."""
    return (
        st.builds("{} {} {}".format, column, comparisons, value)
        | st.builds("{} {}between {} and {}".format, column, negation, value, value)
        | st.builds("{} {}in ({}, {})".format, column, negation, value, value)
        | st.builds("{} is {}null".format, column, negation)
    )


leaves = (
    pairs(metric_columns, numbers)
    | st.builds("{} is {}nan".format, metric_columns, negation)
    | pairs(text_columns, texts)
    | pairs(param_columns, finite)
    | pairs(st.sampled_from(("start_time", "end_time")), moments)
    | pairs(st.just("duration"), spans)
    | st.builds("{} {}like {}".format, text_columns, negation, likes)
    | st.builds("{} {}ilike {}".format, text_columns, negation, likes)
    | st.builds("{} {} {}".format, text_columns, st.sampled_from(("=~", "!~", "matches")), regexes)
)
filters = st.recursive(
    leaves,
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({}) and ({})".format, inner, inner)
        | st.builds("({}) or ({})".format, inner, inner)
    ),
    max_leaves=6,
)
orders = st.lists(st.builds("{} {}".format, columns, st.sampled_from(("asc", "desc", ""))), max_size=3, unique=True)
lifecycles: st.SearchStrategy[Lifecycle] = st.sampled_from(("active", "active", "deleted", "all"))


def expected(
    world: World, *, wanted: Expr | None, order: list[OrderItem], lifecycle: str, experiments: list[RowId] | None
) -> list[RowId]:
    def is_in(run: RunRecord) -> bool:
        return (lifecycle in ("all", run.attributes["lifecycle_stage"])) and (
            experiments is None or run.attributes["experiment"] in experiments
        )

    runs = [run for run in world.records if is_in(run) and holds(wanted, run)]
    return [RowId(run.row) for run in in_order(runs, order)]


RANDOM = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@RANDOM
@given(
    text=filters | st.just(""),
    order_by=orders,
    lifecycle=lifecycles,
    experiments=st.sampled_from((None, [RowId(1)], [RowId(2), RowId(1)])),
    offset=st.integers(0, 40),
    limit=st.integers(1, 30),
    few=st.sampled_from((0, 2_000)),
)
def test_sql_finds_pages_and_counts_what_the_evaluator_does(
    world: World,
    text: str,
    order_by: list[str],
    lifecycle: Lifecycle,
    experiments: list[RowId] | None,
    offset: int,
    limit: int,
    few: int,
) -> None:
    order: list[OrderItem] = []
    for item in order_by:
        parsed = parse_order_by(item)
        order += [one for one in parsed if all(one.column != other.column for other in order)]
    wanted = parse_filter(text, now_ms=NOW_MS)
    everything = expected(world, wanted=wanted, order=order, lifecycle=lifecycle, experiments=experiments)
    with world.database.read(TENANT) as connection:
        total, page = find_runs(
            connection,
            experiments=experiments,
            filter=wanted,
            order=order,
            lifecycle=lifecycle,
            limit=limit,
            offset=offset,
            few=few,
        )
    assert (total, page) == (len(everything), everything[offset : offset + limit])


@RANDOM
@given(text=filters)
def test_not_is_the_complement(world: World, text: str) -> None:
    with world.database.read(TENANT) as connection:

        def total(filter_text: str) -> int:
            wanted = parse_filter(filter_text, now_ms=NOW_MS)
            return find_runs(connection, experiments=None, filter=wanted, lifecycle="all", limit=1, offset=0)[0]

        assert total(text) + total(f"not ({text})") == len(world.records)


@pytest.mark.parametrize("few", [0, 2_000], ids=["walked", "sorted"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("experiments", [None, [RowId(1)]], ids=["all", "one"])
@pytest.mark.parametrize(
    "column", [*ATTRIBUTES, "params.lr", "tags.team", "metrics.loss", "metrics.loss.mean", "metrics.`a b`.first"]
)
def test_pages_join_up_to_the_whole_in_every_order(
    world: World, column: str, direction: str, experiments: list[RowId] | None, few: int
) -> None:
    order = parse_order_by(f"{column} {direction}, metrics.acc")
    whole = expected(world, wanted=None, order=order, lifecycle="all", experiments=experiments)
    joined: list[RowId] = []
    with world.database.read(TENANT) as connection:
        for offset in range(0, len(whole) + 7, 7):
            total, page = find_runs(
                connection, experiments=experiments, order=order, lifecycle="all", limit=7, offset=offset, few=few
            )
            assert total == len(whole)
            joined += page
    assert joined == whole

"""What the query language means, case by case; that user text never becomes SQL; that no search reads whole tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.support.places import KINDS, Place, SqlitePlace, make_place
from tests.support.search_world import TENANT, World, make_world
from tests.support.two_tenants import SERVERS_OWN

from gnomon_server.model.filters import MLFLOW, NATIVE, parse_filter, parse_order_by
from gnomon_server.model.ids import RowId, TenantId
from gnomon_server.store.meta import tables as t
from gnomon_server.store.meta.doors import Database
from gnomon_server.store.meta.search import Lifecycle, find_runs
from gnomon_server.store.meta.statistics import write_statistics

START_MS = 1_700_000_000_000

# name: (status, start after START_MS, end or None, params, tags, last values of metrics)
RUNS: dict[str, tuple[str, int, int | None, dict[str, str], dict[str, str], dict[str, float | None]]] = {
    "one": ("finished", 0, 60_000, {"opt": "adam", "lr": "0.1"}, {"team": "rising"}, {"loss": 0.1, "a.max": 1.0}),
    "two": ("failed", 1, None, {"opt": "ADAM", "lr": "1e-1"}, {"team": "Rising"}, {"loss": 0.5, "val/acc": 0.9}),
    "three": ("running", 2, None, {"opt": "sgd", "lr": "auto"}, {}, {"loss": None, "a b": 2.0}),
    "four": ("finished", 3, 400_000, {"lr": "10"}, {"team": "100%"}, {}),
    "Fünf": ("killed", 4, 5, {"opt": "a_b", "lr": "2"}, {"team": "100 of"}, {"loss": float("inf")}),
}
NAMES = list(RUNS)


@pytest.fixture(scope="module", params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    place = make_place(request.param, request, tmp_path_factory.mktemp("cases"))
    _fill(place)
    opened = place.open()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """On SQLite: what its planner is told, and does."""
    place = SqlitePlace(tmp_path_factory.mktemp("planned") / "g.db")
    _fill(place)
    opened = place.open()
    yield opened
    opened.close()


def _fill(place: Place) -> None:
    names = sorted({name for run in RUNS.values() for part in run[3:] for name in part})
    keys = {name: number for number, name in enumerate(names)}
    with place.past_wall().begin() as tx:
        tx.execute(t.tenant_base.insert(), {"id": 1, "name": "t", "created_ms": 0})
        tx.execute(
            t.experiment_base.insert(),
            {"tenant": 1, "id": 1, "uid": "e" * 32, "number": 0, "name": "e", "description": "", "run_count": 5,
             "artifact_location": "s3://b/e", "lifecycle_stage": "active", "created_ms": 0, "updated_ms": 0},
        )  # fmt: skip
        for name, key in keys.items():
            tx.execute(t.key_base.insert(), {"tenant": 1, "id": key, "name": name, "context": ""})
        for row, (name, (status, start, end, params, tags, metrics)) in enumerate(RUNS.items(), start=1):
            own = {"tenant": 1, "run": row, "experiment": 1}
            tx.execute(
                t.run_base.insert(),
                {"tenant": 1, "id": row, "uid": f"{row:032x}", "experiment": 1, "name": name, "description": "",
                 "status": status, "lifecycle_stage": "active", "archived_with": None, "start_ms": START_MS + start,
                 "end_ms": None if end is None else START_MS + end, "created_by": "ann",
                 "created_ms": START_MS, "updated_ms": START_MS},
            )  # fmt: skip
            for key, text in params.items():
                number = float(text) if text[0].isdigit() else None
                tx.execute(t.param_base.insert(), own | {"key": keys[key], "value": text, "number": number})
            for key, text in tags.items():
                tx.execute(t.tag_base.insert(), own | {"key": keys[key], "value": text})
            for key, last in metrics.items():
                tx.execute(
                    t.series_base.insert(),
                    own
                    | {"key": keys[key], "n": 3, "nonfinite": 0, "first_step": 0, "first_value": 9.0, "last_step": 2,
                       "last_ms": 0, "last_value": last, "low": 0.0, "low_step": 0, "high": 9.0, "high_step": 0,
                       "total": 12.0, "late": 0},
                )  # fmt: skip
        if tx.dialect.name == "sqlite":
            write_statistics(tx)


def found(
    database: Database,
    text: str,
    order_by: str = "start_time",
    *,
    few: int = 0,
    mlflow: bool = False,
    name_search: str | None = None,
    tenant: TenantId = TENANT,
) -> list[str]:
    dialect = MLFLOW if mlflow else NATIVE
    with database.read(tenant) as connection:
        total, rows = find_runs(
            connection,
            experiments=[RowId(1)],
            filter=parse_filter(text, now_ms=START_MS + 86_400_000, dialect=dialect),
            order=parse_order_by(order_by, dialect=dialect),
            name_search=name_search,
            limit=100,
            offset=0,
            few=few,
        )
    assert total == len(rows)
    return [NAMES[row - 1] for row in rows]


CASES = [
    # Metrics: the last value unless another aggregate is named; NaN satisfies `!=` and `= nan` only.
    ("metrics.loss < 0.3", ["one"]),
    ("metric.loss >= 0.5", ["two", "Fünf"]),
    ("metrics.loss = inf", ["Fünf"]),
    ("metrics.loss != 0.1", ["two", "three", "Fünf"]),
    ("metrics.loss = nan", ["three"]),
    ("metrics.loss is nan", ["three"]),
    ("metrics.loss is not nan", ["one", "two", "Fünf"]),
    ("metrics.loss in (0.1, .5)", ["one", "two"]),
    ("metrics.loss not in (0.1, 0.5)", ["three", "Fünf"]),
    ("metrics.loss between 0.1 and 0.5", ["one", "two"]),
    ("metrics.loss not between 0.2 and 0.6", ["one", "three", "Fünf"]),
    ("metrics.loss is null", ["four"]),
    ("metrics.loss is not null", ["one", "two", "three", "Fünf"]),
    ("metrics.loss.max = 9 and metrics.loss.min < 1 and metrics.loss.mean = 4", ["one", "two", "three", "Fünf"]),
    ("metrics.loss.first > 8 and metrics.loss.n = 3", ["one", "two", "three", "Fünf"]),
    ("metrics.loss.max = nan", []),
    ("metrics.val/acc.last > 0.72", ["two"]),
    ('metrics."a.max" = 1', ["one"]),
    ("metrics.a.max = 1", []),
    ("metrics.`a.max`.max = 9", ["one"]),
    ("metrics.`a b` > 1", ["three"]),
    ("metrics.'a b' > 1", ["three"]),
    ("metrics.nope > 1", []),
    ("metrics.nope is null", NAMES),
    # Params: text with quoted text, numbers with numbers.
    ("params.opt = 'adam'", ["one"]),
    ('parameter.opt = "adam"', ["one"]),
    ("params.opt != 'adam'", ["two", "three", "Fünf"]),
    ("params.opt in ('adam', 'sgd')", ["one", "three"]),
    ("params.opt not in ('adam', 'sgd')", ["two", "Fünf"]),
    ("params.lr = 0.1", ["one", "two"]),
    ("params.lr = '0.1'", ["one"]),
    ("params.lr < 2", ["one", "two"]),
    ("params.lr < '2'", ["one", "two", "four"]),
    ("params.lr != 0.1", ["three", "four", "Fünf"]),
    ("params.lr not in (0.1, 2)", ["three", "four"]),
    ("params.lr between 1 and 20", ["four", "Fünf"]),
    # Text: LIKE knows case, ILIKE does not; `%` and `_` are the only special characters.
    ("params.opt like 'a%'", ["one", "Fünf"]),
    ("params.opt ilike 'a%'", ["one", "two", "Fünf"]),
    ("params.opt not like 'a%'", ["two", "three"]),
    ("params.opt not ilike 'a%'", ["three"]),
    ("params.opt like 'a_b'", ["Fünf"]),
    ("params.opt like '_da%'", ["one"]),
    ("params.opt like '%da%'", ["one"]),
    ("tags.team ilike 'ris%'", ["one", "two"]),
    ("tags.team like '100%'", ["four", "Fünf"]),
    ("tags.team = '100%'", ["four"]),
    ("name ilike 'fÜN%'", ["Fünf"]),
    ("name like 'fün%'", []),
    ("params.opt =~ '^a.*m$'", ["one"]),
    ("params.opt matches '(?i)^a.*m$'", ["one", "two"]),
    ("params.opt !~ '^a'", ["two", "three"]),
    ("params.opt not matches '^a'", ["two", "three"]),
    # Attributes.
    ("status = 'FINISHED'", ["one", "four"]),
    ("status in ('failed', 'Killed')", ["two", "Fünf"]),
    ("attributes.status != 'finished' and run.status like 'R%'", ["three"]),
    ("end_time is null", ["two", "three"]),
    ("not end_time > 0", ["two", "three"]),
    ("duration > '1m'", ["four"]),
    ("duration <= 60000", ["one", "Fünf"]),
    ("start_time > '-1d'", ["two", "three", "four", "Fünf"]),
    (f"start_time <= {START_MS + 1}", ["one", "two"]),
    ("start_time < '2023-11-14T22:13:20.001Z'", ["one"]),
    ("created > '2023-11-14T23:13:20.002+01:00'", ["four", "Fünf"]),
    ("`run name` = 'one' or attr.run_name = 'two'", ["one", "two"]),
    ("run_id in ('00000000000000000000000000000003',)", ["three"]),
    ("experiment_id = 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' and user_id = 'ann'", NAMES),
    ("artifact_uri like 's3://b/e/%5/artifacts'", ["Fünf"]),
    # Logic is two-valued: `not` takes the runs that lack the key.
    ("not metrics.loss < 0.3", ["two", "three", "four", "Fünf"]),
    ("not params.opt = 'adam'", ["two", "three", "four", "Fünf"]),
    ("not (params.opt = 'adam' or tags.team ilike 'ris%')", ["three", "four", "Fünf"]),
    ("metrics.loss < 1 and (params.opt = 'adam' or tags.team ilike 'ris%') and not status = 'failed'", ["one"]),
    ("params.opt = 'sgd' or not metrics.loss > 0", ["three", "four"]),
    ("not not metrics.loss < 0.3", ["one"]),
    ("params.lr > 0.05 and params.lr < 5 AND NOT params.opt = 'ADAM'", ["one", "Fünf"]),
    ("", NAMES),
    ("  ", NAMES),
]


@pytest.mark.parametrize(("text", "names"), CASES, ids=[text or "blank" for text, _ in CASES])
def test_a_filter_finds(database: Database, text: str, names: list[str]) -> None:
    assert found(database, text) == names


ORDERS = [
    ("", ["Fünf", "four", "three", "two", "one"]),
    ("metrics.loss", ["one", "two", "Fünf", "three", "four"]),
    ("metrics.loss desc", ["Fünf", "two", "one", "three", "four"]),
    ("metrics.loss.max, name", ["Fünf", "one", "three", "two", "four"]),
    ("metrics.nope, start_time", NAMES),
    ("params.lr", ["two", "one", "Fünf", "four", "three"]),
    ("params.lr desc, name", ["four", "Fünf", "one", "two", "three"]),
    ("params.opt desc", ["three", "one", "Fünf", "two", "four"]),
    ("tags.team", ["Fünf", "four", "two", "one", "three"]),
    ("end_time desc", ["four", "one", "Fünf", "three", "two"]),
    ("duration asc, name", ["Fünf", "one", "four", "three", "two"]),
    ("status, name", ["two", "four", "one", "Fünf", "three"]),
    ("experiment_id, start_time DESC", ["Fünf", "four", "three", "two", "one"]),
]


@pytest.mark.parametrize("few", [0, 2_000], ids=["walked", "sorted"])
@pytest.mark.parametrize(("order_by", "names"), ORDERS, ids=[order or "default" for order, _ in ORDERS])
def test_an_order_puts(database: Database, order_by: str, names: list[str], few: int) -> None:
    assert found(database, "", order_by, few=few) == names


def test_mlflow_orders_params_by_their_text_and_has_no_aggregates(database: Database) -> None:
    assert found(database, "", "params.lr asc", mlflow=True) == ["one", "four", "two", "Fünf", "three"]
    assert found(database, "metrics.a.max = 1 and", mlflow=True) == ["one"]


@pytest.mark.parametrize(
    ("needle", "names"),
    [("O", ["one", "two", "four"]), ("ünf", ["Fünf"]), ("ÜNF", ["Fünf"]), ("%", []), ("_", []), ("", NAMES)],
)
def test_the_name_search_is_a_substring_without_case_or_wildcards(
    database: Database, needle: str, names: list[str]
) -> None:
    assert found(database, "", name_search=needle) == names


def test_another_tenant_finds_nothing(database: Database) -> None:
    assert found(database, "metrics.loss is null or metrics.loss is not null", tenant=TenantId(2)) == []


def test_no_experiments_hold_no_runs(database: Database) -> None:
    with database.read(TENANT) as connection:
        assert find_runs(connection, experiments=[], limit=10, offset=0) == (0, [])


HOSTILE = "x' OR 1=1 --"


def statements_of(database: Database, text: str, order_by: str, experiments: Sequence[RowId] | None) -> list[str]:
    """The SQL of one search, and the plan of each statement."""
    seen: list[tuple[str, object]] = []
    with database.read(TENANT) as connection:

        def keep(_connection: object, _cursor: object, sql: str, given: object, *_rest: object) -> None:
            seen.append((sql, given))

        sa.event.listen(connection, "before_cursor_execute", keep)
        find_runs(
            connection,
            experiments=experiments,
            filter=parse_filter(text, now_ms=START_MS),
            order=parse_order_by(order_by),
            limit=10,
            offset=0,
            few=0,
        )
        sa.event.remove(connection, "before_cursor_execute", keep)
        for sql, given in list(seen):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
            seen += [(str(row[3]), None) for row in plan]
    return [sql for sql, _ in seen]


def test_user_text_never_reaches_the_sql(embedded: Database) -> None:
    quoted = HOSTILE.replace("'", "''")
    text = " and ".join(
        (
            f'metrics."{HOSTILE}" > 987654321.5',
            f"params.`{HOSTILE}` = '{quoted}'",
            f"params.`{HOSTILE}` > 987654321.5",
            f"tags.`{HOSTILE}` like '%{quoted}_'",
            f"tags.`{HOSTILE}` in ('{quoted}', 'b')",
            f"name =~ '{quoted}'",
            f"status between '{quoted}' and '{quoted}'",
        )
    )
    for sql in statements_of(embedded, text, f'tags."{HOSTILE}" desc, metrics."{HOSTILE}".max', [RowId(1)]):
        assert "1=1" not in sql
        assert "987654321" not in sql


@pytest.mark.parametrize("experiments", [[RowId(1)], [RowId(1), RowId(2)], None], ids=["one", "two", "all"])
@pytest.mark.parametrize(
    ("text", "order_by"),
    [
        ("metrics.loss < 0.3 and params.opt = 'adam'", "metrics.loss desc"),
        ("metrics.loss.min < 0.3 or params.lr > 1", "metrics.loss.max"),
        ("not tags.team ilike 'r%' and params.lr = 0.1", "tags.team"),
        ("tags.team =~ 'r'", "params.lr desc"),
        ("params.lr > 1", "params.opt desc, metrics.loss, tags.team"),
        ("status = 'failed' and metrics.loss > 1", "duration"),
        ("name like '%a%'", "name"),
    ],
)
def test_a_search_walks_covering_indexes_only(
    embedded: Database, text: str, order_by: str, experiments: list[RowId] | None
) -> None:
    steps = [
        step for step in statements_of(embedded, text, order_by, experiments) if step.startswith(("SEARCH", "SCAN"))
    ]
    assert any("COVERING INDEX" in step for step in steps)
    assert [step for step in steps if "PRIMARY KEY (tenant=?)" in step or step.startswith("SCAN main.")] == []


def test_the_planner_is_told_of_every_index(embedded: Database) -> None:
    with embedded.system() as connection:
        told = {row[0]: row[1].split() for row in connection.exec_driver_sql("SELECT idx, stat FROM sqlite_stat1")}
        for table in t.metadata.tables.values():
            if table.name in SERVERS_OWN:
                continue
            for _, name, *_ in connection.exec_driver_sql(f"PRAGMA index_list('{table.name}')"):
                # The primary key of a table without rowid goes by the table's name.
                known = table.name if name.startswith("sqlite_autoindex") and table.name in told else name
                columns = connection.exec_driver_sql(f"PRAGMA index_xinfo('{name}')").all()
                assert len(told[known]) == 1 + sum(column.key for column in columns), name


def test_lifecycle_stages(tmp_path: Path) -> None:
    world: World = make_world(SqlitePlace(tmp_path / "g.db"), seed=9, runs=30)
    by_stage: dict[Lifecycle, list[int]] = {}
    with world.database.read(TENANT) as connection:
        for stage in ("active", "deleted", "all"):
            _, rows = find_runs(connection, experiments=None, lifecycle=stage, limit=100, offset=0)
            by_stage[stage] = sorted(rows)
    world.database.close()
    deleted = [run.row for run in world.records if run.attributes["lifecycle_stage"] == "deleted"]
    assert by_stage["deleted"] == deleted
    assert sorted(by_stage["active"] + by_stage["deleted"]) == by_stage["all"] == list(range(1, 31))

"""The tenant wall, through the real doors: no statement reads or changes a row of another tenant, however it asks.

The list of bypasses only grows. Each is tried on every table.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from tests.support.two_tenants import ONE, SECRET, SERVERS_OWN, TWO, make_database, rows_of

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables
from gnomon_server.store.meta.engine import Database
from gnomon_server.store.meta.wall import WORN_STATEMENTS

BASES = [table.name for table in tables.metadata.sorted_tables if table.name not in SERVERS_OWN]

# B is the base table, V its view, C a column that is not the tenant's.
READS = {
    "forgotten where": "SELECT * FROM B",
    "count": "SELECT count(*) FROM B",
    "sum": "SELECT max(C) FROM B",
    "rowid-free constant": "SELECT 1 FROM B",
    "schema named": "SELECT * FROM main.B",
    "quoted": 'SELECT * FROM "B"',
    "bracketed": "SELECT * FROM [B]",
    "other case": "SELECT * FROM UPPER_B",
    "union": "SELECT C FROM V UNION SELECT C FROM B",
    "union all": "SELECT C FROM V UNION ALL SELECT C FROM main.B",
    "intersect": "SELECT C FROM B INTERSECT SELECT C FROM B",
    "except": "SELECT C FROM B EXCEPT SELECT C FROM V",
    "scalar subselect": "SELECT (SELECT C FROM B WHERE tenant = 2 LIMIT 1)",
    "subselect in from": "SELECT * FROM (SELECT * FROM B)",
    "subselect in where": "SELECT * FROM V WHERE EXISTS (SELECT 1 FROM B WHERE tenant = 2)",
    "subselect in in": "SELECT * FROM V WHERE C IN (SELECT C FROM B)",
    "subselect in order": "SELECT * FROM V ORDER BY (SELECT C FROM B WHERE tenant = 2)",
    "subselect in limit": "SELECT * FROM V LIMIT (SELECT count(*) FROM B)",
    "join": "SELECT b.C FROM V AS v JOIN B AS b ON 1 = 1",
    "left join": "SELECT b.C FROM V AS v LEFT JOIN B AS b ON b.tenant = 2",
    "comma": "SELECT b.* FROM V, B AS b",
    "cte": "WITH x AS (SELECT * FROM B) SELECT * FROM x",
    "cte materialized": "WITH x AS MATERIALIZED (SELECT C FROM B) SELECT * FROM x",
    "cte twice": "WITH x AS (SELECT * FROM B), y AS (SELECT * FROM x) SELECT * FROM y",
    "cte like the view": "WITH V AS (SELECT * FROM B) SELECT * FROM V",
    "cte like the view, second": "WITH x AS (SELECT 1), V (a) AS MATERIALIZED (SELECT C FROM B) SELECT * FROM x, V",
    "cte like the view, inside": "SELECT * FROM (with recursive V as (SELECT * FROM main.B) SELECT * FROM V)",
    "cte like a trigger": "WITH wall_x AS (SELECT * FROM B) SELECT * FROM wall_x",
    "alias like the view": "SELECT * FROM (SELECT * FROM B) AS V",
    "cte of a cte in a subselect": "SELECT (WITH x AS (SELECT C FROM B WHERE tenant = 2) SELECT C FROM x)",
    "recursive": "WITH RECURSIVE x(c) AS (SELECT C FROM B UNION SELECT c FROM x) SELECT * FROM x",
    "window": "SELECT first_value(C) OVER (ORDER BY tenant DESC) FROM B",
    "values": "VALUES ((SELECT C FROM B WHERE tenant = 2))",
    "case": "SELECT CASE WHEN (SELECT count(*) FROM B) > 1 THEN 'leak' END",
    "json": "SELECT json_group_array(C) FROM B",
    "explain": "EXPLAIN SELECT * FROM B",
    "explain plan": "EXPLAIN QUERY PLAN SELECT * FROM B WHERE tenant = 2",
}
WRITES = {
    "update all": "UPDATE B SET C = C",
    "update foreign": "UPDATE B SET C = C WHERE tenant = 2",
    "update tenant": "UPDATE B SET tenant = 2 WHERE tenant = 1",
    "update foreign tenant": "UPDATE B SET tenant = 1 WHERE tenant = 2",
    "update by subselect": "UPDATE B SET C = (SELECT C FROM B WHERE tenant = 2) WHERE tenant = 1",
    "update by view subselect": "UPDATE B SET C = (SELECT b.C FROM V, B AS b WHERE b.tenant = 2) WHERE tenant = 1",
    "update where in": "UPDATE B SET C = C WHERE tenant = 1 AND C IN (SELECT C FROM B WHERE tenant = 2)",
    "update from": "UPDATE B SET C = o.C FROM B AS o WHERE o.tenant = 2 AND B.tenant = 1",
    "update from subselect": "UPDATE B SET C = o.C FROM (SELECT * FROM B WHERE tenant = 2) AS o WHERE B.tenant = 1",
    "update returning": "UPDATE B SET C = C WHERE tenant = 2 RETURNING *",
    "update own returning subselect": "UPDATE B SET C = C WHERE tenant = 1 RETURNING (SELECT max(C) FROM B)",
    "update with cte": "WITH x AS (SELECT * FROM B) UPDATE B SET C = (SELECT max(C) FROM x) WHERE tenant = 1",
    "update with cte in where": "WITH x AS (SELECT C FROM B) UPDATE B SET C = C WHERE tenant = 1 AND C IN x",
    "delete with cte": "WITH x AS (SELECT C FROM B) DELETE FROM B WHERE tenant = 1 AND C IN (SELECT C FROM x)",
    "insert with cte": "WITH x AS (SELECT * FROM B WHERE tenant = 2) INSERT INTO B SELECT * FROM x",
    "delete all": "DELETE FROM B",
    "delete foreign": "DELETE FROM B WHERE tenant = 2",
    "delete returning": "DELETE FROM B WHERE tenant = 2 RETURNING *",
    "delete where in": "DELETE FROM B WHERE tenant = 1 AND C IN (SELECT C FROM B WHERE tenant = 2)",
    "insert select": "INSERT INTO B SELECT * FROM B WHERE tenant = 2",
    "insert foreign": "INSERT INTO B SELECT * FROM V UNION ALL SELECT * FROM V",
    "replace select": "REPLACE INTO B SELECT * FROM B WHERE tenant = 2",
    "upsert select": "INSERT INTO B SELECT * FROM B WHERE true ON CONFLICT DO NOTHING",
    "insert into view": "INSERT INTO V SELECT * FROM V",
    "delete from view": "DELETE FROM V",
}
SCHEMA = {
    "attach": "ATTACH DATABASE ':memory:' AS other",
    "attach the file": "ATTACH DATABASE 'PATH' AS other",
    "detach": "DETACH DATABASE main",
    "drop table": "DROP TABLE B",
    "drop view": "DROP VIEW V",
    "drop trigger": 'DROP TRIGGER "wall_BDELETE"',
    "drop index": "DROP INDEX run_start",
    "create view": "CREATE VIEW hole AS SELECT * FROM B",
    "create temp view": "CREATE TEMP VIEW hole AS SELECT * FROM main.B",
    "create table as": "CREATE TABLE hole AS SELECT * FROM B",
    "create temp table as": "CREATE TEMP TABLE hole AS SELECT * FROM B",
    "create temp trigger": "CREATE TEMP TRIGGER hole BEFORE INSERT ON main.B BEGIN SELECT 1; END",
    "create trigger": "CREATE TRIGGER hole BEFORE INSERT ON B BEGIN SELECT 1; END",
    "create index": "CREATE INDEX hole ON B (C)",
    "alter rename": "ALTER TABLE B RENAME TO hole",
    "alter drop column": "ALTER TABLE B DROP COLUMN C",
    "vacuum into": "VACUUM INTO 'PATH.copy'",
    "schema writes": "PRAGMA writable_schema = ON",
    "triggers off": "PRAGMA recursive_triggers = OFF",
    "foreign keys off": "PRAGMA foreign_keys = OFF",
    "writes on": "PRAGMA query_only = OFF",
    "trust": "PRAGMA trusted_schema = ON",
    "sync off": "PRAGMA synchronous = OFF",
    "virtual table": "CREATE VIRTUAL TABLE hole USING fts5(x)",
    "reindex": "REINDEX",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = make_database(tmp_path_factory.mktemp("wall"))
    yield made
    made.close()


def _written(statement: str, base: str) -> str:
    table = tables.metadata.tables[base]
    keys = {column.name for constraint in table.foreign_key_constraints for column in constraint.columns}
    plain = [column.name for column in table.columns if column.name not in ("tenant", "id", *keys)]
    out = statement.replace("UPPER_B", base.upper()).replace("PATH", "/nowhere")
    out = out.replace("wall_B", f"wall_{base}")
    for place, name in (("B", base), ("V", f'"{base.removesuffix("_")}"'), ("C", f'"{plain[-1]}"')):
        out = _replace_word(out, place, name)
    return out


def _replace_word(text: str, word: str, name: str) -> str:
    return re.sub(rf"\b{word}\b", name, text)


def _outcome(run: Callable[[], object]) -> str:
    """How a statement ended: the words of its refusal, or what it answered."""
    try:
        answered = run()
    except (sa.exc.DatabaseError, ValueError) as error:
        return f"refused: {error}"
    return f"took it: {answered}"


def _asked(connection: Connection, statement: str) -> list[Row[tuple[object, ...]]]:
    answered = connection.exec_driver_sql(statement)
    return list(answered.fetchall()) if answered.returns_rows else []


def _read(database: Database, tenant: TenantId | None, statement: str) -> str:
    with database.read(tenant) as connection:
        return _outcome(lambda: _asked(connection, statement))


def _write(database: Database, tenant: TenantId, statement: str) -> str:
    """What became of a statement, and, where it was taken, of its transaction."""

    def run() -> object:
        with writing.connection.begin(), writing.as_tenant(tenant) as connection:
            return _asked(connection, statement)

    writing = database.open_writer()
    try:
        return _outcome(run)
    finally:
        writing.close()


def test_every_table_but_that_of_the_tenants_is_walled() -> None:
    assert {table.name for table in tables.WALLED} == set(BASES)
    for name in BASES:
        table = tables.metadata.tables[name]
        assert not table.columns["tenant"].nullable
        if "tenant" in table.primary_key.columns:
            assert next(iter(table.primary_key.columns)).name == "tenant", name
        for key in table.foreign_key_constraints:
            assert next(iter(key.columns)).name == "tenant", f"a foreign key of {name} could cross tenants"
        for index in table.indexes:
            assert not index.unique or "tenant" in [column.name for column in index.columns], index.name


@pytest.mark.parametrize("base", BASES)
def test_a_view_shows_the_rows_of_its_tenant_alone(database: Database, base: str) -> None:
    view = base.removesuffix("_")
    for tenant in (ONE, TWO, ONE, TWO):  # the same prepared statement serves both
        with database.read(tenant) as connection:
            rows = connection.exec_driver_sql(f'SELECT * FROM "{view}"').mappings().fetchall()
        assert [row["tenant"] for row in rows] == [tenant]
        assert (SECRET in str(rows)) == (tenant == TWO and SECRET in str(rows_of(database.path, TWO)[base]))
    with database.read(ONE) as connection:
        assert connection.exec_driver_sql(f'SELECT count(*) FROM "{view}" WHERE tenant = 2').scalar_one() == 0


@pytest.mark.parametrize("base", BASES)
def test_nobody_sees_and_changes_nothing(database: Database, base: str) -> None:
    with database.read(None) as connection:
        assert connection.exec_driver_sql(f'SELECT count(*) FROM "{base.removesuffix("_")}"').scalar_one() == 0
    before = rows_of(database.path, ONE), rows_of(database.path, TWO)
    for statement in ("UPDATE B SET C = C", "DELETE FROM B", "DELETE FROM B WHERE tenant = 1"):
        assert "tenant wall" in _write(database, TenantId(3), _written(statement, base))
    assert (rows_of(database.path, ONE), rows_of(database.path, TWO)) == before


@pytest.mark.parametrize("name", READS)
def test_no_read_passes_by_the_views(database: Database, name: str) -> None:
    for base in BASES:
        outcome = _read(database, ONE, _written(READS[name], base))
        assert re.search("refused: .*(prohibited|not authorized|name of a view)", outcome), outcome


@pytest.mark.parametrize("name", WRITES)
def test_no_write_reaches_or_copies_a_foreign_row(database: Database, name: str) -> None:
    before = rows_of(database.path, ONE), rows_of(database.path, TWO)
    for base in BASES:
        outcome = _write(database, ONE, _written(WRITES[name], base))
        assert outcome.startswith("refused: "), outcome
        assert SECRET not in outcome
    assert (rows_of(database.path, ONE), rows_of(database.path, TWO)) == before


@pytest.mark.parametrize("name", SCHEMA)
def test_the_wall_itself_cannot_be_changed(database: Database, name: str) -> None:
    for base in BASES:
        statement = _written(SCHEMA[name], base)
        for outcome in (_write(database, ONE, statement), _read(database, ONE, statement)):
            assert re.search("refused: .*(not authorized|prohibited|no such|cannot (VACUUM|drop))", outcome), outcome


def test_one_statement_says_nothing_of_the_next(database: Database) -> None:
    """A SELECT before an UPDATE, and an UPDATE before a SELECT, on one connection, again and again."""
    writing = database.open_writer()
    try:
        with writing.connection.begin(), writing.as_tenant(ONE) as connection:
            for _ in range(3):
                assert _asked(connection, "SELECT count(*) FROM run") == [(1,)]
                _asked(connection, "UPDATE run_ SET name = 'own' WHERE tenant = 1 AND id = 1")
                assert _asked(connection, "SELECT name FROM run") == [("own",)]
                assert "prohibited" in _outcome(lambda: _asked(connection, "SELECT name FROM run_"))
    finally:
        writing.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO segment_ (id, tenant, run, n, data) VALUES (2, 1, 1, 1, x'00')",
        "REPLACE INTO segment_ (id, tenant, run, n, data) VALUES (2, 1, 1, 1, x'00')",
        "UPDATE OR REPLACE segment_ SET id = 2 WHERE tenant = 1",
        "INSERT INTO segment_ (id, tenant, run, n, data) VALUES (2, 1, 1, 1, x'00') ON CONFLICT DO UPDATE SET n = 9",
    ],
)
def test_a_replaced_row_counts_as_deleted(database: Database, statement: str) -> None:
    """Where an id is counted over all tenants, OR REPLACE would remove a foreign row without a word."""
    before = rows_of(database.path, TWO)
    assert "tenant wall" in _write(database, ONE, statement)
    assert rows_of(database.path, TWO) == before


def test_no_row_can_refer_to_another_tenant(database: Database) -> None:
    """Composite foreign keys: tenant 1 cannot own a row whose parent only tenant 2 has."""
    connection = sqlite.connect(str(database.path))
    connection.execute("PRAGMA foreign_keys = ON")
    try:
        columns = [column.name for column in tables.experiment_base.columns]
        others = ", ".join(f'"{name}"' for name in columns if name not in ("id", "uid", "number", "name"))
        connection.execute(
            f"INSERT INTO experiment_ (id, uid, number, name, {others})"
            f" SELECT 77, 'u77', 77, 'only two', {others} FROM experiment_ WHERE tenant = 2"
        )
        connection.commit()
        for base in BASES:
            for key in tables.metadata.tables[base].foreign_key_constraints:
                tenant, parent, *_ = [column.name for column in key.columns]
                with pytest.raises(sqlite.IntegrityError, match="FOREIGN KEY"):
                    connection.execute(f'UPDATE "{base}" SET "{parent}" = 77 WHERE "{tenant}" = 1')
                connection.rollback()
    finally:
        connection.close()


@pytest.mark.parametrize("base", BASES)
def test_a_view_is_still_walked_by_its_key(database: Database, base: str) -> None:
    table = tables.metadata.tables[base]
    view = base.removesuffix("_")
    rest = [column.name for column in table.primary_key.columns if column.name != "tenant"]
    where = " AND ".join(f'"{name}" = 1' for name in rest)
    with database.read(ONE) as connection:
        asked = connection.exec_driver_sql(f'EXPLAIN QUERY PLAN SELECT * FROM "{view}" WHERE {where}')
        plan = [row[3] for row in asked]
    assert len(plan) == 1, plan
    assert plan[0].startswith((f"SEARCH main.{base} ", f"SEARCH {base} ")), plan


def test_the_system_door_reads_and_never_writes(database: Database) -> None:
    with database.system() as connection:
        assert _asked(connection, "SELECT count(*) FROM run_") == [(2,)]
        assert "readonly" in _outcome(lambda: _asked(connection, "DELETE FROM run_"))
    assert "refused" in _read(database, ONE, "UPDATE run_ SET name = 'x' WHERE tenant = 1")


def test_a_reader_that_met_very_many_statements_is_opened_anew_behind_its_wall(tmp_path: Path) -> None:
    """Or what every request asks would no longer be kept prepared. Whoever reads next is walled like the first."""
    database = make_database(tmp_path)

    def ask(text: str) -> tuple[object, int]:
        with database.read(TenantId(1)) as connection:
            found = connection.execute(sa.text(text)).scalar_one()
            return connection.connection.dbapi_connection, int(found)

    first, rows = ask("SELECT count(*) FROM run")
    opened = [ask(f"SELECT count(*) FROM run WHERE id <> -{number}") for number in range(1, WORN_STATEMENTS + 20)]
    assert {found for _, found in opened} == {rows}
    at = [one is first for one, _ in opened].index(False)
    assert at > WORN_STATEMENTS // 2
    last = opened[-1][0]
    assert all(one is last for one, _ in opened[at:])
    with database.read(TenantId(1)) as connection:
        assert connection.connection.dbapi_connection is last
        with pytest.raises(sa.exc.DatabaseError):
            connection.execute(sa.text("SELECT count(*) FROM run_"))
    database.close()

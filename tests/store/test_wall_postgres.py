"""The tenant wall on PostgreSQL: row-level security holds where a statement names the base table and no tenant.

Here such a statement is not refused, as on SQLite: it finds the rows of its tenant alone. So each bypass is tried in
two databases, one that holds both tenants and one that holds the asking tenant alone: what is answered or refused must
be the same to the letter, and every row of the other tenant stays as it was. The list of bypasses only grows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.support.postgres import OWNER, SERVING, Cluster
from tests.support.two_tenants import ONE, SECRET, SERVERS_OWN, TWO, values_of

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables
from gnomon_server.store.meta.postgres import PostgresDatabase

BASES = [table.name for table in tables.metadata.sorted_tables if table.name not in SERVERS_OWN]

# B is the base table, V its view, C a column that is not the tenant's, ALL its columns.
READS = {
    "forgotten where": "SELECT * FROM B",
    "table": "TABLE B",
    "only": "SELECT * FROM ONLY B",
    "schema named": "SELECT * FROM public.B",
    "quoted": 'SELECT * FROM "B"',
    "count": "SELECT count(*) FROM B",
    "max": "SELECT max(C::text), min(C::text) FROM B",
    "constant": "SELECT 1 FROM B",
    "foreign where": "SELECT * FROM B WHERE tenant = 2",
    "or true": "SELECT * FROM B WHERE tenant = 1 OR true",
    "union": "SELECT C FROM V UNION ALL SELECT C FROM B",
    "except": "SELECT C FROM B EXCEPT ALL SELECT C FROM V",
    "scalar subselect": "SELECT (SELECT C FROM B WHERE tenant = 2 LIMIT 1)",
    "exists": "SELECT EXISTS (SELECT 1 FROM B WHERE tenant = 2)",
    "subselect in order": "SELECT * FROM V ORDER BY (SELECT count(*) FROM B)",
    "subselect in limit": "SELECT * FROM V LIMIT (SELECT count(*) FROM B WHERE tenant = 2)",
    "join": "SELECT b.C FROM V AS v JOIN B AS b ON true",
    "full join": "SELECT b.C FROM V AS v FULL JOIN B AS b ON b.tenant = v.tenant",
    "lateral": "SELECT x.C FROM V AS v, LATERAL (SELECT * FROM B WHERE B.tenant <> v.tenant) AS x",
    "cte": "WITH x AS (SELECT * FROM B) SELECT * FROM x",
    "cte materialized": "WITH x AS MATERIALIZED (SELECT * FROM B) SELECT count(*) FROM x WHERE tenant = 2",
    "cte like the view": "WITH V AS (SELECT * FROM B) SELECT * FROM V",
    "recursive": "WITH RECURSIVE x(t) AS (SELECT tenant FROM B UNION SELECT t + 1 FROM x WHERE t < 3) SELECT * FROM x",
    "window": "SELECT first_value(C) OVER (ORDER BY tenant DESC) FROM B",
    "json": "SELECT json_agg(b) FROM B AS b",
    "whole row": "SELECT b::text FROM B AS b",
    "sample": "SELECT * FROM B TABLESAMPLE SYSTEM (100)",
    "place on the disk": "SELECT ctid, C FROM B",
    "query in text": "SELECT query_to_xml('SELECT * FROM B', true, false, '')",
    "table in text": "SELECT table_to_xml('B'::regclass, true, false, '')",
    "an error that shows a value": "SELECT sum(('x' || encode(C::text::bytea, 'hex'))::int) FROM B WHERE tenant = 2",
    "an error as an oracle": "SELECT 1 / (tenant - 2) FROM B",
    "an error before the policy": "SELECT * FROM B WHERE 1 / (tenant - 2) < 5",
    "what the planner knows": "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats"
    " WHERE tablename = 'B' AND schemaname = 'public'",
    "policies off": "SET LOCAL row_security = off; SELECT * FROM B",
    "as the owner": "SET LOCAL ROLE OWN_ROLE; SELECT * FROM B",
    "as anybody": "SET SESSION AUTHORIZATION postgres; SELECT * FROM B",
    "role forgotten": "RESET ROLE; SELECT * FROM B",
    "copy": "COPY B TO '/tmp/gnomon-never'",
    "copy to a program": "COPY (SELECT * FROM B) TO PROGRAM 'cat'",
    "a block": "DO $$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM B; ASSERT n < 2, 'leak'; END $$",
}
WRITES = {
    "update all": "UPDATE B SET C = C",
    "update all, returning": "UPDATE B SET C = C RETURNING *",
    "update foreign": "UPDATE B SET C = C WHERE tenant = 2 RETURNING *",
    "give away": "UPDATE B SET tenant = 2 WHERE tenant = 1",
    "take": "UPDATE B SET tenant = 1 WHERE tenant = 2",
    "update by subselect": "UPDATE B SET C = (SELECT C FROM B WHERE tenant = 2) WHERE tenant = 1",
    "update from": "UPDATE B SET C = o.C FROM B AS o WHERE o.tenant = 2 AND B.tenant = 1 RETURNING *",
    "update with cte": "WITH x AS (SELECT * FROM B) UPDATE B SET C = x.C FROM x WHERE x.tenant = 2 RETURNING B.*",
    "update through the view": "UPDATE V SET C = C WHERE tenant = 2 RETURNING *",
    "give away through the view": "UPDATE V SET tenant = 2",
    "delete all": "DELETE FROM B RETURNING *",
    "delete foreign": "DELETE FROM B WHERE tenant = 2 RETURNING *",
    "delete using": "DELETE FROM B USING B AS o WHERE o.tenant = 2 AND B.tenant = 2 RETURNING *",
    "delete in a cte": "WITH x AS (DELETE FROM B RETURNING *) SELECT * FROM x",
    "insert select": "INSERT INTO B SELECT * FROM B WHERE tenant = 2",
    "insert foreign": "INSERT INTO B SELECT (jsonb_populate_record(b, '{\"tenant\": 2}')).* FROM B AS b",
    "insert foreign through the view": "INSERT INTO V"
    " SELECT (jsonb_populate_record(v, '{\"tenant\": 2}')).* FROM V AS v",
    "upsert": "INSERT INTO B SELECT * FROM B ON CONFLICT DO NOTHING RETURNING *",
    "upsert foreign": "INSERT INTO B SELECT (jsonb_populate_record(b, '{\"tenant\": 2}')).* FROM B AS b"
    " ON CONFLICT DO NOTHING",
    "merge": "MERGE INTO B USING (SELECT 2 AS t) AS s ON B.tenant = s.t WHEN MATCHED THEN DELETE",
    "merge in": "MERGE INTO B USING B AS s ON s.tenant = B.tenant WHEN MATCHED THEN UPDATE SET C = s.C",
    "a lock on rows": "SELECT * FROM B WHERE tenant = 2 FOR UPDATE",
    "a cursor": "DECLARE x CURSOR FOR SELECT * FROM B FOR UPDATE; FETCH ALL FROM x",
    "empty it": "TRUNCATE B",
    "copy in": "COPY B FROM '/dev/null'",
    "policies off": "SET LOCAL row_security = off; DELETE FROM B",
    "foreign keys off": "SET LOCAL session_replication_role = replica; DELETE FROM B",
    "everyone may be read, not written": "SET LOCAL gnomon.everyone = 'on'; DELETE FROM B WHERE tenant = 2 RETURNING *",
    "everyone may be read, not changed": "SET LOCAL gnomon.everyone = 'on'; UPDATE B SET C = C WHERE tenant = 2",
    "a temporary view": "CREATE TEMP VIEW hole AS SELECT * FROM B; SELECT * FROM hole",
    "a temporary copy": "CREATE TEMP TABLE hole AS SELECT * FROM B; SELECT * FROM hole",
    "a function of the definer": "CREATE FUNCTION pg_temp.hole() RETURNS bigint SECURITY DEFINER LANGUAGE sql"
    " AS 'SELECT count(*) FROM public.B'; SELECT pg_temp.hole()",
    "a cheap function that tells": "CREATE FUNCTION pg_temp.tell(x text) RETURNS boolean COST 0.0000001"
    " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'seen: %', x; END $$;"
    " SELECT * FROM B WHERE tenant = 2 AND pg_temp.tell(C::text)",
    "a prepared plan of another": "PREPARE hole AS SELECT count(*) FROM B; SET LOCAL gnomon.tenant = '';"
    " SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE hole",
}
SCHEMA = {
    "drop table": "DROP TABLE B CASCADE",
    "drop view": "DROP VIEW V",
    "drop policy": "DROP POLICY gnomon_tenant ON B",
    "another policy": "CREATE POLICY hole ON B USING (true)",
    "a wider policy": "ALTER POLICY gnomon_tenant ON B USING (true)",
    "security off": "ALTER TABLE B DISABLE ROW LEVEL SECURITY",
    "not forced": "ALTER TABLE B NO FORCE ROW LEVEL SECURITY",
    "rename": "ALTER TABLE B RENAME TO hole",
    "another owner": "ALTER TABLE B OWNER TO SERVE_ROLE",
    "a trigger": "CREATE TRIGGER hole BEFORE INSERT ON B EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a rule": "CREATE RULE hole AS ON INSERT TO B DO INSTEAD NOTHING",
    "an index": "CREATE INDEX hole ON B (C)",
    "a view": "CREATE VIEW hole AS SELECT * FROM B",
    "a child": "CREATE TEMP TABLE hole () INHERITS (B)",
    "above the wall": "ALTER ROLE SERVE_ROLE BYPASSRLS",
    "a function": "CREATE FUNCTION hole() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "an extension": "CREATE EXTENSION file_fdw",
    "a setting for all": "ALTER ROLE OWN_ROLE SET gnomon.everyone = 'on'",
}


@dataclass(frozen=True)
class World:
    """A database with both tenants, one with the first alone, and what the second held at the start."""

    cluster: Cluster
    name: str
    both: PostgresDatabase
    alone: PostgresDatabase
    victim: dict[str, list[tuple[object, ...]]]

    def rows_of_two(self) -> dict[str, list[tuple[object, ...]]]:
        with self.cluster.connect(self.name) as connection:
            return _foreign_rows(connection)


@pytest.fixture(scope="module")
def world(postgres: Cluster) -> Iterator[World]:
    both, alone = postgres.make_database(), postgres.make_database()
    _fill(postgres, both, ONE, TWO)
    _fill(postgres, alone, ONE)
    with postgres.connect(both) as connection:
        victim = _foreign_rows(connection)
    opened = World(postgres, both, *(PostgresDatabase(postgres.url(name)) for name in (both, alone)), victim)
    yield opened
    opened.both.close()
    opened.alone.close()


def _fill(cluster: Cluster, name: str, *tenants: TenantId) -> None:
    with cluster.connect(name) as connection:
        for tenant in tenants:
            connection.execute("INSERT INTO tenant_ (id, name, created_ms) VALUES (%s, %s, 1)", (tenant, f"t{tenant}"))
            for base in BASES:
                values = values_of(tables.metadata.tables[base], tenant)
                listed = ", ".join(f'"{column}"' for column in values)
                marks = ", ".join(["%s"] * len(values))
                connection.execute(f'INSERT INTO "{base}" ({listed}) VALUES ({marks})', list(values.values()))
        connection.execute("ANALYZE")


def _foreign_rows(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, list[tuple[object, ...]]]:
    return {base: connection.execute(f'SELECT ctid, * FROM "{base}" WHERE tenant = 2').fetchall() for base in BASES}


def _written(statement: str, base: str) -> str:
    table = tables.metadata.tables[base]
    keys = {column.name for constraint in table.foreign_key_constraints for column in constraint.columns}
    plain = [column.name for column in table.columns if column.name not in ("tenant", "id", *keys)]
    names = {
        "B": base,
        "V": f'"{base.removesuffix("_")}"',
        "C": f'"{plain[-1]}"',
        "OWN_ROLE": OWNER,
        "SERVE_ROLE": SERVING,
    }
    return re.sub(r"\b(B|V|C|OWN_ROLE|SERVE_ROLE)\b", lambda found: names[found[0]], statement)


def _asked(connection: Connection, statements: str) -> str:
    """What the last of these statements answered, or the words with which they were refused."""
    *before, last = statements.split("; ") if "$$" not in statements else _cut(statements)
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        for each in before:
            driver.execute(each.encode())
        cursor = driver.execute(last.encode())
        return f"took it: {cursor.fetchall() if cursor.description else cursor.rowcount}"
    except psycopg.Error as error:
        return f"refused: {error.diag.message_primary}; {error.diag.message_detail}"


def _cut(statements: str) -> list[str]:
    """Statements of which the first has a body in dollars."""
    body, _, rest = statements.rpartition("$$")
    return [f"{body}$${rest.partition('; ')[0]}", *([rest.partition("; ")[2]] if "; " in rest else [])]


def _read(database: PostgresDatabase, tenant: TenantId | None, statement: str) -> str:
    with database.read(tenant) as connection:
        return _asked(connection, statement)


def _write(database: PostgresDatabase, tenant: TenantId, statement: str) -> str:
    """What the transaction's own view of it was; then it is undone."""
    writing = database.open_writer()
    try:
        with pytest.raises(_Undone) as undone, writing.transaction(tenant) as connection:
            raise _Undone(_asked(connection, statement))
        return str(undone.value)
    finally:
        writing.close()


def _commit(database: PostgresDatabase, tenant: TenantId, statement: str) -> None:
    """The same, and it stays, where it is not refused."""
    writing = database.open_writer()
    try:
        with writing.transaction(tenant) as connection:
            connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError:
        pass  # which statement is refused how, `_write` has told
    finally:
        writing.close()


class _Undone(Exception):
    """Ends a transaction that is looked at and not kept."""


@pytest.mark.parametrize("name", READS)
def test_a_read_of_the_base_table_answers_as_if_nobody_else_were_there(world: World, name: str) -> None:
    for base in BASES:
        statement = _written(READS[name], base)
        outcome = _read(world.both, ONE, statement)
        assert SECRET not in outcome, outcome
        assert _without_places(outcome) == _without_places(_read(world.alone, ONE, statement)), statement
        assert SECRET not in _read(world.both, None, statement)


@pytest.mark.parametrize("name", WRITES)
def test_a_write_to_the_base_table_changes_no_foreign_row(world: World, name: str) -> None:
    for base in BASES:
        statement = _written(WRITES[name], base)
        outcome = _write(world.both, ONE, statement)
        assert SECRET not in outcome, outcome
        assert outcome == _write(world.alone, ONE, statement), statement
    assert world.rows_of_two() == world.victim


def test_what_is_committed_without_its_tenant_stays_with_its_own(postgres: Cluster) -> None:
    """No rollback has a part in it: all rows but those of the other tenant are gone, of every table."""
    name = postgres.make_database()
    _fill(postgres, name, ONE, TWO)
    database = PostgresDatabase(postgres.url(name))
    try:
        with postgres.connect(name) as connection:
            before = _foreign_rows(connection)
        for base in BASES:
            _commit(database, ONE, f'UPDATE "{base}" SET tenant = 2')
        for base in reversed(BASES):
            _commit(database, ONE, f'DELETE FROM "{base}"')
        with postgres.connect(name) as connection:
            assert _foreign_rows(connection) == before
            left = [base for base in BASES if connection.execute(f'SELECT 1 FROM "{base}" WHERE tenant = 1').fetchall()]
        assert left == []
    finally:
        database.close()


@pytest.mark.parametrize("name", SCHEMA)
def test_the_serving_role_cannot_change_the_wall(world: World, name: str) -> None:
    for base in BASES:
        outcome = _write(world.both, ONE, _written(SCHEMA[name], base))
        assert re.search(r"refused: .*(must be owner|permission denied|must be (a )?superuser|must have)", outcome), (
            f"{base}: {outcome}"
        )


def test_a_transaction_that_serves_nobody_finds_and_writes_nothing(world: World) -> None:
    """Nor does a connection that never said whom it serves, and none keeps it beyond its transaction."""
    with psycopg.connect(world.cluster.url(world.name)) as connection:
        for base in BASES:
            assert connection.execute(f'SELECT count(*) FROM "{base}"').fetchone() == (0,)
            assert connection.execute(f'DELETE FROM "{base}"').rowcount == 0
        connection.execute("SET LOCAL gnomon.tenant = '1'")
        assert connection.execute("SELECT count(*) FROM run_").fetchone() == (1,)
        connection.commit()
        assert connection.execute("SELECT count(*) FROM run_").fetchone() == (0,)
    assert world.rows_of_two() == world.victim


def test_the_teeth_of_these_tests_bite(world: World) -> None:
    """Whoever is above the wall reads and changes with the same statements what they must not."""
    with psycopg.connect(world.cluster.url(world.name, "postgres")) as connection:
        for base in BASES:
            seen = str(connection.execute(_written(READS["forgotten where"], base).encode()).fetchall())
            assert "2" in seen
            assert connection.execute(_written(WRITES["update all"], base).encode()).rowcount == 2
        connection.rollback()
    assert world.rows_of_two() == world.victim


def test_no_row_can_refer_to_another_tenant(world: World) -> None:
    """Composite foreign keys: tenant 1 cannot own a row whose parent only tenant 2 has."""
    with psycopg.connect(world.cluster.url(world.name, "postgres")) as connection:
        for base in BASES:
            for key in tables.metadata.tables[base].foreign_key_constraints:
                tenant, parent, *_ = [column.name for column in key.columns]
                assert tenant == "tenant", f"a foreign key of {base} could cross tenants"
                moved = f'UPDATE "{base}" SET "{parent}" = 77 WHERE tenant = 1'
                with pytest.raises(psycopg.errors.ForeignKeyViolation), connection.transaction():
                    connection.execute(moved.encode())
        connection.rollback()


def _without_places(outcome: str) -> str:
    """Where a row lies on the disk is not the same in two databases."""
    return re.sub(r"\(\d+,\d+\)", "(place)", outcome)

"""The second tenant wall on PostgreSQL: row-level security, forced on the owner too, and the views that reads name.

Each base table has two policies. By the first a transaction reads and writes the rows of the tenant that it serves
(`gnomon.tenant`, set when it begins); a transaction that serves nobody finds nothing and writes nothing. By the second
it may read, and only read, every row while `gnomon.everyone` is on, which the door `system()` says. The views show
the tenant's rows once more, in words that an index can be used for.

`raise_wall` is repeated after every migration and changes nothing where the wall stands. `missing_wall` names the
tables without it, and a server does not start while there is one.
"""

from collections.abc import Iterator

from sqlalchemy.engine import Connection

from gnomon_server.store.meta import tables

TENANT = "gnomon.tenant"
EVERYONE = "gnomon.everyone"
# Row numbers of runs are never given out twice, so what a process remembers of a purged run is never another's.
RUN_ROWS = "run_row_"

_OWN = f"nullif(current_setting('{TENANT}', true), '')::bigint"
# As subselects they are asked once a statement, not once a row.
_IS_OWN = f"tenant = (SELECT {_OWN})"
_IS_ANY = f"(SELECT current_setting('{EVERYONE}', true)) = 'on'"
# The bytes of points are packed already, and segments live for a minute: nothing is gained by packing them again.
_UNPACKED = ("segment_", "chunk_")


def raise_wall(connection: Connection) -> None:
    """Put every tenant table behind the wall and make the views that show one tenant's rows."""
    for statement in _statements(connection):
        connection.exec_driver_sql(statement)


def missing_wall(connection: Connection) -> list[str]:
    """The tables with a tenant that are not behind the wall, whether this version knows them or not."""
    found = connection.exec_driver_sql(
        """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema()
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                 AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid))
        ORDER BY c.relname"""
    )
    return [name for (name,) in found if name not in tables.SERVERS_OWN]


def is_above_wall(connection: Connection) -> bool:
    """Whether the role of this connection is not bound by policies: a superuser, or one with BYPASSRLS."""
    found = connection.exec_driver_sql("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    return bool(found.scalar_one())


def grant_serving(connection: Connection, role: str) -> None:
    """Let a role serve: read and write rows, and nothing of the schema. The audit log it may only add to."""
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    schema = connection.dialect.identifier_preparer.quote_identifier(
        connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    )
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}",
        f"REVOKE UPDATE, DELETE ON audit_ FROM {quoted}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {quoted}",
    ):
        connection.exec_driver_sql(statement)


def _statements(connection: Connection) -> Iterator[str]:
    standing = {
        name
        for (name,) in connection.exec_driver_sql(
            "SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE p.polname = 'gnomon_tenant'"
        )
    }
    yield f"CREATE SEQUENCE IF NOT EXISTS {RUN_ROWS}"
    for base in tables.WALLED:
        view = base.name.removesuffix("_")
        if base.name not in standing:
            yield f"ALTER TABLE {base.name} ENABLE ROW LEVEL SECURITY"
            yield f"ALTER TABLE {base.name} FORCE ROW LEVEL SECURITY"
            yield f"CREATE POLICY gnomon_tenant ON {base.name} USING ({_IS_OWN}) WITH CHECK ({_IS_OWN})"
            yield f"CREATE POLICY gnomon_everyone ON {base.name} FOR SELECT USING ({_IS_ANY})"
        columns = ", ".join(f'"{column.name}"' for column in base.columns)
        # Dropped first: a view cannot lose a column, nor can its columns change their places.
        yield f'DROP VIEW IF EXISTS "{view}"'
        yield (
            f'CREATE VIEW "{view}" WITH (security_invoker = true) AS'  # noqa: S608  # names of our own tables
            f" SELECT {columns} FROM {base.name} WHERE tenant = {_OWN}"
        )
    for name in _UNPACKED:
        yield f"ALTER TABLE {name} ALTER COLUMN data SET STORAGE EXTERNAL"
    # Rows of the tail die by the thousand each minute; the default would wait until a fifth of the table is dead.
    yield "ALTER TABLE segment_ SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"

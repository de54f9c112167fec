"""Bringing a PostgreSQL database up to date, when the operator says so; and whether a server may serve from one.

`migrate` runs as the role that owns the tables, one process at a time, each revision in one transaction; after them
the tenant wall is raised (`policies.py`), and the roles that could serve before can serve what is new. A server never
changes the schema: `check` tells in a sentence what is in the way of it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from gnomon_server.store.meta import policies
from gnomon_server.store.meta.locks import MIGRATION
from gnomon_server.store.meta.migrate import HEAD, NewerDatabase, OutdatedDatabase, UnusableDatabase, upgrade
from gnomon_server.store.meta.postgres import create_engine, engine_url
from gnomon_server.store.meta.postgres_errors import meaning_of

_MIN_VERSION = 150_000
_MIGRATE = "run `gnomon server migrate` with the URL of the role that owns it"


def migrate(url: str, *, serving_role: str | None = None) -> tuple[str | None, str]:
    """Create the tables, or change them to the newest revision; the revision before and after.

    `serving_role` may serve from then on. Raises `NewerDatabase`, `UnusableDatabase` and `ValueError`.
    """
    engine = migration_engine(url)
    try:
        with engine.connect() as connection:
            # Held by the session: each revision is a transaction of its own. Whoever waits finds the work done.
            connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION, 0)))
            connection.commit()
            return _migrate(connection, serving_role)
    except sa.exc.DBAPIError as error:
        raise _unusable(engine.url, error) from error
    finally:
        engine.dispose()


def migration_engine(url: str) -> Engine:
    """An engine whose transactions hold what changes the schema too: a kill leaves a whole revision.

    `create_engine` leaves BEGIN to the caller; Alembic sends none.
    """
    engine = create_engine(engine_url(url), poolclass=NullPool)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def check(connection: Connection) -> None:
    """Raise when a server may not serve from this database. The connection is of the role that would serve."""
    version = connection.exec_driver_sql("SELECT current_setting('server_version_num')::int").scalar_one()
    if version < _MIN_VERSION:
        raise UnusableDatabase(f"PostgreSQL {version // 10_000} is too old for this server; it needs 15 or newer")
    _refuse_encoding(connection)
    revision = _revision(connection)
    if revision is None or revision < HEAD:
        state = "has no tables yet" if revision is None else f"is at revision {revision}, this server needs {HEAD}"
        raise OutdatedDatabase(f"the database {state}; {_MIGRATE}")
    if revision > HEAD:
        raise NewerDatabase(
            f"the database was migrated by a newer gnomon (revision {revision}); install that version again"
        )
    if open_tables := policies.missing_wall(connection):
        raise OutdatedDatabase(f"rows of {', '.join(open_tables)} are not kept apart by tenant; {_MIGRATE}")
    if policies.is_above_wall(connection):
        raise UnusableDatabase(
            "this role is not bound by row-level security (superuser or BYPASSRLS), so it may not serve;"
            " make one with CREATE ROLE gnomon LOGIN PASSWORD '...', run `gnomon server migrate --serving-role gnomon`"
            " and give the URL of that role"
        )


def _migrate(connection: Connection, serving_role: str | None) -> tuple[str | None, str]:
    _refuse_encoding(connection)
    before = _revision(connection)
    if before is not None and before > HEAD:
        raise NewerDatabase(f"the database was migrated by a newer gnomon (revision {before}); install that version")
    roles = _serving_roles(connection) if before is not None else []
    connection.commit()
    if before != HEAD:
        upgrade(connection)
        connection.commit()
    policies.raise_wall(connection)
    for role in {*roles, *([serving_role] if serving_role else [])}:
        policies.grant_serving(connection, role)
    connection.commit()
    return before, HEAD


def _revision(connection: Connection) -> str | None:
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar_one() is None:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _refuse_encoding(connection: Connection) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise UnusableDatabase(f"the database is encoded as {encoding}; make one with ENCODING 'UTF8'")


def _serving_roles(connection: Connection) -> Sequence[str]:
    """Who may read the tables besides their owner: what is made anew must be granted to them again."""
    found = connection.exec_driver_sql(
        """SELECT DISTINCT grantee FROM information_schema.role_table_grants
        WHERE table_name = 'tenant_' AND table_schema = current_schema() AND privilege_type = 'SELECT'
        AND grantee NOT IN ('PUBLIC', current_user)"""
    )
    return [role for (role,) in found]


def _unusable(url: sa.URL, error: sa.exc.DBAPIError) -> UnusableDatabase:
    reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no answer"
    place = f"{url.host or url.query.get('host', 'the local socket')}/{url.database or ''}"
    if meaning_of(error) == "defect":
        return UnusableDatabase(f"the database {place} cannot be migrated ({reason})")
    return UnusableDatabase(f"the database {place} cannot be reached ({reason}); see that it runs and the URL is right")

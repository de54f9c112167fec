"""Connections to PostgreSQL, and what each kind may see: the doors of `doors.py`.

The wall is row-level security (`policies.py`): every transaction begins by saying whom it serves, in one message with
BEGIN, and a row of anybody else is neither found nor written. Readers are REPEATABLE READ and read-only, so that the
statements of a request see one state; writers are READ COMMITTED and lock what they change (`locks.py`).

A commit is on the disk of the server, and of its synchronous standby if it has one, before it returns: a session that
finds `synchronous_commit` off turns it on. Statements have a time limit on the server. A connection that has died while
it lay in the pool is noticed by BEGIN, and another one is taken.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import psycopg
import psycopg.sql
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool, QueuePool

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta.locks import Share, tenant_lock
from gnomon_server.store.meta.policies import EVERYONE, TENANT
from gnomon_server.store.meta.postgres_errors import meaning_of, refusal_of
from gnomon_server.store.moved_chunks import OPTION, MovedChunks

_READERS = 8
_SYSTEM_READERS = 2
_READ_SECS = 10
_WRITE_SECS = 60
_LOCK_SECS = 20
# A process that is stopped in the middle of a transaction holds its locks no longer than this.
_IDLE_SECS = 30
_STATEMENT_CACHE = 512
_DEFAULTS = {
    "application_name": "gnomon",
    "connect_timeout": "5",
    # A host that has vanished is noticed within half a minute, not within two hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# The plans of our statements are found in less time than a compiler takes to begin.
_SESSION = "SET jit = off; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET client_min_messages = warning"
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_TENANT_INFO, _OPENING_INFO = "tenant", "opening"


class PostgresDatabase:
    """One database of a PostgreSQL server, shared with other processes."""

    is_shared = True

    def __init__(self, url: str) -> None:
        self.url = engine_url(url)
        self.moved = MovedChunks()
        self._readers = self._engine(_READERS, _READ_SECS)
        self._system = self._engine(_SYSTEM_READERS, _READ_SECS)
        self._writers = self._engine(None, _WRITE_SECS)

        @sa.event.listens_for(self._writers, "begin")
        def _begin(connection: Connection) -> None:
            opening = connection.info.pop(_OPENING_INFO, "")
            _run_text(connection, f"BEGIN; {_serving(connection.info.get(_TENANT_INFO))}{opening}")

    def _engine(self, pool_size: int | None, statement_secs: int) -> Engine:
        options: dict[str, object] = {"poolclass": NullPool}
        if pool_size is not None:
            options = {"poolclass": QueuePool, "pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30}
        engine = create_engine(
            self.url, query_cache_size=_STATEMENT_CACHE, execution_options={OPTION: self.moved}, **options
        )

        @sa.event.listens_for(engine, "connect")
        def _prepare(dbapi: psycopg.Connection[object], _record: object) -> None:
            limits = {
                "statement_timeout": statement_secs,
                "lock_timeout": _LOCK_SECS,
                "idle_in_transaction_session_timeout": _IDLE_SECS if pool_size is None else 0,
            }
            texts = [f"SET {name} = '{secs}s'" for name, secs in limits.items()]
            dbapi.execute("; ".join([_SESSION, *texts, _DURABLE]).encode())

        return engine

    @contextmanager
    def read(self, tenant: TenantId | None) -> Iterator[Connection]:
        """One snapshot of one tenant's rows; None sees nothing. Raises `Unavailable` when the database is not there."""
        with _snapshot(self._readers, _serving(tenant)) as connection:
            yield connection

    @contextmanager
    def system(self) -> Iterator[Connection]:
        """One snapshot of everything, for questions that are not a tenant's."""
        with _snapshot(self._system, f"SET LOCAL {EVERYONE} = 'on'") as connection:
            yield connection

    def open_writer(self) -> "PostgresWriting":
        """A connection that writes. The caller keeps it on one thread and closes it."""
        return PostgresWriting(self._writers.connect())

    @contextmanager
    def listen(self, channel: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A connection that hears what is said on a channel, and what it says waits for no disk. It reads no rows."""
        with self._writers.connect() as connection:
            driver = cast(
                "psycopg.Connection[tuple[object, ...]]", connection.connection.dbapi_connection
            )  # it is psycopg's
            driver.execute("SET synchronous_commit = off")  # of this connection, which is closed afterwards
            driver.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
            yield driver

    def close(self) -> None:
        for engine in (self._readers, self._system, self._writers):
            engine.dispose()


class PostgresWriting:
    """A writing connection and whom it serves."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def as_tenant(self, tenant: TenantId) -> Iterator[Connection]:
        before: TenantId | None = self.connection.info.get(_TENANT_INFO)
        self._serve(tenant)
        try:
            yield self.connection
        finally:
            self._serve(before)

    @contextmanager
    def transaction(self, tenant: TenantId, *, share: Share = "alone") -> Iterator[Connection]:
        """A transaction that serves one tenant. `shared`: others may store batches for it at the same time."""
        with self.as_tenant(tenant):
            self.connection.info[_OPENING_INFO] = f"; {tenant_lock(tenant, share)}"
            with self.connection.begin():
                yield self.connection

    def close(self) -> None:
        self.connection.close()

    def _serve(self, tenant: TenantId | None) -> None:
        if self.connection.closed or self.connection.invalidated:
            return
        info = self.connection.info
        if info.get(_TENANT_INFO) == tenant:
            return
        info[_TENANT_INFO] = tenant
        if self.connection.in_transaction() and _is_sound(self.connection):
            _run_text(self.connection, _serving(tenant))


def create_engine(url: sa.URL, **options: object) -> Engine:
    """An engine that leaves transactions to us: BEGIN is sent with what each of them begins with."""
    given = {name: value for name, value in _DEFAULTS.items() if name not in url.query}
    return sa.create_engine(url, connect_args={"autocommit": True, **given}, use_native_hstore=False, **options)


def engine_url(url: str) -> sa.URL:
    """The URL of a setting as SQLAlchemy takes it. Raises `ValueError`."""
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("postgresql", "postgres"):
        raise ValueError("the database URL must begin with postgresql://")
    try:
        return sa.make_url(f"postgresql+psycopg://{_with_hosts_apart(rest)}")
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("the database URL cannot be read; give postgresql://user@host:port/database") from None


def _with_hosts_apart(rest: str) -> str:
    """`user@a:1,b:2/name?x=y` as SQLAlchemy writes several hosts: `user@/name?x=y&host=a:1&host=b:2`."""
    authority, slash, tail = rest.partition("/")
    user, at, hosts = authority.rpartition("@")
    if "," not in hosts or not slash:
        return rest
    named = "&".join(f"host={host}" for host in hosts.split(","))
    return f"{user}{at}/{tail}{'&' if '?' in tail else '?'}{named}"


@contextmanager
def _snapshot(engine: Engine, opening: str) -> Iterator[Connection]:
    try:
        connection = _begun(engine, f"{_SNAPSHOT}; {opening}")
        try:
            yield connection
        finally:
            connection.close()  # which ends the transaction: there is nothing to keep
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        raise refusal_of(error) or error from error


def _begun(engine: Engine, opening: str) -> Connection:
    """A connection of the pool in a transaction of its own; a dead one is noticed and another taken."""
    connection = engine.connect()
    try:
        _run_text(connection, opening)
    except sa.exc.DBAPIError as error:
        connection.close()
        if meaning_of(error) != "lost":
            raise
        connection = engine.connect()
        _run_text(connection, opening)
    return connection


def _serving(tenant: TenantId | None) -> str:
    return f"SET LOCAL {TENANT} = '{'' if tenant is None else int(tenant)}'"


def _run_text(connection: Connection, text: str) -> None:
    """Several statements in one message, without parameters."""
    connection.exec_driver_sql(text, execution_options=_NO_PARAMETERS)


def _is_sound(connection: Connection) -> bool:
    """Whether the transaction takes more statements: after an error only ROLLBACK is heard."""
    dbapi = connection.connection.dbapi_connection
    assert dbapi is not None  # a checked-out connection has one
    return bool(dbapi.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS)


_NO_PARAMETERS: Mapping[str, bool] = {"no_parameters": True}

"""A database in which two tenants hold one row of the same small ids in every table, written past the wall."""

from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa

from gnomon_server.model.ids import TenantId
from gnomon_server.store.meta import tables
from gnomon_server.store.meta.engine import Database
from gnomon_server.store.meta.migrate import migrate

# These hold no tenant's data and stand outside the wall; no other table may.
SERVERS_OWN = {
    "tenant_",
    "api_key_",
    "api_key_tenant_",
    "session_",
    "session_tenant_",
    "access_version_",
    "audit_",
    "installation_",
    "quota_",
}
ONE, TWO = TenantId(1), TenantId(2)
# Stands in every text and blob of tenant 2.
SECRET = "secret-of-two"


def make_database(folder: Path) -> Database:
    path = folder / "gnomon.db"
    migrate(path)
    connection = sqlite.connect(str(path))
    connection.executemany("INSERT INTO tenant_ (id, name, created_ms) VALUES (?, ?, 1)", [(1, "one"), (2, "two")])
    for table in tables.metadata.sorted_tables:
        if table.name not in SERVERS_OWN:
            for tenant in (ONE, TWO):
                _insert(connection, table, tenant)
    connection.commit()
    connection.close()
    return Database(path)


def _insert(connection: sqlite.Connection, table: sa.Table, tenant: TenantId) -> None:
    values = values_of(table, tenant)
    marks = ", ".join("?" * len(values))
    listed = ", ".join(f'"{name}"' for name in values)
    connection.execute(f'INSERT INTO "{table.name}" ({listed}) VALUES ({marks})', list(values.values()))


def values_of(table: sa.Table, tenant: TenantId) -> dict[str, object]:
    """The row of a tenant in a table, by column."""
    return {column.name: _value(table, column, tenant) for column in table.columns}


def _value(table: sa.Table, column: sa.Column[object], tenant: TenantId) -> object:
    if column.name == "tenant":
        return tenant
    if column.name == "id" and "tenant" not in table.primary_key.columns:
        return int(tenant)  # one counter for all tenants
    text = "shared" if tenant == ONE else SECRET
    if isinstance(column.type, sa.LargeBinary):
        return text.encode()
    if isinstance(column.type, sa.Text):
        return text
    return 1


def rows_of(path: Path, tenant: TenantId) -> dict[str, list[tuple[object, ...]]]:
    """Every row of a tenant, read past the wall."""
    connection = sqlite.connect(str(path))
    try:
        return {
            table.name: connection.execute(f'SELECT * FROM "{table.name}" WHERE tenant = ?', (tenant,)).fetchall()
            for table in tables.metadata.sorted_tables
            if table.name not in SERVERS_OWN
        }
    finally:
        connection.close()

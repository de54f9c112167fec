"""Advisory locks of PostgreSQL: what several writers, of one process or of many, agree on. SQLite's one writer has it
for nothing, so there every lock is held already.

The order in which they are taken, so that nobody waits in a circle: the tenant, then the rows of runs in the order of
their ids, then the names. All end with the transaction.

- The *tenant*: shared by those who store batches for it, alone for everything else that writes for it.
- Its *names*: who gives a key its number, or counts in the catalogue.
- The *sealing* of one run: who plans it, until the plan is carried out.
"""

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gnomon_server.model.ids import RowId, TenantId

# The first of two numbers that name a lock: what it is of. Any numbers do that no other program of the database uses.
_TENANT = 7_417_001
_NAMES = 7_417_002
MIGRATION = 7_417_003

Share = Literal["alone", "shared"]


def tenant_lock(tenant: TenantId, share: Share) -> str:
    """The statement that waits for the lock of a tenant; part of what opens a transaction of PostgreSQL."""
    suffix = "_shared" if share == "shared" else ""
    return f"SELECT pg_advisory_xact_lock{suffix}({_TENANT}, {int(tenant)})"  # two integers


def hold_names(connection: Connection, tenant: TenantId) -> bool:
    """Wait for the names of a tenant. False where there is nothing to wait for, and nothing read before is outdated."""
    if connection.dialect.name == "sqlite":
        return False
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_NAMES, int(tenant))))
    return True


def may_seal(connection: Connection, tenant: TenantId, run: RowId) -> bool:
    """Whether nobody else is sealing this run; if so, nobody else will before this transaction has ended."""
    if connection.dialect.name == "sqlite":
        return True
    # One number names this lock, and no lock of the two-number kind is the same.
    return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock((int(tenant) << 36) ^ int(run)))))

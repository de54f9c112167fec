"""Counting anew what tenants keep, where a counter is not what there is."""

from collections.abc import Callable

from gnomon_server.core.keys import OPERATOR
from gnomon_server.model.audit import Deed
from gnomon_server.model.ids import TenantId
from gnomon_server.model.quotas import QUOTAS, Use
from gnomon_server.store import Connection
from gnomon_server.store.meta import audit, tenants, usage
from gnomon_server.store.meta.doors import Database, Writing


def repair_counters(database: Database, writing: Writing, *, now_ms: Callable[[], int]) -> list[str]:
    """Count each tenant's things, and put right what is counted; the names of those that were wrong.

    One tenant after the other, in a transaction beside which nothing is written for it; a server may run. What
    was put right stands in the audit log.
    """
    with database.system() as system:
        every = tenants.list_tenants(system)
    deeds = []
    for tenant, name in every:
        with writing.transaction(tenant) as connection:
            changed = _repair(connection, tenant)
        if changed:
            deeds.append(Deed(action="quota.repair", actor=OPERATOR, tenant=name, target=name, detail=changed))
    if deeds:
        with writing.transaction(TenantId(0)) as connection:
            audit.append_deeds(connection, deeds, now_ms=now_ms())
    return [deed.tenant for deed in deeds]


def _repair(connection: Connection, tenant: TenantId) -> dict[str, str]:
    """What was changed for the tenant of the connection: of each counter the old and the new number."""
    counted: Use = usage.read_use(connection)
    kept = usage.count_anew(connection, tenant, is_system=False)
    if counted != kept:
        usage.set_counted(connection, tenant, kept)
    return {name: f"{counted.of(name)} -> {kept.of(name)}" for name in QUOTAS if counted.of(name) != kept.of(name)}

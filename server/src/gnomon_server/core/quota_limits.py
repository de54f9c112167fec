"""Looking at quotas and changing them: a tenant sees its own, the platform role and the operator set those of all.

Each change stands in the audit log, in the transaction that makes it.
"""

from collections.abc import Callable, Mapping

from msgspec import structs

from gnomon_server.core.keys import OPERATOR, Transact
from gnomon_server.core.roles import Principal
from gnomon_server.model import names
from gnomon_server.model.audit import Deed
from gnomon_server.model.errors import AccessDenied, InvalidRequest, TenantNotFound, invalid_field
from gnomon_server.model.quotas import MAX_LIMIT, QUOTAS, Limits, QuotaName, TenantQuotas
from gnomon_server.store import Connection
from gnomon_server.store.meta import audit, tenants, usage
from gnomon_server.store.meta.doors import Database


class QuotaLimits:
    """The quotas of one server. `by` is the principal that asks; None is the operator on the machine."""

    def __init__(
        self, database: Database, transact: Transact, *, now_ms: Callable[[], int], on_change: Callable[[], None]
    ) -> None:
        self._database = database
        self._transact = transact
        self._now_ms = now_ms
        self._on_change = on_change

    def page(self, by: Principal | None, *, limit: int, offset: int) -> tuple[int, list[TenantQuotas]]:
        """The tenants that `by` may see, by name, with their quotas; and how many there are."""
        own = None if _is_platform(by) else _own(by)
        with self._database.system() as connection:
            return usage.list_quotas(connection, name=own, limit=limit, offset=offset)

    def get(self, by: Principal | None, tenant_name: str) -> TenantQuotas:
        """The quotas of one tenant. Another's name is answered as one of nobody, but to the platform."""
        name = names.tenant(tenant_name, field="tenant")
        if not _is_platform(by) and name != _own(by):
            raise TenantNotFound(name)
        with self._database.system() as connection:
            return _find(connection, name)

    def change(self, by: Principal | None, tenant_name: str, changes: Mapping[QuotaName, int | None]) -> TenantQuotas:
        """Set some limits, or lift those that are None; what is not named stays. The tenant must be there."""
        name = names.tenant(tenant_name, field="tenant")
        if not _is_platform(by):
            raise AccessDenied("only a platform key, or the operator on the server, sets quotas", code="role_required")
        if not changes:
            raise InvalidRequest(f"the body changes nothing; give at least one of {', '.join(QUOTAS)}")
        for each, limit in changes.items():
            if limit is not None and not 0 <= limit <= MAX_LIMIT:
                raise invalid_field(each, f"must lie between 0 and {MAX_LIMIT}, or be null for no limit")

        def work(connection: Connection) -> None:
            tenant = tenants.find_tenant(connection, name)
            if tenant is None:
                raise TenantNotFound(name)
            old = usage.find_limits(connection, tenant)
            new = structs.replace(old, **dict(changes))
            if new == old:
                return
            usage.set_limits(connection, tenant, new)
            detail: dict[str, str] = {each: f"{_said(old, each)} -> {_said(new, each)}" for each in changes}
            actor = OPERATOR if by is None else by.key_id
            deed = Deed(action="quota.set", actor=actor, tenant=name, target=name, detail=detail)
            audit.append_deeds(connection, [deed], now_ms=self._now_ms())

        self._transact(work)
        self._on_change()
        with self._database.system() as connection:
            return _find(connection, name)


def _find(system: Connection, name: str) -> TenantQuotas:
    found = usage.list_quotas(system, name=name)[1]
    if not found:
        raise TenantNotFound(name)
    return found[0]


def _is_platform(by: Principal | None) -> bool:
    return by is None or by.role == "platform"


def _own(by: Principal | None) -> str:
    return "" if by is None else by.tenant_name


def _said(limits: Limits, name: QuotaName) -> str:
    limit = limits.of(name)
    return "none" if limit is None else str(limit)

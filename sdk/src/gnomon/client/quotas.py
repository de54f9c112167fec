"""Quotas: what a tenant keeps, and the most that it may keep."""

from gnomon.client.transport import Transport, path_of
from gnomon.wire import QuotaChange, QuotaList, TenantQuotas


class Quotas:
    """`client.quotas`. A tenant's key sees its own; a platform key sees and sets those of all."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int = 100, offset: int = 0) -> QuotaList:
        """The tenants that the caller may see, by name, with their quotas."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", path_of("quotas"), QuotaList, query=query)

    def get(self, tenant: str) -> TenantQuotas:
        """The quotas of one tenant."""
        return self._transport.call("GET", path_of("quotas", tenant), TenantQuotas)

    def set(self, tenant: str, change: QuotaChange) -> TenantQuotas:
        """Set some limits of a tenant, or lift them."""
        return self._transport.call("PATCH", path_of("quotas", tenant), TenantQuotas, message=change)

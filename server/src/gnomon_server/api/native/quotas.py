"""The routes of quotas: a tenant reads its own, a platform key those of all, and only that one sets them."""

from typing import Annotated

from msgspec import Meta, Struct, UnsetType

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.route import Call, route
from gnomon_server.model.errors import AccessDenied, InvalidRequest, TenantNotFound, Unavailable
from gnomon_server.model.quotas import QUOTAS, TenantQuotas

TAG = "quotas"


class QuotaQuery(Struct, frozen=True):
    limit: Limit = 100
    offset: Offset = 0


@route(
    "GET",
    "/quotas",
    needs="quotas.read",
    tag=TAG,
    query=QuotaQuery,
    gives=wire.QuotaList,
    raises=[InvalidRequest, AccessDenied],
)
def list_quotas(call: Call[None, QuotaQuery]) -> wire.QuotaList:
    """List what the caller's tenant keeps and may keep; for a platform key that of every tenant, by name."""
    asked = call.query
    total, found = call.services.quota_limits.page(call.principal, limit=asked.limit, offset=asked.offset)
    return wire.QuotaList(
        tenants=[quotas_response(each) for each in found], total=total, limit=asked.limit, offset=asked.offset
    )


@route(
    "GET",
    "/quotas/{tenant:str}",
    needs="quotas.read",
    tag=TAG,
    gives=wire.TenantQuotas,
    raises=[InvalidRequest, AccessDenied, TenantNotFound],
)
def get_quotas(call: Call[None, None]) -> wire.TenantQuotas:
    """Say what a tenant keeps and may keep. A platform key may ask for any; to others there is but their own."""
    return quotas_response(call.services.quota_limits.get(call.principal, call.path("tenant")))


@route(
    "PATCH",
    "/quotas/{tenant:str}",
    needs="quotas.manage",
    tag=TAG,
    body=wire.QuotaChange,
    body_doc=Annotated[wire.QuotaChange, Meta(extra_json_schema={"minProperties": 1})],
    gives=wire.TenantQuotas,
    raises=[InvalidRequest, AccessDenied, TenantNotFound, Unavailable],
)
def set_quotas(call: Call[wire.QuotaChange, None]) -> wire.TenantQuotas:
    """Set or lift limits of a tenant; within a second every server process holds it to them.

    What is there stays, though it be more than a new limit: then only what would add to it is refused.
    """
    changes = {name: limit for name in QUOTAS if not isinstance(limit := getattr(call.body, name), UnsetType)}
    return quotas_response(call.services.quota_limits.change(call.principal, call.path("tenant"), changes))


def quotas_response(found: TenantQuotas) -> wire.TenantQuotas:
    """A tenant's quotas as messages say them."""
    quotas = [wire.QuotaUse(quota=name, used=found.use.of(name), limit=found.limits.of(name)) for name in QUOTAS]
    return wire.TenantQuotas(tenant=found.tenant, quotas=quotas)


ROUTES = [list_quotas, get_quotas, set_quotas]

"""Messages about what tenants keep and may keep."""

from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType

from gnomon.bounds import Count, said
from gnomon.wire.access import TenantName
from gnomon.wire.messages import Request

QuotaName = Literal["experiments", "runs", "series", "points", "artifact_bytes"]
QuotaLimit = Annotated[int, said(minimum=0, maximum=2**53)]


class QuotaChange(Request, frozen=True):
    """What is absent stays; null lifts a limit."""

    experiments: QuotaLimit | UnsetType | None = UNSET
    runs: QuotaLimit | UnsetType | None = UNSET
    series: QuotaLimit | UnsetType | None = UNSET
    points: QuotaLimit | UnsetType | None = UNSET
    artifact_bytes: QuotaLimit | UnsetType | None = UNSET


class QuotaUse(Struct, frozen=True):
    """How much of one thing a tenant keeps, what is archived included. `limit` null: as much as there is room for."""

    quota: QuotaName
    used: Count
    limit: Count | None


class TenantQuotas(Struct, frozen=True):
    """The quotas of one tenant, each of them, limited or not."""

    tenant: TenantName
    quotas: list[QuotaUse]


class QuotaList(Struct, frozen=True):
    tenants: list[TenantQuotas]
    total: Count
    limit: Count
    offset: Count

"""What a tenant may keep, and what it keeps.

Five things are counted, each when it comes and when it goes for good: what is archived still counts.

- `experiments` and `runs`;
- `series`: the metrics of runs, each once a run;
- `points`: of all series, as their summaries count them (points that came twice count once they are found out, once);
- `artifact_bytes`: the contents that artifacts refer to, each once a tenant, however many artifacts share it.
"""

from typing import Literal, get_args

from msgspec import Struct

QuotaName = Literal["experiments", "runs", "series", "points", "artifact_bytes"]
QUOTAS: tuple[QuotaName, ...] = get_args(QuotaName)
MAX_LIMIT = 2**53  # beyond it a JSON number is not exact everywhere


class Use(Struct, frozen=True):
    """How much there is of each."""

    experiments: int = 0
    runs: int = 0
    series: int = 0
    points: int = 0
    artifact_bytes: int = 0

    def of(self, name: QuotaName) -> int:
        """How much there is of one."""
        amount: int = getattr(self, name)
        return amount


class Limits(Struct, frozen=True):
    """The most that there may be of each; None: as much as there is room for."""

    experiments: int | None = None
    runs: int | None = None
    series: int | None = None
    points: int | None = None
    artifact_bytes: int | None = None

    def of(self, name: QuotaName) -> int | None:
        """The limit of one."""
        limit: int | None = getattr(self, name)
        return limit


NO_LIMITS = Limits()


class TenantQuotas(Struct, frozen=True):
    """A tenant, what it keeps and what it may keep."""

    tenant: str
    use: Use
    limits: Limits

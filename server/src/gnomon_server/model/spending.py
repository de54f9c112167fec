"""What a tenant took of its rates in one process, as the processes on one database tell each other."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gnomon_server.model.ids import TenantId


class Spent(NamedTuple):
    """Requests and points that a process let through for a tenant since it last told."""

    tenant: TenantId
    requests: int
    points: int


class Spending(Protocol):
    """The rates of one process: what it says, and what it makes of what the others say."""

    def tell(self, processes: int) -> Sequence[Spent]:
        """What was let through since the last time; so many processes there are, this one too."""

    def hear(self, spent: Sequence[Spent]) -> None:
        """What another process let through."""

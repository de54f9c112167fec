"""How many bytes of request bodies are held in memory: by the process, and for each tenant.

Bytes count from when they arrive until their request is answered, so memory is bounded whatever clients declare.
Only the event loop's thread touches this.
"""

from gnomon_server.api.front.limits import FrontLimits
from gnomon_server.api.front.problems import Refusal, busy


class BodyBudget:
    def __init__(self, limits: FrontLimits) -> None:
        self._process_bytes = limits.process_body_bytes
        self._tenant_bytes = limits.tenant_body_bytes
        self._held = 0
        self._held_by_tenant: dict[str, int] = {}

    @property
    def held_bytes(self) -> int:
        return self._held

    def take(self, tenant: str, n: int) -> Refusal | None:
        """Count `n` more bytes, or say why they cannot be held; what was refused is not counted."""
        if self._held + n > self._process_bytes:
            return busy(503, "unavailable", "the server holds as many request bodies as it may; send again shortly")
        held = self._held_by_tenant.get(tenant, 0) + n
        if held > self._tenant_bytes:
            return busy(429, "too_many_bytes", "this tenant sends more at once than it may; send again shortly")
        self._held += n
        self._held_by_tenant[tenant] = held
        return None

    def give_back(self, tenant: str, n: int) -> None:
        self._held -= n
        left = self._held_by_tenant[tenant] - n
        if left:
            self._held_by_tenant[tenant] = left
        else:
            del self._held_by_tenant[tenant]

"""Retention rules: what is archived, and what of the archived is removed for good, by itself."""

from gnomon.client.transport import Transport, path_of
from gnomon.wire import (
    RetentionApplied,
    RetentionPreview,
    RetentionRuleCreate,
    RetentionRuleList,
    RetentionRuleResponse,
)


class Retention:
    """`client.retention`. With keys, for role admin."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def rules(self) -> RetentionRuleList:
        """The rules of the tenant, oldest first."""
        return self._transport.call("GET", path_of("retention"), RetentionRuleList)

    def add(self, rule: RetentionRuleCreate) -> RetentionRuleResponse:
        """Add a rule; the server applies it by itself from then on."""
        return self._transport.call("POST", path_of("retention"), RetentionRuleResponse, message=rule)

    def remove(self, rule_id: str) -> RetentionRuleResponse:
        """Remove a rule; what it took stays as it is."""
        return self._transport.call("DELETE", path_of("retention", rule_id), RetentionRuleResponse)

    def preview(self, rule_id: str, *, limit: int = 100, offset: int = 0) -> RetentionPreview:
        """What a rule would take now; nothing is changed."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", path_of("retention", rule_id, "preview"), RetentionPreview, query=query)

    def apply(self, rule_id: str) -> RetentionApplied:
        """Apply a rule now, to some hundred runs; again until it is `done`."""
        return self._transport.call("POST", path_of("retention", rule_id, "apply"), RetentionApplied, repeatable=True)

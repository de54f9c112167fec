"""What the server looks out for in an experiment's metrics, and what it does then."""

from gnomon.client.transport import Transport, path_of
from gnomon.wire import (
    FiringCleared,
    FiringListResponse,
    RuleListResponse,
    RuleResponse,
    RuleSave,
    RuleTested,
)


class Rules:
    """`client.rules`. A rule is said as a `gnomon.wire.RuleSave`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, experiment_id: str) -> RuleListResponse:
        """The rules of an experiment, oldest first."""
        return self._transport.call("GET", _path(experiment_id), RuleListResponse)

    def create(self, experiment_id: str, rule: RuleSave) -> RuleResponse:
        """Make a rule; it looks at every running run, and at whatever is logged from now on."""
        return self._transport.call("POST", _path(experiment_id), RuleResponse, message=rule)

    def replace(self, experiment_id: str, rule_id: str, rule: RuleSave) -> RuleResponse:
        """Change a rule as a whole; what it has fired for stays."""
        path = _path(experiment_id, rule_id)
        return self._transport.call("PUT", path, RuleResponse, message=rule, repeatable=True)

    def delete(self, experiment_id: str, rule_id: str) -> RuleResponse:
        """Remove a rule, with what it has fired for."""
        return self._transport.call("DELETE", _path(experiment_id, rule_id), RuleResponse)

    def test(self, experiment_id: str, rule_id: str) -> RuleTested:
        """For which of the newest 100 runs it holds now; nothing is done."""
        return self._transport.call("POST", _path(experiment_id, rule_id, "test"), RuleTested, repeatable=True)

    def firings(self, experiment_id: str, rule_id: str, *, limit: int = 100, offset: int = 0) -> FiringListResponse:
        """The runs that it has fired for, newest first."""
        query = [("limit", str(limit)), ("offset", str(offset))]
        path = _path(experiment_id, rule_id, "firings")
        return self._transport.call("GET", path, FiringListResponse, query=query)

    def clear(self, experiment_id: str, rule_id: str, run_id: str) -> FiringCleared:
        """Let it fire for a run again."""
        path = _path(experiment_id, rule_id, "firings", run_id, "clear")
        return self._transport.call("POST", path, FiringCleared, repeatable=True)


def _path(experiment_id: str, *rest: str) -> str:
    return path_of("experiments", experiment_id, "rules", *rest)

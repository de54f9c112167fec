"""The routes of rules: what the server looks out for in an experiment's metrics, and what it does then."""

from litestar import Response
from msgspec import Struct

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.times import iso_time
from gnomon_server.core.rules import MetricRuleNotFound
from gnomon_server.model.errors import (
    AccessDenied,
    ExperimentArchived,
    ExperimentNotFound,
    InvalidRequest,
    RunNotFound,
    Unavailable,
)
from gnomon_server.model.rules import Rule, RuleContent

TAG = "rules"
READS = (InvalidRequest, AccessDenied, ExperimentNotFound)
WRITES = (*READS, ExperimentArchived, Unavailable)
_RULES = "/experiments/{experiment_id:str}/rules"
_RULE = f"{_RULES}/{{rule_id:str}}"


class FiringQuery(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    offset: Offset = 0


@route("GET", _RULES, needs="experiments.read", tag=TAG, gives=wire.RuleListResponse, raises=READS)
def list_rules(call: Call[None, None]) -> wire.RuleListResponse:
    """List the rules of an experiment, oldest first."""
    found = call.services.rules.list(call.principal, call.path("experiment_id"))
    return wire.RuleListResponse(rules=[rule_response(rule) for rule in found], total=len(found))


@route(
    "POST",
    _RULES,
    needs="experiments.write",
    tag=TAG,
    body=wire.RuleSave,
    status=201,
    gives=wire.RuleResponse,
    raises=WRITES,
    headers={"Location": "where the rule can be changed"},
)
def create_rule(call: Call[wire.RuleSave, None]) -> Response[bytes]:
    """Make a rule over the metrics of an experiment.

    It looks once at every running run, and then at whatever is logged, within a second or two.
    """
    experiment, body = call.path("experiment_id"), call.body
    made = call.services.rules.create(call.principal, experiment, _content(body), is_active=body.active)
    location = f"/api/v1/experiments/{experiment}/rules/{made.uid}"
    return json_answer(rule_response(made), status=201, headers={"Location": location})


@route(
    "PUT",
    _RULE,
    needs="experiments.write",
    tag=TAG,
    body=wire.RuleSave,
    gives=wire.RuleResponse,
    raises=[*WRITES, MetricRuleNotFound],
)
def replace_rule(call: Call[wire.RuleSave, None]) -> wire.RuleResponse:
    """Change a rule as a whole. What it has fired for stays."""
    body = call.body
    changed = call.services.rules.replace(
        call.principal, call.path("experiment_id"), call.path("rule_id"), _content(body), is_active=body.active
    )
    return rule_response(changed)


@route(
    "DELETE", _RULE, needs="experiments.write", tag=TAG, gives=wire.RuleResponse, raises=[*WRITES, MetricRuleNotFound]
)
def delete_rule(call: Call[None, None]) -> wire.RuleResponse:
    """Remove a rule, with what it has fired for. The events of runs stay."""
    return rule_response(call.services.rules.delete(call.principal, call.path("experiment_id"), call.path("rule_id")))


@route(
    "POST",
    f"{_RULE}/test",
    needs="experiments.read",
    tag=TAG,
    gives=wire.RuleTested,
    raises=[*READS, MetricRuleNotFound],
)
def test_rule(call: Call[None, None]) -> wire.RuleTested:
    """Say for which of the newest 100 runs a rule holds now; nothing is done."""
    found = call.services.rules.matching(call.principal, call.path("experiment_id"), call.path("rule_id"))
    return wire.RuleTested(matches=[wire.RuleMatch(each.run, each.run_name, each.message) for each in found])


@route(
    "GET",
    f"{_RULE}/firings",
    needs="experiments.read",
    tag=TAG,
    query=FiringQuery,
    gives=wire.FiringListResponse,
    raises=[*READS, MetricRuleNotFound],
)
def list_firings(call: Call[None, FiringQuery]) -> wire.FiringListResponse:
    """List the runs that a rule has fired for, newest first."""
    asked = call.query
    total, found = call.services.rules.firings(
        call.principal, call.path("experiment_id"), call.path("rule_id"), limit=asked.limit, offset=asked.offset
    )
    return wire.FiringListResponse(
        firings=[
            wire.FiringResponse(
                run_id=each.run,
                run_name=each.run_name,
                fired_at=iso_time(each.fired_ms),
                message=each.message,
                cleared_at=None if each.cleared_ms is None else iso_time(each.cleared_ms),
            )
            for each in found
        ],
        total=total,
        limit=asked.limit,
        offset=asked.offset,
    )


@route(
    "POST",
    f"{_RULE}/firings/{{run_id:str}}/clear",
    needs="experiments.write",
    tag=TAG,
    gives=wire.FiringCleared,
    raises=[*WRITES, MetricRuleNotFound, RunNotFound],
)
def clear_firing(call: Call[None, None]) -> wire.FiringCleared:
    """Let a rule fire for a run again: at the next change of the run, if it holds then."""
    rule, run = call.path("rule_id"), call.path("run_id")
    call.services.rules.clear(call.principal, call.path("experiment_id"), rule, run)
    return wire.FiringCleared(rule_id=rule, run_id=run)


def rule_response(rule: Rule) -> wire.RuleResponse:
    """A rule as messages say it."""
    content = rule.content
    return wire.RuleResponse(
        id=rule.uid,
        name=content.name,
        kind=content.kind,
        metric=content.metric or None,
        aggregate=content.aggregate,
        comparison=content.comparison,
        value=wire.to_wire(content.value),
        direction=content.direction,
        steps=content.steps,
        minutes=content.minutes,
        filter=content.filter,
        tags=dict(content.tags),
        webhook_id=content.webhook,
        end_run=content.ends_run,
        active=rule.is_active,
        created_by=rule.created_by,
        created_at=iso_time(rule.created_ms),
        last_updated=iso_time(rule.updated_ms),
    )


def _content(body: wire.RuleSave) -> RuleContent:
    return RuleContent(
        name=body.name,
        kind=body.kind,
        metric=body.metric or "",
        aggregate=body.aggregate,
        comparison=body.comparison,
        value=wire.from_wire(body.value),
        direction=body.direction,
        steps=body.steps,
        minutes=body.minutes,
        filter=body.filter,
        tags=body.tags,
        webhook=body.webhook_id,
        ends_run=body.end_run,
    )


ROUTES = [list_rules, create_rule, replace_rule, delete_rule, test_rule, list_firings, clear_firing]

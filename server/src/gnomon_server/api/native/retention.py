"""The routes of retention rules."""

from litestar import Response
from msgspec import Struct

from gnomon import wire
from gnomon_server.api.native.paging import Limit, Offset
from gnomon_server.api.native.storage import run_storage
from gnomon_server.api.route import Call, json_answer, route
from gnomon_server.api.times import iso_time
from gnomon_server.model.errors import (
    AccessDenied,
    ExperimentNotFound,
    InvalidRequest,
    RuleNotFound,
    Unavailable,
)
from gnomon_server.model.retention import RetentionRule

TAG = "retention"
_DAY_MS = 86_400_000


class PreviewQuery(Struct, frozen=True):
    limit: Limit = 100
    offset: Offset = 0


@route("GET", "/retention", needs="retention.manage", tag=TAG, gives=wire.RetentionRuleList, raises=[AccessDenied])
def list_rules(call: Call[None, None]) -> wire.RetentionRuleList:
    """List the retention rules of the tenant, oldest first."""
    found = call.services.retention.list(call.principal)
    return wire.RetentionRuleList(rules=[_rule(rule) for rule in found], total=len(found))


@route(
    "POST",
    "/retention",
    needs="retention.manage",
    tag=TAG,
    body=wire.RetentionRuleCreate,
    status=201,
    gives=wire.RetentionRuleResponse,
    raises=[InvalidRequest, AccessDenied, ExperimentNotFound, Unavailable],
    headers={"Location": "where the rule can be removed"},
)
def create_rule(call: Call[wire.RetentionRuleCreate, None]) -> Response[bytes]:
    """Add a retention rule.

    The server applies it by itself from then on; look at its preview first, or try it in another tenant.
    """
    body = call.body
    made = call.services.retention.create(
        call.principal,
        action=body.action,
        experiment=body.experiment_id,
        filter=body.filter,
        after_days=body.after_days,
        keep_best=body.keep_best,
        metric=body.metric,
        best=body.best,
    )
    return json_answer(_rule(made), status=201, headers={"Location": f"/api/v1/retention/{made.uid}"})


@route(
    "DELETE",
    "/retention/{rule_id:str}",
    needs="retention.manage",
    tag=TAG,
    gives=wire.RetentionRuleResponse,
    raises=[InvalidRequest, AccessDenied, RuleNotFound, Unavailable],
)
def remove_rule(call: Call[None, None]) -> wire.RetentionRuleResponse:
    """Remove a retention rule; what it was is answered, and what it took stays as it is."""
    return _rule(call.services.retention.remove(call.principal, call.path("rule_id")))


@route(
    "GET",
    "/retention/{rule_id:str}/preview",
    needs="retention.manage",
    tag=TAG,
    query=PreviewQuery,
    gives=wire.RetentionPreview,
    raises=[InvalidRequest, AccessDenied, RuleNotFound],
)
def preview_rule(call: Call[None, PreviewQuery]) -> wire.RetentionPreview:
    """Say what a retention rule would take now, with its bytes; nothing is changed."""
    asked, uid = call.query, call.path("rule_id")
    found = call.services.retention.preview(call.principal, uid, limit=asked.limit, offset=asked.offset)
    return wire.RetentionPreview(
        rule_id=uid,
        points_bytes=found.points_bytes,
        artifact_bytes=found.artifact_bytes,
        runs=[run_storage(each) for each in found.runs],
        total=found.total,
        limit=asked.limit,
        offset=asked.offset,
    )


@route(
    "POST",
    "/retention/{rule_id:str}/apply",
    needs="retention.manage",
    tag=TAG,
    gives=wire.RetentionApplied,
    raises=[InvalidRequest, AccessDenied, RuleNotFound, Unavailable],
)
def apply_rule(call: Call[None, None]) -> wire.RetentionApplied:
    """Apply a retention rule now, to some hundred runs; again until it is done."""
    uid = call.path("rule_id")
    applied = call.services.retention.apply(call.principal, uid)
    return wire.RetentionApplied(rule_id=uid, runs=applied.runs, done=applied.is_done)


def _rule(rule: RetentionRule) -> wire.RetentionRuleResponse:
    return wire.RetentionRuleResponse(
        id=rule.uid,
        action=rule.action,
        after_days=rule.after_ms / _DAY_MS,
        experiment_id=rule.experiment,
        filter=rule.filter,
        keep_best=rule.keep_best,
        metric=rule.metric or None,
        best=rule.best,
        created_at=iso_time(rule.created_ms),
        created_by=rule.created_by,
        applied_at=None if rule.applied_ms is None else iso_time(rule.applied_ms),
        applied_runs=rule.applied_runs,
    )


ROUTES = [list_rules, create_rule, remove_rule, preview_rule, apply_rule]

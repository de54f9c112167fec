"""The routes of assessments: what people, code and models said of a trace."""

import re

from msgspec import UnsetType

from gnomon_server.api.mlflow import trace_wire as wire
from gnomon_server.api.mlflow.declare import wire_route
from gnomon_server.api.mlflow.trace_convert import assessment_message, assessment_of, payload_of
from gnomon_server.api.mlflow.wire import Nothing
from gnomon_server.api.route import Call
from gnomon_server.core.assessments import Revision
from gnomon_server.model.errors import InvalidRequest

_OF_TRACE = "/3.0/mlflow/traces/{trace_id:str}/assessments"
_ONE = _OF_TRACE + "/{assessment_id:str}"
_CAMEL = re.compile(r"(?<=[a-z])([A-Z])")
_MASKED = frozenset(("assessment_name", "feedback", "expectation", "rationale", "metadata"))


@wire_route("POST", _OF_TRACE, needs="runs.log", asks=wire.CreateAssessment)
def create_assessment(call: Call[wire.CreateAssessment, None]) -> wire.AssessmentFound:
    """Add an assessment to a trace."""
    assert not isinstance(call.body.assessment, UnsetType)
    trace = call.path("trace_id")
    given = assessment_of(call.body.assessment, now_ms=call.services.now_ms())
    made = call.services.assessments.create(call.principal, trace, given)
    return wire.AssessmentFound(assessment_message(made, trace))


@wire_route("GET", _ONE, needs="runs.read")
def get_assessment(call: Call[None, None]) -> wire.AssessmentFound:
    """Get an assessment of a trace."""
    trace = call.path("trace_id")
    found = call.services.assessments.get(call.principal, trace, call.path("assessment_id"))
    return wire.AssessmentFound(assessment_message(found, trace))


@wire_route("PATCH", _ONE, needs="runs.write", asks=wire.UpdateAssessment)
def update_assessment(call: Call[wire.UpdateAssessment, None]) -> wire.AssessmentFound:
    """Change those fields of an assessment that the mask names."""
    sent, trace = call.body.assessment, call.path("trace_id")
    assert not isinstance(sent, UnsetType)
    mask = {_CAMEL.sub(lambda found: f"_{found[1].lower()}", path.strip()) for path in call.body.update_mask.split(",")}
    if not mask <= _MASKED:
        raise InvalidRequest(f"update_mask: cannot change {', '.join(sorted(mask - _MASKED))}")
    kind, payload = payload_of(sent) if mask & {"feedback", "expectation"} else (None, None)
    change = Revision(
        name=sent.assessment_name if "assessment_name" in mask else None,
        kind=kind,
        payload=payload,
        rationale=sent.rationale if "rationale" in mask and isinstance(sent.rationale, str) else None,
        metadata=sent.metadata if "metadata" in mask else None,
    )
    changed = call.services.assessments.revise(call.principal, trace, call.path("assessment_id"), change)
    return wire.AssessmentFound(assessment_message(changed, trace))


@wire_route("DELETE", _ONE, needs="runs.write")
def delete_assessment(call: Call[None, None]) -> Nothing:
    """Remove an assessment; what is not there is removed."""
    call.services.assessments.remove(call.principal, call.path("trace_id"), call.path("assessment_id"))
    return Nothing()


ROUTES = [create_assessment, get_assessment, update_assessment, delete_assessment]

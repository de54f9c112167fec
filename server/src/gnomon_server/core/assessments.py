"""The rules of assessments: feedback on a trace by a person, by code or by a model, and what was expected of it.

One that overrides another makes that one invalid until it is removed itself. Who said it and of which span never
change; metadata merges.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from gnomon_server.core.access import Principal
from gnomon_server.model.errors import AssessmentNotFound, InvalidRequest, TraceNotFound
from gnomon_server.model.traces import (
    MAX_ASSESSMENT_BYTES,
    MAX_ASSESSMENTS,
    Assessment,
    AssessmentKind,
    Trace,
    checked_pairs,
)
from gnomon_server.store import Connection, Stores
from gnomon_server.store.meta import assessments as sql
from gnomon_server.store.meta import traces as trace_sql


@dataclass(frozen=True, slots=True)
class Revision:
    """What to change of an assessment; None leaves it."""

    name: str | None = None
    kind: AssessmentKind | None = None
    payload: str | None = None
    rationale: str | None = None
    metadata: Mapping[str, str] | None = None


class Assessments:
    """Make, read, change and remove the assessments of one trace at a time."""

    def __init__(self, stores: Stores, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._now_ms = now_ms

    def create(self, principal: Principal, trace_uid: str, given: Assessment) -> Assessment:
        _refuse_unfit(given)

        def work(tx: Connection) -> Assessment:
            trace = _read(tx, trace_uid)
            if len(trace.assessments) >= MAX_ASSESSMENTS:
                raise InvalidRequest(f"a trace takes at most {MAX_ASSESSMENTS} assessments; remove some first")
            if given.overrides is not None:
                _find(trace, given.overrides)
                sql.set_valid(tx, principal.tenant, trace.row, given.overrides, is_valid=False)
            sql.put_assessments(tx, principal.tenant, trace.row, [given])
            return given

        return self._stores.writer.call(principal.tenant, work)

    def get(self, principal: Principal, trace_uid: str, uid: str) -> Assessment:
        with self._stores.database.read(principal.tenant) as connection:
            return _find(_read(connection, trace_uid), uid)

    def revise(self, principal: Principal, trace_uid: str, uid: str, change: Revision) -> Assessment:
        """Change what is given. What was feedback stays feedback."""

        def work(tx: Connection) -> Assessment:
            trace = _read(tx, trace_uid)
            old = _find(trace, uid)
            if change.kind is not None and change.kind != old.kind:
                of = "an Expectation" if old.kind == "expectation" else "a Feedback"
                raise InvalidRequest(f"Cannot update {change.kind} value on {of} assessment.")
            new = replace(
                old,
                name=old.name if change.name is None else change.name,
                payload=old.payload if change.payload is None else change.payload,
                rationale=old.rationale if change.rationale is None else change.rationale,
                metadata={**old.metadata, **(change.metadata or {})},
                updated_ms=max(self._now_ms(), old.updated_ms),
            )
            _refuse_unfit(new)
            sql.put_assessments(tx, principal.tenant, trace.row, [new])
            return new

        return self._stores.writer.call(principal.tenant, work)

    def remove(self, principal: Principal, trace_uid: str, uid: str) -> None:
        """Remove an assessment, and make valid again what it overrode. What is not there is removed."""

        def work(tx: Connection) -> None:
            trace = _read(tx, trace_uid)
            old = next((one for one in trace.assessments if one.uid == uid), None)
            if old is None:
                return
            if old.overrides is not None:
                sql.set_valid(tx, principal.tenant, trace.row, old.overrides, is_valid=True)
            sql.delete_assessment(tx, principal.tenant, trace.row, uid)

        self._stores.writer.call(principal.tenant, work)


def _read(connection: Connection, trace_uid: str) -> Trace:
    found = trace_sql.find_trace(connection, trace_uid)
    if found is None:
        raise TraceNotFound(trace_uid)
    return found


def _find(trace: Trace, uid: str) -> Assessment:
    for one in trace.assessments:
        if one.uid == uid:
            return one
    raise AssessmentNotFound(uid, trace.uid)


def _refuse_unfit(given: Assessment) -> None:
    size = len(given.payload.encode()) + len((given.rationale or "").encode())
    if size > MAX_ASSESSMENT_BYTES:
        raise InvalidRequest(f"the assessment has {size:,} bytes; at most {MAX_ASSESSMENT_BYTES:,} are allowed")
    if not 1 <= len(given.name) <= 250:
        raise InvalidRequest(f"the name of an assessment has 1 to 250 characters, this one {len(given.name)}")
    checked_pairs(given.metadata, field="metadata")

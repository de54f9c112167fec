"""Everything that can be wrong with a request, as one small tree.

An error has a stable `code` (what programs test) and a sentence (what a person does next). It knows nothing of
HTTP: `api/*/errors.py` maps each class to a status, once.

    GnomonError
    ├── InvalidRequest          a field, parameter or state is wrong          400
    │   ├── AlreadyExists       a name is taken                               400
    │   ├── ParamConflict       a param has another value already             400
    │   ├── RunArchived         the run (or its experiment) takes no writes   400
    │   ├── ExperimentArchived                                                400
    │   └── NotArchived         only what is archived is removed for good     400
    ├── Unauthenticated         secured mode: no key, or a bad one            401
    ├── AccessDenied            another tenant's, or the role is too small    403
    │   └── QuotaExceeded       the tenant keeps as much as it may            403
    ├── NotFound                                                              404
    ├── Conflict                a gap in a writer's sequence                  409
    ├── TooLarge                past a bound on bytes                         413
    ├── UnsupportedMedia        a content type or encoding we do not read     415
    ├── RangeUnsatisfiable      a byte range outside the artifact             416
    ├── TooManyRequests         past the rate of a tenant: wait               429
    └── Unavailable             overload or a full disk: retry later          503
"""

from collections.abc import Sequence
from typing import NamedTuple


class FieldError(NamedTuple):
    """One wrong field of a request: its path (`metrics[3].value`) and what to do about it."""

    field: str
    message: str


class GnomonError(Exception):
    """Base of all domain errors: `code` is stable, `detail` tells a person what to do."""

    code = "internal"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class InvalidRequest(GnomonError):
    """A field, a parameter or the state of a resource does not allow the request; `errors` names the fields."""

    code = "invalid_request"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.errors = tuple(errors)


def invalid_field(field: str, message: str) -> InvalidRequest:
    """The common case: one field is wrong."""
    return InvalidRequest(f"{field}: {message}", errors=[FieldError(field, message)])


class AlreadyExists(InvalidRequest):
    """A name is taken in this tenant, by an archived experiment perhaps."""

    code = "already_exists"


class ParamConflict(InvalidRequest):
    """A param is written once; another value for it is refused and nothing of the request is kept.

    `all` names each param that is refused so, as (key, old value, new value).
    """

    code = "param_conflict"

    def __init__(self, key: str, *, old: str, new: str, more: Sequence[tuple[str, str, str]] = ()) -> None:
        message = f"param {key!r} is {_short(old)} already and cannot become {_short(new)}; params are written once"
        super().__init__(message, errors=[FieldError(f"params.{key}", message)])
        self.key, self.old, self.new = key, old, new
        self.all = [(key, old, new), *more]


class RunArchived(InvalidRequest):
    """The run is archived, by itself or with its experiment, and takes no writes."""

    code = "run_archived"

    def __init__(self, run_uid: str) -> None:
        super().__init__(f"run {run_uid} is archived and takes no writes; restore it first")
        self.uid = run_uid


class ExperimentArchived(InvalidRequest):
    """The experiment is archived and takes no runs."""

    code = "experiment_archived"

    def __init__(self, experiment_uid: str) -> None:
        super().__init__(f"experiment {experiment_uid} is archived; restore it first")
        self.uid = experiment_uid


class NotArchived(InvalidRequest):
    """Only what is archived can be removed for good."""

    code = "not_archived"

    def __init__(self, kind: str, uid: str) -> None:
        super().__init__(f"{kind} {uid} is active; archive it first, then remove it for good")


class Unauthenticated(GnomonError):
    """Secured mode: the request carries no key, or not a valid one."""

    code = "unauthenticated"


class AccessDenied(GnomonError):
    """The id belongs to another tenant, or the caller holds no grant for the tenant or role it asks for."""

    code = "tenant_access_denied"

    def __init__(self, detail: str = "Tenant access denied", *, code: str | None = None) -> None:
        super().__init__(detail, code=code)


class QuotaExceeded(AccessDenied):
    """The tenant keeps as much as it may, and nothing of this was kept. Waiting does not help: a person has to act."""

    code = "quota_exceeded"

    def __init__(self, detail: str, *, quota: str) -> None:
        super().__init__(detail)
        self.quota = quota


class NotFound(GnomonError):
    """The id exists nowhere, or there is no such thing."""

    code = "not_found"


class ExperimentNotFound(NotFound):
    """No experiment has this id."""

    code = "experiment_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"no experiment has the id {_short(uid)}; list them with GET /api/v1/experiments")
        self.uid = uid


class RunNotFound(NotFound):
    """No run has this id."""

    code = "run_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"no run has the id {_short(uid)}; list them with GET /api/v1/experiments/runs")
        self.uid = uid


class ModelNotFound(NotFound):
    """No logged model has this id."""

    code = "model_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"no logged model has the id {_short(uid)}")
        self.uid = uid


class RegisteredModelNotFound(NotFound):
    """No registered model, version or alias of one has this name."""

    code = "registered_model_not_found"


class TenantNotFound(NotFound):
    """No tenant has this name: there was never a key for it, nor a request in it."""

    code = "tenant_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no tenant {_short(name)}; the first key for it makes it: `gnomon keys create`")


class TagNotFound(NotFound):
    """What is asked for has no tag of this key."""

    code = "tag_not_found"

    def __init__(self, key: str, *, owner: str) -> None:
        super().__init__(f"{owner} has no tag {_short(key)}")
        self.key = key
        self.owner = owner


class ArtifactNotFound(NotFound):
    """The run has no artifact of this path."""

    code = "artifact_not_found"

    def __init__(self, path: str) -> None:
        super().__init__(f"the run has no artifact {_short(path)}; list them with GET .../artifacts")
        self.path = path


class UploadNotFound(NotFound):
    """The run has no upload under way of this id: it is finished, was given up, or took no part for a week."""

    code = "upload_not_found"

    def __init__(self, upload: str) -> None:
        super().__init__(f"the run has no upload {_short(upload)} under way; begin it again, what is here is kept")


class RuleNotFound(NotFound):
    """The tenant has no retention rule of this id."""

    code = "rule_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"there is no retention rule {_short(uid)}; list them with GET /api/v1/retention")


class ViewNotFound(NotFound):
    """The experiment has no saved view of this id."""

    code = "view_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"the experiment has no saved view {_short(uid)}; list them with GET .../views")


class TraceNotFound(NotFound):
    """No trace has this id."""

    code = "trace_not_found"

    def __init__(self, uid: str) -> None:
        super().__init__(f"no trace has the id {_short(uid)}")
        self.uid = uid


class AssessmentNotFound(NotFound):
    """The trace has no assessment of this id."""

    code = "assessment_not_found"

    def __init__(self, uid: str, trace: str) -> None:
        super().__init__(f"trace {_short(trace)} has no assessment {_short(uid)}")
        self.uid = uid
        self.trace = trace


class SequenceGap(GnomonError):
    """A writer skipped a batch: it must send again from `expected_seq`."""

    code = "sequence_gap"

    def __init__(self, *, expected_seq: int, got: int) -> None:
        super().__init__(f"batch {got} came, but {expected_seq} is the next of this writer; send again from there")
        self.expected_seq = expected_seq


class TooLarge(GnomonError):
    """A body or a file is larger than the route takes."""

    code = "too_large"


class UnsupportedMedia(GnomonError):
    """A content type or an encoding that the route does not read."""

    code = "unsupported_media_type"


class RangeUnsatisfiable(GnomonError):
    """The byte range lies outside the artifact, or there is more than one."""

    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"ask for one byte range within the {size} bytes of the artifact")
        self.size = size


class Unavailable(GnomonError):
    """Overload or a full disk: nothing was kept; try again after `retry_after_secs`."""

    code = "unavailable"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_secs: int = 1) -> None:
        super().__init__(detail, code=code)
        self.retry_after_secs = retry_after_secs


class TooManyRequests(GnomonError):
    """A tenant sends faster than it may: nothing was kept; try again after `retry_after_secs`."""

    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after_secs: int) -> None:
        super().__init__(detail)
        self.retry_after_secs = retry_after_secs


def _short(text: str, limit: int = 80) -> str:
    """A value as it may stand in a sentence: quoted, and cut when long."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")

"""What can go wrong on the client's side, as one tree. Every message says what happened and what to do about it.

GnomonError
├── SettingsError           an address, key or config file that cannot be used
├── ConnectionFailed        no answer: the server is down, or the network is
├── IntegrityError          bytes that are not those whose SHA-256 was promised; nothing was kept of them
├── UnsafePath              a name from the server that would be written outside the chosen directory
├── MissingExtra            an optional package that this call needs
└── ApiError                the server said no: `status`, `code`, `detail`, `errors`, `request_id`
    ├── InvalidRequest      400  a field, parameter or state does not allow it
    │   ├── AlreadyExists        the name is taken
    │   └── ParamConflict        the param has another value already
    ├── Unauthenticated     401  no key, or a bad one
    ├── AccessDenied        403  another tenant's, or the key's role is too small
    ├── NotFound            404
    ├── TooLarge            413
    ├── ServerBusy          429, 503  nothing was kept; `retry_after_secs` says when to come back
    └── ServerFault         5xx  a defect: report it with its `request_id`
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnomon.wire import FieldProblem, Problem


class GnomonError(Exception):
    """Base of everything this package raises."""


class SettingsError(GnomonError):
    """The settings cannot be used as they stand."""


class ConnectionFailed(GnomonError):
    """No whole answer came; unless the call was repeatable, the server may or may not have done it."""


class IntegrityError(GnomonError):
    """The bytes are not those whose SHA-256 was promised."""


class UnsafePath(GnomonError):
    """A path that would leave the directory that the caller chose."""


class MissingExtra(GnomonError):
    """An optional package is not installed."""

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'gnomon-sdk[{extra}]'")


class ApiError(GnomonError):
    """An error answer of the server. Programs test `code`; `detail` is for people."""

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        code: str,
        errors: "Sequence[FieldProblem]" = (),
        request_id: str | None = None,
        retry_after_secs: float | None = None,
        expected_seq: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.errors = tuple(errors)
        self.request_id = request_id
        self.retry_after_secs = retry_after_secs
        self.expected_seq = expected_seq


class InvalidRequest(ApiError):
    """A field, a parameter or the state of a resource does not allow the request; `errors` names the fields."""


class AlreadyExists(InvalidRequest):
    """The name is taken in this tenant, perhaps by an archived experiment."""


class ParamConflict(InvalidRequest):
    """A param is written once; nothing of the request was kept."""


class Unauthenticated(ApiError):
    """The server wants an API key, or does not know this one."""


class AccessDenied(ApiError):
    """The thing belongs to another tenant, or the key may not do this."""


class NotFound(ApiError):
    """Nothing has that id or path."""


class TooLarge(ApiError):
    """Past a bound on bytes."""


class ServerBusy(ApiError):
    """Refused for now, nothing kept: too many requests, a full queue, a full disk, or a server that is stopping."""


class ServerFault(ApiError):
    """The server failed; its log has more under `request_id`."""


_BY_CODE: Mapping[str, type[ApiError]] = {"already_exists": AlreadyExists, "param_conflict": ParamConflict}
_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: AccessDenied,
    404: NotFound,
    413: TooLarge,
    429: ServerBusy,
    503: ServerBusy,
}


def api_error(status: int, problem: "Problem | None", *, retry_after_secs: float | None = None) -> ApiError:
    """The exception for an error answer; `problem` is None when the answer was not one of ours (a proxy's page)."""
    if problem is None:
        from gnomon.wire import Problem  # who only logs does not wait for the messages of the server

        detail = f"the answer was HTTP {status} without a Gnomon problem; is this the address of a Gnomon server?"
        problem = Problem(type="about:blank", title="", status=status, detail=detail, code="not_gnomon")
    kind = _BY_CODE.get(problem.code) or _BY_STATUS.get(status) or (ServerFault if status >= 500 else ApiError)
    return kind(
        problem.detail,
        status=status,
        code=problem.code,
        errors=problem.errors,
        request_id=problem.request_id,
        retry_after_secs=retry_after_secs,
        expected_seq=problem.expected_seq,
    )

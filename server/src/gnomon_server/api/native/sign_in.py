"""The routes of signing in: how one gets in, an attempt with the identity provider, sessions and their end.

The text of a session is in one answer, to the page, which keeps it and sends it as a bearer token. The only cookie of
this server is the attempt's: HTTP only, of this site only, ten minutes, read by one route and good for nothing else.
"""

from litestar import Response

from gnomon import wire
from gnomon_server.api.guards import address_of
from gnomon_server.api.route import Call, HttpRequest, json_answer, route
from gnomon_server.api.services import Services
from gnomon_server.api.times import iso_time
from gnomon_server.core.sessions import SessionNotFound
from gnomon_server.core.sign_in import SignIn
from gnomon_server.model.errors import AccessDenied, InvalidRequest, NotFound, TooManyRequests, Unavailable
from gnomon_server.model.oidc import ATTEMPT_SECS
from gnomon_server.model.sessions import Session

TAG = "access"


class NoSignIn(NotFound):
    """This server has no identity provider."""

    code = "no_identity_provider"

    def __init__(self) -> None:
        super().__init__("this server signs nobody in with an identity provider; use an API key")


@route("GET", "/sign-in", needs="public", tag=TAG, gives=wire.SignInWays)
async def get_sign_in(call: Call[None, None]) -> wire.SignInWays:
    """Say how one gets in: whether a key is needed, and with which identity provider people sign in."""
    services = call.services
    return wire.SignInWays(
        mode="secured" if services.access.is_secured else "open",
        provider=None if services.sign_in is None else services.sign_in.config.label,
    )


@route(
    "POST",
    "/sign-in/start",
    needs="public",
    tag=TAG,
    body=wire.SignInStart,
    is_body_optional=True,
    gives=wire.SignInStarted,
    raises=[InvalidRequest, NotFound, TooManyRequests, Unavailable],
    headers={"Set-Cookie": "the attempt, for the browser that began it"},
)
def start_sign_in(call: Call[wire.SignInStart | None, None]) -> Response[bytes]:
    """Begin to sign in: where the browser goes.

    Its page sends what comes back to `sign-in/finish`; the cookie of this answer belongs to it.
    """
    sign_in = _sign_in(call.services)
    call.services.sign_ins.take(address_of(call.request.scope.get("client")))
    begun = sign_in.begin((call.body or wire.SignInStart()).return_to)
    cookie = _cookie(sign_in, begun.cookie, secs=ATTEMPT_SECS)
    return json_answer(wire.SignInStarted(url=begun.url), headers={"Set-Cookie": cookie, "Cache-Control": "no-store"})


@route(
    "POST",
    "/sign-in/finish",
    needs="public",
    tag=TAG,
    body=wire.SignInFinish,
    status=201,
    gives=wire.SessionBegun,
    raises=[InvalidRequest, AccessDenied, NotFound, TooManyRequests, Unavailable],
    headers={"Set-Cookie": "ends the attempt"},
)
def finish_sign_in(call: Call[wire.SignInFinish, None]) -> Response[bytes]:
    """Sign in with what the identity provider sent back; the session's secret is in this answer and nowhere else."""
    sign_in = _sign_in(call.services)
    call.services.sign_ins.take(address_of(call.request.scope.get("client")))
    body = call.body
    try:
        done = sign_in.complete(
            cookie=call.request.cookies.get(_cookie_name(sign_in), ""),
            state=body.state,
            code=body.code,
            issuer=body.iss,
        )
    except InvalidRequest:
        _note_failure(call.services, call.request)
        raise
    begun = wire.SessionBegun(
        secret=done.new.text, return_to=done.return_to, session=session_response(done.new.session)
    )
    headers = {"Set-Cookie": _cookie(sign_in, "", secs=0), "Cache-Control": "no-store"}
    return json_answer(begun, status=201, headers=headers)


@route(
    "POST",
    "/sign-out",
    needs="self.end",
    tag=TAG,
    gives=wire.SessionResponse,
    raises=[InvalidRequest, AccessDenied, Unavailable],
)
def sign_out(call: Call[None, None]) -> wire.SessionResponse:
    """End the caller's own session: within a second it opens nothing, on every server process."""
    by = call.principal
    if by.person is None:
        raise InvalidRequest("a key is no session; whoever manages keys revokes it", code="no_session")
    return session_response(call.services.sessions.end(by, by.key_id))


@route("GET", "/sessions", needs="self.read", tag=TAG, gives=wire.SessionListResponse, raises=[AccessDenied])
def list_sessions(call: Call[None, None]) -> wire.SessionListResponse:
    """List the live sessions: the caller's own; for whoever manages keys those that open its tenant, or all."""
    found = call.services.sessions.visible(call.principal)
    return wire.SessionListResponse(sessions=[session_response(one) for one in found], total=len(found))


@route(
    "DELETE",
    "/sessions/{session_id:str}",
    needs="self.end",
    tag=TAG,
    gives=wire.SessionResponse,
    raises=[InvalidRequest, AccessDenied, SessionNotFound, Unavailable],
)
def end_session(call: Call[None, None]) -> wire.SessionResponse:
    """End a session: a person the own ones, whoever manages keys those that open its tenant. Again: the same answer.

    Within a second it opens nothing, on every server process.
    """
    return session_response(call.services.sessions.end(call.principal, call.path("session_id")))


def session_response(session: Session) -> wire.SessionResponse:
    """A session as messages say it: without its digest."""
    return wire.SessionResponse(
        id=session.id,
        name=session.name,
        subject=session.subject,
        tenants={name: grant.role for name, grant in session.grants.items()},
        created_at=iso_time(session.created_ms),
        expires_at=iso_time(session.expires_ms),
        last_used_at=None if session.last_used_ms is None else iso_time(session.last_used_ms),
        revoked_at=None if session.revoked_ms is None else iso_time(session.revoked_ms),
    )


def _sign_in(services: Services) -> SignIn:
    if services.sign_in is None:
        raise NoSignIn
    return services.sign_in


def _cookie_name(sign_in: SignIn) -> str:
    # With this front a browser takes it over HTTPS only, from this very host, so no neighbouring site can plant one.
    return "__Host-gnomon-sign-in" if sign_in.config.is_secure else "gnomon-sign-in"


def _cookie(sign_in: SignIn, value: str, *, secs: int) -> str:
    secure = "; Secure" if sign_in.config.is_secure else ""
    return f"{_cookie_name(sign_in)}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}"


def _note_failure(services: Services, request: HttpRequest) -> None:
    services.audit.note_refusal(
        code="sign_in",
        address=address_of(request.scope.get("client")),
        method=request.method,
        path=request.scope["path"],
        by=None,
    )


ROUTES = [get_sign_in, start_sign_in, finish_sign_in, sign_out, list_sessions, end_session]

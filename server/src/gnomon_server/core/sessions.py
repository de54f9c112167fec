"""Sessions: begun when a person signs in, listed and ended by that person or by an admin.

A person sees the own sessions; an admin those that open its tenant, a platform key all. Each beginning and end stands
in the audit log, in the transaction that makes it. A session's text is answered once and kept nowhere.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from gnomon_server.core.keys import Transact
from gnomon_server.core.roles import Principal
from gnomon_server.model.api_keys import mint_key
from gnomon_server.model.audit import Deed
from gnomon_server.model.errors import InvalidRequest, NotFound
from gnomon_server.model.oidc import Claims
from gnomon_server.model.sessions import Grant, Session, SessionRole
from gnomon_server.store import Connection
from gnomon_server.store.meta import audit, sessions, tenants

# Past it a person's oldest session ends: nobody signs in from so many browsers, and a stolen password shows.
MAX_OF_A_PERSON = 20
_REMEMBERED_MS = 30 * 86_400_000


class NewSession(Struct, frozen=True):
    """A new session, and its text: the only time that anybody sees it."""

    session: Session
    text: str


class SessionNotFound(NotFound):
    """No session has this id, or it is not the caller's to see."""

    code = "session_not_found"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"there is no session {session_id!r} here; list them with GET /api/v1/sessions")


class Sessions:
    """The sessions of one server."""

    def __init__(
        self, transact: Transact, *, life_ms: int, now_ms: Callable[[], int], on_change: Callable[[], None]
    ) -> None:
        self._transact = transact
        self._life_ms = life_ms
        self._now_ms = now_ms
        self._on_change = on_change

    def begin(self, claims: Claims, roles: Mapping[str, SessionRole], *, login: bytes) -> NewSession:
        """Begin the session of a person whose groups open these tenants; a tenant that is new is made.

        `login` stands for the attempt: a second session of the same attempt is refused.
        """
        now_ms = self._now_ms()
        text, session_id, digest = mint_key("gns")
        draft = Session(
            id=session_id,
            issuer=claims.issuer,
            subject=claims.subject,
            name=claims.name,
            grants={},
            digest=digest,
            login=login,
            created_ms=now_ms,
            expires_ms=now_ms + self._life_ms,
        )

        def work(connection: Connection) -> Session:
            if sessions.has_login(connection, login):
                raise InvalidRequest("this sign-in was completed before; begin again", code="sign_in_failed")
            sessions.delete_ended(connection, before_ms=now_ms - _REMEMBERED_MS)
            held = sessions.list_of(connection, issuer=claims.issuer, subject=claims.subject, now_ms=now_ms)
            for old in held[: max(0, len(held) + 1 - MAX_OF_A_PERSON)]:
                sessions.revoke_session(connection, old.id, revoked_ms=now_ms)
                self._write_down(connection, "session.end", old, actor=session_id, why="too many")
            grants = {
                name: Grant(tenant=tenants.ensure_tenant(connection, name, now_ms=now_ms), role=role)
                for name, role in roles.items()
            }
            made = structs.replace(draft, grants=grants)
            sessions.insert_session(connection, made)
            self._write_down(connection, "session.begin", made, actor=session_id)
            return made

        made = self._transact(work)
        self._on_change()
        return NewSession(made, text)

    def visible(self, by: Principal) -> Sequence[Session]:
        """The live sessions that `by` may see, oldest first."""
        now_ms = self._now_ms()
        found = self._transact(lambda connection: sessions.list_live(connection, now_ms=now_ms))
        return [one for one in found if _sees(by, one)]

    def end(self, by: Principal, session_id: str) -> Session:
        """End a session now: within a second it opens nothing, on every process. Again: the same answer."""
        found = self._transact(lambda connection: sessions.find_session(connection, session_id))
        if found is None or not _sees(by, found):
            raise SessionNotFound(session_id)
        if found.revoked_ms is not None:
            return found
        now_ms = self._now_ms()

        def work(connection: Connection) -> None:
            sessions.revoke_session(connection, found.id, revoked_ms=now_ms)
            self._write_down(connection, "session.end", found, actor=by.key_id)

        self._transact(work)
        self._on_change()
        return structs.replace(found, revoked_ms=now_ms)

    def _write_down(self, connection: Connection, action: str, session: Session, *, actor: str, **more: str) -> None:
        opened = {name: grant.role for name, grant in session.grants.items()}
        detail = {
            "name": session.name,
            "subject": session.subject[:500],
            "tenants": ",".join(f"{name}:{role}" for name, role in opened.items())[:2_000],
            **more,
        }
        # One entry in the log of each tenant that the person enters, so that its admins see it.
        deeds = [
            Deed(action=action, actor=actor, tenant=name, target=session.id, detail=detail) for name in opened or [""]
        ]
        audit.append_deeds(connection, deeds, now_ms=self._now_ms())


def _sees(by: Principal, session: Session) -> bool:
    if by.role == "platform" or by.person == session.subject:
        return True
    return "keys.manage" in by.permissions and by.tenant_name in session.grants

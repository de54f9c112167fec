"""Who may do what, and on whose behalf.

*Open mode*, while no key was ever made: loopback only; the header names the tenant, absent means `default`, and a
tenant exists as soon as it is named. It labels data, it is no boundary between local users.

*Secured mode*, from the first key on, or where people sign in with an identity provider: a key or a session says who
asks, which tenants it opens and with which role. Both are held in memory, so a request costs a hash and no query;
`refresh` reads them anew when their version in the database has changed, which every process asks twice a second.
Revoking the last key does not open the server again.
"""

import threading
from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from gnomon_server.core.roles import ANONYMOUS, OPEN, PERMISSIONS, Permission, Principal
from gnomon_server.model import names
from gnomon_server.model.api_keys import ApiKey, Front, Role, is_secret, parse_key
from gnomon_server.model.errors import (
    AccessDenied,
    ExperimentNotFound,
    ModelNotFound,
    NotFound,
    RunNotFound,
    Unauthenticated,
    invalid_field,
)
from gnomon_server.model.ids import TenantId, is_uid
from gnomon_server.model.registry import is_model_uid
from gnomon_server.model.sessions import Session
from gnomon_server.store import Stores
from gnomon_server.store.meta import api_keys, sessions, tenants

__all__ = ["Access", "Permission", "Principal", "artifact_location_of"]

DEFAULT_TENANT = "default"
# One sentence for no key, an unknown, an expired and a revoked one: it tells a guesser nothing.
_NO_KEY = (
    "this server takes requests with an API key: send `Authorization: Bearer gnm_…`; whoever runs it makes one with"
    " `gnomon keys create`"
)
_NOBODY = bytes(32)
_HOUR_MS = 3_600_000


class _Opening(Struct, frozen=True):
    """A key or a session, and the principals that it makes, by the names of its tenants."""

    front: Front
    held: ApiKey | Session
    principals: Mapping[str, Principal]


class Access:
    """Turns the credentials of a request into a principal, and a missed id into the right error."""

    def __init__(
        self,
        stores: Stores,
        *,
        now_ms: Callable[[], int],
        hide_foreign_ids: bool = False,
        has_sign_in: bool = False,
    ) -> None:
        self._stores = stores
        self._has_sign_in = has_sign_in
        self._now_ms = now_ms
        self._hide_foreign_ids = hide_foreign_ids
        self._tenants: dict[str, TenantId] = {}
        self._lock = threading.Lock()
        self._version = 0
        self._openings: dict[str, _Opening] = {}
        self._used: dict[str, int] = {}
        self.refresh()

    @property
    def is_secured(self) -> bool:
        """Whether requests need a key or a session."""
        return self._version > 0 or self._has_sign_in

    def refresh(self) -> None:
        """Read the keys and sessions anew if they have changed since they were read."""
        with self._stores.database.system() as connection:
            version = api_keys.read_version(connection)
            if version == self._version:
                return
            keys = api_keys.list_keys(connection)
            live = sessions.list_live(connection, now_ms=self._now_ms())
        openings = {key.id: _Opening("gnm", key, _principals_of_key(key)) for key in keys if key.revoked_ms is None}
        openings.update((one.id, _Opening("gns", one, _principals_of_session(one))) for one in live)
        self._openings, self._version = openings, version

    def by_key(self, credential: str | None, tenant_name: str | None, *, is_about_itself: bool = False) -> Principal:
        """The principal of a request in secured mode. No query, no wait.

        A key of several tenants must be told which, unless the request asks about nothing but the key itself.
        """
        opening = self._opening(credential)
        self._used[opening.held.id] = self._now_ms() // _HOUR_MS * _HOUR_MS
        if tenant_name is not None:
            found = opening.principals.get(names.tenant(tenant_name))
            if found is None:
                raise AccessDenied()
            return found
        first = next(iter(opening.principals.values()))
        if len(opening.principals) > 1:
            if is_about_itself:
                return structs.replace(first, tenant=TenantId(0), tenant_name="")
            raise invalid_field("X-Tenant-ID", "is needed: several tenants are open to this caller; name one of them")
        return first

    def tenants_of(self, principal: Principal) -> list[str]:
        """The tenants that the caller may act in; in open mode the one it is in."""
        opening = self._openings.get(principal.key_id)
        return [principal.tenant_name] if opening is None else sorted(name for name in opening.principals if name)

    def ends_ms(self, principal: Principal) -> int | None:
        """When what the caller holds ends by itself; None: never."""
        opening = self._openings.get(principal.key_id)
        return None if opening is None else opening.held.expires_ms

    def take_used(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """The keys, and the sessions, used since this was asked last, with the hour of it."""
        used, self._used = self._used, {}
        keys: list[tuple[str, int]] = []
        people: list[tuple[str, int]] = []
        for each, hour in used.items():
            opening = self._openings.get(each)
            if opening is not None and opening.held.last_used_ms != hour:
                (keys if opening.front == "gnm" else people).append((each, hour))
        return keys, people

    def known(self, tenant_name: str | None) -> Principal | None:
        """Open mode: the principal of a tenant seen before, without a query; None when it has to be asked."""
        name = DEFAULT_TENANT if tenant_name is None else tenant_name
        tenant = self._tenants.get(name)
        return None if tenant is None else _open_principal(tenant, name)

    def principal(self, tenant_name: str | None) -> Principal:
        """The principal of a request in open mode; makes the tenant when it is new."""
        name = DEFAULT_TENANT if tenant_name is None else names.tenant(tenant_name)
        with self._lock:
            if name not in self._tenants:
                self._tenants[name] = self._ensure_tenant(name)
            return _open_principal(self._tenants[name], name)

    def missing_experiment(self, uid: str) -> NotFound | AccessDenied:
        """What to answer for an experiment id that the caller's tenant does not have."""
        return AccessDenied() if self._is_foreign("experiment", uid) else ExperimentNotFound(uid)

    def missing_run(self, uid: str) -> NotFound | AccessDenied:
        """What to answer for a run id that the caller's tenant does not have."""
        return AccessDenied() if self._is_foreign("run", uid) else RunNotFound(uid)

    def missing_model(self, uid: str) -> NotFound | AccessDenied:
        """What to answer for the id of a logged model that the caller's tenant does not have."""
        return AccessDenied() if self._is_foreign("logged_model", uid) else ModelNotFound(uid)

    def _opening(self, credential: str | None) -> _Opening:
        sent = None if credential is None else parse_key(credential)
        if sent is None:
            raise Unauthenticated(_NO_KEY)
        opening = self._openings.get(sent.key_id)
        # An id that is not there costs as much as one that is.
        is_right = is_secret(sent.secret, _NOBODY if opening is None else opening.held.digest)
        if opening is None or not is_right or opening.front != sent.front or not opening.held.is_live(self._now_ms()):
            raise Unauthenticated(_NO_KEY)
        return opening

    def _is_foreign(self, kind: tenants.IdKind, uid: str) -> bool:
        is_possible = is_model_uid(uid) if kind == "logged_model" else is_uid(uid)
        if self._hide_foreign_ids or not is_possible:
            return False
        with self._stores.database.system() as connection:
            return tenants.owner_of(connection, kind, uid) is not None

    def _ensure_tenant(self, name: str) -> TenantId:
        with self._stores.database.system() as connection:
            found = tenants.find_tenant(connection, name)
        writer = self._stores.writer
        if found is None:
            now_ms = self._now_ms()
            found = writer.call(TenantId(0), lambda tx: tenants.ensure_tenant(tx, name, now_ms=now_ms))
        return found


def artifact_location_of(experiment_uid: str) -> str:
    """Where the artifacts of an experiment live, as clients see it: a place that only the server can resolve."""
    return f"mlflow-artifacts:/{experiment_uid}"


def _principals_of_key(key: ApiKey) -> Mapping[str, Principal]:
    tenants_of = key.tenants or {"": TenantId(0)}
    return {
        name: _principal(tenant, name, key.role, subject=key.name, key_id=key.id) for name, tenant in tenants_of.items()
    }


def _principals_of_session(session: Session) -> Mapping[str, Principal]:
    return {
        name: _principal(
            grant.tenant, name, grant.role, subject=session.name, key_id=session.id, person=session.subject
        )
        for name, grant in session.grants.items()
    }


def _principal(
    tenant: TenantId, name: str, role: Role, *, subject: str, key_id: str, person: str | None = None
) -> Principal:
    return Principal(
        tenant=tenant,
        tenant_name=name,
        subject=subject,
        permissions=PERMISSIONS[role],
        role=role,
        key_id=key_id,
        person=person,
    )


def _open_principal(tenant: TenantId, name: str) -> Principal:
    return Principal(tenant=tenant, tenant_name=name, subject=ANONYMOUS, permissions=OPEN)

"""Who may do what, and on whose behalf.

Open mode, the only one so far: no keys, loopback only; the header names the tenant, absent means `default`, and a
tenant exists as soon as it is named. It labels data, it is no boundary between local users.
"""

import threading
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from gnomon_server.model import names
from gnomon_server.model.errors import AccessDenied, ExperimentNotFound, NotFound, RunNotFound
from gnomon_server.model.ids import TenantId, is_uid
from gnomon_server.store import Stores
from gnomon_server.store.meta import tenants

Permission = Literal[
    "public",
    "experiments.read",
    "experiments.write",
    "experiments.delete",
    "runs.read",
    "runs.write",
    "runs.delete",
]

EVERYTHING: frozenset[Permission] = frozenset(
    (
        "public",
        "experiments.read",
        "experiments.write",
        "experiments.delete",
        "runs.read",
        "runs.write",
        "runs.delete",
    )
)

DEFAULT_TENANT = "default"
ANONYMOUS = "anonymous"


class Principal(Struct, frozen=True):
    """Who makes a request: the tenant it acts in, what it may do there, and its name for `created_by`."""

    tenant: TenantId
    tenant_name: str
    subject: str
    permissions: frozenset[Permission]

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody knows who it is."""
        return self.subject == ANONYMOUS


class Access:
    """Turns the credentials of a request into a principal, and a missed id into the right error."""

    def __init__(self, stores: Stores, *, now_ms: Callable[[], int]) -> None:
        self._stores = stores
        self._now_ms = now_ms
        self._tenants: dict[str, TenantId] = {}
        self._lock = threading.Lock()

    def known(self, tenant_name: str | None) -> Principal | None:
        """The principal of a tenant seen before, without touching the database; None when it has to be asked."""
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

    def _is_foreign(self, kind: tenants.IdKind, uid: str) -> bool:
        if not is_uid(uid):
            return False
        with self._stores.database.system() as connection:
            return tenants.owner_of(connection, kind, uid) is not None

    def _ensure_tenant(self, name: str) -> TenantId:
        with self._stores.database.system() as connection:
            found = tenants.find_tenant(connection, name)
        writer = self._stores.writer
        if found is None:
            now_ms = self._now_ms()
            found = writer.call(TenantId(0), lambda tx: tenants.insert_tenant(tx, name, now_ms=now_ms))
        return found


def artifact_location_of(experiment_uid: str) -> str:
    """Where the artifacts of an experiment live, as clients see it: a place that only the server can resolve."""
    return f"mlflow-artifacts:/{experiment_uid}"


def _open_principal(tenant: TenantId, name: str) -> Principal:
    return Principal(tenant=tenant, tenant_name=name, subject=ANONYMOUS, permissions=EVERYTHING)

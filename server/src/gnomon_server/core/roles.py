"""What may be done, who may do it, and a request's principal.

Roles grow from left to right, but for two: `ingest` is what a training job holds (it makes runs, logs, and reads the
runs whose ids it has, which it cannot guess or list), and `platform` manages tenants and keys and reads no data.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from msgspec import Struct

from gnomon_server.model.api_keys import Role
from gnomon_server.model.ids import TenantId

Permission = Literal[
    "public",
    "self.read",  # who one is: everybody may
    "self.end",  # signing out: ending the session that one holds
    "experiments.get",  # one, by its id or its name
    "experiments.read",  # lists, searches, tables
    "experiments.create",
    "experiments.write",
    "experiments.delete",
    "runs.get",  # one, by its id: itself, its histories, its artifacts
    "runs.read",  # lists, searches, comparisons
    "runs.log",  # begin, log, upload, tag, end
    "runs.write",
    "runs.delete",
    "keys.manage",  # and sessions
    "audit.read",
    "retention.manage",  # the rules by which runs are archived and removed
    "webhooks.read",
    "webhooks.manage",
    "quotas.read",  # what a tenant keeps and may keep: one's own
    "quotas.manage",  # of every tenant
    "server.read",  # the whole installation: its files
]

_READ: frozenset[Permission] = frozenset(
    ("public", "self.read", "self.end", "experiments.get", "experiments.read", "runs.get", "runs.read", "quotas.read")
)
_LOG: frozenset[Permission] = frozenset(
    ("public", "self.read", "self.end", "experiments.get", "experiments.create", "runs.get", "runs.log")
)
_DATA: frozenset[Permission] = (
    _READ | _LOG | frozenset(("experiments.write", "experiments.delete", "runs.write", "runs.delete"))
)
# A webhook carries names and values of all runs of a tenant out of the house.
_WEBHOOKS: frozenset[Permission] = frozenset(("webhooks.read", "webhooks.manage"))
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    "viewer": _READ,
    "ingest": _LOG,
    "editor": _DATA,
    "admin": _DATA | _WEBHOOKS | frozenset(("keys.manage", "audit.read", "retention.manage")),
    "platform": frozenset(
        ("public", "self.read", "self.end", "keys.manage", "audit.read", "server.read", "quotas.read", "quotas.manage")
    ),
}
# Who comes without a key in open mode: everything of the data; keys are made on the server's own machine.
OPEN: frozenset[Permission] = _DATA | _WEBHOOKS | frozenset(("retention.manage", "server.read"))
EVERY_PERMISSION: frozenset[Permission] = frozenset(get_args(Permission))

ANONYMOUS = "anonymous"


class Principal(Struct, frozen=True):
    """Who makes a request: the tenant it acts in, what it may do there, and its name for `created_by`.

    A platform key acts in no tenant: its `tenant_name` is empty. `key_id` is the id of the key or the session, empty in
    open mode. `person` is the provider's own name of who signed in, None for a key.
    """

    tenant: TenantId
    tenant_name: str
    subject: str
    permissions: frozenset[Permission]
    role: Role | Literal["open"] = "open"
    key_id: str = ""
    person: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody knows who it is."""
        return self.subject == ANONYMOUS

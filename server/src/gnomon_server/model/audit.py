"""The audit log's entries and their chain: each entry's hash covers the hash of the one before it.

    digest(n) = SHA-256( digest(n - 1) || JSON of [id, at_ms, tenant, actor, action, target, detail] )

The first entry follows 32 zero bytes. Whoever changes, inserts or removes an entry must change every digest after it,
which whoever kept a later digest elsewhere sees.
"""

import hashlib

import msgspec
from msgspec import Struct

GENESIS = bytes(32)
_encode = msgspec.json.Encoder().encode


class Deed(Struct, frozen=True):
    """What is to be written down: who did what to which thing. `detail` is flat and holds no secret."""

    action: str
    actor: str
    tenant: str = ""
    target: str = ""
    detail: dict[str, str] = {}


class AuditEntry(Struct, frozen=True):
    """A deed in the log. `detail` is JSON text, as it was hashed; `at_ms` Unix milliseconds."""

    id: int
    at_ms: int
    tenant: str
    actor: str
    action: str
    target: str
    detail: str
    previous: bytes
    digest: bytes


def chain(deed: Deed, *, after: AuditEntry | None, at_ms: int) -> AuditEntry:
    """The entry of a deed that follows another one."""
    number, previous = (1, GENESIS) if after is None else (after.id + 1, after.digest)
    detail = _encode(deed.detail).decode()
    digest = _digest(previous, number, at_ms, deed.tenant, deed.actor, deed.action, deed.target, detail)
    return AuditEntry(
        id=number,
        at_ms=at_ms,
        tenant=deed.tenant,
        actor=deed.actor,
        action=deed.action,
        target=deed.target,
        detail=detail,
        previous=previous,
        digest=digest,
    )


def is_intact(entry: AuditEntry, *, after: AuditEntry | None) -> bool:
    """Whether the entry is what was written, and stands where it was written."""
    number, previous = (1, GENESIS) if after is None else (after.id + 1, after.digest)
    said = (entry.at_ms, entry.tenant, entry.actor, entry.action, entry.target, entry.detail)
    return entry.id == number and entry.previous == previous and entry.digest == _digest(previous, number, *said)


def _digest(previous: bytes, *said: object) -> bytes:
    return hashlib.sha256(previous + _encode(said)).digest()

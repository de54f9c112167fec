"""API keys: how one is made, read and compared. Pure; what is stored of one is `store/meta/api_keys.py`.

    gnm_<id>_<secret>_<checksum>

`id` is 10 characters of base32 (50 bits), the part that may be shown and logged. `secret` is 256 random bits in 43
characters of base62. `checksum` is the CRC-32 of what stands before it, in 6 characters of base62, so that a mistyped
key is told from an unknown one without a look-up and a scanner of leaked secrets knows a real key when it sees one.

What a person holds after signing in has the same shape and the front `gns` (`model/sessions.py`).

Kept is the SHA-256 of the secret alone: 256 random bits cannot be guessed, so a slow hash would protect nothing.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from typing import Literal, NamedTuple, get_args

from msgspec import Struct

from gnomon_server.model.ids import TenantId

Role = Literal["viewer", "ingest", "editor", "admin", "platform"]
ROLES: tuple[Role, ...] = get_args(Role)

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID, _SECRET, _CHECKSUM = 10, 43, 6
_SECRET_BYTES = 32
# What the front of a credential says it is.
Front = Literal["gnm", "gns"]
_WHOLE = re.compile(rf"(gnm|gns)_([{_BASE32}]{{{_ID}}})_([0-9A-Za-z]{{{_SECRET}}})_([0-9A-Za-z]{{{_CHECKSUM}}})")


class ApiKey(Struct, frozen=True):
    """What is kept of a key. `tenants`: those it may act in, by name; none for a platform key.

    Times are Unix milliseconds; `last_used_ms` is kept to the hour. `digest` is the SHA-256 of the secret.
    """

    id: str
    name: str
    role: Role
    tenants: dict[str, TenantId]
    digest: bytes
    created_ms: int
    created_by: str
    expires_ms: int | None = None
    last_used_ms: int | None = None
    revoked_ms: int | None = None

    def is_live(self, now_ms: int) -> bool:
        """Whether it opens anything at this moment."""
        ends = [when for when in (self.expires_ms, self.revoked_ms) if when is not None]
        return all(now_ms < when for when in ends)


class Credential(NamedTuple):
    """A key, or the text of a session, as its holder sends it, taken apart."""

    front: Front
    key_id: str
    secret: str


def mint_key(front: Front = "gnm") -> tuple[str, str, bytes]:
    """A new key, or text of a session: the text to show once, its id, and the digest to keep."""
    key_id = "".join(secrets.choice(_BASE32) for _ in range(_ID))
    secret = _base62(int.from_bytes(secrets.token_bytes(_SECRET_BYTES)), _SECRET)
    begin = f"{front}_{key_id}_{secret}"
    return f"{begin}_{_checksum(begin)}", key_id, digest_of(secret)


def parse_key(text: str) -> Credential | None:
    """The parts of a key, or None when the text is none: another shape, or a checksum that is wrong."""
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    begin, _, checksum = text.rpartition("_")
    front: Front = "gnm" if found[1] == "gnm" else "gns"
    return Credential(front, found[2], found[3]) if _checksum(begin) == checksum else None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def is_secret(secret: str, digest: bytes) -> bool:
    """Whether this is the secret behind the digest, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(digest_of(secret), digest)


def _checksum(begin: str) -> str:
    return _base62(zlib.crc32(begin.encode()), _CHECKSUM)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))

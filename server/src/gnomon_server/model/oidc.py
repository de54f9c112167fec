"""Signing in by OpenID Connect: what is asked of the provider, and what its ID token must say. Pure; no request.

The rules are those of OpenID Connect Core 1.0 (3.1.3.7) and the best practice of RFC 9700: authorization code with
PKCE (S256), a state and a nonce for each attempt, and an ID token that is believed only when

- its key is one of the provider's own, of RSA (then RS256) or P-256 (then ES256). The algorithm follows from the key;
  what the token says of it is only compared. A provider's symmetric keys are never looked at.
- `iss`, `aud`, `exp`, `iat`, `sub` and `nonce` are there and right; of several audiences `azp` must be us;
- it is not used before or after its time by more than a minute of clock difference.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from gnomon_server.model import names
from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.sessions import SESSION_ROLES, SessionRole

LEEWAY_SECS = 60
# How long a person may take at the provider.
ATTEMPT_SECS = 600
MAX_TOKEN_BYTES = 64 * 1024
MAX_GROUPS = 2_000
EVERYONE = "*"
_MAX_RETURN = 2_000
_MIN_RSA_BITS = 2_048
_REQUIRED = ["iss", "aud", "exp", "iat", "sub", "nonce"]
_SHOWN_AS = ("preferred_username", "email", "name", "sub")


class TokenRefused(Exception):
    """An ID token is not believed. The text is for the operator's log; the person is told to sign in again."""


class UnknownKey(TokenRefused):
    """No key of the provider has the id that the token names: it may have changed its keys."""


class Attempt(Struct, frozen=True):
    """One attempt to sign in, kept in a cookie of the browser that began it until it comes back."""

    state: str
    nonce: str
    verifier: str
    return_to: str


class Claims(Struct, frozen=True):
    """What a believed ID token says."""

    issuer: str
    subject: str
    name: str
    groups: Sequence[str]
    has_groups: bool


GroupMap = Mapping[str, Mapping[str, SessionRole]]


def new_attempt(return_to: str) -> Attempt:
    """A fresh attempt: 256 random bits each for state, nonce and PKCE verifier."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state=state, nonce=nonce, verifier=verifier, return_to=return_to)


def pack_attempt(attempt: Attempt) -> str:
    """The attempt as the value of a cookie."""
    return base64.urlsafe_b64encode(msgspec.json.encode(attempt)).decode().rstrip("=")


def unpack_attempt(cookie: str, *, state: str) -> Attempt | None:
    """The attempt in a cookie, if it is the one that this state belongs to."""
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4)), type=Attempt)
        return_to = local_path(found.return_to)
    except (ValueError, msgspec.DecodeError, InvalidRequest):
        return None
    if not found.state or not hmac.compare_digest(found.state.encode(), state.encode()):
        return None
    return Attempt(state=found.state, nonce=found.nonce, verifier=found.verifier, return_to=return_to)


def local_path(path: str) -> str:
    """A path within this server's own page, or `InvalidRequest`: nobody is sent elsewhere after signing in."""
    parts = urlsplit(path) if path.isprintable() else None
    if (
        parts is None
        or not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or parts.scheme
        or parts.netloc
        or len(path) > _MAX_RETURN
    ):
        raise InvalidRequest("return_to must be a path of this server, such as /e/…; leave it out for the first page")
    return path


def authorization_url(endpoint: str, attempt: Attempt, *, client_id: str, redirect_uri: str, scopes: str) -> str:
    """Where the browser goes to sign in."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scopes,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def login_digest(state: str) -> bytes:
    """What is kept of an attempt, so that it makes one session at most."""
    return hashlib.sha256(state.encode()).digest()


# `Any`: claims and keys are documents of another program, read field by field below.
def verified_claims(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, client_id: str, nonce: str
) -> dict[str, Any]:
    """The claims of an ID token that is believed; raises `TokenRefused`."""
    import jwt  # an extra of the distribution, and only whoever signs in pays for it

    if len(token) > MAX_TOKEN_BYTES:
        raise TokenRefused("the ID token is larger than 64 KiB")
    try:
        head = jwt.get_unverified_header(token)
        if "crit" in head or "b64" in head:
            raise TokenRefused("the ID token asks for an extension of JWS that is not served here")
        key, algorithm = _signing_key(keys, head.get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_SECS,
            options={"require": _REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(f"the ID token is refused: {error}") from None
    _check_party(claims, client_id)
    said = claims["nonce"]
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise TokenRefused("the nonce of the ID token is that of another attempt")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise TokenRefused("the ID token names nobody")
    return claims


def read_claims(claims: Mapping[str, Any], *, groups_claim: str) -> Claims:
    """What is used of believed claims. A groups claim is a list or one text, by its name or a path with dots."""
    found = _at(claims, groups_claim)
    groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    if len(groups) > MAX_GROUPS:
        raise TokenRefused(f"the token names {len(groups)} groups; at most {MAX_GROUPS} are read")
    shown = next((claims[name] for name in _SHOWN_AS if isinstance(claims.get(name), str) and claims[name]), "")
    return Claims(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=_one_line(shown),
        groups=[group for group in groups if isinstance(group, str)],
        has_groups=found is not None,
    )


def read_group_map(text: str) -> GroupMap:
    """`group=tenant:role, …` as a map; `*` is everybody who signs in. Raises ValueError with what to write."""
    found: dict[str, dict[str, SessionRole]] = {}
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            continue
        group, _, opened = part.rpartition("=")
        tenant, _, said = opened.partition(":")
        role = next((each for each in SESSION_ROLES if each == said.strip()), None)
        if not group.strip() or role is None:
            raise ValueError(
                f"GNOMON_OIDC_GROUPS: {part!r}; write group=tenant:role with a role of {', '.join(SESSION_ROLES)}"
            )
        try:
            name = names.tenant(tenant.strip(), field="GNOMON_OIDC_GROUPS")
        except InvalidRequest as error:
            raise ValueError(error.detail) from None
        roles = found.setdefault(group.strip(), {})
        roles[name] = _greater(roles.get(name), role)
    return found


def roles_of(groups: Sequence[str], mapped: GroupMap) -> dict[str, SessionRole]:
    """The role in each tenant that these groups open; where several do, the greatest."""
    found: dict[str, SessionRole] = {}
    for group in (EVERYONE, *groups):
        # A provider's group that is called like the mark for everybody is no group of ours.
        for tenant, role in mapped.get(group, {}).items():
            found[tenant] = _greater(found.get(tenant), role)
    return found


def _greater(one: SessionRole | None, other: SessionRole) -> SessionRole:
    return other if one is None or SESSION_ROLES.index(other) > SESSION_ROLES.index(one) else one


def _signing_key(keys: Sequence[Mapping[str, Any]], kid: object) -> tuple[Any, str]:
    """The provider's key of this id, and the one algorithm that goes with it."""
    from jwt import PyJWK

    usable = [(key, algorithm) for key in keys if (algorithm := _algorithm_of(key)) is not None]
    found = [pair for pair in usable if kid is None or pair[0].get("kid") == kid]
    if len(found) != 1:
        raise UnknownKey("the ID token names no key of the provider that can be used here (RSA of 2048 bits, or P-256)")
    key, algorithm = found[0]
    public = PyJWK.from_dict(dict(key), algorithm=algorithm).key
    if getattr(public, "key_size", 0) < _MIN_RSA_BITS and algorithm == "RS256":
        raise TokenRefused("the provider signs with an RSA key of less than 2048 bits")
    return public, algorithm


def _algorithm_of(key: Mapping[str, Any]) -> str | None:
    if key.get("use", "sig") != "sig" or "d" in key:
        return None
    match key.get("kty"), key.get("crv"):
        case "RSA", None:
            found = "RS256"
        case "EC", "P-256":
            found = "ES256"
        case _:
            return None
    return found if key.get("alg", found) == found else None


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    audiences = claims["aud"]
    if isinstance(audiences, list) and len(audiences) > 1 and "azp" not in claims:
        raise TokenRefused("the ID token is for several parties and does not say for which (azp)")
    if claims.get("azp", client_id) != client_id:
        raise TokenRefused("the ID token was made for another party (azp)")


def _at(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _one_line(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:200].strip() or "somebody"

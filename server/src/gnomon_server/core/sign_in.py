"""Signing in with the identity provider: an attempt begins here, goes through the provider, comes back as a session.

The server remembers nothing of an attempt: state, nonce and PKCE verifier lie in a cookie of the browser that began it
(HTTP only, same site, ten minutes), so a code that another browser brings is worth nothing here. What comes back is
taken once: the state of an attempt stands in its session, and there can be only one. A person gets the same words for
every reason to refuse; the reason is in the operator's log.
"""

import logging
import threading
from urllib.parse import urlsplit

from msgspec import Struct

from gnomon_server.core.oidc_provider import CodeRefused, Provider, is_address
from gnomon_server.core.sessions import NewSession, Sessions
from gnomon_server.model import oidc
from gnomon_server.model.errors import AccessDenied, InvalidRequest, Unavailable
from gnomon_server.settings import Settings

log = logging.getLogger("gnomon.oidc")

# The page of the UI that the provider sends people back to.
CALLBACK = "/signed-in"
# Exchanges with the provider at once: each holds a reader thread while the provider thinks.
_MOST_EXCHANGES = 4
_FAILED = "the sign-in could not be completed; begin it again on the sign-in page"
_NO_GROUP = "you are known, but none of your groups opens a tenant here; ask whoever runs this server for access"
_MAX_CODE = 4_096


class SignInConfig(Struct, frozen=True):
    """What the operator said about the identity provider."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    groups_claim: str
    groups: oidc.GroupMap
    label: str
    redirect_uri: str

    @property
    def is_secure(self) -> bool:
        """Whether people come over HTTPS, so that cookies may demand it."""
        return self.redirect_uri.startswith("https:")


class Begun(Struct, frozen=True):
    """Where the browser goes, and what its cookie holds meanwhile."""

    url: str
    cookie: str


class Completed(Struct, frozen=True):
    """A new session, and the page that the person came from."""

    new: NewSession
    return_to: str


class SignIn:
    """Sign-in with one provider."""

    def __init__(self, config: SignInConfig, provider: Provider, sessions: Sessions) -> None:
        self.config = config
        self._provider = provider
        self._sessions = sessions
        self._slots = threading.BoundedSemaphore(_MOST_EXCHANGES)

    def begin(self, return_to: str) -> Begun:
        """Begin an attempt that ends at this path of the UI."""
        attempt = oidc.new_attempt(oidc.local_path(return_to))
        config = self.config
        url = oidc.authorization_url(
            self._provider.metadata().authorization_endpoint,
            attempt,
            client_id=config.client_id,
            redirect_uri=config.redirect_uri,
            scopes=config.scopes,
        )
        return Begun(url=url, cookie=oidc.pack_attempt(attempt))

    def complete(self, *, cookie: str, state: str, code: str, issuer: str | None) -> Completed:
        """Turn what the provider sent back into a session."""
        attempt = oidc.unpack_attempt(cookie, state=state)
        if attempt is None:
            raise self._refused("it does not belong to an attempt that this browser began")
        if not code or len(code) > _MAX_CODE:
            raise self._refused("there is no code")
        if not self._slots.acquire(blocking=False):
            raise Unavailable("many people sign in right now; try again in a moment", retry_after_secs=2)
        try:
            claims = self._claims(attempt, code, issuer)
        except (CodeRefused, oidc.TokenRefused) as error:
            raise self._refused(str(error)) from None
        finally:
            self._slots.release()
        roles = oidc.roles_of(claims.groups, self.config.groups)
        if not roles:
            seen = f"its groups {list(claims.groups)[:20]}" if claims.has_groups else "no groups"
            log.warning(
                "%s signed in with %s in the claim %r, and GNOMON_OIDC_GROUPS opens nothing to them",
                claims.name,
                seen,
                self.config.groups_claim,
            )
            raise AccessDenied(_NO_GROUP, code="no_tenant_granted")
        new = self._sessions.begin(claims, roles, login=oidc.login_digest(attempt.state))
        return Completed(new, attempt.return_to)

    def _claims(self, attempt: oidc.Attempt, code: str, issuer: str | None) -> oidc.Claims:
        provider, config = self._provider, self.config
        metadata = provider.metadata()
        # RFC 9207: a code of another provider must not be exchanged here.
        if issuer != metadata.issuer and (
            issuer is not None or metadata.authorization_response_iss_parameter_supported
        ):
            raise oidc.TokenRefused(f"it comes from the issuer {issuer!r}")
        tokens = provider.exchange(code, verifier=attempt.verifier, redirect_uri=config.redirect_uri)
        try:
            found = self._verified(tokens.id_token, attempt, is_unknown_named=False)
        except oidc.UnknownKey:
            found = self._verified(tokens.id_token, attempt, is_unknown_named=True)
        claims = oidc.read_claims(found, groups_claim=config.groups_claim)
        if claims.has_groups or tokens.access_token is None or set(config.groups) <= {oidc.EVERYONE}:
            return claims
        said = provider.userinfo(tokens.access_token)
        if said.get("sub") != claims.subject:
            raise oidc.TokenRefused("the provider's userinfo is that of another person")
        # Only what the token leaves out is taken from there.
        return oidc.read_claims({**said, **found}, groups_claim=config.groups_claim)

    def _verified(self, token: str, attempt: oidc.Attempt, *, is_unknown_named: bool) -> dict[str, object]:
        return oidc.verified_claims(
            token,
            self._provider.keys(is_unknown_named=is_unknown_named),
            issuer=self.config.issuer,
            client_id=self.config.client_id,
            nonce=attempt.nonce,
        )

    def _refused(self, why: str) -> InvalidRequest:
        log.warning("a sign-in was refused: %s", why)
        return InvalidRequest(_FAILED, code="sign_in_failed")


def sign_in_config(settings: Settings) -> SignInConfig | None:
    """The provider that the settings name; None without an issuer. Raises ValueError with what to set."""
    issuer = settings.oidc_issuer
    if not issuer:
        return None
    if not is_address(issuer) or urlsplit(issuer).query:
        raise ValueError(f"GNOMON_OIDC_ISSUER is {issuer!r}; give the https:// address of the identity provider")
    if not settings.oidc_client_id:
        raise ValueError("GNOMON_OIDC_ISSUER is set; give the client's id at the provider in GNOMON_OIDC_CLIENT_ID")
    if not is_address(settings.public_url) or urlsplit(settings.public_url).query:
        raise ValueError(
            "GNOMON_OIDC_ISSUER is set; give the https:// address at which people open this server in GNOMON_PUBLIC_URL"
        )
    if "openid" not in settings.oidc_scopes.split():
        raise ValueError("GNOMON_OIDC_SCOPES must name openid")
    groups = oidc.read_group_map(settings.oidc_groups)
    if not groups:
        raise ValueError("GNOMON_OIDC_ISSUER is set; say in GNOMON_OIDC_GROUPS what a group opens: group=tenant:role")
    try:
        import jwt  # asked here, so that a server that cannot sign anybody in does not start
        import jwt.algorithms

        if not jwt.algorithms.has_crypto:
            raise ImportError
    except ImportError:
        raise ValueError("signing in needs two more packages: pip install 'gnomon[oidc]'") from None
    return SignInConfig(
        issuer=issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        groups=groups,
        label=settings.oidc_label or urlsplit(issuer).hostname or issuer,
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
    )

"""An object store, opened from its URL: `s3://bucket/prefix`, and `gs://` and `az://` as obstore has them.

Credentials come from where the store's other tools take them (`AWS_ACCESS_KEY_ID`, a role of the machine, …) and are
never a setting of ours, so they stand in no log and no answer. What a store refuses or does not answer becomes one
error, `Unavailable`: nothing was kept, try again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from gnomon_server.model.errors import Unavailable
from gnomon_server.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

log = logging.getLogger("gnomon.objects")

RemoteStore = S3Store | GCSStore | AzureStore

_SCHEMES = ("s3://", "gs://", "az://")
_CONNECT_SECS = 5
_REQUEST_SECS = 60
_RETRIES = 3
_RETRY_SECS = 10
_RETRY_AFTER_SECS = 10
# What a browser is told of every object, however it gets at it: a download of no known type, nothing to show.
ATTACHMENT: dict[str, str] = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
_MARKER = "gnomon-installation"
_OF_ANOTHER = (
    "{url} holds the objects of another Gnomon database; give each its own prefix. Where this one was restored from a"
    " backup and the other will never run again, restore with --take-over-objects"
)


class StoreRefused(Exception):
    """The object store cannot be used: a sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """Where objects are kept. Nothing here is a secret."""

    url: str
    endpoint: str = ""
    region: str = ""
    is_virtual_hosted: bool = False
    allow_http: bool = False


def place_of(settings: Settings, url: str) -> ObjectPlace:
    """A URL of the settings, with what they say of its store."""
    return ObjectPlace(
        url,
        endpoint=settings.artifacts_endpoint,
        region=settings.artifacts_region,
        is_virtual_hosted=settings.artifacts_virtual_host,
        allow_http=settings.artifacts_allow_http,
    )


def open_objects(place: ObjectPlace) -> RemoteStore:
    """The store behind a URL; nothing is asked of it yet. Raises `StoreRefused`."""
    if not place.url.startswith(_SCHEMES) or "@" in place.url or place.url in _SCHEMES:
        raise StoreRefused(
            f"{_without_secret(place.url)!r} is no object store; give s3://bucket/prefix, gs://bucket/… or az://…"
        )
    endpoint = _without_secret(place.endpoint)
    if place.endpoint.startswith("http://") and not place.allow_http:
        raise StoreRefused(
            f"the object store {endpoint} is spoken to without encryption; give an https:// endpoint, or set"
            " GNOMON_ARTIFACTS_ALLOW_HTTP=1"
        )
    client: ClientConfig = {
        "connect_timeout": timedelta(seconds=_CONNECT_SECS),
        "timeout": timedelta(seconds=_REQUEST_SECS),
        "allow_http": place.allow_http,
    }
    retry: RetryConfig = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECS)}
    try:
        if place.url.startswith("s3://"):
            store = from_url(place.url, config=_s3_config(place), client_options=client, retry_config=retry)
        else:
            store = from_url(place.url, client_options=client, retry_config=retry)
    except (BaseError, ValueError) as error:
        raise StoreRefused(f"{place.url!r} cannot be opened: {_short(error)}") from None
    assert isinstance(store, RemoteStore)
    return store


def _s3_config(place: ObjectPlace) -> "S3Config":
    config: S3Config = {}
    if place.endpoint:
        config["endpoint"] = place.endpoint
    if place.region:
        config["region"] = place.region
    if place.is_virtual_hosted:
        config["virtual_hosted_style_request"] = True
    return config


def claim(store: RemoteStore, place: ObjectPlace, installation: str) -> None:
    """See that the place can be written and read, and that it is this installation's. Raises `StoreRefused`.

    Two databases in one place would each take the other's objects for strays and remove them.
    """
    try:
        with suppress(AlreadyExistsError, PreconditionError):
            obstore.put(store, _MARKER, installation.encode(), mode="create", attributes=ATTACHMENT)
        owner = bytes(obstore.get(store, _MARKER).bytes()).decode("ascii", "replace")
        probe = f"{_MARKER}-probe-{installation}"
        obstore.put(store, probe, b"", attributes=ATTACHMENT)
        obstore.delete(store, probe)
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise StoreRefused(
            f"the object store {place.url} refuses this server; give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or"
            f" what your store takes) of one who may list, read, write and delete there: {_short(error)}"
        ) from None
    except (BaseError, OSError) as error:
        raise StoreRefused(
            f"the object store {place.url} cannot be reached or written; see that the bucket is there and that"
            f" GNOMON_ARTIFACTS_ENDPOINT is right: {_short(error)}"
        ) from None
    if owner != installation:
        raise StoreRefused(_OF_ANOTHER.format(url=place.url))


def look_at(store: RemoteStore, place: ObjectPlace, installation: str) -> None:
    """See that the place answers and is this installation's, or nobody's yet. Raises `StoreRefused`; writes nothing."""
    try:
        owner = bytes(obstore.get(store, _MARKER).bytes()).decode("ascii", "replace")
    except FileNotFoundError:
        return
    except (BaseError, OSError) as error:
        raise StoreRefused(f"the object store {place.url} does not answer as it should: {_short(error)}") from None
    if owner != installation:
        raise StoreRefused(_OF_ANOTHER.format(url=place.url))


def take_over(store: RemoteStore, place: ObjectPlace, installation: str) -> None:
    """Make the place this installation's: whose it was is refused from now on, and removes nothing there any more.

    Raises `StoreRefused`.
    """
    try:
        obstore.put(store, _MARKER, installation.encode(), attributes=ATTACHMENT)
    except (BaseError, OSError) as error:
        raise StoreRefused(f"the object store {place.url} cannot be taken over: {_short(error)}") from None


class Ownership:
    """Whether a place is this installation's still: asked before anything is removed there.

    Another may have taken it over since this server started: one that a backup was restored into, say. What is a stray
    here may be the other's, so nothing is removed then.
    """

    def __init__(self, store: RemoteStore, place: ObjectPlace, installation: str) -> None:
        self._store, self._place, self._installation = store, place, installation

    def check(self) -> None:
        """Raise `Unavailable` when it is another's, or does not answer."""
        try:
            look_at(self._store, self._place, self._installation)
        except StoreRefused as error:
            log.error("nothing is removed: %s", error)
            raise Unavailable(
                f"nothing is removed: {error}", code="storage_unavailable", retry_after_secs=_RETRY_AFTER_SECS
            ) from None


def read_object(store: RemoteStore, key: str, *, piece_bytes: int) -> Iterator[bytes]:
    """The bytes of an object, piece by piece. Raises `FileNotFoundError` and `Unavailable`."""
    with failing_as_unavailable():
        for piece in obstore.get(store, key).stream(min_chunk_size=piece_bytes):
            yield bytes(piece)


@contextmanager
def failing_as_unavailable() -> Iterator[None]:
    """What the store does not do becomes `Unavailable`; an object that is not there stays `FileNotFoundError`."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        log.warning("the object store failed: %s", _short(error))
        raise Unavailable(
            "the object store does not answer; nothing was kept, try again",
            code="storage_unavailable",
            retry_after_secs=_RETRY_AFTER_SECS,
        ) from error


def _without_secret(url: str) -> str:
    """A URL without the user and password that somebody wrote into it."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if found and "@" in rest else url


def _short(error: Exception) -> str:
    """The first words of an error; signatures stand in headers, which no message of obstore quotes."""
    return " ".join(str(error).split("Debug source:")[0].split())[:300]

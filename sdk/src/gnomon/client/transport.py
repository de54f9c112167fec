"""HTTP for the client: one connection pool, one place that decides what is tried again, one that reads errors.

Invariants:
- A call is repeated only when that cannot do the same thing twice: it never reached the server, the server says that
  it kept nothing (429 or 503 with a problem of ours), or the call is `repeatable` (a read, or a write that sets
  rather than adds).
- Waiting grows by powers of two with full jitter, so that a thousand clients do not come back at once, and is never
  shorter than the server's `Retry-After`.
- Redirects are not followed: the API key goes to the configured address and nowhere else.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
import urllib3
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import Retry

import gnomon
from gnomon.errors import ApiError, ConnectionFailed, GnomonError, SettingsError, api_error
from gnomon.jitter import own_random
from gnomon.settings import Settings
from gnomon.wire import Problem

T = TypeVar("T")
Query = Sequence[tuple[str, str]]
Body = Callable[[], Iterable[bytes]]

API = "/api/v1"
FIRST_WAIT_SECS = 0.25
# A client that waits longer than this for one call looks hung; the error then says how long the server asked for.
LONGEST_WAIT_SECS = 20.0
# An error answer is a small document; what is longer is not one of ours.
MAX_PROBLEM_BYTES = 1 << 20


class Transport:
    """Sends requests to one server; safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        max_attempts: int = 5,
        max_connections: int = 10,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = own_random,
    ) -> None:
        self.settings = settings
        self._max_attempts = max_attempts
        self._sleep = sleep
        self._jitter = jitter
        self._headers = {"User-Agent": f"gnomon-sdk/{gnomon.__version__}", "Accept": "application/json"}
        if settings.api_key is not None:
            self._headers["Authorization"] = f"Bearer {settings.api_key}"
        if settings.tenant is not None:
            self._headers["X-Tenant-ID"] = settings.tenant
        self._pool = urllib3.PoolManager(
            maxsize=max_connections,
            timeout=urllib3.Timeout(connect=min(10.0, settings.timeout_secs), read=settings.timeout_secs),
            retries=False,
        )

    def close(self) -> None:
        self._pool.clear()

    def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Query = (),
        message: msgspec.Struct | None = None,
        repeatable: bool | None = None,
    ) -> T:
        """One JSON request and its typed answer. A GET is repeatable unless told otherwise, nothing else is."""
        body = None if message is None else msgspec.json.encode(message)
        headers = {} if body is None else {"Content-Type": "application/json"}
        again = method == "GET" if repeatable is None else repeatable
        response = self._send(method, path, query=query, body=body, headers=headers, repeatable=again, preload=True)
        return decode(response.data, answer, self.settings.url)

    def upload(
        self,
        path: str,
        answer: type[T],
        *,
        query: Query,
        body: Body,
        length: int,
        content_type: str,
        method: str = "POST",
    ) -> T:
        """Send a body that is streamed; it is opened anew for each attempt, as storing it twice stores it once."""
        headers = {"Content-Type": content_type, "Content-Length": str(length)}
        response = self._send(method, path, query=query, body=body, headers=headers, repeatable=True, preload=True)
        return decode(response.data, answer, self.settings.url)

    @contextmanager
    def stream(
        self, path: str, *, query: Query = (), headers: Mapping[str, str] | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """GET a body to be read piece by piece; what breaks while reading becomes `ConnectionFailed`."""
        response = self._send("GET", path, query=query, headers=headers or {}, repeatable=True, preload=False)
        try:
            yield response
        except HTTPError as error:
            raise ConnectionFailed(f"the answer of {self.settings.url} broke off ({error}); try again") from error
        finally:
            # An answer that was not read to its end cannot be followed by another on the same connection.
            response.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Query,
        headers: Mapping[str, str],
        repeatable: bool,
        preload: bool,
        body: bytes | Body | None = None,
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self.settings.url}{API}{path}" + (f"?{urlencode(query)}" if query else "")
        attempt = 0
        while True:
            attempt += 1
            last = attempt >= self._max_attempts
            try:
                response = self._pool.request(
                    method,
                    url,
                    body=body() if callable(body) else body,
                    headers={**self._headers, **headers},
                    redirect=False,
                    preload_content=preload,
                )
            except LocationParseError as error:
                raise SettingsError(f"{self.settings.url!r} is no server address: {error}") from error
            except HTTPError as error:
                if last or not (repeatable or _never_sent(error)):
                    raise ConnectionFailed(_connection_sentence(self.settings.url, error, repeatable)) from error
                self._sleep(self._wait_secs(attempt))
                continue
            if response.status == 302 and method == "GET":
                return self._follow(response, headers, preload)
            if response.status < 300:
                return response
            refusal = _read_error(response, preload)
            wait_secs = self._wait_secs(attempt, refusal.retry_after_secs or 0.0)
            if last or wait_secs > LONGEST_WAIT_SECS or not _may_repeat(refusal, repeatable):
                raise refusal
            self._sleep(wait_secs)

    def put_elsewhere(self, url: str, body: Body, length: int) -> bool:
        """PUT to an address that the server gave, which is another host's: without our key. Whether it was taken."""
        try:
            response = self._pool.request(
                "PUT", url, body=body(), headers={"Content-Length": str(length)}, redirect=False
            )
        except HTTPError:
            return False
        return response.status < 300

    def _follow(
        self, response: urllib3.BaseHTTPResponse, headers: Mapping[str, str], preload: bool
    ) -> urllib3.BaseHTTPResponse:
        """The file that stands at another host; our server's ETag says what it holds, and our key stays with us."""
        response.close()
        wanted = {name: value for name, value in headers.items() if name == "Range"}
        try:
            found = self._pool.request(
                "GET", response.headers["Location"], headers=wanted, redirect=False, preload_content=preload
            )
        except (HTTPError, KeyError) as error:
            raise ConnectionFailed("the object store of the server cannot be reached from here; try again") from error
        if found.status >= 300:
            found.close()
            raise ConnectionFailed(f"the object store of the server answered {found.status}; try again")
        found.headers["ETag"] = response.headers.get("ETag", "")
        return found

    def _wait_secs(self, attempt: int, at_least_secs: float = 0.0) -> float:
        return at_least_secs + self._jitter() * FIRST_WAIT_SECS * 2.0 ** (attempt - 1)


def decode(body: bytes, answer: type[T], url: str) -> T:
    """The typed answer; the names of non-finite numbers become doubles wherever the type says float."""
    try:
        return msgspec.json.decode(body, type=answer, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GnomonError(
            f"the answer is not what a Gnomon server says ({error}); is {url} the right address?"
        ) from error


def path_of(*segments: str) -> str:
    """A path below the API's base from plain segments, each quoted: no id can turn into another route."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def _never_sent(error: HTTPError) -> bool:
    return isinstance(error, (NewConnectionError, NameResolutionError))


def _may_repeat(refusal: ApiError, repeatable: bool) -> bool:
    if refusal.status not in (429, 503):
        return False
    return repeatable or refusal.code != "not_gnomon"


def _read_error(response: urllib3.BaseHTTPResponse, preload: bool) -> ApiError:
    try:
        body = response.data if preload else response.read(MAX_PROBLEM_BYTES, decode_content=True)
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, HTTPError):
        problem = None
    finally:
        response.close()
    return api_error(response.status, problem, retry_after_secs=_retry_after_secs(response))


def _retry_after_secs(response: urllib3.BaseHTTPResponse) -> float | None:
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return Retry().parse_retry_after(value)
    except InvalidHeader:
        return None


def _connection_sentence(url: str, error: HTTPError, repeatable: bool) -> str:
    if _never_sent(error):
        return f"no server answers at {url}; start one with `gnomon server`, or set GNOMON_URL to where it runs"
    doubt = "" if repeatable else "; the server may or may not have done it, so look before you send it again"
    return f"the connection to {url} broke ({_cause(error)}){doubt}"


def _cause(error: HTTPError) -> str:
    return " ".join(str(error).split()) or type(error).__name__

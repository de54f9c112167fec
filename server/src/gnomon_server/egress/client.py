"""One POST to a URL of a user's, within bounds: HTTP/1.1, one connection, one answer, of which only the head counts.

Invariants:
- The name is resolved once, all of its addresses are judged, and the connection goes to one of those: a name that
  changes its mind afterwards changes nothing (DNS rebinding).
- TLS is verified against the name, which also stands in SNI and Host. No proxy of the environment is asked.
- Nothing is followed: a redirect is an answer like any other. What an answer says beyond its status and `Retry-After`
  is not read, so nobody reads another's server through this one.
- All of it, from the first packet to the head of the answer, ends by one deadline.
"""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from ipaddress import ip_address
from time import monotonic

from msgspec import Struct

from gnomon_server.egress.addresses import Address, Allowed, EgressRefused, Target, parse_target, refuse_unreachable

# How many addresses of a host are tried, when one does not take the connection.
_MOST_ADDRESSES = 3
_MOST_HEAD_BYTES = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: |\r|$)")
_RETRY_AFTER = re.compile(rb"\r\nretry-after:[ \t]*([0-9]{1,6})[ \t]*\r\n", re.IGNORECASE)
_HEADER = re.compile(r"[\x20-\x7e]*")

Resolve = Callable[[str, int], Sequence[Address]]


class Undelivered(Exception):
    """There was no answer: the text says why, for a person."""


class Answer(Struct, frozen=True):
    """What came back. `retry_after_secs`: when the receiver wishes to be asked again."""

    status: int
    retry_after_secs: int | None = None


class Egress:
    """Sends requests to who may be reached. `resolve` gives all addresses of a name; `tls` verifies."""

    def __init__(
        self,
        allowed: Allowed,
        *,
        timeout_secs: float = 10.0,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allowed = allowed
        self._timeout_secs = timeout_secs
        self._resolve = resolve or resolve_name
        self._tls = tls

    def check(self, url: str) -> None:
        """Raise `EgressRefused` for a URL that could never be sent to. Asks nobody: names are judged when resolved."""
        parse_target(url, self.allowed)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body. Raises `EgressRefused` where the server may not send, `Undelivered` where nothing came back."""
        deadline = monotonic() + self._timeout_secs
        target = parse_target(url, self.allowed)
        request = _request(target, body, headers)
        try:
            with closing(self._connect(target, self._addresses(target, deadline), deadline)) as connection:
                connection.settimeout(_left(deadline))
                connection.sendall(request)
                return _read_answer(connection, deadline)
        except ssl.SSLCertVerificationError as error:
            raise Undelivered(f"the certificate is not good for {target.host}: {error.verify_message}") from error
        except TimeoutError as error:
            raise Undelivered(f"no answer within {self._timeout_secs:.0f} s") from error
        except OSError as error:
            raise Undelivered(f"the connection failed: {error.strerror or type(error).__name__}") from error

    def _addresses(self, target: Target, deadline: float) -> Sequence[Address]:
        found = [target.literal] if target.literal is not None else self._resolved(target, deadline)
        refuse_unreachable(found, target.host, self.allowed)
        return found[:_MOST_ADDRESSES]

    def _resolved(self, target: Target, deadline: float) -> Sequence[Address]:
        """The addresses of a name, in time: a resolver has no time-out of its own, so another thread asks it."""
        answers: list[Sequence[Address]] = []

        def ask() -> None:
            try:
                answers.append(self._resolve(target.host, target.port))
            except (OSError, UnicodeError, ValueError):
                answers.append(())

        asking = threading.Thread(target=ask, name="gnomon-resolve", daemon=True)
        asking.start()
        asking.join(_left(deadline))
        if not answers:
            raise TimeoutError
        if not answers[0]:
            raise Undelivered(f"the name {target.host} was not found")
        return answers[0]

    def _connect(self, target: Target, addresses: Sequence[Address], deadline: float) -> socket.socket:
        for position, address in enumerate(addresses):
            try:
                plain = socket.create_connection((str(address), target.port), timeout=_left(deadline))
                break
            except OSError:
                if position == len(addresses) - 1:
                    raise
        if target.scheme == "http":
            return plain
        try:
            plain.settimeout(_left(deadline))
            return self._context().wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def resolve_name(host: str, port: int) -> Sequence[Address]:
    """All addresses of a name, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A scope (`%eth0`) stands only with link-local addresses.
    return list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}"]
    for name, value in headers.items():
        if _HEADER.fullmatch(value) is None:
            raise EgressRefused(f"the header {name} holds what no header may")
        lines.append(f"{name}: {value}")
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("ascii") + body


def _read_answer(connection: socket.socket, deadline: float) -> Answer:
    """The status of the answer, and when to come again; interim answers (1xx) are passed over."""
    received = b""
    while True:
        head, end, rest = received.partition(b"\r\n\r\n")
        if end:
            status = _STATUS.match(head)
            if status is None:
                raise Undelivered("what answered does not speak HTTP")
            if status[1].startswith(b"1"):
                received = rest
                continue
            again = _RETRY_AFTER.search(head + b"\r\n")
            return Answer(int(status[1]), None if again is None else int(again[1]))
        if len(received) > _MOST_HEAD_BYTES:
            raise Undelivered("the answer's head is too long")
        connection.settimeout(_left(deadline))
        piece = connection.recv(4096)
        if not piece:
            raise Undelivered("the connection was closed without an answer")
        received += piece


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left

"""An HTTP client that sends any bytes whatever and reads what comes back, answer by answer."""

import socket
from dataclasses import dataclass

Address = tuple[str, int]

# Long enough that only a hang reaches it; no test asserts how long anything took.
PATIENCE_SECS = 60.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class ConnectionCutError(Exception):
    """The server reset the connection before an answer was complete."""


class Wire:
    """One connection to the server under test."""

    def __init__(self, address: Address, *, source: str | None = None) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE_SECS)
        if source is not None:
            self._socket.bind((source, 0))
        self._socket.connect(address)
        self._buffer = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, payload: bytes) -> bool:
        """Send what the server takes; False when it had closed before the end."""
        try:
            self._socket.sendall(payload)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def answer(self, *, to_head: bool = False) -> Answer | None:
        """The next answer, or None when the server closed instead."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._read_more():
                return None
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        self._buffer = self._buffer[end + 4 :]
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        status = int(lines[0].split(" ")[1])
        if status < 200:
            return self.answer(to_head=to_head)
        body = b"" if to_head or status in (204, 304) else self._body(headers)
        return Answer(status, headers, body)

    def reads_of_one_answer(self) -> int:
        """How many pieces the next answer, a short one, comes in."""
        data, reads = b"", 0
        while b"\r\n\r\n" not in data or not data.endswith(b"}"):
            data += self._socket.recv(65536)
            reads += 1
        return reads

    def answers(self) -> list[Answer]:
        """Every answer until the server closes."""
        found: list[Answer] = []
        while (answer := self.answer()) is not None:
            found.append(answer)
        return found

    def is_closed_by_server(self) -> bool:
        """Waits for the server to end the connection; False when it sent something instead."""
        return not self._buffer and not self._read_more()

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return self._chunks()
        return self._exactly(int(headers.get("content-length", "0")))

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while (end := self._buffer.find(b"\r\n")) < 0:
                self._must_read()
            size = int(self._buffer[:end].split(b";")[0], 16)
            self._buffer = self._buffer[end + 2 :]
            body += self._exactly(size)
            self._exactly(2)
            if not size:
                return body

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._must_read()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _must_read(self) -> None:
        if not self._read_more():
            raise ConnectionCutError

    def _read_more(self) -> bool:
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            return False
        self._buffer += data
        return bool(data)


def exchange(address: Address, payload: bytes) -> list[Answer]:
    """Send a payload on a connection of its own and read all answers until the server closes it."""
    with Wire(address) as wire:
        wire.send(payload)
        return wire.answers()


def request(
    method: str = "GET",
    target: str = "/",
    *headers: str,
    host: str | None = "localhost",
    body: bytes = b"",
    close: bool = True,
) -> bytes:
    """A request as bytes: what is given is sent as it is, with a Content-Length if there is a body and no framing."""
    lines = [f"{method} {target} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    if close:
        lines.append("Connection: close")
    lines += headers
    framed = any(line.lower().startswith(("content-length:", "transfer-encoding:")) for line in headers)
    if body and not framed:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk) + b"0\r\n\r\n"

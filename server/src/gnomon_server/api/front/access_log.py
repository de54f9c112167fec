"""One JSON line for each request, and the filter that keeps API keys out of every log.

A line is written from the method, the path as it was sent (plain ASCII, without the query) and numbers; never from
headers or bodies, and what JSON does not escape never gets in. The line is the message of the logger `gnomon.access`.
"""

import logging
import re
from datetime import UTC, datetime

import msgspec

_KEY = re.compile(r"(gn[ms])_([A-Za-z0-9]{4,})_[A-Za-z0-9_]+")
_SECRET = re.compile(
    r"(?i)\b((?:proxy-)?authorization|cookie|x-api-key|password|token|secret)(['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic)\s+)?[^\s,;&'\"]+"
)
_LONGEST_PATH = 500

_log = logging.getLogger("gnomon.access")
_encode = msgspec.json.Encoder().encode


class AccessLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is said of a request. Status 499: the client left before it was answered."""

    time: str
    request_id: str
    method: str
    path: str
    status: int
    ms: float
    bytes_in: int
    bytes_out: int
    tenant: str | None = None


def is_wanted() -> bool:
    return _log.isEnabledFor(logging.INFO)


def write(
    *,
    request_id: str,
    method: str,
    raw_path: bytes,
    status: int,
    duration_ns: int,
    bytes_in: int,
    bytes_out: int,
    tenant: str | None,
) -> None:
    path = raw_path[:_LONGEST_PATH].decode("ascii", "backslashreplace")
    line = AccessLine(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        request_id=request_id,
        method=method,
        path=redact(path) if "_" in path else path,
        status=status,
        ms=round(duration_ns / 1e6, 3),
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        tenant=tenant,
    )
    # A record made by hand: finding the caller, which is always this line, would cost more than all the rest.
    _log.handle(logging.LogRecord(_log.name, logging.INFO, "", 0, _encode(line).decode(), None, None))


def redact(text: str) -> str:
    """The text without secrets: of an API key its id stays, of a credential in a header or a query its name."""
    return _SECRET.sub(r"\1\2[redacted]", _KEY.sub(r"\1_\2_[redacted]", text))


class RedactSecrets(logging.Filter):
    """Put on a handler, keeps secrets out of what it writes: messages, arguments and tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == _log.name:
            return True  # made of nothing that could hold one, once for each request
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True

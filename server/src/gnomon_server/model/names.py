"""What a name, a key, a value, a tenant and an artifact path may be: one pure function each.

Each takes the text as it came (decoded once by the HTTP layer) and returns the text to keep, or raises InvalidRequest
that names the field. Names, keys and paths are brought to NFC, so that two spellings of one name are one row; that is
the only repair made. Values come back exactly as sent. Nothing valid holds NUL (SQLite would cut the text there) or a
lone surrogate (it has no UTF-8), and lengths count characters after NFC.
"""

import re
from functools import lru_cache
from unicodedata import normalize

from gnomon_server.model.errors import invalid_field

MAX_EXPERIMENT_NAME = 255
MAX_RUN_NAME = 500
MAX_DESCRIPTION = 1_000
MAX_KEY = 250
MAX_PARAM_VALUE = 6_000
MAX_TAG_VALUE = 8_000
MAX_PATH_SEGMENTS = 64
MAX_SEGMENT_BYTES = 255

# A training loop logs the same few names for ever; 16,384 of them at 250 characters are 16 MiB at the very worst.
_CACHED_KEYS = 16_384

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_DRIVE = re.compile(r"[A-Za-z]:")
# Controls (C0, DEL, C1), line and paragraph separators, and the marks that make text show in another order than it has.
_UNNAMABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_UNPATHABLE = re.compile(r"[\\%?#]")


def experiment_name(text: str, *, field: str = "name") -> str:
    """The name of an experiment: 1 to 255 characters on one line, not only blanks."""
    return _name(text, field, MAX_EXPERIMENT_NAME)


def run_name(text: str, *, field: str = "name") -> str:
    """The name of a run: 1 to 500 characters on one line, not only blanks."""
    return _name(text, field, MAX_RUN_NAME)


def description(text: str, *, field: str = "description") -> str:
    """Free text of at most 1,000 characters, line breaks included; it may be empty."""
    return _value(text, field, MAX_DESCRIPTION)


def key(text: str, *, field: str = "key") -> str:
    """The key of a metric, a param or a tag: 1 to 250 printable characters. A key is never a path."""
    try:
        return _key(text)
    except _UnfitError as unfit:
        raise invalid_field(field, unfit.reason) from None


def param_value(text: str, *, field: str = "value") -> str:
    """The value of a param as text: at most 6,000 characters, kept exactly."""
    return _value(text, field, MAX_PARAM_VALUE)


def tag_value(text: str, *, field: str = "value", longest: int = MAX_TAG_VALUE) -> str:
    """The value of a tag: at most 8,000 characters where nothing else is said, kept exactly."""
    return _value(text, field, longest)


def tenant(text: str, *, field: str = "X-Tenant-ID") -> str:
    """The name of a tenant: 1 to 63 of a-z, 0-9, `_` and `-`, the first a letter or a digit."""
    if _TENANT.fullmatch(text) is None:
        raise invalid_field(field, "use 1 to 63 of a-z, 0-9, _ and -, and begin with a letter or a digit")
    return text


def artifact_path(text: str, *, field: str = "path") -> str:
    """Where an artifact stands in its run: a relative path of 1 to 64 segments joined by `/`.

    It is a database value and never joined to a directory, but clients write it to their disks, so everything that
    some system reads as "elsewhere" is refused, and a `%` that is left shows that it was encoded twice.
    """
    path = _nfc(text)
    if not path:
        raise invalid_field(field, "is empty; give a relative path such as models/model.pkl")
    _refuse_unnamable(path, field)
    if (odd := _UNPATHABLE.search(path)) is not None:
        raise invalid_field(field, rf"holds {odd.group()!r}; \ % ? and # cannot be part of an artifact path")
    if path.startswith("/") or _DRIVE.match(path):
        raise invalid_field(field, "is absolute; give a path relative to the run, such as models/model.pkl")
    segments = path.split("/")
    if len(segments) > MAX_PATH_SEGMENTS:
        raise invalid_field(field, f"has {len(segments)} segments; at most {MAX_PATH_SEGMENTS} are allowed")
    for segment in segments:
        _refuse_segment(segment, field)
    return path


def file_name(text: str, *, field: str = "file") -> str:
    """The last part of an artifact path: one segment."""
    name = artifact_path(text, field=field)
    if "/" in name:
        raise invalid_field(field, "is a path; name the file alone and give its directory as artifact_path")
    return name


class _UnfitError(Exception):
    """Why a text is refused, before the field is known."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@lru_cache(maxsize=_CACHED_KEYS)
def _key(text: str) -> str:
    return _one_line(text, MAX_KEY)


def _name(text: str, field: str, limit: int) -> str:
    try:
        return _one_line(text, limit)
    except _UnfitError as unfit:
        raise invalid_field(field, unfit.reason) from None


def _one_line(text: str, limit: int) -> str:
    line = _nfc(text)
    if not line or line.isspace():
        raise _UnfitError("is blank; give it a name")
    if len(line) > limit:
        raise _UnfitError(f"has {len(line)} characters; at most {limit} are allowed")
    if (odd := _UNNAMABLE.search(line)) is not None:
        raise _UnfitError(_why_unnamable(odd.group()))
    return line


def _value(text: str, field: str, limit: int) -> str:
    if len(text) > limit:
        raise invalid_field(field, f"has {len(text)} characters; at most {limit} are allowed")
    if _UNKEEPABLE.search(text) is not None:
        raise invalid_field(field, "holds NUL or half of a surrogate pair; remove it")
    return text


def _refuse_unnamable(path: str, field: str) -> None:
    if (odd := _UNNAMABLE.search(path)) is not None:
        raise invalid_field(field, _why_unnamable(odd.group()))


def _refuse_segment(segment: str, field: str) -> None:
    # Windows drops dots and blanks at the end of a name, so `.. ` would be `..` there.
    if not segment.strip(". "):
        raise invalid_field(field, "has an empty segment or one of dots alone; write the path plainly")
    if segment.startswith(":"):
        raise invalid_field(field, "has a segment that begins with ':'; rename it")
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise invalid_field(field, f"has a segment longer than {MAX_SEGMENT_BYTES} bytes; shorten it")


def _why_unnamable(odd: str) -> str:
    return f"holds U+{ord(odd):04X}, which is a control, a line break or a bidirectional mark; remove it"


def _nfc(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)

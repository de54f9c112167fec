"""What a run shows beside curves, as files: pictures, figures, tables, distributions, texts, each at a step.

Where they stand and what is in them: docs/formats/media.md. Each module turns an object of somebody's library into
bytes; the library is the caller's, so nothing is imported that the caller has not imported.
"""

import re
from typing import Literal, NamedTuple
from unicodedata import normalize

MediaKind = Literal["images", "figures", "tables", "histograms", "text"]

# What the server refuses in the path of an artifact, or a name that would lead elsewhere on some system.
_UNPATHABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\\\\%?#:]")
_MOST_SEGMENTS = 60
_SEGMENT_BYTES = 200


class Encoded(NamedTuple):
    """The bytes of an object, and the end of the name that says what they are."""

    data: bytes
    suffix: str


def media_path(kind: MediaKind, key: str, step: float, suffix: str, index: int = 0) -> str:
    """`media/<kind>/<key>/<step>.<suffix>`; the second and later of a step have `_<index>` behind it."""
    number = f"{step:.0f}" if step == int(step) else repr(step)
    return f"media/{kind}/{clean_path(key)}/{number}{f'_{index}' if index else ''}{suffix}"


def clean_path(path: str) -> str:
    """A path of an artifact that the server takes: the same one wherever it can be."""
    segments = [
        cleaned.encode()[:_SEGMENT_BYTES].decode(errors="ignore")
        for part in normalize("NFC", path).split("/")
        if (cleaned := _UNPATHABLE.sub("_", part)).strip(". ")
    ]
    return "/".join(segments[:_MOST_SEGMENTS]) or "unnamed"

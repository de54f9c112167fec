"""What the path of a request may look like: decoded once, then refused or taken, never repaired, never redirected.

The router below collapses `//` and drops a slash at the end, so whatever it would repair is refused here. Encoded
slashes and percent signs are allowed below `/artifacts/` alone, where the path of an artifact is data; what it may be
is decided by `model.names.artifact_path`.
"""

import re
from urllib.parse import unquote_to_bytes

# A path that holds none of these is plain: the fast way out for every ordinary request.
_DOUBTFUL = re.compile(rb"[%\\\x00-\x20\x7f-\xff]|//|/\.\.?(?:/|\Z)")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f\\]")
_DOTS = re.compile(rb"//|/\.\.?(?:/|\Z)")
_HIDDEN = re.compile(rb"%(?:2f|25)", re.IGNORECASE)
_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ARTIFACTS = b"/artifacts/"


def fault_of_path(raw_path: bytes) -> str | None:
    """Why a path is refused, or None. The path is as the client sent it, without the query."""
    if _DOUBTFUL.search(raw_path) is None:
        return None
    if _ESCAPE.search(raw_path):
        return "the path holds a % that begins no escape; write it as %25"
    path = unquote_to_bytes(raw_path)
    if _CONTROL.search(path):
        return "the path holds a control character or a backslash"
    if _DOTS.search(path):
        return "the path holds an empty, . or .. segment; write it plainly"
    try:
        path.decode()
    except UnicodeDecodeError:
        return "the path is not UTF-8"
    hidden = _HIDDEN.search(raw_path)
    if hidden is not None and _ARTIFACTS not in raw_path[: hidden.start() + 1]:
        return "the path holds an encoded slash or percent sign; only the path of an artifact may"
    if path.endswith(b"/") and not raw_path.endswith(b"/"):
        return "the path ends in an encoded slash"
    return None

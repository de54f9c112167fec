"""Headers under which bytes of strangers leave the server: always a download, never a page of our origin."""

from collections.abc import Mapping
from urllib.parse import quote

# The type comes from the end of the name and never from the uploader or the bytes. Nothing is here that a browser
# runs: HTML, SVG, XML, scripts, notebooks and PDF go out as octet-stream.
_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "log": "text/plain; charset=utf-8",
    "md": "text/plain; charset=utf-8",
    "yaml": "text/plain; charset=utf-8",
    "yml": "text/plain; charset=utf-8",
    "toml": "text/plain; charset=utf-8",
    "ini": "text/plain; charset=utf-8",
    "py": "text/plain; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
    "gz": "application/gzip",
}
OCTETS = "application/octet-stream"
# RFC 5987, attr-char, besides letters and digits.
_PLAIN = "!#$&+-.^_`|~"


def attachment_headers(path: str) -> dict[str, str]:
    """The headers that make any file harmless to open, for an artifact at this path; every answer has nosniff too."""
    return {
        "Content-Type": media_type(path),
        "Content-Disposition": content_disposition(path.rpartition("/")[2]),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


def media_type(path: str) -> str:
    name, dot, end = path.rpartition("/")[2].rpartition(".")
    return _TYPES.get(end.lower(), OCTETS) if dot and name else OCTETS


def content_disposition(name: str) -> str:
    """`attachment` with the name twice: for old clients in ASCII, and exactly (RFC 6266 with RFC 5987)."""
    old = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in name)
    return f"attachment; filename=\"{old}\"; filename*=UTF-8''{quote(name, safe=_PLAIN)}"

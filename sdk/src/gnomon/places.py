"""Where spools stand on this machine, and ids that need no server."""

import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from gnomon.notice import notice
from gnomon.record import Header
from gnomon.spool import SpoolWriter

DEFAULT_LIMIT_BYTES = 10 * 1024**3


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as 32 hex digits, as the server makes them."""
    rand_a, rand_b = secrets.randbits(12), secrets.randbits(62)
    return f"{(time.time_ns() // 1_000_000 << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b:032x}"


def spool_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all spools of this user."""
    if given := environ.get("GNOMON_SPOOL"):
        return Path(given).expanduser().absolute()
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "gnomon" / "spool"


def open_writer(header: Header) -> SpoolWriter:
    """A spool of its own for this process. Where the usual place cannot be written, one below the temporary folder."""
    usual = spool_root()
    elsewhere = Path(tempfile.gettempdir()) / f"gnomon-spool-{os.getuid()}"
    try:
        return _open_below(usual, header)
    except OSError as error:
        notice(f"the spool cannot be written in {usual} ({error}); {elsewhere} is used", cause="spool elsewhere")
        return _open_below(elsewhere, header)


def _open_below(root: Path, header: Header) -> SpoolWriter:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_uid != os.getuid():  # somebody else made it in a shared place, to read or spoil what is logged
        raise PermissionError(f"{root} belongs to another user; set GNOMON_SPOOL to a folder of yours")
    writer = new_id()
    fields = {name: getattr(header, name) for name in header.__struct_fields__}
    own = Header(**(fields | {"writer": writer}))
    return SpoolWriter(root / header.run / writer, own, limit_bytes=_limit_bytes())


def _limit_bytes() -> int:
    try:
        return max(0, int(os.environ.get("GNOMON_SPOOL_LIMIT", DEFAULT_LIMIT_BYTES)))
    except ValueError:
        return DEFAULT_LIMIT_BYTES

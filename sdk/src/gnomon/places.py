"""Where spools stand on this machine, and ids that need no server.

A spool belongs on a local disk: on a network file system a write may take as long as the network likes. Unless
`GNOMON_SPOOL` says where, a home on such a file system is passed over for the temporary folder, and that for memory.
"""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from gnomon.notice import notice
from gnomon.record import Header
from gnomon.settings import user_home
from gnomon.spool import SpoolWriter

MAX_LIMIT_BYTES = 10 * 1024**3
MIN_LIMIT_BYTES = 64 * 1024**2
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, which must be ours (_open_below)
# As `/proc/self/mountinfo` names them; of those in user space (`fuse.…`) nobody knows how they keep time.
_NETWORK = frozenset(
    "9p afs autofs beegfs ceph cifs coda davfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs panfs prl_fs"
    " pvfs2 smb3 smbfs vboxsf virtiofs wekafs".split()
)


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as 32 hex digits, as the server makes them."""
    rand_a, rand_b = secrets.randbits(12), secrets.randbits(62)
    return f"{(time.time_ns() // 1_000_000 << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b:032x}"


def spool_root(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all spools of this user."""
    if given := environ.get("GNOMON_SPOOL"):
        return Path(given).expanduser().absolute()
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else user_home() / ".local" / "state") / "gnomon" / "spool"


def spool_roots(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Every folder where spools of this user may stand, the usual one first."""
    return [spool_root(environ), *_elsewhere()]


def is_chosen(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a person has said where spools stand."""
    return bool(environ.get("GNOMON_SPOOL"))


def open_writer(header: Header) -> SpoolWriter:
    """A spool of its own for this process: in the usual place, else in the first other one that can be written."""
    usual = spool_root()
    network = network_type(usual)
    if network is not None and is_chosen():
        notice(
            f"GNOMON_SPOOL is on a network file system ({network}), where writing may keep a script waiting: {usual}"
        )
    elif network is not None:
        for place in _elsewhere():
            if network_type(place) is None:
                notice(f"{usual} is on a network file system ({network}), so the spool is in {place}", cause="network")
                usual = place
                break
    try:
        return _open_below(usual, header)
    except OSError as error:
        other = next(place for place in _elsewhere() if place != usual)
        notice(f"the spool cannot be written in {usual} ({error}); {other} is used", cause="spool elsewhere")
        return _open_below(other, header)


def open_in_memory(header: Header) -> SpoolWriter:
    """A spool in the memory of this machine: for a disk that keeps the script waiting. Raises `OSError`."""
    return _open_below(_below(SHARED_MEMORY), header)


def network_type(path: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system that a path lies on, or would; None when it is a local one, or not known."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        except OSError:  # no Linux
            return None
    there = path.resolve()
    best, found = -1, ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.partition(" ")[0]
        if len(fields) < 5:
            continue
        at = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if len(at) >= best and there.is_relative_to(at):
            best, found = len(at), kind
    return found if found in _NETWORK or found.startswith("fuse.") else None


def _elsewhere() -> list[Path]:
    return [_below(Path(tempfile.gettempdir())), _below(SHARED_MEMORY)]


def _below(folder: Path) -> Path:
    return folder / f"gnomon-spool-{os.getuid()}"


def _open_below(root: Path, header: Header) -> SpoolWriter:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_uid != os.getuid():  # somebody else made it in a shared place, to read or spoil what is logged
        raise PermissionError(f"{root} belongs to another user; set GNOMON_SPOOL to a folder of yours")
    writer = new_id()
    fields = {name: getattr(header, name) for name in header.__struct_fields__}
    own = Header(**(fields | {"writer": writer}))
    return SpoolWriter(root / header.run / writer, own, limit_bytes=_limit_bytes(root))


def _limit_bytes(root: Path) -> int:
    """`GNOMON_SPOOL_LIMIT`, else a tenth of what is free on the disk, within bounds."""
    try:
        return max(0, int(os.environ["GNOMON_SPOOL_LIMIT"]))
    except (KeyError, ValueError):
        return max(MIN_LIMIT_BYTES, min(MAX_LIMIT_BYTES, shutil.disk_usage(root).free // 10))

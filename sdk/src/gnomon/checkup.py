"""What `gnomon doctor` finds out from a machine that trains: the server, who asks, the clock, the spools.

Each check says one line, and what to do where something is wrong. Checks of other distributions are found through the
entry point group `gnomon.checks`: the server's looks at a home (`gnomon_server.commands.checkup`). A check changes
nothing but for the files that it makes and removes.
"""

import platform
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec
import urllib3
from msgspec import Struct

import gnomon
from gnomon.client import Client
from gnomon.errors import GnomonError
from gnomon.places import network_type, spool_roots
from gnomon.settings import Settings, config_path
from gnomon.spool import adopt, find_folders

State = Literal["ok", "warn", "fail"]

# Points carry the time of the machine that logs them; from here on charts by time look wrong.
_SKEW_SECS = 5.0
_LEAST_FREE_BYTES = 1 << 30


class Check(Struct, frozen=True, omit_defaults=True):
    """One line: what was looked at, how it is, what was found, and what to do about it."""

    name: str
    state: State
    says: str
    next: str = ""


class _Health(Struct, frozen=True):
    status: str
    version: str


def client_checks(client: Client, environ: Mapping[str, str]) -> Iterator[Check]:
    """The checks of a machine that logs, one after the other as they are done."""
    versions = f"gnomon-sdk {gnomon.__version__}, Python {platform.python_version()}, urllib3 {version('urllib3')}"
    yield Check("sdk", "ok", versions)
    yield from _config(config_path(environ))
    yield from _server(client)
    yield from _spools(environ)


def _config(path: Path) -> Iterator[Check]:
    if not path.exists():
        return
    shared = stat.S_IMODE(path.stat().st_mode) & 0o077
    if shared and b"api_key" in path.read_bytes():
        yield Check("config", "fail", f"others may read the API key in {path}", f"chmod 600 {path}; rotate the key")
    else:
        yield Check("config", "ok", str(path))


def _server(client: Client) -> Iterator[Check]:
    settings = client.settings
    pool = urllib3.PoolManager(retries=False, timeout=min(settings.timeout_secs, 10.0))
    asked = time.time()
    try:
        answer = pool.request("GET", f"{settings.url}/healthz")
        ready = pool.request("GET", f"{settings.url}/readyz")
    except urllib3.exceptions.HTTPError as error:
        yield Check(
            "server",
            "fail",
            f"{settings.url} cannot be reached ({type(error).__name__})",
            "start it with `gnomon server`, or name another with --url or GNOMON_URL",
        )
        return
    finally:
        took = time.time() - asked
        pool.clear()
    try:
        health = msgspec.json.decode(answer.data, type=_Health)
    except msgspec.MsgspecError:
        yield Check("server", "fail", f"{settings.url} is no Gnomon server", "see whether a proxy answers in its place")
        return
    yield _version(settings, health, took)
    if ready.status != 200:
        yield Check("ready", "fail", "the server takes no requests yet, or no more", "look at it again in a moment")
    yield from _clock(answer.headers.get("Date"), asked, took)
    yield from _access(client)


def _version(settings: Settings, health: _Health, took: float) -> Check:
    says = f"{settings.url} is gnomon {health.version}; two answers took {took * 1000:.0f} ms"
    if health.version.split(".")[:2] == gnomon.__version__.split(".")[:2]:
        return Check("server", "ok", says)
    return Check("server", "warn", f"{says}; the SDK is {gnomon.__version__}", "bring the older of the two up to date")


def _clock(date: str | None, asked: float, took: float) -> Iterator[Check]:
    if date is None:
        return
    skew = parsedate_to_datetime(date).timestamp() - asked
    # The header has whole seconds, and the answer came some time after the question.
    off = max(0.0, -skew - 1.0, skew - took)
    if off > _SKEW_SECS:
        way = "behind" if skew > 0 else "ahead of"
        yield Check(
            "clock",
            "warn",
            f"this machine is {off:.0f} s {way} the server",
            "set both clocks by NTP: points carry the time of the machine that logs them",
        )
    else:
        yield Check("clock", "ok", "this machine and the server have the same time, to a second or so")


def _access(client: Client) -> Iterator[Check]:
    try:
        me = client.access.me()
    except GnomonError as error:
        yield Check("access", "fail", str(error), "try `gnomon login`")
        return
    if me.mode == "open":
        yield Check("access", "ok", f"open mode, tenant {me.tenant}: whoever reaches the server may do everything")
    elif me.role == "viewer":
        yield Check("access", "ok", f"a key of role viewer, tenants {', '.join(me.tenants)}: it reads, it logs nothing")
    else:
        yield Check("access", "ok", f"a key of role {me.role}, tenants {', '.join(me.tenants) or 'none'}")


def _spools(environ: Mapping[str, str]) -> Iterator[Check]:
    left = rejected = taken = living = 0
    for folder in (found for root in spool_roots(environ) if root.exists() for found in find_folders(root)):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        rejected += sum(1 for _ in (folder / "rejected").glob("*.jsonl"))
        if (adopted := adopt(folder)) is None:
            living += 1
        else:
            adopted.release()
            left, taken = left + 1, taken + size
    if left:
        yield Check("spools", "warn", f"{left} jobs that ended left {taken:,} bytes unsent", "send them: `gnomon sync`")
    else:
        yield Check("spools", "ok", f"nothing unsent of jobs that ended; {living} log now")
    if rejected:
        yield Check("rejected", "warn", f"{rejected} batches were refused by the server", "see rejected/ in the spools")
    yield from _spool_disk(spool_roots(environ)[0])


def _spool_disk(root: Path) -> Iterator[Check]:
    if (kind := network_type(root)) is not None:
        yield Check(
            "spool disk", "warn", f"{root} is on a network file system ({kind})", "set GNOMON_SPOOL to a local disk"
        )
        return
    there = next(path for path in (root, *root.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE_BYTES:
        yield Check("spool disk", "warn", f"{free:,} bytes are free at {there}", "a full spool thins what is logged")
    else:
        yield Check("spool disk", "ok", f"{root}, {free / 1e9:.0f} GB free")

"""`gnomon.init()`: a run to log to, without asking anybody.

Invariants: it never raises and needs no network; the id of the run is made here. Settings that cannot be used, or a
disk that cannot be written, are said once, and the script goes on. Only resuming by a *name* may ask the server, and
waits a bounded time for it.
"""

import os
import socket
import time
from collections.abc import Iterable, Mapping

from gnomon import exits
from gnomon.capture import chosen_parts
from gnomon.errors import SettingsError
from gnomon.guard import complain
from gnomon.notice import notice, tell
from gnomon.places import new_id
from gnomon.record import Header
from gnomon.resume import find_run, is_run_id
from gnomon.run import Run
from gnomon.settings import Settings, load_settings
from gnomon.values import MAX_TAG, clean_key, flatten, text

DEFAULT_EXPERIMENT = "Default"
PARENT_TAG = "gnomon.parent"


def init(
    experiment: str | None = None,
    *,
    name: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    description: str = "",
    resume: str | None = None,
    id: str | None = None,
    parent: Run | str | None = None,
    rank: int | None = None,
    url: str | None = None,
    api_key: str | None = None,
    tenant: str | None = None,
    offline: bool | None = None,
    capture: bool | str | Iterable[str] | None = None,
) -> Run:
    """Begin a run, or go on with the one whose id, or name in this experiment, is given as `resume`.

    Several processes log to one run by giving the same `id` (32 hex digits). `rank` (absent: `RANK` in the
    environment) tells them apart: above 0 a process only logs, under names such as `loss{rank=3}`, and does not say
    how the run ended. `parent` puts the run below another. `offline`, or `GNOMON_OFFLINE=1`: nothing is sent until
    `gnomon sync`. `capture`, or `GNOMON_CAPTURE`, says what is noted of the surroundings: True (all), False, parts by
    name (`git`, `command`, `packages`, `host`, `console`, `system`), or all but some (`-console`).
    """
    settings = _settings(url=url, api_key=api_key, tenant=tenant)
    shown = clean_key(str(experiment or os.environ.get("GNOMON_EXPERIMENT") or DEFAULT_EXPERIMENT), 255)
    is_offline = os.environ.get("GNOMON_OFFLINE") == "1" if offline is None else offline
    found = None
    if resume is not None:
        found = find_run(str(resume), shown, None if is_offline else settings)
        if found is None and name is None and not is_run_id(str(resume)):
            name = str(resume)
    number = _rank() if rank is None else max(0, int(rank))
    named = {} if parent is None else {PARENT_TAG: parent.id if isinstance(parent, Run) else str(parent)}
    header = Header(
        run=found or _given_id(id),
        writer="",
        first_record=0,
        pid=os.getpid(),
        host=socket.gethostname(),
        start_ms=time.time_ns() // 1_000_000,
        experiment=shown,
        name=None if name is None else clean_key(str(name), 500),
        description=text(description, 1000),
        tags=_tags(tags or {}) | named,
        rank=number,
        is_primary=number == 0,
        is_offline=is_offline,
        url="" if settings is None else settings.url,
        tenant=None if settings is None else settings.tenant,
    )
    run = _begun(header, settings, params, is_resumed=found is not None and header.is_primary)
    try:
        _capture(run, capture)
    except Exception as error:
        complain("the surroundings of the run are not captured", error)
    if run.url is not None and header.is_primary:
        if is_offline:
            tell(f"{run.name or run.id} stays here until: gnomon sync" + (f" {run.spool.parent}" if run.spool else ""))
        else:
            tell(f"{run.name or run.id} is at {run.url}")
    return run


def begin_child(
    parent: Run,
    *,
    name: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
) -> Run:
    """A run below another, in its experiment and sent where it is sent."""
    fields = {each: getattr(parent.header, each) for each in parent.header.__struct_fields__}
    new = {
        "run": new_id(),
        "writer": "",
        "start_ms": time.time_ns() // 1_000_000,
        "name": None if name is None else clean_key(str(name), 500),
        "description": "",
        "tags": _tags(tags or {}) | {PARENT_TAG: parent.id},
    }
    return _begun(Header(**(fields | new)), parent.settings, params, is_resumed=False)


def active_run() -> Run | None:
    """The run that this process began last and has not finished."""
    for run in reversed(exits.watched()):
        if isinstance(run, Run) and not run.is_finished:
            return run
    return None


def _begun(header: Header, settings: Settings | None, params: Mapping[str, object] | None, *, is_resumed: bool) -> Run:
    run = Run(header, settings=settings, is_resumed=is_resumed)
    exits.watch(run)
    if params:
        run.params(params)
    return run


def _capture(run: Run, given: bool | str | Iterable[str] | None) -> None:
    parts = chosen_parts(given)
    if not run.header.is_primary:
        # The other processes of a machine would say the same; one of each machine samples it.
        parts = parts & {"system"} if os.environ.get("LOCAL_RANK") == "0" else frozenset()
    if not parts:
        return
    from gnomon.capture.surroundings import Surroundings  # who captures nothing does not pay for it

    surroundings = Surroundings(run, parts)
    run.attach(surroundings)
    surroundings.start()


def _settings(*, url: str | None, api_key: str | None, tenant: str | None) -> Settings | None:
    try:
        return load_settings(url=url, api_key=api_key, tenant=tenant)
    except SettingsError as error:
        complain("nothing is sent until the settings are right, what is logged is kept", error)
        return None


def _tags(given: Mapping[str, object]) -> dict[str, str]:
    try:
        return {clean_key(key): text(value, MAX_TAG) for key, value in flatten(given)}
    except Exception as error:  # no mapping, or one of the script's that fails
        complain("the tags of the run could not be read", error)
        return {}


def _rank() -> int:
    found = os.environ.get("RANK", "0")
    return int(found) if found.isdecimal() else 0


def _given_id(given: str | None) -> str:
    if given is None:
        return new_id()
    if not is_run_id(given):
        notice(f"{given!r} is no run id (32 hex digits), so a new run is begun")
        return new_id()
    return given

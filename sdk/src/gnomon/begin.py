"""`gnomon.init()`: a run to log to, without asking anybody.

Invariants: it never raises and needs no network; the id of the run is made here. Settings that cannot be used, or a
disk that cannot be written, are said once, and the script goes on.
"""

import os
import re
import socket
import time
from collections.abc import Mapping

from gnomon import exits
from gnomon.errors import SettingsError
from gnomon.notice import notice
from gnomon.places import new_id
from gnomon.record import Header
from gnomon.run import Run, complain
from gnomon.settings import Settings, load_settings
from gnomon.values import MAX_TAG, clean_key, flatten, text

DEFAULT_EXPERIMENT = "Default"
_UID = re.compile(r"[0-9a-f]{32}")


def init(
    experiment: str | None = None,
    *,
    name: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    description: str = "",
    resume: str | None = None,
    id: str | None = None,
    url: str | None = None,
    api_key: str | None = None,
    tenant: str | None = None,
    offline: bool | None = None,
) -> Run:
    """Begin a run, or go on with the one whose id is given as `resume`.

    Several processes log to one run by giving the same `id` (32 hex digits); with `RANK` above 0 in the environment
    a process only logs and does not say how the run ended. `offline`, or `GNOMON_OFFLINE=1`: nothing is sent until
    `gnomon sync`.
    """
    settings = _settings(url=url, api_key=api_key, tenant=tenant)
    header = Header(
        run=_run_id(resume or id),
        writer="",
        first_record=0,
        pid=os.getpid(),
        host=socket.gethostname(),
        start_ms=time.time_ns() // 1_000_000,
        experiment=clean_key(str(experiment or os.environ.get("GNOMON_EXPERIMENT") or DEFAULT_EXPERIMENT), 255),
        name=None if name is None else clean_key(str(name), 500),
        description=text(description, 1000),
        tags=_tags(tags or {}),
        is_primary=os.environ.get("RANK", "0") == "0",
        is_offline=os.environ.get("GNOMON_OFFLINE") == "1" if offline is None else offline,
        url="" if settings is None else settings.url,
        tenant=None if settings is None else settings.tenant,
    )
    run = Run(header, settings=settings, is_resumed=resume is not None and header.is_primary)
    exits.watch(run)
    if params:
        run.params(params)
    return run


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


def _run_id(given: str | None) -> str:
    if given is None:
        return new_id()
    if _UID.fullmatch(given) is None:
        notice(f"{given!r} is no run id (32 hex digits), so a new run is begun")
        return new_id()
    return given

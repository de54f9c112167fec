"""Which run is meant by the id or the name that a restarted script gives.

Invariant: a name is looked for on this machine first, among what is not sent yet; only then the server is asked, once
and for a bounded time. When neither knows it, a new run is begun under that name, and this is said.
"""

import re
from pathlib import Path

from gnomon import exits
from gnomon.notice import notice
from gnomon.places import spool_roots
from gnomon.record import Header, SpoolDamaged
from gnomon.settings import Settings
from gnomon.spool import find_folders, read_header, segment_path, segments

_ID = re.compile(r"[0-9a-f]{32}")


def is_run_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def find_run(given: str, experiment: str, settings: Settings | None) -> str | None:
    """The id of the newest run of this id, or of this name in the experiment; None when nobody knows one."""
    if is_run_id(given):
        return given
    local = _of_spools(given, experiment, settings)
    known = local if local is not None or settings is None else _of_server(given, experiment, settings)
    if known is None:
        notice(f"no run named {given!r} was found in {experiment!r}, so one is begun")
    return known


def _of_spools(name: str, experiment: str, settings: Settings | None) -> str | None:
    found = [
        header
        for root in spool_roots()
        if root.exists()
        for folder in find_folders(root)
        for header in _headers(folder)
        if (header.name, header.experiment) == (name, experiment)
        and (settings is None or (header.url, header.tenant) == (settings.url, settings.tenant))
    ]
    return max(found, key=lambda header: header.start_ms).run if found else None


def _headers(folder: Path) -> list[Header]:
    for number in segments(folder):
        try:
            return [read_header(segment_path(folder, number))[0]]
        except (SpoolDamaged, OSError):
            continue
    return []


def _of_server(name: str, experiment: str, settings: Settings) -> str | None:
    from dataclasses import replace

    from gnomon.client import Client
    from gnomon.client.transport import Transport
    from gnomon.errors import GnomonError

    asking = replace(settings, timeout_secs=min(settings.timeout_secs, max(0.1, exits.timeout_secs())))
    try:
        with Client(transport=Transport(asking, max_attempts=1)) as client:
            parent = client.experiments.find(experiment)
            if parent is None:
                return None
            runs = client.runs.iterate([parent.id], search=name, order_by="start_time desc")
            return next((run.id for run in runs if run.name == name), None)
    except GnomonError as error:
        notice(f"the server could not be asked for the run {name!r}: {error}")
        return None

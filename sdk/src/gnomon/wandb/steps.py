"""Where a resumed run goes on: at the step after the last one that the server has, as with wandb.

Invariant: the server is asked for `GNOMON_EXIT_TIMEOUT` seconds at most; without its answer steps begin at 0, and that
is said.
"""

from dataclasses import replace

from gnomon import exits
from gnomon.client import Client
from gnomon.client.transport import Transport
from gnomon.errors import GnomonError, NotFound
from gnomon.notice import notice
from gnomon.settings import Settings

# Their steps are seconds, or not the script's own.
_OTHERS = ("system/", "event/")
# Metrics are mostly logged together: of a run that has very many, some tell.
_MOST = 200


def next_step(settings: Settings, run_id: str) -> int:
    """The step after the last one that was logged to the run; 0 for a run that has none, or is not there."""
    timeout_secs = max(0.1, min(settings.timeout_secs, exits.timeout_secs()))
    try:
        with Client(transport=Transport(replace(settings, timeout_secs=timeout_secs), max_attempts=1)) as client:
            return _after_last(client, run_id)
    except NotFound:
        return 0
    except GnomonError as error:
        notice(f"the last step of run {run_id} is not known, so steps begin at 0 ({error}); give step to run.log")
        return 0


def _after_last(client: Client, run_id: str) -> int:
    keys = [key for key in client.runs.get(run_id).metrics if not key.startswith(_OTHERS)][:_MOST]
    if not keys:
        return 0
    of_length: dict[int, list[str]] = {}
    for series in client.metrics.history(run_id, keys, limit=1).series:
        of_length.setdefault(series.total, []).append(series.key)
    last = -1.0
    for total, names in of_length.items():
        for series in client.metrics.history(run_id, names, limit=1, offset=total - 1).series:
            last = max([last, *series.step])
    return int(last) + 1

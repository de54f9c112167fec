"""What a sender asks of the server, and how it takes a refusal.

The uploader repeats what it sends, so nothing is tried twice here unless asked for: waiting is decided in one place.
"""

from pathlib import Path
from typing import Literal, Protocol

import msgspec

from gnomon.client import Client
from gnomon.client.transport import Transport, path_of
from gnomon.errors import ApiError, GnomonError, InvalidRequest
from gnomon.record import EndStatus
from gnomon.settings import Settings
from gnomon.wire import CheckedIn, SequencedBatch, SequencedBatchLogged

Verdict = Literal["again", "hold", "gap", "refused"]

_REFUSING = frozenset((400, 413, 422))
# These say something of the run or the caller, nothing of the entries.
_HOLDING = frozenset(("run_archived", "experiment_archived", "not_gnomon"))


class Remote(Protocol):
    """A server, as a sender sees it. Every method raises `ApiError` or `ConnectionFailed`."""

    def batch(self, run: str, batch: SequencedBatch) -> None: ...
    def artifact(self, run: str, source: Path | bytes, *, name: str, directory: str | None) -> None: ...
    def end(self, run: str, status: EndStatus, time_ms: int) -> None: ...
    def reopen(self, run: str) -> None: ...
    def check_in(self, run: str) -> float:
        """Say that the job of a run lives; in how many seconds to say it again. 0: the server wants to hear nothing."""
        ...

    def is_running(self, run: str) -> bool: ...
    def points_of(self, run: str, writer: str) -> int:
        """How many points the server has taken from this writer."""
        ...


class HttpRemote:
    """A Gnomon server over HTTP."""

    def __init__(self, settings: Settings, *, max_attempts: int = 1) -> None:
        self._transport = Transport(settings, max_attempts=max_attempts, max_connections=2)
        self._client = Client(transport=self._transport)

    def batch(self, run: str, batch: SequencedBatch) -> None:
        body = msgspec.msgpack.encode(batch)
        self._transport.upload(
            path_of("experiments", "runs", run, "batches"),
            SequencedBatchLogged,
            query=(),
            body=lambda: [body],
            length=len(body),
            content_type="application/msgpack",
        )

    def artifact(self, run: str, source: Path | bytes, *, name: str, directory: str | None) -> None:
        self._client.artifacts.log(run, source, artifact_path=directory, name=name)

    def end(self, run: str, status: EndStatus, time_ms: int) -> None:
        try:
            self._client.runs.end(run, status, end_time=time_ms)
        except InvalidRequest as error:
            if not any(each.field == "end_time" for each in error.errors):
                raise
            # Another process began the run, and by its clock that was later than this end.
            self._client.runs.end(run, status, end_time=self._client.runs.get(run).start_time)

    def reopen(self, run: str) -> None:
        self._client.runs.update(run, status="running")

    def check_in(self, run: str) -> float:
        path = path_of("experiments", "runs", run, "check-in")
        try:
            return self._transport.call("POST", path, CheckedIn).next_secs
        except ApiError as error:
            if error.status in (404, 405) and error.code != "run_not_found":  # a server of an earlier version
                return 0.0
            raise

    def is_running(self, run: str) -> bool:
        return self._client.runs.get(run).status == "running"

    def points_of(self, run: str, writer: str) -> int:
        return sum(each.points for each in self._client.runs.ledger(run).writers if each.writer == writer)

    def close(self) -> None:
        self._client.close()


def judge(error: GnomonError) -> Verdict:
    """What an error means for what was sent.

    `again`: later, as it is. `hold`: later, but a person has to do something first. `gap`: the server lacks what came
    before. `refused`: some entry of it will never be taken.
    """
    if not isinstance(error, ApiError):
        return "again"
    if error.code == "sequence_gap":
        return "gap"
    if error.status in _REFUSING and error.code not in _HOLDING:
        return "refused"
    if error.status >= 500 or error.status in (408, 409, 429):
        return "again"
    return "hold"

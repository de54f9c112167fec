"""A server as a model: the ledger's rule in ten lines, with faults that a seed decides."""

import random
from collections import Counter
from pathlib import Path

import numpy as np

from gnomon.errors import ApiError, ConnectionFailed, InvalidRequest, ServerBusy
from gnomon.record import EndStatus
from gnomon.wire import SequencedBatch

Point = tuple[str, float, int, float]


class Killed(BaseException):
    """The process died here."""


class LedgerModel:
    """Keeps what a server keeps. `faults`: the odds that a request is lost, refused for now, or its answer is lost."""

    def __init__(self, rng: random.Random | None = None, *, faults: float = 0.0) -> None:
        self.points: Counter[Point] = Counter()
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.last_seq: dict[str, int] = {}
        self.status: dict[str, EndStatus | None] = {}
        self.artifacts: dict[str, bytes] = {}
        self.poison: set[str] = set()
        self.most_keys = 10_000
        self.refusal: ApiError | None = None
        self.requests = 0
        self.check_ins: list[str] = []
        self.check_in_secs = 60.0
        self._rng = rng or random.Random(0)
        self._faults = faults

    def batch(self, run: str, batch: SequencedBatch) -> None:
        self._arrive()
        if self.refusal is not None:
            raise self.refusal
        if batch.create is None and run not in self.status:
            raise ApiError("no run", status=404, code="run_not_found")
        rows = _rows(batch)
        names = {row[0] for row in rows} | set(batch.params)
        if names & self.poison or any(self.params.get(key, text) != text for key, text in batch.params.items()):
            raise InvalidRequest("one of them is poison", status=400, code="param_conflict")
        known = {point[0] for point in self.points}
        if len(known | {row[0] for row in rows}) > self.most_keys:
            raise InvalidRequest("too many", status=400, code="too_many_keys")
        last = self.last_seq.get(batch.writer, -1)
        if batch.seq > last + 1:
            raise ApiError("gap", status=409, code="sequence_gap", expected_seq=last + 1)
        if batch.seq == last + 1:
            self.last_seq[batch.writer] = batch.seq
            self.points.update(rows)
            self.params.update(batch.params)
            self.tags.update(batch.tags)
            self.status.setdefault(run, None)
        self._answer()

    def artifact(self, run: str, source: Path | bytes, *, name: str, directory: str | None) -> None:
        self._arrive()
        self.artifacts[f"{directory}/{name}"] = source if isinstance(source, bytes) else source.read_bytes()
        self._answer()

    def end(self, run: str, status: EndStatus, time_ms: int) -> None:
        self._arrive()
        self.status[run] = status
        self._answer()

    def reopen(self, run: str) -> None:
        self._arrive()
        self.status[run] = None
        self._answer()

    def check_in(self, run: str) -> float:
        self._arrive()
        self.check_ins.append(run)
        self._answer()
        return self.check_in_secs

    def is_running(self, run: str) -> bool:
        return self.status[run] is None

    def points_of(self, run: str, writer: str) -> int:
        return sum(self.points.values())

    def _arrive(self) -> None:
        self.requests += 1
        if self._rng.random() < self._faults:
            raise self._rng.choice(
                [
                    ConnectionFailed("the request was lost"),
                    ServerBusy("full", status=503, code="unavailable", retry_after_secs=1),
                    ApiError("a proxy's page", status=502, code="not_gnomon"),
                    Killed(),
                ]
            )

    def _answer(self) -> None:
        if self._rng.random() < self._faults:
            raise self._rng.choice([ConnectionFailed("the answer was lost"), Killed()])


def _rows(batch: SequencedBatch) -> list[Point]:
    columns = batch.points
    if columns is None:
        return []
    assert isinstance(columns.key, bytes)
    assert isinstance(columns.step, bytes)
    assert isinstance(columns.timestamp, bytes)
    assert isinstance(columns.value, bytes)
    key = np.frombuffer(columns.key, "<u4").tolist()
    step = np.frombuffer(columns.step, "<f8").tolist()
    time = np.frombuffer(columns.timestamp, "<i8").tolist()
    value = np.frombuffer(columns.value, "<f8").tolist()
    return [(columns.keys[k], s, t, v) for k, s, t, v in zip(key, step, time, value, strict=True)]

"""`gnomon.init()` and the `Run` it gives: what a training script writes.

    with gnomon.init(experiment="fraud", params={"lr": 0.1}) as run:
        run.log({"loss": 0.3})

Invariants:
- No call raises into the script (`GNOMON_STRICT=1` makes them raise, for tests) and none waits for the network;
  `finish` and the end of the process wait a bounded time.
- When `log` has returned, what it logged is in the spool and survives `kill -9` of the process.
- Whatever the script does with the clock, times of a run go forward: the clock's at its start, then the monotonic one.
- A forked child that logs gets a spool and a sender of its own.
"""

import threading
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType, TracebackType
from typing import Protocol, Self
from urllib.parse import quote

from gnomon import exits
from gnomon.copies import keep_copy
from gnomon.files import FileLog
from gnomon.guard import complain, guarded
from gnomon.notice import notice
from gnomon.outbox import Outbox
from gnomon.record import Artifact, End, EndStatus, Header, Params, Points, Reopen, Tags, encode
from gnomon.settings import Settings
from gnomon.values import MAX_PARAM, MAX_TAG, clean_key, flatten, number, ranked_key, text

_MAX_STEP = 2.0**53
# What is larger is kept as a file beside the spool, so that a segment stays quick to read.
_INLINE_BYTES = 1024 * 1024
# A script that makes new names for ever is not remembered for ever; each is then cleaned again.
_MOST_NAMES = 100_000
_MOST_TEXTS = 1_000


class Companion(Protocol):
    """What goes along with a run and ends with it: the capture of its surroundings."""

    def stop(self, timeout_secs: float) -> None: ...
    def move(self, folder: Path) -> None: ...
    def forget_parent(self) -> None: ...


class Run(FileLog):
    """A run that this process logs to. Made by `gnomon.init()`; may be used from threads and forked children."""

    def __init__(self, header: Header, *, settings: Settings | None, is_resumed: bool = False) -> None:
        self._settings = settings
        self._start_ms = header.start_ms
        self._outbox = Outbox(header, settings, self._now_ms)
        self._append = self._outbox.append
        self._lock = threading.RLock()
        self._stored: dict[object, str] = {}  # the name of a metric as it was given -> as it is kept
        self._params: dict[str, str] = {}
        self._texts: dict[str, str] = {}  # what was logged as a metric and is a text
        self._next_step = 0.0
        self._last_step = 0.0
        self._start_ns = time.monotonic_ns()
        self._companion: Companion | None = None
        try:
            self._outbox.opened()
            if is_resumed:
                self._append(encode(Reopen(self._now_ms())), keeps=True)
        except Exception as error:
            complain("nothing can be kept of this run for now", error)

    @property
    def id(self) -> str:
        return self.header.run

    @property
    def experiment(self) -> str:
        return self.header.experiment

    @property
    def name(self) -> str | None:
        """The name that was given; without one the server makes a readable one."""
        return self.header.name

    @property
    def header(self) -> Header:
        """What was said of the run when it began."""
        return self._outbox.header

    @property
    def settings(self) -> Settings | None:
        """Where it is sent; None when the settings could not be used."""
        return self._settings

    @property
    def url(self) -> str | None:
        """The run's page; None when the settings could not be used."""
        if self._settings is None:
            return None
        tenant = "" if self._settings.tenant is None else f"?tenant={quote(self._settings.tenant)}"
        return f"{self._settings.url}/r/{self.id}{tenant}"

    @property
    def is_finished(self) -> bool:
        return self._outbox.is_closed

    @property
    def config(self) -> Mapping[str, str]:
        """The params that this process has set, as they are kept."""
        return MappingProxyType(self._params)

    @property
    def spool(self) -> Path | None:
        """Where this process keeps what is not confirmed yet."""
        return None if self._outbox.spool is None else self._outbox.spool.folder

    @guarded(None)
    def log(self, values: Mapping[str, object], step: float | None = None) -> None:
        """One point of each metric, all at one step and now. Without `step` it is one more than the last.

        Nested mappings are joined with `/`; arrays and tensors of one element are numbers; NaN and infinities are kept.
        """
        stored = self._stored
        numbers: dict[str, float] = {}
        for key, value in values.items():
            if type(value) is float and (name := stored.get(key)) is not None:
                numbers[name] = value
            else:
                self._take(numbers, key, value)
        if not numbers:
            return
        with self._lock:
            at = self._next_step if step is None else self._step(step)
            self._last_step = at
            self._next_step = at + 1
        numbers = self._outbox.thin(numbers)
        if not numbers:
            return
        self._append(encode(Points(self._now_ms(), at, numbers)), points=len(numbers))

    @guarded(None)
    def params(self, values: Mapping[str, object] | None = None, /, **more: object) -> None:
        """What the run was started with. A param is written once; another value for it is refused, and said."""
        new: dict[str, str] = {}
        for key, value in flatten(dict(values or {}) | more):
            name, shown = clean_key(key), text(value, MAX_PARAM)
            known = self._params.setdefault(name, shown)
            if known != shown:
                notice(f"param {name!r} is {known!r} already and stays so; params are written once")
            else:
                new[name] = shown
        if new:
            self._append(encode(Params(self._now_ms(), new)), keeps=True)

    @guarded(None)
    def tag(self, values: Mapping[str, object] | None = None, /, **more: object) -> None:
        """Say something about the run; the last value of a tag counts."""
        tags = {clean_key(key): text(value, MAX_TAG) for key, value in flatten(dict(values or {}) | more)}
        if tags:
            self._append(encode(Tags(self._now_ms(), tags)), keeps=True)

    @guarded(None)
    def event(self, name: str, *, step: float | None = None) -> None:
        """Mark a moment of the run, such as `lr drop`: charts show it. It is a point of the metric `event/<name>`."""
        key = self._stored_key(clean_key(f"event/{name}"))
        self._append(encode(Points(self._now_ms(), self._media_step(step), {key: 1.0})), points=1)

    def child(
        self,
        name: str | None = None,
        *,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, object] | None = None,
    ) -> "Run":
        """A run of its own below this one, in the same experiment: a fold, a trial, a stage."""
        from gnomon.begin import begin_child

        return begin_child(self, name=name, params=params, tags=tags)

    @guarded(None)
    def sample(self, values: Mapping[str, float]) -> None:
        """One point of each metric at the step that is seconds since this process began the run."""
        step = round((time.monotonic_ns() - self._start_ns) / 1e9, 1)
        numbers = {self._stored_key(key): float(value) for key, value in values.items()}
        if numbers and not self.is_finished:
            self._append(encode(Points(self._now_ms(), step, numbers)), points=len(numbers))

    def attach(self, companion: Companion) -> None:
        """Stop this when the run ends."""
        self._companion = companion
        self._outbox.on_moved = companion.move

    @guarded(False)
    def flush(self, timeout_secs: float | None = None) -> bool:
        """Wait until the server has confirmed what was logged; whether it did in time."""
        return self._outbox.flush(exits.timeout_secs() if timeout_secs is None else timeout_secs)

    @guarded(None)
    def finish(self, status: EndStatus = "finished") -> None:
        """End the run, and wait at most `GNOMON_EXIT_TIMEOUT` seconds until it is sent."""
        self._end(_end_status(status), exits.timeout_secs())

    @guarded(None)
    def end_with_process(self, status: EndStatus, timeout_secs: float) -> None:
        """The process ends: what `finish` does, or wait once more for what an earlier `finish` left."""
        self._end(status, timeout_secs)

    def forget_parent(self) -> None:
        """In a forked child: no writer, no thread, no lock of the parent's is of any use here."""
        self._lock = threading.RLock()
        self._outbox.forget_parent()
        if self._companion is not None:
            self._companion.forget_parent()
            self._companion = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(exits.status_after(kind, error))

    def __repr__(self) -> str:
        return f"Run({self.id!r}, experiment={self.experiment!r})"

    def _take(self, numbers: dict[str, float], key: object, value: object) -> None:
        stored = self._stored.get(key)
        if stored is not None and (plain := number(value)) is not None:
            numbers[stored] = plain
            return
        for name, each in flatten({key: value}):
            cleaned = clean_key(name)
            stored = self._stored_key(cleaned)
            if len(self._stored) < _MOST_NAMES:
                self._stored[cleaned] = stored
            found = number(each)
            if found is None:
                self._keep_text(cleaned, each)
            else:
                numbers[stored] = found

    def _keep_text(self, key: str, value: object) -> None:
        """What is no number has no curve: of a text the last one is kept as a tag, the rest is left out."""
        kept = "its last value is kept as a tag" if isinstance(value, str) else "it is left out"
        notice(f"{key!r} is no number but {type(value).__name__}; {kept}", cause=f"no number {key}")
        is_known = key in self._texts or len(self._texts) < _MOST_TEXTS
        if isinstance(value, str) and is_known and self._texts.get(key) != value:
            self._texts[key] = value
            self.tag({key: value[:MAX_PARAM]})

    def _stored_key(self, cleaned: str) -> str:
        """Beside the metric of the first rank stand those of the others, by names that say so."""
        return ranked_key(cleaned, self.header.rank) if self.header.rank else cleaned

    def _media_step(self, step: float | None) -> float:
        return self._last_step if step is None else self._step(step)

    def _keep_file(self, source: Path, directory: str | None, name: str) -> None:
        spool = self._outbox.opened()
        if spool is not None:
            stored, size = keep_copy(source, spool.folder)
            self._append(encode(Artifact(self._now_ms(), stored, name, directory, size)), keeps=True)

    def _keep_data(self, data: bytes, place: str) -> None:
        spool = self._outbox.opened()
        if spool is None:
            return
        path = PurePosixPath(place)
        directory = None if path.parent == PurePosixPath() else str(path.parent)
        if len(data) <= _INLINE_BYTES:
            record = Artifact(self._now_ms(), "", path.name, directory, len(data), data)
        else:
            stored, size = keep_copy(data, spool.folder)
            record = Artifact(self._now_ms(), stored, path.name, directory, size)
        self._append(encode(record), keeps=True)

    def _step(self, given: object) -> float:
        found = number(given)
        if found is None or not -_MAX_STEP <= found <= _MAX_STEP:
            notice(f"{given!r} is no step; the next one of the run is used", cause="no step")
            return self._next_step
        return found

    def _end(self, status: EndStatus, timeout_secs: float) -> None:
        started = time.monotonic()
        companion, self._companion = self._companion, None
        if companion is not None:
            companion.stop(timeout_secs)
        self._outbox.stop(lambda: self._say_end(status))
        if self._outbox.close(max(0.0, timeout_secs - (time.monotonic() - started))):
            exits.unwatch(self)
        elif self.spool is not None:
            notice(f"run {self.id} is not wholly sent; send the rest with: gnomon sync {self.spool.parent}")

    def _say_end(self, status: EndStatus) -> None:
        if self._outbox.dropped:
            self.tag({"gnomon.points_dropped": self._outbox.dropped})
        if self.header.is_primary:
            self._append(encode(End(self._now_ms(), status)), keeps=True)

    def _now_ms(self) -> int:
        return self._start_ms + (time.monotonic_ns() - self._start_ns) // 1_000_000


def _end_status(given: EndStatus) -> EndStatus:
    known: dict[object, EndStatus] = {"finished": "finished", "failed": "failed", "killed": "killed"}
    if given not in known:
        notice(f"a run ends as finished, failed or killed; {given!r} is kept as failed", cause="no status")
    return known.get(given, "failed")

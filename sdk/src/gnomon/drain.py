"""Sending one writer's spool, from its front to its end: by the uploader while the job lives, by `gnomon sync` after.

Invariants:
- Exactly once: a batch's number and end are on the disk before it leaves (`cursor.until`), so whoever repeats it
  repeats the same entries; the server's ledger drops the repeat.
- Nothing is removed before the server has confirmed it, and what the server will never take is written to `rejected/`
  with the reason before it is passed over. One entry that is refused never keeps the others.
- One sender at a time: the caller holds the folder's lock, as its writer or by `spool.adopt`.
"""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from gnomon.capture.console import console_end, read_console, remove_console
from gnomon.cursor import Cursor, load_cursor, remove_cursor, save_cursor
from gnomon.cut import MAX_ENTRIES, Cut, Unreadable, cut
from gnomon.errors import ApiError, ConnectionFailed, GnomonError, IntegrityError
from gnomon.record import Action, Artifact, End, Header, SpoolDamaged
from gnomon.remote import Remote, judge
from gnomon.spool import has_moved, read_frames, read_header, remove_lock, segment_path, segments
from gnomon.wire import RunBegin, SequencedBatch

ARTIFACTS = "artifacts"
REJECTED = "rejected"
TOO_MANY = "too_many_keys"

# Of the run of a dead writer: nobody logs to it, it goes on in another process, or another one still logs to it.
Fate = Literal["ended", "goes on", "unknown"]


class Held(GnomonError):
    """The server takes nothing of this run until a person has done something; all of it is kept."""


class Rejection(Struct, frozen=True):
    """One entry that the server will never take."""

    reason: str
    code: str
    entry: dict[str, object]


class Drain:
    """One writer's folder on its way to the server."""

    def __init__(
        self,
        folder: Path,
        remote_of: Callable[[Header], Remote],
        *,
        on_freed: Callable[[int], None] = lambda _size: None,
        on_rejected: Callable[[Rejection], None] = lambda _rejection: None,
    ) -> None:
        self.folder = folder
        self.header = _any_header(folder)
        self.cursor: Cursor = load_cursor(folder)
        self._remote = remote_of(self.header)
        self._on_freed = on_freed
        self._on_rejected = on_rejected
        self._limit = MAX_ENTRIES
        # Metrics past the bound of the run: found one by one the first time, then not asked about again.
        self._refused: set[str] = set()

    def step(self) -> bool:
        """Have the server confirm one batch or action. False: there is nothing (more) to send.

        Raises `Held`, or what the server or the connection said, when it is to be tried again later.
        """
        if self.cursor.seq == 0:
            self._begin()
        until = self.cursor.until
        found = cut(self.folder, self.cursor.at, until=until, limit=self._limit, without=self._refused)
        if found is None and until is not None:
            # What was in flight is no longer here (the machine lost power); the server may have it.
            self.cursor.until = None
            self.cursor.seq += 1
            save_cursor(self.folder, self.cursor)
            return True
        if found is None:
            return False
        if found.action is not None:
            self._act(found, found.action)
        elif not found.is_empty:
            self._send(found)
        else:
            self._leave_out(found)
            self._move(found)
        return True

    def send_console(self) -> None:
        """Send the console output, if there is more of it than was sent before; it replaces what was sent."""
        end = console_end(self.folder)
        if end <= self.cursor.console:
            return
        if self.cursor.seq == 0:
            self._begin()
        name = f"console.rank{self.header.rank}.log" if self.header.rank else "console.log"
        try:
            self._remote.artifact(self.header.run, read_console(self.folder), name=name, directory=None)
        except IntegrityError as error:
            raise ConnectionFailed(str(error)) from error
        except ApiError as error:
            if judge(error) == "hold":
                raise _held(error) from error
            if judge(error) != "refused":
                raise
            self._reject([Rejection(error.detail, error.code, {"kind": "artifact", "name": name, "directory": None})])
        self.cursor.console = end
        save_cursor(self.folder, self.cursor)

    def close_dead(self, fate: Fate) -> bool:
        """All is sent and the writer is dead: end its run, if it could not do so itself, and remove the folder.

        False: whether the run has ended cannot be said yet, and the folder stays for whoever comes later.
        """
        is_open = self.header.is_primary and self.cursor.status is None and not has_moved(self.folder)
        if is_open and fate == "unknown":
            return False
        if is_open and fate == "ended" and self._remote.is_running(self.header.run):
            self._remote.end(self.header.run, "killed", max(self.cursor.last_ms, self.header.start_ms))
            self.cursor.status = "killed"
        self.remove()
        return True

    def remove(self) -> None:
        """Remove what is sent; what could not be read or was refused stays."""
        remove_console(self.folder)
        for number in segments(self.folder):
            self._retire(number, {self.cursor.at.segment: self.cursor.at.offset})
        remove_cursor(self.folder)
        remove_lock(self.folder)

    def _begin(self) -> None:
        """Batch 0 only begins the run, so that a refusal of an entry is never one of the run."""
        header = self.header
        begin = RunBegin(
            experiment=header.experiment,
            name=header.name,
            description=header.description,
            tags=header.tags,
            start_time=header.start_ms,
        )
        batch = SequencedBatch(writer=header.writer, seq=0, create=begin)
        try:
            self._remote.batch(header.run, batch)
        except ApiError as error:
            if judge(error) in ("hold", "refused"):
                raise _held(error) from error
            raise
        self.cursor.seq = 1
        save_cursor(self.folder, self.cursor)

    def _send(self, found: Cut) -> None:
        cursor = self.cursor
        if cursor.until is None:
            cursor.until = found.end
            save_cursor(self.folder, cursor)
        batch = SequencedBatch(
            writer=self.header.writer,
            seq=cursor.seq,
            points=found.columns(),
            params=found.params,
            tags=found.tags,
            thinned=found.thinned,
        )
        try:
            self._remote.batch(self.header.run, batch)
        except ApiError as error:
            self._on_refusal(found, error)
            return
        cursor.seq += 1
        cursor.points += found.points
        self._limit = min(MAX_ENTRIES, self._limit * 2)
        self._leave_out(found)
        self._move(found)

    def _on_refusal(self, found: Cut, error: ApiError) -> None:
        verdict = judge(error)
        if verdict == "gap" and error.expected_seq is not None and error.expected_seq < self.cursor.seq:
            # The server was set back (a restored backup, say); what it has not counted is sent under its numbers.
            self.cursor.seq = error.expected_seq
            if self.cursor.seq == 0:
                self._begin()
            save_cursor(self.folder, self.cursor)
            return
        if verdict == "hold":
            raise _held(error) from error
        if verdict != "refused":
            raise error
        # Nothing of a refused batch was kept, so its number is free for the half of it.
        self._limit = max(1, found.entries // 2)
        if found.entries > 1:
            self.cursor.until = None
            save_cursor(self.folder, self.cursor)
            return
        entries = found.described()
        if error.code == TOO_MANY:
            self._refused.update(str(entry["key"]) for entry in entries if entry["kind"] == "metric")
        self._reject([Rejection(error.detail, error.code, entry) for entry in entries])
        self._leave_out(found)
        self._move(found)

    def _leave_out(self, found: Cut) -> None:
        if found.left_out:
            reason = "the run takes no more metrics, and has not this one"
            self._reject([Rejection(reason, TOO_MANY, entry) for entry in found.left_out])

    def _act(self, found: Cut, action: Action | Unreadable) -> None:
        run = self.header.run
        try:
            if isinstance(action, Unreadable):
                entry: dict[str, object] = {"kind": "record", "base64": base64.b64encode(action.payload).decode()}
                self._reject([Rejection(action.reason, "unreadable", entry)])
            elif isinstance(action, End):
                self._remote.end(run, action.status, action.time_ms)
                self.cursor.status = action.status
            elif isinstance(action, Artifact):
                self._upload(action)
            else:
                self._remote.reopen(run)
                self.cursor.status = None
        except ApiError as error:
            if judge(error) == "hold":
                raise _held(error) from error
            if judge(error) != "refused":
                raise
            # Bytes become base64 there, so that a refused picture can be had back.
            refused: dict[str, object] = {"kind": "action", "record": msgspec.to_builtins(action)}
            self._reject([Rejection(error.detail, error.code, refused)])
        self._move(found)

    def _upload(self, action: Artifact) -> None:
        if action.data is not None:
            self._remote.artifact(self.header.run, action.data, name=action.name, directory=action.directory)
            return
        stored = self.folder / ARTIFACTS / action.stored
        try:
            if stored.stat().st_size != action.size:  # the machine lost power before the copy was on the disk
                raise FileNotFoundError(stored)
            self._remote.artifact(self.header.run, stored, name=action.name, directory=action.directory)
        except FileNotFoundError:
            entry: dict[str, object] = {"kind": "artifact", "name": action.name, "directory": action.directory}
            self._reject([Rejection(f"its copy is not whole: {stored}", "file_missing", entry)])
            return
        except IntegrityError as error:  # the disk or the way spoiled it; the next try sends it whole
            raise ConnectionFailed(str(error)) from error
        stored.unlink(missing_ok=True)

    def _move(self, found: Cut) -> None:
        assert found.end is not None, "a cut ends somewhere"
        cursor = self.cursor
        read_to = {cursor.at.segment: cursor.at.offset} | found.read_to
        cursor.at, cursor.until = found.end, None
        cursor.last_ms = max(cursor.last_ms, found.last_ms)
        save_cursor(self.folder, cursor)
        for number in segments(self.folder):
            if number < cursor.at.segment:
                self._on_freed(self._retire(number, read_to))

    def _retire(self, number: int, read_to: Mapping[int, int]) -> int:
        """Remove a segment that is confirmed; keep one that holds more than could be read. Its size."""
        path = segment_path(self.folder, number)
        size = path.stat().st_size
        if read_to.get(number) != size and is_damaged(path):
            path.rename(path.with_suffix(".damaged"))
        else:
            path.unlink()
        return size

    def _reject(self, rejections: list[Rejection]) -> None:
        folder = self.folder / REJECTED
        folder.mkdir(exist_ok=True)
        with (folder / f"{self.header.writer}.jsonl").open("ab") as file:
            for rejection in rejections:
                file.write(msgspec.json.encode(rejection) + b"\n")
        self.cursor.rejected += len(rejections)
        for rejection in rejections:
            self._on_rejected(rejection)


def is_damaged(path: Path) -> bool:
    """Whether a segment holds more than whole frames and the torn end of a call that never returned."""
    try:
        end = read_header(path)[1]
    except SpoolDamaged:
        return path.stat().st_size > 0
    for each in read_frames(path, end):
        end = each.end
    with path.open("rb") as file:
        file.seek(end)
        rest = file.read()
    if len(rest) < 8 or not rest.strip(b"\0"):
        return False
    return 8 + int.from_bytes(rest[:4], "little") <= len(rest)


def _any_header(folder: Path) -> Header:
    """The header of the first segment that can be read; all say the same of the run. Raises `SpoolDamaged`."""
    for number in segments(folder):
        try:
            return read_header(segment_path(folder, number))[0]
        except SpoolDamaged:
            continue
    raise SpoolDamaged(f"no segment of this spool can be read: {folder}")


def _held(error: ApiError) -> Held:
    return Held(f"the server takes nothing of this run for now, all of it is kept: {error.detail}")

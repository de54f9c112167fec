"""Sending one writer's spool, from its front to its end: by the uploader while the job lives, by `gnomon sync` after.

Invariants:
- Exactly once: a batch's number and end are on the disk before it leaves (`cursor.until`), so whoever repeats it
  repeats the same entries; the server's ledger drops the repeat.
- Nothing is removed before the server has confirmed it, and what the server will never take is written to `rejected/`
  with the reason before it is passed over. One entry that is refused never keeps the others.
- One sender at a time: the caller holds the folder's lock, as its writer or by `spool.adopt`.
- With a carrier, files go beside the points and stand in `cursor.files` until they are confirmed; the end of a run is
  told after them.
"""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from gnomon.capture.console import console_end, read_console, remove_console
from gnomon.carrier import ARTIFACTS, Carried, Carrier, Refusal, send_file
from gnomon.cursor import Cursor, load_cursor, remove_cursor, save_cursor
from gnomon.cut import MAX_ENTRIES, Cut, Unreadable, cut
from gnomon.errors import ApiError, GnomonError
from gnomon.record import Action, Artifact, End, Header, SpoolDamaged
from gnomon.remote import Remote, judge
from gnomon.spool import has_moved, read_frames, read_header, remove_lock, segment_path, segments
from gnomon.wire import RunBegin, SequencedBatch

REJECTED = "rejected"
TOO_MANY = "too_many_keys"
# The cursor, which is written with each batch, names them all; beyond these the spool waits for its files.
MOST_FILES = 100

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
        carrier_of: Callable[[Remote], Carrier] | None = None,
        on_freed: Callable[[int], None] = lambda _size: None,
        on_rejected: Callable[[Rejection], None] = lambda _rejection: None,
    ) -> None:
        """Without a carrier files are sent in their turn, by `step`."""
        self.folder = folder
        self.header = _any_header(folder)
        self.cursor: Cursor = load_cursor(folder)
        self._remote = remote_of(self.header)
        self._carrier = None if carrier_of is None else carrier_of(self._remote)
        self._on_freed = on_freed
        self._on_rejected = on_rejected
        self._limit = MAX_ENTRIES
        # Metrics past the bound of the run: found one by one the first time, then not asked about again.
        self._refused: set[str] = set()

    @property
    def is_carrying(self) -> bool:
        """Whether files are on their way beside the points."""
        return bool(self.cursor.files)

    def trouble(self) -> GnomonError | None:
        """What keeps the files that are on their way, since the last time this was asked."""
        found = None if self._carrier is None else self._carrier.trouble()
        return _held(found) if isinstance(found, ApiError) and judge(found) == "hold" else found

    def hurry(self) -> None:
        """Somebody waits: files are tried again at once."""
        if self._carrier is not None:
            self._carrier.hurry()

    def step(self) -> bool:
        """Have the server confirm one batch or action. False: there is nothing (more) to send.

        Raises `Held`, or what the server or the connection said, when it is to be tried again later.
        """
        if self._settle():
            return True
        if self.cursor.seq == 0:
            self._begin()
        if self._carrier is None and self.cursor.files:
            self._send_waiting(self.cursor.files[0])
            return True
        until = self.cursor.until
        found = cut(self.folder, self.cursor.at, until=until, limit=self._limit, without=self._refused)
        if found is None and until is not None:
            # What was in flight is no longer here (the machine lost power); the server may have it.
            self.cursor.until = None
            self.cursor.seq += 1
            save_cursor(self.folder, self.cursor)
            return True
        if found is None or self._waits(found.action):
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
        data = read_console(self.folder)
        refusal = self._send_file(Artifact(self.cursor.last_ms, "", name, None, len(data), data))
        if refusal is not None:
            entry: dict[str, object] = {"kind": "artifact", "name": name, "directory": None}
            self._reject([Rejection(refusal.reason, refusal.code, entry)])
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
                self._send_or_hand_over(found, action)
                return
            else:
                self._remote.reopen(run)
                self.cursor.status = None
        except ApiError as error:
            if judge(error) == "hold":
                raise _held(error) from error
            if judge(error) != "refused":
                raise
            refused: dict[str, object] = {"kind": "action", "record": msgspec.to_builtins(action)}
            self._reject([Rejection(error.detail, error.code, refused)])
        self._move(found)

    def _waits(self, action: Action | Unreadable | None) -> bool:
        """Whether it has to wait for files: the end of a run, a file for the path of one of them, one too many."""
        if self._carrier is None or not self.cursor.files:
            return False
        if isinstance(action, Artifact) and action.data is not None:
            places = {(each.directory, each.name) for each in self.cursor.files}
            return (action.directory, action.name) in places
        return isinstance(action, End) or (isinstance(action, Artifact) and len(self.cursor.files) >= MOST_FILES)

    def _send_or_hand_over(self, found: Cut, file: Artifact) -> None:
        if self._carrier is not None and file.data is None:
            self.cursor.files.append(file)
            self._carrier.add(file)
            self._move(found)
            return
        refusal = self._send_file(file)
        if refusal is not None:
            self._reject([_refused_file(Carried(file, refusal))])
        self._move(found)
        self._remove_copy(file)

    def _send_waiting(self, file: Artifact) -> None:
        self._write_down([Carried(file, self._send_file(file))])

    def _send_file(self, file: Artifact) -> Refusal | None:
        try:
            return send_file(self.folder, self.header.run, self._remote, file)
        except ApiError as error:
            if judge(error) == "hold":
                raise _held(error) from error
            raise

    def _settle(self) -> bool:
        """Write down what the carrier has done; whether it has done anything."""
        carried = [] if self._carrier is None else self._carrier.collect()
        if carried:
            self._write_down(carried)
        return bool(carried)

    def _write_down(self, carried: list[Carried]) -> None:
        for each in carried:
            self.cursor.files.remove(each.file)
        rejections = [_refused_file(each) for each in carried if each.refusal is not None]
        if rejections:
            self._reject(rejections)
        save_cursor(self.folder, self.cursor)
        for each in carried:
            self._remove_copy(each.file)

    def _remove_copy(self, file: Artifact) -> None:
        """Only now: removed before it was written down, a file would be looked for in vain after a kill."""
        if file.data is None:
            (self.folder / ARTIFACTS / file.stored).unlink(missing_ok=True)

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


def _refused_file(carried: Carried) -> Rejection:
    file, refusal = carried
    assert refusal is not None, "it was refused"
    if file.data is None:
        return Rejection(
            refusal.reason, refusal.code, {"kind": "artifact", "name": file.name, "directory": file.directory}
        )
    # Bytes become base64 there, so that a refused picture can be had back.
    return Rejection(refusal.reason, refusal.code, {"kind": "action", "record": msgspec.to_builtins(file)})


def _held(error: ApiError) -> Held:
    return Held(f"the server takes nothing of this run for now, all of it is kept: {error.detail}")

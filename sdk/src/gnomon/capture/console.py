"""Console output: what the script prints also goes to files beside the spool, from where the sender takes it.

Layout, in the writer's folder: `console/<offset>`, each file named by how many bytes were printed before it begins.
The first file is the head; of the rest the last two are kept.

Invariants:
- What was printed is in the kernel's hands when `print` returns, so it survives `kill -9`.
- At most `HEAD_BYTES` and twice `TAIL_BYTES` are kept (and the print that passed a bound): the beginning and the end.
- Whatever fails here, printing goes on.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

FOLDER = "console"
HEAD_BYTES = 1024 * 1024
TAIL_BYTES = 1024 * 1024
# A progress bar rewrites its line many times a second; a reader needs one of them.
_REWRITE_SECS = 1.0


class ConsoleFiles:
    """The files of one writer's console output."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._begin = 0
        self._size = 0
        self._older: list[int] = []
        self._fd = self._open(0)

    def move(self, folder: Path) -> None:
        """Go on in the folder of another writer, with all that is kept so far."""
        new = folder / FOLDER
        new.mkdir(mode=0o700, exist_ok=True)
        kept = [0, *self._older, self._begin]
        for begin in dict.fromkeys(kept):
            shutil.copyfile(self._folder / _name(begin), new / _name(begin))
        self.close()
        for begin in dict.fromkeys(kept):
            (self._folder / _name(begin)).unlink(missing_ok=True)
        self._folder = new
        self._fd = self._open(self._begin)

    def append(self, data: bytes) -> None:
        self._size += os.write(self._fd, data)
        if self._size >= (HEAD_BYTES if self._begin == 0 else TAIL_BYTES):
            self._rotate()

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _rotate(self) -> None:
        if self._begin:
            self._older.append(self._begin)
        begin = self._begin + self._size
        fd = self._open(begin)
        os.close(self._fd)
        self._fd, self._begin, self._size = fd, begin, 0
        while len(self._older) > 1:
            (self._folder / _name(self._older.pop(0))).unlink(missing_ok=True)

    def _open(self, begin: int) -> int:
        return os.open(self._folder / _name(begin), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)


class Console:
    """Keeps what `sys.stdout` and `sys.stderr` are given while it is on.

    Their `write` is wrapped, so that whoever holds the streams already (a logging handler) is heard too.
    """

    def __init__(self, folder: Path) -> None:
        self._files = ConsoleFiles(folder)
        self._lock = threading.RLock()
        self._wrapped: list[tuple[TextIO, object, object]] = []
        self._is_on = True
        self._rewritten = 0.0

    def start(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is None or any(stream is other for other, _, _ in self._wrapped):
                continue
            original = stream.write
            wrapped = self._wrap(original)
            try:
                stream.write = wrapped  # type: ignore[method-assign]  # on the object, not on its class
            except (AttributeError, TypeError):  # a stream that takes no attribute is not heard
                continue
            self._wrapped.append((stream, original, wrapped))

    def stop(self) -> None:
        self._is_on = False
        for stream, original, wrapped in self._wrapped:
            if stream.__dict__.get("write") is wrapped:  # else somebody wrapped it after us, and calls ours in vain
                del stream.__dict__["write"]
                if stream.write != original:
                    stream.write = original  # type: ignore[method-assign, assignment]  # as it was found
        with self._lock:
            self._files.close()

    def move(self, folder: Path) -> None:
        """The writer goes on in another folder, and so does its output."""
        with self._lock:
            if self._is_on:
                self._files.move(folder)

    def forget_parent(self) -> None:
        """In a forked child: its output is on the same terminal, but the files are its parent's to rotate."""
        self._lock = threading.RLock()
        self._is_on = False

    def _wrap(self, write: Callable[[str], int]) -> Callable[[str], int]:
        def keeping(text: str) -> int:
            if self._is_on:  # before it is printed, so that what a person has seen is kept, whenever the script dies
                self._keep(text)
            return write(text)

        return keeping

    def _keep(self, text: str) -> None:
        try:
            if text.startswith("\r") and "\n" not in text:
                now = time.monotonic()
                if now - self._rewritten < _REWRITE_SECS:
                    return
                self._rewritten = now
            with self._lock:
                self._files.append(text.encode("utf-8", "replace"))
        except Exception:
            # Not even a sentence: it would be printed, and end here again.
            self._is_on = False


def console_end(folder: Path) -> int:
    """How many bytes were printed in all; 0 when nothing was, or nothing is captured."""
    last = max(_begins(folder), default=None)
    return 0 if last is None else last + (folder / FOLDER / _name(last)).stat().st_size


def read_console(folder: Path) -> bytes:
    """What is kept of the output, with a line where something is left out."""
    found: list[bytes] = []
    at = 0
    for begin in sorted(_begins(folder)):
        try:
            data = (folder / FOLDER / _name(begin)).read_bytes()
        except FileNotFoundError:  # its writer has moved on
            continue
        if begin > at:
            found.append(f"\n[{begin - at} bytes of output are left out here]\n".encode())
        found.append(data)
        at = begin + len(data)
    return b"".join(found)


def remove_console(folder: Path) -> None:
    for begin in _begins(folder):
        (folder / FOLDER / _name(begin)).unlink(missing_ok=True)


def _begins(folder: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(folder / FOLDER) if name.isdecimal()]  # noqa: PTH208
    except FileNotFoundError:
        return []


def _name(begin: int) -> str:
    return f"{begin:020d}"

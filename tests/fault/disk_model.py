"""What a disk may hold after the power went, from the system calls of a process that ran under strace.

`read_trace` turns a trace (`strace -f -yy -xx`) into events in the order in which they happened. `Disk` replays them
and keeps apart what is on the disk for certain and what may be:

- Bytes are certain once a sync of the file that began after the write has returned. Until then each 512-byte sector of
  a write may be on the disk or not, by itself and in any order.
- A name (of a new file or directory, a renamed or a removed one) is certain once its directory was synced. Until then
  it may be there or not. A rename is atomic, though the old name may survive beside the new one.

It promises less than file systems do, so whatever survives here survives on them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random

CALLS = (
    "openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat,pwrite64,pwritev,pwritev2,write,"
    "writev,sendto,sendmsg,sendfile,copy_file_range,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range"
)
SECTOR = 512
# Calls that would change a file in a way that the model does not know; none of them may touch the home.
_UNKNOWN = frozenset(
    ("creat", "link", "linkat", "pwritev", "pwritev2", "sendfile", "copy_file_range", "truncate", "fallocate")
)


@dataclass(frozen=True, slots=True)
class Create:
    path: str


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Unlink:
    path: str


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class SyncBegins:
    path: str
    thread: str


@dataclass(frozen=True, slots=True)
class SyncEnds:
    path: str
    thread: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The server hands an answer to the kernel: from here on the client may have read it."""

    port: int
    status: int


Event = Create | MakeDirectory | Rename | Unlink | Write | Truncate | SyncBegins | SyncEnds | Answer

# SQLite's index of the WAL, made anew after a crash, and space that is set aside.
_IRRELEVANT = ("-shm", "-reserve")

_LINE = re.compile(r"(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+)", re.DOTALL)
_TEXT = r'"((?:\\x[0-9a-f]{2})*)"'
_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>")
_SOCKET = re.compile(r"\d+<TCP:\[[0-9.]+:\d+->[0-9.]+:(\d+)\]>")
_PATHS = re.compile(_TEXT)
_PWRITE = re.compile(rf"\d+<[^>]*>, {_TEXT}, \d+, (\d+)$")
_FIRST_TEXT = re.compile(rf"[^\"]*{_TEXT}")
_ANSWERS = frozenset(("write", "writev", "sendto", "sendmsg"))
_SYNCS = frozenset(("fsync", "fdatasync"))


def read_trace(path: Path, root: str) -> list[Event]:
    """The events below `root`, and the answers on every TCP connection."""
    reader = _Reader(root)
    begun: dict[str, str] = {}
    for raw in path.read_text(encoding="ascii").splitlines():
        line = raw
        thread, _, call = line.partition(" ")
        if call.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
            reader.begins(thread, begun[thread])
            continue
        if resumed := re.search(r"<\.\.\. \w+ resumed>(.*)", call):
            line = begun.pop(thread) + resumed[1]
        else:
            reader.begins(thread, line)
        reader.ends(thread, line)
    return reader.events


class _Reader:
    def __init__(self, root: str) -> None:
        self.events: list[Event] = []
        self._root = root
        self._known: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._positions: dict[str, int] = {}

    def begins(self, thread: str, line: str) -> None:
        name, _, arguments = line.partition(" ")[2].lstrip().partition("(")
        if name in _SYNCS and (path := self._file(arguments)):
            self.events.append(SyncBegins(path, thread))
        elif name in _ANSWERS and (socket := _SOCKET.match(arguments)):
            found = _FIRST_TEXT.match(arguments)
            data = _bytes(found[1]) if found else b""
            if data.startswith(b"HTTP/1.1 "):
                self.events.append(Answer(int(socket[1]), int(data[9:12])))

    def ends(self, thread: str, line: str) -> None:
        call = _LINE.match(line)
        if call is None or call[4].startswith("-"):
            return
        name, arguments = call[2], call[3]
        if name in _SYNCS:
            if path := self._file(arguments):
                self.events.append(SyncEnds(path, thread))
        elif name == "openat":
            self._open(arguments)
        elif name in ("mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat"):
            self._change_names(name, [self._inside(found) for found in _PATHS.findall(arguments)])
        elif path := self._file(arguments):
            if name in _UNKNOWN or name == "writev":
                raise AssertionError(f"the model does not know {name}, which was used on {path}")
            self._change_bytes(name, path, arguments)

    def _open(self, arguments: str) -> None:
        found = _PATHS.search(arguments)
        path = self._inside(found[1]) if found else ""
        if not path or "O_RDONLY" in arguments:
            return
        if "O_CREAT" in arguments and path not in self._known:
            self._known.add(path)
            self._sizes[path] = 0
            self.events.append(Create(path))
        elif "O_TRUNC" in arguments:
            self._truncate(path, 0)
        self._positions[path] = self._sizes[path] if "O_APPEND" in arguments else 0

    def _change_names(self, name: str, paths: Sequence[str]) -> None:
        if not any(paths):
            return
        if name.startswith("mkdir"):
            self.events.append(MakeDirectory(paths[0]))
        elif name.startswith("unlink"):
            self._known.discard(paths[0])
            self.events.append(Unlink(paths[0]))
        else:
            old, new = paths
            self._known.discard(old)
            self._known.add(new)
            self._sizes[new] = self._sizes.pop(old, 0)
            self.events.append(Rename(old, new))

    def _change_bytes(self, name: str, path: str, arguments: str) -> None:
        if name == "ftruncate":
            self._truncate(path, int(arguments.rpartition(", ")[2]))
            return
        if name == "pwrite64":
            found = _PWRITE.match(arguments.rstrip())
            assert found is not None, arguments[-200:]
            data, offset = _bytes(found[1]), int(found[2])
        else:
            assert name == "write", name
            text = _FIRST_TEXT.match(arguments)
            assert text is not None
            data, offset = _bytes(text[1]), self._positions[path]
            self._positions[path] = offset + len(data)
        self._sizes[path] = max(self._sizes[path], offset + len(data))
        self.events.append(Write(path, offset, data))

    def _truncate(self, path: str, size: int) -> None:
        self._sizes[path] = size
        self.events.append(Truncate(path, size))

    def _file(self, arguments: str) -> str:
        found = _FILE.match(arguments)
        return self._inside(found[1]) if found else ""

    def _inside(self, text: str) -> str:
        """The path, when it is the root or below it and its bytes matter after a crash."""
        path = _bytes(text).decode()
        is_inside = path == self._root or path.startswith(f"{self._root}/")
        return path if is_inside and not path.endswith(_IRRELEVANT) else ""


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass(slots=True, eq=False)
class _Inode:
    """The bytes of a file: those on the disk for certain, and what was written since, in order."""

    is_directory: bool = False
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)

    def sync(self, count: int) -> None:
        for change in self.pending[:count]:
            _apply(self.durable, change)
        del self.pending[:count]

    def content(self, keeps: "Survival") -> bytes:
        if not self.pending:
            return bytes(self.durable)
        data = bytearray(self.durable)
        for change in self.pending:
            if isinstance(change, Truncate):
                if keeps.one():
                    _apply(data, change)
            else:
                for piece in _sectors(change):
                    if keeps.one():
                        _apply(data, piece)
        return bytes(data)


@dataclass(frozen=True, slots=True)
class _NameChange:
    """A change of a directory: one name comes, one goes, or both at once."""

    directory: str
    comes: tuple[str, _Inode] | None = None
    goes: str | None = None

    def apply(self, names: dict[str, _Inode], *, may_leave_old: bool = False) -> None:
        if self.goes is not None and not may_leave_old:
            names.pop(self.goes, None)
        if self.comes is not None and _parent(self.comes[0]) in names:
            names[self.comes[0]] = self.comes[1]


class Survival:
    """Decides what of the uncertain survives in one image: nothing, all, or each piece with a chance of its own."""

    def __init__(self, rng: Random, chance: float) -> None:
        self._rng = rng
        self._chance = chance

    def one(self) -> bool:
        return self._rng.random() < self._chance


Image = dict[str, bytes]


class Disk:
    """The files below one root, an empty directory at first, while a trace is replayed."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._live: dict[str, _Inode] = {root: _Inode(is_directory=True)}
        self._names: dict[str, _Inode] = dict(self._live)
        self._changes: list[_NameChange] = []
        # What a sync that is under way will have made certain when it returns.
        self._syncing: dict[tuple[str, str], int | list[_NameChange]] = {}

    def replay(self, event: Event) -> None:
        match event:
            case Create(path):
                self._come(path, _Inode())
            case MakeDirectory(path):
                self._come(path, _Inode(is_directory=True))
            case Rename(old, new):
                inode = self._live.pop(old)
                self._live[new] = inode
                self._changes.append(_NameChange(_parent(new), comes=(new, inode), goes=old))
            case Unlink(path):
                del self._live[path]
                self._changes.append(_NameChange(_parent(path), goes=path))
            case Write(path, _, _) | Truncate(path, _):
                self._live[path].pending.append(event)
            case SyncBegins(path, thread):
                self._syncing[path, thread] = self._covered(path)
            case SyncEnds(path, thread):
                self._finish_sync(path, self._syncing.pop((path, thread)))
            case Answer():
                pass

    def image(self, keeps: Survival) -> Image:
        """One state that the disk may be found in: the files by their path relative to the root."""
        names = dict(self._names)
        for change in self._changes:
            if keeps.one():
                change.apply(names, may_leave_old=not keeps.one())
        return {
            path[len(self._root) + 1 :]: inode.content(keeps)
            for path, inode in names.items()
            if not inode.is_directory and self._is_reachable(path, names)
        }

    def _come(self, path: str, inode: _Inode) -> None:
        self._live[path] = inode
        self._changes.append(_NameChange(_parent(path), comes=(path, inode)))

    def _covered(self, path: str) -> int | list[_NameChange]:
        if self._live[path].is_directory:
            return [change for change in self._changes if change.directory == path]
        return len(self._live[path].pending)

    def _finish_sync(self, path: str, covered: int | list[_NameChange]) -> None:
        if isinstance(covered, int):
            self._live[path].sync(covered)
            return
        for change in covered:
            change.apply(self._names)
            if change.goes is not None:  # an older change that would bring the name back is settled with it
                older = self._changes[: self._changes.index(change)]
                settled = [each for each in older if each.comes is not None and each.comes[0] == change.goes]
                self._changes = [each for each in self._changes if each not in settled]
        self._changes = [each for each in self._changes if each not in covered]

    def _is_reachable(self, path: str, names: dict[str, _Inode]) -> bool:
        above = _parent(path)
        while above in names:
            if above == self._root:
                return True
            above = _parent(above)
        return False


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _apply(data: bytearray, change: Write | Truncate) -> None:
    if isinstance(change, Truncate):
        if change.size < len(data):
            del data[change.size :]
        else:
            data.extend(bytes(change.size - len(data)))
        return
    if len(data) < change.offset:
        data.extend(bytes(change.offset - len(data)))
    data[change.offset : change.offset + len(change.data)] = change.data


def _sectors(write: Write) -> Iterator[Write]:
    """The write cut where the disk's sectors are."""
    at, end = write.offset, write.offset + len(write.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        yield Write(write.path, at, write.data[at - write.offset : stop - write.offset])
        at = stop

"""What a process uses, as the kernel says."""

from pathlib import Path


def anonymous_mb(pid: int) -> float:
    """Memory of its own in MiB: without pages of files, which the kernel takes back when it needs them."""
    return _status(pid, "RssAnon") / 1024


def open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def threads(pid: int) -> int:
    return _status(pid, "Threads")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

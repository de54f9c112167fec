"""Errors of the kernel's making: strace attaches to a running server and lets chosen system calls fail."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def injected(pid: int, calls: str, error: str, *, when: str) -> Iterator[None]:
    """While inside, the n-th of `calls` in each thread fails; `when` is "3", or "3+" for all from the third on."""
    command = ["strace", "-f", "-qq", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}"]
    tracer = subprocess.Popen([*command, "-o", "/dev/null", "-p", str(pid)], stderr=subprocess.DEVNULL)
    try:
        while not _is_traced(pid):
            assert tracer.poll() is None, f"strace ended with {tracer.returncode}"
        yield
    finally:
        # Asked politely, strace may wait for ever for a process that it has just seen end. Killed, it lets go as well;
        # nothing is under way by now that it could leave half changed.
        tracer.kill()
        tracer.wait()


def _is_traced(pid: int) -> bool:
    """Whether a tracer has every thread of the process."""
    try:
        statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    except (FileNotFoundError, ProcessLookupError):  # a thread has just ended
        return False
    return bool(statuses) and all("TracerPid:\t0\n" not in status for status in statuses)

"""The state of the code: commit, branch, remote, and how the files differ from the commit, as git tells it.

Git is asked with a time-out, without hooks, pagers or prompts, and never writes: it takes no lock either.
"""

import os
import subprocess
from pathlib import Path
from threading import Timer

from msgspec import Struct

from gnomon.capture.secrets import redact

MAX_DIFF_BYTES = 1024 * 1024
TIMEOUT_SECS = 10.0
_CUT = "\n[the rest of the difference is left out]\n"
_COMMAND = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"]


class CodeState(Struct, frozen=True):
    """`diff` is empty when the tracked files are those of the commit."""

    commit: str
    branch: str
    remote: str
    diff: str

    def tags(self) -> dict[str, str]:
        found = {
            "gnomon.git.commit": self.commit,
            "gnomon.git.branch": self.branch,
            "gnomon.git.remote": self.remote,
            "gnomon.git.dirty": "true" if self.diff else "false",
        }
        return {key: value for key, value in found.items() if value}


def find_code(folder: Path) -> CodeState | None:
    """Of the repository around a folder; None where there is none, or no git."""
    commit = _line(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return None
    diff = _ask(folder, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short") or ""
    return CodeState(
        commit=commit,
        branch=_line(folder, "symbolic-ref", "--quiet", "--short", "HEAD"),
        remote=redact(_line(folder, "config", "--get", "remote.origin.url")),
        diff=redact(diff),
    )


def _line(folder: Path, *arguments: str) -> str:
    return (_ask(folder, *arguments) or "").strip().partition("\n")[0]


def _ask(folder: Path, *arguments: str) -> str | None:
    """What git says; None when it fails, is not there, or takes too long."""
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        asked = subprocess.Popen(  # noqa: S603 - a fixed program with fixed arguments
            [*_COMMAND, *arguments],
            cwd=folder,
            env={**os.environ, **quiet},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    assert asked.stdout is not None, "a pipe was asked for"
    late = Timer(TIMEOUT_SECS, asked.kill)
    late.daemon = True
    late.start()
    try:
        with asked.stdout as said:
            data = said.read(MAX_DIFF_BYTES + 1)
        if len(data) > MAX_DIFF_BYTES:
            asked.kill()
            return data[:MAX_DIFF_BYTES].decode("utf-8", "replace") + _CUT
        return data.decode("utf-8", "replace") if asked.wait() == 0 else None
    finally:
        late.cancel()
        asked.wait()

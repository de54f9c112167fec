"""The companion of a run that looks around: one thread notes code, command, packages and machine, then ends.

What it looks with is imported by that thread, so that `init` does not wait for it.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from gnomon.capture import Part
from gnomon.capture.console import Console
from gnomon.capture.samples import Sampler
from gnomon.loading import loading
from gnomon.notice import notice
from gnomon.values import MAX_TAG

# The end of a run waits so long for a look that is not over; what it has not found by then is left out.
WAIT_SECS = 2.0


class Noting(Protocol):
    """A run, as seen from what looks around for it."""

    @property
    def spool(self) -> Path | None: ...
    def tag(self, values: Mapping[str, object], /) -> None: ...
    def log_text(self, name: str, text: str) -> None: ...
    def sample(self, values: Mapping[str, float]) -> None: ...


class Surroundings:
    """Everything that is captured for one run of this process."""

    def __init__(self, run: Noting, parts: frozenset[Part]) -> None:
        self._run = run
        self._parts = parts
        self._console: Console | None = None
        self._sampler = Sampler(run.sample) if "system" in parts else None
        self._looking = threading.Thread(target=self._look, name="gnomon-capture", daemon=True)

    def start(self) -> None:
        folder = self._run.spool
        if "console" in self._parts and folder is not None:
            self._console = Console(folder)
            self._console.start()
        if self._sampler is not None:
            self._sampler.start()
        if self._parts - {"console", "system"}:
            self._looking.start()

    def stop(self, timeout_secs: float) -> None:
        """The run ends: nothing more is captured."""
        if self._looking.is_alive():
            self._looking.join(min(WAIT_SECS, timeout_secs))
        if self._sampler is not None:
            self._sampler.stop()
        if self._console is not None:
            self._console.stop()

    def move(self, folder: Path) -> None:
        """The spool of the run stands elsewhere from now on."""
        if self._console is not None:
            self._console.move(folder)

    def forget_parent(self) -> None:
        if self._console is not None:
            self._console.forget_parent()

    def _look(self) -> None:
        with loading:
            import email.parser  # noqa: F401 - importlib.metadata imports it at the first package it reads

            from gnomon.capture import code, machine  # noqa: F401 - the looks below import from them
        found: dict[str, object] = {}
        looks: dict[Part, Callable[[dict[str, object]], None]] = {
            "command": self._look_at_command,
            "host": self._look_at_host,
            "git": self._look_at_code,
            "packages": self._look_at_packages,
        }
        for part, look in looks.items():
            if part not in self._parts:
                continue
            try:
                look(found)
            except Exception as error:  # whatever a machine says, a run goes on without it
                notice(f"{part} could not be captured ({type(error).__name__}: {error})")
        self._run.log_text("environment.json", json.dumps(found, indent=2, default=str) + "\n")

    def _look_at_command(self, found: dict[str, object]) -> None:
        from gnomon.capture.machine import command_line, describe_command

        found["command"] = describe_command()
        self._run.tag({"gnomon.command": command_line()[:MAX_TAG]})

    def _look_at_host(self, found: dict[str, object]) -> None:
        from gnomon.capture.machine import describe_host, describe_variables

        found["host"] = host = describe_host()
        found["environment"] = describe_variables()
        self._run.tag({"gnomon.host": host["name"]})

    def _look_at_code(self, found: dict[str, object]) -> None:
        from gnomon.capture.code import find_code

        program = Path(sys.argv[0]).resolve() if sys.argv and sys.argv[0] else Path()
        state = find_code(program.parent if program.is_file() else Path.cwd())
        if state is None:
            return
        found["git"] = {"commit": state.commit, "branch": state.branch, "remote": state.remote}
        self._run.tag(state.tags())
        if state.diff:
            self._run.log_text("diff.patch", state.diff)

    def _look_at_packages(self, found: dict[str, object]) -> None:
        from gnomon.capture.machine import describe_python, requirements

        found["python"] = python = describe_python()
        self._run.tag({"gnomon.python": python["version"]})
        self._run.log_text("requirements.txt", requirements())

"""Which run a trainer logs to: the one it was given, else the active one, else one that is begun when it is needed."""

import inspect
from collections.abc import Mapping
from typing import Self

from gnomon.begin import active_run, init
from gnomon.record import EndStatus
from gnomon.run import Run


class HeldRun:
    """Asked for in the process that logs, so that a callback may be made before processes are forked."""

    def __init__(self, run: Run | None, how: Mapping[str, object]) -> None:
        if run is None:
            inspect.signature(init).bind(**how)  # a misspelt option is told where it stands, not in the training
        self._run = run
        self._how = how
        self._is_own = False

    @property
    def run(self) -> Run:
        if self._run is None:
            self._run = None if self._how else active_run()
        if self._run is None:
            self._run = init(**self._how)  # type: ignore[arg-type]  # bound to its signature above
            self._is_own = True
        return self._run

    def __deepcopy__(self, memo: object) -> Self:
        """Libraries copy their callbacks; the copy logs to the same run."""
        return self

    def __getstate__(self) -> dict[str, object]:
        """Sent to another process it goes on with the same run there, by its id."""
        how = self._how if self._run is None else {"experiment": self._run.experiment, "id": self._run.id}
        return {"_run": None, "_how": how, "_is_own": False}

    @property
    def is_begun(self) -> bool:
        return self._run is not None

    def finish(self, status: EndStatus = "finished") -> None:
        """End the run if it was begun here; one that was given is its giver's to end."""
        if self._run is not None and self._is_own:
            self._run.finish(status)

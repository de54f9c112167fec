"""What stands between the SDK and a training script: whatever goes wrong in a call is said once, not raised."""

import os
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from gnomon.notice import notice

F = TypeVar("F", bound=Callable[..., object])


def guarded(default: object) -> Callable[[F], F]:
    """A call of a run that answers `default` when it fails. `GNOMON_STRICT=1` makes it raise, for tests."""

    def guard(call: F) -> F:
        @wraps(call)
        def safe(*args: object, **more: object) -> object:
            try:
                return call(*args, **more)
            except Exception as error:
                complain(f"run.{call.__name__}() kept nothing of a call", error)
                return default

        return cast("F", safe)  # `wraps` keeps the signature

    return guard


def complain(what: str, error: Exception) -> None:
    """Say what failed; raise it instead when the script wants that."""
    if os.environ.get("GNOMON_STRICT") == "1":
        raise error
    notice(f"{what} ({type(error).__name__}: {error})", cause=f"{what} {type(error).__name__}")

"""wandb's exceptions. What logs never raises them; `wandb.Api`, which reads, does."""

from collections.abc import Iterator
from contextlib import contextmanager

from gnomon.errors import GnomonError


class Error(Exception):
    """The parent of the others, which scripts name in their `except`."""


class CommError(Error):
    """The server could not be reached, or refused."""


class UsageError(Error):
    """A call that means nothing."""


@contextmanager
def asking() -> Iterator[None]:
    """What the client says, said as wandb says it."""
    try:
        yield
    except GnomonError as error:
        raise CommError(str(error)) from error

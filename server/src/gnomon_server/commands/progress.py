"""Progress of a long command on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress as Bar

_LINE_SECS = 5.0

Show = Callable[[str, int, int], None]


@contextmanager
def showing_progress() -> Iterator[Show]:
    """Yields a function that is told what is being done, how much is done, and how much there is."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def say(what: str, done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _LINE_SECS:
                last = time.monotonic()
                click.echo(f"{what}: {done / max(total, 1):.0%}", err=True)

        yield say
        return
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)

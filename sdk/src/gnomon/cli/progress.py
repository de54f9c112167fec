"""Progress of a long command on stderr: a bar on a terminal with rich, lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import click

from gnomon.cli.text import plain

# What is being done, how much of it is done, and how much there is.
Show = Callable[[str, int, int], None]

# Where there is no bar, a line so often at most.
_LINE_SECS = 5.0


@contextmanager
def showing_progress(*, every_step: bool = False) -> Iterator[Show]:
    """Yields a function that is told what is being done. `every_step`: each time is a line of its own elsewhere."""
    if not sys.stderr.isatty() or find_spec("rich") is None:
        yield _each_line if every_step else _Lines().show
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=escape(plain(what)))

        yield show


def _each_line(what: str, done: int, total: int) -> None:
    click.echo(plain(f"[{done}/{total}] {what}"), err=True)


class _Lines:
    """A line now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= _LINE_SECS:
            self._last = now
            click.echo(plain(f"{what}: {done / max(total, 1):.0%}"), err=True)

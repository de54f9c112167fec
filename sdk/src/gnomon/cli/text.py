"""Text for people and JSON for machines: what commands print.

On a terminal with rich, tables have rules and fit the width; elsewhere they are plain columns, whole and unshortened,
for `grep` and `awk`.
"""

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec

import click
import msgspec

from gnomon.wire import to_wire

# Whole escape sequences first (CSI, OSC and the like, two-byte ones), so that their letters do not stay behind.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)
_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0, DEL, C1, zero-width and bidirectional marks, half surrogates.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# Below this an id says only when it was made, to the minute, and would fit its neighbours.
_SHORTEST_ID = 12


def plain(text: str) -> str:
    """The text on one line without anything that a terminal would obey."""
    return _CONTROLS.sub("", _BREAKS.sub(" ", _ESCAPES.sub("", text)))


def number(value: float | None) -> str:
    """A metric's value as people read it: six digits; NaN and the infinities by name."""
    if value is None:
        return "-"
    return f"{value:.6g}" if math.isfinite(value) else str(to_wire(value))


def cell(value: str | float | None) -> str:
    return value if isinstance(value, str) else number(value)


def duration(ms: int | None) -> str:
    """`1h 02m`, `3m 20s`, `4.2s`."""
    if ms is None:
        return "-"
    secs = ms / 1000
    if secs < 60:
        return f"{secs:.1f}s"
    minutes, rest = divmod(int(secs), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def moment(iso: str | None) -> str:
    """`2026-02-12 08:00:00Z` from ISO 8601."""
    return "-" if iso is None else f"{iso[:10]} {iso[11:19]}Z"


def size(count: int | None) -> str:
    """Bytes with a unit."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def short_ids(uids: Sequence[str]) -> list[str]:
    """Each id cut where all of these still differ, when a person looks; whole ids for a program."""
    if not sys.stdout.isatty():
        return [*uids]
    distinct = len(set(uids))
    for length in range(_SHORTEST_ID, 32):
        if len({uid[:length] for uid in uids}) == distinct:
            return [uid[:length] for uid in uids]
    return [*uids]


def print_json(value: object) -> None:
    """One JSON document; non-finite numbers by name, as on the wire."""
    document = msgspec.json.encode(_sayable(msgspec.to_builtins(value)))
    click.echo(msgspec.json.format(document, indent=2))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A table; the columns named in `right` are numbers and stand at the right."""
    cells = [[plain(text) for text in row] for row in rows]
    titles = [plain(header) for header in headers]
    if sys.stdout.isatty() and find_spec("rich") is not None:
        _print_rich(titles, cells, right)
        return
    widths = [max(len(text) for text in column) for column in zip(titles, *cells, strict=True)]
    for row in [titles, *cells]:
        aligned = [
            text.rjust(width) if title in right else text.ljust(width)
            for title, text, width in zip(titles, row, widths, strict=True)
        ]
        click.echo("  ".join(aligned).rstrip())


def print_facts(facts: Mapping[str, str]) -> None:
    """Name and value, one a line."""
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        click.echo(f"{plain(name):<{width}}  {plain(value)}")


def print_rest(shown: int, total: int, offset: int) -> None:
    """What a page left out, said on stderr so that stdout stays a table."""
    if total > offset + shown:
        click.echo(f"{shown} of {total} shown; --limit and --offset show the others", err=True)


def _print_rich(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(Text(header), justify="right" if header in right else "left", overflow="ellipsis")
    for row in rows:
        # Text, not str: a name in brackets is a name, not markup.
        table.add_row(*(Text(text) for text in row))
    Console().print(table)


def _sayable(value: object) -> object:
    if isinstance(value, float):
        return to_wire(value)
    if isinstance(value, dict):
        return {key: _sayable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sayable(item) for item in value]
    return value

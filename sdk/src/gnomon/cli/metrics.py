"""`gnomon metrics`: the curve of a metric in the terminal, and its points."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal

import click

from gnomon.cli.plot import CROSS, Bucket, Curve, draw
from gnomon.cli.session import Session, json_option, pass_session
from gnomon.cli.text import number, plain, print_json, print_table
from gnomon.client import Client
from gnomon.client.records import ReducedSeries, Run, Series
from gnomon.errors import GnomonError

# The server's own bound on one page of history.
PAGE_POINTS = 100_000
LARGEST_BUDGET = 5000


@click.group()
def metrics() -> None:
    """Look at the points of a metric."""


@metrics.command()
@click.argument("run")
@click.argument("key")
@click.option("--x", type=click.Choice(["step", "relative", "time"]), default="step", show_default=True)
@click.option("--log", "log_y", is_flag=True, help="Logarithmic y axis.")
@click.option("--width", type=click.IntRange(20, 1000), help="Characters; the terminal's width unless given.")
@click.option("--height", type=click.IntRange(2, 200), default=15, show_default=True, help="Rows of the curve.")
@json_option
@pass_session
def plot(
    session: Session,
    run: str,
    key: str,
    x: Literal["step", "relative", "time"],
    log_y: bool,
    width: int | None,
    height: int,
    as_json: bool,
) -> None:
    """Draw the metric KEY of a RUN: extremes are exact, NaN is marked."""
    shown = session.run(run)
    columns = width or shutil.get_terminal_size().columns
    budget = min(LARGEST_BUDGET, 2 * columns)
    found = session.client.metrics.series([shown.id], [key], x=x, buckets=budget)
    if not found or not found[0].n:
        names = ", ".join(sorted(shown.metrics)[:10]) or "none yet"
        raise GnomonError(f"the run {shown.name!r} has no metric {key!r}; it has {names}")
    series = found[0]
    if as_json:
        print_json(series)
        return
    holes = [*_nonfinite_x(session.client, shown, key, x)] if series.nonfinite else []
    curve = Curve(_buckets(series), holes)
    click.echo(plain(f"{shown.name} · {key}"))
    for line in draw(curve, width=columns, height=height, log_y=log_y, x_label=_X_LABELS[x]):
        click.echo(line)
    click.echo(_summary(series, curve, log_y))


@metrics.command()
@click.argument("run")
@click.argument("key")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, PAGE_POINTS))
@click.option("--offset", default=0, type=click.IntRange(min=0))
@json_option
@pass_session
def history(session: Session, run: str, key: str, limit: int, offset: int, as_json: bool) -> None:
    """Every point of the metric KEY of a RUN, in order of step."""
    page = session.client.metrics.history(session.run(run).id, [key], limit=limit, offset=offset)
    if as_json:
        print_json(page)
        return
    for series in page.series:
        rows = [
            (f"{step:.17g}", str(at), number(value))
            for step, at, value in zip(series.step, series.timestamp, series.value, strict=True)
        ]
        print_table(("step", "timestamp", "value"), rows, right=("step", "timestamp", "value"))
        if series.total > offset + len(rows):
            click.echo(f"{len(rows)} of {series.total} points shown; --limit and --offset show the others", err=True)


def _buckets(series: ReducedSeries) -> list[Bucket]:
    rows = zip(series.x, series.first, series.last, series.min, series.max, strict=True)
    return [
        Bucket(x=x, first=_finite(first, low), last=_finite(last, high), low=low, high=high)
        for x, first, last, low, high in rows
        if low is not None and high is not None
    ]


def _finite(value: float | None, otherwise: float) -> float:
    return value if value is not None and value - value == 0 else otherwise


def _pages(client: Client, run_id: str, key: str) -> Iterator[Series]:
    offset = 0
    while True:
        page = client.metrics.history(run_id, [key], limit=PAGE_POINTS, offset=offset)
        for series in page.series:
            yield series
            offset += len(series.value)
            if not series.value or offset >= series.total:
                return
        if not page.series:
            return


def _nonfinite_x(client: Client, run: Run, key: str, x: str) -> Iterator[float]:
    """Where the values are no number: buckets only count them, so every point is looked at, page by page."""
    start_ms = 1000 * datetime.fromisoformat(run.start_time).timestamp() if x == "relative" else 0.0
    for series in _pages(client, run.id, key):
        for step, at, value in zip(series.step, series.timestamp, series.value, strict=True):
            if value - value != 0:
                yield float(step) if x == "step" else at - start_ms


def _summary(series: ReducedSeries, curve: Curve, log_y: bool) -> str:
    """What was drawn of how many points, and what could not be."""
    parts = [f"{series.n} point{'s' * (series.n != 1)}, {series.n - series.nonfinite} finite"]
    if curve.buckets:
        low = min(bucket.low for bucket in curve.buckets)
        high = max(bucket.high for bucket in curve.buckets)
        parts.append(f"min {number(low)}, max {number(high)}, last finite {number(curve.buckets[-1].last)}")
    if series.nonfinite:
        parts.append(f"{CROSS} {series.nonfinite} NaN or infinite")
    if log_y and (lost := sum(bucket.low <= 0 for bucket in curve.buckets)):
        parts.append(f"{lost} of {len(curve.buckets)} columns reach zero or below and are not on this logarithmic axis")
    return "; ".join(parts)


def _clock(unix_ms: float) -> str:
    return f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


_X_LABELS: dict[str, Callable[[float], str]] = {
    "step": "{:.12g}".format,
    "relative": lambda ms: f"{ms / 1000:.4g}s",
    "time": _clock,
}

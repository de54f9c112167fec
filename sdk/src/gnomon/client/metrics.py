"""Calls that read points: every one of them, or reduced to what a chart can show."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gnomon.client.records import History, ReducedSeries, ReducedSeriesList, XAxis
from gnomon.client.transport import Transport, path_of
from gnomon.errors import MissingExtra
from gnomon.wire import SeriesRequest

if TYPE_CHECKING:
    import pyarrow as pa

ARROW = "application/vnd.apache.arrow.stream"


class Metrics:
    """`client.metrics`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def history(self, run_id: str, keys: Sequence[str] = (), *, limit: int = 10_000, offset: int = 0) -> History:
        """Every point of these metrics (none given: of all), in order of step; a page of `limit` points of each."""
        query = [("key", key) for key in keys] + [("limit", str(limit)), ("offset", str(offset))]
        return self._transport.call("GET", _history_path(run_id), History, query=query)

    def history_arrow(self, run_id: str, keys: Sequence[str] = ()) -> "pa.Table":
        """Every point as one Arrow table; `.to_pandas()` and `polars.from_arrow` take it from there."""
        with self.stream_history(run_id, keys) as reader:
            # Each batch brings the keys it has seen so far; as one table they share one dictionary.
            return reader.read_all().unify_dictionaries()

    @contextmanager
    def stream_history(self, run_id: str, keys: Sequence[str] = ()) -> "Iterator[pa.RecordBatchReader]":
        """Every point as Arrow record batches while they arrive, in bounded memory."""
        try:
            import pyarrow as pa
        except ImportError as error:
            raise MissingExtra("pyarrow", extra="arrow", purpose="reading history as Arrow") from error
        query = [("key", key) for key in keys]
        with (
            self._transport.stream(_history_path(run_id), query=query, headers={"Accept": ARROW}) as response,
            pa.ipc.open_stream(pa.PythonFile(response, mode="r")) as reader,
        ):
            yield reader

    def series(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str],
        *,
        x: XAxis = "step",
        buckets: int = 800,
        range: tuple[float, float] | None = None,
    ) -> Sequence[ReducedSeries]:
        """Many series in at most `buckets` buckets each, from all points: the extremes are exact."""
        message = SeriesRequest(run_ids=[*run_ids], keys=[*keys], x=x, buckets=buckets, range=range)
        answer = self._transport.call(
            "POST", "/experiments/runs/series", ReducedSeriesList, message=message, repeatable=True
        )
        return answer.series


def _history_path(run_id: str) -> str:
    return path_of("experiments", "runs", run_id, "history")

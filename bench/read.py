"""Reading curves: one long series whole, and ten of them reduced for a chart, ours beside MLflow's calls for the same.

Every answer of ours is checked against the points that were sent: the series bit for bit, and first, last, min and max
of every bucket exactly. MLflow's `get-history-bulk-interval`, which its UI draws from, picks single points and leaves
the others out. The same buckets can only be had from it by fetching all points: the first statement, times the runs.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa

from bench import servers
from bench.fill import MlflowHome, sent_points, settle
from bench.project import Floats, curve, run_uid
from bench.report import Result
from bench.servers import Running, scratch_home
from bench.timing import timed
from bench.wires import Caller, NativeWire

KEY = "train/loss"
_ARROW = "application/vnd.apache.arrow.stream"
_GNM1 = "application/vnd.gnomon.series"
_PAGE = 25_000
_TARGET = {"mlflow": 20.0}
_REPEATS = 10

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Size:
    runs: int
    points: int
    buckets: int = 1_000


DEFAULT = Size(runs=10, points=100_000)
QUICK = Size(runs=3, points=20_000)


def run(*, rounds: int = 3, quick: bool = False) -> list[Result]:
    servers.take_load_core()
    size = QUICK if quick else DEFAULT
    curves = [curve(number, size.points) for number in range(size.runs)]
    with ExitStack() as stack:
        homes = [stack.enter_context(scratch_home()) for _ in range(2)]
        _fill_mlflow(homes[1], curves)
        ours = stack.enter_context(servers.gnomon(homes[0], GNOMON_SEAL_IDLE_SECS="1"))
        client = _Gnomon(ours, curves)
        settle(homes[0])
        theirs = stack.enter_context(servers.mlflow(homes[1]))
        peer = _Mlflow(theirs, size)
        client.check(size.buckets)
        theirs.rest()
        whole = {f"one series of {size.points:,} points, whole, as Arrow": client.arrow}
        chart = f"{size.runs} series of {size.points:,} points, reduced to {size.buckets:,} buckets"
        reduced = {
            f"{chart}, JSON": lambda: client.chart(size.buckets),
            f"{chart}, binary frame": lambda: client.frame(size.buckets),
        }
        found = _compare(ours, whole, theirs, peer.history, rounds)
        return found + _compare(ours, reduced, theirs, peer.sampled, rounds)


def _compare(
    ours: Running, our_calls: Mapping[str, Call], theirs: Running, their_call: Call, rounds: int
) -> list[Result]:
    """Each of our calls beside the one of theirs that it is compared with."""
    figures: dict[str, list[float]] = {who: [] for who in (*our_calls, "mlflow")}
    cpu: dict[str, list[float]] = {who: [] for who in figures}
    for _ in range(rounds):
        found = {name: timed(ours, call, repeats=_REPEATS, warm=2) for name, call in our_calls.items()}
        found["mlflow"] = timed(theirs, their_call, repeats=1, warm=0 if figures["mlflow"] else 1)
        for who, each in found.items():
            figures[who].append(each.p50_ms)
            cpu[who].append(each.cpu_ms)
    peers_cpu = min(cpu["mlflow"])
    return [
        Result(
            name,
            "ms, p50 at the client",
            {"gnomon": figures[name], "mlflow": list(figures["mlflow"])},
            at_least=_TARGET,
            notes={"processor of the server": f"{min(cpu[name]):,.1f} ms, MLflow's {peers_cpu:,.0f} ms"},
            is_cost=True,
        )
        for name in our_calls
    ]


class _Gnomon:
    """Our calls; the points are sent through the API when it is made."""

    def __init__(self, running: Running, curves: Sequence[Floats]) -> None:
        wire = NativeWire(running.address)
        self._caller = Caller(running.address)
        self._curves = curves
        self._runs = wire.make_runs(len(curves))
        for run_id, values in zip(self._runs, curves, strict=True):
            for body in sent_points(KEY, values):
                self._caller.raw("POST", f"/api/v1/experiments/runs/{run_id}/log-batch", body)

    def arrow(self) -> bytes:
        query = urlencode({"key": KEY})
        return self._caller.raw("GET", f"/api/v1/experiments/runs/{self._runs[0]}/history?{query}", accept=_ARROW)

    def chart(self, buckets: int) -> bytes:
        return self._series(buckets, "application/json")

    def frame(self, buckets: int) -> bytes:
        return self._series(buckets, _GNM1)

    def _series(self, buckets: int, accept: str) -> bytes:
        body = {"run_ids": self._runs, "keys": [KEY], "x": "step", "buckets": buckets}
        return self._caller.raw("POST", "/api/v1/experiments/runs/series", json.dumps(body).encode(), accept)

    def check(self, buckets: int) -> None:
        """Raise when an answer differs from what the sent points say."""
        table = pa.ipc.open_stream(self.arrow()).read_all()
        value = np.asarray(table.column("value"))
        _demand("the series", np.array_equal(value.view(np.int64), self._curves[0].view(np.int64)))
        expected = [_Reduced(values, buckets) for values in self._curves]
        for one, exact in zip(json.loads(self.chart(buckets))["series"], expected, strict=True):
            for column, wanted in exact.columns.items():
                _demand(f"{column} of a bucket", np.array_equal(np.array(one[column]), wanted))
        for (low, high), exact in zip(_frame_bounds(self.frame(buckets)), expected, strict=True):
            _demand("min in a frame", np.array_equal(low, exact.columns["min"].astype(low.dtype)))
            _demand("max in a frame", np.array_equal(high, exact.columns["max"].astype(high.dtype)))


class _Reduced:
    """What the buckets of a curve over its steps must be, the slow and plain way."""

    def __init__(self, values: Floats, buckets: int) -> None:
        steps = np.arange(len(values), dtype=np.float64)
        place = np.minimum((steps / steps[-1] * buckets).astype(int), buckets - 1)
        each = [values[place == bucket] for bucket in np.unique(place)]
        self.columns = {
            "first": np.array([inside[0] for inside in each]),
            "last": np.array([inside[-1] for inside in each]),
            "min": np.array([inside.min() for inside in each]),
            "max": np.array([inside.max() for inside in each]),
            "count": np.array([len(inside) for inside in each]),
        }


def _frame_bounds(frame: bytes) -> list[tuple[Floats, Floats]]:
    """min and max of each series of a GNM1 frame (docs/formats/gnm1.md)."""
    length = int.from_bytes(frame[4:8], "little")
    header = json.loads(frame[8 : 8 + length])
    columns = 8 + length + -(8 + length) % 8
    found = []
    for series in header["metrics"][0]["series"]:
        dtype = "<f8" if series["dtype"] == "f64" else "<f4"
        low, high = (np.frombuffer(frame, dtype, series["len"], columns + series[name]) for name in ("min", "max"))
        found.append((low, high))
    return found


class _Mlflow:
    """MLflow's calls: its client's for a whole history, its UI's for a chart."""

    def __init__(self, running: Running, size: Size) -> None:
        self._caller = Caller(running.address)
        self._size = size
        self._runs = [run_uid(number) for number in range(size.runs)]

    def sampled(self) -> bytes:
        query = urlencode(
            {"run_ids": self._runs, "metric_key": KEY, "max_results": self._size.buckets},
            doseq=True,
        )
        return self._caller.raw("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}")

    def history(self) -> int:
        """Every point of a run, page by page; how many bytes came."""
        token, size = "", 0
        while True:
            query = urlencode({"run_id": self._runs[0], "metric_key": KEY, "max_results": _PAGE, "page_token": token})
            page = self._caller.raw("GET", f"/api/2.0/mlflow/metrics/get-history?{query}")
            size += len(page)
            # The token is looked for as text: parsing all of it would cost as much as MLflow's own work.
            at = page.rfind(b'"next_page_token"')
            if at < 0:
                return size
            token = page[at:].split(b'"')[3].decode()


def _fill_mlflow(home: Path, curves: Sequence[Floats]) -> None:
    made = MlflowHome(home)
    for number, values in enumerate(curves):
        made.add_series(number, KEY, values)


def _demand(what: str, is_exact: bool) -> None:
    if not is_exact:
        raise RuntimeError(f"{what} differs from the points that were sent")

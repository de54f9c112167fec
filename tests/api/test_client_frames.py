"""Runs and histories as frames: every value as it was logged, in each of the three libraries."""

import math
from collections.abc import Iterator

import pandas as pd
import polars as pl
import pytest
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.client.live import read_events
from gnomon.wire import MetricEntry

START_MS = 1_700_000_000_000
VALUES = [0.1, float("nan"), float("inf"), -0.0, 5e-324, 1 / 3]


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[gnomon.Client]:
    with gnomon.Client(server.base_url, tenant=tenant) as made:
        yield made


@pytest.fixture
def runs(client: gnomon.Client) -> list[str]:
    """Two runs of the experiment `fraud`: one with everything, one with next to nothing."""
    experiment = client.experiments.create("fraud")
    full = client.runs.create(experiment.id, name="full", tags={"team": "risk"})
    client.runs.log_params(full.id, {"lr": 1e-5, "opt": "adam"})
    points = [
        MetricEntry("loss", value, step=i + 0.5, timestamp=1_700_000_000_000 + i) for i, value in enumerate(VALUES)
    ]
    points += [MetricEntry("acc", 0.5, step=1.5, timestamp=9), MetricEntry("acc", 0.75, step=1.5, timestamp=10)]
    client.runs.log_batch(full.id, metrics=points)
    client.runs.end(full.id)
    bare = client.runs.create(experiment.id, name="bare")
    return [full.id, bare.id]


def same(found: list[float], wanted: list[float]) -> bool:
    return [math.copysign(1, x) * x if x == x else None for x in found] == [
        math.copysign(1, x) * x if x == x else None for x in wanted
    ]


def test_a_history_is_the_same_in_all_three(client: gnomon.Client, runs: list[str]) -> None:
    history = client.run(runs[0]).history("loss")
    assert (len(history), history.columns) == (6, ["key", "rank", "step", "timestamp", "value"])
    arrow, pandas, polars = history.arrow(), history.pandas(), history.polars()
    assert isinstance(pandas, pd.DataFrame)
    assert isinstance(polars, pl.DataFrame)
    for values in (arrow.column("value").to_pylist(), pandas["value"].to_list(), polars["value"].to_list()):
        assert same(values, VALUES)
    assert arrow.column("step").to_pylist() == [i + 0.5 for i in range(6)]
    assert polars["timestamp"].dt.epoch("ms").to_list() == [START_MS + i for i in range(6)]
    assert str(pandas["timestamp"].dt.tz) == "UTC"


def test_a_wide_history_has_a_row_a_step_and_a_column_a_metric(client: gnomon.Client, runs: list[str]) -> None:
    wide = client.run(runs[0]).history(wide=True).arrow()
    assert wide.column_names == ["step", "acc", "loss"]
    assert wide.column("step").to_pylist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert wide.column("acc").to_pylist() == [None, 0.75, None, None, None, None]
    assert same(wide.column("loss").to_pylist(), VALUES)
    assert client.run(runs[1]).history(["loss"], wide=True).arrow().num_rows == 0


def test_of_a_metric_of_several_ranks_each_stands_in_a_column_beside(client: gnomon.Client) -> None:
    run = client.runs.create(client.experiments.create("ranks").id)
    for rank in (0, 2, 10):
        name = f"loss{{rank={rank}}}" if rank else "loss"
        points = [MetricEntry(name, 10.0 * rank + step, step=step) for step in range(3)]
        client.runs.log_batch(run.id, metrics=[*points, MetricEntry(f"other{rank}", 1.0)])
    reader = client.run(run.id)
    loss = reader.history("loss")
    assert loss.columns == ["key", "rank", "step", "timestamp", "value"]
    assert loss.arrow().column("key").to_pylist() == ["loss"] * 9
    assert loss.arrow().column("rank").to_pylist() == [0, 0, 0, 2, 2, 2, 10, 10, 10]
    assert loss.polars()["value"].to_list() == [0, 1, 2, 20, 21, 22, 100, 101, 102]
    assert loss.pandas().groupby("rank")["value"].max().to_dict() == {0: 2, 2: 22, 10: 102}
    everything = reader.history().arrow()
    assert set(zip(everything["key"].to_pylist(), everything["rank"].to_pylist(), strict=True)) == {
        ("loss", 0),
        ("loss", 2),
        ("loss", 10),
        ("other0", 0),
        ("other2", 0),
        ("other10", 0),
    }
    for keys in ((), "loss"):
        assert set(reader.history(keys, rank=2).arrow()["value"].to_pylist()) == {20.0, 21.0, 22.0}
    assert 0 in reader.history(rank=0).arrow()["value"].to_pylist()
    assert reader.history("loss", wide=True).columns == ["step", "loss", "loss{rank=2}", "loss{rank=10}"]
    assert reader.history("loss{rank=2}").arrow()["rank"].to_pylist() == [2, 2, 2]
    experiment = client.experiment("ranks")
    assert len(experiment.runs("metrics.loss{rank=2}.max = 22 and metrics.loss < 3")) == 1
    columns = ["metrics.loss{rank=10}.min", "metrics.loss.min"]
    assert experiment.runs(columns=columns).arrow().to_pylist() == [
        {"run_id": run.id, "metrics.loss{rank=10}.min": 100.0, "metrics.loss.min": 0.0}
    ]


def test_runs_are_rows_and_what_one_does_not_have_is_null(client: gnomon.Client, runs: list[str]) -> None:
    frame = client.experiment("fraud").runs()
    rows = frame.arrow().to_pylist()
    assert [row["run_id"] for row in rows] == runs
    assert (rows[0]["params.lr"], rows[0]["metrics.acc"], rows[0]["tags.team"]) == ("1e-05", 0.75, "risk")
    assert (rows[1]["params.lr"], rows[1]["metrics.acc"], rows[1]["end_time"]) == (None, None, None)
    assert (rows[0]["status"], rows[1]["status"]) == ("finished", "running")
    assert rows[0]["end_time"] >= rows[0]["start_time"]
    assert frame.polars()["metrics.acc"].to_list() == [0.75, None]
    assert frame.pandas()["metrics.acc"].isna().to_list() == [False, True]


def test_runs_can_be_filtered_ordered_and_cut_to_columns(client: gnomon.Client, runs: list[str]) -> None:
    experiment = client.experiment("fraud")
    assert experiment.runs("params.opt = 'adam'").arrow().column("run_id").to_pylist() == runs[:1]
    chosen = experiment.runs(columns=["metrics.loss.min", "params.lr", "name"], order_by="name asc").arrow()
    assert chosen.to_pylist() == [
        {"run_id": runs[1], "metrics.loss.min": None, "params.lr": None, "name": "bare"},
        {"run_id": runs[0], "metrics.loss.min": -0.0, "params.lr": "1e-05", "name": "full"},
    ]
    assert len(client.experiment(experiment.id).runs("name = 'nobody'")) == 0
    with pytest.raises(gnomon.GnomonError, match="no experiment named"):
        client.experiment("nothing")


def test_views_purging_and_live_events_have_typed_calls(client: gnomon.Client, runs: list[str]) -> None:
    experiment = client.experiment("fraud").id
    made = client.views.create(experiment, "mine", "q=1")
    assert client.views.replace(experiment, made.id, "ours", "q=2").name == "ours"
    assert [view.state for view in client.views.list(experiment).views] == ["q=2"]
    assert client.views.delete(experiment, made.id).id == made.id
    events = client.live.watch(experiment)
    assert next(events).kind in ("experiment", "run", "metrics", "reset")
    events.close()  # type: ignore[attr-defined]  # a generator, which is what a loop leaves
    client.runs.archive(runs[1])
    assert client.runs.purge(runs[1]).purged
    client.experiments.archive(experiment)
    assert client.experiments.purge(experiment).id == experiment


def test_events_are_read_however_the_stream_is_cut() -> None:
    stream = b': hello\n\nid: 7\nevent: run\ndata: {"id": "a"}\n\nevent: reset\ndata: {"reason": "behind"}\n\n'
    for size in (1, 3, 1000):
        events = [*read_events(stream[i : i + size] for i in range(0, len(stream), size))]
        assert [(event.kind, event.last_id) for event in events] == [("run", "7"), ("reset", "7")]
        assert events[0].data == {"id": "a"}

"""The Python client against a real server: every room of it, as a script would use it."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.server_process import ServerProcess

import gnomon
from gnomon.wire import ExperimentResponse, MetricEntry

NAN = float("nan")
INF = float("inf")


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[gnomon.Client]:
    with gnomon.Client(server.base_url, tenant=tenant) as client:
        yield client


@pytest.fixture
def digits(client: gnomon.Client) -> ExperimentResponse:
    return client.experiments.create("digits", description="which optimiser?", tags={"team": "vision"})


def test_an_experiment_lives_through_all_its_calls(client: gnomon.Client, digits: ExperimentResponse) -> None:
    assert client.experiments.get(digits.id) == digits
    assert client.experiments.find("digits") == digits
    assert client.experiments.find("digit") is None
    changed = client.experiments.update(digits.id, name="letters", tags={"team": None, "owner": "ada"})
    assert (changed.name, changed.tags, changed.description) == ("letters", {"owner": "ada"}, "which optimiser?")
    assert client.experiments.archive(digits.id).lifecycle_stage == "deleted"
    assert [each.id for each in client.experiments.iterate()] == []
    assert [each.id for each in client.experiments.iterate(lifecycle_stage="deleted")] == [digits.id]
    assert client.experiments.find("letters") is not None, "an archived one has the name still"
    assert client.experiments.restore(digits.id).lifecycle_stage == "active"
    page = client.experiments.list(search="LETT", limit=1)
    assert (page.total, page.limit, [each.name for each in page.experiments]) == (1, 1, ["letters"])


def test_a_run_lives_through_all_its_calls(client: gnomon.Client, digits: ExperimentResponse) -> None:
    run = client.runs.create(digits.id, name="baseline", description="d", tags={"a": "1", "b": "2"})
    assert run.status == "running"
    logged = client.runs.log_params(run.id, {"lr": 1e-05, "bias": True, "opt": "adam", "depth": 3, "x": NAN})
    assert logged.params == 5
    client.runs.log_metrics(run.id, {"loss": 0.5, "acc": NAN}, step=1)
    client.runs.log_metrics(run.id, {"loss": 0.25, "acc": INF}, step=1.5, timestamp=1_700_000_000_000)
    changed = client.runs.update(run.id, description="better", tags={"a": None, "c": "3"})
    assert (changed.description, changed.tags) == ("better", {"b": "2", "c": "3"})
    assert changed.params == {"lr": "1e-05", "bias": "true", "opt": "adam", "depth": "3", "x": "NaN"}
    assert changed.metrics == {"loss": 0.25, "acc": INF}
    ended = client.runs.end(run.id, "failed")
    assert (ended.status, client.runs.end(run.id, "failed")) == ("failed", ended)
    assert client.runs.update(run.id, status="running").end_time is None
    assert client.runs.archive(run.id).lifecycle_stage == "deleted"
    assert client.runs.list([digits.id]).total == 0
    assert client.runs.list([digits.id], lifecycle_stage="deleted").total == 1
    assert client.runs.restore(run.id).lifecycle_stage == "active"
    assert client.runs.get(run.id).id == run.id


def test_runs_are_found_ordered_and_paged(client: gnomon.Client, digits: ExperimentResponse) -> None:
    made = [client.runs.create(digits.id, name=f"run {number}") for number in range(7)]
    for number, run in enumerate(made):
        client.runs.log_metrics(run.id, {"loss": 1.0 / (number + 1)})
        client.runs.log_params(run.id, {"parity": "odd" if number % 2 else "even"})
    page = client.runs.list([digits.id], filter="params.parity = 'odd'", order_by="metrics.loss asc", limit=2)
    assert (page.total, [run.name for run in page]) == (3, ["run 5", "run 3"])
    every = client.runs.iterate([digits.id], order_by=["params.parity asc", "name desc"], page=2)
    assert [run.name for run in every] == ["run 6", "run 4", "run 2", "run 0", "run 5", "run 3", "run 1"]
    assert client.runs.list(search="RUN 3").runs[0].id == made[3].id
    assert client.runs.list(status="finished").total == 0


def test_a_batch_is_kept_once_however_often_it_is_sent(client: gnomon.Client, digits: ExperimentResponse) -> None:
    run = client.runs.create(digits.id)
    points = [
        MetricEntry("loss", value, step, timestamp=1_700_000_000_000) for step, value in enumerate((1.0, NAN, 3.0))
    ]
    for _ in range(3):
        logged = client.runs.log_batch(run.id, metrics=points, params={"lr": 0.1}, tags={"a": "b"})
        assert (logged.metrics, logged.params, logged.tags) == (3, 1, 1)
    (series,) = client.metrics.history(run.id, ["loss"]).series
    assert (series.total, series.step) == (3, [0, 1, 2])
    assert math.isnan(series.value[1])
    (reduced,) = client.metrics.series([run.id], ["loss"])
    assert (sum(reduced.count), reduced.nonfinite, reduced.mean) == (2, 1, [1.0, None, 3.0])
    assert client.metrics.history_arrow(run.id).num_rows == 3
    table = client.experiments.table(digits.id, ["metrics.loss.n", "metrics.loss.mean"])
    assert table.columns == {"metrics.loss.n": [3.0], "metrics.loss.mean": [2.0]}
    assert client.runs.ledger(run.id).writers == [], "this client numbers no batches"


def test_points_come_back_exactly_in_every_form(client: gnomon.Client, digits: ExperimentResponse) -> None:
    run = client.runs.create(digits.id)
    values = [0.1, NAN, INF, -INF, 5e-324, 1.7976931348623157e308, -0.0]
    client.runs.log_batch(
        run.id, metrics=[MetricEntry("a/b c", value, step, timestamp=step) for step, value in enumerate(values)]
    )
    client.runs.log_metrics(run.id, {"other": 1.0}, step=2.5)
    (series,) = client.metrics.history(run.id, ["a/b c"]).series
    assert [value.hex() for value in series.value] == [value.hex() for value in values]
    assert (series.step, series.timestamp) == (list(range(7)), list(range(7)))
    page = client.metrics.history(run.id, ["a/b c"], limit=2, offset=5)
    assert [value.hex() for value in page.series[0].value] == [value.hex() for value in values[5:]]
    assert client.metrics.history(run.id, ["none"]).series[0].total == 0

    table = client.metrics.history_arrow(run.id).to_pylist()
    assert {row["key"] for row in table} == {"a/b c", "other"}
    assert [row["value"].hex() for row in table if row["key"] == "a/b c"] == [value.hex() for value in values]
    assert [row["step"] for row in table if row["key"] == "other"] == [2.5]

    (reduced,) = client.metrics.series([run.id], ["a/b c"], buckets=1000)
    assert (reduced.n, reduced.nonfinite) == (7, 3)
    assert max(value for value in reduced.max if value is not None) == 1.7976931348623157e308


def test_an_arrow_history_longer_than_one_block_is_whole(client: gnomon.Client, digits: ExperimentResponse) -> None:
    run = client.runs.create(digits.id)
    for start in range(0, 30_000, 10_000):
        entries = [MetricEntry(f"k{step % 3}", float(step), step) for step in range(start, start + 10_000)]
        client.runs.log_batch(run.id, metrics=entries)
    with client.metrics.stream_history(run.id) as reader:
        batches = [batch.num_rows for batch in reader]
    assert sum(batches) == 30_000
    table = client.metrics.history_arrow(run.id, ["k1"])
    assert table.column("value").to_pylist() == [float(step) for step in range(1, 30_000, 3)]


def test_views_over_an_experiment(client: gnomon.Client, digits: ExperimentResponse) -> None:
    for number, optimiser in enumerate(("adam", "adam", "sgd")):
        run = client.runs.create(digits.id, name=f"run {number}", tags={"team": "NaN"})
        client.runs.log_params(run.id, {"opt": optimiser})
        for step, value in enumerate((0.9, 0.1 * (number + 1), NAN)):
            client.runs.log_metrics(run.id, {"loss": value}, step=step)
    keys = {(key.kind, key.key): key.runs for key in client.experiments.iterate_keys(digits.id)}
    assert keys == {("metric", "loss"): 3, ("param", "opt"): 3, ("tag", "team"): 3}
    assert client.experiments.keys(digits.id, kind="param", prefix="o").total == 1

    columns = ["name", "metrics.loss.min", "metrics.loss", "params.opt", "tags.team"]
    table = client.experiments.table(digits.id, columns, order_by="name asc", limit=2)
    assert (table.total, len(table.run_ids)) == (3, 2)
    assert table.columns["name"] == ["run 0", "run 1"]
    assert table.columns["metrics.loss.min"] == [0.1, 0.2]
    assert all(isinstance(value, float) and math.isnan(value) for value in table.columns["metrics.loss"])
    assert table.columns["tags.team"] == ["NaN", "NaN"], "a tag of that text stays text"

    assert client.experiments.table(digits.id, ["name"], lifecycle_stage="deleted").total == 0

    groups = client.experiments.groups(digits.id, ["params.opt"], columns=["metrics.loss.min"])
    assert {group.values["params.opt"]: group.n for group in groups.groups} == {"adam": 2, "sgd": 1}
    adam = next(group for group in groups.groups if group.values["params.opt"] == "adam")
    assert adam.aggregates["metrics.loss.min"]["mean"] == pytest.approx(0.15)


def test_runs_are_compared(client: gnomon.Client, digits: ExperimentResponse) -> None:
    first, second = client.runs.create(digits.id, name="a"), client.runs.create(digits.id, name="b")
    client.runs.log_batch(first.id, metrics=[MetricEntry("loss", 0.3), MetricEntry("acc", NAN)], params={"lr": 0.1})
    client.runs.log_batch(second.id, metrics=[MetricEntry("loss", 0.2)], params={"lr": 0.2})
    answer = client.runs.compare([first.id, second.id])
    loss = answer.comparison.metric_comparison["loss"]
    assert (loss.direction, loss.best_run_id, loss.best_value) == ("min", second.id, 0.2)
    assert answer.comparison.param_differences == {"lr": {first.id: "0.1", second.id: "0.2"}}
    assert answer.comparison.best_run == second.id
    assert math.isnan(answer.runs[0].metrics["acc"])
    turned = client.runs.compare([first.id, second.id], metrics=["loss"], directions={"loss": "max"})
    assert turned.comparison.metric_comparison["loss"].best_run_id == first.id


def test_files_come_back_byte_for_byte(client: gnomon.Client, digits: ExperimentResponse, tmp_path: Path) -> None:
    run = client.runs.create(digits.id)
    data = bytes(range(256)) * 5000
    source = tmp_path / "größe 1.bin"
    source.write_bytes(data)
    logged = client.artifacts.log(run.id, source, artifact_path="models/deep")
    assert (logged.artifact, logged.size) == ("models/deep/größe 1.bin", len(data))
    client.artifacts.log(run.id, b"", name="empty.txt")
    client.artifacts.log(run.id, b"old", name="note.txt")
    client.artifacts.log(run.id, b"new", name="note.txt")

    assert [(each.path, each.is_dir) for each in client.artifacts.list(run.id).artifacts] == [
        ("empty.txt", False),
        ("models", True),
        ("note.txt", False),
    ]
    assert {each.path for each in client.artifacts.walk(run.id)} == {"empty.txt", "models/deep/größe 1.bin", "note.txt"}
    assert {each.path for each in client.artifacts.walk(run.id, "models")} == {"models/deep/größe 1.bin"}
    assert client.artifacts.read(run.id, "note.txt") == b"new"
    written = client.artifacts.download(run.id, logged.artifact, tmp_path / "down")
    assert written == tmp_path / "down" / "models" / "deep" / "größe 1.bin"
    assert written.read_bytes() == data


def test_refusals_are_exceptions_that_say_what_to_do(client: gnomon.Client, digits: ExperimentResponse) -> None:
    with pytest.raises(gnomon.AlreadyExists, match="digits") as taken:
        client.experiments.create("digits")
    assert (taken.value.status, taken.value.code) == (400, "already_exists")
    with pytest.raises(gnomon.NotFound) as missing:
        client.runs.get("0" * 32)
    assert missing.value.code == "run_not_found"
    run = client.runs.create(digits.id)
    client.runs.log_params(run.id, {"lr": 1})
    with pytest.raises(gnomon.ParamConflict):
        client.runs.log_params(run.id, {"lr": 2})
    with pytest.raises(gnomon.InvalidRequest) as wrong:
        client.runs.list(filter="metrics.loss <")
    assert wrong.value.errors
    with pytest.raises(gnomon.NotFound):
        client.artifacts.read(run.id, "none.txt")
    with pytest.raises(gnomon.InvalidRequest):
        client.artifacts.log(run.id, b"x", name="a.txt", artifact_path="../up")


def test_another_tenants_run_is_denied(
    server: ServerProcess, client: gnomon.Client, digits: ExperimentResponse
) -> None:
    run = client.runs.create(digits.id)
    with gnomon.Client(server.base_url, tenant="somebody-else") as other:
        with pytest.raises(gnomon.AccessDenied):
            other.runs.get(run.id)
        assert other.experiments.find("digits") is None

"""`gnomon import tensorboard` with the files of a real writer: all arrives, exactly, once; what cannot is said."""

import json
import math
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tensorboardX import SummaryWriter

from gnomon.cli import cli
from gnomon.client import Client
from gnomon.importing import destination
from tests.support.server_process import ServerProcess

T0 = 1_700_000_000.0


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[Client]:
    with Client(server.base_url, tenant=tenant) as client:
        yield client


def gn(server: ServerProcess, tenant: str, *args: object) -> Result:
    command = ["--url", server.base_url, "--tenant", tenant, "import", "tensorboard", *map(str, args)]
    return CliRunner().invoke(cli, command)


def report(result: Result) -> Any:
    assert result.stderr == "" or result.exit_code == 0, result.output
    return json.loads(result.stdout)


def write_scalars(folder: Path, steps: range, tag: str = "train/loss") -> None:
    writer = SummaryWriter(str(folder))
    for step in steps:
        writer.add_scalar(tag, 1 / (step + 1), step, walltime=T0 + step / 8)
    writer.close()


def event_file(folder: Path) -> Path:
    (found,) = folder.glob("*tfevents*")
    return found


def test_scalars_arrive_with_step_time_and_exact_value(
    server: ServerProcess, tenant: str, client: Client, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    write_scalars(logs / "one", range(500))
    writer = SummaryWriter(str(logs / "two"))
    for step, value in enumerate((math.nan, math.inf, -math.inf, -0.0, 1e-45, 3.4028234663852886e38)):
        writer.add_scalar("odd", value, step, walltime=T0)
    writer.close()
    found = report(gn(server, tenant, logs, "--json"))
    assert (found["equal"], found["points"], found["experiment"], found["unmapped"]) == (True, 506, "logs", [])
    one, two = (client.runs.get(run["run_id"]) for run in found["runs"])
    assert (one.name, one.status, one.start_time) == ("one", "finished", "2023-11-14T22:13:20.000Z")
    assert (one.duration_ms, one.tags) == (62_375, {"gnomon.imported_from": "tensorboard"})
    (series,) = client.metrics.history(one.id).series
    assert series.step == [*range(500)]
    assert series.timestamp == [round((T0 + step / 8) * 1000) for step in range(500)]
    assert series.value == [struct.unpack("<f", struct.pack("<f", 1 / (step + 1)))[0] for step in range(500)]
    (odd,) = client.metrics.history(two.id).series
    assert [repr(value) for value in odd.value] == [
        "nan",
        "inf",
        "-inf",
        "-0.0",
        repr(2.0**-149),
        repr(2.0**128 * (1 - 2.0**-24)),
    ]


def test_the_report_has_counts_sums_and_hashes_of_both_ends(server: ServerProcess, tenant: str, tmp_path: Path) -> None:
    write_scalars(tmp_path / "logs", range(64), tag="x")
    (run,) = report(gn(server, tenant, tmp_path / "logs", "--json"))["runs"]
    (series,) = run["series"]
    assert series["source"] == series["server"]
    assert series["source"]["points"] == 64
    assert series["source"]["total"] == math.fsum(np.float32(1 / (n + 1)) for n in range(64))
    assert len(series["source"]["sha256"]) == 64
    people = gn(server, tenant, tmp_path / "logs")
    assert people.exit_code == 0
    assert "64 points of 1 series and 0 files in 1 runs; count, sum and hash of each series are equal" in people.stdout


def test_pictures_texts_histograms_and_hyperparameters_arrive(
    server: ServerProcess, tenant: str, client: Client, tmp_path: Path
) -> None:
    writer = SummaryWriter(str(tmp_path / "logs"))
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    writer.add_image("samples/first", pixels, 3, dataformats="HWC", walltime=T0)
    writer.add_image("samples/first", 255 - pixels, 3, dataformats="HWC", walltime=T0)
    writer.add_text("notes", "a **note**\nof two lines", 7, walltime=T0)
    values = np.linspace(-1, 1, 1000)
    writer.add_histogram("weights", values, 9, walltime=T0)
    writer.close()
    hparams = SummaryWriter(str(tmp_path / "logs" / "tuned"))
    hparams.add_hparams({"lr": 0.1, "layers": 3, "optimiser": "adam", "bias": True}, {"accuracy": 0.5}, name=".")
    hparams.close()
    found = report(gn(server, tenant, tmp_path / "logs", "--json"))
    assert found["equal"] is True
    run_id = found["runs"][0]["run_id"]
    files = {each.path: each for each in client.artifacts.walk(run_id)}
    assert set(files) == {
        "media/images/samples/first/3.png",
        "media/images/samples/first/3_1.png",
        "media/text/notes/text_summary/7.txt",
        "media/histograms/weights/9.json",
    }
    assert client.artifacts.read(run_id, "media/text/notes/text_summary/7.txt") == b"a **note**\nof two lines"
    assert client.artifacts.read(run_id, "media/images/samples/first/3.png").startswith(b"\x89PNG")
    histogram = json.loads(client.artifacts.read(run_id, "media/histograms/weights/9.json"))
    assert (histogram["total"], sum(histogram["counts"]), histogram["min"], histogram["max"]) == (1000, 1000, -1, 1)
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    assert histogram["edges"] == sorted(histogram["edges"])
    tuned = next(run for run in found["runs"] if run["name"].startswith("tuned"))
    run = client.runs.get(tuned["run_id"])
    assert run.params == {"lr": "0.1", "layers": "3", "optimiser": "adam", "bias": "true"}
    assert run.metrics == {"accuracy": 0.5}


def test_imported_again_after_growth_or_a_broken_import_nothing_is_doubled_or_lost(
    server: ServerProcess, tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination, "BATCH_POINTS", 40)
    whole = tmp_path / "whole"
    write_scalars(whole, range(300))
    data = event_file(whole).read_bytes()
    logs = tmp_path / "logs"
    logs.mkdir()
    sent = []
    for part in (len(data) // 7, len(data) // 2, len(data) // 2, len(data)):
        (logs / event_file(whole).name).write_bytes(data[:part])
        (run,) = report(gn(server, tenant, logs, "--json"))["runs"]
        assert run["equal"] is True
        sent.append(run["sent"])
    assert sum(sent) == 300
    assert sent[2] == 0
    assert run["series"][0]["server"]["points"] == 300


def test_a_torn_end_and_a_broken_record_are_read_up_to_and_counted(
    server: ServerProcess, tenant: str, tmp_path: Path
) -> None:
    for name in ("torn", "broken"):
        write_scalars(tmp_path / "logs" / name, range(10))
    torn, broken = event_file(tmp_path / "logs" / "torn"), event_file(tmp_path / "logs" / "broken")
    data = torn.read_bytes()
    torn.write_bytes(data[:-5])
    record = (len(data) - 40) // 2
    spoilt = bytearray(broken.read_bytes())
    spoilt[record] ^= 1
    broken.write_bytes(spoilt)
    found = report(gn(server, tenant, tmp_path / "logs", "--json"))
    by_name = {run["name"]: run for run in found["runs"]}
    assert by_name["torn"]["series"][0]["server"]["points"] == 9
    assert 0 < by_name["broken"]["series"][0]["server"]["points"] < 10
    assert found["equal"] is True
    reasons = {each["source"]: each["reason"] for each in found["unmapped"]}
    assert "ends within a record" in reasons["torn"]
    assert "checksum" in reasons["broken"]


def test_what_cannot_be_mapped_is_listed(server: ServerProcess, tenant: str, client: Client, tmp_path: Path) -> None:
    writer = SummaryWriter(str(tmp_path / "logs"))
    writer.add_pr_curve("curve", np.array([0, 1, 1]), np.array([0.1, 0.9, 0.8]), 1, walltime=T0)
    writer.add_scalar("long/" * 60, 1.0, 2, walltime=T0)
    writer.close()
    found = report(gn(server, tenant, tmp_path / "logs", "--json"))
    assert [(each["kind"], each["name"]) for each in found["unmapped"]] == [
        ("name", "long/" * 60),
        ("pr_curves", "curve"),
    ]
    assert list(client.runs.get(found["runs"][0]["run_id"]).metrics) == ["long/" * 50]


def test_a_folder_without_event_files_is_one_sentence(server: ServerProcess, tenant: str, tmp_path: Path) -> None:
    result = gn(server, tenant, tmp_path)
    assert result.exit_code == 1
    assert "there is no event file" in result.stderr
    assert "Traceback" not in result.stderr


def test_event_files_of_noise_are_one_sentence(server: ServerProcess, tenant: str, tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(bytes(range(256)) * 9)
    result = gn(server, tenant, tmp_path)
    assert result.exit_code == 1
    assert "can be imported: " in result.stderr
    assert "fails its checksum" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_server_that_is_not_there_is_one_sentence_that_says_how_to_go_on(tmp_path: Path) -> None:
    write_scalars(tmp_path / "logs", range(5))
    result = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:9", "import", "tensorboard", str(tmp_path / "logs")])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "no server answers" in result.stderr
    assert "the same command goes on where it stopped" in result.stderr


def test_the_same_folder_in_two_experiments_makes_two_runs(server: ServerProcess, tenant: str, tmp_path: Path) -> None:
    write_scalars(tmp_path / "logs", range(5))
    shutil.copytree(tmp_path / "logs", tmp_path / "elsewhere" / "logs")
    first = report(gn(server, tenant, tmp_path / "logs", "--json"))["runs"][0]["run_id"]
    moved = report(gn(server, tenant, tmp_path / "elsewhere" / "logs", "--json"))["runs"][0]["run_id"]
    other = report(gn(server, tenant, tmp_path / "logs", "--experiment", "b", "--json"))["runs"][0]["run_id"]
    assert first == moved != other


def test_the_tensors_of_tensorflow_2_are_read_like_the_old_form(
    server: ServerProcess, tenant: str, client: Client
) -> None:
    """`data/tensorboard` was made by `tests/trainers/scripts/tensorboard_logs.py` with TensorBoard's own writer."""
    found = report(gn(server, tenant, Path(__file__).parent / "data" / "tensorboard", "--json"))
    assert (found["equal"], found["unmapped"]) == (True, [])
    run = client.runs.get(found["runs"][0]["run_id"])
    assert (run.name, run.status) == ("tensors", "failed")
    assert run.params == {"lr": "0.1", "optimiser": "adam", "bias": "true"}
    (loss,) = client.metrics.history(run.id).series
    assert (loss.key, loss.step, math.isnan(loss.value[20])) == ("epoch_loss", [*range(21)], True)
    assert loss.value[:20] == [float(np.float32(1 / (step + 1))) for step in range(20)]
    assert loss.timestamp == [round((T0 + step / 4) * 1000) for step in range(21)]
    histogram = json.loads(client.artifacts.read(run.id, "media/histograms/weights/5.json"))
    assert (histogram["total"], len(histogram["counts"]), histogram["edges"][0]) == (500, 10, -1)
    assert client.artifacts.read(run.id, "media/text/notes/6.txt") == b"of **TensorFlow 2**"


def test_an_import_that_is_killed_goes_on_where_it_stopped(
    server: ServerProcess, tenant: str, client: Client, tmp_path: Path
) -> None:
    """Killed each time as soon as the server has more than before, and at last let through."""
    write_scalars(tmp_path / "logs", range(30_000))
    command = [sys.executable, "-m", "gnomon", "--url", server.base_url, "--tenant", tenant]
    command += ["import", "tensorboard", str(tmp_path / "logs"), "--json"]
    batches = [sys.executable, "-c", _IN_SMALL_BATCHES, *command[3:]]
    kept = 0
    for _ in range(3):
        importing = subprocess.Popen(batches, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while importing.poll() is None and _points(client) <= kept:
            time.sleep(0.005)
        importing.kill()
        importing.wait()
        kept = _points(client)
        assert 0 < kept < 30_000
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["equal"], found["points"]) == (True, 30_000)
    # The batch that was on its way when its sender was killed may have been kept after it was counted here.
    assert found["runs"][0]["sent"] in (30_000 - kept, 30_000 - kept - 200)
    assert _points(client) == 30_000


_IN_SMALL_BATCHES = """
import sys
from gnomon.cli import cli
from gnomon.importing import destination
destination.BATCH_POINTS = 200
cli(sys.argv[1:])
"""


def _points(client: Client) -> int:
    runs = client.runs.list().runs
    return sum(writer.points for run in runs for writer in client.runs.ledger(run.id).writers)

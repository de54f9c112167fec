"""`gnomon import wandb` with a run that wandb wrote offline: all of it arrives, exactly, once; what cannot is said.

`data/wandb` was made by `tests/trainers/scripts/wandb_run.py` with wandb 0.31.0; the nightly suite makes it anew.
"""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gnomon.cli import cli
from gnomon.client import Client
from gnomon.importing import destination
from tests.support.server_process import ServerProcess

DATA = Path(__file__).parent / "data" / "wandb"
LOG = "offline-run-20261123_120000-abc12345/run-abc12345.wandb"


@pytest.fixture
def client(server: ServerProcess, tenant: str) -> Iterator[Client]:
    with Client(server.base_url, tenant=tenant) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return shutil.copytree(DATA, tmp_path / "wandb")


def gn(server: ServerProcess, tenant: str, *args: object) -> Result:
    return CliRunner().invoke(cli, ["--url", server.base_url, "--tenant", tenant, "import", "wandb", *map(str, args)])


def imported(server: ServerProcess, tenant: str, folder: Path, *more: str) -> Any:
    result = gn(server, tenant, folder, "--json", *more)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_run_arrives_with_its_config_history_and_end(server: ServerProcess, tenant: str, client: Client) -> None:
    found = imported(server, tenant, DATA)
    assert (found["equal"], found["experiment"], len(found["runs"])) == (True, "fraud", 1)
    run = client.runs.get(found["runs"][0]["run_id"])
    assert (run.name, run.description, run.status) == ("first", "made for a test", "finished")
    assert run.params == {
        "lr": "0.1",
        "optimiser/name": "adam",
        "optimiser/betas": "[0.9, 0.999]",
        "late": "true",
    }
    assert run.tags == {
        "baseline": "true",
        "gnomon.imported_from": "wandb",
        "wandb.run": "fraud/abc12345",
        "wandb.group": "sweep 1",
        "wandb.job_type": "train",
        "wandb.host": "trainer",
        "wandb.artifact.model": "model, latest",
        "wandb.step_metric.val/*": "epoch",
    }
    series = {each.key: each for each in client.metrics.history(run.id).series}
    assert series["loss"].step == [*range(40), 50]
    assert series["loss"].value == [*(1 / (i + 1) for i in range(40)), math.inf]
    assert series["nested/a"].value == [*range(40)]
    assert [math.isnan(value) for value in series["nested/b"].value] == [i % 10 == 0 for i in range(40)]
    assert series["flag"].value == [i % 2 for i in range(40)]
    assert (series["epoch"].step, series["val/acc"].value) == ([0, 10, 20, 30], [0, 0.1, 0.2, 0.3])
    assert (series["x"].step, series["y"].value, series["large"].value) == ([50], [-math.inf], [2.0**60])
    assert series["best"].value == [0.25]
    assert series["loss/min"].value == [1 / 40]
    times = series["loss"].timestamp
    assert times == sorted(times)


def test_media_tables_and_files_arrive(server: ServerProcess, tenant: str, client: Client) -> None:
    found = imported(server, tenant, DATA)
    run_id = found["runs"][0]["run_id"]
    files = {each.path for each in client.artifacts.walk(run_id)}
    assert files == {
        "media/images/one/50.png",
        "media/images/one/50.json",
        "media/images/two/50.png",
        "media/images/two/50_1.png",
        "media/histograms/weights/50.json",
        "media/tables/predictions/50.json",
        "wandb/config.json",
        "wandb/summary.json",
        "wandb/values.jsonl",
        "wandb/files/media/html/page_50_a5652be1ca864d36d25c.html",
        "wandb/files/media/table/predictions_50_a06783d95056c3d92ed2.table.json",
    }
    assert json.loads(client.artifacts.read(run_id, "media/images/one/50.json")) == {"caption": "a caption"}
    histogram = json.loads(client.artifacts.read(run_id, "media/histograms/weights/50.json"))
    assert (histogram["total"], len(histogram["counts"]), histogram["edges"][0]) == (100, 8, -1)
    table = json.loads(client.artifacts.read(run_id, "media/tables/predictions/50.json"))
    assert [column["name"] for column in table["columns"]] == ["name", "score"]
    assert table["rows"] == [["cat", 0.5], ["dog", "NaN"]]
    lines = client.artifacts.read(run_id, "wandb/values.jsonl").decode().splitlines()
    assert {json.loads(line)["key"] for line in lines} == {"note", "page", "nothing", "list"}
    config = json.loads(client.artifacts.read(run_id, "wandb/config.json"))
    assert config["optimiser"] == {"name": "adam", "betas": [0.9, 0.999]}


def test_what_cannot_be_mapped_is_listed_with_the_reason(server: ServerProcess, tenant: str) -> None:
    found = imported(server, tenant, DATA)
    said = {(each["kind"], each["name"]): each["reason"] for each in found["unmapped"]}
    assert set(said) == {
        ("artifact", "model/weights.txt"),
        ("value", "list"),
        ("value", "note"),
        ("value", "nothing"),
        ("value", "page"),
    }
    assert "not on this machine" in said["artifact", "model/weights.txt"]
    people = gn(server, tenant, DATA).stdout
    assert "not mapped: abc12345: value note: str is no number; it is kept in wandb/values.jsonl" in people
    assert "equal at both ends" in people


def test_a_run_imported_while_it_grows_is_whole_in_the_end(
    server: ServerProcess, tenant: str, client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination, "BATCH_POINTS", 25)
    data = (folder / LOG).read_bytes()
    sent, statuses = 0, []
    for part in (len(data) // 4, len(data) // 2, len(data) // 2, len(data)):
        (folder / LOG).write_bytes(data[:part])
        found = imported(server, tenant, folder)
        (run,) = found["runs"]
        assert (run["equal"], run["name"]) == (True, "first")
        sent += run["sent"]
        statuses.append(client.runs.get(run["run_id"]).status)
    assert sent == found["points"]
    assert statuses == ["killed", "killed", "killed", "finished"]
    assert imported(server, tenant, folder)["runs"][0]["sent"] == 0


def test_imported_again_what_people_changed_stays(server: ServerProcess, tenant: str, client: Client) -> None:
    run_id = imported(server, tenant, DATA)["runs"][0]["run_id"]
    before = client.runs.update(run_id, name="a better name", description="what I think of it", tags={"mine": "yes"})
    assert imported(server, tenant, DATA)["equal"] is True
    assert client.runs.get(run_id) == before


def test_a_torn_end_is_read_up_to_and_counted(server: ServerProcess, tenant: str, folder: Path) -> None:
    data = (folder / LOG).read_bytes()
    (folder / LOG).write_bytes(data[:-10])
    reasons = [each["reason"] for each in imported(server, tenant, folder)["unmapped"] if each["kind"] == "damage"]
    assert len(reasons) == 1
    assert "the file ends within a record" in reasons[0]


def test_a_bit_that_flipped_is_noticed_and_no_point_is_made_of_it(
    server: ServerProcess, tenant: str, folder: Path
) -> None:
    data = bytearray((folder / LOG).read_bytes())
    data[len(data) // 2] ^= 4
    (folder / LOG).write_bytes(data)
    found = imported(server, tenant, folder)
    assert [each["name"] for each in found["unmapped"] if each["kind"] == "damage"] == ["run-abc12345.wandb"]
    assert found["equal"] is True


def test_a_file_that_is_none_of_wandbs_is_listed_and_the_others_are_imported(
    server: ServerProcess, tenant: str, folder: Path
) -> None:
    (folder / "run-x.wandb").write_bytes(b"something else")
    (folder / "run-y.wandb").write_bytes(b"")
    found = imported(server, tenant, folder, "--experiment", "elsewhere")
    assert (len(found["runs"]), found["experiment"]) == (1, "elsewhere")
    assert {each["name"] for each in found["unmapped"] if each["kind"] == "run"} == {"run-x.wandb", "run-y.wandb"}


def test_missing_media_and_names_that_lead_elsewhere_are_listed(
    server: ServerProcess, tenant: str, folder: Path
) -> None:
    media = folder / Path(LOG).parent / "files" / "media"
    picture = next(media.glob("images/one*"))
    picture.unlink()
    picture.symlink_to("/etc/hostname")
    shutil.rmtree(media / "table")
    found = imported(server, tenant, folder)
    missing = {each["name"].split("_")[0] for each in found["unmapped"] if each["kind"] == "file"}
    assert missing == {"media/images/one", "media/table/predictions"}
    assert found["equal"] is True


def test_a_folder_without_runs_is_one_sentence(server: ServerProcess, tenant: str, tmp_path: Path) -> None:
    result = gn(server, tenant, tmp_path)
    assert (result.exit_code, "there is no run of wandb" in result.stderr) == (1, True)


def test_runs_that_cannot_be_read_are_one_sentence(server: ServerProcess, tenant: str, tmp_path: Path) -> None:
    (tmp_path / "run-a").mkdir()
    (tmp_path / "run-a" / "run-a.wandb").write_bytes(b"no log at all")
    result = gn(server, tenant, tmp_path)
    assert result.exit_code == 1
    assert "can be imported: run-a: run run-a.wandb: " in result.stderr
    assert "Traceback" not in result.stderr

"""Backups: taken under load, put back and compared; one wrong byte anywhere is found."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pysqlite3.dbapi2 as sqlite
import pytest
from tests.support.secured import gnomon
from tests.support.server_process import ServerProcess

from gnomon_server.commands.home import opened_home
from gnomon_server.store import backup
from gnomon_server.store.backup import BackupError
from gnomon_server.store.meta import audit

BATCH = 50


def _nothing(_what: str, _done: int, _total: int) -> None:
    """No progress is shown."""


def _fill(server: ServerProcess, name: str) -> str:
    with server.client("t1") as api:
        experiment = api.post("/experiments", json={"name": name}).json()["id"]
        run = str(api.post("/experiments/runs", json={"experiment_id": experiment}).json()["id"])
        for file in ("a.bin", "b.bin"):
            answer = api.post(f"/experiments/runs/{run}/log-artifact", files={"file": (file, file.encode() * 1000)})
            assert answer.status_code == 200
    return run


class _Load:
    """One writer of batches, and how many batches it was told are kept."""

    def __init__(self, server: ServerProcess, run: str) -> None:
        self.kept = 0
        self._stop = threading.Event()
        self._client = server.client("t1")
        self._run = run
        self.thread = threading.Thread(target=self._log)
        self.thread.start()

    def _log(self) -> None:
        while not self._stop.is_set():
            points = {"key": [0] * BATCH, "step": list(range(self.kept * BATCH, (self.kept + 1) * BATCH))}
            batch = {
                "writer": "w",
                "seq": self.kept,
                "points": {**points, "keys": ["loss"], "timestamp": [1] * BATCH, "value": [0.5] * BATCH},
            }
            answer = self._client.post(f"/experiments/runs/{self._run}/batches", json=batch)
            assert answer.status_code == 200, answer.text
            self.kept += 1

    def stop(self) -> None:
        self._stop.set()
        self.thread.join()
        self._client.close()


def _points(api: httpx.Client, run: str) -> int:
    answer = api.get(f"/experiments/runs/{run}/history", params={"key": "loss", "limit": 1})
    return int(answer.json()["series"][0]["total"])


def test_a_backup_taken_under_load_holds_what_was_acknowledged_before(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home").start()
    run = _fill(server, "fraud")
    load = _Load(server, run)
    while load.kept < 5:
        assert load.thread.is_alive()
    before = load.kept
    taken = gnomon("backup", str(tmp_path / "backups"), "--home", str(server.home), "--json")
    after = load.kept
    assert taken.returncode == 0, taken.stderr
    again = gnomon("backup", "take", str(tmp_path / "backups"), "--home", str(server.home), "--json")
    load.stop()
    assert server.stop() == 0
    assert again.returncode == 0, again.stderr
    assert json.loads(taken.stdout)["manifest"]["contents"] == 2
    assert len(backup.find(tmp_path / "backups")) == 2
    name = Path(json.loads(taken.stdout)["backup"]).name
    verified = gnomon("backup", "verify", str(tmp_path / "backups"), "--at", name)
    assert verified.returncode == 0, verified.stderr
    restored = gnomon("restore", str(tmp_path / "backups"), "--at", name, "--home", str(tmp_path / "new"))
    assert restored.returncode == 0, restored.stderr

    other = ServerProcess(tmp_path / "new").start()
    with other.client("t1") as api:
        points = _points(api, run)
        # What was acknowledged before is in it; a batch is in it whole or not at all.
        assert before * BATCH <= points <= (after + 1) * BATCH
        assert points % BATCH == 0
        for file in ("a.bin", "b.bin"):
            assert api.get(f"/experiments/runs/{run}/artifacts/{file}").content == file.encode() * 1000
        kept = points // BATCH
        late = {"writer": "w", "seq": kept - 1}
        assert api.post(f"/experiments/runs/{run}/batches", json=late).json()["duplicate"] is True
    assert other.stop() == 0
    assert _told(server.home) == ["backup.take", "backup.take"]
    assert _told(other.home) == ["backup.restore"]  # the copy was made before the entry


def _told(home: Path) -> list[str]:
    with opened_home(home) as opened, opened.database.system() as connection:
        return [entry.action for entry in audit.walk(connection) if entry.target.endswith("Z")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one whole backup."""
    root = tmp_path_factory.mktemp("backup")
    server = ServerProcess(root / "home").start()
    _fill(server, "fraud")
    assert server.stop() == 0
    backup.take(root / "home" / "gnomon.db", root / "home" / "artifacts", root / "backups", progress=_nothing)
    return root / "backups"


def test_a_restored_home_is_equal_row_by_row_and_byte_by_byte(folder: Path, tmp_path: Path) -> None:
    (place,) = backup.find(folder)
    manifest = backup.restore(place, tmp_path / "new", progress=_nothing)
    assert manifest == backup.verify(place, progress=_nothing)
    rows = []
    for path in (folder.parent / "home" / "gnomon.db", tmp_path / "new" / "gnomon.db"):
        connection = sqlite.connect(str(path))
        rows.append({name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in manifest.rows})
        connection.close()
    assert rows[0] == rows[1]
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (folder.parent / "home" / "artifacts", tmp_path / "new" / "artifacts")
    ]
    assert files[0] == files[1]
    assert len(files[0]) == 2


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def _content(root: Path) -> Path:
    return next(path for path in sorted((root / "contents").rglob("*")) if path.is_file())


def _place(root: Path) -> Path:
    return backup.find(root)[0]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "the database's head": lambda root: _flip(_place(root) / "gnomon.db", 10),
    "the database's middle": lambda root: _flip(
        _place(root) / "gnomon.db", (_place(root) / "gnomon.db").stat().st_size // 2
    ),
    "the database's end": lambda root: _flip(_place(root) / "gnomon.db", -1),
    "no database": lambda root: (_place(root) / "gnomon.db").unlink(),
    "a content": lambda root: _flip(_content(root), 7),
    "a shorter content": lambda root: _content(root).write_bytes(b"short"),
    "no content": lambda root: _content(root).unlink(),
    "a number of the manifest": lambda root: (_place(root) / "manifest.json").write_text(
        (_place(root) / "manifest.json").read_text().replace('"run_": 1', '"run_": 2')
    ),
    "the manifest": lambda root: (_place(root) / "manifest.json").write_text("{"),
    "another format": lambda root: (_place(root) / "manifest.json").write_text(
        (_place(root) / "manifest.json").read_text().replace('"format": 1', '"format": 2')
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_any_damage_is_found_and_nothing_is_put_back(folder: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(folder, tmp_path / "backups")
    place = _place(tmp_path / "backups")
    DAMAGES[damage](tmp_path / "backups")
    with pytest.raises(BackupError):
        backup.verify(place, progress=_nothing)
    with pytest.raises(BackupError):
        backup.restore(place, tmp_path / "new", progress=_nothing)
    assert not (tmp_path / "new" / "gnomon.db").exists()


def test_a_backup_that_was_interrupted_is_none(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "backups")
    (_place(tmp_path / "backups") / "manifest.json").unlink()
    assert backup.find(tmp_path / "backups") == []
    refused = gnomon("backup", "verify", str(tmp_path / "backups"))
    assert refused.returncode == 1
    assert "holds no backup" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_cannot_be_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    refused = gnomon("restore", str(folder), "--home", str(tmp_path / "full"))
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]
    absent = gnomon("backup", str(tmp_path / "backups"), "--home", str(tmp_path / "nothing"))
    assert absent.returncode == 1
    assert "there is no database" in absent.stderr
    assert not (tmp_path / "nothing").exists()

"""Files go beside the points: a large one holds up no curve, and a run has ended only when its files are there."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.ledger_model import LedgerModel

from gnomon import drain as draining
from gnomon.copies import keep_copy
from gnomon.cursor import load_cursor
from gnomon.drain import Drain
from gnomon.errors import AccessDenied, ConnectionFailed, InvalidRequest
from gnomon.record import Artifact, End, Header, Points, encode
from gnomon.spool import SpoolWriter
from gnomon.uploader import Uploader, drain_dead

RUN = "1" * 32
HEADER = Header(run=RUN, writer="w1", first_record=0, pid=1, host="h", start_ms=5, experiment="fraud")
PATIENCE_SECS = 60.0


class SlowFiles(LedgerModel):
    """Takes files only once the gate is open, and counts how many it was offered before."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.offered: list[str] = []
        self.answers: list[Exception] = []

    def artifact(self, run: str, source: Path | bytes, *, name: str, directory: str | None) -> None:
        self.offered.append(name)
        if self.answers:
            raise self.answers.pop(0)
        if isinstance(source, Path):
            assert self.gate.wait(PATIENCE_SECS)
        super().artifact(run, source, name=name, directory=directory)


class World:
    """One writer, its sender and its server."""

    def __init__(self, folder: Path) -> None:
        self.server = SlowFiles()
        self.writer = SpoolWriter(folder / RUN / "w", HEADER)
        self.uploader = Uploader(self.writer, self.server, root=folder, jitter=lambda: 0.0)
        self.uploader.start()

    def log_file(self, name: str, content: bytes) -> Artifact:
        stored, size = keep_copy(content, self.writer.folder)
        file = Artifact(1, stored, name, None, size)
        self.writer.append(encode(file))
        return file

    def log(self, step: int) -> None:
        self.writer.append(encode(Points(step, float(step), {"loss": float(step)})))

    def copies(self) -> int:
        folder = self.writer.folder / "artifacts"
        return len(list(folder.iterdir())) if folder.exists() else 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


def send_all(drain: Drain) -> None:
    while drain.step():
        pass


def test_points_logged_after_a_file_arrive_before_it(world: World) -> None:
    world.log_file("model.bin", b"m")
    for step in range(5):
        world.log(step)
    assert not world.uploader.flush(0.2)
    until(lambda: world.server.points.total() == 5)
    assert world.server.artifacts == {}
    world.server.gate.set()
    assert world.uploader.close(PATIENCE_SECS)
    assert world.server.artifacts == {"None/model.bin": b"m"}
    assert not world.writer.folder.exists()


def test_a_run_ends_after_its_files(world: World) -> None:
    world.log_file("model.bin", b"m")
    world.writer.append(encode(End(9, "finished")))
    assert not world.uploader.flush(0.2)
    assert world.server.status.get(RUN) is None
    world.server.gate.set()
    assert world.uploader.close(PATIENCE_SECS)
    assert (world.server.status[RUN], len(world.server.artifacts)) == ("finished", 1)


def test_of_two_files_at_one_path_the_later_one_stays(world: World) -> None:
    world.log_file("best.bin", b"first")
    world.writer.append(encode(Artifact(1, "", "best.bin", None, 5, b"small")))
    world.server.gate.set()
    assert world.uploader.flush(PATIENCE_SECS)
    assert world.server.artifacts == {"None/best.bin": b"small"}
    world.log_file("best.bin", b"third")
    assert world.uploader.close(PATIENCE_SECS)
    assert world.server.artifacts == {"None/best.bin": b"third"}


def test_a_file_is_tried_again_and_one_that_is_refused_is_set_aside(world: World) -> None:
    world.server.gate.set()
    world.server.answers = [ConnectionFailed("no route"), InvalidRequest("too long", status=400, code="invalid")]
    world.log_file("refused.bin", b"r")
    world.log_file("taken.bin", b"t")
    assert world.uploader.flush(PATIENCE_SECS)
    assert world.server.offered == ["refused.bin", "refused.bin", "taken.bin"]
    assert list(world.server.artifacts) == ["None/taken.bin"]
    assert world.copies() == 0
    assert "too long" in (world.writer.folder / "rejected" / "w1.jsonl").read_text()
    world.uploader.close(PATIENCE_SECS)


def test_a_file_that_a_key_may_not_send_waits_until_somebody_asks(world: World) -> None:
    world.server.gate.set()
    world.server.answers = [AccessDenied("not allowed", status=403, code="forbidden")]
    world.log_file("model.bin", b"m")
    until(lambda: bool(world.server.offered))
    assert world.uploader.flush(PATIENCE_SECS)
    assert list(world.server.artifacts) == ["None/model.bin"]
    assert world.uploader.close(PATIENCE_SECS)


def test_what_a_killed_job_had_handed_over_is_sent_by_the_next(world: World, tmp_path: Path) -> None:
    """The spool has gone past the file, the server never had it: the cursor still names it."""
    world.log_file("model.bin", b"m")
    world.log(1)
    until(lambda: world.server.points.total() == 1)
    until(lambda: len(load_cursor(world.writer.folder).files) == 1)
    left = tmp_path / "left" / RUN / "w"
    shutil.copytree(world.writer.folder, left)
    server = LedgerModel()
    server.status[RUN] = None
    drain_dead(left, lambda _header: server, fate="ended")
    assert server.artifacts == {"None/model.bin": b"m"}
    assert server.status[RUN] == "killed"
    assert not left.exists()


def test_more_files_than_the_cursor_names_wait_in_the_spool(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "MOST_FILES", 3)
    for n in range(10):
        world.log_file(f"{n}.bin", str(n).encode())
    until(lambda: len(load_cursor(world.writer.folder).files) == 3)
    world.server.gate.set()
    assert world.uploader.close(PATIENCE_SECS)
    assert world.server.offered == [f"{n}.bin" for n in range(10)]


def test_a_copy_is_removed_only_after_its_sending_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two, the file is sent once more; it is never taken for one that was lost."""
    writer = SpoolWriter(tmp_path / RUN / "w", HEADER)
    stored, size = keep_copy(b"m", writer.folder)
    writer.append(encode(Artifact(1, stored, "model.bin", None, size)))
    writer.close()
    server = LedgerModel()
    drain = Drain(writer.folder, lambda _header: server)
    real = draining.save_cursor

    def killed(*args: object) -> None:
        if server.artifacts:
            raise KeyboardInterrupt
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(draining, "save_cursor", killed)
    with pytest.raises(KeyboardInterrupt):
        send_all(drain)
    monkeypatch.setattr(draining, "save_cursor", real)
    server.artifacts.clear()
    after = drain_dead(writer.folder, lambda _header: server, fate="ended")
    assert (server.artifacts, after.cursor.rejected) == ({"None/model.bin": b"m"}, 0)

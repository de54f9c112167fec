"""Points whose chunks were moved to a real object store: read as before, merged, purged, and swept behind."""

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
from litestar.testing import TestClient
from tests.support.postgres import Cluster
from tests.support.seaweed import Seaweed

from gnomon_server.app import Server, open_server
from gnomon_server.core.mover import Mover
from gnomon_server.settings import Settings, load_settings
from gnomon_server.store.object_store import StoreRefused, open_objects, place_of

DAY_MS = 24 * 3_600_000
YEAR_MS = 365 * DAY_MS
POINTS = 3_000


@pytest.fixture
def env(seaweed: Seaweed, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    env = seaweed.env("")
    env["GNOMON_CHUNKS"] = f"s3://gnomon/chunks-{digest}"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return env


class World:
    """A server whose clock a test sets, two runs with some series, and all of their points as they were sent."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ahead_ms = 0
        self.open()
        self.sent: dict[str, dict[str, list[tuple[float, float]]]] = {}

    def open(self) -> None:
        self.server: Server = open_server(load_settings(home=str(self.home), seal_points=1_000), clock=self._now_ms)
        self._lifespan = TestClient(self.server.app)
        self.http: TestClient[Any] = self._lifespan.__enter__()
        self.server.mover.stop()  # a test says when chunks are moved
        self.chunks = self.server.mover.chunks
        self.mover = Mover(self.server.services.stores, self.chunks, age_hours=24, now_ms=self._now_ms)

    def _now_ms(self) -> int:
        return 1_800_000_000_000 + self.ahead_ms

    def close(self) -> None:
        self._lifespan.__exit__(None, None, None)
        self.server.close()

    def post(self, path: str, body: object) -> Any:
        answer = self.http.post(f"/api/v1/experiments{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def new_run(self) -> str:
        name = f"e{len(self.sent)}"
        run = str(self.post("/runs", {"experiment_id": self.post("", {"name": name})["id"]})["id"])
        self.sent[run] = {}
        return run

    def log(self, run: str, key: str, steps: range, seed: int = 0) -> None:
        rng = random.Random(seed)
        metrics = [
            {"key": key, "value": rng.gauss(0, 1), "step": step, "timestamp": self._now_ms() + step} for step in steps
        ]
        for start in range(0, len(metrics), 1_000):
            self.post(f"/runs/{run}/log-batch", {"metrics": metrics[start : start + 1_000]})
        self.sent[run].setdefault(key, []).extend((each["step"], each["value"]) for each in metrics)  # type: ignore[misc]

    def seal(self) -> None:
        while self._tail_points() >= 1_000:
            self.server.upkeep.seal_due()

    def _tail_points(self) -> int:
        with self.server.services.stores.database.system() as connection:
            return int(connection.exec_driver_sql("SELECT coalesce(sum(n), 0) FROM segment_").scalar_one())

    def move(self) -> int:
        self.mover.begin_pass()
        moved = self.mover.move_page()
        while not self.mover.is_done:
            moved += self.mover.move_page()
        return moved

    def read(self, run: str, key: str) -> httpx.Response:
        return self.http.get(f"/api/v1/experiments/runs/{run}/history", params={"key": key, "limit": 100_000})

    def check(self) -> None:
        """Every point is read back, and buckets count all of them."""
        for run, series in self.sent.items():
            for key, points in series.items():
                (found,) = self.read(run, key).json()["series"]
                assert list(zip(found["step"], found["value"], strict=True)) == sorted(
                    points, key=lambda point: point[0]
                )
                asked = {"run_ids": [run], "keys": [key], "x": "step", "buckets": 50}
                (reduced,) = self.post("/runs/series", asked)["series"]
                assert sum(reduced["count"]) == len(points)

    def objects(self) -> list[str]:
        settings = self.server.settings
        found = obstore.list(open_objects(place_of(settings, settings.chunks)))
        return sorted(each["path"] for page in found for each in page if each["path"] != "gnomon-installation")

    def chunk_bytes(self) -> int:
        with self.server.services.stores.database.system() as connection:
            return int(connection.exec_driver_sql("SELECT coalesce(sum(length(data)), 0) FROM chunk_").scalar_one())

    def empty_cache(self) -> None:
        for entry in (self.home / "cache" / "chunks").iterdir():
            entry.unlink()


@pytest.fixture
def world(
    tmp_path: Path, env: dict[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    if getattr(request, "param", "sqlite") == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        monkeypatch.setenv("GNOMON_DATABASE", cluster.url(cluster.make_database()))
    world = World(tmp_path / "home")
    yield world
    world.close()


def _storage(world: World, path: str) -> Any:
    answer = world.http.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    assert answer.json()
    return answer.json()


def _moved(world: World, runs: int = 2) -> list[str]:
    made = _fill(world, runs)
    _move(world)
    return made


def _fill(world: World, runs: int) -> list[str]:
    made = [world.new_run() for _ in range(runs)]
    for number, run in enumerate(made):
        for key in ("loss", "accuracy"):
            world.log(run, key, range(POINTS), seed=number)
    world.seal()
    return made


def _move(world: World) -> None:
    world.ahead_ms += 2 * DAY_MS
    assert world.move() > 0


@pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)
def test_moved_points_are_read_as_before(world: World) -> None:
    made = _fill(world, 2)
    runs = [world.http.get(f"/api/v1/experiments/runs/{run}").json() for run in made]
    paths = ["/storage/experiments"]
    paths += [f"/experiments/runs/{run}/storage/metrics" for run in made]
    paths += [f"/experiments/{run['experiment_id']}/storage" for run in runs]
    before = [_storage(world, path) for path in paths]
    files = _storage(world, "/storage")
    assert (files["moved_bytes"], files["object_bytes"]) == (0, 0)
    _move(world)
    moved = _storage(world, "/storage")
    assert moved["moved_bytes"] == files["points_bytes"] - moved["points_bytes"] > 0
    assert world.chunk_bytes() == 0
    assert [_storage(world, path) for path in paths] == before, "they take in the store what they took here"
    (object_,) = world.objects()  # the chunks of two runs and two metrics share one
    assert object_.startswith("chunks/1/")
    world.check()
    world.empty_cache()
    world.check()
    assert world.move() == 0
    world.close()
    world.open()
    world.check()


def test_what_is_young_stays(world: World) -> None:
    run = world.new_run()
    world.log(run, "loss", range(POINTS))
    world.seal()
    world.ahead_ms += DAY_MS // 2
    assert world.move() == 0
    assert world.objects() == []
    world.check()


@pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)
def test_points_that_come_later_are_merged_with_moved_ones(world: World) -> None:
    run, other = _moved(world)
    world.log(run, "loss", range(POINTS, POINTS + 1_500), seed=7)
    world.seal()
    assert world.chunk_bytes() > 0
    world.check()
    world.ahead_ms += 2 * DAY_MS
    assert world.move() > 0
    world.check()
    # Steps that were logged before, and repeats of them: the counts are put right from moved chunks.
    world.log(other, "accuracy", range(10, 1_500), seed=8)
    world.seal()
    world.check()


def test_a_purged_run_leaves_nothing_and_its_objects_are_swept(world: World) -> None:
    gone, kept = _moved(world)
    assert world.http.delete(f"/api/v1/experiments/runs/{gone}").status_code == 200
    world.post(f"/runs/{gone}/purge", {})
    del world.sent[gone]
    world.check()
    # By the clock of the store the object is of today: two days later nothing but a row keeps it.
    world.ahead_ms = time.time_ns() // 1_000_000 + 2 * DAY_MS - 1_800_000_000_000
    assert world.mover.sweep() == 0  # the other run is in it still
    assert world.http.delete(f"/api/v1/experiments/runs/{kept}").status_code == 200
    world.post(f"/runs/{kept}/purge", {})
    assert world.mover.sweep() == 1
    assert world.objects() == []


def test_a_crash_between_object_and_row_leaves_the_points_in_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = world.new_run()
    world.log(run, "loss", range(POINTS))
    world.seal()
    world.ahead_ms += 2 * DAY_MS

    def killed(*_args: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("gnomon_server.core.mover.moving.commit", killed)
        with pytest.raises(RuntimeError, match="killed"):
            world.move()
    assert len(world.objects()) == 1
    world.check()
    assert world.move() > 0
    world.check()
    assert len(world.objects()) == 2  # one of them is nobody's


def test_a_cache_is_bounded_and_never_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _moved(world, runs=1)
    world.check()
    folder = world.home / "cache" / "chunks"
    files = list(folder.iterdir())
    assert files
    for each in files:
        each.write_bytes(each.read_bytes()[:-1] + b"?")
    world.check()
    world.close()
    monkeypatch.setenv("GNOMON_CHUNK_CACHE_BYTES", "20000")
    world.open()
    world.check()
    assert sum(each.stat().st_size for each in folder.iterdir()) <= 20_000


def test_without_its_store_a_server_does_not_start(world: World) -> None:
    _moved(world, runs=1)
    world.close()
    with pytest.raises(StoreRefused, match="GNOMON_CHUNKS names none"):
        open_server(Settings(home=str(world.home)))
    world.open()
    world.check()


def test_moved_points_of_a_store_that_is_gone_are_503_and_logging_goes_on(tmp_path: Path, env: dict[str, str]) -> None:
    world = World(tmp_path / "home")
    (run,) = _moved(world, runs=1)
    settings = world.server.settings
    store = open_objects(place_of(settings, settings.chunks))
    found = world.objects()
    data = bytes(obstore.get(store, found[0]).bytes())
    obstore.delete(store, found[0])
    world.empty_cache()
    answer = world.read(run, "loss")
    assert answer.status_code == 503
    assert answer.json()["code"] == "storage_unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    world.post(f"/runs/{run}/log-batch", {"metrics": [{"key": "other", "value": 1.0, "step": 1}]})
    obstore.put(store, found[0], data)
    world.check()
    world.close()

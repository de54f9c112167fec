"""Backups of what stands in a real object store: named and checked where it stands, or brought along."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from tests.store.test_moved_chunks import DAY_MS, POINTS, World
from tests.support.postgres import Cluster
from tests.support.seaweed import Seaweed
from tests.support.secured import gnomon
from tests.support.server_process import ServerProcess

from gnomon_server.model.errors import Unavailable
from gnomon_server.settings import load_settings
from gnomon_server.store.object_store import RemoteStore, StoreRefused, claim, open_objects, place_of

FILES = {"a.bin": b"a" * 3_000, "b.bin": b"b" * 200_000}


class Today(World):
    """By the clock of the store nothing is so old that it is swept."""

    def _now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


@pytest.fixture(params=["sqlite", "postgresql"])
def world(
    tmp_path: Path, seaweed: Seaweed, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A server with old points and files in the store; the environment names both places, and the database."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    env = {**seaweed.env(f"s3://gnomon/files-{digest}"), "GNOMON_CHUNKS": f"s3://gnomon/points-{digest}"}
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        env["GNOMON_DATABASE"] = cluster.url(cluster.make_database())
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    world = Today(tmp_path / "home")
    run = world.new_run()
    for key in ("loss", "accuracy"):
        world.log(run, key, range(POINTS))
    world.seal()
    world.ahead_ms += 2 * DAY_MS
    assert world.move() > 0
    for name, data in FILES.items():
        sent = world.http.post(f"/api/v1/experiments/runs/{run}/log-artifact", files={"file": (name, data)})
        assert sent.status_code == 200, sent.text
    yield world
    world.close()


def _take(world: World, folder: Path, *options: str) -> dict[str, Any]:
    taken = gnomon("backup", "take", str(folder), "--home", str(world.home), "--json", *options)
    assert taken.returncode == 0, taken.stderr
    found: dict[str, Any] = json.loads(taken.stdout)["manifest"]
    return found


def _store(url: str) -> RemoteStore:
    return open_objects(place_of(load_settings(), url))


def test_what_is_brought_along_needs_no_store(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = _take(world, tmp_path / "backups", "--include-objects")
    assert manifest["contents"] == len(FILES)
    assert manifest["objects"] is None
    assert (manifest["rows"]["blob_object_"], manifest["rows"]["chunk_object_"]) == (0, 0)
    before = _series(world.http, "/api/v1", world)
    for name in ("GNOMON_ARTIFACTS", "GNOMON_CHUNKS", "GNOMON_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    assert gnomon("backup", "verify", str(tmp_path / "backups")).returncode == 0
    put = gnomon("restore", str(tmp_path / "backups"), "--home", str(tmp_path / "new"))
    assert put.returncode == 0, put.stderr
    server = ServerProcess(tmp_path / "new").start()
    with server.client() as api:
        assert _series(api, "", world) == before
    assert server.stop() == 0


def _series(api: Any, root: str, world: World) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for run in world.sent:
        path = f"{root}/experiments/runs/{run}"
        found[run] = api.get(f"{path}/history", params={"limit": 100_000}).json()
        assert [len(each["step"]) for each in found[run]["series"]] == [POINTS, POINTS]
        for name, data in FILES.items():
            assert api.get(f"{path}/artifacts/{name}").content == data
    return found


def test_what_is_named_is_checked_where_it_stands(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path / "backups")
    named = _take(world, tmp_path / "backups")["objects"]
    assert (named["contents"], named["content_bytes"]) == (2, sum(map(len, FILES.values())))
    assert named["chunks"] == 2
    settings = load_settings()
    whole = gnomon("backup", "verify", folder)
    assert whole.returncode == 0, whole.stderr
    assert "2 contents" in whole.stdout

    files, points = _store(settings.artifacts), _store(settings.chunks)
    (chunk_key,) = world.objects()
    content_key = next(
        each["path"] for page in obstore.list(files, prefix="contents") for each in page if each["size"] == 3_000
    )
    data = bytes(obstore.get(points, chunk_key).bytes())
    obstore.put(points, chunk_key, data[:100] + bytes([data[100] ^ 1]) + data[101:])
    _refused(folder, f"the object {chunk_key} is damaged")
    obstore.put(points, chunk_key, data)
    obstore.put(files, content_key, b"z" * 3_000)
    _refused(folder, f"the object {content_key} is not the content")
    obstore.delete(files, content_key)
    _refused(folder, f"the object {content_key} is not in its store any more")
    assert gnomon("backup", "verify", folder, "--skip-objects").returncode == 0
    obstore.put(files, content_key, FILES["a.bin"])
    assert gnomon("backup", "verify", folder).returncode == 0
    monkeypatch.delenv("GNOMON_CHUNKS")
    _refused(folder, "set GNOMON_CHUNKS")


def _refused(folder: str, sentence: str) -> None:
    found = gnomon("backup", "verify", folder)
    assert found.returncode == 1
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr


def test_objects_belong_to_one_installation(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is restored takes them over; the other one, which runs on, removes nothing more and starts no more."""
    backups, new = str(tmp_path / "backups"), str(tmp_path / "new")
    _take(world, tmp_path / "backups")
    before = _series(world.http, "/api/v1", world)
    settings = load_settings()
    old = bytes(obstore.get(_store(settings.chunks), "gnomon-installation").bytes()).decode()
    refused = gnomon("restore", backups, "--home", new)
    assert refused.returncode == 1
    assert "--take-over-objects" in refused.stderr
    assert not Path(new).exists()
    put = gnomon("restore", backups, "--home", new, "--take-over-objects")
    assert put.returncode == 0, put.stderr
    (run,) = world.sent
    world.http.delete(f"/api/v1/experiments/runs/{run}").raise_for_status()
    world.http.post(f"/api/v1/experiments/runs/{run}/purge").raise_for_status()
    world.ahead_ms += 60 * DAY_MS
    with pytest.raises(Unavailable, match="nothing is removed"):
        world.server.services.artifacts.sweep(world._now_ms())
    with pytest.raises(Unavailable, match="nothing is removed"):
        world.mover.sweep()
    for place in (place_of(settings, settings.artifacts), place_of(settings, settings.chunks)):
        with pytest.raises(StoreRefused, match="another Gnomon database"):
            claim(open_objects(place), place, old)  # as a start does
    monkeypatch.delenv("GNOMON_DATABASE", raising=False)
    server = ServerProcess(tmp_path / "new").start()
    with server.client() as api:
        assert _series(api, "", world) == before
    assert server.stop() == 0

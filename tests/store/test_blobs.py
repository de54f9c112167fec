"""Contents of artifacts on the disk: whole or not there, one per tenant, and swept only when nobody needs them."""

import hashlib
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from gnomon_server.model.ids import TenantId
from gnomon_server.store.local_blobs import LocalBlobs

ONE, TWO = TenantId(1), TenantId(2)


def put(store: LocalBlobs, data: bytes, tenant: TenantId = ONE) -> str:
    incoming = store.begin(tenant)
    incoming.write(data)
    content = incoming.finish()
    with store.hold(tenant, content.sha256):
        incoming.publish(content.sha256)
    return content.sha256


def read(store: LocalBlobs, sha256: str, tenant: TenantId = ONE) -> bytes:
    with store.open(tenant, sha256) as file:
        return file.readall()


def files_of(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def nothing_used(_sha256s: Sequence[str]) -> set[str]:
    return set()


def test_a_content_stands_under_its_digest_and_nowhere_else(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path / "a")
    incoming = store.begin(ONE)
    for piece in (b"one ", b"two ", b""):
        incoming.write(piece)
    content = incoming.finish()
    assert content == (hashlib.sha256(b"one two ").hexdigest(), 8)
    with store.hold(ONE, content.sha256):
        incoming.publish(content.sha256)
    incoming.discard()
    assert files_of(tmp_path) == [f"a/1/{content.sha256[:2]}/{content.sha256}"]
    assert read(store, content.sha256) == b"one two "


def test_an_empty_content_is_one_too(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    assert read(store, put(store, b"")) == b""


def test_equal_contents_are_one_file_in_a_tenant_and_apart_between_tenants(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    first, again, foreign = put(store, b"same"), put(store, b"same"), put(store, b"same", TWO)
    assert first == again == foreign
    assert files_of(tmp_path) == [f"1/{first[:2]}/{first}", f"2/{first[:2]}/{first}"]


def test_a_content_of_one_tenant_is_not_found_for_another(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    sha256 = put(store, b"mine")
    with pytest.raises(FileNotFoundError):
        store.open(TWO, sha256)


def test_publishing_again_heals_a_damaged_file(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    sha256 = put(store, b"intact")
    (tmp_path / "1" / sha256[:2] / sha256).write_bytes(b"rotten")
    put(store, b"intact")
    assert read(store, sha256) == b"intact"


def test_a_discarded_upload_leaves_nothing(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    for pieces in ((), (b"half",)):
        incoming = store.begin(ONE)
        for piece in pieces:
            incoming.write(piece)
        incoming.discard()
        incoming.discard()
    finished = store.begin(ONE)
    finished.finish()
    finished.discard()
    assert files_of(tmp_path) == []


def test_opening_the_store_removes_what_a_dead_process_left(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    sha256 = put(store, b"kept")
    store.begin(ONE).write(b"half")
    put(store, b"swept")
    (tmp_path / "trash" / "old").write_bytes(b"x")
    again = LocalBlobs(tmp_path)
    assert list((tmp_path / "incoming").iterdir()) == list((tmp_path / "trash").iterdir()) == []
    assert read(again, sha256) == b"kept"


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    root = tmp_path / "a"
    store = LocalBlobs(root)
    put(store, b"secret")
    store.begin(ONE).write(b"half")
    for path in (root, *root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_link_in_the_place_of_a_content_is_not_followed(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path / "a")
    sha256 = put(store, b"intact")
    (tmp_path / "secret").write_bytes(b"secret")
    place = tmp_path / "a" / "1" / sha256[:2] / sha256
    place.unlink()
    place.symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        store.open(ONE, sha256)


def test_sweeping_takes_what_is_neither_used_nor_held(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    used, held, free = put(store, b"used"), put(store, b"held"), put(store, b"free")
    with store.hold(ONE, held):
        assert store.sweep(ONE, [used, held, free], used=lambda _: {used}) == 1
    store.empty_trash()
    assert files_of(tmp_path) == sorted(f"1/{sha256[:2]}/{sha256}" for sha256 in (used, held))
    assert store.sweep(ONE, [free, held], used=nothing_used) == 1


def test_a_swept_content_stays_readable_where_it_is_open(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    sha256 = put(store, b"open")
    with store.open(ONE, sha256) as file:
        store.sweep(ONE, [sha256], used=nothing_used)
        store.empty_trash()
        assert file.readall() == b"open"
    with pytest.raises(FileNotFoundError):
        store.open(ONE, sha256)


def test_nobody_takes_hold_of_a_content_between_the_question_and_the_sweep(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    sha256 = put(store, b"contested")
    order: list[str] = []
    holder: list[threading.Thread] = []

    def take_hold() -> None:
        with store.hold(ONE, sha256):
            order.append("held")

    def used(_sha256s: Sequence[str]) -> set[str]:
        holder.append(threading.Thread(target=take_hold))
        holder[0].start()
        holder[0].join(timeout=0.2)  # it must still wait for the sweep: nothing else ends this join
        order.append("asked")
        return set()

    assert store.sweep(ONE, [sha256], used=used) == 1
    holder[0].join()
    assert order == ["asked", "held"]


def test_all_contents_of_a_tenant_can_be_listed(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path)
    mine = {put(store, str(i).encode()) for i in range(40)}
    put(store, b"theirs", TWO)
    (tmp_path / "1" / "00").mkdir(exist_ok=True)
    (tmp_path / "1" / "00" / "not-a-digest").write_bytes(b"")
    assert {sha256 for shard in store.contents(ONE) for sha256 in shard} == mine
    assert list(store.contents(TenantId(3))) == []
    assert sorted(store.tenants()) == [ONE, TWO]

"""Where a spool stands: on a local disk, unless a person says otherwise; and how it is thinned when it fills."""

from pathlib import Path

import pytest

from gnomon import places
from gnomon.places import network_type, open_writer, spool_roots
from gnomon.record import Header
from gnomon.spool import MAX_STRIDE, stride_of

HEADER = Header(run="0" * 32, writer="", first_record=0, pid=1, host="h", start_ms=5, experiment="fraud")
MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /home rw,relatime shared:2 - nfs4 server:/home rw
31 30 254:1 / /home/local\\040disk rw,relatime shared:3 - xfs /dev/vdb rw
32 22 0:27 / /mnt/bucket rw - fuse.s3fs s3fs rw
33 22 0:28 / /dev/shm rw - tmpfs tmpfs rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/.local/state", "nfs4"),
        ("/home/local disk/me", None),
        ("/homes/me", None),
        ("/mnt/bucket/x", "fuse.s3fs"),
        ("/dev/shm/x", None),
        ("/", None),
    ],
)
def test_the_mount_that_is_nearest_says_what_a_path_lies_on(path: str, kind: str | None) -> None:
    assert network_type(Path(path), MOUNTS) == kind


def test_this_machine_has_a_local_disk(tmp_path: Path) -> None:
    assert network_type(tmp_path) is None
    assert network_type(tmp_path, "") is None


def test_a_home_on_the_network_is_passed_over_unless_it_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home, local = tmp_path / "home", tmp_path / "tmp"
    for folder in (home, local):
        folder.mkdir()
    mounts = f"22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 0:26 / {home} rw - nfs server:/home rw\n"
    monkeypatch.setattr(places, "network_type", lambda path: network_type(path, mounts))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(local))
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    monkeypatch.delenv("GNOMON_SPOOL", raising=False)
    passed = open_writer(HEADER)
    assert passed.folder.is_relative_to(local)
    assert passed.folder.parent.parent in spool_roots()
    assert any("network file system (nfs)" in line for line in caplog.messages)
    monkeypatch.setenv("GNOMON_SPOOL", str(home / "mine"))
    chosen = open_writer(HEADER)
    assert chosen.folder.is_relative_to(home)
    for writer in (passed, chosen):
        writer.close()


def test_a_spool_is_thinned_by_powers_of_two_and_never_fills() -> None:
    limit = 1_000_000
    assert [stride_of(used, limit) for used in (0, 500_000, 500_001, 750_001, 875_001, 2_000_000)] == [
        1,
        1,
        2,
        8,
        32,
        MAX_STRIDE,
    ]
    used, logged = 0.0, 0
    while logged < 10_000_000:
        stride = stride_of(int(used), limit)
        used += 100  # a record is kept
        logged += stride
    assert used < limit

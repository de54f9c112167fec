"""What may not be read is never passed over: an import would end well without it."""

import os
from pathlib import Path

import pytest

from gnomon.importing.folders import folders_with, walk


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that may not be listed, in one with others; tests may run as root, who may list everything."""
    place = tmp_path / "b"
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()

    def refuse(path: str | Path) -> None:
        if Path(path) == place:
            raise PermissionError(13, "Permission denied", str(place))

    scan, listed = os.scandir, os.listdir
    monkeypatch.setattr(os, "scandir", lambda path: (refuse(path), scan(path))[1])
    monkeypatch.setattr(os, "listdir", lambda path: (refuse(path), listed(path))[1])
    return place


def test_a_folder_that_may_not_be_read_stops_a_walk(locked: Path) -> None:
    assert [folder.name for folder, _ in walk(locked.parent / "a")] == ["a"]
    with pytest.raises(PermissionError, match="/b'"):
        list(walk(locked.parent))
    with pytest.raises(PermissionError, match="/b'"):
        folders_with("file", locked)


def test_what_is_absent_is_empty(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "meta").touch()
    (tmp_path / "two").mkdir()
    (tmp_path / "file").touch()
    assert [each.name for each in folders_with("meta", tmp_path)] == ["one"]
    assert folders_with("meta", tmp_path / "none") == folders_with("meta", tmp_path / "file") == []
    assert list(walk(tmp_path / "none")) == []


def test_a_link_to_a_folder_is_named_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert list(walk(tmp_path)) == [(tmp_path, ["loop"]), (tmp_path / "one", ["file"])]

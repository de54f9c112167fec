"""Which files `log_code` takes."""

from pathlib import Path

import pytest

from gnomon.wandb import code
from gnomon.wandb.code import Chosen, code_artifact


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "train.py",
        "deep/model.py",
        "deep/data.csv",
        ".git/hook.py",
        "deep/__pycache__/model.py",
        "wandb/x.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def taken(root: Path, include: Chosen | None = None, exclude: Chosen | None = None) -> list[str]:
    artifact = code_artifact("source", root, include, exclude)
    return [] if artifact is None else [*artifact._files]


def test_source_is_taken_and_what_tools_keep_is_not(root: Path) -> None:
    assert taken(root) == ["train.py", "deep/model.py"]


def test_the_script_says_what_is_taken(root: Path) -> None:
    assert taken(root, lambda path: path.endswith(".csv")) == ["deep/data.csv"]
    assert taken(root, exclude=lambda path, below: Path(path).parent != Path(below)) == ["train.py"]
    assert taken(root, lambda _path: False) == []


def test_a_folder_of_very_many_is_cut(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_FILES", 1)
    assert taken(root) == ["train.py"]

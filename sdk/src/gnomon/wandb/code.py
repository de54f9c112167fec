"""`log_code`: the source files below a folder, as an artifact of type `code`."""

import os
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path

from gnomon.wandb.absent import say_once
from gnomon.wandb.artifact import Artifact

# Says of a path, or of a path and the folder that is searched, whether a file is meant.
Chosen = Callable[..., object]
# A folder with more is not what somebody wrote.
MAX_FILES = 1_000
# What tools keep beside code: their files are nobody's source.
_PASSED_OVER = frozenset(("__pycache__", "node_modules", "site-packages", "wandb", "gnomon-files"))


def code_artifact(name: str, root: Path, include: Chosen | None, exclude: Chosen | None) -> Artifact | None:
    """The files below `root` that `include` names (those that end in .py, unless given) and `exclude` does not.

    None when there is none.
    """
    artifact = Artifact(name, "code")
    count = 0
    for path in _files(root):
        if not _holds(include, path, root, otherwise=path.suffix == ".py") or _holds(
            exclude, path, root, otherwise=False
        ):
            continue
        count += 1
        if count > MAX_FILES:
            say_once(f"place for more than {MAX_FILES} files of code", "name a smaller folder, or leave some out")
            break
        artifact.add_file(str(path), path.relative_to(root).as_posix())
    return artifact if count else None


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in _PASSED_OVER and not each.startswith("."))
        yield from (Path(folder, each) for each in sorted(files))


def _holds(asked: Chosen | None, path: Path, root: Path, *, otherwise: bool) -> bool:
    if asked is None:
        return otherwise
    takes_root = len(signature(asked).parameters) > 1
    return bool(asked(str(path), str(root)) if takes_root else asked(str(path)))

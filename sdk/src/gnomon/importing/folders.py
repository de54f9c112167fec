"""Folders read whole: what may not be read ends an import with a sentence, instead of being passed over."""

import os
from collections.abc import Iterator
from pathlib import Path


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder at or below `root` with the names of its files, both sorted.

    Links to folders are not followed, and stand among the names.

    Raises OSError for a folder that may not be read; `os.walk` and `glob` would leave it out without a word.
    """
    for folder, inner, names in os.walk(root, onerror=_unless_absent):
        inner.sort()
        place = Path(folder)
        yield place, sorted([*names, *(name for name in inner if (place / name).is_symlink())])


def folders_with(name: str, place: Path) -> list[Path]:
    """The folders of `place` that hold a file `name`, sorted; raises OSError where that cannot be told."""
    try:
        inner = sorted(place.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [each for each in inner if _is_there(each / name)]


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error

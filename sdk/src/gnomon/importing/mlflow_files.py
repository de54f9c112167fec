"""Artifacts of an MLflow source that lie on this disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gnomon.importing.folders import walk
from gnomon.importing.mlflow_source import Unreachable

PROXIED = "mlflow-artifacts"


class LocalFiles:
    """A folder. Links are told and not followed: what they name may lie anywhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def walk(self) -> Iterator[str]:
        for folder, names in walk(self._folder):
            for name in names:
                path = folder / name
                if path.is_file() or path.is_symlink():
                    yield path.relative_to(self._folder).as_posix()

    @contextmanager
    def fetch(self, path: str) -> Iterator[Path]:
        place = self._folder / path
        if place.is_symlink():
            raise Unreachable("it is a link, which is not followed; put the file itself there")
        yield place


def local_files(uri: str, *, proxied_at: Sequence[Path], relative_to: Path) -> LocalFiles:
    """The files at a path, a `file:` URI, or below a folder where an MLflow server keeps what it proxies."""
    parts = urlsplit(uri)
    if not parts.path.strip("/"):  # or it would be the folder that holds the database, or the whole disk
        raise Unreachable("the source does not say where they are")
    if parts.scheme in ("", "file"):
        folder = relative_to / unquote(parts.path)
        # ROOT/EXPERIMENT/RUN/artifacts: a run's folder, and its experiment's, appear with the first file in them.
        if not any(place.is_dir() for place in (folder, *list(folder.parents)[1:3])):
            raise Unreachable(f"{uri} is not on this disk; if there are files, bring them to this place")
        return LocalFiles(folder)
    if parts.scheme == PROXIED:
        for root in proxied_at:
            if root.is_dir():
                return LocalFiles(root / unquote(parts.path).lstrip("/"))
        raise Unreachable(f"{uri} lies where its MLflow server keeps files; name that folder with --artifacts")
    raise Unreachable(f"{uri} lies in a store that is not read here; copy it to a folder, or leave it there")

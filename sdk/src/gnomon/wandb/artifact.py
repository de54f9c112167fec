"""`wandb.Artifact`: files with a name and a type, kept below `artifacts/<name>/` of the run that logs them."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gnomon.media import clean_path
from gnomon.run import Run
from gnomon.wandb.absent import say_once


class Artifact:
    """Collects files; `run.log_artifact` keeps them, as they are then."""

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, object] | None = None,
        **more: object,
    ) -> None:
        self.name = name
        self.type = type
        self.description = description
        self.metadata = dict(metadata or {})
        self.aliases: list[str] = []
        self._files: dict[str, Path] = {}
        self._references: dict[str, str] = {}
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def add_file(self, local_path: str, name: str | None = None, **more: object) -> None:
        path = Path(local_path)
        if not path.is_file():
            say_once(f"file {path}", "nothing of it is kept")
            return
        self._files[name or path.name] = path

    def add_dir(self, local_path: str, name: str | None = None, **more: object) -> None:
        root = Path(local_path)
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            place = path.relative_to(root).as_posix()
            self._files[f"{name}/{place}" if name else place] = path

    def add_reference(self, uri: object, name: str | None = None, **more: object) -> None:
        self._references[name or str(uri).rstrip("/").rpartition("/")[2]] = str(uri)

    def add(self, obj: object, name: str, **more: object) -> None:
        say_once("Artifact.add for objects", "log them under a key, or write a file and add that")

    @contextmanager
    def new_file(self, name: str, mode: str = "w", encoding: str | None = None) -> Iterator[IO[str] | IO[bytes]]:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="gnomon-artifact-")
        path = Path(self._scratch.name) / clean_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding=encoding) as file:
            yield file
        self._files[name] = path

    def save(self, *args: object, **more: object) -> None:
        say_once("Artifact.save", "run.log_artifact keeps an artifact")

    def wait(self, timeout: int | None = None) -> "Artifact":
        """It is kept already when `log_artifact` has returned."""
        return self

    def keep(self, run: Run, aliases: list[str] | None) -> None:
        """Copy the files, so that the script may change them afterwards."""
        self.aliases = [*(aliases or ["latest"])]
        for name, path in self._files.items():
            directory, _, last = f"artifacts/{self.name}/{name}".rpartition("/")
            run.log_artifact(path, clean_path(directory), name=last)
        about = {
            "name": self.name,
            "type": self.type,
            "aliases": self.aliases,
            "description": self.description,
            "metadata": self.metadata,
            "references": self._references,
        }
        run.log_dict(clean_path(f"artifacts/{self.name}/artifact.json"), about)
        run.tag({f"wandb.artifact.{self.name}": ", ".join([self.type, *self.aliases])})

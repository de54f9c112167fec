"""`run.use_artifact`: the files that another run of the project has logged as an artifact of this name.

The newest run that logged it, with the alias if one is named, is the one that counts. This asks the server and waits
for it, as a script that needs the files must; when there is none, it is said, and the script gets a stand-in.
"""

import json
from pathlib import Path

from gnomon.client import Client
from gnomon.client.records import Run as Found
from gnomon.client.transport import Transport
from gnomon.media import clean_path
from gnomon.settings import Settings

_NO_ALIAS = "latest"


class UsedArtifact:
    """An artifact that was logged before."""

    def __init__(self, settings: Settings, run: Found, name: str, about: dict[str, object]) -> None:
        self._settings = settings
        self._run = run
        self.name = name
        self.type = str(about.get("type", ""))
        self.description = about.get("description")
        metadata = about.get("metadata")
        self.metadata: dict[str, object] = metadata if isinstance(metadata, dict) else {}
        self.aliases = about.get("aliases", [])

    def download(self, root: str | None = None, **more: object) -> str:
        """Write the files below `root` (`artifacts/<name>` if none is given), each checked; where they are."""
        to = Path(root) if root is not None else Path("artifacts") / self.name
        below = clean_path(f"artifacts/{self.name}")
        with Client(transport=Transport(self._settings)) as client:
            for file in client.artifacts.walk(self._run.id, below):
                if file.path != f"{below}/artifact.json":
                    target = to / Path(file.path).relative_to(below)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    client.artifacts.download(self._run.id, file.path, to / ".gnomon").replace(target)
        _remove_folders(to / ".gnomon")
        return str(to)

    def file(self, root: str | None = None) -> str:
        """The path of its only file, downloaded."""
        folder = Path(self.download(root))
        return str(next(path for path in sorted(folder.rglob("*")) if path.is_file()))


def find_artifact(settings: Settings, experiment: str, asked: str) -> UsedArtifact | None:
    """`name`, `name:alias`, `project/name:alias` or `entity/project/name:alias`; None when no run has logged it."""
    path, _, alias = asked.partition(":")
    *places, name = path.split("/")
    project = places[-1] if places else experiment
    with Client(transport=Transport(settings, max_attempts=2)) as client:
        parent = client.experiments.find(project)
        if parent is None:
            return None
        tag = f"wandb.artifact.{name}"
        for run in client.runs.iterate([parent.id], order_by="start_time desc"):
            _, *aliases = run.tags.get(tag, "").split(", ")
            if tag in run.tags and (not alias or alias == _NO_ALIAS or alias in aliases):
                return artifact_of(client, run, name)
    return None


def artifact_of(client: Client, run: Found, name: str) -> UsedArtifact:
    """The artifact that this run has logged under the name."""
    about = json.loads(client.artifacts.read(run.id, clean_path(f"artifacts/{name}/artifact.json")))
    return UsedArtifact(client.settings, run, name, about)


def _remove_folders(root: Path) -> None:
    """The empty folders that the downloads went through."""
    for path in sorted([root, *root.rglob("*")], reverse=True):
        if path.is_dir():
            path.rmdir()

"""Puts the built web UI into the wheel: a release without it must not exist, and nobody who has Node must think of it.

When the UI is not built, it is built here if the repository's `ui/` and npm are at hand. Where they are not, a release
(`GNOMON_RELEASE=1`, as `make wheel` sets it) stops with a sentence; any other install goes on without it and says so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NOT_BUILT = "the web UI is not built: run `make ui` in the repository first (it needs Node 20)"


class UiHook(BuildHookInterface[Any]):
    """An editable install is for developers, who build the UI when they want to see it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del build_data
        root = Path(self.root)
        index = root / "src" / "gnomon_server" / "_ui" / "index.html"
        if version == "editable" or index.is_file():
            return
        _build(root.parent / "ui")
        if index.is_file():
            return
        if os.environ.get("GNOMON_RELEASE"):
            raise SystemExit(_NOT_BUILT)
        print(f"{_NOT_BUILT}; the server is installed without it", file=sys.stderr)


def _build(ui: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or not (ui / "package.json").is_file():
        return
    for command in (["install", "--no-save", "--no-audit", "--no-fund"], ["run", "build"]):
        if subprocess.run([npm, *command], cwd=ui, check=False, stdout=sys.stderr).returncode != 0:
            return

"""Puts the built web UI into the wheel, or stops with a sentence: a release without its UI must not exist."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class UiHook(BuildHookInterface[Any]):
    """Checks that the UI is there. An editable install is for developers, who build it when they want to see it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del build_data
        if version == "editable":
            return
        index = Path(self.root) / "src" / "gnomon_server" / "_ui" / "index.html"
        if not index.is_file():
            raise SystemExit(
                "the web UI is not built, and a wheel without it is of no use: run `make ui` in the repository first"
            )

"""Writing the config file that `gnomon.settings` reads: `gnomon login` and `logout` do.

Invariants: the file is its owner's alone (mode 0600) from the moment it exists, as it may hold a key; it is written
beside its place and renamed, so that a reader finds the old one or the new one; settings that are not changed stay.
"""

import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path

from gnomon.errors import SettingsError


def change_config(path: Path, changes: Mapping[str, str | None]) -> None:
    """Set these settings, or remove them where they are None. Comments in the file are not kept."""
    table = _read(path) | dict(changes)
    lines = [f"{name} = {_toml(value)}\n" for name, value in table.items() if value is not None]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the config file cannot be read ({error}); repair or remove it: {path}") from error


def _toml(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'

"""Copies of files that a script logs: as they are at the call, whatever the script does to them afterwards."""

import os
import secrets
import shutil
from pathlib import Path


def keep_copy(source: Path | bytes, folder: Path) -> tuple[str, int]:
    """Copy a file, or bytes, into a writer's folder, on the disk before this returns. The copy's name and size."""
    artifacts = folder / "artifacts"
    artifacts.mkdir(mode=0o700, exist_ok=True)
    stored = secrets.token_hex(8)
    target = artifacts / stored
    try:
        if isinstance(source, bytes):
            target.write_bytes(source)
        else:
            shutil.copyfile(source, target)
        fd = os.open(target, os.O_RDONLY)
        try:
            os.fsync(fd)
            return stored, os.fstat(fd).st_size
        finally:
            os.close(fd)
    except OSError:
        target.unlink(missing_ok=True)
        raise

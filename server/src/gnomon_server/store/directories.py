"""Directories whose names are on the disk: a new one is lost with the power as long as its parent was not synced."""

import os
from pathlib import Path


def make_durable(directory: Path) -> None:
    """Make a directory and those above it that are missing, for this user alone, and sync the parent of each."""
    if not directory.parent.exists():
        make_durable(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

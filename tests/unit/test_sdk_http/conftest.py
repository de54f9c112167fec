"""The scripted server as a fixture."""

from collections.abc import Iterator

import pytest

from .scripted import Serve, scripted_servers


@pytest.fixture
def serve() -> Iterator[Serve]:
    yield from scripted_servers()

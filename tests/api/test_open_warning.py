"""A server that is open to others says so in its log every hour, until it has a key."""

import logging
import time
from pathlib import Path

import pytest
from tests.support.secured import make_key
from tests.support.server_process import chosen_database

from gnomon_server.app import open_server
from gnomon_server.settings import Settings


def test_an_open_server_warns_every_hour_until_there_is_a_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = tmp_path / "home"
    server = open_server(Settings(home=str(home), database=chosen_database(home)))
    now = [0.0]
    try:
        server.watch.warn_while_open("anyone may read and delete", clock=lambda: now[0])
        server.watch.start()

        def said(times: int) -> None:
            ends = time.monotonic() + 60
            while caplog.messages.count("anyone may read and delete") < times:
                assert time.monotonic() < ends
                time.sleep(0.05)

        with caplog.at_level(logging.WARNING, logger="gnomon.watch"):
            now[0] = 3_600.0
            said(1)
            now[0] = 7_200.0
            said(2)
            make_key(home, "viewer", "lab")
            ends = time.monotonic() + 60
            while not server.services.access.is_secured:
                assert time.monotonic() < ends, "the server does not see its first key"
                time.sleep(0.05)
            now[0] = 20_000.0
            time.sleep(1.2)  # two rounds of the watch
            assert caplog.messages.count("anyone may read and delete") == 2
    finally:
        server.close()

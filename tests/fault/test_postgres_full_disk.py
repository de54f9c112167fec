"""The disk of PostgreSQL is full: writes are refused with 503, reads go on, nothing answered is lost, and it recovers.

The tables stand on a file system of their own, as a tablespace, which another program fills to the last byte. (Where
the write-ahead log itself finds no room PostgreSQL stops by itself; that is `test_postgres_wal.py`.)
"""

import os
import pwd
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fault.run_log import new_run_logs
from tests.fault.test_full_disk import assert_full, fill, large_batch, retry
from tests.support.postgres import OWNER, SERVING, Cluster, postgres_faults
from tests.support.server_process import ServerProcess

from gnomon_server.store.opening import migrate_shared

DISK_MIB = 48
_MOST_BATCHES = 2_000


@pytest.fixture
def small_disk(postgres: Cluster) -> Iterator[Path]:
    """A file system that PostgreSQL may write to; the test runs as root, as in CI."""
    disk = postgres.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "gnomon-test", str(disk)], check=True)
    user = pwd.getpwnam("postgres")
    tables = disk / "tables"
    tables.mkdir(mode=0o700)
    os.chown(tables, user.pw_uid, user.pw_gid)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
        disk.rmdir()


@pytest.fixture
def url(postgres: Cluster, small_disk: Path) -> Iterator[str]:
    with postgres.connect("postgres") as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}/tables'".encode())
        connection.execute(f"CREATE DATABASE small OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8' TABLESPACE small")
    migrate_shared(postgres.url("small", OWNER), serving_role=SERVING)
    yield postgres.url("small")
    with postgres.connect("postgres") as connection:
        connection.execute("DROP DATABASE small WITH (FORCE)")
        connection.execute("DROP TABLESPACE small")


@pytest.mark.nightly
def test_a_full_disk_of_postgresql_refuses_writes_and_recovers_without_a_restart(
    url: str, small_disk: Path, tmp_path: Path
) -> None:
    rng = random.Random(7)
    server = ServerProcess(tmp_path / "home", "--quiet", "--database", url).start()
    try:
        with server.client() as client:
            log, filler = new_run_logs(client, rng, 2)
            for _ in range(50):
                assert log.send(client, log.next_request()).status_code == 200
            fill(small_disk / "ballast")
            where = f"/experiments/runs/{filler.run}/log-batch"
            for batch in range(_MOST_BATCHES):  # into the room that the tables have left in their own files
                answer = client.post(where, json=large_batch(rng, batch * 10_000))
                if answer.status_code != 200:
                    break
            assert_full(answer)

            assert log.differences(client) == []
            refused = log.next_request()
            while (answer := log.send(client, refused)).status_code == 200:  # a small one may find room yet
                refused = log.next_request()
            assert_full(answer)
            assert log.differences(client) == []

            (small_disk / "ballast").unlink()
            retry(client, log, refused)
            for _ in range(50):
                assert log.send(client, log.next_request()).status_code == 200
            assert log.differences(client) == []
        server.kill()
        server.start()
        with server.client() as client:
            assert log.differences(client) == []
        assert server.stop() == 0
        assert postgres_faults(url) == []
    finally:
        server.kill()

"""What happens at the commit itself on PostgreSQL: the connection is lost, or its log has no room."""

import os
import pwd
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fault.run_log import new_run_logs
from tests.fault.test_full_disk import fill
from tests.support.commit_proxy import CommitProxy
from tests.support.postgres import SERVING, Cluster, postgres_faults, wait_until_reachable
from tests.support.server_process import ServerProcess
from tests.support.steady_logging import SteadyLoggers

WAL_MIB = 96


@pytest.mark.nightly
def test_a_connection_lost_at_commit_loses_and_doubles_nothing(tmp_path: Path, postgres: Cluster) -> None:
    """Half of the lost commits were kept, half were not; only the database knows which."""
    name = postgres.make_database()
    proxy = CommitProxy(("127.0.0.1", postgres.port), random.Random(5))
    url = f"postgresql://{SERVING}@127.0.0.1:{proxy.port}/{name}"
    server = ServerProcess(tmp_path / "home", "--quiet", "--database", url).start()
    try:
        with server.client() as client:
            logs = new_run_logs(client, random.Random(5), 4)
            proxy.cut(0.2)
            loggers = SteadyLoggers(server.base_url, logs)
            ends = time.monotonic() + 60
            while min(proxy.cuts["before"], proxy.cuts["after"]) < 6 and time.monotonic() < ends:
                time.sleep(0.1)
            proxy.cut(0)
            loggers.join()
            assert min(proxy.cuts["before"], proxy.cuts["after"]) >= 6
            assert [wrong for log in logs for wrong in log.differences(client)] == []
        assert server.stop() == 0
        assert postgres_faults(postgres.url(name)) == []
    finally:
        server.kill()
        proxy.close()


@pytest.fixture
def small_wal() -> Iterator[tuple[Cluster, Path]]:
    """A PostgreSQL whose write-ahead log stands on a small file system of its own; the test runs as root, as in CI."""
    cluster = Cluster("max_wal_size=32MB", "min_wal_size=32MB")
    log, disk = cluster.data / "pg_wal", cluster.folder / "wal"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={WAL_MIB}m", "gnomon-test", str(disk)], check=True)
    try:
        user = pwd.getpwnam("postgres")
        shutil.copytree(log, disk / "pg_wal")
        for path in (disk / "pg_wal", *(disk / "pg_wal").rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        (disk / "pg_wal").chmod(0o700)
        shutil.rmtree(log)
        log.symlink_to(disk / "pg_wal")
        cluster.start()
        cluster.prepare()
        yield cluster, disk
    finally:
        if cluster.is_running():
            cluster.stop("immediate")
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
        cluster.remove()


@pytest.mark.nightly
def test_a_full_disk_of_the_write_ahead_log_loses_nothing_and_is_recovered_from(
    tmp_path: Path, small_wal: tuple[Cluster, Path]
) -> None:
    """PostgreSQL stops by itself there, and starts again when there is room: the servers only wait for it."""
    cluster, disk = small_wal
    name = cluster.make_database()
    server = ServerProcess(tmp_path / "home", "--quiet", "--database", cluster.url(name)).start()
    try:
        with server.client() as client:
            logs = new_run_logs(client, random.Random(9), 4)
            loggers = SteadyLoggers(server.base_url, logs)
            time.sleep(1)
            fill(disk / "ballast")
            ends = time.monotonic() + 100
            while cluster.is_running():
                assert time.monotonic() < ends, "the log finds room yet"
                time.sleep(0.1)
            refused = client.get(f"/experiments/runs/{logs[0].run}")
            assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
            assert server.process is not None
            assert server.process.poll() is None

            (disk / "ballast").unlink()
            (cluster.data / "postmaster.pid").unlink(missing_ok=True)
            cluster.start()
            wait_until_reachable(cluster.url(name))
            loggers.join()
            assert loggers.refused > 0
            assert [wrong for log in logs for wrong in log.differences(client)] == []
        assert server.stop() == 0
        assert postgres_faults(cluster.url(name)) == []
    finally:
        server.kill()

"""A PostgreSQL server of the test session: Debian's package, a cluster in a folder of its own, a database a test.

It runs as an ordinary user, because the server refuses to be root's. Commits reach the disk as in production.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

# The newest that is installed; Debian puts each version into a folder of its own.
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
OWNER, SERVING = "gnomon_owner", "gnomon_serving"
_TEMPLATE = "gnomon_template"
_WAIT_SECS = 60


class Cluster:
    """A server in a folder of its own, which `remove` takes away again. Not pytest's, which only one user may enter."""

    def __init__(self, *settings: str, copy_of: "Cluster | None" = None) -> None:
        """With `copy_of`, a standby of that one, which must be running."""
        assert BINARIES, "PostgreSQL is not installed; run scripts/system-packages.sh"
        self.folder = Path(tempfile.mkdtemp(prefix="gnomon-postgres-"))
        self.data = self.folder / "data"
        self.port = _free_port()
        self._settings = settings
        self._databases = 0
        self._named: dict[str, str] = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        if copy_of is not None:
            source = f"host=127.0.0.1 port={copy_of.port} user=postgres"
            self._run("pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream", "-c", "fast")
            return
        # Not C: the order of strings must be ours whatever the database's is.
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def start(self) -> "Cluster":
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": 200,
            "shared_buffers": "32MB",
            "max_wal_size": "256MB",
            **dict(setting.split("=", 1) for setting in self._settings),
        }
        told = " ".join(f"-c {name}={value}" for name, value in options.items())
        self._run("pg_ctl", "start", "-w", "-t", _WAIT_SECS, "-D", self.data, "-l", self.folder / "log", "-o", told)
        return self

    def prepare(self) -> None:
        """Make the roles, and the database that the others are copies of."""
        from gnomon_server.store.opening import migrate_shared

        with self.connect("postgres") as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")
            connection.execute(f"CREATE ROLE {SERVING} LOGIN")
            connection.execute(f"CREATE DATABASE {_TEMPLATE} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8'")
        migrate_shared(self.url(_TEMPLATE, OWNER), serving_role=SERVING)

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "stop", "-m", how, "-w", "-t", _WAIT_SECS, "-D", self.data)

    def kill(self) -> None:
        """SIGKILL of the postmaster; its children see that and end."""
        postmaster = self._postmaster()
        children: list[str] = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        os.kill(postmaster, signal.SIGKILL)
        while any(_is_alive(pid) for pid in [postmaster, *map(int, children)]):
            time.sleep(0.01)
        # Until somebody has asked for its exit code, a dead process still looks alive to the next start.
        for lock in (self.data / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            lock.unlink()

    def promote(self) -> None:
        """Make a standby take writes."""
        self._run("pg_ctl", "promote", "-w", "-t", _WAIT_SECS, "-D", self.data)

    def remove(self) -> None:
        if self.is_running():
            self.stop("immediate")
        shutil.rmtree(self.folder)

    def is_running(self) -> bool:
        return (self.data / "postmaster.pid").exists() and _is_alive(self._postmaster())

    def connect(self, database: str, user: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection past the wall, for what tests look at themselves."""
        return psycopg.connect(self.url(database, user), autocommit=True)

    def url(self, database: str, user: str = SERVING) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def make_database(self, *, is_empty: bool = False) -> str:
        """A new database, migrated; its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        template = "template0" if is_empty else _TEMPLATE
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
        return name

    def named_database(self, name: str) -> str:
        """The database that goes by a name, made when it is first asked for."""
        if name not in self._named:
            self._named[name] = self.make_database()
        return self._named[name]

    def _postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().partition("\n")[0])

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(BINARIES[-1] / program), *map(str, arguments)]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        assert done.returncode == 0, f"{program}: {done.stdout[-2000:]}{done.stderr[-2000:]}"


def synchronous_pair(*settings: str) -> tuple[Cluster, Cluster]:
    """A primary that answers for a commit when its standby has it on the disk too, and that standby."""
    primary = Cluster(*settings).start()
    standby = Cluster(*settings, copy_of=primary).start()
    with primary.connect("postgres") as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
    return primary, standby


def pair_url(first: Cluster, second: Cluster, database: str) -> str:
    """Whichever of the two takes writes, as a team would write it."""
    hosts = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
    return f"postgresql://{SERVING}@{hosts}/{database}?target_session_attrs=read-write"


def wait_until_reachable(url: str) -> None:
    ends = time.monotonic() + _WAIT_SECS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert time.monotonic() < ends, "PostgreSQL does not come back"
            time.sleep(0.05)
        else:
            return


def postgres_faults(url: str) -> list[str]:
    """What `amcheck` finds wrong with the tables and indexes of a database; nothing when they are whole."""
    with psycopg.connect(url.replace(f"{SERVING}@", "postgres@"), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
        places = "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind"
        damaged = connection.execute(
            f"SELECT relname || ': ' || msg {places.replace('pg_class', 'pg_class, verify_heapam(oid)')} = 'r'"
        ).fetchall()
        faults = [str(told) for (told,) in damaged]
        for (index,) in connection.execute(f"SELECT relname::text {places} = 'i'").fetchall():
            try:
                connection.execute("SELECT bt_index_check(%s::regclass, true)", (index,))
            except psycopg.Error as error:
                faults.append(f"{index}: {error.diag.message_primary}")
    return faults


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

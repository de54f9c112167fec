"""`gnomon server`: start the server on this machine. Also `python -m gnomon_server`."""

import asyncio
import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import click
import uvicorn

from gnomon_server.commands import listening as listening_socket
from gnomon_server.commands.move import move
from gnomon_server.commands.workers import Supervisor
from gnomon_server.settings import Settings, is_postgresql, load_settings, proxy_networks

_OPEN_FILES = 8192
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A request follows its connection within a round trip.
_GOODBYE_SECS = 0.5
# Bodies of a thousand points make that many short-lived objects; the default of 700 would walk the heap for each.
_GC_THRESHOLDS = (20_000, 20, 20)
# From glibc's malloc.h, and the values for a process whose large arrays come and go in a dozen threads: two arenas
# instead of eight a core, and blocks from 1 MiB on their own pages, which go back to the system when freed.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_NO_KEYS = (
    "refusing to listen on {host}: without API keys anyone who reaches it may read and delete; make a key with"
    " `gnomon keys create --tenant NAME --role admin`, or listen on 127.0.0.1"
)
_ONE_PROCESS = (
    "an embedded database has one server process; for --workers give a postgresql:// URL with --database or"
    " GNOMON_DATABASE"
)
_INSECURE = "WARNING: no API keys and not only this machine: anyone who reaches this server may read and delete."
_MALLOC = {_M_ARENA_MAX: 2, _M_MMAP_THRESHOLD: 1 << 20}


@click.group("server", invoke_without_command=True, help="Start the tracking server.")
@click.option("--host", help="address to listen on [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="port to listen on, 0 takes a free one [default: 7417]")
@click.option("--home", type=click.Path(path_type=Path), help="folder of the data [default: ~/.gnomon]")
@click.option("--database", help="database URL [GNOMON_DATABASE; default: sqlite:///HOME/gnomon.db]")
@click.option(
    "--workers", type=click.IntRange(1, 64), help="server processes on this port; more than one need PostgreSQL"
)
@click.option("--port-file", type=click.Path(path_type=Path), help="write the port here once the server is ready")
@click.option(
    "--insecure-open", is_flag=True, default=None, help="listen beyond loopback without API keys: nothing is protected"
)
@click.option("--quiet", is_flag=True, help="no line on the terminal and no request log")
@click.pass_context
def command(
    context: click.Context,
    host: str | None,
    port: int | None,
    home: Path | None,
    database: str | None,
    workers: int | None,
    port_file: Path | None,
    insecure_open: bool | None,
    quiet: bool,
) -> None:
    """Run until SIGTERM or Ctrl-C; then finish what is under way and exit 0."""
    if context.invoked_subcommand is not None:
        return
    os.umask(0o077)
    _allow_many_files()
    _bound_malloc()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        settings = load_settings(
            host=host,
            port=port,
            home=None if home is None else str(home),
            database=database,
            workers=workers,
            insecure_open=insecure_open,
        )
        proxy_networks(settings)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if port_file is not None and not port_file.parent.is_dir():
        raise click.ClickException(f"there is no folder {port_file.parent} for --port-file; make it first")
    _configure_logging(is_quiet=quiet or not settings.log_requests)
    if settings.workers > 1 and not is_postgresql(settings.database_url):
        raise click.ClickException(_ONE_PROCESS)
    passed = listening_socket.inherited()
    listening = passed or listening_socket.listen(settings.host, settings.port)
    host, bound_port = listening.getsockname()[:2]
    host = host if passed else settings.host
    file = _PortFile(port_file, bound_port)

    def tell_ready() -> None:
        if not quiet:
            click.echo(f"Gnomon is at http://{_shown(host)}:{bound_port}  (data in {settings.home_path})", err=True)
        file.write()

    has_successor = False
    try:
        if settings.workers > 1:
            file.take()

            def serve_one(on_ready: Callable[[], None], counts: Path, number: int) -> bool:
                several = (counts, number)
                return _serve(settings, host, listening, lambda: None, on_ready, is_passed_on=True, several=several)

            several = Supervisor(settings.workers, serve_one)
            raise SystemExit(several.run(tell_ready))
        has_successor = _serve(settings, host, listening, file.take, tell_ready, is_passed_on=passed is not None)
    finally:
        if not has_successor:
            file.remove()
    if has_successor:
        listening_socket.become_successor(listening)


class _PortFile:
    """The file that says the port of a running server. One whose start is refused leaves that of the one that runs."""

    def __init__(self, path: Path | None, port: int) -> None:
        self._path = path
        self._port = port
        self._is_ours = False

    def take(self) -> None:
        """Remove what a killed server left: a script would take it for the answer. Called once the home is ours."""
        self._is_ours = True
        self.remove()

    def write(self) -> None:
        if self._path is not None:
            partial = self._path.with_suffix(".partial")
            partial.write_text(str(self._port))
            partial.replace(self._path)

    def remove(self) -> None:
        if self._path is not None and self._is_ours:
            self._path.unlink(missing_ok=True)


def _serve(
    settings: Settings,
    host: str,
    listening: socket.socket,
    on_open: Callable[[], None],
    on_ready: Callable[[], None],
    *,
    is_passed_on: bool,
    several: tuple[Path, int] | None = None,
) -> bool:
    """Open the home and answer requests until a signal says to stop; whether another is to begin in this process.

    `is_passed_on`: the socket stays open when this server has ended. `several`: what the processes of this port count
    together, and the number of this one.
    """
    # Imported here: `gnomon --help` and a refused start stay quick, and workers are forked before any thread begins.
    from gnomon_server.api.front import ConnectionLimits
    from gnomon_server.api.front.serving import make_uvicorn_config
    from gnomon_server.app import open_server
    from gnomon_server.store.opening import CANNOT_OPEN, HomeInUse

    try:
        server = open_server(settings, several=several)
    except (HomeInUse, *CANNOT_OPEN) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot use the home {settings.home_path}: {error.strerror}") from None
    if not _is_loopback(host) and not server.services.access.is_secured:
        if not settings.insecure_open:
            server.close()
            raise click.ClickException(_NO_KEYS.format(host=host))
        click.echo(_INSECURE, err=True)
        server.watch.warn_while_open(_INSECURE)
    on_open()
    limits = ConnectionLimits(head_secs=settings.header_timeout_secs, body_grace_secs=settings.body_grace_secs)
    config = make_uvicorn_config(
        server.asgi,
        host=settings.host,
        port=settings.port,
        limits=limits,
        drain_secs=settings.drain_secs,
        trusted_proxies=proxy_networks(settings),
    )
    on_stop = server.services.streams.close
    serving = _Serving(config, on_ready, listening, on_stop=on_stop, is_passed_on=is_passed_on)
    try:
        serving.run(sockets=[listening.dup()])  # which uvicorn closes; ours stays open for a successor
    finally:
        server.close()
    return serving.has_successor


@command.command("migrate")
@click.option("--database", help="URL of the PostgreSQL database, of the role that owns it [GNOMON_DATABASE]")
@click.option("--serving-role", help="a role that servers will use: it may read and write rows, and nothing else")
def migrate(database: str | None, serving_role: str | None) -> None:
    """Make the tables of a PostgreSQL database, or bring them up to date. Servers start once that is done.

    Run it as the role that owns the tables, with no older server writing. An embedded database needs none of this.
    """
    from gnomon_server.store.opening import CANNOT_OPEN, migrate_shared

    try:
        settings = load_settings(database=database)
        before, after = migrate_shared(settings.database_url, serving_role=serving_role)
    except CANNOT_OPEN as error:
        raise click.ClickException(str(error)) from None
    if before == after:
        click.echo(f"The database is at revision {after} already.")
    else:
        click.echo(f"The database is at revision {after} now (before: {before or 'empty'}).")


command.add_command(move)


class _Serving(uvicorn.Server):
    """uvicorn that tells a waiting script the port once requests are taken, and ends by itself after a signal.

    uvicorn raises a signal again once it has drained, which would end the process before the home is closed.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        listening: socket.socket,
        *,
        on_stop: Callable[[], None],
        is_passed_on: bool,
    ) -> None:
        super().__init__(config)
        self.has_successor = False
        self._is_passed_on = is_passed_on
        # SIGHUP of a terminal that is closed means what it always did. Asked now: then it is no terminal any more.
        self._is_on_terminal = os.isatty(0)
        self._on_stop = on_stop
        self._on_ready = on_ready
        self._listening = listening

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in _STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, number: int, _frame: FrameType | None) -> None:
        """The first signal lets the requests under way finish, the second cuts them off; SIGHUP starts anew after."""
        is_restart = number == signal.SIGHUP and not self._is_on_terminal
        if is_restart and self.should_exit:
            return
        self.has_successor = is_restart
        if self.should_exit:
            self.force_exit = True
            self._loop.call_soon_threadsafe(self._cut_off)
        self.should_exit = True

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.has_successor or self._is_passed_on:
            await self._hand_over()
        if not self.has_successor:
            self._listening.close()  # uvicorn has its own: only without both are connections refused
        self._on_stop()  # what would never end by itself; then uvicorn waits for the rest
        await super().shutdown(sockets)

    async def _hand_over(self) -> None:
        """Accept no more: the kernel queues for the next server. Then answer what had been accepted, and say goodbye.

        A connection that was accepted and has not brought its request yet would be reset by closing it.
        """
        from gnomon_server.api.front.serving import announce_leaving

        for server in self.servers:
            server.close()
        announce_leaving(self.config)
        await asyncio.sleep(_GOODBYE_SECS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _allow_many_files() -> None:
    """Two thousand connections need as many descriptors; raise the soft limit as far as the hard one lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bound_malloc() -> None:
    """Keep what glibc holds back small; other C libraries have no such knob and need none."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in _MALLOC.items():
            mallopt(parameter, value)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name; only this one is known to mean this machine
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _configure_logging(*, is_quiet: bool) -> None:
    from gnomon_server.api.front.access_log import RedactSecrets

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactSecrets())
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gnomon").setLevel(logging.WARNING if is_quiet else logging.INFO)


if __name__ == "__main__":
    command()

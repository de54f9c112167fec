"""The socket a server listens on: made here, or inherited, and handed on to the next process without being closed.

While no process accepts, the kernel queues connections on a socket that is open, so a client waits instead of being
refused. Two ways lead to that:

- A supervisor holds the socket and passes it on (systemd's protocol: LISTEN_PID, LISTEN_FDS, the descriptor 3).
- SIGHUP: the server finishes what is under way, closes its home, and becomes its own successor by exec, as which it
  inherits the socket in the same way. The command, the environment and the process id stay; the program may be newer.
"""

import os
import socket
import sys
from collections.abc import MutableMapping

import click

_FIRST_PASSED = 3
_PID, _COUNT = "LISTEN_PID", "LISTEN_FDS"
# As many connections as may wait for a process to accept them; the kernel's own bound (somaxconn) may be lower.
_BACKLOG = 4096


def listen(host: str, port: int) -> socket.socket:
    """Open a socket. Raises a sentence when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    listening.listen(_BACKLOG)
    return _ready(listening)


def inherited(environ: MutableMapping[str, str] = os.environ) -> socket.socket | None:
    """The socket that was passed to this process; None when none was. What passed it is taken out of the environment.

    Raises a sentence when what was passed is no listening TCP socket.
    """
    pid, count = environ.pop(_PID, ""), environ.pop(_COUNT, "")
    if pid != str(os.getpid()) or not count:
        return None
    if count != "1":
        raise click.ClickException(f"{count} sockets were passed and one is served; name one address in the unit")
    try:
        listening = socket.socket(fileno=_FIRST_PASSED)
        is_tcp = listening.family in (socket.AF_INET, socket.AF_INET6) and listening.type == socket.SOCK_STREAM
        is_listening = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise click.ClickException(f"the descriptor that was passed is no socket: {error.strerror}") from None
    if not is_tcp or not is_listening:
        raise click.ClickException("the socket that was passed is no listening TCP socket")
    os.set_inheritable(listening.fileno(), False)
    return _ready(listening)


def become_successor(listening: socket.socket) -> None:
    """Start this program anew in this process, with the socket. Returns only by raising `OSError`."""
    if listening.fileno() != _FIRST_PASSED:
        os.dup2(listening.fileno(), _FIRST_PASSED, inheritable=True)
    else:
        os.set_inheritable(_FIRST_PASSED, True)
    environ = {**os.environ, _PID: str(os.getpid()), _COUNT: "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606  # the command as it was given


def _ready(listening: socket.socket) -> socket.socket:
    # Accepted connections inherit it; with Nagle's algorithm on, an answer in two writes waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening

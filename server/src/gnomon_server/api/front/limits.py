"""The bounds of the outer guard, as two frozen values; docs/guides/limits.md says what a client gets past each."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """What one request may be, and which web pages may send it.

    `hosts` are the names, besides loopback, that the Host header may say ("*": any); `ip_hosts` allows every IP
    literal, for a server that listens beyond loopback: a rebound DNS name can never look like one. `origins` are web
    origins (`https://lab.example`), besides the server's own, whose pages may write.
    """

    hosts: frozenset[str] = frozenset()
    ip_hosts: bool = False
    origins: frozenset[str] = frozenset()
    url_bytes: int = 8 * KIB
    head_bytes: int = 32 * KIB
    head_fields: int = 100
    json_bytes: int = 8 * MIB
    ingest_bytes: int = 32 * MIB
    artifact_bytes: int | None = None
    # A compressed body may grow to `unpacked_ratio` times its size once it is past `unpacked_free_bytes`.
    unpacked_ratio: int = 100
    unpacked_free_bytes: int = 64 * KIB
    process_body_bytes: int = 256 * MIB
    tenant_body_bytes: int = 64 * MIB


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long a client may take and how many may come; times in seconds.

    A body may pause for `body_grace_secs` in all, and wins that time back by sending faster than `body_bytes_per_sec`;
    a client that reads nothing of its answer is cut after `write_stall_secs`. `per_peer` does not count for the
    `exempt` networks: every local process shares loopback, and a trusted proxy speaks for many.
    """

    head_secs: float = 10.0
    head_bytes: int = 48 * KIB
    body_grace_secs: float = 10.0
    body_bytes_per_sec: int = KIB
    write_stall_secs: float = 30.0
    linger_secs: float = 2.0
    idle_secs: int = 15
    connections: int = 2_000
    per_peer: int = 256
    exempt: tuple[str, ...] = ("127.0.0.0/8", "::1", "::ffff:127.0.0.0/104")

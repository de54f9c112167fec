"""Which URLs and addresses the server may send to.

Invariants:
- One strict reading of a URL, and the request is made of what was read: nothing is left for another parser to see
  differently. No credentials, no fragments, no spellings of an address but the plain one.
- An address is judged by what it is, not by what it is called: only the public unicast Internet passes. Of IPv6 that
  is 2000::/3 without what stands for something else (6to4, Teredo, documentation); addresses that carry an IPv4 one
  pass only if that one passes too.
- A name passes only if every address it has does.
- What the operator lists in `GNOMON_EGRESS_ALLOW` is reachable besides, over plain http and on any port: networks by
  their addresses, names whatever private address they have. A listed name never opens link-local, multicast or
  unspecified addresses (the metadata services of clouds live there); only listing their network does.
- Everything else: https, port 443 or one that needs no privilege. `GNOMON_EGRESS_PUBLIC=false` closes it.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from msgspec import Struct

from gnomon_server.model.errors import InvalidRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL = 2_048
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<rest>(?:[/?][!$&'()*+,\-./0-9:;=?@A-Z_a-z~%]*)?)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# The last label of a name: what a resolver would take for a number is none.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNPRIVILEGED = 1024

_PUBLIC_V6 = IPv6Network("2000::/3")
# Within it, what is no host of the public Internet.
_SPECIAL_V6 = tuple(IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
# Beyond what `ipaddress` calls not global: relays and what is reserved for protocols.
_SPECIAL_V4 = tuple(IPv4Network(each) for each in ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4"))
_NAT64 = tuple(IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48"))


class EgressRefused(InvalidRequest):
    """The server may not send there. `detail` says why, and names no address: a name must not be an oracle."""

    code = "egress_refused"


class Allowed(Struct, frozen=True):
    """What the operator has opened: besides the public Internet, or without `has_public` in place of it."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()
    has_public: bool = True


class Target(NamedTuple):
    """A URL, read: `host` is a lower-case name or an address without brackets, `path` what stands after it."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def parse_allowed(entries: Sequence[str], *, has_public: bool = True) -> Allowed:
    """The operator's list: networks, addresses and names. Raises `ValueError` naming what is neither."""
    networks: list[Network] = []
    names: set[str] = set()
    for entry in entries:
        try:
            networks.append(ip_network(entry, strict=True))
        except ValueError as error:
            lowered = entry.lower()
            if "/" in entry or not _is_name(lowered):
                raise ValueError(
                    f"GNOMON_EGRESS_ALLOW holds {entry!r}, which is no network and no host name"
                ) from error
            names.add(lowered)
    return Allowed(tuple(networks), frozenset(names), has_public)


def parse_target(url: str, allowed: Allowed) -> Target:
    """Read a URL that the server is to send to. Raises `EgressRefused`; a name is judged when it is resolved."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None:
        raise EgressRefused(
            "this is no URL that can be sent to; write https://host/path in plain ASCII, without user and fragment"
        )
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    literal = _literal(host)
    if literal is None and not _is_name(host):
        raise EgressRefused(f"{host!r} is no host name and no plain address")
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if port > 65_535:
        raise EgressRefused(f"{port} is no port")
    is_listed = host in allowed.names or (literal is not None and _is_listed(literal, allowed))
    if not is_listed:
        if scheme != "https":
            raise EgressRefused("plain http goes only to what GNOMON_EGRESS_ALLOW lists; use https")
        if port != 443 and port < _UNPRIVILEGED:
            raise EgressRefused(f"port {port} is for another protocol; use 443, or one from 1024 on")
    if literal is not None:
        refuse_unreachable([literal], host, allowed)
    rest = found["rest"]
    return Target(scheme, host, port, rest if rest.startswith("/") else f"/{rest}", literal)


def refuse_unreachable(addresses: Sequence[Address], host: str, allowed: Allowed) -> None:
    """Raise `EgressRefused` unless every address of a host may be reached."""
    if not addresses:
        raise EgressRefused(f"{host} has no address")
    for address in addresses:
        if not is_reachable(address, host, allowed):
            raise EgressRefused(
                f"{host} is no host that this server may reach; an operator may list it in GNOMON_EGRESS_ALLOW"
            )


def is_reachable(address: Address, host: str, allowed: Allowed) -> bool:
    """Whether the server may connect to an address, as that of this host."""
    inner = _carried(address)
    if inner is not None:
        # It leads to the inner one, so both must pass, and the outer one is never public by itself.
        return is_reachable(inner, host, allowed) and (_is_listed(address, allowed) or host in allowed.names)
    if _is_listed(address, allowed):
        return True
    if host in allowed.names:
        return not (address.is_link_local or address.is_multicast or address.is_unspecified)
    return allowed.has_public and _is_public(address)


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _SPECIAL_V6)


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    number = int(address)
    is_compatible = number >> 32 == 0 and number > 1
    if is_compatible or any(address in network for network in _NAT64):
        return IPv4Address(number & 0xFFFF_FFFF)
    return None


def _is_listed(address: Address, allowed: Allowed) -> bool:
    return any(address in network for network in allowed.networks)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Whether a host is a name in the DNS: no other spelling of an address."""
    labels = host.split(".")
    return all(_LABEL.fullmatch(label) for label in labels) and not _NUMERIC.fullmatch(labels[-1])

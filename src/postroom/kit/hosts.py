"""Where this installation may connect to on a stranger's word: public hosts, and the internal ones an operator named.

Each answer of one resolution is checked, and callers connect to the addresses returned here, never to the name: a name
that answers differently a second time gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from postroom.kit.errors import Invalid

# What ``is_global`` misses: addresses that carry an IPv4 address inside, and ranges that reach inside some networks.
_WRAPPING: Final = tuple(
    ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "fec0::/10")
)
_NEVER: Final = tuple(ip_network(text) for text in ("0.0.0.0/8", "100.64.0.0/10", "192.88.99.0/24", "198.18.0.0/15"))

Address = IPv4Address | IPv6Address


class HostRefused(Invalid):
    """This host is not reachable from here on a user's word."""

    code = "host_refused"


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, in whatever form it is wrapped into IPv6."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if "%" in address or ip.ipv4_mapped is not None or any(ip in network for network in _WRAPPING):
            return False
    elif any(ip in network for network in _NEVER):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def check_addresses(host: str, addresses: Sequence[str], port: int, internal: Iterable[str] = ()) -> None:
    """Refuse a host with an address that is not public, unless ``internal`` names it: a host, ``host:port``, an
    address, a network (10.0.0.0/8) or ``*``. Raises HostRefused.
    """
    if not addresses:
        raise HostRefused(f"The host {host!r} has no address.", host=host)
    allowed = tuple(internal)
    for address in addresses:
        if not is_public(address) and not _is_named(host, address, port, allowed):
            raise HostRefused(f"The host {host!r} is not on the public internet.", host=host)


async def resolve_async(host: str, port: int, *, internal: Iterable[str] = ()) -> list[str]:
    """Return the checked addresses of a host, in the resolver's order. Raises HostRefused."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostRefused(f"The host {host!r} cannot be found.", host=host, is_unknown=True) from error
    return _checked(host, [str(one[4][0]) for one in found], port, internal)


def _checked(host: str, addresses: list[str], port: int, internal: Iterable[str]) -> list[str]:
    unique = list(dict.fromkeys(addresses))
    check_addresses(host, unique, port, internal)
    return unique


def _is_named(host: str, address: str, port: int, internal: Sequence[str]) -> bool:
    name = host.rstrip(".").lower()
    words = {"*", name, f"{name}:{port}", address, f"{address}:{port}"}
    return any(entry.lower() in words or _holds(entry, address) for entry in internal)


def _holds(entry: str, address: str) -> bool:
    if "/" not in entry:
        return False
    try:
        return ip_address(address) in ip_network(entry, strict=False)
    except ValueError:
        return False

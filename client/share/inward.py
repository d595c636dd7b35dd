"""Whether a way in leads to no server on the internet: to this machine, a home network, a reserved address. Pure.

Somebody who passes on such an entry may want the receiver to knock there. What a name stands for only a resolver
knows, which would see it: so a name is judged by its form.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, TypeAlias

from client import contacts
from client.share import codecs
from transports.types import Endpoint

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# Names that are of no server elsewhere: RFC 6761, 6762, 8375; ICANN's `internal`; what home and company routers give out.
_HOME: Final = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "home.arpa",
    "lan",
    "home",
    "corp",
    "intranet",
)
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_LOW_32: Final = 0xFFFF_FFFF
_COMPATIBLE: Final = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_TRANSLATED_HERE: Final = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215


def leads_inward(endpoint: Endpoint) -> bool:
    """Return it of an endpoint; where the address in a bridge line is none, of the servers that it is reached through."""
    if codecs.is_placeholder(endpoint):
        return any(map(_is_inside, contacts.servers((endpoint,))))
    return bool(endpoint.host) and _is_inside(endpoint.host)


def _is_inside(host: str) -> bool:
    name = host.strip().strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        last = name.rpartition(".")[2]
        # 0x7f.1 is an address to most systems, and a name without a dot is completed by the network that one is on.
        return "." not in name or _NUMBER.fullmatch(last) is not None or name.endswith(_ENDINGS)
    return any(not one.is_global or one.is_multicast for one in _meant(address))


_ENDINGS: Final = tuple(f".{name}" for name in _HOME)


def _meant(address: _Address) -> tuple[_Address, ...]:
    """Return the addresses that an address leads to: of one that wraps an IPv4 address, that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address in _COMPATIBLE or address in _TRANSLATED:
        return (ipaddress.IPv4Address(int(address) & _LOW_32),)
    if address.is_site_local or address in _TRANSLATED_HERE:  # not said by `is_global` of every Python
        return (ipaddress.IPv6Address("::1"),)
    return (address,)

"""At which port a question came in before the system redirected it, and by which of the host's addresses.

Linux only; elsewhere nothing is redirected, so the socket's own port is the one. Numbers from linux/netfilter_ipv4.h,
linux/netfilter_ipv6/ip6_tables.h, linux/in.h, linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any, Final

from client.beacon.wire import UNKNOWN

_SOL_IP, _SOL_IPV6, _ORIGINAL = 0, 41, 80
_IP_PKTINFO: Final = 8
_NETFILTER: Final = 12  # NETLINK_NETFILTER
_GET: Final = 1 << 8 | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
_REQUEST: Final = 1
_NESTED: Final = 0x8000
_ORIG, _REPLY = 1, 2  # CTA_TUPLE_ORIG, CTA_TUPLE_REPLY
_IP, _PROTO = 1, 2  # CTA_TUPLE_IP, CTA_TUPLE_PROTO
_PROTO_NUM, _SRC_PORT, _DST_PORT = 1, 2, 3
_UDP: Final = 17


def of_connection(connection: Any) -> int:
    """Return the port at which a TCP connection came in."""
    own = int(connection.getsockname()[1])
    six = connection.family == socket.AF_INET6
    try:
        told = connection.getsockopt(_SOL_IPV6 if six else _SOL_IP, _ORIGINAL, 28)
    except (OSError, AttributeError):  # nothing was redirected, or this system has no such thing
        return own
    return int(struct.unpack_from("!H", told, 2)[0])


def want_addresses(sock: socket.socket) -> None:
    """Have the system tell to which of its addresses each datagram came."""
    if sys.platform == "linux":
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(_SOL_IP, _IP_PKTINFO, 1)


def own_address(ancillary: list[tuple[int, int, bytes]]) -> tuple[str, list[tuple[int, int, bytes]]]:
    """Return to which address a datagram came, and what sends the answer from there."""
    for level, kind, data in ancillary:
        if (level, kind) == (_SOL_IP, _IP_PKTINFO) and len(data) >= 12:
            packed = data[4:8]
            back = struct.pack("=I", 0) + packed + bytes(4)
            return socket.inet_ntop(socket.AF_INET, packed), [(level, kind, back)]
        if level == socket.IPPROTO_IPV6 and kind == getattr(socket, "IPV6_PKTINFO", -1) and len(data) >= 20:
            # The interface stays named: a link-local address means nothing without it.
            return socket.inet_ntop(socket.AF_INET6, data[:16]), [(level, kind, data[:20])]
    return "", []


class Datagrams:
    """Asks the system's table of connections where a datagram went before it was redirected. Needs root."""

    def __init__(self) -> None:
        self._table: socket.socket | None = None
        family = getattr(socket, "AF_NETLINK", None)
        if family is None:
            return
        try:
            self._table = socket.socket(family, socket.SOCK_RAW, _NETFILTER)
            self._table.setblocking(False)  # the answer is there when send returns
        except OSError:
            self.close()

    def port(self, own: tuple[str, int], peer: tuple[str, int]) -> int:
        """Return the port that `peer` has sent to, by the address and port at which it came in; or UNKNOWN."""
        if self._table is None or not own[0]:
            return UNKNOWN
        family = socket.AF_INET6 if ":" in own[0] else socket.AF_INET
        try:
            self._table.send(_question(family, own, (peer[0].partition("%")[0], peer[1])))
            while True:
                told = self._table.recv(8192)
                port = _told(told)
                if port:
                    return port
        except (OSError, ValueError, struct.error):
            return UNKNOWN

    def close(self) -> None:
        """Close the socket to the table."""
        if self._table is not None:
            self._table.close()
            self._table = None


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _question(family: int, own: tuple[str, int], peer: tuple[str, int]) -> bytes:
    source, destination = (3, 4) if family == socket.AF_INET6 else (1, 2)
    addresses = _attribute(source, socket.inet_pton(family, own[0]))
    addresses += _attribute(destination, socket.inet_pton(family, peer[0]))
    ports = _attribute(_PROTO_NUM, bytes([_UDP])) + _attribute(_SRC_PORT, struct.pack("!H", own[1]))
    ports += _attribute(_DST_PORT, struct.pack("!H", peer[1]))
    both = _attribute(_IP | _NESTED, addresses) + _attribute(_PROTO | _NESTED, ports)
    body = struct.pack("=BBH", family, 0, 0) + _attribute(_REPLY | _NESTED, both)
    return struct.pack("=IHHII", 16 + len(body), _GET, _REQUEST, 1, 0) + body


def _told(message: bytes) -> int:
    """Return the destination port of the original direction; 0: this message does not tell it."""
    for kind, original in _attributes(message[20:]):
        if kind == _ORIG:
            for part, protocol in _attributes(original):
                if part == _PROTO:
                    found = dict(_attributes(protocol)).get(_DST_PORT, b"\0\0")
                    return int(struct.unpack("!H", found[:2])[0])
    return 0


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[length + (-length % 4) :]

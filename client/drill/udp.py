"""The UDP part of a SOCKS5 server (RFC 1928 section 7), to loopback only and without fragments."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from client.drill import asking
from client.drill.serving import Peer

_DATAGRAM_LIMIT: Final = 4096
_TARGETS: Final = 64  # remembered at once for one client

Address = Callable[[str], str]
Where = tuple[str, int]


async def associate(peer: Peer, address: Address) -> None:
    """Relay datagrams for as long as `peer` keeps its connection open. `address` names loopback or raises."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Relay(address), local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        await peer.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
        while await peer.read():
            pass
    finally:
        transport.abort()


class _Relay(asyncio.DatagramProtocol):
    """One socket for both sides: the first sender is the client, whom it has sent to are targets."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client: Where | None = None
        self._targets: set[Where] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.DatagramTransport", transport
        )  # on 3.11 it is one in all but its class

    def datagram_received(self, data: bytes, addr: Where) -> None:
        if len(data) > _DATAGRAM_LIMIT:
            return
        if addr in self._targets and self._client is not None:
            head = b"\0\0\0\x01" + ipaddress.ip_address(addr[0]).packed + addr[1].to_bytes(2, "big")
            self._transport.sendto(head + data, self._client)
            return
        if self._client is None:
            self._client = addr
        if addr == self._client:
            self._outward(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody at the target: a datagram is lost, as datagrams are."""

    def _outward(self, data: bytes) -> None:
        with suppress(OSError, IndexError, ValueError):  # what cannot be read or reached is dropped
            if data[2] != 0:  # fragments
                return
            host, rest = _read_host(data[3:])
            target = self._address(host), int.from_bytes(rest[:2], "big")
            if len(self._targets) < _TARGETS:
                self._targets.add(target)
                self._transport.sendto(rest[2:], target)


def _read_host(data: bytes) -> tuple[str, bytes]:
    kind = data[0]
    if kind == 3:
        size = 1 + data[1]
        return data[2 : 1 + size].decode("latin-1"), data[1 + size :]
    size = {1: 4, 4: 16}.get(kind, 0)
    if not size:
        raise asking.Malformed("address type")
    return str(ipaddress.ip_address(data[1 : 1 + size])), data[1 + size :]

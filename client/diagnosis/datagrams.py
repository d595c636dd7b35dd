"""A connected UDP socket. A refusal (ICMP port unreachable) is raised as the error it is.

The socket is driven by the loop's `sock_recv`, as TCP is here: opening it needs no waiting, so that a diagnosis that is
stopped meanwhile leaves no half-made transport behind (uvloop cannot close such a loop).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_LARGEST: Final = 65535


class Datagrams:
    """What goes to and comes from the one other side."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._loop = asyncio.get_running_loop()

    @property
    def local(self) -> tuple[str, int]:
        """Return our own address and port."""
        host, port, *_ = self._socket.getsockname()
        return str(host), int(port)

    def send(self, data: bytes) -> None:
        """Send one datagram. Raises OSError."""
        self._socket.send(data)

    async def receive(self) -> bytes:
        """Return the next datagram. Raises OSError for a refusal; the deadline is the caller's."""
        return await self._loop.sock_recv(self._socket, _LARGEST)


@asynccontextmanager
async def opened(host: str, port: int) -> AsyncIterator[Datagrams]:
    """Open a socket to `host` (an IP literal) for the length of the block. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    with socket.socket(family, kind, protocol) as sock:
        sock.setblocking(False)
        sock.connect(address)  # for UDP only a note in the routing table
        yield Datagrams(sock)

"""Datagrams through an upstream: UDP ASSOCIATE at a SOCKS5 proxy, or at the door of sing-box for a node.

Source: RFC 1928 sections 6 and 7. Names travel to the far end. Datagrams go to the address that the control
connection leads to, with the port that the proxy names: an address in its answer could be anybody's.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from transports.failure import Failure, WireError
from transports.net import Net
from transports.registry import REGISTRY
from transports.singbox_engine import NodeDoor, loopback
from transports.socks5 import converse
from transports.stream import SocketStream, connect, is_literal
from transports.types import N_, CannotMeasure, Endpoint, Note, Step
from transports.wire.socks import Socks5
from transports.wire.socks_server import pack, unpack

_WAITING: Final = 256 * 1024  # bytes that wait to be taken; what is more is lost
_NO_UDP: Final = N_("UDP does not pass through this kind of proxy")
_NO_DOOR: Final = N_("sing-box is not running: `sanylau doctor` shows how to install it")
_UNREACHABLE: Final = N_("our own sing-box does not answer; run the check again")
_STREAMS_ONLY: Final = frozenset({"http", "shadowtls", "ssh"})  # kinds of nodes


async def associate(endpoint: Endpoint, net: Net) -> Association:
    """Open an association through `endpoint` (SOCKS5, or a node with a door of sing-box in `net.doors`).

    Raises StepFailed (it did not get through, or was refused) or CannotMeasure (this kind of endpoint cannot).
    """
    if REGISTRY[endpoint.transport].udp:
        stream = await connect(endpoint.host, endpoint.port, net)
        return await _granted(stream, endpoint.username, endpoint.password, net, names=True)
    if REGISTRY[endpoint.transport].engine != "sing-box":
        raise CannotMeasure(_NO_UDP)
    door = _door(endpoint, net)
    try:
        async with asyncio.timeout(net.limits.connect):
            stream = SocketStream(await loopback(door.port))
    except OSError as error:
        raise CannotMeasure(_UNREACHABLE) from error
    return await _granted(stream, door.username, door.password, net, names=door.names)


def _door(endpoint: Endpoint, net: Net) -> NodeDoor:
    options = endpoint.options or {}
    if options.get("type") in _STREAMS_ONLY or options.get("network") == "tcp":
        raise CannotMeasure(_NO_UDP)
    door = net.doors.get(endpoint.key())
    if isinstance(door, CannotMeasure):
        raise CannotMeasure(door.reason, **door.values)
    if not isinstance(door, NodeDoor):
        raise CannotMeasure(endpoint.untested or _NO_DOOR)
    if door.stopped is not None:
        raise CannotMeasure(door.stopped.reason)
    return door


async def _granted(
    stream: SocketStream, username: str, password: str, net: Net, *, names: bool
) -> Association:
    """Ask on `stream`, which then belongs to the association."""
    try:
        async with net.trace.step(Step.PROXY_HANDSHAKE, net.limits.handshake):
            dialogue = _Associate(username, password)
            await converse(dialogue, stream)
            return await _opened(stream, dialogue.port, names=names)
    except BaseException:
        stream.close()
        raise


async def _opened(stream: SocketStream, port: int, *, names: bool) -> Association:
    if not port:
        raise WireError(Failure.SOCKS_ERROR, Note.GARBAGE)
    loop = asyncio.get_running_loop()
    there = stream.raw.getpeername()
    sock = socket.socket(stream.raw.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.connect((there[0], port, *there[2:]))
        transport, association = await loop.create_datagram_endpoint(
            lambda: Association(names=names), sock=sock
        )
    except BaseException:
        sock.close()
        raise
    try:
        await loop.create_connection(lambda: _Control(association), sock=stream.raw)
    except BaseException:
        transport.abort()
        raise
    return association


class _Associate(Socks5):
    """The dialogue for UDP ASSOCIATE; `port` is the one that the proxy names for datagrams."""

    def __init__(self, username: str, password: str) -> None:
        super().__init__("0.0.0.0", 0, username, password)  # where our datagrams come from is not known yet
        self.port = 0

    def _request(self) -> bytes:
        return b"\x05\x03" + super()._request()[2:]

    def _on_bound(self, got: bytes) -> bytes:
        self.port = int.from_bytes(got[-2:], "big")
        return super()._on_bound(got)


class _Control(asyncio.Protocol):
    """The connection on which the association hangs."""

    def __init__(self, association: Association) -> None:
        self._association = association

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._association.hang_on(cast("asyncio.Transport", transport))

    def connection_lost(self, exc: Exception | None) -> None:
        self._association.close()


class Association(asyncio.DatagramProtocol):
    """An open association. It ends with its control connection."""

    def __init__(self, *, names: bool) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport | None = None
        self._control: asyncio.Transport | None = None
        self._came: deque[tuple[str, int, bytes]] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._calls: list[Callable[[], None]] = []
        self._over = self._full = False

    def send(self, host: str, port: int, data: bytes) -> None:
        """Send one datagram; one that does not fit is lost, as datagrams are. Raises EOFError once it has ended."""
        if self._over or self._transport is None:
            raise EOFError
        if not (self._names or is_literal(host)) or self._full:
            return
        self._transport.sendto(pack(host, port, data))

    async def recv(self) -> tuple[str, int, bytes]:
        """Return the next datagram and who sent it. Raises EOFError once the association has ended."""
        while not self._came:
            if self._over:
                raise EOFError
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        got = self._came.popleft()
        self._size -= len(got[2])
        return got

    def when_over(self, call: Callable[[], None]) -> None:
        """Have `call` called, once, when the association has ended; at once if it already has."""
        if self._over:
            call()
        else:
            self._calls.append(call)

    def close(self) -> None:
        """End it. Safe to call twice."""
        if self._over:
            return
        self._over = True
        for transport in (self._transport, self._control):
            if transport is not None:
                transport.abort()
        self._wake()
        calls, self._calls = self._calls, []
        for call in calls:
            call()

    def hang_on(self, control: asyncio.Transport) -> None:
        """Take the control connection."""
        self._control = control

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self._transport = cast(
            "asyncio.DatagramTransport", transport
        )  # on 3.11 it is one in all but its class

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep a datagram until it is asked for."""
        got = unpack(data)
        if got is not None and self._size + len(got[2]) <= _WAITING and len(self._came) < _WAITING // 64:
            self._came.append(got)
            self._size += len(got[2])
            self._wake()

    def error_received(self, exc: Exception) -> None:
        """Nobody took a datagram: it is lost, as datagrams are."""

    def pause_writing(self) -> None:
        """Lose what is sent from now on."""
        self._full = True

    def resume_writing(self) -> None:
        """Send again."""
        self._full = False

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the socket."""
        self.close()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""UDP ASSOCIATE for programs: a socket on loopback for one program, and datagrams through the gateway."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from client.connect.desk import SOME
from client.connect.legs import Datagrams, NotOpened, Refusal
from client.tasks import Crew
from transports.failure import Failure, StepFailed
from transports.net import Net
from transports.stream import SocketStream
from transports.types import CannotMeasure, Endpoint
from transports.udp import Association, associate
from transports.wire.socks_server import Reply, answer, pack, unpack

_WAITING: Final = 256 * 1024  # bytes that wait in each direction; what is more is lost
_MANY: Final = 1024  # datagrams
_UNSUPPORTED: Final = frozenset({Failure.SOCKS_COMMAND, Failure.SOCKS_NOT_ALLOWED})


async def opened(endpoint: Endpoint, net: Net) -> Datagrams:
    """Open an association through an option. Raises NotOpened (UNSUPPORTED) where it cannot, or StepFailed."""
    try:
        return Through(await associate(endpoint, net))
    except CannotMeasure:
        raise NotOpened(Refusal.UNSUPPORTED) from None
    except StepFailed as error:
        if error.failure in _UNSUPPORTED:
            raise NotOpened(Refusal.UNSUPPORTED) from None
        raise


class Through:
    """`legs.Datagrams` over an association of `transports.udp`."""

    def __init__(self, association: Association) -> None:
        self._association = association

    async def send(self, host: str, port: int, data: bytes) -> None:
        """Send one datagram; raises NotOpened when the association has ended."""
        try:
            self._association.send(host, port, data)
        except EOFError:
            raise NotOpened(Refusal.FAILED) from None

    async def recv(self) -> tuple[str, int, bytes]:
        """Return the next datagram and who sent it; raises NotOpened when the association has ended."""
        try:
            return await self._association.recv()
        except EOFError:
            raise NotOpened(Refusal.FAILED) from None

    def when_cut(self, call: Callable[[], None]) -> None:
        """Have `call` called, once, when the association has ended; at once if it already has."""
        self._association.when_over(call)

    def close(self) -> None:
        """End it. Safe to call twice."""
        self._association.close()


async def serve(program: SocketStream, datagrams: Datagrams, port: int = 0) -> None:
    """Relay datagrams for as long as the program keeps its connection open and the association lives.

    `port` is the one that the program said it will send from (RFC 1928, section 6), 0 where it did not say.
    """
    try:
        here, there = program.raw.getsockname(), program.raw.getpeername()
        with socket.socket(program.raw.family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind((here[0], 0, *here[2:]))
            loop = asyncio.get_running_loop()
            transport, mouth = await loop.create_datagram_endpoint(lambda: _Mouth(there[0], port), sock=sock)
            try:
                await program.send(answer(5, Reply.GRANTED, here[0].partition("%")[0], sock.getsockname()[1]))
                await _relay(program, mouth, datagrams)
            finally:
                transport.abort()
                await asyncio.sleep(0)  # it closes its socket in the loop's next pass
    finally:
        datagrams.close()


async def _relay(program: SocketStream, mouth: _Mouth, datagrams: Datagrams) -> None:
    over = asyncio.Event()
    datagrams.when_cut(over.set)
    with suppress(NotOpened):
        async with Crew() as crew:
            crew.start(_up(mouth, datagrams), "datagrams up")
            crew.start(_down(mouth, datagrams), "datagrams down")
            crew.start(_until(over), "datagrams' end")
            while await program.recv(SOME):  # the association lasts as long as this connection
                pass


async def _until(over: asyncio.Event) -> None:
    await over.wait()
    raise NotOpened(Refusal.FAILED)


async def _up(mouth: _Mouth, datagrams: Datagrams) -> None:
    while True:
        await datagrams.send(*await mouth.recv())


async def _down(mouth: _Mouth, datagrams: Datagrams) -> None:
    while True:
        mouth.send(*await datagrams.recv())


class _Mouth(asyncio.DatagramProtocol):
    """The socket that the program sends to.

    Only its own address counts, and the port that it has named; where it has named none, that of the first datagram.
    """

    def __init__(self, address: str, port: int) -> None:
        self._address, self._port = address, port
        self._program: tuple[object, ...] | None = None
        self._came: deque[tuple[str, int, bytes]] = deque()
        self._size = 0
        self._ready = asyncio.Event()
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(
            "asyncio.DatagramTransport", transport
        )  # on 3.11 it is one in all but its class

    def datagram_received(self, data: bytes, addr: tuple[object, ...]) -> None:
        if addr[0] != self._address or self._port not in (0, addr[1]):
            return
        if self._program is not None and addr != self._program:
            return
        got = unpack(data)
        if got is None:
            return
        self._program = addr
        if self._size + len(got[2]) <= _WAITING and len(self._came) < _MANY:
            self._came.append(got)
            self._size += len(got[2])
            self._ready.set()

    def error_received(self, exc: Exception) -> None:
        """The program is gone: a datagram is lost, as datagrams are."""

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    async def recv(self) -> tuple[str, int, bytes]:
        while not self._came:
            self._ready.clear()
            await self._ready.wait()
        got = self._came.popleft()
        self._size -= len(got[2])
        return got

    def send(self, host: str, port: int, data: bytes) -> None:
        if self._program is not None and not self._full:
            with suppress(ValueError):  # a name that no header holds
                self._transport.sendto(pack(host, port, data), self._program)

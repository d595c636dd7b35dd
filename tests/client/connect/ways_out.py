"""Gateways of the tests: real streams to loopback, and what the local side told them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from client.connect.legs import Datagrams, Leg, NotOpened, Refusal
from client.connect.local import Limits, Local
from client.drill.serving import Handler, serving
from tests.servers.around import around
from transports.net import Net
from transports.stream import connect
from transports.types import Endpoint, Stream, Transport

PATIENCE = 10.0
RESETS = (ConnectionResetError, BrokenPipeError)


class Walked:
    """A leg, and what became of it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.up = self.down = 0
        self.has_broken = self.closed = False
        self._calls: list[Callable[[], None]] = []

    def asking(self, head: bytes) -> bytes:
        return head

    def sent(self, count: int) -> None:
        self.up += count

    def received(self, count: int) -> None:
        self.down += count

    def when_cut(self, call: Callable[[], None]) -> None:
        self._calls.append(call)

    def cut(self) -> None:
        for call in self._calls:
            call()

    def broke(self) -> None:
        self.has_broken = True

    def close(self) -> None:
        self.closed = True
        self.stream.close()


class JudgedLeg(Walked):
    """A leg that has a word on its end."""

    verdict = True

    async def ended_well(self) -> bool:
        await asyncio.sleep(0.01)
        return self.verdict


class WayOut:
    """Opens every connection to 127.0.0.1, whatever name was asked for, with the port that was asked for."""

    def __init__(
        self,
        refusal: Refusal | None = None,
        *,
        leg: type[Walked] = Walked,
        datagrams: Callable[[], Awaitable[Datagrams]] | None = None,
    ) -> None:
        self.refusal, self.leg = refusal, leg
        self.asked: list[tuple[str, int]] = []
        self.legs: list[Walked] = []
        self._datagrams = datagrams

    async def open(self, host: str, port: int, *, page: bool = False) -> Leg:
        self.asked.append((host, port))
        if self.refusal is not None:
            raise NotOpened(self.refusal)
        leg = self.leg(await self.stream(host, port))
        self.legs.append(leg)
        return leg

    async def stream(self, host: str, port: int) -> Stream:
        return await connect("127.0.0.1", port, around())

    async def datagrams(self) -> Datagrams:
        if self._datagrams is None:
            raise NotOpened(Refusal.UNSUPPORTED)
        return await self._datagrams()


class Through(WayOut):
    """Opens every connection through a proxy."""

    def __init__(self, transport: Transport, endpoint: Endpoint, net: Callable[[], Net] = around) -> None:
        super().__init__()
        self._transport, self._endpoint, self._net = transport, endpoint, net

    async def stream(self, host: str, port: int) -> Stream:
        return await self._transport.dial(self._endpoint, host, port, self._net())


@asynccontextmanager
async def local(
    gateway: WayOut | None = None, *, password: str | None = None, limits: Limits | None = None
) -> AsyncIterator[tuple[Local, WayOut]]:
    gateway = gateway or WayOut()
    async with (
        asyncio.timeout(50),
        Local.listening("127.0.0.1", 0, gateway, password=password, limits=limits) as door,
    ):
        yield door, gateway


class Program:
    """A raw client of the local port."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._loop.sock_sendall(self.sock, data)

    async def recv(self, limit: int = 65536) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self._loop.sock_recv(self.sock, limit)

    async def exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = await self.recv(count - len(got))
            assert more, "it ended early"
            got += more
        return got

    async def everything(self) -> bytes:
        got = b""
        while more := await self.recv():
            got += more
        return got

    async def is_reset(self) -> bool:
        """Read on until the end, and say whether that was a reset."""
        try:
            while await self.recv():
                pass
        except RESETS:
            return True
        return False

    async def socks5(self, port: int, host: bytes = b"name.test") -> bytes:
        """Ask for a connection and return the whole answer."""
        await self.send(b"\x05\x01\x00")
        assert await self.exactly(2) == b"\x05\x00"
        await self.send(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
        return await self.exactly(10)

    async def tunnel(self, port: int) -> None:
        assert (await self.socks5(port))[1] == 0


@asynccontextmanager
async def program(door: Local, buffer: int = 0) -> AsyncIterator[Program]:
    sock = socket.socket()
    try:
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", door.port))
        yield Program(sock)
    finally:
        sock.close()


@asynccontextmanager
async def tunnelled(
    handler: Handler, gateway: WayOut | None = None, limits: Limits | None = None, buffer: int = 0
) -> AsyncIterator[tuple[Program, Local, WayOut]]:
    """Give a program with an open tunnel to a server of `handler`."""
    async with (
        serving(handler) as port,
        local(gateway, limits=limits) as (door, way),
        program(door, buffer) as client,
    ):
        await client.tunnel(port)
        yield client, door, way


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(0.005)

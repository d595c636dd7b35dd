"""Runs one handler on a loopback port, and leaves nothing behind: no task, no socket.

`asyncio.Server` alone is not enough: leaving it waits for open handlers on Python 3.12 and later, and
forgets them on 3.11. So every handler is a task of ours, with a lifetime, cancelled on leave.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final

LIFETIME: Final = 60.0  # seconds; no handler lives longer
_MOST: Final = 256  # connections at once to one server
_BUFFER: Final = 32 * 1024  # bytes a reader holds at most (asyncio pauses at twice that)
_FAREWELL: Final = 1.0  # seconds for the last bytes to leave
_ROUNDS: Final = 5  # loop passes that an accepted connection needs to show up, or an aborted one to go
_LINGER_NOT: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)

ENDED: Final = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)
"""What a broken or ended connection raises; ssl.SSLError and IncompleteReadError are among them."""


class Peer:
    """One connection, from the server's side (or a proxy's connection to its target)."""

    __slots__ = ("reader", "writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def read(self, limit: int = 16 * 1024) -> bytes:
        """Return 1..`limit` bytes, or b"" at the end."""
        return await self.reader.read(limit)

    async def exactly(self, count: int) -> bytes:
        """Return `count` bytes. Raises IncompleteReadError at an early end."""
        return await self.reader.readexactly(count)

    async def send(self, data: bytes) -> None:
        """Send `data`, waiting for the other side to take it."""
        self.writer.write(data)
        await self.writer.drain()

    async def upgrade(self, context: ssl.SSLContext, *, name: str | None = None, say: bytes = b"") -> None:
        """Send `say` in the clear, then go on in TLS: as a server, or as a client towards `name`."""
        # What the other side sends next belongs to TLS: the plain reader must not get hold of it.
        transport: Any = self.writer.transport
        transport.pause_reading()
        if say:
            await self.send(say)
        await self.writer.start_tls(context, server_hostname=name)

    def finish(self) -> None:
        """Say that nothing more comes: half-close, or close where TLS knows no half."""
        if self.writer.can_write_eof():
            self.writer.write_eof()
        else:
            self.writer.close()

    def abort(self) -> None:
        """Let go of the connection at once."""
        with suppress(AttributeError):  # of a TLS one that is closed already (Python 3.11.2)
            self.writer.transport.abort()

    def reset(self) -> None:
        """End the connection by a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.abort()

    async def linger(self) -> None:
        """Half-close, then read on until the other side closes: a close with unread bytes would be a reset."""
        self.finish()
        while await self.read():
            pass


Handler = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def serving(
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    context: ssl.SSLContext | None = None,
    lifetime: float = LIFETIME,
    most: int = _MOST,
) -> AsyncIterator[int]:
    """Serve `handler` on `host` (loopback), `port` 0 for a free one, and give the port; with `context`, under TLS.

    A connection over `most` is closed unheard. A bug in a handler is raised on leave.
    """
    room = _Room(handler, context, lifetime, most)
    server = await asyncio.start_server(room.welcome, host, port, limit=_BUFFER)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await (
            _passes()
        )  # a server closed between accepting and announcing loses that connection (Python 3.11)
        server.close()
        await room.empty()
    if room.bugs:
        raise room.bugs[0]


class _Room:
    """The open connections of one server."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None, lifetime: float, most: int) -> None:
        self._handler, self._context, self._lifetime, self._most = handler, context, lifetime, most
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self.bugs: list[Exception] = []

    def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Start the handler for a new connection."""
        peer = Peer(reader, writer)
        if self._closing or len(self._tasks) >= self._most:
            peer.abort()
            return
        task = asyncio.get_running_loop().create_task(self._attend(peer), name="drill connection")
        self._tasks.add(task)

        def forget(done: asyncio.Task[None]) -> None:  # a task cancelled before its first step has no finally
            self._tasks.discard(done)
            peer.abort()

        task.add_done_callback(forget)

    async def _attend(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(self._lifetime):
                if self._context is not None:
                    await peer.upgrade(self._context)
                await self._handler(peer)
                async with asyncio.timeout(_FAREWELL):
                    peer.writer.close()
                    await peer.writer.wait_closed()
        except ENDED:
            pass
        except Exception as bug:  # noqa: BLE001 - kept, and raised by `serving`
            self.bugs.append(bug)

    async def empty(self) -> None:
        """End all connections, those too that the loop has accepted and not yet announced."""
        await _passes()
        self._closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _passes()


async def _passes() -> None:
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


async def reach(host: str, port: int) -> Peer:
    """Open a connection to a loopback address. Raises OSError."""
    return Peer(*await asyncio.open_connection(host, port, limit=_BUFFER))


@asynccontextmanager
async def holding(peer: Peer) -> AsyncIterator[Peer]:
    """Let go of `peer` when the block is left, and see its socket closed."""
    try:
        yield peer
    finally:
        peer.abort()
        with suppress(*ENDED):
            await peer.writer.wait_closed()


@contextmanager
def unheard_resets() -> Iterator[None]:
    """Keep the loop from telling of connections that were reset while their task was being cancelled.

    asyncio's streams set such a fault on a wait that nobody waits for any more. Clients of the drill cut
    connections all the time, so it means nothing; every other fault is told as before.
    """
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), ConnectionError) and context.get("future") is not None:
            return
        if before is not None:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


@asynccontextmanager
async def nobody() -> AsyncIterator[int]:
    """Give a port that refuses connections. It stays bound, so that nobody else gets it meanwhile."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]

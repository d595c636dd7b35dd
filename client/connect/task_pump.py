"""The pump for streams that are more than a socket (TLS), and for loops that cannot watch one: two tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from client.connect.legs import Leg
from client.connect.pump import Broke, Side, Sieve, proper
from client.tasks import Crew
from transports.stream import SocketStream, TlsStream
from transports.types import CannotMeasure, Stream

_PIECE: Final = 16 * 1024  # one TLS record; also what a waiting read may cost on some systems
_FAULTS: Final = (OSError, EOFError, CannotMeasure)


class TaskPump:
    """A connection between two streams. `run` is its life."""

    __slots__ = ("_ended", "_leg", "_program", "_stopped", "_why", "moved")

    def __init__(self, program: SocketStream, leg: Leg) -> None:
        self._program, self._leg = program, leg
        self._stopped = asyncio.Event()
        self._why: Broke | None = None
        self._ended: set[Side] = set()
        self.moved = 0

    async def run(self, up: Sieve | None, down: Sieve | None) -> None:
        """Move until both ways have ended. Raises Broke."""
        leg = self._leg
        ways = (
            self._carry(self._program, leg.stream, leg.sent, up, Side.PROGRAM, Side.OPTION),
            self._carry(leg.stream, self._program, leg.received, down, Side.OPTION, Side.PROGRAM),
        )
        async with Crew() as crew:
            moving = [crew.start(way, "pump") for way in ways]
            crew.start(self._until_stopped(), "pump's end")
            await asyncio.wait(moving)

    async def _until_stopped(self) -> None:
        await self._stopped.wait()
        if self._why is not None:
            raise self._why

    async def _carry(
        self,
        source: Stream,
        sink: Stream,
        count: Callable[[int], None],
        sieve: Sieve | None,
        near: Side,
        far: Side,
    ) -> None:
        inside = Side.PROGRAM if near is Side.PROGRAM else Side.NEITHER
        while data := await self._read(source, near):
            self.moved += len(data)
            try:
                data = data if sieve is None else sieve.feed(data)
            except ValueError:
                raise Broke(inside) from None
            if data:
                count(len(data))
                await self._write(sink, data, far)
        if near is Side.OPTION and not await self._whole():
            raise Broke(near)
        try:
            if sieve is None or sieve.end():
                await _finish(sink)
        except ValueError:
            raise Broke(inside) from None
        except _FAULTS:
            raise Broke(far) from None
        self._ended.add(near)

    async def _read(self, source: Stream, near: Side) -> bytes:
        try:
            return await source.recv(_PIECE)
        except _FAULTS:
            raise Broke(near) from None

    async def _write(self, sink: Stream, data: bytes, far: Side) -> None:
        try:
            await sink.send(data)
        except _FAULTS:
            raise Broke(far) from None

    async def _whole(self) -> bool:
        stream = self._leg.stream
        return not (isinstance(stream, TlsStream) and stream.torn) and await proper(self._leg)

    def stop(self, why: Broke) -> None:
        """End it by a fault."""
        self._why = self._why or why
        self._stopped.set()

    def check(self) -> None:
        """Look for nothing: a read is always under way."""

    def half_closed(self) -> bool:
        """Say whether one side has ended and the other has not."""
        return len(self._ended) == 1


async def _finish(sink: Stream) -> None:
    if isinstance(sink, SocketStream | TlsStream):
        await sink.finish()

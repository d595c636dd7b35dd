"""Moves bytes between a program and a leg, until both are done, one breaks, or the leg is cut.

An end is passed on as an end, and a fault on the option's side as a reset: half a file must never look whole. A
side that does not take its bytes stops the reading of the other one, so nothing grows.

Two plain sockets are moved by callbacks of the loop through one buffer that all connections share; on loopback
that costs less than `os.splice`, and a larger buffer costs more than it saves (it falls out of the cache).
Everything else goes through `task_pump`; `belt` chooses.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final, Protocol, runtime_checkable

from client.connect.legs import Leg
from transports.stream import SocketStream
from transports.types import CannotMeasure, Stream

CHUNK: Final = 64 * 1024
_ROUNDS: Final = 8  # reads of one connection before the others have their turn
_JUDGING: Final = (
    60.0  # seconds; whoever judges has deadlines that follow the option's latency, and ends sooner
)
_AGAIN: Final = (BlockingIOError, InterruptedError)
_LINGER: Final = "hh" if os.name == "nt" else "ii"


@runtime_checkable
class Judged(Protocol):
    """What a `Leg` may have besides: a word on an end that looks proper.

    A killed engine on this machine ends its connections as properly as a server that is done. A leg through an
    engine should have this; the pump asks it before it passes an end on to the program.
    """

    async def ended_well(self) -> bool:
        """Tell, at the end of the option's side, whether it was one."""


class Sieve(Protocol):
    """Changes what goes one way."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes, return those that go on. Raises ValueError for what must not."""

    def end(self) -> bool:
        """Say whether an end is to be passed on. Raises ValueError where it must not end."""


class Side(Enum):
    """Whose fault it is that a connection has ended."""

    PROGRAM = "program"
    OPTION = "option"
    NEITHER = (
        "neither"  # the option was cut, a limit was reached, or the server at the far end broke its protocol
    )


class Broke(Exception):  # noqa: N818 - how a connection ended
    """A connection is over, and not as it should."""

    def __init__(self, side: Side) -> None:
        super().__init__(side.value)
        self.side = side


def make_abrupt(stream: SocketStream) -> None:
    """Have the close of a connection, whoever does it, be a TCP reset."""
    _linger(stream, abrupt=True)


def make_orderly(stream: SocketStream) -> None:
    """Have the close of a connection send what is left, and then an end."""
    _linger(stream, abrupt=False)


def _linger(stream: SocketStream, *, abrupt: bool) -> None:
    with suppress(OSError):  # closed already
        stream.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, abrupt, 0))


def reset(stream: SocketStream) -> None:
    """End the connection by a TCP reset. Nobody may be reading or writing it."""
    make_abrupt(stream)
    stream.close()


async def proper(leg: Leg) -> bool:
    """Tell whether the end of the option's side is a proper one."""
    stream = leg.stream
    try:
        async with asyncio.timeout(_JUDGING):
            if isinstance(leg, Judged):
                return await leg.ended_well()
            # The streams of engines know at their end whether the engine still lives.
            return type(stream) is SocketStream or not await stream.recv(1)
    except (OSError, EOFError, CannotMeasure):
        return False


class Pump(Protocol):
    """A connection under way. `moved` grows with every byte."""

    moved: int

    async def run(self, up: Sieve | None, down: Sieve | None) -> None:
        """Move until both ways have ended. Raises Broke."""

    def check(self) -> None:
        """Look for a fault that reading has not shown, because it is stopped."""

    def half_closed(self) -> bool:
        """Say whether one side has ended and the other has not."""

    def stop(self, why: Broke) -> None:
        """End it, both sockets untouched from now on."""


class _Way:
    """One direction. `rest` is what the sink would not take yet; while there is some, nothing is read."""

    __slots__ = (
        "_count",
        "_fault_in",
        "_fault_inside",
        "_fault_out",
        "_pump",
        "_rest",
        "_sieve",
        "_sink",
        "_source",
        "_up",
        "ended",
    )

    def __init__(
        self,
        pump: SocketPump,
        source: socket.socket,
        sink: socket.socket,
        count: Callable[[int], None],
        sieve: Sieve | None,
        *,
        up: bool,
    ) -> None:
        self._pump, self._source, self._sink, self._count = pump, source, sink, count
        self._sieve, self._up = sieve, up
        self._fault_in, self._fault_out = (Side.PROGRAM, Side.OPTION) if up else (Side.OPTION, Side.PROGRAM)
        self._fault_inside = Side.PROGRAM if up else Side.NEITHER
        self._rest = b""
        self.ended = False

    def begin(self, put_back: bytes) -> None:
        """Start, with what was read too far."""
        self._pump.loop.add_reader(self._source, self.readable)
        if put_back:
            self._offer(memoryview(put_back))

    def readable(self) -> None:
        """Read and pass on."""
        buffer, view = self._pump.buffer
        for _ in range(_ROUNDS):
            try:
                count = self._source.recv_into(buffer)
            except _AGAIN:
                return None
            except OSError:
                return self._pump.stop(Broke(self._fault_in))
            if not count:
                return self._end()
            self._pump.moved += count
            if not self._offer(view[:count]) or count < CHUNK:
                return None
        return None

    def _offer(self, data: memoryview) -> bool:
        """Send at once what the sink takes; with a remainder, stop reading and return False."""
        if self._sieve is not None:
            try:
                data = memoryview(self._sieve.feed(bytes(data)))
            except ValueError:
                self._pump.stop(Broke(self._fault_inside))
                return False
        if not data:
            return True
        self._count(len(data))
        sent = self._send(data)
        if sent == len(data):
            return True
        if sent >= 0:
            self._rest = bytes(data[sent:])
            self._pump.loop.remove_reader(self._source)
            self._pump.loop.add_writer(self._sink, self._writable)
        return False

    def _send(self, data: memoryview | bytes) -> int:
        """Return how much the sink took, -1 after a fault."""
        try:
            return self._sink.send(data)
        except _AGAIN:
            return 0
        except OSError:
            self._pump.stop(Broke(self._fault_out))
            return -1

    def _writable(self) -> None:
        sent = self._send(self._rest)
        if sent < 0:
            return
        self._pump.moved += sent
        self._rest = self._rest[sent:]
        if not self._rest:
            self._pump.loop.remove_writer(self._sink)
            self._pump.loop.add_reader(self._source, self.readable)

    def check(self) -> None:
        """A reset is seen by reading only; while nothing is read, the system has to be asked."""
        if self._rest and self._source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._pump.stop(Broke(self._fault_in))

    def _end(self) -> None:
        self._pump.loop.remove_reader(self._source)
        if self._up or self._pump.trusted:
            self.pass_end()
        else:
            self._pump.doubt()

    def pass_end(self) -> None:
        """Tell the sink that nothing more comes."""
        try:
            if self._sieve is None or self._sieve.end():
                self._sink.shutdown(socket.SHUT_WR)
        except ValueError:
            self._pump.stop(Broke(self._fault_inside))
        except OSError:
            self._pump.stop(Broke(self._fault_out))
        else:
            self.ended = True
            self._pump.one_ended()


class SocketPump:
    """A connection between two sockets, moved by callbacks. `run` is its life."""

    __slots__ = (
        "_doubted",
        "_down",
        "_leg",
        "_over",
        "_program",
        "_up",
        "_wake",
        "_why",
        "buffer",
        "loop",
        "moved",
        "trusted",
    )

    def __init__(self, program: SocketStream, leg: Leg, buffer: bytearray) -> None:
        self._program, self._leg = program, leg
        self.buffer = buffer, memoryview(buffer)
        self.loop = asyncio.get_running_loop()
        self.moved = 0
        self.trusted = type(leg.stream) is SocketStream and not isinstance(leg, Judged)
        self._wake = asyncio.Event()
        self._over = self._doubted = False
        self._why: Broke | None = None

    async def run(self, up: Sieve | None, down: Sieve | None) -> None:
        """Move until both ways have ended. Raises Broke."""
        assert isinstance(self._leg.stream, SocketStream)
        program, option = self._program.raw, self._leg.stream.raw
        self._up = _Way(self, program, option, self._leg.sent, up, up=True)
        self._down = _Way(self, option, program, self._leg.received, down, up=False)
        try:
            for way, put_back in (
                (self._up, self._program.put_back()),
                (self._down, self._leg.stream.put_back()),
            ):
                if not self._over:
                    way.begin(put_back)
            await self._until_over()
        finally:
            self._let_go()
        if self._why is not None:
            raise self._why

    async def _until_over(self) -> None:
        while not self._over:
            await self._wake.wait()
            self._wake.clear()
            if self._doubted and not self._over:
                self._doubted = False
                good = await proper(self._leg)
                if self._over:
                    return
                if good:
                    self._down.pass_end()
                else:
                    self.stop(Broke(Side.OPTION))

    def doubt(self) -> None:
        """The option's side has ended: have it judged."""
        self._doubted = True
        self._wake.set()

    def one_ended(self) -> None:
        """End when both have."""
        if self._up.ended and self._down.ended:
            self._over = True
            self._wake.set()

    def stop(self, why: Broke) -> None:
        """End it by a fault."""
        if not self._over:
            self._over, self._why = True, why
            self._let_go()
            self._wake.set()

    def check(self) -> None:
        """Look for a fault that reading has not shown, because it is stopped."""
        with suppress(OSError):
            self._up.check()
            self._down.check()

    def half_closed(self) -> bool:
        """Say whether one side has ended and the other has not."""
        return self._up.ended != self._down.ended

    def _let_go(self) -> None:
        streams: tuple[Stream, ...] = (self._program, self._leg.stream)
        for stream in streams:
            assert isinstance(stream, SocketStream)
            if stream.raw.fileno() != -1:
                self.loop.remove_reader(stream.raw)
                self.loop.remove_writer(stream.raw)

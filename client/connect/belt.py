"""All connections under way: chooses the pump of each, and looks after those that nothing else wakes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from client.connect.legs import Leg
from client.connect.pump import (
    CHUNK,
    Broke,
    Pump,
    Side,
    Sieve,
    SocketPump,
    make_abrupt,
    make_orderly,
    reset,
)
from client.connect.task_pump import TaskPump
from transports.stream import SocketStream

_EVERY: Final = 5.0  # seconds


class Belt:
    """The pumps of one listener. `half_closed` is how long a half-closed connection may be silent, in seconds."""

    def __init__(self, half_closed: float) -> None:
        self._half_closed = half_closed
        self._buffer = bytearray(CHUNK)
        self._still: dict[Pump, tuple[int, float]] = {}  # what had been moved, and since when

    async def move(
        self, program: SocketStream, leg: Leg, up: Sieve | None = None, down: Sieve | None = None
    ) -> None:
        """Move bytes until the connection is over, and close both sides as their ends demand."""
        pump = self._pump(program, leg)
        leg.when_cut(lambda: pump.stop(Broke(Side.NEITHER)))
        self._still[pump] = 0, 0.0
        sides = [program, leg.stream] if isinstance(leg.stream, SocketStream) else [program]
        for side in sides:  # should we be killed, the system must not end half a file as if it were whole
            make_abrupt(side)
        try:
            await pump.run(up, down)
            for side in sides:
                make_orderly(side)
        except Broke as broke:
            reset(program)
            if broke.side is Side.OPTION:
                leg.broke()
        finally:
            del self._still[pump]
            leg.close()
            program.close()

    def _pump(self, program: SocketStream, leg: Leg) -> Pump:
        if isinstance(leg.stream, SocketStream):
            with suppress(NotImplementedError):  # Windows' usual loop cannot watch sockets
                asyncio.get_running_loop().remove_reader(program.raw)
                return SocketPump(program, leg, self._buffer)
        return TaskPump(program, leg)

    async def sweep(self) -> None:
        """Look after them, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_EVERY, self._half_closed / 4))
            for pump in list(self._still):
                pump.check()
                self._look(pump, loop.time())

    def _look(self, pump: Pump, now: float) -> None:
        moved, since = self._still.get(pump, (0, now))
        if not pump.half_closed() or pump.moved != moved:
            self._still[pump] = pump.moved, now
        elif now - since > self._half_closed:
            pump.stop(Broke(Side.NEITHER))

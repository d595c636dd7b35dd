"""The clock of a watch: what time it is, how to wait, and whether the machine slept or its clock was set."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

_NOTICEABLE: Final = 20.0  # seconds: less is the ordinary correction of a clock, or a busy machine
_ELSEWHERE: Final = (("198.51.100.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # RFC 5737, RFC 3849


class Why(StrEnum):
    """Why the time is another than expected."""

    SLEEP = "sleep"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Jump:
    """The machine slept, or its clock was set by `seconds`."""

    why: Why
    seconds: float


class Clock(Protocol):
    """Times in seconds. `wall` is Unix time; `steady` never goes back and may stand still while the machine sleeps;
    `awake` is the same but goes on then, or None where the system does not tell.
    """

    def wall(self) -> float:
        """Return the Unix time."""

    def steady(self) -> float:
        """Return a time that never goes back."""

    def awake(self) -> float | None:
        """Return a steady time that counts sleep too."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own."""

    def wall(self) -> float:
        """Return the Unix time."""
        return time.time()

    def steady(self) -> float:
        """Return a time that never goes back."""
        return asyncio.get_running_loop().time()

    def awake(self) -> float | None:
        """Return the time since the start of the machine, sleep included (Linux: clock_gettime(2))."""
        number = getattr(time, "CLOCK_BOOTTIME", None)
        return time.clock_gettime(number) if number is not None else None

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Drift:
    """Compares the clocks from one look to the next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._look()

    def _look(self) -> tuple[float, float, float | None]:
        return self._clock.wall(), self._clock.steady(), self._clock.awake()

    def look(self) -> list[Jump]:
        """Return what has happened to the time since the last look."""
        before, self._last = self._last, self._look()
        wall, steady = self._last[0] - before[0], self._last[1] - before[1]
        if self._last[2] is not None and before[2] is not None:
            slept = self._last[2] - before[2] - steady
            jumps = [Jump(Why.SLEEP, slept), Jump(Why.CLOCK, wall - steady - slept)]
        else:  # a clock that leaps ahead is most likely one that went on while the machine slept
            ahead = wall - steady
            jumps = [Jump(Why.SLEEP if ahead > 0 else Why.CLOCK, ahead)]
        return [jump for jump in jumps if abs(jump.seconds) > _NOTICEABLE]


def network_print() -> frozenset[str]:
    """Return what tells this network from another: the machine's own addresses towards the outside.

    Nothing is sent; it is kept in memory and never shown.
    """
    found = set()
    for address, family in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
                own = str(probe.getsockname()[0])
                # Of IPv6 the network's half: the other half changes every few hours for privacy's sake.
                found.add(own if family is socket.AF_INET else ":".join(own.split(":")[:4]))
        except OSError:
            continue
    return frozenset(found)

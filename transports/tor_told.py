"""What tor tells of itself, as data: how far it is, its circuits, its listener, and a clock that is wrong.

Names and reasons: control-spec (https://spec.torproject.org/control-spec), the sections on asynchronous events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transports.failure import Failure
from transports.types import N_

WRONG: Final = 1800
"""Seconds that a clock has to be off to be spoken of: obfs4 fails from an hour on, tor's list of relays from three."""

_MOST: Final = 200  # clocks that are looked at
_AHEAD: Final = N_(
    "your clock is {hours} h {minutes} min fast, says tor: set it, or good bridges will look dead (obfs4 from an hour on)"
)
_BEHIND: Final = N_(
    "your clock is {hours} h {minutes} min slow, says tor: set it, or good bridges will look dead (obfs4 from an hour on)"
)
_BRIDGE_AHEAD: Final = N_(
    "your clock is {hours} h {minutes} min fast by the clocks of bridges that proved who they are: set it, or good bridges will look dead (obfs4 from an hour on)"
)
_BRIDGE_BEHIND: Final = N_(
    "your clock is {hours} h {minutes} min slow by the clocks of bridges that proved who they are: set it, or good bridges will look dead (obfs4 from an hour on)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should know; `reason` is a message for the catalogs.

    `evidence` is where it comes from: "tor" (its own judgement) or "bridges" (their clocks, by NETINFO cells).
    """

    reason: str
    values: Mapping[str, object]
    evidence: str = "tor"


def in_hours(seconds: int) -> dict[str, int]:
    """Return by how much a clock is off, either way, as the `hours` and `minutes` of a message; rounded."""
    hours, minutes = divmod(round(abs(seconds) / 60), 60)
    return {"hours": hours, "minutes": minutes}


def add(notices: list[Notice], notice: Notice | None) -> None:
    """Add a notice about the clock, unless there is one already: what comes later is less exact."""
    if notice is not None and not notices:
        notices.append(notice)


class Clocks:
    """What proven bridges told of the time. Speaks up once, when most of them say that our clock is wrong."""

    def __init__(self, notices: list[Notice]) -> None:
        self._notices = notices
        self._ahead: list[int] = []

    def take(self, ahead: int) -> None:
        """Take how many seconds our clock is ahead of one bridge's (negative: behind)."""
        if len(self._ahead) >= _MOST:
            return
        self._ahead.append(ahead)
        alike = [one for one in self._ahead if abs(one) >= WRONG and (one > 0) == (ahead > 0)]
        if 2 * len(alike) > len(self._ahead):
            values = in_hours(sorted(alike)[(len(alike) - 1) // 2])
            reason = _BRIDGE_AHEAD if ahead > 0 else _BRIDGE_BEHIND
            add(self._notices, Notice(reason=reason, values=values, evidence="bridges"))


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far tor is on its way into the network (control-spec 5.5). `rate` is in bytes a second.

    `moved` is the loop time of the last step forward, or of the last second in which more than noise came.
    """

    percent: int = 0
    tag: str = ""
    summary: str = ""
    rate: float = 0.0
    received: int = 0
    moved: float = 0.0


@dataclass(slots=True, kw_only=True)
class Circuit:
    """A circuit as tor tells of it. `hops` are the fingerprints that it has reached."""

    status: str = ""
    hops: tuple[str, ...] = ()
    reason: str = ""
    remote: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it can carry nothing any more."""
        return self.status in ("FAILED", "CLOSED")


@dataclass(slots=True, kw_only=True)
class Wait:
    """A connection of ours to tor's SOCKS port. `trouble` is why tor could not carry it on."""

    circuit: str
    stream: str = ""
    trouble: str = ""


def listener(text: str) -> int:
    """Return the port on 127.0.0.1 in the answer to `GETINFO net/listeners/socks`, 0 while there is none."""
    host, _, port = text.split('"')[1].rpartition(":") if '"' in text else ("", "", "")
    return int(port) if host == "127.0.0.1" and port.isdecimal() else 0


def named(circuit: Circuit) -> Failure:
    """Return the name for the end of a circuit (control-spec 4.1.1, the reasons of CIRC)."""
    if "TIMEOUT" in (circuit.reason, circuit.remote):
        return Failure.TIMEOUT
    if circuit.remote in ("CONNECTFAILED", "RESOURCELIMIT", "HIBERNATING", "NOROUTE"):
        return Failure.HOST_UNREACHABLE
    if circuit.reason == "CHANNEL_CLOSED" or circuit.remote == "CHANNEL_CLOSED":
        return Failure.CONNECTION_RESET
    return Failure.UNKNOWN


def skew(told: Mapping[str, str]) -> Notice | None:
    """Read the arguments of a CLOCK_SKEW event (control-spec 4.1.10: positive is ahead); None for a small error."""
    try:
        seconds = int(told.get("SKEW", ""))
    except ValueError:
        return None
    if not WRONG <= abs(seconds) < 10**9:
        return None
    return Notice(reason=_AHEAD if seconds > 0 else _BEHIND, values=in_hours(seconds))

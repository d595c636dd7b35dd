"""What tor tells of itself, as data: how far it is, its circuits, its listener, and a clock that is wrong.

Names and reasons: control-spec (https://spec.torproject.org/control-spec), the sections on asynchronous events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from transports.failure import Failure
from transports.types import N_

_SKEW: Final = N_(
    "your clock is wrong by {seconds} seconds: set it, or bridges cannot be trusted to fail honestly"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should know; `reason` is a message for the catalogs."""

    reason: str
    values: Mapping[str, object]


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
    """Read the arguments of a CLOCK_SKEW event; `seconds` is positive when our clock is ahead."""
    try:
        seconds = int(told.get("SKEW", ""))
    except ValueError:
        return None
    return Notice(reason=_SKEW, values={"seconds": seconds}) if abs(seconds) < 10**9 else None

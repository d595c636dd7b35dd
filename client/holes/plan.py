"""What is asked, in which order, from where on. Pure, but for reading the dated file of likely ports."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from client.beacon.wire import Protocol
from client.settings import PROFILES
from transports.types import N_, Rejected

FILE: Final = Path(__file__).parent.parent / "data" / "ports.toml"
LAST: Final = 65535
# Seconds between two questions of one protocol. The fast profile asks 1,000 ports a second of each.
SPACING: Final[Mapping[str, float]] = {
    "quiet": PROFILES["quiet"].interval,
    "normal": PROFILES["normal"].interval,
    "fast": 0.001,
}
CONTROLS: Final = (24593, 38017, 61843)  # ports that nobody uses: what they do is what a filter does
_WRONG: Final = N_("--from takes a port such as 3785, or tcp/3785,udp/500 as it was printed: not {text}")


class State(StrEnum):
    """What came of asking a port. Open, refused and silent are three different results."""

    OPEN = "open"  # what nobody else could have sent came back
    MOVED = "moved"  # that too, but the question had been led to another port on the way
    MUTE = "mute"  # a connection was taken, and then nothing came
    CUT = "cut"  # a connection was taken, and then cut
    OTHER = "other"  # something else answered
    REFUSED = "refused"
    SILENT = "silent"
    FAULT = "fault"  # our own side could not ask
    UNKNOWN = "unknown"  # who was asked has died meanwhile


class Evidence(StrEnum):
    """Why a port is believed to cross."""

    KEYED = "keyed"  # the beacon's own answer, which nobody can forge
    PAGE = "page"  # a page that says so; who sits on the way could send it too
    REFUSAL = "refusal"  # the host itself refuses there, while others are silent
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One port and what came of it. `offered`: the asked one is known to answer there; `arrived`: where it came in."""

    protocol: Protocol
    port: int
    state: State
    evidence: Evidence = Evidence.NONE
    offered: bool = True
    control: bool = False
    arrived: int = 0
    elapsed: float = 0.0

    @property
    def crossed(self) -> bool:
        """Whether the answer proves that the port crosses."""
        return self.state in (State.OPEN, State.MOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The dated file. `uses` tell what a hole is good for, by protocol and port; `large` are questions for names
    that have large answers.
    """

    date: datetime.date
    likely: Mapping[Protocol, tuple[int, ...]]
    uses: Mapping[tuple[Protocol, int], str]
    public_ports: int
    public_pause: float
    large: tuple[tuple[str, str], ...]


def load(path: Path = FILE) -> Ports:
    """Read the file of likely ports."""
    data = tomllib.loads(path.read_text("utf-8"))
    likely = {
        one: tuple(dict.fromkeys(port for entry in data[one.value] for port in entry["ports"]))
        for one in Protocol
    }
    return Ports(
        date=data["date"],
        likely=likely,
        uses=dict(_uses(data["use"])),
        public_ports=data["limits"]["public_ports"],
        public_pause=data["limits"]["public_pause"],
        large=tuple((entry["name"], entry["type"]) for entry in data["large"]),
    )


def _uses(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[Protocol, int], str]]:
    for entry in entries:
        protocol = Protocol.UDP if entry.get("udp") else Protocol.TCP
        for port in entry["ports"]:
            yield (protocol, port), entry["what"]


def starts(text: str) -> dict[Protocol, int]:
    """Read where to begin: a port for both protocols, or one for each. Raises Rejected."""
    found: dict[Protocol, int] = {}
    for word in filter(None, text.lower().replace(" ", "").split(",")):
        name, slash, number = word.rpartition("/")
        names = [name] if slash else list(Protocol)
        if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= LAST):
            raise Rejected(_WRONG, text=text[:40])
        if slash and name not in set(Protocol):
            raise Rejected(_WRONG, text=text[:40])
        found |= {Protocol(one): int(number) for one in names}
    return found


def order(likely: Sequence[int], start: int | None, *, everything: bool) -> tuple[list[int], list[int]]:
    """Return the likely ports and the rest, in the order in which they are asked, from `start` on.

    A port that is not likely begins among the rest, and no likely one is left then; where there is no rest, it means
    nothing for this protocol.
    """
    rest = [port for port in range(1, LAST + 1) if port not in set(likely)] if everything else []
    if start is None:
        return list(likely), rest
    if start in likely:
        return list(likely[likely.index(start) :]), rest
    if not everything:
        return list(likely), []
    return [], [port for port in rest if port >= start]


class Progress:
    """Which ports of an order are done, and with which one to begin again."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._done: set[int] = set()
        self._low = 0

    def done(self, place: int) -> None:
        """Note that the port at this place is known."""
        self._done.add(place)
        while self._low in self._done:
            self._done.discard(self._low)
            self._low += 1

    @property
    def resume(self) -> int:
        """Return the first port that is not known; where all are, the last one, so that hardly any is asked twice."""
        return self._ports[min(self._low, len(self._ports) - 1)] if self._ports else LAST


def hours(count: int, spacing: float) -> tuple[int, int]:
    """Return hours and minutes that so many questions take."""
    minutes = max(1, round(count * spacing / 60))
    return minutes // 60, minutes % 60

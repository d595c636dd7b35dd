"""What happens while watching: one stream that plain text, JSON Lines and the TUI read. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass

from client.diagnosis.sights import Came, Place
from client.model import Message
from client.watch.calendar import Calendar
from client.watch.clock import Jump
from client.watch.jobs import Found
from client.watch.predict import Forecast
from client.watch.pulse import Mode
from client.watch.state import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """The watch begins on a network (its name in the calendar)."""

    at: float
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question was put and this came. `moved` is in bytes, `connections` and `total` (bytes) count from the begin."""

    at: float
    place: Place
    who: str
    came: Came
    moved: float
    connections: int
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """From now on it is asked at this pace."""

    at: float
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """The line is in another state."""

    at: float
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The next likely window is another than before; None: nothing repeats itself."""

    at: float
    forecast: Forecast | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumped:
    """The machine slept, or its clock was set."""

    at: float
    jump: Jump


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The machine is on another network, or on none."""

    at: float
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """The calendar has grown."""

    at: float
    network: str
    calendar: Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKept:
    """The calendar could not be kept: told once, until it can be again."""

    at: float
    why: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """It opens and shuts all the time: the queue waits until `until` before it begins again."""

    at: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBegan:
    """Something of the queue begins."""

    at: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded:
    """It is over: `done` says whether it came to what it should, `found` what all jobs have found until now."""

    at: float
    name: str
    done: bool
    message: Message
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The watch is over."""

    at: float
    opened: int
    shut: int
    connections: int
    total: float


Event = (
    Began
    | Asked
    | Paced
    | Turned
    | Expected
    | Jumped
    | Moved
    | Noted
    | NotKept
    | Held
    | JobBegan
    | JobEnded
    | Ended
)

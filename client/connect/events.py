"""What the local connection tells, past tense and frozen: the one stream that its faces show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from client import events
from client.model import Message, Protection
from client.options import Option
from transports.failure import Failure
from transports.types import Step


class Why(StrEnum):
    """Why an option has come into use."""

    START = "start"
    FAILOVER = "failover"  # the one before has died, or brought nothing
    BETTER = "better"  # it protects more than the one before


class Hold(StrEnum):
    """Why traffic is stopped."""

    ONLY_LOWER = "only_lower"  # only options of a lower class are left; whether they work is not known
    TRYING = "trying"  # a lower class was agreed to, and its options are asked
    NOTHING_WORKS = "nothing_works"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of the list tells meanwhile."""

    event: events.Event


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that the person should know."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The port is open. `instead` is the port that was wanted and is taken, 0 if none was.

    `alone`: it is for the command of --exec, which alone has the password.
    """

    address: str
    port: int
    password: bool = False
    instead: int = 0
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Using:
    """New connections go through this option. `age` is how old its proof is, in seconds; None: not to be told."""

    id: str
    option: Option
    why: Why
    age: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An option that was in use has died; its connections were reset. `cut` is how many."""

    id: str
    option: Option
    step: Step | None
    failure: Failure | None
    reason: Message
    cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Traffic is stopped. `lowest` is the lowest class that is allowed, `there` the best class that is left."""

    why: Hold
    lowest: Protection | None
    there: Protection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the connection stands. Times in seconds; `option` None: nothing is in use.

    `below` are those of the connections that still go through an option of a lower class than the one in use.
    `quiet` is the time since the option last answered, a program or us; None: not to be told.
    """

    id: str
    option: Option | None
    up: int
    down: int
    connections: int
    latency: float | None
    uptime: float
    age: float | None
    held: Hold | None = None
    below: int = 0
    quiet: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The connection has ended. `status` is the exit status; `used` how many options were in use."""

    up: int
    down: int
    connections: int
    used: int
    lost: int
    uptime: float
    status: int


Event = Checked | Noticed | Listening | Using | Lost | Held | Status | Summary

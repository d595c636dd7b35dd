"""The one stream that every face consumes: plain text, JSON Lines and the TUI. Past tense, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from client.model import Control, LineState, Message, RejectedLine, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The plan is made; nothing has been sent yet."""

    given: int
    candidates: int
    duplicates: int
    rejected: int
    profile: str
    budget_connections: int
    budget_kib: int


@dataclass(frozen=True, slots=True)
class LineRejected:
    """A line of a list is no candidate."""

    line: RejectedLine


@dataclass(frozen=True, slots=True)
class ControlFinished:
    """The direct control is done: what the line itself can do."""

    control: Control


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something the person should know while the run goes on."""

    message: Message


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate has its verdict. `id` is stable within the run and means nothing outside it."""

    id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Progressed:
    """Where the run stands: candidates done of `total`, and connections opened and KiB moved so far."""

    done: int
    total: int
    working: int
    connections: int
    elapsed: float
    moved_kib: int = 0


@dataclass(frozen=True, slots=True)
class PaceChanged:
    """The run rests or goes on, or has another profile: what the person asked for is done."""

    profile: str
    paused: bool
    elapsed: float  # seconds since the run began


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProgressed:
    """How far an outside program is with getting ready. `received_kib` is all that it has loaded so far."""

    engine: str
    percent: int
    stage: Message
    received_kib: int
    kib_per_s: float
    elapsed: float  # seconds since the run began


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The run is over, complete or stopped. `counts` has one entry per status."""

    given: int
    candidates: int
    duplicates: int
    rejected: int
    counts: Mapping[str, int]
    stopped: str  # "" complete, or why not: "first" (enough found), "interrupted", "budget", "no_network", "target"
    elapsed: float
    first_working: float | None
    line_state: LineState
    moved_kib: int = 0
    reasons: Mapping[str, Message] = field(default_factory=dict)  # by status the one most often given
    bridges_only: bool = False
    own: bool = False  # the line was measured by the person's own test page alone


Event = (
    Started
    | LineRejected
    | ControlFinished
    | Noticed
    | Judged
    | Progressed
    | PaceChanged
    | EngineProgressed
    | Finished
)

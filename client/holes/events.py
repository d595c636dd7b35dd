"""The one stream that text and JSON Lines show. Frozen."""

from __future__ import annotations

from dataclasses import dataclass

from client.diagnosis.sights import Came
from client.holes.judge import Outcome
from client.holes.names import Recursing
from client.holes.plan import Seen
from client.model import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Nothing has been sent yet."""

    tcp: int
    udp: int
    beacons: int
    public: int
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry of an allow-list, by its number in the list, and what came of it."""

    number: int
    port: int
    came: Came


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """It is over, complete or stopped ("first", "gone", "interrupted"). `resume` is what --from takes."""

    outcome: Outcome
    asked: int
    silent: int
    refused: int
    unknown: int
    names: int
    listed: int
    stopped: str
    resume: str
    elapsed: float


Event = Started | Seen | Recursing | Listed | Message | Finished

"""What a run has come to so far: its counts, its first success, and the data that it has moved."""

from __future__ import annotations

from collections import Counter
from typing import Final

from client.events import Finished, Progressed
from client.following import Follower
from client.model import Control, Message, Reading, Status, Verdict
from transports.registry import REGISTRY


class Tally:
    """Counts verdicts and data. What an engine reports to have received has the downloads of its entries in it."""

    def __init__(self, reading: Reading, engines: Follower) -> None:
        self.counts: Final[Counter[str]] = Counter({status.value: 0 for status in Status})
        self.first_working: float | None = None
        self._reading = reading
        self._engines = engines
        self._reasons: dict[str, Counter[str]] = {}
        self._messages: dict[str, Message] = {}
        self._up = 0
        self._down: Counter[str] = Counter()  # by engine

    @property
    def working(self) -> int:
        """Return how many are working."""
        return self.counts[Status.WORKING]

    @property
    def moved_kib(self) -> float:
        """Return the KiB moved both ways, tor's list of relays included."""
        received = self._engines.received()  # tells of the last second late: then the proofs know more
        names = self._down.keys() | received.keys()
        return (self._up + sum(max(self._down[name], received.get(name, 0)) for name in names)) / 1024

    def take(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.counts[verdict.status] += 1
        why = verdict.reason
        self._reasons.setdefault(verdict.status.value, Counter())[why.id] += 1
        self._messages.setdefault(why.id, why)
        if verdict.status is Status.WORKING and self.first_working is None:
            self.first_working = verdict.finished
        self._up += verdict.proof.up
        self._down[REGISTRY[verdict.candidate.endpoint.transport].engine] += verdict.proof.down

    def progressed(self, connections: int, elapsed: float) -> Progressed:
        """Return where the run stands."""
        return Progressed(
            done=self.counts.total(),
            total=len(self._reading.candidates),
            working=self.working,
            connections=connections,
            elapsed=elapsed,
            moved_kib=round(self.moved_kib),
        )

    def finished(self, stopped: str, elapsed: float, control: Control) -> Finished:
        """Return the end of the run."""
        reading = self._reading
        return Finished(
            given=reading.given,
            candidates=len(reading.candidates),
            duplicates=reading.duplicates,
            rejected=len(reading.rejected),
            counts=dict(self.counts),
            stopped=stopped,
            elapsed=elapsed,
            first_working=self.first_working,
            line_state=control.state,
            moved_kib=round(self.moved_kib),
            reasons={
                status: self._messages[seen.most_common(1)[0][0]] for status, seen in self._reasons.items()
            },
            bridges_only=all(REGISTRY[one.endpoint.transport].engine == "tor" for one in reading.candidates),
            own=control.own,
        )

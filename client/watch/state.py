"""From sights to the state of the line, by the rules of the diagnosis over what was seen lately. Pure.

Hysteresis: one silence is loss and one answer may be an exception. It opens when two servers abroad of different
operators showed themselves, and more than came to nothing since the first of them did: a taken connection proves
nothing, for filters and transparent proxies take them all. It shuts when three tries at two servers came to nothing,
one of them a server that had answered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from client.diagnosis.kinds import Finding, Kind
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.diagnosis.view import WEB, Fact, View

_OLD: Final = 45 * 60.0  # seconds that a sight counts
_MOST: Final = 200
_EACH: Final = 3  # of the same question
_PORTRAITS: Final = 2  # servers
_SILENT: Final = 3  # servers that came to nothing while others answered, for a list of what is allowed
_PLACES: Final = (Place.ABROAD, Place.HOME, Place.LISTED)
_PAST_WITH: Final = {
    Place.ABROAD: _PLACES,
    Place.HOME: (Place.HOME, Place.LISTED),
    Place.LISTED: (Place.LISTED,),
}
_LOST: Final = {
    Place.ABROAD: 3,
    Place.HOME: 2,
    Place.LISTED: 2,
}  # tries in vain until answers before them are past


class State(StrEnum):
    """What the line is like."""

    UNKNOWN = "unknown"
    OPEN = "open"
    ALLOW_LIST = "allow_list"
    HOLES = "port_holes"
    SHUT = "cut"  # nothing from abroad; not known yet whether the country answers
    OUTAGE = "outage"
    LOCAL = "local_fault"
    PORTAL = "captive_portal"


class Change(StrEnum):
    """What a turn means for whoever waits."""

    OPENED = "opened"
    SHUT = "shut"
    NONE = ""


PARTLY: Final = frozenset({State.ALLOW_LIST, State.HOLES})
CLOSED: Final = frozenset({State.SHUT, State.OUTAGE})
_OF_KIND: Final = {
    Kind.LOCAL_FAULT: State.LOCAL,
    Kind.CAPTIVE_PORTAL: State.PORTAL,
    Kind.OUTAGE: State.OUTAGE,
    Kind.PORT_HOLES: State.HOLES,
    Kind.ALLOW_LIST: State.ALLOW_LIST,
    Kind.TLS_INTERCEPTION: State.SHUT,  # nothing that can be trusted comes from abroad
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The state is another. `at` is when that was settled, `began` when the first sign of it was seen."""

    old: State
    new: State
    at: float
    began: float
    change: Change = Change.NONE
    finding: Finding | None = None


class Line:
    """What was seen lately and what it comes to. Times are seconds of any clock that does not jump."""

    def __init__(self) -> None:
        self.state = State.UNKNOWN
        self.since = 0.0
        self._settled = State.UNKNOWN  # the last state that says what passes
        self._seen: list[tuple[float, Sight]] = []
        self._good: dict[Place, list[str]] = {
            place: [] for place in _PLACES
        }  # who answered, the last at the end
        self._answer: dict[Place, float] = {}  # when somebody there answered last
        self._back: float | None = None  # when the country answered again after an outage
        self._latest: dict[
            str, tuple[float, bool]
        ] = {}  # abroad, since the first answer: when, and did it come

    def take(self, at: float, sights: Sequence[Sight]) -> Turn | None:
        """Take what one question brought; returns a turn where the state is another now."""
        for sight in sights:
            self._heed(at, sight)
        self._seen = self._kept(at)
        return self._turn(at)

    def forget(self, at: float) -> None:
        """Start anew: after a sleep or on another network what was seen says nothing. The state is unknown."""
        self._seen.clear()
        self._answer.clear()
        self._latest.clear()
        self._back = None
        for known in self._good.values():
            known.clear()
        self.state, self.since = State.UNKNOWN, at

    @property
    def urgent(self) -> bool:
        """Whether an answer is in doubt, so that the next question should not wait long."""
        if self.state in (State.UNKNOWN, State.SHUT) or self.doubt is not None:
            return True
        if self.state is State.OUTAGE and self._good[Place.HOME]:
            return True  # something comes back: perhaps all of it
        return self.state is not State.OPEN and bool(self._good[Place.ABROAD])

    @property
    def doubtful(self) -> bool:
        """Whether a server abroad came to nothing after others had answered."""
        return self.doubt is Place.ABROAD

    @property
    def doubt(self) -> Place | None:
        """Return where a server came to nothing after others there had answered."""
        return next((place for place in _PLACES if self._good[place] and self._failures(place)), None)

    def answered(self, place: Place) -> list[str]:
        """Return who answered at a place since it last fell silent, the latest first."""
        return self._good[place][::-1]

    def failed(self, place: Place) -> set[str]:
        """Return who came to nothing at a place since the last answer from there."""
        return {sight.who for _, sight in self._failures(place)}

    def silent_ports(self) -> set[int]:
        """Return the other ports that were tried abroad."""
        return {
            sight.port
            for _, sight in self._seen
            if sight.test is Test.CONNECT and sight.port != WEB and sight.place is Place.ABROAD
        }

    def looks_closer(self, who: str) -> bool:
        """Whether a certificate of this server that cannot be true is worth a closer look, which costs two connections.

        Not where a line that was open has to be told to be shut; and two servers are enough to know a login page by.
        """
        shown = {sight.who for _, sight in self._seen if sight.came is Came.FALSE and sight.certificate}
        return self.state is not State.OPEN and (len(shown) < _PORTRAITS or who in shown)

    # what counts

    def _heed(self, at: float, sight: Sight) -> None:
        if sight.came is Came.FAULT:
            return
        if sight.test is Test.ROUTE:
            self._drop(lambda other: other.test is Test.ROUTE)
            if sight.came is Came.NO_ROUTE:
                self._seen.clear()
                self._latest.clear()
                for known in self._good.values():
                    known.clear()
        self._seen.append((at, sight))
        if sight.place not in _PLACES or not _at_the_door(sight):
            return
        good = self._good[sight.place]
        self._compare(at, sight)
        if sight.test is Test.TLS and sight.came is Came.RIGHT:
            if self._settled is State.OUTAGE and not good and sight.place is not Place.ABROAD:
                self._back = at if self._back is None else self._back
            self._answer[sight.place] = at
            self._drop(lambda other: _is_past(other, sight))
            if sight.who in good:
                good.remove(sight.who)
            good.append(sight.who)
        elif not sight.crossed and good and self._is_over(sight.place):
            # When the border shuts, what the country's servers said before that is past too.
            past = _PAST_WITH[sight.place]
            for place in past:
                self._good[place].clear()
            self._drop(lambda other: other.place in past and other.crossed)
            if Place.ABROAD in past:
                self._latest.clear()

    def _compare(self, at: float, sight: Sight) -> None:
        """Keep how each server abroad answered last, from the first answer on."""
        if sight.place is not Place.ABROAD:
            return
        if sight.test is Test.TLS and sight.came is Came.RIGHT:
            self._latest[sight.who] = (at, True)
        elif not sight.crossed and self._good[Place.ABROAD]:
            self._latest[sight.who] = (at, False)
        self._latest = {who: seen for who, seen in self._latest.items() if at - seen[0] <= _OLD}

    def _is_over(self, place: Place) -> bool:
        """Whether what answered at a place answers no longer."""
        lost, good = self._failures(place), self._good[place]
        servers = {sight.who for _, sight in lost}
        return len(lost) >= _LOST[place] and len(servers) > 1 and bool(servers & set(good))

    def _failures(self, place: Place) -> list[tuple[float, Sight]]:
        return [
            (at, sight)
            for at, sight in self._seen
            if sight.place is place
            and _at_the_door(sight)
            and not sight.crossed
            and at > self._answer.get(place, -1.0)
        ]

    def _drop(self, which: Callable[[Sight], bool]) -> None:
        self._seen = [(at, sight) for at, sight in self._seen if not which(sight)]

    def _kept(self, now: float) -> list[tuple[float, Sight]]:
        """Return what is not too old, and of each question the last few."""
        count: dict[object, int] = {}
        kept: list[tuple[float, Sight]] = []
        for at, sight in reversed(self._seen):
            key = (sight.test, sight.who, sight.port, sight.name)
            count[key] = count.get(key, 0) + 1
            if now - at <= _OLD and count[key] <= _EACH and len(kept) < _MOST:
                kept.append((at, sight))
        return kept[::-1]

    # what it comes to

    def _turn(self, at: float) -> Turn | None:
        if self.doubtful:
            return None  # loss, until it is settled
        right = sum(came for _, came in self._latest.values())
        state, finding = concluded(
            [sight for _, sight in self._seen], right=right, silent=len(self._latest) - right
        )
        if state is None or state is self.state:
            return None
        if (
            self.state is State.PORTAL
            and state is State.SHUT
            and any(sight.came is Came.FALSE for _, sight in self._seen)
        ):
            return None  # the certificates that showed it are too old; new ones are being looked at
        if self._settled is State.OUTAGE and state in PARTLY and not self._is_alone():
            return None
        change = self._change(state)
        turn = Turn(
            old=self.state, new=state, at=at, began=self._began(state, at), change=change, finding=finding
        )
        self.state, self.since = state, at
        return turn

    def _is_alone(self) -> bool:
        """Whether servers abroad were tried in vain since the country came back: mostly all comes back together."""
        since = -1.0 if self._back is None else self._back
        return sum(at > since for at, sight in self._seen if _is_lost(sight)) > 1

    def _began(self, state: State, at: float) -> float:
        """Return when the first sign of this state was seen."""
        want = state is State.OPEN or state in PARTLY
        signs = [
            when
            for when, sight in self._seen
            if sight.place in _PLACES and _at_the_door(sight) and sight.crossed is want
        ]
        return max(self.since, min(signs, default=at)) if self.state is not State.UNKNOWN else at

    def _change(self, new: State) -> Change:
        """Return what this means, by the last state that said what passes."""
        old = self._settled
        if new is State.OPEN:
            self._settled = new
            return Change.NONE if old is new else Change.OPENED
        if new in PARTLY:
            self._settled = new
            if old in (State.OPEN, State.OUTAGE):
                if old is State.OPEN:
                    return Change.SHUT
                return Change.OPENED if self._good[Place.HOME] or self._good[Place.LISTED] else Change.NONE
            return Change.NONE
        if new is State.OUTAGE:
            self._settled, self._back = new, None
            return Change.SHUT if old is State.OPEN or old in PARTLY else Change.NONE
        if new is State.SHUT and old in (State.OPEN, State.UNKNOWN):
            self._settled = new
            return Change.SHUT if old is State.OPEN else Change.NONE
        return Change.NONE


def _is_lost(sight: Sight) -> bool:
    """Whether this is a server abroad that came to nothing."""
    return sight.place is Place.ABROAD and _at_the_door(sight) and not sight.crossed


def _at_the_door(sight: Sight) -> bool:
    """Whether this is about an ordinary handshake on the main port, or the connection for it."""
    return sight.test in (Test.TLS, Test.CONNECT) and sight.port == WEB and sight.name is Name.HARMLESS


def _is_past(other: Sight, answer: Sight) -> bool:
    """Whether a failure is past when a server of that place answers: not where another took the connection and then
    said nothing, which is what a filter by name looks like.
    """
    if other.place is not answer.place or other.crossed:
        return False
    return other.test is not Test.TLS or other.who == answer.who


def concluded(
    sights: Sequence[Sight], *, right: int = 0, silent: int = 0
) -> tuple[State | None, Finding | None]:
    """Return the state that the diagnosis rules allow, None where they cannot tell.

    Of the servers abroad that were asked since the first of them showed itself, `right` did so last time and `silent`
    did not.
    """
    if right > 1 and right > silent:
        return State.OPEN, None
    found = conclude(sights)
    for finding in found.findings:
        if finding.kind in _OF_KIND:
            return _OF_KIND[finding.kind], finding
    if right and silent >= _SILENT and silent > right:
        return State.ALLOW_LIST, None  # a few of those who are asked stand on a list
    view = View(sights)
    return (State.SHUT, None) if view.cut or _is_false(view.fronts(Place.ABROAD).values()) else (None, None)


def _is_false(fronts: Collection[Fact]) -> bool:
    """Whether all that comes from abroad is forged or silent: at least two servers, and three times in all."""
    return (
        len(fronts) > 1
        and not any(front.crossed for front in fronts)
        and sum(not sight.crossed for front in fronts for sight in front.sights) > 2
    )

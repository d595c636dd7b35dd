"""What to ask next, from all that was seen so far: cheap and quiet first, in pairs that differ in one thing. Pure.

What the runner and the questions keep to:
- The questions of a step go side by side, begun in their order under the pace; the next step comes when all are back.
- Each question leaves at least one sight with its own test, who, port, way, name and round. A handshake (TLS) leaves a
  CONNECT sight too, with the same who, port, name and round, and nothing else where the connection failed.
- A transfer that still flows at its deadline is RIGHT with its speed; STOPPED is one where nothing more came.
- Names of servers without an address are resolved by the system; where that fails the sight is a FAULT.
- In the quiet profile four connections begin in a second: a step of 12 takes 3 s and its longest deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.diagnosis import follow
from client.diagnosis.anchors import Anchors
from client.diagnosis.asks import Ask
from client.diagnosis.ground import DATAGRAMS, Ground, Wishes, key_of
from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.questions import BULK_COST
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Place, Sight, Test
from client.model import Message
from transports.types import N_

__all__ = ["Step", "Wishes", "connections", "next_asks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to ask side by side; `done`: nothing more. `left_out` says what is not asked, and why."""

    asks: tuple[Ask, ...] = ()
    done: bool = False
    left_out: tuple[Message, ...] = ()


_TOGETHER: Final[Sequence[Callable[[Ground], Iterator[Ask]]]] = (
    follow.flow,
    follow.ports,
    follow.servers,
    follow.names,
    follow.listed,
    follow.datagrams,
    follow.tor,
    follow.filtered,
)
_LAST: Final[Sequence[Callable[[Ground], Iterator[Ask]]]] = (follow.shapes, follow.policed)


def next_asks(anchors: Anchors, sights: Sequence[Sight], wishes: Wishes, put: Sequence[Ask] = ()) -> Step:
    """Return the next step. `put` are questions that need not be asked again although no sight tells of them."""
    ground = Ground(anchors, sights, wishes, put)
    asks: tuple[Ask, ...] = ()
    full = False
    settled = _settled(ground)
    if not settled:
        for stage in ((follow.first,), _TOGETHER, *((last,) for last in _LAST)):
            wanted = _new(ground, [ask for give in stage for ask in give(ground)])
            asks = _within(wanted, sights, wishes)
            full = len(asks) < len(wanted)
            if wanted:
                break
    return Step(asks=asks, done=not asks, left_out=_left_out(ground, settled=settled, full=full))


def connections(test: Test, way: str = "") -> bool:
    """Whether a question opens a TCP connection."""
    if test is Test.RESOLVE:
        return way in ("tcp", "doh", "dot")
    return test is not Test.ROUTE and test not in DATAGRAMS


def _settled(ground: Ground) -> bool:
    """Whether more questions could not change the main kind."""
    main = conclude(ground.view.sights).main
    return main.kind in (Kind.LOCAL_FAULT, Kind.PORT_HOLES) and main.certainty is Certainty.CERTAIN


def _new(ground: Ground, wanted: Sequence[Ask]) -> tuple[Ask, ...]:
    """Return what was not put before, each once, with deadlines for the line's own slowness."""
    fresh = {key_of(ask): ask for ask in reversed(wanted) if not ground.was_put(ask)}
    stretch = ground.slowness
    return tuple(replace(ask, limit=ask.limit * stretch) for ask in reversed(fresh.values()))


def _within(wanted: Sequence[Ask], sights: Sequence[Sight], wishes: Wishes) -> tuple[Ask, ...]:
    """Return as many as the budget still allows."""
    asked = {key_of(seen): seen for seen in sights}.values()
    whole = [seen for seen in asked if seen.test is not Test.CONNECT and connections(seen.test, seen.way)]
    begun = {(seen.who, seen.port, seen.round) for seen in whole}
    opened = len(whole) + sum(
        seen.test is Test.CONNECT and (seen.who, seen.port, seen.round) not in begun for seen in asked
    )
    moved = sum(_cost(seen) for seen in asked)
    taken = []
    for ask in wanted:
        opened += ask.beside if connections(ask.test, ask.way) else 0
        moved += ask.cost
        if opened <= wishes.connections and moved <= wishes.kib * 1024:
            taken.append(ask)
    return tuple(taken)


def _cost(seen: Sight) -> int:
    """Return about how many bytes a sight has moved."""
    if seen.test in (Test.DOWNLOAD, Test.UPLOAD):
        return max(seen.received, seen.sent) + 8192 if not seen.crossed else BULK_COST
    return {Test.TLS: 7168, Test.TOR_LINK: 6144, Test.PT: 4096, Test.PARALLEL: 28672}.get(seen.test, 1024)


def _left_out(ground: Ground, *, settled: bool, full: bool) -> tuple[Message, ...]:
    """Say what was not asked, and why."""
    wishes, anchors = ground.wishes, ground.anchors
    texts = []
    if not anchors.at(Place.HOME):
        texts.append(N_("Servers in this country: none are known here. Give --country or --anchors."))
    if settled or (not ground.reached and ground.view.sights):
        texts.append(N_("Speed, UDP and Tor: the line is cut before that."))
    elif wishes.quick:
        texts.append(N_("Speed upwards, UDP, Tor and unusual protocols: not asked in a quick diagnosis."))
    if not wishes.forbidden:
        texts.append(
            N_(
                "Names that may be forbidden: not asked without your consent, so a filter by name stays unseen."
            )
        )
    if not wishes.policing:
        texts.append(N_("Many connections at once: not asked, because some networks punish it."))
    if full:
        texts.append(N_("The rest of the questions: the limit of connections or data was reached."))
    return tuple(Message(text) for text in texts)

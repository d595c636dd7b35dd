"""Lines that exist on paper only: from a question to what comes back, for each kind of cut, with loss if wanted.

A line answers by layers, as a real one does: the connection first, then the handshake, then the data. `travel` runs
the plan over a line to its end and reckons how long the pace and the deadlines would have made it last.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from client.diagnosis.anchors import (
    AllPorts,
    Anchors,
    Forbidden,
    KnownName,
    KnownPage,
    Relay,
    Resolver,
    Server,
)
from client.diagnosis.asks import Ask
from client.diagnosis.kinds import Diagnosis
from client.diagnosis.plan import Step, Wishes, connections, next_asks
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Came, Certificate, Issuer, Name, Place, Sight, Test
from client.model import Message

PACE = 0.25  # seconds between two new connections in the quiet profile
HOLES = (179, 646, 3785, 4784)
RTT = 0.1


def _server(place: Place, number: int, **more: object) -> Server:
    who = f"{place}-{number}"
    block = {Place.ABROAD: 203, Place.HOME: 198, Place.LISTED: 192}[place]
    values: dict[str, object] = {
        "who": who,
        "place": place,
        "operator": who,
        "name": f"{who}.example",
        "addresses": (f"{block}.0.113.{number}",),
        "ports": (443, 8443),
        "quic": 443,
        "bulk": "/64k",
        "upload": "/up",
    }
    return Server(**{**values, **more})  # type: ignore[arg-type]


ANCHORS = Anchors(
    date=datetime.date(2026, 11, 1),
    source="made up",
    servers=(
        *(_server(Place.ABROAD, number) for number in range(1, 6)),
        *(_server(Place.HOME, number) for number in range(1, 4)),
        *(_server(Place.LISTED, number) for number in range(1, 3)),
    ),
    pages=tuple(
        KnownPage(
            who=f"page-{n}", place=place, host=f"page-{n}.example", port=80, path="/", status=204, body=b""
        )
        for n, place in enumerate((Place.ABROAD, Place.ABROAD, Place.HOME), 1)
    ),
    resolvers=tuple(
        Resolver(
            who=f"resolver-{n}",
            place=Place.ABROAD,
            operator=f"dns-{n}",
            address=f"203.0.113.{50 + n}",
            ways=("udp", "tcp", "doh", "dot"),
            name=f"dns-{n}.example",
        )
        for n in (1, 2)
    ),
    names=(
        KnownName(who="name-1", place=Place.HOME, name="home-1.example", addresses=("198.0.113.1",)),
        *(
            KnownName(
                who=f"name-{n + 1}",
                place=Place.ABROAD,
                name=f"abroad-{n}.example",
                addresses=(f"203.0.113.{n}",),
            )
            for n in (1, 2, 3)
        ),
    ),
    nobody=("203.0.113.90", "203.0.113.91"),
    forbidden=tuple(
        Forbidden(who=f"forbidden-{n}", name=f"bad-{n}.example", server=f"abroad-{n}") for n in (1, 2)
    ),
    all_ports=tuple(AllPorts(who=f"all_ports-{n}", host=f"203.0.113.{70 + n}") for n in (1, 2)),
    relays=tuple(
        Relay(who=f"relay-{n}", address=f"203.0.113.{80 + n}", port=port, fingerprint="A" * 40)
        for n, port in enumerate((9001, 443, 9001, 8080), 1)
    ),
    bridges=("obfs4 203.0.113.95:27015 " + "B" * 40 + " cert=x", "obfs4 203.0.113.96:9443 " + "C" * 40),
)
WISHES = Wishes(random=("x1v7.example", "k3p9.example"))
CONSENT = replace(WISHES, forbidden=True)
FORGED = "198.51.100.66"


def cert(issuer: Issuer, by: str = "") -> Certificate:
    return Certificate(issuer=issuer, fingerprint=issuer.value, by=by)


class Line:
    """An open line; each kind of cut bends one or two of its layers."""

    wishes = WISHES
    speed = 400.0

    def __init__(self) -> None:
        self.right: dict[str, tuple[str, ...]] = {}  # what names are to be answered with

    def route(self) -> Came:
        return Came.RIGHT

    def syn(self, ask: Ask) -> Came:
        """Answer a connection: hosts of `all_ports` listen everywhere, others on what they are asked for."""
        usual = ask.test is not Test.CONNECT or ask.port in (443, 8443) or ask.who.startswith("all_ports")
        return Came.RIGHT if usual else Came.REFUSED

    def hello(self, ask: Ask) -> tuple[Came, Certificate | None]:
        """Answer a handshake."""
        if ask.name is Name.FORBIDDEN:
            return Came.FALSE, cert(Issuer.WRONG_NAME)
        return Came.RIGHT, cert(Issuer.PUBLIC)

    def bulk(self, ask: Ask) -> dict[str, object]:
        """Answer a transfer."""
        return {"came": Came.RIGHT, "received": 65536, "packets": 50, "kib_per_s": self.rate(ask)}

    def rate(self, ask: Ask) -> float:
        return self.speed

    def page(self, ask: Ask) -> Came:
        return Came.RIGHT

    def shape(self, ask: Ask) -> Came:
        return Came.OTHER

    def datagram(self, ask: Ask) -> Came:
        return Came.RIGHT

    def resolve(self, ask: Ask) -> dict[str, object]:
        """Answer for a name."""
        if ask.place is Place.NOBODY:
            return {"came": Came.SILENCE}
        if ask.name is Name.RANDOM:
            return {"came": Came.RIGHT, "detail": "nxdomain"}
        other = (f"203.0.114.{sum(ask.value.encode()) % 250}",)
        return {"came": Came.RIGHT, "addresses": self.right.get(ask.value) or other}

    def link(self, ask: Ask) -> Came:
        return Came.RIGHT

    def beside(self, ask: Ask) -> Came:
        return Came.RIGHT

    def ask(self, ask: Ask) -> list[Sight]:
        """Return what comes of a question, layer by layer."""
        if ask.test is Test.ROUTE:
            return [_seen(ask, came=self.route())]
        if self.route() is Came.NO_ROUTE:
            return [_seen(ask, came=Came.NO_ROUTE)]
        if ask.test is Test.RESOLVE and ask.way in ("system", "udp"):
            return [_seen(ask, **self.resolve(ask))]
        if ask.test in (Test.QUIC, Test.UDP):
            return [_seen(ask, came=self.datagram(ask))]
        came = self.syn(ask)
        if ask.test is Test.CONNECT:
            return [_seen(ask, came=came)]
        if came is not Came.RIGHT:
            return [_seen(ask, came=came, test=Test.CONNECT if ask.test is Test.TLS else ask.test)]
        if ask.test is Test.TLS:
            return [_seen(ask, came=came, test=Test.CONNECT), self._tls(ask)]
        return [self._inside(ask)]

    def _tls(self, ask: Ask) -> Sight:
        came, shown = self.hello(ask)
        return _seen(ask, came=came, certificate=shown, after="client_hello")

    def _inside(self, ask: Ask) -> Sight:
        if ask.test is Test.PAGE:
            return _seen(ask, came=self.page(ask))
        if ask.test is Test.BYTES:
            return _seen(ask, came=self.shape(ask))
        if ask.test in (Test.TOR_LINK, Test.PT):
            return _seen(ask, came=self.link(ask))
        if ask.test is Test.PARALLEL:
            return _seen(ask, came=self.beside(ask))
        came, _ = self.hello(ask)
        if came in (Came.SILENCE, Came.RESET):
            return _seen(ask, came=came)
        if ask.test is Test.RESOLVE:
            return _seen(ask, **self.resolve(ask))
        return _seen(ask, **self.bulk(ask))


def _seen(ask: Ask, **values: object) -> Sight:
    fields: dict[str, object] = {
        "test": ask.test,
        "place": ask.place,
        "who": ask.who,
        "port": ask.port,
        "way": ask.way,
        "name": ask.name,
        "round": ask.round,
    }
    sight = Sight(**{**fields, **values})  # type: ignore[arg-type]
    return replace(sight, elapsed=ask.limit if sight.came is Came.SILENCE else RTT)


@dataclass
class Trip:
    """A whole run over a line, and what it took. `seconds` is reckoned from pace and deadlines."""

    diagnosis: Diagnosis
    asks: list[Ask] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    connections: int = 0
    kib: float = 0.0
    left_out: tuple[Message, ...] = ()


def travel(
    line: Line,
    *,
    anchors: Anchors = ANCHORS,
    wishes: Wishes | None = None,
    loss: float = 0.0,
    dead: Sequence[str] = (),
    seed: int = 0,
) -> Trip:
    """Run plan and rules over a line to the end."""
    chance = random.Random(seed)
    wishes = wishes or line.wishes
    line.right = {known.name: known.addresses for known in anchors.names}
    sights: list[Sight] = []
    trip = Trip(conclude([]))
    while not (step := next_asks(anchors, sights, wishes)).done:
        trip.steps += 1
        assert trip.steps < 20, [repr(ask) for ask in step.asks]
        _walk(line, step, sights, trip, lambda: chance.random() < loss, dead)
    trip.left_out = step.left_out
    trip.diagnosis = conclude(sights, asked_forbidden=wishes.forbidden, left_out=step.left_out)
    return trip


def _walk(line: Line, step: Step, sights: list[Sight], trip: Trip, lost, dead: Sequence[str]) -> None:  # type: ignore[no-untyped-def]
    gate = end = trip.seconds
    for ask in step.asks:
        trip.asks.append(ask)
        came = line.ask(ask)
        if ask.test is not Test.ROUTE and (ask.who in dead or lost()):
            first = Test.CONNECT if ask.test is Test.TLS else ask.test
            came = [_seen(ask, test=first, came=Came.SILENCE)]
        begin = trip.seconds
        if connections(ask.test, ask.way):
            begin, gate = gate, gate + PACE * ask.beside
            trip.connections += ask.beside
        took = max(sight.elapsed for sight in came)
        if ask.test in (Test.DOWNLOAD, Test.UPLOAD):
            took = _transfer(ask, came[-1])
            trip.kib += max(came[-1].received, came[-1].sent) / 1024
        trip.kib += min(ask.cost, 8192) / 1024
        end = max(end, begin + took)
        sights += came
    trip.seconds = end


def _transfer(ask: Ask, seen: Sight) -> float:
    if seen.came is Came.SILENCE:
        return ask.limit
    if seen.came is Came.STOPPED:
        return 3.0
    return min(ask.limit, 64 / (seen.kib_per_s or 400.0) + 3 * RTT)

"""What the plan stands on: whom there is to ask, what was asked, and what is still in doubt. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.diagnosis.anchors import Anchors, Resolver, Server
from client.diagnosis.asks import Ask
from client.diagnosis.questions import handshake, host
from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.diagnosis.view import Fact, View

# In the order of Kazakhstan's holes in January 2022 (docs/anchors.md); the runner gives those of its data file.
LIKELY: Final = (179, 3785, 646, 4784, 5060, 53)
ORDINARY: Final = (80, 8443, 993, 587)
DATAGRAMS: Final = (Test.QUIC, Test.UDP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person wants asked.

    `forbidden`: names that may be forbidden too (by their own consent). `policing`: several handshakes at once.
    `quick`: nothing about protocols and speed. `ports`: the likely holes, best first; `ordinary`: ports that any open
    line passes. `random`: names that cannot exist, fresh in each run (a fixed one would give this program away).
    `connections` and `kib` are the most that may be used; the plan can only reckon, so it stays below 500.
    """

    forbidden: bool = False
    policing: bool = False
    quick: bool = False
    ports: tuple[int, ...] = LIKELY
    ordinary: tuple[int, ...] = ORDINARY
    random: tuple[str, ...] = ()
    connections: int = 60
    kib: int = 450


Key = tuple[Test, str, int, str, Name, int]


def key_of(question: Ask | Sight) -> Key:
    """Return what makes a question this question."""
    return (question.test, question.who, question.port, question.way, question.name, question.round)


class Ground:
    """Anchors, wishes and sights of a run, and the short questions that the plan puts to them."""

    def __init__(
        self, anchors: Anchors, sights: Sequence[Sight], wishes: Wishes, put: Sequence[Ask] = ()
    ) -> None:
        self.anchors, self.wishes = anchors, wishes
        self.view = View(sights)
        self.home = _by_address(anchors.at(Place.HOME))
        self.abroad = _spread(_by_address(anchors.at(Place.ABROAD)))
        self.listed = _by_address(anchors.at(Place.LISTED))
        self._faulty = {seen.who for seen in sights if seen.came in (Came.FAULT, Came.NO_ROUTE)}
        self._put = {key_of(seen) for seen in sights} | {key_of(ask) for ask in put}
        self._lost = {
            (seen.who, seen.port, seen.way, seen.round)
            for seen in sights
            if seen.test is Test.CONNECT and not seen.crossed
        }

    def was_put(self, ask: Ask) -> bool:
        """Whether this question was asked; of a handshake the failed connection may be all that is left."""
        return key_of(ask) in self._put or (
            ask.test is Test.TLS and (ask.who, ask.port, ask.way, ask.round) in self._lost
        )

    def fact(self, ask: Ask) -> Fact:
        """Return what came of a question in all its rounds."""
        if ask.test is Test.TLS and not ask.way and ask.name is Name.HARMLESS:
            return self.view.front(ask.who, ask.port)
        return Fact(
            self.view.find(ask.test, who=ask.who, port=ask.port, way=ask.way, name=ask.name),
        )

    def more(self, ask: Ask, rounds: int = 2) -> Iterator[Ask]:
        """Give the question if it was not asked, and again (spaced by a batch) while there is only silence."""
        if not self.was_put(ask):
            yield ask
            return
        fact = self.fact(ask)
        if fact.came is Came.SILENCE and fact.silences < rounds:
            yield self.next_round(ask)

    def next_round(self, ask: Ask) -> Ask:
        """Return the question with the number of a round that was not asked yet."""
        while self.was_put(ask):
            ask = replace(ask, round=ask.round + 1)
        return ask

    def crossed(self, server: Server) -> bool:
        """Whether a server showed itself by an authentic handshake."""
        return self.fact(handshake(server)).right

    def tried(self, server: Server) -> bool:
        """Whether a server was asked for a handshake."""
        return self.was_put(handshake(server))

    @property
    def reached(self) -> list[Server]:
        """Return the servers abroad that showed themselves, in order."""
        return [server for server in self.abroad if self.crossed(server)]

    @property
    def missed(self) -> list[Server]:
        """Return the servers abroad that were asked and did not show themselves."""
        fronts = [(server, self.fact(handshake(server))) for server in self.abroad]
        return [server for server, front in fronts if front.asked and not front.right]

    @property
    def forged(self) -> bool:
        """Whether a harmless handshake showed a certificate that cannot be true."""
        return bool(self.view.forged)

    @property
    def portal(self) -> bool:
        """Whether everything looks as before a login page."""
        return self.view.portal

    @property
    def cut(self) -> bool:
        """Whether the web abroad seems to be shut: two were asked, none answered, nothing is forged."""
        open_ = self.reached or self.forged or self.portal or self.view.listener_reached
        return len(self.missed) > 1 and not open_

    def kept(self, test: Test, servers: Sequence[Server]) -> list[Server]:
        """Put the servers that this was asked of first: one that comes back late changes no choice."""
        asked = [seen.who for seen in self.view.find(test)]
        return sorted(servers, key=lambda one: asked.index(one.who) if one.who in asked else len(asked))

    @property
    def resolvers(self) -> tuple[Resolver, ...]:
        """Return the resolvers abroad."""
        return tuple(one for one in self.anchors.resolvers if one.place is Place.ABROAD)

    @property
    def gates(self) -> list[tuple[str, str]]:
        """Return whom to ask for ports (who, host): hosts that answer on all of them first."""
        every = [(one.who, one.host) for one in self.anchors.all_ports]
        every += [(one.who, host(one)) for one in self.reached or self.abroad]
        return [gate for gate in every if gate[0] not in self._faulty]

    def lives(self, who: str) -> bool:
        """Whether any connection to a host was taken or refused by itself."""
        return any(
            self.view.passes(knock) for (host_, _), knock in self.view.knocks().items() if host_ == who
        )

    @property
    def slowness(self) -> float:
        """Return by how much deadlines are to be longer: handshakes of more than a second stretch them."""
        took = [seen.elapsed for seen in self.view.find(Test.CONNECT, Test.TLS) if seen.crossed]
        return min(2.0, max(1.0, max(took, default=0.0)))


def _by_address(servers: Sequence[Server]) -> list[Server]:
    """Put those with a literal address first: they can be asked where no name resolves."""
    return sorted(servers, key=lambda server: not server.addresses)


def _spread(servers: Sequence[Server]) -> list[Server]:
    """Put servers of operators not seen before first, so that the first few are unrelated."""
    seen: set[str] = set()
    first: list[Server] = []
    rest: list[Server] = []
    for server in servers:
        (rest if server.operator and server.operator in seen else first).append(server)
        seen.add(server.operator)
    return first + rest

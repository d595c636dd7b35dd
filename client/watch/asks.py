"""Which tiny question comes next: servers abroad and in the country in turn, and, where an answer is in doubt, whoever
can settle it. The questions are those of the diagnosis.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.diagnosis import questions
from client.diagnosis.anchors import Anchors, Server
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Name, Place, Sight, Test
from client.diagnosis.view import WEB
from client.watch.state import Line, State
from transports.stream import is_literal

_PORTS: Final = 4  # other ports that a list of what is allowed is told by (client.diagnosis.rules_line)
_TLS_COST: Final = 4500  # bytes of a handshake with a server that was not asked yet
_KNOCK_COST: Final = 600
_LARGEST: Final = 5400  # bytes: a server whose handshake is larger is left out where there are others
_ASIDE: Final = 4  # every fourth question where it is known what passes
_OPEN_HOME: Final = 6  # every sixth question while all is open: so that the country's addresses stay known


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, and what it may move at most in bytes, as far as that is known."""

    ask: Ask
    cost: int

    def seen(self, sights: Sequence[Sight]) -> list[Sight]:
        """Return the sights as the rules want them: the port where a server is asked first stands for 443."""
        if self.ask.name is not Name.HARMLESS:
            return list(sights)
        return [replace(sight, port=WEB) for sight in sights]


class Rotation:
    """Goes round the servers in random order, and remembers what each costs."""

    def __init__(self, anchors: Anchors, rng: random.Random, ports: Sequence[int] = ()) -> None:
        self._rng = rng
        self._servers = {place: self._spread(anchors.at(place)) for place in _ASKED}
        self._ports = [port for port in ports if port != WEB]
        self._next: Counter[Place] = Counter()
        self._rounds: Counter[tuple[str, int]] = Counter()
        self._costs: dict[str, int] = {}
        self._turn = 0
        self._side = 0

    def next(self, line: Line) -> Question:
        """Return the next question for what is known of the line."""
        self._turn += 1
        good = line.answered(Place.ABROAD)
        if line.state is not State.OPEN and len(good) == 1 and line.doubt is None and self._turn % _ASIDE:
            return self._handshake(self._other(Place.ABROAD, set(good)))
        server = self._settling(line)
        if server is not None:
            return self._handshake(server)
        if self._turn % self._beside_every(line) == 0:
            beside = self._beside(line)
            if beside is not None:
                return beside
        return self._handshake(self._one(Place.ABROAD))

    def learn(self, question: Question, moved: float) -> None:
        """Take what a question moved, in bytes."""
        if question.ask.test is Test.TLS:
            who = question.ask.who
            self._costs[who] = max(self._costs.get(who, 0), round(moved))

    # whom to ask

    def _settling(self, line: Line) -> Server | None:
        """Return the server that settles what is in doubt."""
        place = line.doubt
        if place is not None:  # one that had answered says whether it is the line or only that server
            failed = line.failed(place)
            known = [who for who in line.answered(place) if who not in failed]
            return self._named(known[0]) if known else self._other(place, failed)
        listed = line.answered(Place.LISTED)
        if line.state in (State.OUTAGE, State.SHUT) and line.answered(Place.HOME) and not listed:
            tried = line.failed(Place.LISTED)
            fresh = [server for server in self._servers[Place.LISTED] if server.who not in tried]
            return fresh[0] if fresh else None
        return None

    def _beside_every(self, line: Line) -> int:
        """Return the how manieth question is not about whoever is abroad: an opening shows itself there first.

        More of them as long as it is not known what passes, and in an outage, where the country may come back alone.
        """
        if line.state in (State.UNKNOWN, State.OUTAGE):
            return 2
        looking = line.state is State.SHUT and (
            not line.answered(Place.HOME) or (self._ports and len(line.silent_ports()) < _PORTS)
        )
        return 2 if looking else _ASIDE

    def _beside(self, line: Line) -> Question | None:
        """Return a question in the country, at a server that lists hold, or about another port."""
        if line.state is State.OPEN and self._turn % _OPEN_HOME:
            return None
        self._side += 1
        home = line.answered(Place.HOME)
        if line.state is State.SHUT and home and self._ports and len(line.silent_ports()) < _PORTS:
            return self._knock(line)
        if line.state in (State.ALLOW_LIST, State.HOLES) and self._ports and self._side % 3 == 0:
            return self._knock(line)
        # A list is looked at where the country answers: in an outage it answers first.
        places = [place for place in _BESIDE if self._servers[place]]
        if Place.LISTED in places and len(places) > 1 and not home:
            places.remove(Place.LISTED)
        return self._handshake(self._one(places[self._side % len(places)])) if places else None

    def _one(self, place: Place) -> Server:
        """Return the next one at a place, small ones only where there are such."""
        servers = self._servers[place]
        small = [server for server in servers if self._costs.get(server.who, 0) <= _LARGEST]
        servers = small if len(small) > 1 else servers
        self._next[place] += 1
        if self._next[place] % len(servers) == 0:
            self._rng.shuffle(self._servers[place])
        return servers[self._next[place] % len(servers)]

    def _other(self, place: Place, than: set[str]) -> Server:
        """Return one that is not among those."""
        for _ in self._servers[place]:
            server = self._one(place)
            if server.who not in than:
                return server
        return self._one(place)

    def _named(self, who: str) -> Server | None:
        return next((one for place in _ASKED for one in self._servers[place] if one.who == who), None)

    def _spread(self, servers: Sequence[Server]) -> list[Server]:
        """Return one of each operator, in random order; those with an address, where there are enough of them."""
        shuffled = self._rng.sample(servers, len(servers))
        by_operator = {server.operator or server.who: server for server in shuffled}
        found = list(by_operator.values())
        literal = [server for server in found if is_literal(questions.host(server))]
        return literal if len(literal) > 2 else found

    # what to ask

    def _handshake(self, server: Server) -> Question:
        ask = questions.handshake(server, self._round(server.who, WEB))
        return Question(ask=ask, cost=self._costs.get(server.who, _TLS_COST))

    def _knock(self, line: Line) -> Question:
        tried = line.silent_ports()
        port = next((port for port in self._ports if port not in tried), self._rng.choice(self._ports))
        server = self._one(Place.ABROAD)
        ask = questions.knock(server.who, questions.host(server), port, self._round(server.who, port))
        return Question(ask=ask, cost=_KNOCK_COST)

    def _round(self, who: str, port: int) -> int:
        self._rounds[who, port] += 1
        return self._rounds[who, port]


_ASKED: Final = (Place.ABROAD, Place.HOME, Place.LISTED)
_BESIDE: Final = (Place.HOME, Place.LISTED)

"""Sights put in order: the rounds of one question become one fact, and facts answer questions about the line.

Pure. Any crossing beats silence (then it was loss), and silence counts only after it came twice.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.diagnosis.sights import Came, Forgery, Issuer, Name, Place, Sight, Test
from client.model import Failure

WEB: Final = 443
ORDINARY: Final = frozenset({22, 80, 587, 853, 993, 8080, 8443, 9001})  # what an open line lets through
_BEST: Final = (
    Came.RIGHT,
    Came.OTHER,
    Came.FALSE,
    Came.STOPPED,
    Came.RESET,
    Came.CLOSED,
    Came.REFUSED,
    Came.SILENCE,
    Came.NO_ROUTE,
    Came.FAULT,
)
_CUT: Final = (Came.RESET, Came.CLOSED, Came.REFUSED)
_LISTENS: Final = "all_ports-"
_NO_SERVERS: Final = (_LISTENS, "relay-", "bridge-", "page-", "resolver-", "name-", "nobody-")


@dataclass(frozen=True, slots=True)
class Fact:
    """One question with all its rounds."""

    sights: tuple[Sight, ...]

    @property
    def came(self) -> Came:
        """Return the best that came back in any round; FAULT where it could not be asked."""
        return min((sight.came for sight in self.sights), key=_BEST.index, default=Came.FAULT)

    @property
    def crossed(self) -> bool:
        """Whether it got there and back in any round."""
        return self.came in (Came.RIGHT, Came.OTHER)

    @property
    def right(self) -> bool:
        """Whether what was asked for came in any round."""
        return self.came is Came.RIGHT

    @property
    def asked(self) -> bool:
        """Whether the question reached the line at all."""
        return self.came not in (Came.FAULT, Came.NO_ROUTE)

    @property
    def dead(self) -> bool:
        """Whether nothing came but a cut or a refusal, or silence at least twice."""
        return self.came in _CUT or (self.came is Came.SILENCE and self.silences > 1)

    @property
    def doubtful(self) -> bool:
        """Whether there was silence, but only once."""
        return self.came is Came.SILENCE and self.silences == 1

    @property
    def silences(self) -> int:
        """Return how often nothing came."""
        return self.count(Came.SILENCE)

    @property
    def cuts(self) -> int:
        """Return how often it was reset, closed or refused."""
        return self.count(*_CUT)

    @property
    def refused(self) -> bool:
        """Whether a refusal was the best that came."""
        return self.came is Came.REFUSED

    def count(self, *came: Came) -> int:
        """Return in how many rounds one of these came."""
        return sum(sight.came in came for sight in self.sights)


def _alone(sight: Sight) -> Sight:
    """Take an answer for what it is by itself: whether names share an address is judged here, over all of them."""
    if sight.forgery is Forgery.SAME_FOR_ALL:
        return replace(sight, came=Came.RIGHT, forgery=None)
    return sight


class View:
    """All sights of a run, to be asked questions."""

    def __init__(self, sights: Iterable[Sight]) -> None:
        self.sights = tuple(_alone(sight) for sight in sights if sight.came is not Came.FAULT)
        self._of: dict[Test, list[Sight]] = {}
        for sight in self.sights:
            self._of.setdefault(sight.test, []).append(sight)

    def find(
        self,
        *tests: Test,
        places: Sequence[Place] = (),
        who: str | None = None,
        port: int | None = None,
        way: str | None = None,
        name: Name | None = None,
    ) -> tuple[Sight, ...]:
        """Return the sights for which all that is given holds."""
        return tuple(
            sight
            for test in tests
            for sight in self._of.get(test, ())
            if (not places or sight.place in places)
            and (who is None or sight.who == who)
            and (port is None or sight.port == port)
            and (way is None or sight.way == way)
            and (name is None or sight.name is name)
        )

    def facts(
        self,
        *tests: Test,
        places: Sequence[Place] = (),
        port: int | None = None,
        way: str | None = None,
        name: Name | None = None,
    ) -> Mapping[tuple[str, int], Fact]:
        """Return one fact for each server and port asked, rounds folded."""
        found: dict[tuple[str, int], list[Sight]] = {}
        for sight in self.find(*tests, places=places, port=port, way=way, name=name):
            found.setdefault((sight.who, sight.port), []).append(sight)
        return {key: Fact(tuple(rounds)) for key, rounds in found.items()}

    def fact(self, *tests: Test, who: str, port: int | None = None, way: str | None = None) -> Fact:
        """Return what is known about one question; an empty fact where it was not asked."""
        return Fact(self.find(*tests, who=who, port=port, way=way))

    def fronts(self, *places: Place, port: int = WEB) -> Mapping[str, Fact]:
        """Return for each server how an ordinary handshake on `port` went, connection and TLS together."""
        return {
            who: front
            for who in dict.fromkeys(
                sight.who
                for sight in self.find(Test.TLS, Test.CONNECT, places=places, port=port)
                if not sight.who.startswith(_NO_SERVERS)
            )
            if (front := self.front(who, port)).asked
        }

    def front(self, who: str, port: int = WEB) -> Fact:
        """Return how the ordinary handshakes with one server went: TLS, or the connection where it came to none."""
        tls = self.find(Test.TLS, who=who, port=port, way="", name=Name.HARMLESS)
        rounds = {sight.round for sight in tls}
        return Fact(
            tls
            + tuple(
                sight
                for sight in self.find(Test.CONNECT, who=who, port=port, way="")
                if sight.round not in rounds and sight.name is not Name.FORBIDDEN and not sight.crossed
            )
        )

    def alive(self, *places: Place, port: int = WEB) -> list[str]:
        """Return the servers that showed themselves by an authentic handshake."""
        return [who for who, front in self.fronts(*places, port=port).items() if front.right]

    def dead(self, *places: Place, port: int = WEB) -> list[str]:
        """Return the servers that are settled to be without an answer."""
        return [who for who, front in self.fronts(*places, port=port).items() if front.dead]

    @functools.cached_property
    def cut(self) -> bool:
        """Whether no server abroad answers on port 443: at least two, and three times in all."""
        fronts = [front for front in self.fronts(Place.ABROAD).values() if front.came is not Came.FALSE]
        lost = sum(front.silences + front.cuts for front in fronts)
        reached = any(front.crossed for front in fronts) or self.forged or self.listener_reached
        return len(fronts) > 1 and lost > 2 and not reached

    @functools.cached_property
    def listener_reached(self) -> bool:
        """Whether a host that listens on every port takes connections on 443, and servers do not fall silent after
        theirs: then it is the servers that are missing, not the web.
        """
        knocks = self.facts(Test.CONNECT, places=(Place.ABROAD,), port=WEB, way="")
        taken = any(knock.crossed for (who, _), knock in knocks.items() if who.startswith(_LISTENS))
        return taken and len(self.connects) < 2

    @functools.cached_property
    def forged(self) -> list[Sight]:
        """Return the handshakes with harmless names that showed a certificate which cannot be true."""
        return [
            sight
            for sight in self.find(Test.TLS, way="", name=Name.HARMLESS)
            if sight.came is Came.FALSE and sight.certificate is not None
        ]

    @functools.cached_property
    def connects(self) -> list[str]:
        """Return the servers abroad whose port 443 takes a connection and then says nothing."""
        return [
            who
            for who, front in self.fronts(Place.ABROAD).items()
            if not front.crossed and self.fact(Test.CONNECT, who=who, port=WEB).crossed
        ]

    @functools.cached_property
    def refuses(self) -> bool:
        """Whether a filter refuses instead of dropping: then a refusal is no sign that a packet crossed."""
        fronts = self.fronts(Place.ABROAD)
        webs = [knock for (who, port), knock in self.knocks().items() if port == WEB and who not in fronts]
        asked = [*fronts.values(), *webs]
        refused = sum(one.refused for one in asked)
        return refused > 1 and refused * 2 >= len(asked)

    def knocks(self) -> Mapping[tuple[str, int], Fact]:
        """Return how the connections abroad went, by server and port."""
        return self.facts(Test.CONNECT, places=(Place.ABROAD,), way="")

    def passes(self, knock: Fact) -> bool:
        """Whether a connection shows that its port crosses: taken, or refused by the host itself.

        Where servers take connections and then say nothing, a connection alone shows nothing. A host that listens
        on every port does not refuse: somebody on the way does.
        """
        if len(self.connects) > 1:
            return False
        if knock.crossed:
            return True
        listens = any(seen.who.startswith(_LISTENS) for seen in knock.sights)
        return knock.refused and not listens and not self.refuses

    def tcp(self) -> tuple[int, ...]:
        """Return the TCP ports that cross the border, sorted."""
        found = {port for (_, port), knock in self.knocks().items() if port != WEB and self.passes(knock)}
        links = self.find(Test.TLS, Test.TOR_LINK, Test.PT, Test.PAGE, places=(Place.ABROAD,))
        found |= {sight.port for sight in links if sight.crossed and sight.name is not Name.FORBIDDEN}
        asked = self.find(Test.RESOLVE, places=(Place.ABROAD,))
        found |= {
            sight.port for sight in asked if sight.came is Came.RIGHT and sight.way in ("tcp", "doh", "dot")
        }
        return tuple(sorted(found - {0}))

    def udp(self) -> tuple[int, ...]:
        """Return the UDP ports that cross the border, sorted."""
        found = {
            sight.port for sight in self.find(Test.QUIC, Test.UDP, places=(Place.ABROAD,)) if sight.crossed
        }
        asked = self.find(Test.RESOLVE, places=(Place.ABROAD,), way="udp")
        return tuple(sorted(found | {sight.port for sight in asked if sight.came is Came.RIGHT} - {0}))

    def protocols(self) -> frozenset[str]:
        """Return which protocols cross the border, by the names of Diagnosis.passes."""
        abroad = [sight for sight in self.sights if sight.place is Place.ABROAD and sight.crossed]
        found = set()
        for sight in abroad:
            if sight.test is Test.RESOLVE and sight.came is Came.RIGHT:
                found |= {"udp": {"dns"}, "tcp": {"dns"}}.get(sight.way, {sight.way} - {"system", ""})
            elif sight.test is Test.BYTES:
                found |= {"random": {"raw"}, "http": {"http"}}.get(sight.way, set())
            elif sight.test is Test.TLS and sight.name is not Name.FORBIDDEN:
                found.add("tls")
            elif sight.test is Test.PAGE and sight.came is Came.RIGHT:
                found.add("http")
            else:
                found |= {Test.QUIC: {"quic"}, Test.TOR_LINK: {"tor"}, Test.PT: {"obfs4"}}.get(
                    sight.test, set()
                )
        return frozenset(found)

    @property
    def speeds(self) -> Mapping[str, float]:
        """Return the best speed measured by each server under a harmless name, KiB/s."""
        best: dict[str, float] = {}
        for sight in self.find(Test.DOWNLOAD):
            if sight.name is not Name.FORBIDDEN and sight.kib_per_s and sight.came is Came.RIGHT:
                best[sight.who] = max(best.get(sight.who, 0.0), sight.kib_per_s)
        return best

    @functools.cached_property
    def portal(self) -> bool:
        """Whether everything looks as before a login page: nothing authentic anywhere, and pages replaced or one
        certificate for all.
        """
        if self.alive(Place.HOME, Place.ABROAD, Place.LISTED):
            return False
        pages = self.find(Test.PAGE)
        return any(page.came is Came.FALSE for page in pages) or (
            self.one_certificate and not any(page.came is Came.RIGHT for page in pages)
        )

    @functools.cached_property
    def one_certificate(self) -> bool:
        """Whether two servers or more show one and the same certificate that cannot be true."""
        shown = {seen.certificate.fingerprint for seen in self.forged if seen.certificate}
        return len(shown) == 1 and "" not in shown and len({seen.who for seen in self.forged}) > 1

    @functools.cached_property
    def same_answer(self) -> bool:
        """Whether the system's resolver gave harmless names that have nothing in common the same addresses."""
        given: dict[frozenset[str], set[str]] = {}
        for seen in self.find(Test.RESOLVE, way="system", name=Name.HARMLESS):
            if seen.addresses:
                given.setdefault(frozenset(seen.addresses), set()).add(seen.who)
        return any(len(names) > 1 for names in given.values())

    def arrived(self, sight: Sight) -> bool:
        """Whether a handshake came back from the server itself, be it with another name's certificate."""
        shown = sight.certificate
        return sight.crossed or (
            sight.came is Came.FALSE
            and shown is not None
            and shown.issuer in (Issuer.PUBLIC, Issuer.WRONG_NAME)
        )

    @property
    def anything(self) -> bool:
        """Whether anything at all came back from beyond this machine and its gateway."""
        return any(
            sight.answered and sight.failure is not Failure.HOST_UNREACHABLE
            for sight in self.sights
            if sight.place is not Place.HERE
        )

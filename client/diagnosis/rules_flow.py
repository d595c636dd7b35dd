"""Rules about what flows on an open line: shapes of traffic, volumes, speeds, UDP, Tor. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from client.diagnosis import evidence as e
from client.diagnosis.kinds import Certainty, Finding, Kind
from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.diagnosis.view import WEB, Fact, View
from client.model import Message, counted
from transports.types import N_

SLOW: Final = 32.0  # KiB/s: Kashmir's 2G (250 kbit/s) is just below
_WATCHED: Final = (53, 80, 443)
_NEAR: Final = 1.4  # the second stop is at most so much further than the first


def protocol_allow_list(view: View) -> Finding | None:
    """Bytes that look like no web protocol get no answer on 443; TLS does, and so do the bytes on another port."""
    raw = {**_shape(view, "random"), **_shape(view, "zeros")}
    silent = {who for who, port in raw if port == WEB and _mute(view, who, "random", "zeros")}
    noise = [fact for (_, port), fact in _shape(view, "random").items() if port == WEB]
    blank = [fact for (_, port), fact in _shape(view, "zeros").items() if port == WEB]
    if not noise or not blank or any(_reacts(fact) for fact in (*noise, *blank)):
        return None
    times = sum(fact.silences for fact in (*noise, *blank))
    living = [who for who in silent if view.front(who).crossed]
    if times < 4 or not living or sum(fact.silences for fact in blank) < 2:
        return None
    free = [key for key, fact in _shape(view, "random").items() if key[1] not in _WATCHED and _reacts(fact)]
    shaped = any(_reacts(fact) for fact in _shape(view, "http").values())
    if not free and (len(living) < 2 or not shaped):
        return None
    found = [
        counted(
            "Bytes of no known protocol got no answer on port 443, {n} time.",
            "Bytes of no known protocol got no answer on port 443, {n} times.",
            times,
        ),
        Message(N_("TLS is answered by the same servers on the same port.")),
    ]
    if free:
        found.append(Message(N_("The same bytes are answered on another port.")))
    against = [Message(N_("Not a filter of random-looking traffic: zeros get no answer either."))]
    sure = bool(free) and len(living) > 1
    return e.finding(
        Kind.PROTOCOL_ALLOW_LIST, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against
    )


def random_traffic_block(view: View) -> Finding | None:
    """Random bytes get no answer at several servers, zeros do."""
    noise = _shape(view, "random")
    zeros = _shape(view, "zeros")
    times = sum(fact.silences for fact in noise.values())
    answered = [key for key, fact in zeros.items() if _reacts(fact)]
    pairs = [key for key in answered if key in noise]
    if any(_reacts(fact) for fact in noise.values()) or times < 2 or not pairs:
        return None
    places = {who for who, _ in noise}
    found = [
        counted("Random bytes got no answer, {n} time.", "Random bytes got no answer, {n} times.", times),
        Message(N_("Zeros are answered by the same server on the same port.")),
    ]
    against = [Message(N_("Not a list of protocols: zeros belong to none, and pass."))]
    if any(port not in _WATCHED for _, port in noise):
        against.append(Message(N_("Not tied to the web's ports: it was the same on another one.")))
    sure = times > 2 and len(places) > 1
    return e.finding(
        Kind.RANDOM_TRAFFIC_BLOCK, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against
    )


def _shape(view: View, way: str) -> dict[tuple[str, int], Fact]:
    return dict(view.facts(Test.BYTES, way=way))


def _mute(view: View, who: str, *ways: str) -> bool:
    seen = [one for way in ways for one in view.find(Test.BYTES, who=who, port=WEB, way=way)]
    return bool(seen) and all(one.came is Came.SILENCE for one in seen)


def _reacts(fact: Fact) -> bool:
    """Whether the server did anything at all: a close or a reset shows that the bytes arrived."""
    return any(seen.answered for seen in fact.sights)


def quota_freeze(view: View) -> Finding | None:
    """A transfer from abroad stops at about the same place twice; one at home does not."""
    stops = [
        seen
        for seen in view.find(Test.DOWNLOAD, Test.UPLOAD, places=(Place.ABROAD,))
        if seen.came is Came.STOPPED and seen.name is not Name.FORBIDDEN
    ]
    down = [seen for seen in stops if seen.test is Test.DOWNLOAD]
    if len(stops) < 2 or not down:
        return None
    same = _alike([seen.received for seen in down]) or _alike([seen.packets for seen in down])
    whole = view.find(Test.DOWNLOAD, places=(Place.ABROAD,), name=Name.HARMLESS)
    if any(seen.crossed and seen.who in {one.who for one in down} for seen in whole):
        return None
    control = any(seen.crossed for seen in view.find(Test.DOWNLOAD, places=(Place.HOME,)))
    found = [
        counted(
            "{n} transfer began well and then stopped without a word.",
            "{n} transfers began well and then stopped without a word.",
            len(stops),
        ),
        Message(
            N_("They stopped after {kib} KiB."),
            {"kib": ", ".join(str(round(seen.received / 1024)) for seen in down)},
        ),
    ]
    if control:
        found.append(Message(N_("A transfer of the same size within the country came whole.")))
    against = [
        Message(N_("Not a filter by name: the server's first bytes arrive.")),
        Message(N_("Not throttling: the speed is normal, and then there is nothing.")),
    ]
    elsewhere = any(seen.crossed for seen in whole)
    sure = same and control and len({seen.who for seen in down}) > 1 and not elsewhere
    return e.finding(Kind.QUOTA_FREEZE, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against)


def _alike(amounts: Sequence[int]) -> bool:
    amounts = [amount for amount in amounts if amount]
    return len(amounts) > 1 and max(amounts) <= _NEAR * min(amounts)


def connection_policing(view: View) -> Finding | None:
    """Several handshakes at once hang, one alone does not."""
    hung = [seen for seen in view.find(Test.PARALLEL) if not seen.crossed]
    fine = {seen.who for seen in view.find(Test.PARALLEL) if seen.crossed}
    who = {seen.who for seen in hung} - fine
    alone = [one for one in who if any(s.crossed and s.round > 1 for s in view.find(Test.TLS, who=one))]
    if len(hung) < 2 or not who:
        return None
    found = [
        counted(
            "Of several handshakes at once some got no answer, {n} time.",
            "Of several handshakes at once some got no answer, {n} times.",
            len(hung),
        )
    ]
    if alone:
        found.append(Message(N_("One alone is answered by the same server.")))
    against = [
        Message(N_("Not a filter by name: the name was the same.")),
        Message(N_("Not a freeze: the handshake itself hangs.")),
    ]
    sure = len(who) > 1 and len(alone) > 1
    return e.finding(
        Kind.CONNECTION_POLICING, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against
    )


def name_throttle(view: View) -> Finding | None:
    """The same server is slow under a forbidden name and fast under its own."""
    hits = {who: rates for who, rates in slow_names(view).items() if len(rates) > 1}
    if not hits:
        return None
    speeds = view.speeds
    who, rate = min(((who, max(rates)) for who, rates in hits.items()), key=lambda hit: hit[1])
    found = [
        Message(
            N_(
                "Under a name that may be forbidden: {slow} KiB/s; under its own, the same server: {fast} KiB/s."
            ),
            {"slow": f"{rate:.0f}", "fast": f"{speeds[who]:.0f}"},
        )
    ]
    against = [
        Message(N_("Not the whole line: another name is fast.")),
        Message(N_("Not a filter by name that cuts: the data does come.")),
    ]
    return e.finding(Kind.NAME_THROTTLE, Certainty.LIKELY, found, against)


def slow_names(view: View) -> dict[str, list[float]]:
    """Return the speeds under forbidden names, by server, where all are far below the server's own."""
    slow: dict[str, list[float]] = {}
    for seen in view.find(Test.DOWNLOAD, name=Name.FORBIDDEN):
        if seen.kib_per_s is not None:
            slow.setdefault(seen.who, []).append(seen.kib_per_s)
    speeds = view.speeds
    return {
        who: rates
        for who, rates in slow.items()
        if who in speeds and max(rates) * 4 < speeds[who] and max(rates) < 2 * SLOW
    }


def link_throttle(view: View) -> Finding | None:
    """Every transfer is slow, whoever sends it."""
    speeds = view.speeds
    if len(speeds) < 2 or max(speeds.values()) >= SLOW:
        return None
    found = [
        counted(
            "{n} server was tried, and none is faster than {fast} KiB/s.",
            "{n} servers were tried, and none is faster than {fast} KiB/s.",
            len(speeds),
            fast=f"{max(speeds.values()):.0f}",
        ),
        Message(N_("Bad reception or a full network look the same from inside.")),
    ]
    against = [
        Message(N_("Not a slow name: different names are equally slow.")),
        Message(N_("Not a freeze: the data keeps coming.")),
    ]
    return e.finding(Kind.LINK_THROTTLE, Certainty.LIKELY, found, against)


def udp_block(view: View) -> Finding | None:
    """UDP gets no answer at several servers that answer over TCP."""
    facts = view.facts(Test.QUIC, Test.UDP, places=(Place.ABROAD,))
    if any(fact.crossed for fact in facts.values()):
        return None
    silent = {who for (who, _), fact in facts.items() if fact.dead}
    resolvers = view.facts(Test.RESOLVE, places=(Place.ABROAD,), way="udp")
    mute = {who for (who, _), fact in resolvers.items() if fact.came is Came.SILENCE}
    living = {who for who in silent if view.front(who).crossed}
    if len(silent) + len(mute) < 2 or not living:
        return None
    found = [
        counted(
            "{n} server gives no answer over UDP, asked twice.",
            "{n} servers give no answer over UDP, asked twice.",
            len(silent),
        ),
        Message(N_("The same servers answer over TCP.")),
    ]
    if 53 in view.udp():
        found.append(Message(N_("Questions for names still pass over UDP 53.")))
    certainty = Certainty.CERTAIN if len(living) > 1 else Certainty.LIKELY
    return e.finding(Kind.UDP_BLOCK, certainty, found, [Message(e.NOT_CUT), Message(e.NOT_LOSS)])


def tor_block(view: View) -> Finding | None:
    """Public relays are dead, other hosts on like ports are not."""
    relays = _relays(view)
    if len(relays) < 3 or any(fact.crossed for fact in relays.values()):
        return None
    dead = {key for key, fact in relays.items() if fact.dead}
    crossing = view.tcp()
    like = {key for key in dead if key[1] in crossing or key[1] in (WEB, 80)}
    if len(dead) < 3 or not like:
        return None
    bridge = any(seen.crossed for seen in view.find(Test.PT))
    found = [
        counted("{n} public Tor relay gives no answer.", "{n} public Tor relays give no answer.", len(dead)),
        Message(N_("Other hosts answer on the same ports.")),
    ]
    if bridge:
        found.append(Message(N_("A Tor bridge with obfs4 does answer.")))
    against = [Message(e.NOT_CUT), Message(N_("Not the ports: other hosts answer on them."))]
    sure = len(like) > 2
    return e.finding(Kind.TOR_BLOCK, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against)


def _relays(view: View) -> dict[tuple[str, int], Fact]:
    """Return how each relay did: its link handshake, or the connection where it came to none."""
    found: dict[tuple[str, int], list[Sight]] = {}
    for seen in view.find(Test.TOR_LINK):
        found.setdefault((seen.who, seen.port), []).append(seen)
    return {key: Fact(tuple(rounds)) for key, rounds in found.items()}

"""What to ask next about each matter. Pure; every function gives what it still wants, in order, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from client.diagnosis import questions as q
from client.diagnosis.anchors import Forbidden, KnownName, Server
from client.diagnosis.asks import Ask
from client.diagnosis.ground import Ground
from client.diagnosis.sights import Came, Name, Place, Test
from client.diagnosis.view import WEB

SLOW: Final = 32.0  # KiB/s: Kashmir's 2G (250 kbit/s) is just below
_MOST_SERVERS: Final = 6
_LIKELY: Final = 6  # likely ports asked first: with their pace and deadlines a step of six seconds
_SPECIAL: Final = (53, 80, 443)  # the ports on which Iran's list looks at protocols


def first(ground: Ground) -> Iterator[Ask]:
    """Give the first batch: enough to know a healthy line, a dead one and most of what lies between."""
    yield q.route()
    home, abroad = known_names(ground, Place.HOME), known_names(ground, Place.ABROAD)
    yield from map(q.resolve, [*home[:1], *abroad[:2]])
    yield from (q.resolve_random(value) for value in ground.wishes.random[:1])
    yield from map(q.handshake, [*ground.abroad[:2], *ground.home[:1]])
    pages = sorted(ground.anchors.pages, key=lambda page: page.place is Place.HOME)
    yield from map(q.page, pages[:1])
    for known in abroad[:1]:
        yield from (q.query(one, known, "udp") for one in ground.resolvers[:1] if "udp" in one.ways)


def servers(ground: Ground) -> Iterator[Ask]:
    """Ask again where servers did not answer, and ask others beside them."""
    wanted = ground.abroad[:2]
    if ground.missed or ground.forged:
        few = 3 if ground.cut else _MOST_SERVERS
        wanted = ground.abroad[: few if len(ground.missed) > 1 or not ground.reached else 4]
    for server in wanted:
        yield from ground.more(q.handshake(server))
    home = ground.home[:1]
    if home and ground.tried(home[0]) and not ground.crossed(home[0]):
        home = ground.home[:3]
    for server in home:
        yield from ground.more(q.handshake(server))
    if not ground.view.anything:
        yield from ground.more(q.route(2))
    yield from _pages(ground)
    yield from _forged_again(ground)
    yield from _other_ports(ground)


def _pages(ground: Ground) -> Iterator[Ask]:
    asked = ground.view.find(Test.PAGE)
    if not ground.forged and any(seen.came is Came.RIGHT for seen in asked):
        return
    pages = sorted(ground.anchors.pages, key=lambda page: page.place is Place.HOME)
    replaced = ground.forged or any(seen.came is Came.FALSE for seen in asked)
    for page in pages[: 3 if replaced else 2]:
        yield from ground.more(q.page(page))
    if sum(seen.came is Came.FALSE for seen in asked) == 1:
        yield from (q.page(page, 2) for page in pages[:1])


def _forged_again(ground: Ground) -> Iterator[Ask]:
    """Look twice at a forged certificate; the same server may show the true one to another question."""
    shown = {seen.who for seen in ground.view.forged}
    for server in ground.anchors.servers:
        if server.who in shown and len(ground.view.forged) < 2:
            yield q.handshake(server, 2)


def _other_ports(ground: Ground) -> Iterator[Ask]:
    """Ask servers without an answer on 443 on another port, where others do answer: is it the address?"""
    if len(ground.missed) < 2 or not ground.reached:
        return
    for server in ground.missed[:3]:
        others = [port for port in (*server.ports, *server.plain) if port != q.web(server)]
        for port in (others or list(ground.wishes.ordinary))[:2]:
            yield from ground.more(q.knock(server.who, q.host(server), port))


def names(ground: Ground) -> Iterator[Ask]:
    """Ask for names by other ways where an answer was missing, false, or other than known."""
    view = ground.view
    asked = view.find(Test.RESOLVE)
    abroad = known_names(ground, Place.ABROAD)
    if not asked or not abroad or ground.portal:
        return
    for address in ground.anchors.nobody[:1]:
        yield q.query_nobody(address, 1, abroad[0])
    system = [seen for seen in asked if seen.way == "system"]
    strange = [seen for seen in asked if seen.came not in (Came.RIGHT, Came.SILENCE)]
    strange = [seen for seen in strange if seen.place is not Place.NOBODY or seen.came is Came.FALSE]
    quiet = [seen for seen in system if seen.came is Came.SILENCE]
    udp = view.facts(Test.RESOLVE, places=(Place.ABROAD,), way="udp").values()
    deaf = not ground.cut and any(fact.came is Came.SILENCE for fact in udp)
    other = list(_elsewhere(ground))
    for known in [name for name in ground.anchors.names if q.resolve(name).who in {s.who for s in quiet}]:
        yield from ground.more(q.resolve(known))
    if strange or quiet or other or deaf or view.same_answer:
        yield from _other_ways(ground, abroad)
    for server, address in other[:2]:
        yield from ground.more(q.handshake(server))
        yield from ground.more(q.handshake(server, host=address, way="system"))
    for resolver in ground.resolvers[:2]:
        if ground.cut and "udp" in resolver.ways:
            yield from ground.more(q.query(resolver, abroad[0], "udp"))


def known_names(ground: Ground, place: Place) -> list[KnownName]:
    """Return the names to resolve at a place; first those whose right address is known."""
    names = [name for name in ground.anchors.names if name.place is place]
    return sorted(names, key=lambda name: not name.addresses)


def _other_ways(ground: Ground, abroad: list[KnownName]) -> Iterator[Ask]:
    for known in abroad[:3]:
        yield from ground.more(q.resolve(known))
    for resolver in ground.resolvers[:2]:
        for way in resolver.ways if resolver is ground.resolvers[0] else resolver.ways[:1]:
            yield from ground.more(q.query(resolver, abroad[0], way))
    for number, address in enumerate(ground.anchors.nobody[:2], 1):
        yield q.query_nobody(address, number, abroad[0])
    if len(ground.anchors.nobody) == 1:
        yield q.query_nobody(ground.anchors.nobody[0], 1, abroad[-1], 2)
    for number, value in enumerate(ground.wishes.random[:2], 1):
        yield from ground.more(q.resolve_random(value, number))


def _elsewhere(ground: Ground) -> Iterator[tuple[Server, str]]:
    """Give the servers whose name was answered with an address that is not known to be theirs."""
    for known in ground.anchors.names:
        server = next((one for one in ground.anchors.servers if one.name == known.name), None)
        right = {*known.addresses, *(server.addresses if server else ())}
        for seen in ground.view.find(Test.RESOLVE, who=known.who, way="system"):
            if server and right and seen.addresses and not right & set(seen.addresses):
                yield server, seen.addresses[0]


def ports(ground: Ground) -> Iterator[Ask]:
    """Look for ports that cross, where the web abroad is shut or odd ports are silent."""
    odd = _odd_lost(ground)
    if not ground.gates or not (ground.cut or odd):
        return
    wishes = ground.wishes
    likely = wishes.ports[:_LIKELY] if ground.cut else wishes.ports[:3]
    for who, host in ground.gates[:2]:
        web = q.knock(who, host, WEB)
        yield from ground.more(web)
        for port in (*likely, *wishes.ordinary):
            yield from ground.more(q.knock(who, host, port), 1)
        if ground.cut and not ground.was_put(web):
            yield replace(web, round=2)  # spaced by those before it: so the pair is settled in one step
        if not ground.was_put(q.knock(who, host, likely[0])) or ground.lives(who):
            return


def _odd_lost(ground: Ground) -> bool:
    """Whether two protocols or more came to nothing on ports other than the web's, though the web is open."""
    if not ground.reached:
        return False
    asked = ground.view.find(Test.TOR_LINK, Test.PT, places=(Place.ABROAD,))
    asked += ground.view.find(Test.RESOLVE, places=(Place.ABROAD,), way="dot")
    lost = {seen.test for seen in asked if not seen.crossed and seen.port not in (WEB, 80)}
    return len(lost) > 1


def listed(ground: Ground) -> Iterator[Ask]:
    """Ask addresses that allow-lists elsewhere hold, and their names at an address that they do not hold."""
    if not ground.cut:
        return
    for server in ground.listed[:2]:
        yield from ground.more(q.handshake(server))
    if any(map(ground.crossed, ground.listed)) and ground.view.connects:
        server = next(one for one in ground.abroad if one.who in ground.view.connects)
        yield from ground.more(q.handshake(server, value=ground.listed[0].name, way="listed"), 1)


def flow(ground: Ground) -> Iterator[Ask]:
    """Move 64 KiB each way, and try the other protocols; only where the web is open."""
    reached = ground.reached
    if not reached:
        return
    living = reached + [server for server in ground.abroad if not ground.tried(server)]
    named = {name.server for name in ground.anchors.forbidden if ground.wishes.forbidden}
    living.sort(
        key=lambda server: server.who not in named
    )  # a control for them, so that it is moved but once
    bulk = ground.kept(Test.DOWNLOAD, [server for server in living if server.bulk])
    yield from _until_it_moves(ground, [q.download(server) for server in bulk])
    if ground.wishes.quick:
        return
    up = [server for server in (*reached[1:], *reached[:1], *living) if server.upload]
    yield from _until_it_moves(ground, [q.upload(server) for server in ground.kept(Test.UPLOAD, up)])
    known = next(iter(known_names(ground, Place.ABROAD)), None)
    for way in ("doh", "dot"):
        resolver = next((one for one in ground.resolvers if way in one.ways), None)
        if resolver and known:
            yield from ground.more(q.query(resolver, known, way))
    yield from _again_transfers(ground, bulk)


def _until_it_moves(ground: Ground, asks: list[Ask]) -> Iterator[Ask]:
    """Give the first transfer, and the next one where nothing came at all."""
    for ask in asks[:3]:
        if not ground.was_put(ask):
            yield ask
            return
        if ground.fact(ask).came not in (Came.SILENCE, Came.FAULT):
            return


def _again_transfers(ground: Ground, bulk: list[Server]) -> Iterator[Ask]:
    """Look twice where a transfer stopped or was slow: there again, at another server, and at home."""
    down = ground.view.find(Test.DOWNLOAD, places=(Place.ABROAD,), name=Name.HARMLESS)
    up = ground.view.find(Test.UPLOAD, places=(Place.ABROAD,))
    stopped = [seen for seen in (*down, *up) if not seen.crossed and seen.came is not Came.SILENCE]
    slow = [seen for seen in down if seen.kib_per_s and seen.kib_per_s < SLOW]
    if not stopped and not slow:
        return
    for server in [one for one in ground.home if one.bulk and ground.crossed(one)][:1] + bulk[:2]:
        yield from ground.more(q.download(server), 1)
    if stopped:
        yield from (q.download(server, 2) for server in bulk[:1])


def datagrams(ground: Ground) -> Iterator[Ask]:
    """Probe QUIC's version at two servers; at a third where both are silent."""
    if ground.wishes.quick or not ground.reached:
        return
    able = ground.kept(Test.QUIC, [server for server in ground.reached if server.quic])
    asks = [q.quic(server) for server in able]
    silent = len(able) > 1 and not any(ground.fact(ask).crossed for ask in asks[:2])
    for ask in asks[: 3 if silent and ground.was_put(asks[1]) else 2]:
        yield from ground.more(ask)


def tor(ground: Ground) -> Iterator[Ask]:
    """Try one relay and one built-in bridge; where the relay is silent, others, and their ports elsewhere."""
    if ground.wishes.quick or not ground.reached:
        return
    asks = [q.link(relay) for relay in ground.anchors.relays]
    lost = [ask for ask in asks if ground.was_put(ask) and not ground.fact(ask).crossed]
    for ask in asks[: 3 if lost else 1]:
        yield from ground.more(ask)
    rounds = 2 if lost else 1  # where a relay answers, a silent bridge says nothing about Tor
    bridges = [q.bridge(line, number) for number, line in enumerate(ground.anchors.bridges, 1)]
    fault = [ask for ask in bridges[:1] if ground.was_put(ask) and not ground.fact(ask).crossed]
    for ask in bridges[: 2 if fault and lost else 1]:
        yield from ground.more(ask, rounds)
    if len(lost) < 3 or not ground.anchors.all_ports:
        return
    crossing = ground.view.tcp()
    for ask in lost[:3]:
        if ask.port not in crossing:
            yield from ground.more(q.knock_all(ground.anchors.all_ports[0], ask.port))


def filtered(ground: Ground) -> Iterator[Ask]:
    """Show names that may be forbidden to servers that answered to their own; three times where nothing comes."""
    if not ground.wishes.forbidden:
        return
    for name in ground.anchors.forbidden[:2]:
        server = next((one for one in ground.reached if one.who == name.server), None)
        if server is None:
            continue
        known = KnownName(who=name.who, place=Place.ABROAD, name=name.name)
        yield from ground.more(replace(q.resolve(known), name=Name.FORBIDDEN), 3)
        ask = q.forbidden(server, name, 1)
        seen = ground.view.find(Test.TLS, who=ask.who, way=ask.way, name=Name.FORBIDDEN)
        last = ground.next_round(ask)
        if not any(map(ground.view.arrived, seen)):
            if last.round <= 3:
                yield last
            if last.round > 2:
                yield q.handshake(server, 4)  # is the server itself still there, after the forbidden name?
        elif server.bulk and name is _throttled(ground):
            yield from ground.more(q.download(server))
            slow = ground.next_round(q.download(server, 1, name))
            came = ground.view.find(Test.DOWNLOAD, who=server.who, name=Name.FORBIDDEN)
            fast = any((seen.kib_per_s or 0) > 2 * SLOW or seen.came is Came.FALSE for seen in came)
            if slow.round <= 3 and not fast and sum(seen.kib_per_s is not None for seen in came) < 2:
                yield slow


def _throttled(ground: Ground) -> Forbidden | None:
    """Return the one name whose speed is measured: the first that was answered. More would cost too much."""
    answered = {
        seen.way for seen in ground.view.find(Test.TLS, name=Name.FORBIDDEN) if ground.view.arrived(seen)
    }
    return next((name for name in ground.anchors.forbidden if name.who in answered), None)


def shapes(ground: Ground) -> Iterator[Ask]:
    """Send first packets of other shapes, last of all: there are censors that punish them (Iran, China).

    The control (zeros) goes to the second server before anything random does: a punished port stays silent.
    """
    if ground.wishes.quick or not ground.reached or ground.portal:
        return
    one, *others = ground.kept(Test.BYTES, ground.reached)
    noise = q.first_bytes(one, "random")
    if not ground.was_put(noise):
        yield noise
        return
    if any(seen.answered for seen in ground.fact(noise).sights):
        return
    other = others[0] if others else one
    zeros = q.first_bytes(other, "zeros")
    yield from ground.more(zeros)
    yield from ground.more(q.first_bytes(other, "http"))
    elsewhere = _odd_port(ground)
    if elsewhere:
        yield elsewhere
    if ground.was_put(zeros):
        yield q.first_bytes(other, "random")
        yield replace(noise, way="zeros")


def _odd_port(ground: Ground) -> Ask | None:
    """Return random bytes for a port that no list of protocols is known to watch."""
    for server in ground.kept(Test.BYTES, ground.reached):
        for port in server.ports:
            if port not in _SPECIAL:
                return q.first_bytes(server, "random", port)
    for place in ground.anchors.all_ports:
        knock = q.knock_all(place, ground.wishes.ordinary[-1])
        return replace(knock, test=Test.BYTES, way="random")
    return None


def policed(ground: Ground) -> Iterator[Ask]:
    """Try four handshakes at once, then one alone."""
    if not ground.wishes.policing:
        return
    for server in ground.reached[:2]:
        ask = q.beside(server, 4, 1)
        if not ground.was_put(ask):
            yield ask
            return
        if not ground.fact(ask).crossed:
            yield q.handshake(server, 5)
            continue
        return

"""Rules about the line as a whole: is it there, where does it end, which addresses and ports does it reach. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from client.diagnosis import evidence as e
from client.diagnosis.kinds import Certainty, Finding, Kind
from client.diagnosis.sights import Came, Name, Place, Test
from client.diagnosis.view import ORDINARY, WEB, View
from client.model import Failure, Message, counted
from transports.types import N_

_FEW: Final = 4
_STAND_INS: Final = frozenset({53, 80})  # operators' own proxies and resolvers take connections for everybody


def local_fault(view: View) -> Finding | None:
    """No way out of this machine, a gateway that is silent, or a clock that makes every certificate invalid."""
    dated = [seen for seen in view.find(Test.TLS) if seen.failure is Failure.SSL_CERTIFICATE]
    if len({seen.who for seen in dated}) > 1 and not view.alive(Place.ABROAD, Place.HOME):
        text = N_("Every certificate is out of date or not valid yet: this device's clock is wrong.")
        return e.finding(Kind.LOCAL_FAULT, Certainty.LIKELY, [Message(text)])
    routes = view.find(Test.ROUTE)
    if view.anything or not routes:
        return None
    if all(seen.came is Came.NO_ROUTE for seen in routes):
        text = N_("This machine has no address or no way out.")
        against = [Message(N_("Not the state: nothing was even sent."))]
        return e.finding(Kind.LOCAL_FAULT, Certainty.CERTAIN, [Message(text)], against)
    if e.tunnelled(view):
        text = N_(
            "This machine's way out is a tunnel (a VPN), and nothing comes back through it: turn it off."
        )
        against = [Message(N_("Nothing is known of the network itself: the tunnel hides it."))]
        return e.finding(Kind.LOCAL_FAULT, Certainty.LIKELY, [Message(text)], against)
    if routes[-1].came is Came.SILENCE:
        text = N_("The router of this network does not answer.")
        against = [Message(N_("Not an outage of the operator: the fault is before its network begins."))]
        return e.finding(Kind.LOCAL_FAULT, Certainty.LIKELY, [Message(text)], against)
    return None


def no_resolver(view: View) -> Finding | None:
    """This machine is told no resolver, so no name is found; what is asked by address may well answer."""
    untold = any("no_resolver" in seen.detail for seen in view.find(Test.ROUTE))
    asked = view.find(Test.RESOLVE, way="system", name=Name.HARMLESS)
    if not untold or any(seen.came is Came.RIGHT for seen in asked):
        return None
    found = [Message(N_("This machine is told no resolver, so it finds no names."))]
    against = [Message(N_("Not forged names: there was nobody to ask."))]
    return e.finding(Kind.LOCAL_FAULT, Certainty.LIKELY, found, against)


def captive_portal(view: View) -> Finding | None:
    """Known pages are replaced or all show one certificate, and no handshake anywhere is authentic."""
    if not view.portal:
        return None
    replaced = [seen for seen in view.find(Test.PAGE) if seen.came is Came.FALSE]
    servers = {seen.who for seen in view.forged}
    at_home = Place.HOME in {seen.place for seen in (*replaced, *view.forged)}
    wild = any(seen.came is Came.FALSE for seen in view.find(Test.RESOLVE, name=Name.RANDOM))
    sure = len(replaced) > 1 and (view.one_certificate or at_home or wild)
    if not sure and len(replaced) < 2 and not servers:
        return None
    found = _portal_signs(view, len({seen.who for seen in replaced}), len(servers), wild=wild)
    against = [
        Message(
            N_("Not a certificate of the state: unencrypted pages are replaced too, and for every name.")
        ),
        Message(N_("Not forged names alone: it holds for servers that were asked by their address.")),
    ]
    return e.finding(
        Kind.CAPTIVE_PORTAL,
        Certainty.CERTAIN if sure else Certainty.LIKELY,
        found,
        against[0 if replaced else 1 :] if servers else [],
    )


def _portal_signs(view: View, pages: int, servers: int, *, wild: bool) -> list[Message]:
    """Say what looks like a login page."""
    found = []
    if pages:
        found.append(
            counted(
                "{n} known page came back as another page.",
                "{n} known pages came back as other pages.",
                pages,
            )
        )
    if servers:
        found.append(
            counted(
                "{n} server shows a certificate that is not its own.",
                "{n} servers show certificates that are not their own.",
                servers,
            )
        )
    if view.one_certificate:
        found.append(Message(N_("It is one and the same certificate for all of them.")))
    if wild:
        found.append(Message(N_("A name that cannot exist was given an address.")))
    return found


def outage(view: View) -> Finding | None:
    """Nothing answers, at home nor abroad, though this machine has its way out."""
    fronts = view.fronts(Place.HOME)
    lost = [who for who, front in fronts.items() if not front.crossed]
    tries = sum(fronts[who].silences + fronts[who].cuts for who in lost)
    resolved = [seen for seen in view.find(Test.RESOLVE, places=(Place.HOME,)) if seen.name is Name.HARMLESS]
    dark = bool(resolved) and all(seen.came is Came.SILENCE for seen in resolved)
    if not view.cut or len(lost) < len(fronts) or len(lost) + dark < 2 or tries < 2:
        return None
    if (
        view.tcp()
        or view.udp()
        or any(
            seen.crossed
            for seen in view.sights
            if seen.place is not Place.HERE and seen.test is not Test.RESOLVE
        )
    ):
        return None
    if not any(seen.came is Came.RIGHT for seen in view.find(Test.ROUTE)):
        return None
    found = [
        Message(N_("This machine is connected, and its router answers.")),
        counted(
            "{n} server in this country gives no answer.",
            "{n} servers in this country give no answer.",
            len(lost),
        ),
        e.abroad_silent(view),
    ]
    against = [
        Message(N_("Not this machine: it has an address and a way out.")),
        Message(N_("Not a list of what is allowed: nothing in this country answers either.")),
    ]
    return e.finding(Kind.OUTAGE, Certainty.LIKELY, found, against)


def port_holes(view: View) -> Finding | None:
    """Port 443 is shut at every host abroad, nearly all others too, and a few ports cross."""
    crossing = tuple(port for port in view.tcp() if port != WEB)
    dead = e.silent_ports(view)
    if set(crossing) <= _STAND_INS:
        return None
    if not view.cut or not crossing or len(view.connects) > 1:
        return None
    usual = [port for port in crossing if port in ORDINARY]
    shut = [port for port in dead if port in ORDINARY]
    if len(usual) > len(shut) or len(crossing) > 2 * max(1, len(dead)) or not shut:
        return None
    pairs = _pairs(view, crossing)
    sure = len(pairs) > 1 or len({who for who, _ in pairs}) > 1
    found = [e.ports_cross(crossing), e.abroad_silent(view)]
    if dead:
        found.append(e.ports_dead(dead))
    if pairs:
        text = N_("The same host answers there and is silent on port 443.")
        found.append(Message(text))
    against = [
        Message(N_("Not a list of allowed addresses: the same addresses answer, on other ports.")),
        Message(N_("Not one blocked port: other usual ports are shut too.")),
    ]
    return e.finding(
        Kind.PORT_HOLES, Certainty.CERTAIN if sure else Certainty.LIKELY, found + e.dns_abroad(view), against
    )


def _pairs(view: View, crossing: Sequence[int]) -> set[tuple[str, int]]:
    """Return (who, port) where a port crosses at a host whose 443 was asked too and does not."""
    knocks = view.knocks()
    return {
        (who, port)
        for (who, port), knock in knocks.items()
        if port in crossing and view.passes(knock) and (web := knocks.get((who, WEB))) and web.dead
    }


def allow_list(view: View) -> Finding | None:
    """The country answers, nothing abroad does on any port; or only addresses that stand on lists do."""
    home, listed = view.alive(Place.HOME), view.alive(Place.LISTED)
    if not view.cut or not (home or listed):
        return None
    silent_after = len(view.connects) > 1
    tried = e.silent_ports(view)
    crossing = set(view.tcp()) - {WEB} - _STAND_INS
    if crossing and not silent_after:
        return None
    if not listed and not silent_after and len(tried) < _FEW:
        return None  # holes have not been looked for
    dead = view.dead(Place.ABROAD)
    sure = bool(listed) and len(dead) > 2
    found = [e.home_answer(view)] if home else []
    if listed:
        found.append(
            counted(
                "{n} server that such lists hold elsewhere answers.",
                "{n} servers that such lists hold elsewhere answer.",
                len(listed),
            )
        )
    found.append(e.abroad_silent(view))
    if any(seen.crossed for seen in view.find(Test.TLS, way="listed")):
        found.append(
            Message(N_("A listed name passes at an address that is not listed: the list goes by names."))
        )
    against = [Message(e.NOT_OUTAGE), Message(e.NOT_ADDRESSES)] if home else [Message(e.NOT_ADDRESSES)]
    if len(tried) >= _FEW:
        against.append(Message(e.NOT_HOLES))
    if view.refuses and tried:
        against.append(Message(N_("Refusals on every port come from a filter, not from the hosts.")))
    certainty = Certainty.CERTAIN if sure else Certainty.LIKELY
    return e.finding(Kind.ALLOW_LIST, certainty, found + e.dns_abroad(view), against)


def port_block(view: View) -> Finding | None:
    """Some ports are shut for every host abroad, and the others of the same hosts are not."""
    return _web_port_shut(view) if view.cut else _other_ports_shut(view)


def _web_port_shut(view: View) -> Finding | None:
    """Port 443 is shut, and most usual ports of the same hosts cross."""
    knocks, crossing = view.knocks(), view.tcp()
    usual = [port for port in crossing if port in ORDINARY]
    shut = [port for port in e.silent_ports(view) if port in ORDINARY]
    pairs = _pairs(view, crossing)
    if len(usual) <= len(shut) or not pairs:
        return None
    refusals = sum(knock.cuts for (_, port), knock in knocks.items() if port == WEB)
    several = len({who for who, _ in pairs}) > 1
    sure = several or refusals > 2 or (len(pairs) > 1 and len(view.dead(Place.ABROAD)) > 1)
    text = N_("The same hosts answer on other ports.")
    found = [e.abroad_silent(view), Message(text), e.ports_cross(crossing)]
    against = [
        Message(N_("Not single addresses: the same addresses answer on other ports.")),
        Message(N_("Not a cut with holes: most usual ports cross.")),
    ]
    return e.finding(Kind.PORT_BLOCK, Certainty.CERTAIN if sure else Certainty.LIKELY, found, against)


def _other_ports_shut(view: View) -> Finding | None:
    """Port 443 crosses, and nearly no other port of the same hosts."""
    knocks, crossing = view.knocks(), view.tcp()
    dead = e.silent_ports(view)
    living = [who for (who, port), knock in knocks.items() if port == WEB and knock.crossed]
    same = [port for port in dead for who in living if (who, port) in knocks]
    if not view.alive(Place.ABROAD) or len(set(same)) < _FEW or len(dead) <= len(set(crossing) - {WEB, 80}):
        return None
    found = [e.ports_cross(crossing), e.ports_dead(dead)]
    against = [Message(e.NOT_CUT), Message(N_("Not the hosts: the same hosts answer on port 443."))]
    return e.finding(Kind.PORT_BLOCK, Certainty.LIKELY, found, against)


def ip_block(view: View) -> Finding | None:
    """Several addresses abroad are dead on every port asked, while others live. One is never a block."""
    fronts = view.fronts(Place.ABROAD)
    knocks = view.knocks()
    dead = []
    for who in view.dead(Place.ABROAD):
        others = [knock for (host, port), knock in knocks.items() if host == who and port != WEB]
        lost = fronts[who].silences + sum(knock.silences for knock in others) + 2 * fronts[who].cuts
        if lost > 2 and not any(view.passes(knock) or knock.crossed for knock in others):
            dead.append(who)
    alive = view.alive(Place.ABROAD)
    if len(dead) < 2 or not alive:
        return None
    found = [
        counted(
            "{n} address abroad gives no answer on any port asked.",
            "{n} addresses abroad give no answer on any port asked.",
            len(dead),
        ),
        e.abroad_answer(view),
    ]
    against = [
        Message(N_("Not the port: other addresses answer on port 443.")),
        Message(N_("From inside, servers that are switched off look the same: ask somebody outside.")),
    ]
    return e.finding(Kind.IP_BLOCK, Certainty.LIKELY, found, against)

"""What a kind of cut means in plain words, what tends to survive it, and what to do now. Pure.

Sources: what is known of such cuts, kind by kind (docs/diagnosis.md). Nothing here promises that something works.
"""

from __future__ import annotations

from typing import Final

from client.diagnosis.kinds import Certainty, Diagnosis, Kind
from client.model import Message, counted
from transports.types import N_

_WEB: Final = frozenset({22, 53, 80, 443, 853})
_MOST: Final = 4  # ports that are named: more cannot be dictated

_PLAIN: Final = {
    Kind.OPEN: N_("The line is open: servers abroad answer, and larger files come through."),
    Kind.LOCAL_FAULT: N_("The fault is here: this machine or its own network has no way out."),
    Kind.OUTAGE: N_("Nothing answers, at home or abroad: the operator's network is down or switched off."),
    Kind.ALLOW_LIST: N_(
        "Only what is allowed passes: the country's own sites, and little or nothing abroad."
    ),
    Kind.PORT_HOLES: N_("The way abroad is shut, except for a few ports that were forgotten."),
    Kind.MOBILE_ONLY: N_("This network is cut, another one in the same place is not."),
    Kind.SCHEDULED_WINDOWS: N_("The line is cut, and opens at certain hours."),
    Kind.DNS_TAMPERING: N_("Names are answered wrongly on the way. The servers themselves can be reached."),
    Kind.HTTP_BLOCK_PAGE: N_("Unencrypted pages are replaced by another page. Encrypted ones are not."),
    Kind.CAPTIVE_PORTAL: N_("This network wants you to log in first. That is no censorship."),
    Kind.SNI_RESET: N_("Connections to certain names are torn down as soon as the name is seen."),
    Kind.SNI_DROP: N_("Connections to certain names fall silent as soon as the name is seen."),
    Kind.IP_BLOCK: N_("Certain addresses cannot be reached, whatever you ask of them; others can."),
    Kind.PORT_BLOCK: N_("Certain ports are shut, whoever you ask there; other ports pass."),
    Kind.TLS_INTERCEPTION: N_("Somebody on the way shows false certificates and can read what you send."),
    Kind.PROTOCOL_ALLOW_LIST: N_(
        "On the usual ports only ordinary web traffic passes; other protocols are dropped."
    ),
    Kind.RANDOM_TRAFFIC_BLOCK: N_("Traffic that looks like noise is dropped, as many tunnels look."),
    Kind.QUOTA_FREEZE: N_("Connections abroad begin well and freeze after a few kilobytes."),
    Kind.CONNECTION_POLICING: N_("Several connections at once are punished; one alone passes."),
    Kind.NAME_THROTTLE: N_("Certain names are made slow. The line itself is fast."),
    Kind.LINK_THROTTLE: N_("The whole line is slow, to wherever you go."),
    Kind.UDP_BLOCK: N_("UDP does not pass; TCP does."),
    Kind.TOR_BLOCK: N_("Tor's public relays are blocked; the rest of the line is not."),
    Kind.UNCLEAR: N_("What was seen fits no single kind of cut."),
}

_OTHER_WAYS: Final = N_("Calls, SMS, another operator, a wired line instead of a mobile one, or the reverse.")
_NO_NAMES: Final = N_("Tunnels that hide the name: Tor bridges with obfs4 or WebTunnel, encrypted proxies.")
_LIKE_TLS: Final = N_("What looks like ordinary TLS: WebTunnel, meek, HTTPS proxies.")
_ANY_TCP: Final = N_("Everything over TCP: obfs4, WebTunnel, HTTPS and SOCKS proxies.")
_DNS_TUNNEL: Final = N_(
    "A DNS tunnel, while resolvers still answer for names abroad; slow, but enough for text."
)
_SURVIVES: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.OPEN: (),
    Kind.LOCAL_FAULT: (),
    Kind.OUTAGE: (_OTHER_WAYS, N_("Satellite, or a foreign SIM near a border.")),
    Kind.ALLOW_LIST: (
        N_("Relays inside allowed networks, and those edges of large networks that are allowed."),
        _DNS_TUNNEL,
    ),
    Kind.PORT_HOLES: (
        N_("Any proxy, obfs4 bridge or VPN that listens on a port that passes."),
        _DNS_TUNNEL,
    ),
    Kind.MOBILE_ONLY: (
        N_("A wired line, a neighbour's Wi-Fi, or sharing the line of somebody who has one."),
    ),
    Kind.SCHEDULED_WINDOWS: (_OTHER_WAYS,),
    Kind.DNS_TAMPERING: (
        N_("Everything that goes by addresses instead of names, as bridge lines do."),
        N_("Resolvers over HTTPS, where they can be reached."),
    ),
    Kind.HTTP_BLOCK_PAGE: (N_("Everything encrypted: HTTPS, any encrypted proxy."),),
    Kind.CAPTIVE_PORTAL: (),
    Kind.SNI_RESET: (_NO_NAMES,),
    Kind.SNI_DROP: (_NO_NAMES,),
    Kind.IP_BLOCK: (N_("Other addresses: less known hosting, bridges that are not public, Snowflake."),),
    Kind.PORT_BLOCK: (N_("The same services on other ports."),),
    Kind.TLS_INTERCEPTION: (
        N_("What checks keys of its own: Tor, obfs4, WebTunnel; and names that are not on the list."),
    ),
    Kind.PROTOCOL_ALLOW_LIST: (_LIKE_TLS, N_("Other protocols on unusual ports.")),
    Kind.RANDOM_TRAFFIC_BLOCK: (_LIKE_TLS,),
    Kind.QUOTA_FREEZE: (
        N_("Hosts outside the large hosting networks, many short connections, and often SSH."),
    ),
    Kind.CONNECTION_POLICING: (N_("One connection that carries everything: multiplexing, gRPC, XHTTP."),),
    Kind.NAME_THROTTLE: (_NO_NAMES,),
    Kind.LINK_THROTTLE: (N_("Everything, slowly: text rather than pictures."),),
    Kind.UDP_BLOCK: (_ANY_TCP,),
    Kind.TOR_BLOCK: (N_("Bridges: obfs4, WebTunnel, Snowflake; other encrypted proxies."),),
    Kind.UNCLEAR: (),
}

_AGAIN: Final = N_("Run it again in some minutes, and compare with another network if you can.")
_WATCH: Final = N_(
    "Keep messages and downloads ready, and try again every hour: such cuts open for short times."
)
_CHECK: Final = N_("Run `sanylau check` on your list: what passes this kind of cut is tried first.")
_CODE: Final = N_("Give the result code below to a helper outside: it holds no addresses.")
_BRIDGES: Final = N_("Run `sanylau check` without a list: the built-in obfs4 bridges are tried.")
_FEW: Final = N_("Test slowly and few at a time: fast tests can be punished here.")
_NEXT: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.OPEN: (
        N_("If a certain site fails, the fault or the filter is about that site: try it by a proxy."),
    ),
    Kind.LOCAL_FAULT: (
        N_("Check cable, Wi-Fi or mobile data, the router, and the clock; then run it again."),
    ),
    Kind.OUTAGE: (N_("Try another operator or a wired line, if there is one."), _WATCH),
    Kind.ALLOW_LIST: (_CODE, N_("Run `sanylau holes`: it looks for ports and resolvers that still cross.")),
    Kind.PORT_HOLES: (_CODE, N_("Run `sanylau holes` to find more ports that pass.")),
    Kind.MOBILE_ONLY: (N_("Go over to the network that works, and run it there too."),),
    Kind.SCHEDULED_WINDOWS: (N_("Note when it opens, and have ready what you will do first."), _WATCH),
    Kind.DNS_TAMPERING: (
        N_("Set a resolver over HTTPS in your browser, or use a bridge by its address."),
        _CHECK,
    ),
    Kind.HTTP_BLOCK_PAGE: (N_("Write https:// in front of addresses, and use no unencrypted proxy."),),
    Kind.CAPTIVE_PORTAL: (N_("Open any page in a browser, log in, and run it again."),),
    Kind.SNI_RESET: (_BRIDGES,),
    Kind.SNI_DROP: (_BRIDGES,),
    Kind.IP_BLOCK: (N_("Ask somebody outside whether those servers are up. Then use others."), _CHECK),
    Kind.PORT_BLOCK: (_CODE,),
    Kind.TLS_INTERCEPTION: (
        N_(
            "Do not install a certificate that anybody offers you, and log in nowhere without a bridge or tunnel."
        ),
        _BRIDGES,
    ),
    Kind.PROTOCOL_ALLOW_LIST: (_CODE, _FEW),
    Kind.RANDOM_TRAFFIC_BLOCK: (
        N_("Prefer WebTunnel bridges and HTTPS proxies to obfs4 and Shadowsocks."),
        _FEW,
    ),
    Kind.QUOTA_FREEZE: (
        N_("Call nothing working before it has carried 64 KiB; `sanylau check` does so."),
        _CHECK,
    ),
    Kind.CONNECTION_POLICING: (N_("Open few connections at a time, and wait a minute after a freeze."), _FEW),
    Kind.NAME_THROTTLE: (_BRIDGES,),
    Kind.LINK_THROTTLE: (
        N_("Be patient before you call something dead: give `sanylau check` longer limits."),
    ),
    Kind.UDP_BLOCK: (N_("Leave out Snowflake, Hysteria, TUIC and WireGuard: they need UDP."), _CHECK),
    Kind.TOR_BLOCK: (_BRIDGES,),
    Kind.UNCLEAR: (_AGAIN, _CODE),
}


def plain(kind: Kind) -> Message:
    """Return what a kind is, in a plain sentence or two."""
    return Message(_PLAIN[kind])


def survives(diagnosis: Diagnosis) -> tuple[Message, ...]:
    """Return what tends to survive this, most useful first, without repeating."""
    texts = dict.fromkeys(text for kind in _named(diagnosis) for text in _SURVIVES[kind])
    if "dns" not in diagnosis.passes:
        texts.pop(_DNS_TUNNEL, None)
    return tuple(map(Message, texts))


def next_steps(diagnosis: Diagnosis) -> tuple[Message, ...]:
    """Return what to do now, with the ports that pass filled in."""
    kinds = _named(diagnosis)
    steps = []
    if {Kind.PORT_HOLES, Kind.PORT_BLOCK} & set(kinds) and (ports := _ports(diagnosis)):
        steps.append(
            counted(
                "Ask your helper for an obfs4 bridge or a SOCKS proxy on port {ports}.",
                "Ask your helper for an obfs4 bridge or a SOCKS proxy on one of the ports {ports}.",
                len(ports),
                ports=", ".join(map(str, ports)),
            )
        )
    texts = dict.fromkeys(text for kind in kinds for text in _NEXT[kind])
    if diagnosis.main.certainty is not Certainty.CERTAIN and diagnosis.main.kind is not Kind.OPEN:
        texts[_AGAIN] = None
    return (*steps, *map(Message, texts))


def _ports(diagnosis: Diagnosis) -> tuple[int, ...]:
    """Return the ports to ask a helper for: those that watch no web protocol first."""
    ports = sorted(diagnosis.tcp, key=lambda port: (port in _WEB, diagnosis.tcp.index(port)))
    return tuple(ports[:_MOST])


def _named(diagnosis: Diagnosis) -> list[Kind]:
    """Return the kinds that hold; those that nobody can tell only where the person named them."""
    told = (Kind.MOBILE_ONLY, Kind.SCHEDULED_WINDOWS, Kind.UNCLEAR)
    return [
        found.kind
        for found in diagnosis.findings
        if found.certainty is not Certainty.CANNOT_TELL or found.kind in told
    ]

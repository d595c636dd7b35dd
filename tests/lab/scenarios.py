"""The scenarios as data: what the border does, and what a diagnosis may and may not say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from client.diagnosis.kinds import Certainty, Kind
from tests.lab import places


class Link(StrEnum):
    """The state of the person's own side."""

    UP = "up"
    DOWN = "down"  # the interface is off
    NO_ADDRESS = "no_address"
    DEAD_GATEWAY = "dead_gateway"  # a way out whose gateway is not there
    ONLY_IPV6 = "only_ipv6"


class Toll(StrEnum):
    """What happens to packets that do not pass."""

    PASS = "pass"
    DROP = "drop"
    RESET = "reset"  # TCP is refused by a reset, the rest is dropped


class Lie(StrEnum):
    """What the provider's resolver answers."""

    NONE = ""
    BOGON = "bogon"  # a private address for every name abroad
    BLOCK_PAGE = "block_page"  # a host at home with a block page and a wrong certificate
    NO_NAME = "no_name"  # NXDOMAIN for every name abroad
    FORBIDDEN_ONLY = "forbidden_only"  # a private address for forbidden names, the truth for others


class Judge(StrEnum):
    """Which program judges the packets that cross."""

    NONE = ""
    SNI_RESET = "sni_reset"
    SNI_DROP = "sni_drop"
    PROTOCOLS = "protocols"  # only DNS, HTTP and TLS on 53, 80 and 443
    RANDOM = "random"  # first packets that look encrypted, and that port of that address for a while
    FREEZE = "freeze"
    SLOW_NAME = "slow_name"
    NAMES = "names"  # an allow-list of names
    DOUBLE_DNS = "double_dns"  # a forged answer before the true one
    POLICING = "policing"  # at most three TLS handshakes at once


class Middle(StrEnum):
    """Who answers in place of the servers."""

    NONE = ""
    NATIONAL = "national"
    ANTIVIRUS = "antivirus"
    COMPANY = "company"
    PORTAL = "portal"
    SLOW_PORTAL = "slow_portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """What the border does. `tcp` and `udp` pass although `abroad` says otherwise; `no_tcp` and `no_udp` do not,
    although it says so, and `only_tcp` are the only TCP ports that do. `dead` and `alive` are addresses abroad that
    are dropped or let through whatever else holds. `rate` is in bytes a second, both ways, 0 for none.
    """

    link: Link = Link.UP
    resolver: bool = True  # whether the person has one configured
    home: Toll = Toll.PASS
    abroad: Toll = Toll.PASS
    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    only_tcp: tuple[int, ...] = ()
    no_tcp: tuple[int, ...] = ()
    all_udp: bool = True  # False: `udp` are the only UDP ports abroad that pass
    dead: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()
    recursion: bool = True  # whether the provider's resolver still asks abroad
    lie: Lie = Lie.NONE
    judge: Judge = Judge.NONE
    middle: Middle = Middle.NONE
    rate: int = 0
    loss: int = 0  # percent of the packets, each way


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row. `beside` are kinds that hold as well; every other kind is a wrong neighbour."""

    name: str
    border: Border
    kind: Kind
    certainty: Certainty  # the highest that is allowed
    beside: frozenset[Kind] = frozenset()
    consent: bool = False  # whether the kind shows only with forbidden names
    policing: bool = False  # whether it shows only with handshakes at once, which must be asked for
    environment: Mapping[str, str] = field(default_factory=dict)  # "{folder}" is the laboratory's

    @property
    def neighbours(self) -> frozenset[Kind]:
        """Return the kinds that must not be named."""
        return frozenset(Kind) - {self.kind} - self.beside

    @property
    def when_rough(self) -> frozenset[Kind]:
        """Return what may stand first with loss and a dead anchor."""
        return frozenset({self.kind, Kind.UNCLEAR})


ALMATY: Final = (179, 646, 3785, 4784)
WEB: Final = (80, 443)
LOSS: Final = 5
DEAD: Final = places.ABROAD_SERVERS["www.abroad-three.example"]
_LISTED: Final = tuple(places.LISTED_SERVERS.values())
_TRUST: Final = {"SSL_CERT_FILE": "{folder}/system.pem", "SSL_CERT_DIR": "{folder}/none"}
_BLOCKED: Final = (
    places.ABROAD_SERVERS["www.abroad-two.example"],
    places.ABROAD_SERVERS["www.abroad-four.example"],
)
_SURE, _LIKELY = Certainty.CERTAIN, Certainty.LIKELY
_UDP: Final = frozenset({Kind.UDP_BLOCK})


def _row(
    name: str,
    kind: Kind,
    certainty: Certainty,
    border: Border,
    *,
    beside: frozenset[Kind] = frozenset(),
    consent: bool = False,
    policing: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Scenario:
    return Scenario(
        name=name,
        border=border,
        kind=kind,
        certainty=certainty,
        beside=beside,
        consent=consent,
        policing=policing,
        environment=environment or {},
    )


_ROWS: Final = (
    _row("open", Kind.OPEN, _SURE, Border()),
    _row("no_link", Kind.LOCAL_FAULT, _SURE, Border(link=Link.DOWN)),
    _row("no_address", Kind.LOCAL_FAULT, _SURE, Border(link=Link.NO_ADDRESS)),
    _row("dead_gateway", Kind.LOCAL_FAULT, _SURE, Border(link=Link.DEAD_GATEWAY)),
    _row("all_dropped", Kind.OUTAGE, _LIKELY, Border(home=Toll.DROP, abroad=Toll.DROP)),
    _row("foreign_dropped", Kind.ALLOW_LIST, _LIKELY, Border(abroad=Toll.DROP), beside=_UDP),
    _row("foreign_reset", Kind.ALLOW_LIST, _LIKELY, Border(abroad=Toll.RESET), beside=_UDP),
    _row(
        "almaty",
        Kind.PORT_HOLES,
        _SURE,
        Border(abroad=Toll.DROP, tcp=(53, *ALMATY), udp=(53,)),
        beside=_UDP,
    ),
    _row("dns_lies", Kind.DNS_TAMPERING, _SURE, Border(lie=Lie.BOGON)),
    _row("dns_block_page", Kind.DNS_TAMPERING, _SURE, Border(lie=Lie.BLOCK_PAGE)),
    _row("dns_nxdomain", Kind.DNS_TAMPERING, _SURE, Border(lie=Lie.NO_NAME)),
    _row("dns_double", Kind.DNS_TAMPERING, _SURE, Border(judge=Judge.DOUBLE_DNS)),
    _row("dns_forbidden", Kind.DNS_TAMPERING, _SURE, Border(lie=Lie.FORBIDDEN_ONLY), consent=True),
    _row("sni_reset", Kind.SNI_RESET, _SURE, Border(judge=Judge.SNI_RESET), consent=True),
    _row("sni_drop", Kind.SNI_DROP, _SURE, Border(judge=Judge.SNI_DROP), consent=True),
    _row("national_root", Kind.TLS_INTERCEPTION, _SURE, Border(middle=Middle.NATIONAL)),
    _row("antivirus", Kind.TLS_INTERCEPTION, _LIKELY, Border(middle=Middle.ANTIVIRUS), environment=_TRUST),
    _row("company_proxy", Kind.TLS_INTERCEPTION, _LIKELY, Border(middle=Middle.COMPANY), environment=_TRUST),
    _row("address_list", Kind.IP_BLOCK, _LIKELY, Border(dead=_BLOCKED)),
    _row("no_443", Kind.PORT_BLOCK, _SURE, Border(no_tcp=(443,))),
    _row("only_web", Kind.PORT_BLOCK, _LIKELY, Border(only_tcp=WEB)),
    _row("protocol_list", Kind.PROTOCOL_ALLOW_LIST, _SURE, Border(judge=Judge.PROTOCOLS)),
    _row("random_dropped", Kind.RANDOM_TRAFFIC_BLOCK, _SURE, Border(judge=Judge.RANDOM)),
    _row("freeze", Kind.QUOTA_FREEZE, _SURE, Border(judge=Judge.FREEZE)),
    _row("slow_link", Kind.LINK_THROTTLE, _SURE, Border(rate=15_000)),
    _row("slow_name", Kind.NAME_THROTTLE, _LIKELY, Border(judge=Judge.SLOW_NAME), consent=True),
    _row("no_udp", Kind.UDP_BLOCK, _SURE, Border(all_udp=False, udp=(53,))),
    _row("no_udp_at_all", Kind.UDP_BLOCK, _SURE, Border(all_udp=False)),
    _row("address_allow_list", Kind.ALLOW_LIST, _SURE, Border(abroad=Toll.DROP, alive=_LISTED), beside=_UDP),
    _row(
        "name_allow_list",
        Kind.ALLOW_LIST,
        _SURE,
        Border(judge=Judge.NAMES, all_udp=False, udp=(53,)),
        beside=_UDP,
    ),
    _row("portal", Kind.CAPTIVE_PORTAL, _SURE, Border(middle=Middle.PORTAL)),
    _row("slow_portal", Kind.CAPTIVE_PORTAL, _SURE, Border(middle=Middle.SLOW_PORTAL)),
    _row("no_tor", Kind.TOR_BLOCK, _SURE, Border(dead=tuple(address for address, _ in places.RELAYS))),
    _row("policing", Kind.CONNECTION_POLICING, _SURE, Border(judge=Judge.POLICING), policing=True),
    _row("no_resolver", Kind.LOCAL_FAULT, _LIKELY, Border(resolver=False), beside=frozenset({Kind.OPEN})),
    _row("only_ipv6", Kind.UNCLEAR, Certainty.CANNOT_TELL, Border(link=Link.ONLY_IPV6)),
)
SCENARIOS: Final[Mapping[str, Scenario]] = {row.name: row for row in _ROWS}

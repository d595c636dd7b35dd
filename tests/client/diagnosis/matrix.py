"""The condensed matrix as data: what was seen, the kind that stands first, and the highest certainty allowed."""

from __future__ import annotations

from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Came, Forgery, Issuer, Name, Place, Sight, Test
from client.model import Failure
from tests.client.diagnosis.seeing import (
    FALSE,
    OTHER,
    REFUSED,
    RESET,
    RIGHT,
    SILENCE,
    STOPPED,
    beside,
    bridge,
    connect,
    gone,
    moved,
    names,
    pages,
    ports,
    quic,
    relay,
    resolver,
    route,
    row,
    seen,
    servers,
    shape,
    shows,
    tls,
    well,
    without,
)

SURE, LIKELY, UNSURE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_TELL
FORBIDDEN = Name.FORBIDDEN
LIKELY_PORTS = (646, 4784, 5060, 53)
USUAL = (80, 8443, 993, 587)
HOLES = (179, 3785)
HOST = "all_ports-1"


def forbidden(who: str, *came: Came, **more: object) -> list[Sight]:
    return tls(who, *came, name=FORBIDDEN, way="forbidden-1", **more)


def nobody(came: Came, number: int = 1) -> list[Sight]:
    forgery = Forgery.NOBODY if came is FALSE else None
    return [
        seen(
            Test.RESOLVE,
            f"nobody-{number}",
            came,
            way="udp",
            port=53,
            place=Place.NOBODY,
            name=Name.HARMLESS,
            forgery=forgery,
        )
    ]


SHUT = row(route(), names(RIGHT, place=Place.HOME), gone("abroad"))
HOME = servers("home", RIGHT, count=2)
ALL_SHUT = row(connect(HOST, SILENCE, SILENCE), ports(HOST, SILENCE, *HOLES, *LIKELY_PORTS, *USUAL))
TOR = row(relay(1, SILENCE, SILENCE), relay(2, SILENCE, SILENCE), relay(3, SILENCE, SILENCE))
NAMED = row(
    names(RIGHT, RIGHT, RIGHT, addresses=("198.51.100.7",)),
    shows("abroad-1", Issuer.WRONG_NAME, way="system"),
)

# Rows of the matrix, and their variants: what was seen, the kind that stands first, and the highest certainty.
MATRIX: dict[str, tuple[list[Sight], Kind, Certainty]] = {
    "open": (well(), Kind.OPEN, SURE),
    "open, not much asked": (row(route(), servers("abroad", RIGHT)), Kind.OPEN, LIKELY),
    "no way out": (route(Came.NO_ROUTE), Kind.LOCAL_FAULT, SURE),
    "gateway silent": (
        row(route(), route(SILENCE, round=2), gone("abroad"), gone("home")),
        Kind.LOCAL_FAULT,
        LIKELY,
    ),
    "clock wrong": (
        row(
            route(),
            shows("abroad-1", Issuer.UNKNOWN, failure=Failure.SSL_CERTIFICATE),
            shows("abroad-2", Issuer.UNKNOWN, failure=Failure.SSL_CERTIFICATE),
        ),
        Kind.LOCAL_FAULT,
        LIKELY,
    ),
    "1 outage": (
        row(route(), names(SILENCE, SILENCE, place=Place.HOME), gone("abroad"), gone("home", 2)),
        Kind.OUTAGE,
        LIKELY,
    ),
    "2 allow-list, dropped": (row(SHUT, HOME, ALL_SHUT), Kind.ALLOW_LIST, LIKELY),
    "2 allow-list, refused": (
        row(
            route(),
            HOME,
            gone("abroad", came=REFUSED, times=1),
            connect(HOST, REFUSED),
            ports(HOST, REFUSED, *HOLES, *LIKELY_PORTS, *USUAL),
            ports("abroad-1", REFUSED, *HOLES),
        ),
        Kind.ALLOW_LIST,
        LIKELY,
    ),
    "2 allow-list, by address": (
        row(SHUT, HOME, ALL_SHUT, servers("listed", RIGHT, count=2)),
        Kind.ALLOW_LIST,
        SURE,
    ),
    "2 allow-list, connects and then silent": (
        row(route(), HOME, servers("abroad", SILENCE, SILENCE), servers("listed", RIGHT, count=2)),
        Kind.ALLOW_LIST,
        SURE,
    ),
    "2 allow-list, DNS often ok": (
        row(SHUT, HOME, ALL_SHUT, resolver("udp", RIGHT)),
        Kind.ALLOW_LIST,
        LIKELY,
    ),
    "3 port holes": (
        row(
            SHUT,
            HOME,
            resolver("udp", RIGHT),
            connect(HOST, SILENCE, SILENCE),
            ports(HOST, RIGHT, *HOLES),
            ports(HOST, SILENCE, *LIKELY_PORTS, *USUAL),
        ),
        Kind.PORT_HOLES,
        SURE,
    ),
    "3 port holes, answered by a refusal of the host": (
        row(
            SHUT,
            connect("abroad-1", REFUSED, port=179),
            connect("abroad-2", REFUSED, port=3785),
            ports("abroad-1", SILENCE, *USUAL),
        ),
        Kind.PORT_HOLES,
        SURE,
    ),
    "3 port holes, home dead too": (
        row(
            route(),
            gone("abroad"),
            gone("home", 2),
            connect(HOST, SILENCE, SILENCE),
            ports(HOST, RIGHT, *HOLES),
            ports(HOST, SILENCE, *USUAL),
        ),
        Kind.PORT_HOLES,
        SURE,
    ),
    "6 DNS, answers where nobody is": (
        row(well(), nobody(FALSE), nobody(FALSE, 2)),
        Kind.DNS_TAMPERING,
        SURE,
    ),
    "6 DNS, two answers": (
        row(
            well(),
            resolver("udp", FALSE, FALSE, forgery=Forgery.TWICE, who="resolver-2"),
            resolver("udp", FALSE, FALSE, forgery=Forgery.TWICE, who="resolver-3"),
        ),
        Kind.DNS_TAMPERING,
        SURE,
    ),
    "6 DNS, two answers of one resolver": (
        row(well(), resolver("udp", FALSE, FALSE, forgery=Forgery.TWICE, who="resolver-2")),
        Kind.DNS_TAMPERING,
        LIKELY,
    ),
    "6 DNS, bogons": (
        row(without(well(), Test.RESOLVE), names(FALSE, FALSE, forgery=Forgery.BOGON)),
        Kind.DNS_TAMPERING,
        SURE,
    ),
    "6 DNS, one answer where nobody is": (row(well(), nobody(FALSE)), Kind.DNS_TAMPERING, LIKELY),
    "6 DNS, names that exist are denied": (
        row(without(well(), Test.RESOLVE), names(FALSE, FALSE, forgery=Forgery.NO_NAME)),
        Kind.DNS_TAMPERING,
        LIKELY,
    ),
    "6 DNS, one address for all and a wrong certificate": (
        row(without(well(), Test.RESOLVE), NAMED),
        Kind.DNS_TAMPERING,
        LIKELY,
    ),
    "6 DNS, wrong certificates at two": (
        row(
            well(),
            shows("abroad-1", Issuer.WRONG_NAME, way="system"),
            shows("abroad-2", Issuer.WRONG_NAME, way="system"),
        ),
        Kind.DNS_TAMPERING,
        SURE,
    ),
    "7 block page": (row(without(well(), Test.PAGE), pages(FALSE, FALSE)), Kind.HTTP_BLOCK_PAGE, SURE),
    "8 portal": (
        row(
            route(),
            pages(FALSE, FALSE),
            shows("abroad-1", Issuer.UNKNOWN, fingerprint="one"),
            shows("home-1", Issuer.UNKNOWN, fingerprint="one"),
        ),
        Kind.CAPTIVE_PORTAL,
        SURE,
    ),
    "8 portal, too slow for pages": (
        row(
            route(),
            shows("abroad-1", Issuer.UNKNOWN, fingerprint="one"),
            shows("home-1", Issuer.UNKNOWN, fingerprint="one"),
        ),
        Kind.CAPTIVE_PORTAL,
        LIKELY,
    ),
    "8 portal, TLS dropped": (
        row(route(), pages(FALSE, FALSE), pages(FALSE, place=Place.HOME), gone("abroad"), gone("home", 2)),
        Kind.CAPTIVE_PORTAL,
        SURE,
    ),
    "9 SNI reset": (row(well(), forbidden("abroad-1", RESET, RESET, RESET)), Kind.SNI_RESET, SURE),
    "9 SNI reset, once": (row(well(), forbidden("abroad-1", RESET)), Kind.SNI_RESET, LIKELY),
    "10 SNI drop": (
        row(
            well(),
            forbidden("abroad-1", SILENCE, SILENCE, SILENCE),
            [seen(Test.TLS, "abroad-1", RIGHT, port=443, name=Name.HARMLESS, round=4)],
        ),
        Kind.SNI_DROP,
        SURE,
    ),
    "10 SNI drop, twice": (row(well(), forbidden("abroad-1", SILENCE, SILENCE)), Kind.SNI_DROP, LIKELY),
    "11 IP": (
        row(
            well(),
            gone("abroad-9", 1),
            gone("abroad-8", 1),
            ports("abroad-9-1", SILENCE, 8443, times=2),
            ports("abroad-8-1", SILENCE, 8443, times=2),
        ),
        Kind.IP_BLOCK,
        LIKELY,
    ),
    "12 port 443, refused": (
        row(
            route(),
            HOME,
            gone("abroad", came=REFUSED, times=1),
            connect(HOST, REFUSED),
            ports(HOST, RIGHT, *HOLES, *USUAL),
        ),
        Kind.PORT_BLOCK,
        SURE,
    ),
    "12 port 443, dropped": (
        row(SHUT, HOME, connect(HOST, SILENCE, SILENCE), ports(HOST, RIGHT, *HOLES, *USUAL)),
        Kind.PORT_BLOCK,
        SURE,
    ),
    "12 only the web's ports": (
        row(
            well(), connect(HOST, RIGHT), ports(HOST, RIGHT, 80), ports(HOST, SILENCE, *HOLES, 8443, 993, 587)
        ),
        Kind.PORT_BLOCK,
        LIKELY,
    ),
    "13 national root": (
        row(
            route(),
            pages(RIGHT),
            shows("abroad-1", Issuer.NATIONAL),
            shows("abroad-2", Issuer.NATIONAL),
            tls("home-1", RIGHT),
        ),
        Kind.TLS_INTERCEPTION,
        SURE,
    ),
    "13 national root, for a forbidden name": (
        row(well(), shows("abroad-1", Issuer.NATIONAL, times=2, name=FORBIDDEN, way="forbidden-1")),
        Kind.TLS_INTERCEPTION,
        LIKELY,
    ),
    "13 a product's root": (
        row(route(), pages(RIGHT), shows("abroad-1", Issuer.PRODUCT), shows("home-1", Issuer.PRODUCT)),
        Kind.TLS_INTERCEPTION,
        LIKELY,
    ),
    "14 protocol list": (
        row(
            well(),
            shape("abroad-1", "random", SILENCE),
            shape("abroad-1", "zeros", SILENCE),
            shape("abroad-2", "random", SILENCE),
            shape("abroad-2", "zeros", SILENCE),
            shape("abroad-2", "http", OTHER),
            shape("abroad-1", "random", OTHER, port=8443),
        ),
        Kind.PROTOCOL_ALLOW_LIST,
        SURE,
    ),
    "15 random traffic": (
        row(
            well(),
            shape("abroad-1", "random", SILENCE),
            shape("abroad-2", "zeros", OTHER),
            shape("abroad-2", "random", SILENCE),
            shape("abroad-1", "random", SILENCE, port=8443),
        ),
        Kind.RANDOM_TRAFFIC_BLOCK,
        SURE,
    ),
    "16 freeze": (
        row(
            without(well(), Test.DOWNLOAD),
            moved("abroad-1", STOPPED, STOPPED, received=16000, kib_per_s=None),
            moved("abroad-2", STOPPED, STOPPED, received=16000, kib_per_s=None),
            moved("home-1", RIGHT),
        ),
        Kind.QUOTA_FREEZE,
        SURE,
    ),
    "16 freeze of one server": (
        row(
            without(well(), Test.DOWNLOAD),
            moved("abroad-1", STOPPED, STOPPED, received=16000, kib_per_s=None),
            moved("home-1", RIGHT),
        ),
        Kind.QUOTA_FREEZE,
        LIKELY,
    ),
    "16 freeze, nothing to compare with": (
        row(without(well(), Test.DOWNLOAD), moved("abroad-1", STOPPED, STOPPED, received=16000)),
        Kind.QUOTA_FREEZE,
        LIKELY,
    ),
    "17 connection count": (
        row(
            well(),
            beside("abroad-1", SILENCE),
            beside("abroad-2", SILENCE),
            [seen(Test.TLS, f"abroad-{n}", RIGHT, port=443, name=Name.HARMLESS, round=5) for n in (1, 2)],
        ),
        Kind.CONNECTION_POLICING,
        SURE,
    ),
    "18 throttle by name": (
        row(well(), moved("abroad-1", RIGHT, RIGHT, name=FORBIDDEN, kib_per_s=15.0)),
        Kind.NAME_THROTTLE,
        LIKELY,
    ),
    "19 throttle of the line": (
        row(
            without(well(), Test.DOWNLOAD),
            moved("abroad-1", RIGHT, kib_per_s=14.0),
            moved("home-1", RIGHT, kib_per_s=15.0),
        ),
        Kind.LINK_THROTTLE,
        LIKELY,
    ),
    "20 UDP": (
        row(
            without(well(), Test.QUIC), quic("abroad-1", SILENCE, SILENCE), quic("abroad-2", SILENCE, SILENCE)
        ),
        Kind.UDP_BLOCK,
        SURE,
    ),
    "Tor": (row(well(), TOR, bridge(RIGHT)), Kind.TOR_BLOCK, SURE),
    "nothing asked at home": (row(route(), gone("abroad")), Kind.UNCLEAR, UNSURE),
    "holes not looked for": (row(SHUT, HOME), Kind.UNCLEAR, UNSURE),
    "nothing at all": ([], Kind.UNCLEAR, UNSURE),
}


def kinds(*parts: list[Sight]) -> tuple[Kind, ...]:
    return conclude(row(*parts)).kinds

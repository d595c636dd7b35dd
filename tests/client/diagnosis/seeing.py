"""Short words to write down sights with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from client.diagnosis.sights import Came, Certificate, Issuer, Name, Place, Sight, Test

RIGHT, SILENCE, REFUSED, RESET = Came.RIGHT, Came.SILENCE, Came.REFUSED, Came.RESET
FALSE, STOPPED, OTHER = Came.FALSE, Came.STOPPED, Came.OTHER


def seen(test: Test, who: str, came: Came, **more: Any) -> Sight:
    place = more.pop("place", None) or next((p for p in Place if who.startswith(p.value)), Place.ABROAD)
    return Sight(test=test, place=place, who=who, came=came, **more)


def route(came: Came = RIGHT, **more: Any) -> list[Sight]:
    return [seen(Test.ROUTE, "here", came, place=Place.HERE, **more)]


def connect(who: str, *came: Came, port: int = 443) -> list[Sight]:
    return [seen(Test.CONNECT, who, one, port=port, round=n) for n, one in enumerate(came, 1)]


def tls(who: str, *came: Came, name: Name = Name.HARMLESS, **more: Any) -> list[Sight]:
    """Handshakes, each after a connection that was taken."""
    sights = []
    for number, one in enumerate(came, 1):
        common = {"port": 443, "name": name, "round": number} | more
        sights.append(
            seen(Test.CONNECT, who, RIGHT, **{k: v for k, v in common.items() if k != "certificate"})
        )
        sights.append(seen(Test.TLS, who, one, after="client_hello", **common))
    return sights


def shows(who: str, issuer: Issuer, *, fingerprint: str = "", times: int = 1, **more: Any) -> list[Sight]:
    certificate = Certificate(issuer=issuer, fingerprint=fingerprint or f"{issuer}-{who}", by="A Product")
    return tls(who, *[FALSE] * times, certificate=certificate, **more)


def servers(place: str, *came: Came, count: int = 3) -> list[Sight]:
    """Several servers, each with the same results of a handshake."""
    return [sight for n in range(1, count + 1) for sight in tls(f"{place}-{n}", *came)]


def gone(place: str, count: int = 3, came: Came = SILENCE, times: int = 2) -> list[Sight]:
    """Several servers whose port 443 takes no connection."""
    return [sight for n in range(1, count + 1) for sight in connect(f"{place}-{n}", *[came] * times)]


def ports(who: str, came: Came, *numbers: int, times: int = 1) -> list[Sight]:
    return [sight for port in numbers for sight in connect(who, *[came] * times, port=port)]


def names(*came: Came, place: Place = Place.ABROAD, way: str = "system", **more: Any) -> list[Sight]:
    return [
        seen(Test.RESOLVE, f"name-{place}-{n}", one, place=place, way=way, name=Name.HARMLESS, **more)
        for n, one in enumerate(came, 1)
    ]


def resolver(way: str, *came: Came, who: str = "resolver-1", **more: Any) -> list[Sight]:
    port = {"udp": 53, "tcp": 53, "doh": 443, "dot": 853}[way]
    return [
        seen(Test.RESOLVE, who, one, way=way, port=port, name=Name.HARMLESS, round=n, **more)
        for n, one in enumerate(came, 1)
    ]


def pages(*came: Came, place: Place = Place.ABROAD) -> list[Sight]:
    return [
        seen(Test.PAGE, f"page-{n}", one, place=place, port=80, name=Name.HARMLESS)
        for n, one in enumerate(came, 1)
    ]


def moved(
    who: str, *came: Came, test: Test = Test.DOWNLOAD, name: Name = Name.HARMLESS, **more: Any
) -> list[Sight]:
    values = {"received": 65536, "kib_per_s": 400.0} | more
    return [seen(test, who, one, port=443, name=name, round=n, **values) for n, one in enumerate(came, 1)]


def quic(who: str, *came: Came) -> list[Sight]:
    return [seen(Test.QUIC, who, one, port=443, round=n) for n, one in enumerate(came, 1)]


def shape(who: str, way: str, *came: Came, port: int = 443) -> list[Sight]:
    return [seen(Test.BYTES, who, one, way=way, port=port, round=n) for n, one in enumerate(came, 1)]


def relay(number: int, *came: Came, port: int = 443) -> list[Sight]:
    return [seen(Test.TOR_LINK, f"relay-{number}", one, port=port, round=n) for n, one in enumerate(came, 1)]


def bridge(*came: Came) -> list[Sight]:
    return [seen(Test.PT, "bridge-1", one, port=27015, round=n) for n, one in enumerate(came, 1)]


def beside(who: str, *came: Came) -> list[Sight]:
    return [
        seen(Test.PARALLEL, who, one, port=443, name=Name.HARMLESS, round=n) for n, one in enumerate(came, 1)
    ]


def row(*parts: Iterable[Sight]) -> list[Sight]:
    return [sight for part in parts for sight in part]


def well() -> list[Sight]:
    """What an open line shows, without what only a part of the rows asks."""
    return row(
        route(),
        names(RIGHT, RIGHT),
        names(RIGHT, place=Place.HOME),
        servers("abroad", RIGHT),
        tls("home-1", RIGHT),
        pages(RIGHT, RIGHT),
        moved("abroad-1", RIGHT),
        quic("abroad-1", RIGHT),
        resolver("udp", RIGHT),
    )


def without(sights: Iterable[Sight], *tests: Test, who: str = "") -> list[Sight]:
    """Leave out what is to be told otherwise."""
    return [sight for sight in sights if sight.test not in tests or (who and sight.who != who)]

"""From anchors to questions. Pure: what each question needs, how long it may take, what it may cost."""

from __future__ import annotations

from typing import Final

from client.diagnosis.anchors import AllPorts, Forbidden, KnownName, KnownPage, Relay, Resolver, Server
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Name, Place, Test

SHORT: Final = 3.0  # seconds: a lost SYN is sent again after one second and after three
LONG: Final = 4.0
BULK: Final = 8.0  # 64 KiB at 8 KiB/s
BULK_COST: Final = 72 * 1024
_TLS_COST: Final = 8 * 1024
_SMALL: Final = 1024
_PORTS: Final = {"udp": 53, "tcp": 53, "doh": 443, "dot": 853}


def route(round_: int = 1) -> Ask:
    """Ask this machine for its way out. The second time the gateway has been needed, so its state tells more."""
    return Ask(test=Test.ROUTE, place=Place.HERE, who="here", limit=1.0, round=round_, cost=0)


def web(server: Server) -> int:
    """Return the port on which a server is asked first."""
    return 443 if 443 in server.ports or not server.ports else server.ports[0]


def host(server: Server) -> str:
    """Return where to connect to: the first literal address, else the name."""
    return server.addresses[0] if server.addresses else server.name


def handshake(server: Server, round_: int = 1, port: int = 0, **other: str) -> Ask:
    """Ask for a TLS handshake. `other` may give another `host`, `value` or `way`."""
    return Ask(
        test=Test.TLS,
        place=server.place,
        who=server.who,
        host=other.get("host", host(server)),
        port=port or web(server),
        way=other.get("way", ""),
        name=Name.HARMLESS,
        value=other.get("value", server.name),
        limit=SHORT,
        round=round_,
        cost=_TLS_COST,
    )


def forbidden(server: Server, name: Forbidden, round_: int) -> Ask:
    """Ask for a TLS handshake at a harmless server under a name that may be forbidden."""
    return Ask(
        test=Test.TLS,
        place=server.place,
        who=server.who,
        host=host(server),
        port=web(server),
        way=name.who,  # several names may be shown to one server
        name=Name.FORBIDDEN,
        value=name.name,
        limit=SHORT,
        round=round_,
        cost=_TLS_COST,
    )


def beside(server: Server, number: int, round_: int) -> Ask:
    """Ask for `number` handshakes at once."""
    return Ask(
        test=Test.PARALLEL,
        place=server.place,
        who=server.who,
        host=host(server),
        port=web(server),
        name=Name.HARMLESS,
        value=server.name,
        limit=LONG,
        beside=number,
        round=round_,
        cost=_TLS_COST * number,
    )


def knock(who: str, host_: str, port: int, round_: int = 1) -> Ask:
    """Ask for nothing but a connection abroad."""
    return Ask(
        test=Test.CONNECT,
        place=Place.ABROAD,
        who=who,
        host=host_,
        port=port,
        limit=SHORT,
        round=round_,
        cost=_SMALL,
    )


def knock_all(place: AllPorts, port: int, round_: int = 1) -> Ask:
    """Ask for a connection to a host that answers on every port."""
    return knock(place.who, place.host, port, round_)


def page(known: KnownPage, round_: int = 1) -> Ask:
    """Ask for a plain page of known content."""
    return Ask(
        test=Test.PAGE,
        place=known.place,
        who=known.who,
        host=known.host,
        port=known.port,
        name=Name.HARMLESS,
        value=known.host,
        path=known.path,
        status=known.status,
        body=known.body,
        limit=LONG,
        round=round_,
    )


def resolve(known: KnownName, round_: int = 1) -> Ask:
    """Ask the system's resolver for a name."""
    return Ask(
        test=Test.RESOLVE,
        place=known.place,
        who=known.who,
        way="system",
        name=Name.HARMLESS,
        value=known.name,
        limit=LONG,
        round=round_,
        cost=_SMALL,
    )


def resolve_random(value: str, round_: int = 1) -> Ask:
    """Ask the system's resolver for a name that cannot exist; RIGHT means that it says so."""
    return Ask(
        test=Test.RESOLVE,
        place=Place.HOME,
        who=f"random-{round_}",
        way="system",
        name=Name.RANDOM,
        value=value,
        limit=LONG,
        round=round_,
        cost=_SMALL,
    )


def query(resolver: Resolver, known: KnownName, way: str, round_: int = 1) -> Ask:
    """Ask a resolver itself, by `way`."""
    return Ask(
        test=Test.RESOLVE,
        place=resolver.place,
        who=resolver.who,
        host=resolver.address,
        port=_PORTS[way],
        way=way,
        name=Name.HARMLESS,
        value=known.name,
        path=resolver.path,
        data=resolver.name,
        limit=SHORT,
        round=round_,
        cost=_TLS_COST if way in ("doh", "dot") else _SMALL,
    )


def query_nobody(address: str, number: int, known: KnownName, round_: int = 1) -> Ask:
    """Ask an address where no resolver runs: any answer is made on the way (FALSE, Forgery.NOBODY)."""
    return Ask(
        test=Test.RESOLVE,
        place=Place.NOBODY,
        who=f"nobody-{number}",
        host=address,
        port=53,
        way="udp",
        name=Name.HARMLESS,
        value=known.name,
        limit=1.5,
        round=round_,
        cost=_SMALL,
    )


def download(server: Server, round_: int = 1, name: Forbidden | None = None) -> Ask:
    """Ask for 64 KiB; with `name`, under a name that may be forbidden: then `data` is the name in the certificate."""
    return Ask(
        test=Test.DOWNLOAD,
        place=server.place,
        who=server.who,
        host=host(server),
        port=web(server),
        name=Name.FORBIDDEN if name else Name.HARMLESS,
        value=name.name if name else server.name,
        path=server.bulk,
        data=server.name if name else "",
        limit=BULK,
        round=round_,
        cost=BULK_COST,
    )


def upload(server: Server, round_: int = 1) -> Ask:
    """Send 64 KiB."""
    return Ask(
        test=Test.UPLOAD,
        place=server.place,
        who=server.who,
        host=host(server),
        port=web(server),
        name=Name.HARMLESS,
        value=server.name,
        path=server.upload,
        limit=BULK,
        round=round_,
        cost=BULK_COST,
    )


def quic(server: Server, round_: int = 1) -> Ask:
    """Send QUIC's version probe: 1200 bytes without a name."""
    return Ask(
        test=Test.QUIC,
        place=server.place,
        who=server.who,
        host=host(server),
        port=server.quic,
        limit=2.0,
        round=round_,
        cost=3 * _SMALL,
    )


def first_bytes(server: Server, way: str, port: int = 0, round_: int = 1) -> Ask:
    """Send a first packet of the shape `way`."""
    return Ask(
        test=Test.BYTES,
        place=server.place,
        who=server.who,
        host=host(server),
        port=port or web(server),
        way=way,
        value=server.name,
        limit=SHORT,
        round=round_,
        cost=_SMALL,
    )


def link(relay: Relay, round_: int = 1) -> Ask:
    """Ask for a relay's link handshake."""
    return Ask(
        test=Test.TOR_LINK,
        place=Place.ABROAD,
        who=relay.who,
        host=relay.address,
        port=relay.port,
        data=relay.fingerprint,
        limit=LONG,
        round=round_,
        cost=_TLS_COST,
    )


def bridge(line: str, number: int, round_: int = 1) -> Ask:
    """Ask a built-in bridge for the handshake of its transport; `data` is the whole line."""
    address = next((word for word in line.split() if ":" in word), "")
    host_, _, port = address.rpartition(":")
    return Ask(
        test=Test.PT,
        place=Place.ABROAD,
        who=f"bridge-{number}",
        host=host_.strip("[]"),
        port=int(port) if port.isdigit() else 0,
        data=line,
        limit=LONG,
        round=round_,
        cost=4 * _SMALL,
    )

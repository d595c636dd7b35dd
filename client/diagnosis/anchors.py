"""Whom a diagnosis asks: servers at home and abroad, resolvers, known pages, relays, from a dated TOML file.

The format is documented in docs/anchors.md; laboratories and other countries bring their own file (`--anchors`).
"""

from __future__ import annotations

import datetime
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from client.diagnosis.anchors_fields import Fields, entries
from client.diagnosis.roots_known import Root
from client.diagnosis.sights import Place
from transports.types import N_, Rejected

RESOLV_CONF: Final = Path("/etc/resolv.conf")
FOLDER: Final = Path(__file__).parent.parent / "data" / "anchors"
WAYS: Final = ("udp", "tcp", "doh", "dot")
_LARGEST: Final = 256 * 1024  # bytes of a file

_FILE: Final = N_("{file}: this is not a TOML file of anchors: docs/anchors.md tells the format")
_TABLE: Final = N_("{file}: there is no table {table} in an anchors file: docs/anchors.md tells the format")
_COUNTRY: Final = N_(
    "there are no anchors for the country {country}: known are {known}; or give --anchors FILE"
)
_NO_SERVER: Final = N_("{file}: {who} stands for no server, or for two of them, in this file of anchors")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Server:
    """A host that answers harmless questions. `who` is how sights name it.

    `ports` are those on which it is known to answer TLS, `plain` those for HTTP. `addresses` may be empty: then the
    name is resolved. `quic` is its UDP port, 0 for none. `path`, `status` and `body` are a known page over TLS;
    `bulk` is a path of 64 KiB and more, `upload` one that takes a POST, "" for none.
    """

    who: str
    place: Place
    operator: str
    name: str
    addresses: tuple[str, ...] = ()
    ports: tuple[int, ...] = (443,)
    plain: tuple[int, ...] = ()
    quic: int = 0
    path: str = ""
    status: int = 0
    body: bytes | None = None
    bulk: str = ""
    upload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KnownPage:
    """A plain HTTP page of known status and content, as systems use them to find captive portals."""

    who: str
    place: Place
    host: str
    port: int
    path: str
    status: int
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Resolver:
    """A DNS server. `ways` are those that it offers; `name` stands in its certificate, `path` is DoH's."""

    who: str
    place: Place
    operator: str
    address: str
    ways: tuple[str, ...]
    name: str = ""
    path: str = "/dns-query"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KnownName:
    """A harmless name to resolve. `addresses` are what is right, where that is known and does not change."""

    who: str
    place: Place
    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Forbidden:
    """A name that is likely on a list. It goes on the wire only after its own consent.

    `server` is the `who` of a server at whose address it is named: the control is that server's own name.
    """

    who: str
    name: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AllPorts:
    """A host that answers on every TCP port. `http`: it tells so by HTTP (no more than 20 ports, spaced)."""

    who: str
    host: str
    http: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Relay:
    """A public Tor relay (a directory authority)."""

    who: str
    address: str
    port: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Anchors:
    """All of a file, the country's own and the international ones together.

    `ca` is PEM text to trust besides; `resolv_conf` stands for the system's list of resolvers (laboratories need both).
    """

    date: datetime.date
    source: str
    ca: str = ""
    resolv_conf: Path = RESOLV_CONF
    servers: tuple[Server, ...] = ()
    pages: tuple[KnownPage, ...] = ()
    resolvers: tuple[Resolver, ...] = ()
    names: tuple[KnownName, ...] = ()
    nobody: tuple[str, ...] = ()  # addresses abroad where no resolver runs
    forbidden: tuple[Forbidden, ...] = ()
    all_ports: tuple[AllPorts, ...] = ()
    relays: tuple[Relay, ...] = ()
    bridges: tuple[str, ...] = ()  # bridge lines, built in and public
    national: Mapping[str, Root] = field(
        default_factory=dict
    )  # SHA-256 (lower-case hex) to interception root
    files: tuple[str, ...] = ()

    def at(self, place: Place) -> tuple[Server, ...]:
        """Return the servers at a place."""
        return tuple(server for server in self.servers if server.place is place)


def countries() -> tuple[str, ...]:
    """Return the codes of the countries that have anchors, sorted."""
    return tuple(sorted(path.stem.upper() for path in FOLDER.glob("??.toml")))


def load(country: str = "", file: str = "") -> Anchors:
    """Return the anchors: of `file` alone, or the international ones with those of `country`. Raises Rejected."""
    if file:
        path = Path(file)
        found = parse(_text(path), file=path.name, folder=path.parent)
    else:
        counts: Counter[str] = Counter()
        found = _own("world", counts)
        if country and country.upper() not in countries():
            raise Rejected(_COUNTRY, country=country[:8], known=", ".join(countries()) or "-")
        if country:
            found = _joined(found, _own(country.lower(), counts))
    _agrees(found)
    return found


def _own(stem: str, counts: Counter[str]) -> Anchors:
    path = FOLDER / f"{stem}.toml"
    return parse(_text(path), file=path.name, folder=FOLDER, counts=counts)


def _joined(one: Anchors, other: Anchors) -> Anchors:
    lists = [attribute for attribute, _ in _TABLES.values() if attribute != "national"]
    both: dict[str, Any] = {name: (*getattr(one, name), *getattr(other, name)) for name in lists}
    return Anchors(
        date=min(one.date, other.date),
        source=f"{one.source}; {other.source}",
        files=(*one.files, *other.files),
        national={**one.national, **other.national},
        **both,
    )


def _agrees(found: Anchors) -> None:
    """Raise Rejected where a server's name is not its own, or a forbidden name has no server to be shown to."""
    known = Counter(server.who for server in found.servers)
    for who in (*known, *(name.server for name in found.forbidden)):
        if known[who] != 1:
            raise Rejected(_NO_SERVER, file=", ".join(found.files), who=who[:40])


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise Rejected(N_("{file}: this is not a file: give a file of anchors"), file=path.name)
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise Rejected(
                N_("{file}: an anchors file has at most {most} KiB"), file=path.name, most=_LARGEST // 1024
            )
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected(_FILE, file=path.name) from None
    except ValueError as error:  # a zero byte in the name
        if isinstance(error, Rejected):
            raise
        raise Rejected(_FILE, file=path.name) from None
    except OSError as error:
        raise Rejected(
            N_("{file}: cannot be read ({why}): give a file of anchors"),
            file=path.name,
            why=error.strerror or "?",
        ) from None


def parse(text: str, *, file: str, folder: Path, counts: Counter[str] | None = None) -> Anchors:
    """Read an anchors file; `folder` is where its CA lies. Raises Rejected with the entry that is wrong.

    `counts` goes on numbering the entries where another file left off.
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):  # a number without end, a nest without bottom
        raise Rejected(_FILE, file=file) from None
    known = {"date", "source", "ca", "resolv_conf", *_TABLES}
    for name in data:
        if name not in known:
            raise Rejected(_TABLE, file=file, table=name[:40])
    date, source = data.get("date"), data.get("source")
    ca, resolv_conf = data.get("ca", ""), data.get("resolv_conf", "")
    if not isinstance(date, datetime.date) or not all(
        isinstance(one, str) for one in (source, ca, resolv_conf)
    ):
        raise Rejected(N_("{file}: an anchors file begins with its date and its source"), file=file)
    numbers = Counter[str]() if counts is None else counts
    read: dict[str, Any] = {
        attribute: tuple(entries(data, table, make, file=file, counts=numbers))
        for table, (attribute, make) in _TABLES.items()
    }
    read["national"] = dict(read["national"])
    if ca:
        read["ca"] = _ca(folder / ca)
    if resolv_conf:
        read["resolv_conf"] = folder / resolv_conf
    found = Anchors(date=date, source=str(source), files=(file,), **read)
    if not found.servers:
        raise Rejected(N_("{file}: there is no [[server]] in this file of anchors"), file=file)
    return found


def _ca(path: Path) -> str:
    import ssl  # only laboratories need it, and a list of countries should stay quick

    text = _text(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, TypeError):
        raise Rejected(N_("{file}: this is not a PEM file with certificates"), file=path.name) from None
    return text


def _server(entry: Fields) -> Server:
    return Server(
        who=entry.text("id", entry.who, 40),
        place=entry.place(Place.HOME, Place.ABROAD, Place.LISTED),
        operator=entry.text("operator", ""),
        name=entry.host("name"),
        addresses=entry.addresses("addresses"),
        ports=entry.ports("ports", (443,)),
        plain=entry.ports("plain", ()),
        quic=entry.number("quic", 0, 65535),
        path=entry.text("path", ""),
        status=entry.number("status", 0, 599),
        body=entry.body(),
        bulk=entry.text("bulk", ""),
        upload=entry.text("upload", ""),
    )


def _page(entry: Fields) -> KnownPage:
    try:
        parts = urlsplit(entry.text("url"))
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        raise KeyError("url") from None
    if parts.scheme != "http" or not host or not parts.netloc.isascii():
        raise KeyError("url")
    return KnownPage(
        who=entry.who,
        place=entry.place(Place.HOME, Place.ABROAD, Place.LISTED),
        host=host,
        port=port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        status=entry.number("status", 200, 599),
        body=entry.body(),
    )


def _resolver(entry: Fields) -> Resolver:
    return Resolver(
        who=entry.who,
        place=entry.place(Place.HOME, Place.ABROAD),
        operator=entry.text("operator", ""),
        address=entry.address("address"),
        ways=entry.words("ways", WAYS),
        name=entry.host("name") if "name" in entry else "",
        path=entry.text("path", "/dns-query"),
    )


def _name(entry: Fields) -> KnownName:
    return KnownName(
        who=entry.who,
        place=entry.place(Place.HOME, Place.ABROAD),
        name=entry.host("name"),
        addresses=entry.addresses("addresses"),
    )


def _forbidden(entry: Fields) -> Forbidden:
    return Forbidden(who=entry.who, name=entry.host("name"), server=entry.text("server"))


def _relay(entry: Fields) -> Relay:
    return Relay(
        who=entry.who,
        address=entry.address("address"),
        port=entry.number("port", 0, 65535, least=1),
        fingerprint=entry.hexadecimal("fingerprint", 40),
    )


def _all_ports(entry: Fields) -> AllPorts:
    return AllPorts(who=entry.who, host=entry.host("host"), http=entry.flag("http", True))


def _national(entry: Fields) -> tuple[str, Root]:
    root = Root(country=entry.text("country", "", 8), name=entry.text("name"))
    return entry.hexadecimal("sha256", 64).lower(), root


_TABLES: Final[Mapping[str, tuple[str, Callable[[Fields], Any]]]] = {
    "server": ("servers", _server),
    "page": ("pages", _page),
    "resolver": ("resolvers", _resolver),
    "name": ("names", _name),
    "nobody": ("nobody", lambda entry: entry.address("address")),
    "forbidden": ("forbidden", _forbidden),
    "all_ports": ("all_ports", _all_ports),
    "relay": ("relays", _relay),
    "bridge": ("bridges", lambda entry: entry.text("line", most=1024)),
    "national_root": ("national", _national),
}

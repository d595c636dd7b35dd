"""The proxy of macOS: networksetup(8), for each network service that is not disabled.

Not tried on a real machine: the commands and what they print are from the manual page and from recorded output.
A proxy with a login is not touched, because its password could not be put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from client.connect.system_parts import UNREADABLE, Ask, Part, Picture, Place, Plan, number
from client.model import Message
from transports.guard_main import Argv
from transports.types import N_, Rejected

PROGRAM: Final = "/usr/sbin/networksetup"
KINDS: Final = ("webproxy", "securewebproxy", "socksfirewallproxy")
_DIRECT: Final = ("localhost", "127.0.0.1", "::1")  # what never leaves this machine
_LOGIN: Final = N_(
    "A system proxy with a login is set. Its password could not be put back later, so the system proxy is left alone: set it by hand, or run one program with --exec."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entry:
    """One proxy of a service."""

    on: bool
    host: str
    port: int
    login: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Service:
    """A network service and its proxies, in the order of KINDS."""

    name: str
    entries: tuple[Entry, ...]
    direct: tuple[str, ...]
    script: str  # the PAC file's URL where one is in use
    discovery: bool


def services(listing: str) -> list[str]:
    """Return the names from -listallnetworkservices: the first line is a remark, "*" marks disabled ones."""
    return [line for line in listing.splitlines()[1:] if line.strip() and not line.startswith("*")]


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def entry(text: str) -> Entry:
    """Return what -getwebproxy and its like print."""
    found = _fields(text)
    return Entry(
        on=found.get("Enabled") == "Yes",
        host=found.get("Server", ""),
        port=number(found.get("Port", "")),
        login=found.get("Authenticated Proxy Enabled", "0") == "1",
    )


def script(text: str) -> str:
    """Return the URL from -getautoproxyurl, "" where it is not in use."""
    found = _fields(text)
    return found.get("URL", "") if found.get("Enabled") == "Yes" else ""


def direct(text: str) -> tuple[str, ...]:
    """Return the list from -getproxybypassdomains; where there is none it prints a sentence."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return () if any(" " in line for line in lines) else tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Macos:
    """The settings of all services."""

    services: tuple[Service, ...]
    warnings: tuple[Message, ...] = ()
    name: str = "macOS"

    @property
    def places(self) -> frozenset[Place]:
        """The proxies that are switched on."""
        entries = (entry for service in self.services for entry in service.entries)
        return frozenset(Place(entry.host, entry.port) for entry in entries if entry.on and entry.host)

    @property
    def automatic(self) -> bool:
        """Whether a PAC file or the network chooses, for some service."""
        return any(service.script or service.discovery for service in self.services)

    def plan(self, place: Place) -> Plan:
        """Return the changes, one service after the other.

        Scripts go last: until then they count before the addresses. Raises Rejected for a proxy with a login.
        """
        if any(entry.login for service in self.services for entry in service.entries):
            raise Rejected(_LOGIN)
        return Plan(parts=tuple(part for service in self.services for part in _parts(service, place)))

    def off(self) -> tuple[Argv, ...]:
        """Return what switches every proxy off that is on. The addresses stay and do not count."""
        return tuple(
            _run(f"-set{kind}state", service.name, "off")
            for service in self.services
            for kind, entry in zip(KINDS, service.entries, strict=True)
            if entry.on
        )


def _run(*words: str) -> Argv:
    return (PROGRAM, *words)


def _parts(service: Service, place: Place) -> list[Part]:
    name = service.name
    parts = []
    if service.direct != _DIRECT:
        parts.append(
            Part(
                do=(_run("-setproxybypassdomains", name, *_DIRECT),),
                still=((_run("-getproxybypassdomains", name), " ".join(_DIRECT)),),
                undo=(_run("-setproxybypassdomains", name, *(service.direct or ("Empty",))),),
            )
        )
    for kind, before in zip(KINDS, service.entries, strict=True):
        if before != Entry(on=True, host=place.host, port=place.port):
            parts.append(_proxy(name, kind, before, place))
    if service.script:
        parts.append(
            Part(
                do=(_run("-setautoproxystate", name, "off"),),
                still=((_run("-getautoproxyurl", name), f"URL: {service.script} Enabled: No"),),
                undo=(_run("-setautoproxystate", name, "on"),),
            )
        )
    if service.discovery:
        parts.append(
            Part(
                do=(_run("-setproxyautodiscovery", name, "off"),),
                still=((_run("-getproxyautodiscovery", name), "Auto Proxy Discovery: Off"),),
                undo=(_run("-setproxyautodiscovery", name, "on"),),
            )
        )
    return parts


def _proxy(name: str, kind: str, before: Entry, place: Place) -> Part:
    """Return the change of one proxy. Setting an address switches it on, so a proxy that was off is switched off."""
    undo = []
    if before.host and before.port:
        undo.append(_run(f"-set{kind}", name, before.host, str(before.port)))
    if not before.on:
        undo.append(_run(f"-set{kind}state", name, "off"))
    shown = f"Enabled: Yes Server: {place.host} Port: {place.port} Authenticated Proxy Enabled: 0"
    return Part(
        do=(_run(f"-set{kind}", name, place.host, str(place.port)),),
        still=((_run(f"-get{kind}", name), shown),),
        undo=tuple(undo),
    )


def read(ask: Ask) -> Picture:
    """Read the settings of every service. Raises Rejected when there is none."""
    names = services(ask(_run("-listallnetworkservices")))
    if not names:
        raise Rejected(UNREADABLE)
    return Macos(services=tuple(_service(ask, name) for name in names))


def _service(ask: Ask, name: str) -> Service:
    return Service(
        name=name,
        entries=tuple(entry(ask(_run(f"-get{kind}", name))) for kind in KINDS),
        direct=direct(ask(_run("-getproxybypassdomains", name))),
        script=script(ask(_run("-getautoproxyurl", name))),
        discovery=_fields(ask(_run("-getproxyautodiscovery", name))).get("Auto Proxy Discovery") == "On",
    )

"""The proxy of KDE Plasma: the file kioslaverc, through kreadconfig and kwriteconfig of KDE 5 and 6.

Keys: KIO's own settings page (kio, src/kcms/kio/kproxydlg.cpp): ProxyType 0 none, 1 by hand, 2 PAC file, 3 found by the
network, 4 from environment variables; a proxy is "http://host port". ReversedException turns the list of exceptions
into a list of what alone uses the proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from client.connect.system_parts import (
    LOGIN,
    UNREADABLE,
    Ask,
    Part,
    Picture,
    Place,
    Plan,
    has_login,
    place_in,
)
from client.model import Message
from transports.guard_main import Argv
from transports.types import Rejected

_FILE: Final = ("--file", "kioslaverc", "--group", "Proxy Settings", "--key")
_PROXIES: Final = ("httpProxy", "httpsProxy", "ftpProxy", "socksProxy")
_KEYS: Final = ("NoProxyFor", "ReversedException", *_PROXIES, "ProxyType")
_UNSET: Final = "sanylau-unset"
_DIRECT: Final = "localhost,127.0.0.0/8,::1"  # what never leaves this machine


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Kde:
    """The settings; a key that is not there has no value."""

    reader: str
    writer: str
    bus: str  # dbus-send, or "" where it is missing: then only programs that are started later see the change
    values: Mapping[str, str]
    warnings: tuple[Message, ...] = ()
    name: str = "KDE Plasma"

    @property
    def places(self) -> frozenset[Place]:
        """The proxies of the four protocols, where the type says that they count."""
        if self.values.get("ProxyType") != "1":
            return frozenset()
        found = (place_in(self.values.get(key, "")) for key in _PROXIES)
        return frozenset(place for place in found if place)

    @property
    def automatic(self) -> bool:
        """Whether a PAC file, the network or the environment chooses."""
        return self.values.get("ProxyType", "0") in ("2", "3", "4")

    def plan(self, place: Place) -> Plan:
        """Return the changes: the type last, so that nothing counts before it is whole.

        Raises Rejected for a proxy with a password: a command line shows what is put back.
        """
        if any(has_login(self.values.get(key, "")) for key in _PROXIES):
            raise Rejected(LOGIN)
        wanted = {"NoProxyFor": _DIRECT, "ReversedException": "false"}
        wanted |= dict.fromkeys(_PROXIES, f"http://{place.url_host} {place.port}")
        wanted["socksProxy"] = f"socks://{place.url_host} {place.port}"
        ours = tuple((self._get(key), wanted[key]) for key in _PROXIES)
        parts = [self._part(key, value) for key, value in wanted.items()]
        parts.append(self._part("ProxyType", "1", ours))
        return Plan(parts=tuple(part for part in parts if part), notice=self._notice())

    def _part(self, key: str, value: str, also: tuple[tuple[Argv, str], ...] = ()) -> Part | None:
        before = self.values.get(key)
        if before == value:
            return None
        undo = (self.writer, *_FILE, key, "--delete", "") if before is None else self._set(key, before)
        return Part(do=(self._set(key, value),), still=((self._get(key), value), *also), undo=(undo,))

    def _get(self, key: str) -> Argv:
        return get(self.reader, key)

    def _set(self, key: str, value: str) -> Argv:
        return (self.writer, *_FILE, key, "--", value)

    def _notice(self) -> tuple[Argv, ...]:
        if not self.bus:
            return ()
        signal = "org.kde.KIO.Scheduler.reparseSlaveConfiguration"
        return ((self.bus, "--session", "--type=signal", "/KIO/Scheduler", signal, "string:"),)

    def off(self) -> tuple[Argv, ...]:
        """Return what switches the proxy off. The addresses stay and do not count."""
        return (self._set("ProxyType", "0"), *self._notice())


def get(reader: str, key: str) -> Argv:
    """Return the command that prints a value, or the mark for "not set"."""
    return (reader, *_FILE, key, "--default", _UNSET)


def read(ask: Ask, reader: str, writer: str, bus: str) -> Picture:
    """Read the settings. Raises Rejected when the program does not answer."""
    values = {}
    for key in _KEYS:
        said = ask(get(reader, key)).strip("\n")
        if not said and key == "ProxyType":
            raise Rejected(UNREADABLE)
        if said != _UNSET:
            values[key] = said
    return Kde(reader=reader, writer=writer, bus=bus, values=values)

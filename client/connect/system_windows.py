"""The proxy of Windows: the person's own Internet Settings in the registry, through reg.exe.

Not tried on a real machine: the commands and what they print are from reg's documentation and from recorded output.
ProxyServer as plain "host:port" counts for all protocols; AutoConfigURL counts before it.
"""

from __future__ import annotations

import re
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
from transports.types import N_, Rejected

_KEY: Final = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
_SHOWN: Final = _KEY.replace("HKCU", "HKEY_CURRENT_USER", 1)
_DIRECT: Final = "localhost;127.*;[::1]"  # what never leaves this machine
_NAMES: Final = ("ProxyServer", "ProxyOverride", "ProxyEnable", "AutoConfigURL")
_LINE: Final = re.compile(r"    (\S.*?)    (REG_[A-Z_]+)(?:    (.*))?")
_DETECTS: Final = 0x08  # WinINet's PROXY_TYPE_AUTO_DETECT, in the ninth byte of DefaultConnectionSettings
_TELL: Final = (  # INTERNET_OPTION_SETTINGS_CHANGED, INTERNET_OPTION_REFRESH
    "import ctypes; w = ctypes.WinDLL('wininet'); w.InternetSetOptionW(0, 39, 0, 0); w.InternetSetOptionW(0, 37, 0, 0)"
)
_DETECTION: Final = Message(
    N_(
        "“Automatically detect settings” is on in Windows: a network that answers to it chooses the proxy instead. Switch it off in Settings, Network and Internet, Proxy."
    )
)
Value = tuple[str, str]  # type, data


def parsed(text: str) -> dict[str, Value]:
    """Return the values that `reg query` prints, by name."""
    found = (_LINE.fullmatch(line.rstrip("\r")) for line in text.split("\n"))
    return {match[1]: (match[2], match[3] or "") for match in found if match}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Windows:
    """The settings; a value that is not there is not set."""

    reg: str
    python: str
    values: Mapping[str, Value]
    detects: bool
    name: str = "Windows"

    @property
    def places(self) -> frozenset[Place]:
        """The proxies, where they are switched on."""
        if int(self.values.get("ProxyEnable", ("", "0x0"))[1], 16) == 0:
            return frozenset()
        found = (place_in(part) for part in self.values.get("ProxyServer", ("", ""))[1].split(";"))
        return frozenset(place for place in found if place)

    @property
    def automatic(self) -> bool:
        """Whether a PAC file chooses. Detection is on nearly everywhere, and mostly finds nothing."""
        return bool(self.values.get("AutoConfigURL", ("", ""))[1])

    @property
    def warnings(self) -> tuple[Message, ...]:
        """Detection by the network counts before our address."""
        return (_DETECTION,) if self.detects else ()

    def plan(self, place: Place) -> Plan:
        """Return the changes: what switches the proxy on after its address, and the script off last of all.

        Raises Rejected for a proxy or script with a password: a command line shows what is put back.
        """
        if any(has_login(self.values.get(name, ("", ""))[1]) for name in ("ProxyServer", "AutoConfigURL")):
            raise Rejected(LOGIN)
        server = ("REG_SZ", f"{place.url_host}:{place.port}")
        parts = [
            self._part("ProxyServer", server),
            self._part("ProxyOverride", ("REG_SZ", _DIRECT)),
            self._part("ProxyEnable", ("REG_DWORD", "0x1"), (self._check("ProxyServer", server),)),
            self._part("AutoConfigURL", None),
        ]
        return Plan(parts=tuple(part for part in parts if part), notice=(self._tell(),))

    def _part(self, name: str, value: Value | None, also: tuple[tuple[Argv, str], ...] = ()) -> Part | None:
        before = self.values.get(name)
        if before == value:
            return None
        return Part(
            do=(self._set(name, value),),
            still=(self._check(name, value), *also),
            undo=(self._set(name, before),),
        )

    def _set(self, name: str, value: Value | None) -> Argv:
        if value is None:
            return (self.reg, "delete", _KEY, "/v", name, "/f")
        return (self.reg, "add", _KEY, "/v", name, "/t", value[0], "/d", value[1], "/f")

    def _check(self, name: str, value: Value | None) -> tuple[Argv, str]:
        shown = "" if value is None else " ".join(f"{_SHOWN} {name} {value[0]} {value[1]}".split())
        return (self.reg, "query", _KEY, "/v", name), shown

    def _tell(self) -> Argv:
        return (self.python, "-I", "-S", "-c", _TELL)

    def off(self) -> tuple[Argv, ...]:
        """Return what switches the proxy off. The address stays and does not count."""
        return (self._set("ProxyEnable", ("REG_DWORD", "0x0")), self._tell())


def read(ask: Ask, reg: str, python: str) -> Picture:
    """Read the settings. Raises Rejected when they cannot be read, or hold what could not be written again."""
    found = parsed(ask((reg, "query", _KEY)))
    values: dict[str, Value] = {name: found[name] for name in _NAMES if name in found}
    enable = values.get("ProxyEnable", ("REG_DWORD", "0x0"))
    plain = all(data.isascii() and '"' not in data for _, data in values.values())
    if not found or not plain or not re.fullmatch(r"0x[0-9a-f]{1,8}", enable[1]):
        raise Rejected(UNREADABLE)
    blob = parsed(ask((reg, "query", _KEY + r"\Connections", "/v", "DefaultConnectionSettings")))
    flags = blob.get("DefaultConnectionSettings", ("", ""))[1][16:18]
    detects = bool(re.fullmatch("[0-9A-Fa-f]{2}", flags)) and bool(int(flags, 16) & _DETECTS)
    return Windows(reg=reg, python=python, values=values, detects=detects)

"""Which network this machine is on, told apart from others by its next router. Sends nothing, and asks nobody outside.

The name is an HMAC under a key of the vault: it means nothing elsewhere, and tells nothing of the router.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import re
import sys
from pathlib import Path
from typing import Final

from client.vault import opened
from transports.guard_main import answers

UNKNOWN: Final = "unknown"
"""The name where there is no network, or where the system does not tell."""

_LONGEST: Final = 1 << 20
_WAIT: Final = 1.0  # seconds for a command of the system
_DIGITS: Final = 12
_UP, _REJECTS, _RESOLVED = 0x1, 0x200, 0x2  # route.h: RTF_UP, RTF_REJECT; if_arp.h: ATF_COM
_HARDWARE: Final = re.compile(r"\b([0-9A-Fa-f]{1,2}(?:[:-][0-9A-Fa-f]{1,2}){5})\b")
_NO_HARDWARE: Final = ":".join(["00"] * 6)


def here() -> str:
    """Return the name of this network for the vault that is open; UNKNOWN without a vault or a network."""
    vault = opened.current()
    return name(_router(), vault.content.id_key) if vault else UNKNOWN


def name(router: str, key: bytes) -> str:
    """Return the name that a network of this router has under a vault's key. Pure."""
    if not router:
        return UNKNOWN
    return hmac.new(key, b"network " + router.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def _router() -> str:
    if sys.platform == "win32":
        return _asked_windows()
    if sys.platform == "darwin":
        return _asked_macos()
    return linux(_read("route"), _read("arp"), _read("ipv6_route"))


def _read(table: str) -> str:
    try:
        with Path("/proc/net", table).open("rb") as file:
            return file.read(_LONGEST).decode("ascii", "replace")
    except OSError:  # Android shows none of this to programs
        return ""


def linux(routes: str, neighbours: str, routes6: str) -> str:
    """Return what tells the next router apart, "" for nothing: of /proc/net/route, arp and ipv6_route (proc(5)). Pure."""
    found = [
        (int(fields[6]), fields[0], fields[2])
        for fields in map(str.split, routes.splitlines()[1:])
        if len(fields) > 7 and fields[1] == fields[7] == "00000000" and int(fields[3], 16) & _UP
    ]
    if not found:
        return _linux6(routes6)
    _metric, interface, gateway = min(found)
    address = str(ipaddress.IPv4Address(int(gateway, 16).to_bytes(4, sys.byteorder)))
    if address == "0.0.0.0":  # no router: a telephone network, a tunnel
        return _line(interface)
    for fields in map(str.split, neighbours.splitlines()[1:]):
        if (
            len(fields) > 5
            and (fields[0], fields[5]) == (address, interface)
            and int(fields[2], 16) & _RESOLVED
        ):
            return _hardware(fields[3])
    return ""


def _linux6(routes: str) -> str:
    """A network of IPv6 only: the router's address on the link, which mostly is made of its hardware address."""
    found = []
    for fields in map(str.split, routes.splitlines()):
        if len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
            flags = int(fields[8], 16)
            if flags & _UP and not flags & _REJECTS:
                found.append((int(fields[5], 16), fields[9], fields[4]))
    if not found:
        return ""
    _metric, interface, gateway = min(found)
    return _line(interface) if not int(gateway, 16) else gateway


def _line(interface: str) -> str:
    return "line " + interface.rstrip("0123456789")


def _hardware(text: str) -> str:
    """Return a hardware address in one way of writing, "" where there is none."""
    found = _HARDWARE.search(text)
    if found is None:
        return ""
    address = ":".join(part.zfill(2).lower() for part in re.split("[:-]", found[1]))
    return "" if address == _NO_HARDWARE else address


def macos_gateway(said: str) -> tuple[str, str]:
    """Return the gateway ("" for none) and the interface, of `route -n get default`. Pure."""
    fields = dict(line.strip().partition(": ")[::2] for line in said.splitlines())
    return fields.get("gateway", ""), fields.get("interface", "")


def windows_gateway(said: str) -> str:
    """Return the gateway of `route print -4 0.0.0.0`, "" where there is none. Pure."""
    found = [
        (int(fields[4]), fields[2])
        for fields in map(str.split, said.splitlines())
        if len(fields) == 5 and fields[:2] == ["0.0.0.0", "0.0.0.0"] and fields[4].isdecimal()
    ]
    return min(found)[1] if found else ""


def neighbour(said: str, address: str) -> str:
    """Return the hardware address that `arp` says of an address, "" for none. Pure."""
    lines = (line for line in said.splitlines() if address in re.split(r"[\s()]+", line))
    return next(filter(None, map(_hardware, lines)), "")


def _said(*argv: str) -> str:
    return (answers([argv], _WAIT)[0] or "")[:_LONGEST]


def _asked_macos() -> str:
    gateway, interface = macos_gateway(_said("/sbin/route", "-n", "get", "default"))
    if not _is_address(gateway):
        return _line(interface) if interface else ""
    return neighbour(_said("/usr/sbin/arp", "-n", gateway), gateway)


def _asked_windows() -> str:
    tools = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32")
    gateway = windows_gateway(_said(os.path.join(tools, "route.exe"), "print", "-4", "0.0.0.0"))
    if not _is_address(gateway):
        return _line(gateway) if gateway else ""
    return neighbour(_said(os.path.join(tools, "arp.exe"), "-a", gateway), gateway)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

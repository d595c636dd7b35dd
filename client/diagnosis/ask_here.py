"""This machine: has it a way out, does the gateway live, is a resolver set. Sends nothing of its own."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from client.control import has_route
from client.diagnosis.around import Around, sight
from client.diagnosis.ask_dns import nameservers
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Came, Sight

_ROUTES: Final = Path("/proc/net/route")
_NEIGHBOURS: Final = Path("/proc/net/arp")
_COMPLETE: Final = 0x2  # ATF_COM of linux/if_arp.h
_TUNNELS: Final = ("tun", "wg", "utun", "ppp", "tap")


async def route(ask: Ask, around: Around) -> Sequence[Sight]:
    """Look at routes, gateway and resolvers.

    RIGHT: there is a way out (`detail`: "gateway", "gateway_unknown", "tunnel", with ", no_resolver" behind it where
    none is set). SILENCE with "gateway_silent": the system asked for the gateway and got nothing. NO_ROUTE: no way.
    """
    began = around.now()
    if not has_route():
        return (sight(ask, Came.NO_ROUTE, began, around, detail="no_route"),)
    gateway = gateway_state()
    detail = (
        gateway if nameservers(around.resolv_conf) or sys.platform != "linux" else f"{gateway}, no_resolver"
    )
    came = Came.SILENCE if gateway == "gateway_silent" else Came.RIGHT
    return (sight(ask, came, began, around, detail=detail),)


def gateway_state(routes: Path = _ROUTES, neighbours: Path = _NEIGHBOURS) -> str:
    """Return what the system knows of its IPv4 gateway: "gateway" (it answered), "gateway_silent", "tunnel", or
    "gateway_unknown" (not asked yet, or this system does not tell).
    """
    way = _default(routes)
    if way is None:
        return "gateway_unknown"
    device, gateway = way
    if device.startswith(_TUNNELS):
        return "tunnel"
    with suppress(OSError, ValueError):
        for line in neighbours.read_text("ascii").splitlines()[1:1000]:
            words = line.split()
            if len(words) >= 6 and words[0] == gateway and words[5] == device:
                return "gateway" if int(words[2], 16) & _COMPLETE else "gateway_silent"
    return "gateway_unknown"


def _default(routes: Path) -> tuple[str, str] | None:
    """Return device and address of the default route's gateway."""
    with suppress(OSError, ValueError):
        for line in routes.read_text("ascii").splitlines()[1:1000]:
            words = line.split()
            if len(words) >= 4 and words[1] == "00000000" and int(words[3], 16) & 1:
                return words[0], socket.inet_ntoa(struct.pack("<L", int(words[2], 16)))
    return None

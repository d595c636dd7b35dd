"""Circuits of a bridge that has carried one already: a new one when it fell, and a new one when it is old."""

from __future__ import annotations

import asyncio
from typing import Final

from transports.net import Net
from transports.stream import is_literal
from transports.tor_engine import TorDoor
from transports.tor_process import NoCircuit
from transports.types import CannotMeasure

DIRTY: Final = 600.0
"""Seconds after which new streams get a new circuit, as tor itself does it (tor(1), MaxCircuitDirtiness)."""


async def again(door: TorDoor, target: tuple[str, int], net: Net) -> bool:
    """Build a circuit through a bridge that tor knows already; the whole way up is not needed for that.

    tor itself closes circuits that nobody has used for some time. Says whether there is one now. Raises
    CannotMeasure if tor has died.
    """
    if door.tor is None or not (door.circuit and door.fingerprint):
        return False
    host, port = target
    limit = min(net.trace.clock() + net.limits.connect + net.limits.handshake, net.trace.deadline)
    try:
        async with asyncio.timeout_at(limit):
            v6 = is_literal(host) and ":" in host
            door.circuit = await door.tor.circuit(door.fingerprint, v6, port, set())
    except (NoCircuit, CannotMeasure, TimeoutError):
        door.tor.alive()
        return False
    return True


async def renewed(door: TorDoor, target: tuple[str, int], net: Net) -> None:
    """Give new streams a new circuit where theirs is old; the open ones stay. Without a new one the old one goes on."""
    if door.renewing or net.trace.clock() - door.made <= DIRTY:
        return
    door.renewing, door.made = True, net.trace.clock()
    try:
        await again(door, target, net)
    finally:
        door.renewing = False

"""What happens around the connection: the machine slept, or its network is another one. Pure on given readings."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from transports.stream import is_literal

TICK: Final = 2.0
"""Seconds between two looks. They stay on this machine: nothing is sent."""

_LATE: Final = 8.0  # seconds that a look may come late before this counts as sleep
_JUMP: Final = (
    5.0  # seconds by which the wall clock may run ahead between two looks (a corrected clock is less)
)


class Change(StrEnum):
    """What has changed."""

    SLEPT = "slept"
    MOVED = "moved"  # another address of ours leads out
    CUT_OFF = "cut_off"  # there is no way out any more
    BACK = "back"  # there is one again


@dataclass(slots=True)
class Sleep:
    """Notices that the machine has slept: its steady clock stood still while the other went on, or a look is late."""

    steady: float
    wall: float

    def look(self, steady: float, wall: float) -> bool:
        """Take both clocks, in seconds; say whether there was a sleep since the last look."""
        ran, passed = steady - self.steady, wall - self.wall
        self.steady, self.wall = steady, wall
        return ran > TICK + _LATE or passed - ran > _JUMP


@dataclass(slots=True)
class Way:
    """Notices that this machine leads out by another address. None stands for no way out."""

    address: str | None = None
    known: bool = False

    def look(self, address: str | None) -> Change | None:
        """Take the address of ours that leads to the option now; return what has changed since the last look."""
        before, self.address = self.address, address
        if not self.known or before == address:
            self.known = True
            return None
        if address is None:
            return Change.CUT_OFF
        return Change.BACK if before is None else Change.MOVED

    def forget(self) -> None:
        """Begin anew: another option is looked at."""
        self.known = False


def local_address(host: str) -> str | None:
    """Return the address of ours from which `host` is reached, None without a way. Sends nothing (a UDP connect)."""
    if not is_literal(host):
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((host, 9))
            return str(asked.getsockname()[0])
    except OSError:
        return None


def still_ours(address: str) -> bool:
    """Say whether this machine still has `address`: connections from one that is gone are dead."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.bind((address, 0))
            return True
    except OSError as error:
        return error.errno != errno.EADDRNOTAVAIL

"""The system proxy of `connect --system`: set to the local connection, put back at any end, repaired after a power loss.

Nothing of it is written down, so after a power loss what was set before is not known; a proxy on this machine where
nothing listens shows that it happened. Never a PAC file: browsers go direct when they cannot fetch it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from client.connect import system_gnome, system_kde, system_macos, system_windows
from client.connect.system_parts import UNREADABLE, Picture, Place, Plan
from client.model import Message
from transports import guard, guard_main
from transports.guard_main import Argv
from transports.types import N_, CannotMeasure, Rejected

if TYPE_CHECKING:
    from transports.guard import Guard

_ANY: Final = Place("127.0.0.1", 65535)  # no plan of ours is longer than one for this
_READING: Final = 3.0  # seconds for a command that reads or changes settings
_KNOCK: Final = 3.0  # seconds for a refusal from this machine itself: Windows tries again for two
_NOBODY: Final = (
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.ENETUNREACH,
)  # no IPv6: nobody listens there either
# Desktops whose settings programs, and gsettings, keep in GNOME's place (XDG_CURRENT_DESKTOP, lower case).
_LIKE_GNOME: Final = frozenset(
    (
        "gnome",
        "gnome-classic",
        "gnome-flashback",
        "unity",
        "x-cinnamon",
        "cinnamon",
        "budgie",
        "pantheon",
        "mate",
    )
)
_NOT_LOOPBACK: Final = N_(
    "The system proxy can only be set to a connection that listens on this machine itself (127.0.0.1)."
)
_NOT_SET: Final = N_(
    "The system proxy could not be set: the system refused, or takes no change from here. Set it by hand, or run one program with --exec."
)
_TOO_LONG: Final = N_(
    "A setting of your system proxy is too long to be put back safely, so the system proxy is left alone: shorten the list of addresses that go without it, or run one program with --exec."
)
_NOT_OFF: Final = N_(
    "The system proxy could not be switched off: switch it off in the settings of your system, under network, proxy."
)


class Desktop(StrEnum):
    """Where a system keeps its proxy."""

    GNOME = "gnome"
    KDE = "kde"
    MACOS = "macos"
    WINDOWS = "windows"
    OTHER = "other"


def desktop(platform: str, environment: Mapping[str, str]) -> Desktop:
    """Say where the proxy is kept, from `sys.platform` and the environment."""
    if platform == "win32":
        return Desktop.WINDOWS
    if platform == "darwin":
        return Desktop.MACOS
    names = set(environment.get("XDG_CURRENT_DESKTOP", "").lower().split(":"))
    if "kde" in names:
        return Desktop.KDE
    return Desktop.GNOME if names & _LIKE_GNOME else Desktop.OTHER


@dataclass(frozen=True, slots=True)
class State:
    """What is set now, in every place where this system keeps it."""

    pictures: tuple[Picture, ...]

    @property
    def places(self) -> frozenset[Place]:
        """The proxies that programs use now."""
        return frozenset().union(*(picture.places for picture in self.pictures))

    @property
    def other(self) -> bool:
        """Whether programs use some proxy already, or let something else choose."""
        return bool(self.places) or any(picture.automatic for picture in self.pictures)

    def plan(self, place: Place) -> Plan:
        """Return how to make `place` the proxy of all programs. Raises Rejected where it could not be undone."""
        plans = [picture.plan(place) for picture in self.pictures]
        whole = Plan(
            parts=tuple(part for plan in plans for part in plan.parts),
            notice=tuple(argv for plan in plans for argv in plan.notice),
        )
        undos = whole.undos()
        if len(undos) > guard_main.UNDOS or not all(map(guard.fits, undos)):
            raise Rejected(_TOO_LONG)
        return whole

    @property
    def names(self) -> str:
        """The systems, as proper names."""
        return ", ".join(picture.name for picture in self.pictures)


async def now() -> State:
    """Read the system proxy. Changes nothing. Raises Rejected where it cannot be read and set."""
    return await asyncio.to_thread(read, desktop(sys.platform, os.environ))


def read(where: Desktop) -> State:
    """Read the system proxy there; `now` says where that is here. Blocks."""
    if where is Desktop.WINDOWS:
        root = os.environ.get("SystemRoot", r"C:\Windows")  # noqa: SIM112 - its name there
        reg = root + r"\System32\reg.exe"
        return State((system_windows.read(_ask, reg, sys.executable),))
    if where is Desktop.MACOS:
        return State((system_macos.read(_ask),))
    if where is Desktop.KDE:
        return State((_kde(), *_gnome_too()))
    if where is Desktop.GNOME:
        return State((_gnome(),))
    raise Rejected(UNREADABLE)


def _gnome() -> Picture:
    return system_gnome.read(_ask, _program("gsettings"), _program("env"))


def _gnome_too() -> tuple[Picture, ...]:
    """On KDE too many programs, Firefox among them, read GNOME's settings where they are installed."""
    with suppress(Rejected):
        return (_gnome(),)
    return ()


def _kde() -> Picture:
    for version in "65":
        if shutil.which(f"kwriteconfig{version}") and shutil.which(f"kreadconfig{version}"):
            bus = _program("dbus-send") if shutil.which("dbus-send") else ""
            return system_kde.read(
                _ask, _program(f"kreadconfig{version}"), _program(f"kwriteconfig{version}"), bus
            )
    raise Rejected(UNREADABLE)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Rejected(UNREADABLE)
    return os.path.abspath(found)


def _ask(argv: Argv) -> str:
    return guard_main.answers([argv], _READING)[0] or ""


def question(state: State) -> list[Message]:
    """Return what the person agrees to, one sentence a line. Raises Rejected where it could not be undone."""
    state.plan(_ANY)
    lines = [
        Message(
            N_(
                "The system proxy of {system} will be set to this connection. It is put back when the connection ends, also when Sanylau is killed."
            ),
            {"system": state.names},
        ),
        Message(N_("When the connection ends, programs connect as before, directly: close them first.")),
        Message(
            N_(
                "Only programs that follow the system settings use it; others keep connecting directly. This machine's own names and addresses (localhost) are never sent through it."
            )
        ),
        Message(
            N_(
                "After a power loss it stays set, and programs reach nothing until the next `sanylau connect` offers to switch it off."
            )
        ),
    ]
    if state.other:
        lines.append(
            Message(
                N_(
                    "You have another system proxy now. It is replaced meanwhile and put back afterwards, but a power loss would lose it: write it down first."
                )
            )
        )
    return lines + [line for picture in state.pictures for line in picture.warnings]


class Ending(StrEnum):
    """How the system proxy was left."""

    BACK = "back"
    CHANGED = "changed"  # somebody else has changed it meanwhile: that was left alone
    FAILED = "failed"


_ENDINGS: Final = {
    Ending.BACK: N_("The system proxy is again as it was before."),
    Ending.CHANGED: N_(
        "The system proxy was changed by somebody else meanwhile. That was left alone: look at it in the settings of your system, the local connection has ended."
    ),
    Ending.FAILED: N_(
        "The system proxy could not be put back. Switch it off in the settings of your system, under network, proxy: the local connection has ended."
    ),
}


class Held:
    """The system proxy while it is ours. `ending` says how it was left, once the block is over."""

    def __init__(self, plan: Plan) -> None:
        self.ending: Ending | None = None
        self._plan = plan
        self._orders = [part.order() for part in plan.parts]
        self._ours = threading.Lock()
        self._over = False

    def said(self) -> Message | None:
        """Return what to tell the person about the ending, None before it."""
        return Message(_ENDINGS[self.ending]) if self.ending else None

    def make(self) -> bool:
        """Make the changes, and say whether they hold: some systems say yes and do nothing. Runs in a thread."""
        with self._ours:
            for argv in (argv for part in self._plan.parts for argv in part.do):
                if self._over or guard_main.answers([argv], _READING) == [None]:
                    return False
            guard_main.answers(list(self._plan.notice))
            return all(guard_main.holds(self._orders))

    def take_back(self) -> None:
        """Take the changes back; making them stops where it stands. Runs in a thread."""
        self._over = True
        with self._ours:
            held = guard_main.put_back(self._orders)
            guard_main.answers(list(self._plan.notice))
            if any(guard_main.holds(self._orders)):
                self.ending = Ending.FAILED
            else:
                self.ending = Ending.BACK if all(held) else Ending.CHANGED


@asynccontextmanager
async def set_to(host: str, port: int, guard: Guard) -> AsyncIterator[Held]:
    """Make this address of ours the system proxy, and put back what was there when the block is left.

    `guard` is told beforehand how to put it back, and does so within two seconds of our death. What somebody else has
    changed meanwhile is left alone, by both: see `Held.ending` after the block. Raises Rejected where it cannot be
    set, CannotMeasure when the guard has stopped; nothing is left changed then.
    """
    place = Place(host, port)
    if not place.loopback:
        raise Rejected(_NOT_LOOPBACK)
    plan = (await now()).plan(place)
    held = Held(plan)
    numbers: list[int] = []
    try:
        for undo in plan.undos():
            numbers.append(await guard.adopt_undo(undo))  # noqa: PERF401 - those before a failure count too
        if not await asyncio.to_thread(held.make):
            raise Rejected(_NOT_SET)
        yield held
    finally:
        await asyncio.to_thread(held.take_back)
        if held.ending is not Ending.FAILED:  # else the guard tries again
            with suppress(CannotMeasure):
                for number in numbers:
                    await guard.release_undo(number)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A system proxy on this machine where nothing listens."""

    place: Place
    names: str

    def question(self) -> list[Message]:
        """Return what the person decides about, one sentence a line. The question itself: switch it off?"""
        return [
            Message(
                N_(
                    "The system proxy ({system}) is set to port {port} of this machine, where nothing listens: programs that follow it reach nothing."
                ),
                {"system": self.names, "port": self.place.port},
            ),
            Message(
                N_(
                    "A local connection of Sanylau that a power loss has ended leaves it so; it may also belong to a program of yours that is not running now."
                )
            ),
            Message(
                N_(
                    "What was set before is not known. Switched off, programs connect directly, and your operator sees where to."
                )
            ),
        ]


async def left_over() -> LeftOver | None:
    """Say whether a system proxy was left by a power loss: one address of this machine, which refuses connections.

    Connects to this machine only. Returns None where the settings cannot be read.
    """
    try:
        state = await now()
    except Rejected:
        return None
    if len(state.places) != 1 or not all(place.loopback for place in state.places):
        return None
    (place,) = state.places
    return LeftOver(place, state.names) if await _refused(place) else None


async def _refused(place: Place) -> bool:
    host = place.host.strip("[]")
    addresses = ("127.0.0.1", "::1") if host.lower() == "localhost" else (host,)
    return all([await _refuses(address, place.port) for address in addresses])


async def _refuses(address: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_KNOCK):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return False
    except OSError as error:
        return isinstance(error, ConnectionRefusedError) or error.errno in _NOBODY
    writer.transport.abort()
    return False


async def repair(left: LeftOver) -> None:
    """Switch off the proxy that was left, if it is still the one. Raises Rejected when it cannot be switched off."""
    state = await now()
    for picture in state.pictures:
        if picture.places == {left.place}:
            for argv in picture.off():
                await asyncio.to_thread(guard_main.answers, [argv], _READING)
    if left.place in (await now()).places:
        raise Rejected(_NOT_OFF)

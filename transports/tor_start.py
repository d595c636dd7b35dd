"""Finding tor and starting one: its settings, its folder, and its end.

Its SOCKS port has no password that would hold anybody off (tor takes any), so streams that are not ours are closed
(`transports.tor_process`). Nothing of a run stays on disk: tor's `state` names every bridge, so its folder should be
in memory, belongs to the guard, and is erased. The configuration goes by standard input.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from transports import install
from transports.engines import on_path, output, program, runnable
from transports.guard import Guard
from transports.own_folder import own_folder
from transports.pt_engine import Plugins
from transports.tor_control import Control
from transports.tor_process import NOBODY, Tor
from transports.tor_told import Notice
from transports.types import N_, CannotMeasure

OLDEST: Final = (0, 4, 5)
ROOM: Final = 24 * 1024 * 1024  # bytes; the list of relays and their descriptors take about 15 MB
_VERSION: Final = 5.0  # seconds
_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
_DIRECTORY: Final = (
    "cached-certs",
    "cached-microdesc-consensus",
    "cached-microdescs",
    "cached-microdescs.new",
)

_MISSING: Final = N_("tor is missing: {command}")
_NO_VERSION: Final = N_("tor does not tell its version; try another one")
_OLD: Final = N_("tor {version} is too old: {oldest} or a newer one is needed ({command})")
_ENDED: Final = N_("tor stopped as soon as it was started: look at the lines given by --torrc")
STOPPED: Final = N_("tor has stopped; run the check again")


@dataclass(frozen=True, slots=True, kw_only=True)
class TorProgram:
    """A tor that can be used."""

    path: Path
    version: str


def installed() -> Path | None:
    """Return where the installed tor is; whether it is of any use is another question."""
    return on_path("tor", *_PLACES)


async def find(explicit: str | None = None) -> TorProgram:
    """Return the given tor, else the installed one. Raises CannotMeasure that says what to do."""
    found = Path(explicit) if explicit else installed()
    if found is None:
        raise CannotMeasure(_MISSING, command=install.command("tor"))
    try:
        _, lines = await output([str(runnable(found)), "--version"], guard=None, limit=_VERSION)
    except TimeoutError as error:
        raise CannotMeasure(_NO_VERSION) from error
    told = re.search(r"^Tor version ((\d+)\.(\d+)\.(\d+)\S{0,40})", "\n".join(lines), re.MULTILINE)
    if told is None:
        raise CannotMeasure(_NO_VERSION)
    version = told[1].rstrip(".")
    if tuple(int(number) for number in told.groups()[1:]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise CannotMeasure(_OLD, version=version, oldest=oldest, command=install.command("tor"))
    return TorProgram(path=found, version=version)


@dataclass(slots=True, kw_only=True)
class Starter:
    """Starts tors, and ends those that still run when its block is left.

    `tors` and `pids` are those that run; `past` is what the ended ones had received (bytes).
    """

    found: TorProgram
    guard: Guard
    folder: Path
    torrc: str
    pts: Plugins | None
    notices: list[Notice] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    tors: list[Tor] = field(default_factory=list)
    past: int = 0
    _ends: dict[int, AsyncExitStack] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End what runs, whatever happens to one of them."""
        async with AsyncExitStack() as stack:
            for tor in self.tors:
                stack.push_async_callback(self._ends[tor.pid].aclose)

    async def end(self, tor: Tor) -> None:
        """End this one and erase its folder."""
        if tor not in self.tors:
            return
        self.tors.remove(tor)
        self.pids.remove(tor.pid)
        self.past += tor.progress.received
        tor.end(CannotMeasure(STOPPED))
        await self._ends.pop(tor.pid).aclose()

    async def start(self, *, bridges: bool = True, like: Tor | None = None) -> Tor:
        """Run a tor; it is not connected to anything yet. Raises CannotMeasure.

        The list of relays is taken over from `like`: it is the same, and megabytes.
        """
        async with AsyncExitStack() as attempt:
            data = await attempt.enter_async_context(own_folder("tor", self.folder, ROOM, self.guard))
            if like is not None:
                await asyncio.to_thread(_copy_directory, like.port_file.parent, data)
            tor: Tor | None = None

            def hear(event: Any) -> None:
                if tor is not None:
                    tor.hear(event)

            def end() -> None:
                if tor is not None:
                    tor.end(CannotMeasure(STOPPED if tor.was_ready else _ENDED))

            control = await attempt.enter_async_context(Control.running(hear))
            tor = Tor(control, data / "control-port", self.notices)
            running = await attempt.enter_async_context(
                program(
                    self._command(data, bridges=bridges),
                    guard=self.guard,
                    feed=self._torrc(data, bridges=bridges).encode(),
                    on_line=lambda line: None,
                    on_end=end,
                    env={"HOME": str(data), "TMPDIR": str(data)},
                )
            )
            tor.pid = running.pid
            self.pids.append(tor.pid)
            self.tors.append(tor)
            self._ends[tor.pid] = attempt.pop_all()
        return tor

    def _command(self, data: Path, *, bridges: bool) -> list[str]:
        """Return the command. One that never gets its settings, because we are gone, must not go anywhere."""
        alone = ["--DisableNetwork", "1", "--__OwningControllerProcess", str(os.getpid())]
        if bridges:  # and without any bridge it ends at once
            alone += ["--UseBridges", "1"]
        return [str(self.found.path), "-f", "-", "--defaults-torrc", str(data / "none"), *alone]

    def _torrc(self, data: Path, *, bridges: bool) -> str:
        lines = [
            f"DataDirectory {_quoted(data)}",
            f"ControlPortWriteToFile {_quoted(data / 'control-port')}",
            f"GeoIPFile {_quoted(data / 'none')}",
            f"GeoIPv6File {_quoted(data / 'none')}",
            *_FIXED,
        ]
        if bridges:
            lines += [f"Bridge {NOBODY}", "__DisablePredictedCircuits 1"]
            for plugin in self.pts.running if self.pts else ():
                for name, method in plugin.methods.items():
                    at = f"[{method.host}]" if ":" in method.host else method.host
                    lines.append(f"ClientTransportPlugin {name} socks5 {at}:{method.port}")
        return "\n".join([*lines, self.torrc, ""])


_FIXED: Final = (
    "SocksPort 127.0.0.1:auto IsolateSOCKSAuth",
    "ControlPort 127.0.0.1:auto",
    "CookieAuthentication 1",
    "ClientOnly 1",
    "AvoidDiskWrites 1",
    "SafeLogging 1",
    "Log err stdout",
    "DormantCanceledByStartup 1",
    "MaxClientCircuitsPending 1024",
    "__LeaveStreamsUnattached 1",
)


def _quoted(path: Path) -> str:
    """Write a path so that tor reads it as one, whatever is in it."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _copy_directory(old: Path, new: Path) -> None:
    for name in _DIRECTORY:
        with suppress(OSError):
            shutil.copyfile(old / name, new / name)

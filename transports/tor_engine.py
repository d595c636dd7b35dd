"""tor as an engine: one process for all bridges that can be asked who they are, one of its own for every other.

Its SOCKS port has no password that would hold anybody off (tor takes any), so streams that are not ours are closed
(`transports.tor_process`). Nothing of a run stays on disk: tor's `state` names every bridge, so its folder should be
in memory, belongs to the guard, and is erased. The configuration goes by standard input.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from transports.engines import output, program, runnable
from transports.guard import Guard
from transports.guard_main import PREFIX
from transports.net import Door
from transports.pt_engine import Plugins
from transports.tor_control import Control
from transports.tor_process import NOBODY, Tor
from transports.tor_told import Notice, Progress
from transports.types import N_, CannotMeasure, Endpoint
from transports.wire.pt import adapted

SOLO: Final = frozenset({"meek_lite", "snowflake", "conjure", "dnstt"})
"""Their handshake cannot be looked at from outside, so what tor reaches through them is all there is to see."""

OLDEST: Final = (0, 4, 5)
_MOST: Final = 8  # processes; each has about 45 MB
_VERSION: Final = 5.0  # seconds
_PREFIX: Final = PREFIX + "tor-"
_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
_DIRECTORY: Final = (
    "cached-certs",
    "cached-microdesc-consensus",
    "cached-microdescs",
    "cached-microdescs.new",
)

_MISSING: Final = N_(
    "tor is missing: apt install tor (Debian, Ubuntu), dnf install tor, brew install tor, or pkg install tor (Termux)"
)
_NO_VERSION: Final = N_("tor does not tell its version; try another one")
_OLD: Final = N_("tor {version} is too old: install {oldest} or a newer one")
_ENDED: Final = N_("tor stopped as soon as it was started: look at the lines given by --torrc")
_STOPPED: Final = N_("tor has stopped; run the check again")
_MANY: Final = N_("too many bridges that each need a tor of their own: test the rest in another run")


@dataclass(frozen=True, slots=True, kw_only=True)
class TorProgram:
    """A tor that can be used."""

    path: Path
    version: str


@dataclass(slots=True, kw_only=True, repr=False)
class TorDoor(Door):
    """What a dial through one bridge needs. The circuit is kept for the later dials of the same try."""

    engine: TorEngine
    pts: Plugins | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    tor: Tor | None = None
    fingerprint: str = ""
    circuit: str = ""
    used: set[str] = field(default_factory=set)  # exits

    def __repr__(self) -> str:
        """Keep the fingerprint out of logs and tracebacks."""
        return f"TorDoor(circuit={bool(self.circuit)})"


class TorEngine:
    """Running tors. `doors` maps endpoint keys to doors, or to why there is none.

    `notices` are what a person should know besides (a wrong clock); `pids` are the processes.
    """

    def __init__(self, starter: _Starter) -> None:
        self.doors: dict[str, Door | CannotMeasure] = {}
        self.notices = starter.notices
        self.pids = starter.pids
        self._starter = starter
        self._shared: list[Tor] = []
        self._lock = asyncio.Lock()

    @property
    def progress(self) -> Progress:
        """How far the shared tor has come into the network."""
        return self._shared[0].progress if self._shared else Progress()

    async def begin(self) -> None:
        """Start the shared tor; it gets ready while the handshakes run."""
        self._shared.append(await self._starter.start())

    async def for_bridge(self, fingerprint: str, line: str) -> Tor:
        """Return the tor that may have this bridge.

        tor tells bridges apart by fingerprint only, so of two lines with one fingerprint each gets another tor:
        nobody could say which of the two a circuit has gone through.
        """
        async with self._lock:
            for tor in self._shared:
                if tor.lines.setdefault(fingerprint, line) == line:
                    return tor
            another = await self._starter.start(like=self._shared[0] if self._shared else None)
            another.lines[fingerprint] = line
            self._shared.append(another)
            return another

    async def solo(self, *, bridges: bool = True) -> Tor:
        """Start a tor for one bridge, or for none."""
        async with self._lock:
            return await self._starter.start(bridges=bridges)


@dataclass(slots=True, kw_only=True)
class _Starter:
    found: TorProgram
    guard: Guard
    folder: Path
    torrc: str
    pts: Plugins | None
    stack: AsyncExitStack
    notices: list[Notice] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)

    async def start(self, *, bridges: bool = True, like: Tor | None = None) -> Tor:
        """Run a tor until the stack is left; it is not connected to anything yet. Raises CannotMeasure.

        The list of relays is taken over from `like`: it is the same, and megabytes.
        """
        if len(self.pids) >= _MOST:
            raise CannotMeasure(_MANY)
        async with AsyncExitStack() as attempt:
            data = await attempt.enter_async_context(_own_folder(self.folder, self.guard))
            if like is not None:
                await asyncio.to_thread(_copy_directory, like.port_file.parent, data)
            tor: Tor | None = None

            def hear(event: Any) -> None:
                if tor is not None:
                    tor.hear(event)

            def end() -> None:
                if tor is not None:
                    tor.end(CannotMeasure(_STOPPED if tor.progress.moved else _ENDED))

            control = await attempt.enter_async_context(Control.running(hear))
            tor = Tor(control, data / "control-port", self.notices)
            running = await attempt.enter_async_context(
                program(
                    [str(self.found.path), "-f", "-", "--defaults-torrc", str(data / "none")],
                    guard=self.guard,
                    feed=self._torrc(data, bridges=bridges).encode(),
                    on_line=lambda line: None,
                    on_end=end,
                    env={"HOME": str(data), "TMPDIR": str(data)},
                )
            )
            self.pids.append(running.pid)
            self.stack.push_async_exit(attempt.pop_all())
        return tor

    def _torrc(self, data: Path, *, bridges: bool) -> str:
        lines = [
            f"DataDirectory {_quoted(data)}",
            f"ControlPortWriteToFile {_quoted(data / 'control-port')}",
            f"GeoIPFile {_quoted(data / 'none')}",
            f"GeoIPv6File {_quoted(data / 'none')}",
            f"__OwningControllerProcess {os.getpid()}",
            *_FIXED,
        ]
        if bridges:
            lines += ["UseBridges 1", f"Bridge {NOBODY}", "__DisablePredictedCircuits 1"]
            for plugin in self.pts.running if self.pts else ():
                for name, method in plugin.methods.items():
                    at = f"[{method.host}]" if ":" in method.host else method.host
                    lines.append(f"ClientTransportPlugin {name} socks5 {at}:{method.port}")
        return "\n".join([*lines, self.torrc, ""])


_FIXED: Final = (
    "SocksPort 127.0.0.1:auto IsolateSOCKSAuth",
    "ControlPort 127.0.0.1:auto",
    "CookieAuthentication 1",
    "DisableNetwork 1",
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


def bridge_line(endpoint: Endpoint, fingerprint: str, pts: Plugins | None) -> str:
    """Return the line for tor, with this fingerprint and with arguments that the transport's program knows."""
    options: Mapping[str, Any] = endpoint.options or {}
    name = str(options.get("pt", ""))
    at = f"[{endpoint.host}]:{endpoint.port}" if ":" in endpoint.host else f"{endpoint.host}:{endpoint.port}"
    if name == "vanilla":
        return f"{at} {fingerprint}"
    if pts is None:
        raise CannotMeasure(_STOPPED)
    args: Mapping[str, str] = options.get("args") or {}
    known = args if pts.of(name).is_modern else adapted(name, args)
    return " ".join([name, at, fingerprint, *(f"{key}={value}" for key, value in known.items())])


async def find(explicit: str | None = None) -> TorProgram:
    """Return the given tor, else the installed one. Raises CannotMeasure that says what to do."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_PLACES])
    found = explicit or shutil.which("tor", path=path)
    if found is None:
        raise CannotMeasure(_MISSING)
    try:
        _, lines = await output([str(runnable(Path(found))), "--version"], guard=None, limit=_VERSION)
    except TimeoutError as error:
        raise CannotMeasure(_NO_VERSION) from error
    told = re.search(r"^Tor version ((\d+)\.(\d+)\.(\d+)\S{0,40})", "\n".join(lines), re.MULTILINE)
    if told is None:
        raise CannotMeasure(_NO_VERSION)
    version = told[1].rstrip(".")
    if tuple(int(number) for number in told.groups()[1:]) < OLDEST:
        raise CannotMeasure(_OLD, version=version, oldest=".".join(map(str, OLDEST)))
    return TorProgram(path=Path(found), version=version)


@asynccontextmanager
async def opened(
    endpoints: Sequence[Endpoint],
    *,
    guard: Guard,
    folder: Path,
    torrc: str = "",
    pts: Plugins | None = None,
    tor: TorProgram | None = None,
) -> AsyncIterator[TorEngine]:
    """Give a door to each endpoint (`tor_bridge`, and `tor` for no bridge); there is always an entry for each.

    `folder` should be in memory. `torrc` is text to be appended, for private networks. `pts` are the running
    transport programs: tor is led to them and starts none itself. Raises CannotMeasure when tor cannot be run.
    """
    found = tor or await find()
    async with AsyncExitStack() as stack:
        starter = _Starter(found=found, guard=guard, folder=folder, torrc=torrc, pts=pts, stack=stack)
        engine = TorEngine(starter)
        shared = False
        for endpoint in endpoints:
            transport = str((endpoint.options or {}).get("pt", ""))
            try:
                if transport and transport != "vanilla":
                    (pts or Plugins()).of(transport)
            except CannotMeasure as reason:
                engine.doors[endpoint.key()] = reason
            else:
                engine.doors[endpoint.key()] = TorDoor(
                    port=0, username="", password="", engine=engine, pts=pts
                )
                shared = shared or bool(transport and transport not in SOLO)
        if shared:
            await engine.begin()
        yield engine


@asynccontextmanager
async def _own_folder(folder: Path, guard: Guard) -> AsyncIterator[Path]:
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    try:
        await guard.adopt_dir(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(CannotMeasure):  # without a guard there is nobody left to be told
            await guard.release_dir(path)


def _copy_directory(old: Path, new: Path) -> None:
    for name in _DIRECTORY:
        with suppress(OSError):
            shutil.copyfile(old / name, new / name)

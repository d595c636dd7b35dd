"""tor as an engine: one process for all bridges that can be asked who they are, one of its own for every other.

How one is started stands in `transports.tor_start`. A shared tor that dies is started again, once in a run. Those
with one bridge each are few at a time; whoever needs one waits until another bridge is done with its own.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from transports.guard import Guard
from transports.knock import TO_THE_ADDRESS, is_placeholder
from transports.net import Door
from transports.pt_engine import Plugins
from transports.tor_process import ENOUGH, Tor
from transports.tor_start import OLDEST, STOPPED, Starter, TorProgram, find, installed
from transports.tor_told import Clocks, Notice, Progress
from transports.types import N_, CannotMeasure, Endpoint, Observation
from transports.wire.pt import adapted

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "OLDEST",
    "SOLO",
    "TorDoor",
    "TorEngine",
    "TorProgram",
    "bridge_line",
    "find",
    "installed",
    "opened",
]

SOLO: Final = frozenset({"meek_lite", "snowflake", "conjure", "dnstt"})
"""Their handshake cannot be looked at from outside, so what tor reaches through them is all there is to see."""

MOST: Final = 8
"""Processes at a time; each has about 45 MB."""

_SHARED: Final = 4  # of them
_REVIVALS: Final = 1
_FRESH: Final = 30.0  # seconds for which a step forward is news
_YOUNG: Final = (
    540.0  # seconds in which tor does not close an idle circuit by itself (MaxCircuitDirtiness: 600)
)
_IDLE: Final = 2.0  # seconds after its last stream in which a bridge may still want its tor
_MANY: Final = N_(
    "more than {n} different lines for one and the same bridge, and each needs a tor of its own: test the rest in another run"
)


@dataclass(slots=True, kw_only=True, repr=False, eq=False)
class TorDoor(Door):
    """What a dial through one bridge needs. The circuit is kept for the later dials of the same try."""

    engine: TorEngine
    pts: Plugins | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    tor: Tor | None = None
    fingerprint: str = ""
    circuit: str = ""
    used: set[str] = field(default_factory=set)  # exits
    shaken: tuple[str, tuple[Observation, ...]] | None = None  # who answered the handshakes, and the steps
    made: float = 0.0  # loop time when the circuit was built
    renewing: bool = False
    users: int = 0
    kept_until: float = 0.0  # loop time

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep its tor for the length of the block, and a little longer if that ended well."""
        self.users += 1
        self.kept_until = 0.0
        try:
            yield
            self.kept_until = asyncio.get_running_loop().time() + _IDLE
        finally:
            self.users -= 1
            self.engine.stir()

    @property
    def fallen(self) -> str:
        """The circuit that has fallen and is not replaced yet, "" while all is well. tor closes old ones itself."""
        if self.tor is None or self.circuit in ("", "0"):
            return ""
        if self.tor.carries(self.circuit):
            return ""
        young = asyncio.get_running_loop().time() - self.made < _YOUNG
        return self.circuit if young or self.tor.gone is not None else ""

    def forget(self) -> None:
        """Begin anew at the next dial."""
        self.tor, self.circuit = None, ""

    def __eq__(self, other: object) -> bool:
        """Each is its own; a Door would compare what all of these have in common."""
        return self is other

    def __hash__(self) -> int:
        """Go with the identity."""
        return id(self)

    def __repr__(self) -> str:
        """Keep the fingerprint out of logs and tracebacks."""
        return f"TorDoor(circuit={bool(self.circuit)})"


class TorEngine:
    """Running tors. `doors` maps endpoint keys to doors, or to why there is none.

    `notices` are what a person should know besides (a wrong clock); `pids` are the processes.
    """

    def __init__(self, starter: Starter) -> None:
        self.doors: dict[str, Door | CannotMeasure] = {}
        self.notices: list[Notice] = starter.notices
        self.pids = starter.pids
        self.clocks = Clocks(starter.notices)
        self._starter = starter
        self._shared: list[Tor] = []
        self._solos: dict[TorDoor, Tor] = {}
        self._starting = 0
        self._revivals = _REVIVALS
        self._lock = asyncio.Lock()
        self._stirred = asyncio.Event()

    @property
    def progress(self) -> Progress:
        """How far the one is that moved last on its way to the list of relays; else the one that came furthest."""
        known = [tor.progress for tor in self._starter.tors]
        since = asyncio.get_running_loop().time() - _FRESH
        loading = [one for one in known if one.percent < ENOUGH and one.moved > since]
        if loading:
            return max(loading, key=lambda one: one.moved)
        return max(known, key=lambda one: one.percent, default=Progress())

    @property
    def received(self) -> int:
        """Bytes that all of them have received."""
        return self._starter.past + sum(tor.progress.received for tor in self._starter.tors)

    @property
    def rate(self) -> float:
        """Bytes a second that come in now, for all of them together."""
        return sum(tor.progress.rate for tor in self._starter.tors)

    async def begin(self) -> None:
        """Start the shared tor; it gets ready while the handshakes run."""
        self._shared.append(await self._starter.start())

    async def for_bridge(self, fingerprint: str, line: str) -> Tor:
        """Return the tor that may have this bridge.

        tor tells bridges apart by fingerprint only, so of two lines with one fingerprint each gets another tor:
        nobody could say which of the two a circuit has gone through. So do two at one address, of which tor keeps
        the later one only. Raises CannotMeasure.
        """
        async with self._lock:
            old = await self._bury()
            address = _address(line)
            for tor in self._shared:
                taken = any(
                    _address(other) == address for name, other in tor.lines.items() if name != fingerprint
                )
                if not taken and tor.lines.setdefault(fingerprint, line) == line:
                    return tor
            if len(self._shared) >= _SHARED:
                raise CannotMeasure(_MANY, n=_SHARED)
            another = await self._starter.start(like=self._shared[0] if self._shared else old)
            if old is not None:
                await self._starter.end(old)
            another.lines[fingerprint] = line
            self._shared.append(another)
            return another

    def outlives(self, tor: Tor | None) -> bool:
        """Say whether there can be another shared tor in the place of this dead one."""
        if tor is None or tor.gone is None or tor in self._solos.values():
            return False
        return tor not in self._shared or (self._revivals > 0 and tor.was_ready)

    async def _bury(self) -> Tor | None:
        """Take a dead shared tor out of use; return it. Raises CannotMeasure if no other may take its place."""
        dead = next((tor for tor in self._shared if tor.gone is not None), None)
        if dead is not None:
            if not self.outlives(dead):
                dead.alive()
            self._revivals -= 1
            self._shared.remove(dead)
        return dead

    async def solo(self, door: TorDoor, *, bridges: bool = True) -> Tor:
        """Start a tor for one bridge, or for none. It is the door's until another one needs the place.

        Waits for a place while all are in use; that time is not the bridge's. Raises CannotMeasure.
        """
        await self._place()
        try:
            tor = self._solos[door] = await self._starter.start(bridges=bridges)
        finally:
            self._starting -= 1
            self.stir()
        return tor

    async def _place(self) -> None:
        """Wait for a place, and take it."""
        loop = asyncio.get_running_loop()
        while len(self._solos) + self._starting + max(len(self._shared), 1) >= MOST:
            now = loop.time()
            idle = [door for door in self._solos if not door.users]
            over = next((door for door in idle if door.kept_until <= now), None)
            if over is not None:
                over.forget()
                await self._starter.end(self._solos.pop(over))
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min((door.kept_until for door in idle), default=None)):
                    await self._stirred.wait()
        self._starting += 1

    def stir(self) -> None:
        """Wake those who wait for a place."""
        self._stirred.set()
        self._stirred = asyncio.Event()


def bridge_line(endpoint: Endpoint, fingerprint: str, pts: Plugins | None) -> str:
    """Return the line for tor, with this fingerprint and with arguments that the transport's program knows."""
    options: Mapping[str, Any] = endpoint.options or {}
    name = str(options.get("pt", ""))
    at = f"[{endpoint.host}]:{endpoint.port}" if ":" in endpoint.host else f"{endpoint.host}:{endpoint.port}"
    if name not in TO_THE_ADDRESS and is_placeholder(endpoint.host):
        at = _made_up(endpoint)
    if name == "vanilla":
        return f"{at} {fingerprint}"
    if pts is None:
        raise CannotMeasure(STOPPED)
    args: Mapping[str, str] = options.get("args") or {}
    known = args if pts.of(name).is_modern else adapted(name, args)
    return " ".join([name, at, fingerprint, *(f"{key}={value}" for key, value in known.items())])


def _made_up(endpoint: Endpoint) -> str:
    """Return an address of its own for a line whose address means nothing.

    Many such lines have the same one, and of two bridges at one address tor forgets the first.
    """
    digest = hashlib.sha256(endpoint.key().encode()).digest()
    return f"[2001:db8:{digest[:2].hex()}:{digest[2:4].hex()}::{digest[4:6].hex()}]:{endpoint.port}"


def _address(line: str) -> str:
    """Return the address in a line for tor: the first word with a colon."""
    return next((word for word in line.split() if ":" in word), "")


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
    async with Starter(found=found, guard=guard, folder=folder, torrc=torrc, pts=pts) as starter:
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

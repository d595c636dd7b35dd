"""Pluggable-transport programs: finding them, running them for the whole run, and asking what they offer.

One process for each program. They are started on the event loop's own thread, never in a worker: obfs4proxy asks
the system (PR_SET_PDEATHSIG) to be ended with the thread that started it. They end when their input closes.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from transports import install
from transports.engines import Program, output, program, runnable, search_path, within
from transports.guard import Guard
from transports.own_folder import own_folder
from transports.types import N_, CannotMeasure
from transports.wire.pt import Broken, Dialogue, Log, Method

VARIABLE: Final = "SANYLAU_PT_PATH"
KNOWN: Final[Mapping[str, tuple[str, ...]]] = {  # what each program may be able to do; the better one first
    "lyrebird": ("obfs4", "webtunnel", "snowflake", "meek_lite", "obfs3", "obfs2", "scramblesuit"),
    "webtunnel-client": ("webtunnel",),
    "snowflake-client": ("snowflake",),
    "conjure-client": ("conjure",),
    "obfs4proxy": ("obfs4", "meek_lite", "obfs3", "obfs2", "scramblesuit"),
}
TRANSPORTS: Final = frozenset(name for names in KNOWN.values() for name in names)
_PLUGINS: Final = "TorBrowser/Tor/PluggableTransports"
_BUNDLES: Final = (  # where Tor Browser and the Tor Expert Bundle lie; "~" is the person's home
    "~/.local/share/torbrowser/tbb/x86_64/tor-browser/Browser/" + _PLUGINS,
    "~/.local/share/torbrowser/tbb/aarch64/tor-browser/Browser/" + _PLUGINS,
    "~/.var/app/org.torproject.torbrowser-launcher/data/torbrowser/tbb/x86_64/tor-browser/Browser/"
    + _PLUGINS,
    "~/tor-browser/Browser/" + _PLUGINS,
    "~/Downloads/tor-browser/Browser/" + _PLUGINS,
    "~/Desktop/tor-browser/Browser/" + _PLUGINS,
    "~/Desktop/Tor Browser/Browser/" + _PLUGINS,
    "~/Downloads/Tor Browser/Browser/" + _PLUGINS,
    "~/tor-expert-bundle/tor/pluggable_transports",
    "~/Downloads/tor-expert-bundle/tor/pluggable_transports",
    "/opt/tor-browser/Browser/" + _PLUGINS,
    "/usr/lib/tor-browser/Browser/" + _PLUGINS,
    "/usr/lib/torbrowser/Browser/" + _PLUGINS,
    "/Applications/Tor Browser.app/Contents/MacOS/Tor/PluggableTransports",
    "~/Applications/Tor Browser.app/Contents/MacOS/Tor/PluggableTransports",
    "/opt/homebrew/bin",
    "/usr/local/bin",
)
_READY: Final = 5.0  # seconds to name its methods
_VERSION: Final = 5.0
_ROOM: Final = 1024 * 1024  # bytes
_KEPT_LOGS: Final = 50

_MISSING: Final = N_("{transport} bridges need {program}, which is not here: {command}")
_NO_PACKAGE: Final = N_(
    "{transport} bridges need {program}, which is not here: it comes with Tor Browser and the Tor Expert Bundle"
)
PACKAGES: Final[Mapping[str, str]] = {  # of Debian, by transport
    **dict.fromkeys(("obfs4", "meek_lite", "obfs3", "obfs2", "scramblesuit"), "obfs4proxy"),
    "snowflake": "snowflake-client",
}
_UNABLE: Final = N_("{program} does not know {transport} bridges: install a newer one")
_MUTE: Final = N_("{program} does not say where it listens: try another version of it")
_ENDED: Final = N_("{program} ends as soon as it is started: try another version of it")
_STOPPED: Final = N_("{program} has stopped; run the check again")


@dataclass(slots=True, kw_only=True, repr=False)
class Plugin:
    """A running program. `methods` is what it offers of what it was asked for; `version` may be "".

    `logs` are the last things that it said; they may hold addresses and are not to be shown as they are.
    """

    path: Path
    name: str
    pid: int = 0
    version: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    methods: Mapping[str, Method] = field(default_factory=dict)
    logs: deque[Log] = field(default_factory=lambda: deque(maxlen=_KEPT_LOGS))

    @property
    def is_modern(self) -> bool:
        """Whether it understands `fronts=` and `targets=`."""
        return self.name == "lyrebird"

    def alive(self) -> None:
        """Raise CannotMeasure if it has ended: then nothing is known about the other side."""
        if self.ended.is_set():
            raise CannotMeasure(_STOPPED, program=self.name)


class Plugins:
    """The programs of a run, and why there is none for the other transports."""

    def __init__(self) -> None:
        self.running: list[Plugin] = []
        self.reasons: dict[str, CannotMeasure] = {}

    @property
    def offered(self) -> frozenset[str]:
        """The transports that can be used now."""
        return frozenset(
            name for plugin in self.running if not plugin.ended.is_set() for name in plugin.methods
        )

    def of(self, transport: str) -> Plugin:
        """Return the program for `transport`. Raises CannotMeasure that names what to install."""
        for plugin in self.running:
            if transport in plugin.methods:
                plugin.alive()
                return plugin
        reason = self.reasons.get(transport)
        if reason is not None:
            raise CannotMeasure(reason.reason, **reason.values)
        raise missing(transport)


def missing(transport: str) -> CannotMeasure:
    """Return the reason that names the programs for `transport`."""
    able = [name for name, names in KNOWN.items() if transport in names]
    program = " / ".join(able) or transport
    if transport not in PACKAGES:
        return CannotMeasure(_NO_PACKAGE, transport=transport, program=program)
    told = install.command(PACKAGES[transport])
    return CannotMeasure(_MISSING, transport=transport, program=program, command=told)


def find() -> list[Path]:
    """Return the programs that are here, the better ones first.

    What SANYLAU_PT_PATH names (folders or programs, separated as in PATH) goes before all others. Then come the
    search path and the usual places of Tor Browser and the Tor Expert Bundle, which nobody has named: what others
    could have put there is passed over.
    """
    given = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    found = [Path(part).absolute() for part in given if os.path.isfile(part)]
    for name in KNOWN:
        found += within(name, given)
    for name in KNOWN:
        found += within(name, search_path())
        found += filter(_is_safe, within(name, map(os.path.expanduser, _BUNDLES)))
    return list(dict.fromkeys(found))


def _is_safe(program: Path) -> bool:
    """Say whether nobody but us and root could have put this program, or a folder above it, where it is (POSIX)."""
    if sys.platform == "win32":
        return True
    try:
        real = program.resolve()
        return all(map(_is_kept, {program, *program.parents, real, *real.parents}))
    except (OSError, RuntimeError):
        return False


def _is_kept(path: Path) -> bool:
    """Say whether a file, folder or link belongs to us or root and others cannot write there. Raises OSError.

    In a sticky folder (/tmp) others cannot touch what is not theirs. The group of the owner's own number is the
    owner's alone, and the one of macOS' administrators (80) may do everything anyway.
    """
    seen = path.lstat()
    if seen.st_uid not in (0, os.geteuid()):
        return False
    if stat.S_ISLNK(seen.st_mode) or (stat.S_ISDIR(seen.st_mode) and seen.st_mode & stat.S_ISVTX):
        return True
    alone = seen.st_gid == seen.st_uid or (sys.platform == "darwin" and seen.st_gid == 80)
    return not seen.st_mode & (stat.S_IWOTH if alone else stat.S_IWOTH | stat.S_IWGRP)


async def version(path: Path, limit: float = _VERSION) -> str:
    """Return the version that the program tells when asked for it within `limit` seconds, "" if it does not."""
    try:
        _, lines = await output([str(runnable(path)), "--version"], guard=None, limit=limit)
    except TimeoutError:
        return ""
    told = re.search(r"\b[0-9]+\.[0-9]+[0-9A-Za-z.+~-]{0,40}", "\n".join(lines))
    return told[0] if told else ""


@asynccontextmanager
async def opened(
    wanted: Collection[str], *, guard: Guard, folder: Path, programs: Sequence[Path] | None = None
) -> AsyncIterator[Plugins]:
    """Run what is needed for the transports `wanted` until the block is left.

    `folder` should be on memory-backed storage: the programs' state goes to a folder of ours in it, which is erased.
    `programs` are those to choose from, else what `find` finds. A transport for which there is none gets a reason;
    nothing is raised for it.
    """
    plugins = Plugins()
    left = dict.fromkeys(wanted)
    async with AsyncExitStack() as stack:
        chosen = find() if programs is None else programs
        state = (
            await stack.enter_async_context(own_folder("pt", folder, _ROOM, guard))
            if chosen and left
            else folder
        )
        for path in chosen:
            name = path.name.removesuffix(".exe")
            asked = [transport for transport in left if transport in KNOWN.get(name, left)]
            if not asked:
                continue
            plugin = Plugin(path=path, name=name)
            try:
                refused = await stack.enter_async_context(_running(plugin, asked, guard, state / name))
            except CannotMeasure as reason:
                refused = dict.fromkeys(asked, reason)
            else:
                plugins.running.append(plugin)
            plugins.reasons.update(refused)
            for transport in plugin.methods:
                left.pop(transport, None)
        yield plugins


class _Talk:
    """Takes what a program says."""

    def __init__(self, plugin: Plugin, asked: Sequence[str]) -> None:
        self._plugin = plugin
        self.dialogue = Dialogue(asked)
        self.broken: Broken | None = None
        self.settled = asyncio.Event()

    def line(self, text: str) -> None:
        """Take a line, of either output."""
        if self.broken is not None:
            return
        try:
            said = self.dialogue.line(text)
        except Broken as error:
            self.broken = error
            self.settled.set()
            return
        if isinstance(said, Log):
            self._plugin.logs.append(said)
        if self.dialogue.done:
            self.settled.set()

    def end(self) -> None:
        """Note that the program has ended."""
        self._plugin.ended.set()
        self.settled.set()


@asynccontextmanager
async def _running(
    plugin: Plugin, asked: Sequence[str], guard: Guard, state: Path
) -> AsyncIterator[Mapping[str, CannotMeasure]]:
    """Run one program; give the transports that it turns down. Raises CannotMeasure if it is of no use."""
    path = runnable(plugin.path)
    talk = _Talk(plugin, asked)
    async with program(
        [str(path)],
        guard=guard,
        feed=None,
        on_line=talk.line,
        on_end=talk.end,
        env=_surroundings(asked, state),
    ) as process:
        await _settle(plugin, talk, process)
        plugin.pid = process.pid
        plugin.version = talk.dialogue.version
        plugin.methods = talk.dialogue.methods
        yield {
            name: CannotMeasure(_UNABLE, program=plugin.name, transport=name)
            for name in asked
            if name not in plugin.methods
        }


def _surroundings(asked: Sequence[str], state: Path) -> dict[str, str]:
    """Return what pt-spec 3.2 wants in the environment; whatever the program writes goes to `state`."""
    state.mkdir(mode=0o700, exist_ok=True)
    return {
        "TOR_PT_MANAGED_TRANSPORT_VER": "1",
        "TOR_PT_STATE_LOCATION": str(state.absolute()),
        "TOR_PT_EXIT_ON_STDIN_CLOSE": "1",
        "TOR_PT_CLIENT_TRANSPORTS": ",".join(asked),
        "HOME": str(state),
        "TMPDIR": str(state),
    }


async def _settle(plugin: Plugin, talk: _Talk, process: Program) -> None:
    """Wait until the program has named its methods. Raises CannotMeasure."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_READY):
            await talk.settled.wait()
            if process.ended.is_set():  # its last words may still be in the pipe
                await process.drained.wait()
    if talk.broken is not None:
        raise CannotMeasure(talk.broken.reason, program=plugin.name)
    if process.ended.is_set():
        raise CannotMeasure(_ENDED, program=plugin.name)
    if not talk.dialogue.done:
        raise CannotMeasure(_MUTE, program=plugin.name)

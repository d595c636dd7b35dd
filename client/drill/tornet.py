"""A private Tor network on loopback, with bridges that work and bridges that only look as if they did.

Three authorities, which are the exits as well, and real programs for every bridge (`tornet_nodes`). It needs
no root, keeps all of its files in one folder in memory, and is known to the guard from its first process on.
A client needs the lines of `TorNet.torrc` and nothing else.
"""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from client.drill import hostile, tornet_nodes
from client.drill.ca import Authority
from client.drill.origin import playing_origin
from client.drill.relays import relay
from client.drill.serving import Peer, holding, nobody, reach, serving
from client.drill.tornet_nodes import HOST, Node, NotStarted, Site, own_folder
from client.tasks import together
from transports.guard import Guard
from transports.types import N_, CannotMeasure, Rejected

BASE: Final = "vanilla-1"
"""The bridge that always plays: others share its tor."""

_ATTEMPTS: Final = 3
_LIFETIME: Final = 3600.0  # seconds; a Tor link stays open for long
_MOST: Final = 2048
_AT_ONCE: Final = 8  # processes that start at the same time
_NOT_STARTED: Final = N_("the Tor network of the drill did not start; try again")


class Kind(StrEnum):
    """What is true of a bridge."""

    GOOD = "good"
    WRONG_FINGERPRINT = "wrong_fingerprint"  # a good bridge, another fingerprint in the line
    WRONG_CERT = "wrong_cert"  # a good obfs4 bridge, another cert in the line
    ZOMBIE = "zombie"  # all handshakes, its descriptor, the consensus; but no way out of it
    NO_TOR = "no_tor"  # obfs4 answers, the tor behind it is gone
    REFUSED = "refused"  # the port is closed
    SILENT = "silent"  # it accepts and says nothing
    WEBSITE = "website"  # an HTTPS site is there


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TorBridge:
    """A bridge: where it is, and the `line` that the person was given, right or wrong.

    `fingerprint` and `cert` are what stands in the line; vanilla bridges have no `cert`.
    """

    name: str
    kind: Kind
    host: str
    port: int
    fingerprint: str
    cert: str = ""

    @property
    def line(self) -> str:
        """The bridge line as people pass it on."""
        at = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        if not self.cert:
            return f"{at} {self.fingerprint}"
        return f"obfs4 {at} {self.fingerprint} cert={self.cert} iat-mode=0"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TorNet:
    """A running network. `torrc` is what a client has to append; `pids` has the processes by name.

    `seen` counts the connections to each bridge, if the network was asked to count them.
    """

    torrc: str
    folder: Path
    bridges: dict[str, TorBridge]
    pids: dict[str, int]
    seen: Counter[str]


@dataclass(slots=True)
class Counted:
    """A bridge behind a counter: use its `bridge` in place of the one that it stands for."""

    bridge: TorBridge
    connections: int = 0


def missing() -> list[str]:
    """Return the programs that a network needs and that are not installed."""
    wanted = {
        "tor": tornet_nodes.tor(),
        "tor-gencert": tornet_nodes.tor_gencert(),
        "obfs4proxy": tornet_nodes.obfs4(),
    }
    return [name for name, found in wanted.items() if found is None]


@asynccontextmanager
async def playing_tor(
    *, bridges: Collection[str] | None = None, guard: Guard, counted: bool = False
) -> AsyncIterator[TorNet]:
    """Run a network with the bridges of these names (all of `BRIDGES` for None) for the length of the block.

    `BASE` is always among them. Takes 12 to 20 s. With `counted` there is a counter before each bridge.
    Raises Rejected for an unknown name, CannotMeasure where a program is missing or nothing comes up.
    """
    wanted = tuple(BRIDGES) if bridges is None else tuple(dict.fromkeys((BASE, *bridges)))
    for name in wanted:
        if name not in BRIDGES:
            raise Rejected(N_("the drill has no part called {name}"), name=name)
    if lacking := missing():
        raise CannotMeasure(N_("the Tor part of the drill needs: {programs}"), programs=", ".join(lacking))
    async with AsyncExitStack() as stack:
        try:
            site = await _founded(guard, stack)
            cast = await _placed(site, wanted, stack)
        except NotStarted as error:
            raise CannotMeasure(_NOT_STARTED) from error
        net = TorNet(torrc=site.torrc, folder=site.folder, bridges=cast, pids=site.pids, seen=Counter())
        if counted:
            for bridge in list(cast.values()):
                if bridge.kind is not Kind.REFUSED:
                    cast[bridge.name] = await stack.enter_async_context(_tallied(bridge, net.seen))
        yield net


async def _founded(guard: Guard, stack: AsyncExitStack) -> Site:
    """Bring up the authorities; once more where a port was taken meanwhile."""
    for attempt in range(1, _ATTEMPTS + 1):
        async with AsyncExitStack() as tried:
            site = Site(folder=await tried.enter_async_context(own_folder(guard)), guard=guard)
            try:
                await tried.enter_async_context(tornet_nodes.authorities(site))
            except NotStarted:
                if attempt == _ATTEMPTS:
                    raise
                continue
            stack.push_async_exit(tried.pop_all())
            return site
    raise NotStarted


async def _placed(site: Site, names: Collection[str], stack: AsyncExitStack) -> dict[str, TorBridge]:
    base = await stack.enter_async_context(tornet_nodes.bridge(site, BASE))
    scene = Scene(site=site, base=base, authority=Authority("Drill Root"))
    placed: dict[str, TorBridge] = {}

    async def place(name: str) -> None:
        kind, start = BRIDGES[name]
        where = await stack.enter_async_context(start(scene, name))
        placed[name] = TorBridge(
            name=name,
            kind=kind,
            host=where.host,
            port=where.port,
            fingerprint=where.fingerprint,
            cert=where.cert,
        )

    await together(*(place(name) for name in names))
    return {name: placed[name] for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the bridges share."""

    site: Site
    base: Node
    authority: Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a bridge is, and what its line says of its keys."""

    port: int
    fingerprint: str
    cert: str = ""
    host: str = HOST


Start = Callable[[Scene, str], AbstractAsyncContextManager[Place]]


def _random_fingerprint() -> str:
    return secrets.token_hex(20).upper()


def _random_cert() -> str:
    """Return a cert as obfs4 writes it: 52 bytes of base64 without the padding."""
    return base64.b64encode(secrets.token_bytes(52)).decode("ascii").rstrip("=")


@asynccontextmanager
async def _vanilla(scene: Scene, name: str) -> AsyncIterator[Place]:
    if name == BASE:
        yield Place(port=scene.base.port, fingerprint=scene.base.fingerprint)
        return
    async with tornet_nodes.bridge(scene.site, name) as node:
        yield Place(port=node.port, fingerprint=node.fingerprint)


@asynccontextmanager
async def _vanilla_wrong_fingerprint(scene: Scene, name: str) -> AsyncIterator[Place]:
    async with _passing_on(HOST, scene.base.port) as port:
        yield Place(port=port, fingerprint=_random_fingerprint())


@asynccontextmanager
async def _dressed(scene: Scene, name: str, node: Node, host: str = HOST) -> AsyncIterator[Place]:
    """Put obfs4 in front of a tor."""
    site, pt = scene.site, f"{name}-pt"
    async with tornet_nodes.obfs4_server(
        site.folder / pt, node.port, guard=site.guard, host=host, pids=site.pids
    ) as (port, cert):
        yield Place(port=port, fingerprint=node.fingerprint, cert=cert, host=host)


def _obfs4(node: Callable[[Site, str], AbstractAsyncContextManager[Node]], host: str = HOST) -> Start:
    """Run a tor of its own, and obfs4 in front of it."""

    @asynccontextmanager
    async def start(scene: Scene, name: str) -> AsyncIterator[Place]:
        async with node(scene.site, name) as behind, _dressed(scene, name, behind, host) as place:
            yield place

    return start


def _obfs4_lying(change: Callable[[Place], Place]) -> Start:
    """Run obfs4 in front of the base; its line is changed."""

    @asynccontextmanager
    async def start(scene: Scene, name: str) -> AsyncIterator[Place]:
        async with _dressed(scene, name, scene.base) as place:
            yield change(place)

    return start


@asynccontextmanager
async def _obfs4_no_tor(scene: Scene, name: str) -> AsyncIterator[Place]:
    async with nobody() as dead:
        node = Node(port=dead, fingerprint=_random_fingerprint())
        async with _dressed(scene, name, node) as place:
            yield place


def _nothing(serve: Callable[[Scene], AbstractAsyncContextManager[int]], *, obfs4: bool) -> Start:
    """Put something on a port that is no bridge at all, and make up the rest of the line."""

    @asynccontextmanager
    async def start(scene: Scene, name: str) -> AsyncIterator[Place]:
        async with serve(scene) as port:
            yield Place(port=port, fingerprint=_random_fingerprint(), cert=_random_cert() if obfs4 else "")

    return start


def _refused(scene: Scene) -> AbstractAsyncContextManager[int]:
    return nobody()


def _silent(scene: Scene) -> AbstractAsyncContextManager[int]:
    return serving(hostile.silent, most=_MOST)


@asynccontextmanager
async def _website(scene: Scene) -> AsyncIterator[int]:
    async with playing_origin(scene.authority) as origin:
        yield origin.https_port


BRIDGES: Final[Mapping[str, tuple[Kind, Start]]] = {
    BASE: (Kind.GOOD, _vanilla),
    "vanilla-2": (Kind.GOOD, _vanilla),
    "obfs4-1": (Kind.GOOD, _obfs4(tornet_nodes.bridge)),
    "obfs4-2": (Kind.GOOD, _obfs4(tornet_nodes.bridge, "::1")),
    "vanilla-wrong-fingerprint": (Kind.WRONG_FINGERPRINT, _vanilla_wrong_fingerprint),
    "obfs4-wrong-fingerprint": (
        Kind.WRONG_FINGERPRINT,
        _obfs4_lying(lambda place: replace(place, fingerprint=_random_fingerprint())),
    ),
    "obfs4-wrong-cert": (Kind.WRONG_CERT, _obfs4_lying(lambda place: replace(place, cert=_random_cert()))),
    "obfs4-zombie": (Kind.ZOMBIE, _obfs4(tornet_nodes.zombie)),
    "obfs4-no-tor": (Kind.NO_TOR, _obfs4_no_tor),
    "vanilla-refused": (Kind.REFUSED, _nothing(_refused, obfs4=False)),
    "vanilla-silent": (Kind.SILENT, _nothing(_silent, obfs4=False)),
    "vanilla-website": (Kind.WEBSITE, _nothing(_website, obfs4=False)),
    "obfs4-refused": (Kind.REFUSED, _nothing(_refused, obfs4=True)),
    "obfs4-silent": (Kind.SILENT, _nothing(_silent, obfs4=True)),
    "obfs4-website": (Kind.WEBSITE, _nothing(_website, obfs4=True)),
}
"""Every bridge that can play, with what is true of it. No two lines have one address in common."""


@asynccontextmanager
async def _passing_on(host: str, port: int, note: Callable[[], None] = lambda: None) -> AsyncIterator[int]:
    """Pass connections on to `host`:`port`, from a free port of the same host; `note` each one."""

    async def handle(peer: Peer) -> None:
        note()
        async with holding(await reach(host, port)) as far:
            await relay(peer, far)

    async with serving(handle, host=host, lifetime=_LIFETIME, most=_MOST) as near:
        yield near


@asynccontextmanager
async def _tallied(bridge: TorBridge, seen: Counter[str]) -> AsyncIterator[TorBridge]:
    async with _passing_on(bridge.host, bridge.port, lambda: seen.update([bridge.name])) as port:
        yield replace(bridge, port=port)


@asynccontextmanager
async def counting(bridge: TorBridge) -> AsyncIterator[Counted]:
    """Put a counter of connections before a bridge of any network.

    Before a closed port it is a server that closes each connection unheard.
    """
    counted = Counted(bridge)

    def note() -> None:
        counted.connections += 1

    async with _passing_on(bridge.host, bridge.port, note) as port:
        counted.bridge = replace(bridge, port=port)
        yield counted


@asynccontextmanager
async def crowd(
    behind: TorBridge, count: int, *, guard: Guard, processes: int = 1
) -> AsyncIterator[list[TorBridge]]:
    """Run `count` good obfs4 bridges in front of one good vanilla bridge, for load.

    They have ports of their own and one fingerprint; certs are as many as `processes`. Where a process has
    to serve several, relays of this loop stand before it: so for measured times let `processes` be `count`
    (1 MB each). Raises CannotMeasure.
    """
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(own_folder(guard))
        doors: list[tuple[int, str]] = []

        async def open_door(number: int) -> None:
            at = folder / str(number)
            doors.append(
                await stack.enter_async_context(tornet_nodes.obfs4_server(at, behind.port, guard=guard))
            )

        try:
            for first in range(0, processes, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, processes))
                await together(*(open_door(number) for number in numbers))
        except NotStarted as error:
            raise CannotMeasure(_NOT_STARTED) from error
        bridges = []
        for number in range(count):
            port, cert = doors[number % processes]
            if number >= processes:
                port = await stack.enter_async_context(_passing_on(HOST, port))
            name = f"obfs4-of-{number + 1}"
            bridges.append(replace(behind, name=name, port=port, cert=cert))
        yield bridges

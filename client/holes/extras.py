"""Beside the ports: resolvers that lead abroad, and the addresses of an allow-list."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from client import roots, sources, targets
from client.diagnosis import roots_known
from client.diagnosis.anchors import Anchors, KnownName
from client.diagnosis.around import Around, no_plugins
from client.diagnosis.ask import ask
from client.diagnosis.asks import Ask
from client.diagnosis.sights import Name, Place, Test
from client.holes import names
from client.holes.events import Listed
from client.holes.names import Recursing, Resolver
from client.tasks import Crew
from transports.proxyline import check_host, parse_port
from transports.stream import is_literal
from transports.types import N_, Rejected

MOST_LISTED: Final = 200
Pace = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Target:
    """An entry of an allow-list."""

    host: str
    port: int
    name: str = ""


def read_list(file: str, known: Anchors) -> tuple[Target, ...]:
    """Return the entries of a file, or those of the anchors. Raises Rejected."""
    if file:
        lines = sources.load(file)[1].splitlines()
        entries = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
        if len(entries) > MOST_LISTED:
            raise Rejected(N_("--listed: at most {most} addresses at once"), most=MOST_LISTED)
        return tuple(_entry(line, number) for number, line in enumerate(entries, 1))
    return tuple(
        Target(host=address, port=server.ports[0], name=server.name)
        for server in known.at(Place.LISTED)
        for address in (server.addresses or (server.name,))
    )


def _entry(line: str, number: int) -> Target:
    """Read "address", "address:port" or "[address]:port"."""
    bare = line.split("#")[0].strip()
    host, port = bare, "443"
    if bare.startswith("["):
        host, _, port = bare[1:].partition("]")
        port = port.removeprefix(":") or "443"
    elif bare.count(":") == 1:
        host, _, port = bare.partition(":")
    try:
        target = Target(host=check_host(host), port=parse_port(port))
    except Rejected:
        target = None
    if target is None or not is_literal(target.host):
        raise Rejected(
            N_("--listed, entry {number}: give an address and a port, for example 192.0.2.7:443"),
            number=number,
        )
    return target


async def resolvers(
    asked: Sequence[Resolver],
    known: Sequence[KnownName],
    large: Sequence[tuple[str, str]],
    pace: Pace,
    tell: Callable[[Recursing], None],
) -> None:
    """Ask all of them, side by side at one pace."""
    if not asked or not known:
        return

    async def one(resolver: Resolver) -> None:
        with suppress(ImportError):  # dnspython is not here: nothing can be said
            tell(await names.ask(resolver, known, large, pace))

    async with Crew() as crew:
        await asyncio.wait([crew.start(one(resolver), "resolver") for resolver in asked])


async def allow_list(
    listed: Sequence[Target], known: Anchors, pace: Pace, tell: Callable[[Listed], None]
) -> None:
    """Ask every entry, side by side at one pace."""
    if not listed:
        return
    around = Around(
        tls=roots.loader(known.ca),
        system=_system_context,
        known=roots_known.load(),
        pace=pace,
        agent=random.SystemRandom().choice(targets.builtin().agents),
        plugins=no_plugins,
    )
    async with Crew() as crew:
        await asyncio.wait(
            [
                crew.start(_one_listed(number, target, around, tell), "listed")
                for number, target in enumerate(listed, 1)
            ]
        )


async def _one_listed(number: int, target: Target, around: Around, tell: Callable[[Listed], None]) -> None:
    """With a name TLS has to come back too: some lists let a connection open and nothing more."""
    question = Ask(
        test=Test.TLS if target.name else Test.CONNECT,
        place=Place.LISTED,
        who=f"listed-{number}",
        host=target.host,
        port=target.port,
        value=target.name,
        name=Name.HARMLESS if target.name else Name.NONE,
    )
    seen = await ask(question, around)
    tell(Listed(number=number, port=target.port, came=seen[-1].came))


async def _system_context() -> ssl.SSLContext:
    return await asyncio.to_thread(ssl.create_default_context)

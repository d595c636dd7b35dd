"""The stage: the origin and the chosen parts, started together and taken down together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from client.drill.ca import Authority
from client.drill.cast import CAST
from client.drill.origin import NAME, Origin, playing_origin
from client.drill.parts import Part, Scene
from client.drill.proxies import World
from client.drill.relays import Interceptor
from client.drill.serving import unheard_resets
from transports.types import N_, Endpoint, Rejected


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Placed:
    """A part that is playing, with where it is and what the person was told to log in with."""

    part: Part
    host: str
    port: int
    username: str
    password: str

    def endpoint(self) -> Endpoint:
        """Return it as an endpoint to test."""
        return Endpoint(
            transport=self.part.transport,
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stage:
    """Everything that plays. The parts reach the origin as origin.test, localhost or 127.0.0.1."""

    origin: Origin
    parts: tuple[Placed, ...]


def choose(names: Collection[str] | None) -> tuple[Part, ...]:
    """Return the parts with these names, in the cast's order; all for None. Raises Rejected."""
    if names is None:
        return CAST
    known = {part.name for part in CAST}
    for name in names:
        if name not in known:
            names_known = ", ".join(sorted(known))
            raise Rejected(
                N_("the drill has no part called {name}; known are: {known}"), name=name, known=names_known
            )
    return tuple(part for part in CAST if part.name in names)


@asynccontextmanager
async def stage(names: Collection[str] | None = None) -> AsyncIterator[Stage]:
    """Start the origin and the parts called `names` (all for None) on loopback.

    Raises Rejected for an unknown name, CannotMeasure where the `cryptography` library is missing.
    """
    chosen = choose(names)
    honest = Authority("Drill Root")
    scene = Scene(
        world=World(names={NAME: "127.0.0.1"}),
        honest=honest,
        interceptor=Interceptor(Authority("Network Security Gateway")),
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(unheard_resets())
        origin = await stack.enter_async_context(playing_origin(honest))
        placed = [
            Placed(
                part=part,
                host="127.0.0.1",
                port=await stack.enter_async_context(part.start(scene)),
                username=part.username,
                password=part.password,
            )
            for part in chosen
        ]
        yield Stage(origin=origin, parts=tuple(placed))

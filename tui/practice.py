"""Practise: the drill inside the screen. Its servers stay up as long as their results are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from client.drill.run import run_of
from client.drill.stage import stage
from client.engine import Run
from client.model import CannotMeasure

__all__ = ["CannotMeasure", "Play", "playing"]


@dataclass(frozen=True, slots=True)
class Play:
    """A check of servers that are up. `tales` says of each line what the server there does, as a message id."""

    run: Run
    tales: Mapping[int, str]


@asynccontextmanager
async def playing(names: Collection[str] | None = None) -> AsyncIterator[Play]:
    """Put the parts called `names`, or all proxies of the drill, on loopback.

    Raises Rejected for an unknown name, CannotMeasure where a library is missing.
    """
    async with stage(names) as played:
        tales = {line: placed.part.story for line, placed in enumerate(played.parts, 1)}
        yield Play(run_of(played), tales)

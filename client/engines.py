"""Opens the outside programs that some endpoints need, all under one guard; one that is missing spoils no other."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from client.following import Engines, OpenEngines, Report
from client.platform import disk_folder, memory_folder
from transports.net import Door
from transports.registry import REGISTRY
from transports.types import N_, CannotMeasure, Endpoint

if TYPE_CHECKING:
    from transports.guard import Guard

_NO_MEMORY: Final = N_(
    "there is no folder in memory here, and tor was not allowed to write to the disk: allow it with --disk"
)
Doors = Mapping[str, Door | CannotMeasure]


@dataclass(frozen=True, slots=True)
class Opened:
    """The doors of every engine, as they are now: an engine that dies takes its doors back."""

    doors: Doors
    reports: Mapping[str, Report] = field(default_factory=dict)


Opener = Callable[[Sequence[Endpoint], "Guard"], AbstractAsyncContextManager[Opened]]


def engine_opener(extra_roots: str, connect: float, torrc: str = "", *, disk: bool = False) -> OpenEngines:
    """Return what starts sing-box and tor, under a guard, for the endpoints that need them.

    With `disk` tor may write to the disk where there is no folder in memory.
    """

    @asynccontextmanager
    async def open_singbox(endpoints: Sequence[Endpoint], guard: Guard) -> AsyncIterator[Opened]:
        from transports import singbox_engine

        box = await singbox_engine.find()
        if box is None:
            raise CannotMeasure(N_("sing-box is missing: `sanylau doctor` shows how to install it"))
        async with singbox_engine.opened(
            box, endpoints, guard=guard, extra_roots=extra_roots, connect=connect
        ) as engine:
            yield Opened(engine.doors)

    @asynccontextmanager
    async def open_tor(endpoints: Sequence[Endpoint], guard: Guard) -> AsyncIterator[Opened]:
        from transports import pt_engine, tor_engine

        folder = memory_folder() or (disk_folder() if disk else None)
        if folder is None:
            raise CannotMeasure(_NO_MEMORY)
        kinds = {str((endpoint.options or {}).get("pt", "vanilla")) for endpoint in endpoints} - {"vanilla"}
        async with (
            pt_engine.opened(sorted(kinds), guard=guard, folder=folder) as plugins,
            tor_engine.opened(endpoints, guard=guard, folder=folder, torrc=torrc, pts=plugins) as engine,
        ):
            yield Opened(engine.doors, {"tor": engine})

    @asynccontextmanager
    async def open_engines(endpoints: Sequence[Endpoint]) -> AsyncIterator[Engines]:
        from transports.guard import Guard

        async with AsyncExitStack() as held:
            guard = await held.enter_async_context(Guard.running())
            all_opened: list[Opened] = []
            openers: dict[str, Opener] = {"sing-box": open_singbox, "tor": open_tor}
            for name, opener in openers.items():
                mine = [endpoint for endpoint in endpoints if REGISTRY[endpoint.transport].engine == name]
                if not mine:
                    continue
                try:
                    all_opened.append(await held.enter_async_context(opener(mine, guard)))
                except CannotMeasure as reason:
                    all_opened.append(Opened(dict.fromkeys((endpoint.key() for endpoint in mine), reason)))
            doors: Doors = ChainMap(*(opened.doors for opened in all_opened))  # type: ignore[arg-type]
            reports = {name: report for opened in all_opened for name, report in opened.reports.items()}
            yield Opened(doors, reports)

    return open_engines

"""The process behind `benchmarks.tor_farm`: `python -m benchmarks.tor_farm_main BRIDGES LINES`.

Three authorities and BRIDGES tors behind obfs4, each with LINES obfs4 programs of its own before it: a program
for every line, as on the real network, and no tor for every one of them. Tells what there is in one line of JSON,
and ends with its standard input. Everything belongs to a guard, so it also ends when this process is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

from client.drill.tornet import Kind, TorBridge
from client.drill.tornet_nodes import HOST, Site, authorities, bridge, obfs4_server, own_folder
from client.tasks import Crew
from transports.guard import Guard

_AT_ONCE: Final = 6  # bridges that start at the same time


@dataclass(slots=True, kw_only=True)
class _Crowd:
    site: Site
    count: int
    each: int
    lines: dict[int, list[str]] = field(default_factory=dict)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def place(self, number: int) -> None:
        """Run one bridge with its programs until cancelled."""
        site, name = self.site, f"bridge-{number}"
        async with AsyncExitStack() as stack:
            async with self.gate:
                node = await stack.enter_async_context(bridge(site, name))
                lines = []
                for door in range(self.each):
                    at = site.folder / f"{name}-{door}"
                    port, cert = await stack.enter_async_context(
                        obfs4_server(at, node.port, guard=site.guard, pids=site.pids)
                    )
                    placed = TorBridge(
                        name=at.name,
                        kind=Kind.GOOD,
                        host=HOST,
                        port=port,
                        fingerprint=node.fingerprint,
                        cert=cert,
                    )
                    lines.append(placed.line)
            self.lines[number] = lines
            if len(self.lines) == self.count:
                self.tell()
            await asyncio.Event().wait()

    def tell(self) -> None:
        """Say on standard output that all is there."""
        bridges = [self.lines[number] for number in range(self.count)]
        pids = [os.getpid(), self.site.guard.pid, *self.site.pids.values()]
        print(json.dumps({"torrc": self.site.torrc, "bridges": bridges, "pids": pids}), flush=True)


async def _play(count: int, each: int) -> None:
    async with (
        Guard.running() as guard,
        own_folder(guard) as folder,
        AsyncExitStack() as stack,
    ):
        site = Site(folder=folder, guard=guard)
        await stack.enter_async_context(authorities(site))
        crowd = _Crowd(site=site, count=count, each=each)
        async with Crew() as crew:  # all of them end at the same time
            await asyncio.wait([crew.start(crowd.place(number), "bridge") for number in range(count)])


async def main(count: int, each: int) -> None:
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        sys.stdin.read()
        with suppress(RuntimeError):  # the loop has ended first
            loop.call_soon_threadsafe(over.set)

    threading.Thread(target=watch, daemon=True).start()
    async with Crew() as crew:
        playing = crew.start(_play(count, each), "network")
        ending = crew.start(_until(over), "end")
        await asyncio.wait([playing, ending], return_when=asyncio.FIRST_COMPLETED)


async def _until(over: asyncio.Event) -> None:
    await over.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))

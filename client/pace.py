"""The gate before every new connection: so many at a time, then so many seconds of pause."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PER_PASS: Final = 8  # connections begun per pass of the loop where nothing else limits them


class Pacer:
    """Lets connections pass one per `interval` seconds, or (interval 0) a slice per pass of the loop.

    Whoever has already answered goes before whoever has not: `rank` 0 before `rank` 1.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._burst = 1 if interval else _PER_PASS
        self._free = self._burst
        self._ticking = False
        self._held = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self.passed = 0

    async def wait(self, rank: int = 1) -> None:
        """Return when a new connection may be opened."""
        if self._free and not self._waiting and not self._held:
            self._free -= 1
        else:
            future = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, next(self._count), future))
            self._tick()
            await future
        self.passed += 1
        self._tick()

    def take(self, interval: float) -> None:
        """Keep another pace. What was saved up at the old one counts no longer."""
        if interval != self._interval:
            self._interval = interval
            self._burst = 1 if interval else _PER_PASS
            self._free = min(self._free, self._burst)
            if self._waiting:
                self._tick()

    def hold(self) -> None:
        """Let nobody pass until `let_go`."""
        self._held = True

    def let_go(self) -> None:
        """Let connections pass again, the first after one interval at most."""
        self._held = False
        if self._waiting or self._free < self._burst:
            self._tick()

    def _tick(self) -> None:
        if self._ticking:
            return
        self._ticking = True
        loop = asyncio.get_running_loop()
        if self._interval:
            loop.call_later(self._interval, self._release)
        else:
            loop.call_soon(self._release)

    def _release(self) -> None:
        self._ticking = False
        if self._held:
            return
        self._free = self._burst
        while self._free and self._waiting:
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)
                self._free -= 1
        if self._free < self._burst:
            self._tick()


class Slots:
    """At most `each` parallel TLS handshakes to one network; 0 means no limit."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._held: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, list[asyncio.Future[None]]] = defaultdict(list)

    def slot(self, network: str) -> AbstractAsyncContextManager[None]:
        """Return a context that holds one place for `network`."""
        return self._hold(network) if self._each else nullcontext()

    def take(self, each: int) -> None:
        """Set another limit. Those who got in without one are not counted; they are in for seconds only."""
        if each != self._each:
            self._each = each
            for network in list(self._waiting):
                for _ in range(len(self._waiting[network])):
                    self._call_next(network)

    @asynccontextmanager
    async def _hold(self, network: str) -> AsyncIterator[None]:
        while self._each and self._held[network] >= self._each:
            future = asyncio.get_running_loop().create_future()
            self._waiting[network].append(future)
            try:
                await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self._call_next(network)  # called and cancelled at once: the call must not be lost
                raise
        self._held[network] += 1
        try:
            yield
        finally:
            self._held[network] -= 1
            self._call_next(network)

    def _call_next(self, network: str) -> None:
        waiting = self._waiting[network]
        while waiting:
            future = waiting.pop(0)
            if not future.done():
                future.set_result(None)
                break
        if not self._held[network] and not waiting:
            self._held.pop(network, None)
            self._waiting.pop(network, None)

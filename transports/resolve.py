"""Turning an endpoint's own name into addresses with the system's resolver.

getaddrinfo cannot be cancelled, and a dead resolver keeps it for half a minute. It therefore runs in
daemon threads of our own: the run's end never waits for them. Answers are kept for the run, failures are not.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from typing import Final

_PARALLEL: Final = 16


class Resolver:
    """Resolves names; an answer is kept for the run. Call it with a name to get its addresses, IPv4 first."""

    def __init__(self) -> None:
        self._answers: dict[str, asyncio.Future[tuple[str, ...]]] = {}
        self._queue: deque[str] = deque()
        self._running = 0

    def known(self, host: str) -> tuple[str, ...]:
        """Return the addresses found so far for `host`, without asking."""
        future = self._answers.get(host)
        done = future is not None and future.done() and not future.cancelled() and not future.exception()
        return future.result() if done and future is not None else ()

    def forget(self, host: str) -> None:
        """Let go of an answer, so that the next call asks anew; one that is being waited for stays."""
        future = self._answers.get(host)
        if future is not None and future.done():
            del self._answers[host]

    async def __call__(self, host: str) -> tuple[str, ...]:
        """Return the addresses of `host`. Raises socket.gaierror or UnicodeError."""
        if host not in self._answers:
            self._answers[host] = asyncio.get_running_loop().create_future()
            self._queue.append(host)
            self._start_next()
        future = self._answers[host]
        await asyncio.wait(
            (future,)
        )  # unlike a plain await, it leaves the answer to the others when cancelled
        return future.result()

    def _start_next(self) -> None:
        """Start as many threads as may run at once; a waiter that gave up does not stop its question."""
        while self._queue and self._running < _PARALLEL:
            host = self._queue.popleft()
            self._running += 1
            self._start(host, self._answers[host])

    def _start(self, host: str, future: asyncio.Future[tuple[str, ...]]) -> None:
        loop = asyncio.get_running_loop()

        def settle(result: tuple[str, ...] | Exception) -> None:
            self._running -= 1
            self._start_next()
            if future.done():
                return
            if isinstance(result, Exception):
                self._answers.pop(host, None)  # a later try may ask again
                future.set_exception(result)
                future.exception()  # seen: a caller that gave up must not cause a late warning
            else:
                future.set_result(result)

        def work() -> None:
            result: tuple[str, ...] | Exception
            try:
                found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
                addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
                result = tuple(sorted(addresses, key=lambda address: ":" in address))
            except (OSError, UnicodeError) as error:
                result = error
            try:
                loop.call_soon_threadsafe(settle, result)
            except RuntimeError:
                return  # the run is over and its loop is closed: nobody waits any more

        threading.Thread(target=work, name="resolve", daemon=True).start()

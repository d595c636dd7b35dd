"""The queue for each opening: once, in order, ended when it shuts; and not in a loop where it opens and shuts all the time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from client.model import Message
from client.steering import Stop
from client.tasks import Crew
from client.watch import events as told
from client.watch import jobs as queue
from client.watch.clock import Clock
from client.watch.events import Event

MOST: Final = (
    3  # times that the queue begins in every SPAN: who holds the line could make it open and shut at will
)
SPAN: Final = 3600.0  # seconds
_SLICE: Final = 5.0  # seconds between two looks while it is held back


class Openings:
    """Begins the queue when something opens; with `once` rings `stop` when a queue came to its end."""

    def __init__(
        self,
        jobs: Sequence[queue.Job],
        clock: Clock,
        put: Callable[[Event], Awaitable[None]],
        stop: Stop | None,
    ) -> None:
        self._jobs, self._clock, self._put, self._stop = jobs, clock, put, stop
        self._begun: deque[float] = deque(maxlen=MOST)
        self._halt: asyncio.Event | None = None  # ends the queue that is being done
        self._again = False

    def opened(self, crew: Crew) -> None:
        """Do the queue: now, or when the one that is being done is over."""
        if self._halt is None:
            self._halt = asyncio.Event()
            crew.start(self._work(self._halt), "queue")
        else:
            self._again = True

    def shut(self) -> None:
        """End the queue that is being done: the rest is left for the next opening."""
        self._again = False
        if self._halt is not None:
            self._halt.set()

    def slept(self, seconds: float) -> None:
        """Count what was before as so much older."""
        for place, at in enumerate(self._begun):
            self._begun[place] = at - seconds

    async def _work(self, halt: asyncio.Event) -> None:
        while True:
            if await self._is_time(halt):
                self._begun.append(self._clock.steady())
                await queue.carry_out(self._jobs, halt, self._tell)
            if not self._again:
                break
            self._again = False
            halt = self._halt = asyncio.Event()
        self._halt = None
        if self._stop is not None and not halt.is_set():
            self._stop.ring("once")

    async def _is_time(self, halt: asyncio.Event) -> bool:
        """Wait until the queue may begin; False where it shut meanwhile."""
        is_told = False
        while self._jobs and len(self._begun) == MOST and not halt.is_set():
            left = self._begun[0] + SPAN - self._clock.steady()
            if left <= 0:
                break
            if not is_told:
                is_told = True
                wall = self._clock.wall()
                await self._put(told.Held(at=wall, until=wall + left))
            await self._clock.sleep(min(left, _SLICE))
        return not halt.is_set()

    async def _tell(self, job: queue.Job, done: bool | None, message: Message, found: queue.Found) -> None:
        at = self._clock.wall()
        if done is None:
            await self._put(told.JobBegan(at=at, name=job.name))
        else:
            await self._put(told.JobEnded(at=at, name=job.name, done=done, message=message, found=found))

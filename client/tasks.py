"""The only place that starts tasks. A test holds it: nowhere else stands `create_task`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run `parts` at the same time; when one raises, the others are cancelled and the error goes on."""
    async with Crew() as crew:
        await asyncio.wait([crew.start(part, "part") for part in parts], return_when=asyncio.FIRST_EXCEPTION)


class Crew:
    """Tasks that live as long as a run. Leaving the block cancels what still runs and waits for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.dismiss()
        try:
            await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # Callers tell errors apart by class; the first one, or their own, is what ended the crew.
            own = error is not None and error in group.exceptions
            raise (error if own and error else group.exceptions[0]) from None

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start `work` as a task of this crew."""
        task = self._group.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def dismiss(self) -> None:
        """Cancel everything that still runs."""
        for task in list(self._tasks):
            task.cancel()


async def in_slices(count: int, start: Callable[[], None], each: int = 8) -> None:
    """Call `start` `count` times, `each` per pass of the loop: a burst of thousands would stall it."""
    for number in range(count):
        start()
        if number % each == each - 1:
            await asyncio.sleep(0)

"""The question whether traffic may go through a lower class: one at a time, and never a stale one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from client.model import Protection
from client.tasks import Crew


class Question:
    """`consent` asks for a class and is told the lowest one until now; None is no answer. It is cancelled to take it back.

    `agreed` is told the class, `refused` that there was no yes.
    """

    def __init__(
        self,
        consent: Callable[[Protection, Protection | None], Awaitable[bool | None]] | None,
        crew: Crew,
        *,
        agreed: Callable[[Protection], None],
        refused: Callable[[], None],
    ) -> None:
        self._consent, self._crew = consent, crew
        self._agreed, self._refused = agreed, refused
        self._task: asyncio.Task[None] | None = None
        self._no_to: Protection | None = None
        self.declined = False

    def put(self, there: Protection, floor: Protection | None) -> None:
        """Ask for a class in place of what was asked before; not again for one that protects no more than one refused."""
        self.take_back()
        if self._no_to is None or there < self._no_to:
            self.declined = False
            self._task = self._crew.start(self._ask(there, floor), "consent")

    def take_back(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def settle(self) -> None:
        """Something may be used: forget all answers."""
        self.take_back()
        self._no_to = None

    async def _ask(self, there: Protection, floor: Protection | None) -> None:
        agreed = await self._consent(there, floor) if self._consent is not None else None
        self._task = None
        if agreed:
            self._agreed(there)
        else:
            self._no_to, self.declined = there, True
            self._refused()

"""One run as the screen follows it: the engine's events on one side, what changed on the other."""

from __future__ import annotations

import asyncio
from typing import Final

from client.engine import Run, Stop, running
from tui.state import RunState


class Session:
    """Lives as long as its run is looked at. `changed` is filled here and emptied by whoever draws."""

    def __init__(self, run: Run) -> None:
        self.run: Final = run
        self.state: Final = RunState()
        self.changed: set[str] = set()
        self.over = False
        self.broken = ""  # the name of the error that ended the run, if one did
        self.reveal = False
        self._stop: Final = Stop()
        self._began = 0.0

    @property
    def stopping(self) -> bool:
        """Say whether the bell has been rung."""
        return self._stop.event.is_set() and not self.over

    def stop(self) -> None:
        """End the run with what is known."""
        self._stop.ring("interrupted")

    def now(self) -> float:
        """Return the seconds since the run began."""
        return asyncio.get_running_loop().time() - self._began

    async def follow(self) -> None:
        """Take in every event until the run is over. Leaving early stops everything that runs."""
        self._began = asyncio.get_running_loop().time()
        try:
            async with running(self.run, self._stop) as events:
                async for event in events:
                    self.changed |= self.state.apply(event)
        finally:
            self.over = True

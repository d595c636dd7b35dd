"""One run as the screen follows it: the engine's events on one side, what changed on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from client import check
from client.engine import Run, Steering, Stop, running
from client.events import Judged
from client.model import Status
from client.settings import Profile
from tui.listing import Listing
from tui.state import RunState

if TYPE_CHECKING:
    from client.diagnosis.kinds import Diagnosis


class Session:
    """Lives as long as its run is looked at. `changed` is filled here and emptied by whoever draws.

    `title` says what is tested, a message id or "". `tales` are told of entries that play a part in the drill: the line
    of the entry in its list, and a message id.
    """

    def __init__(self, run: Run, title: str = "", tales: Mapping[int, str] | None = None) -> None:
        self.run: Final = run
        self.title: Final = title
        self.tales: Final = tales or {}
        self.staged: Final = tales is not None  # it runs over the drill's stage, not over the person's line
        self.tested: Final[set[str]] = set()  # keys of the entries that got a verdict other than "untested"
        self.diagnosis: Diagnosis | None = None  # of the line that the run uses; a drill has none
        self.state: Final = RunState()
        self.listing: Final = Listing(self.state)
        self.changed: set[str] = set()
        self.over = False
        self.broken = ""  # the name of the error that ended the run, if one did
        self.reveal = False
        self._stop: Final = Stop()
        self._steering: Final = Steering()
        self._began: float | None = None
        self._paused_at = 0.0

    @property
    def stopping(self) -> bool:
        """Say whether the bell has been rung."""
        return self._stop.event.is_set() and not self.over

    @property
    def paused(self) -> bool:
        """Say whether the person lets the run rest."""
        return self._steering.paused and not self.over

    @property
    def paused_since(self) -> float | None:
        """Return the second of the run from which on it rests, None while it does not."""
        return self._paused_at if self.paused else None

    @property
    def profile(self) -> Profile:
        """Return the profile that the run has now."""
        return self._steering.profile or self.run.profile

    def stop(self) -> None:
        """End the run with what is known."""
        self._stop.ring("interrupted")

    def pause(self) -> None:
        """Let no new connection begin until `resume`."""
        self._paused_at = self.now()
        self._steering.pause()

    def resume(self) -> None:
        """Go on."""
        self._steering.resume()

    def take_pace(self, name: str) -> None:
        """Go on with the profile `name`."""
        self._steering.take(check.at_pace(self.profile, name))

    def now(self) -> float:
        """Return the seconds since the run began; 0 before."""
        return asyncio.get_running_loop().time() - self._began if self._began is not None else 0.0

    async def follow(self) -> None:
        """Take in every event until the run is over. Leaving early stops everything that runs."""
        self._began = asyncio.get_running_loop().time()
        try:
            self.changed |= self.state.expect(self.run.reading.candidates)
            async with running(self.run, self._stop, self._steering) as events:
                async for event in events:
                    if isinstance(event, Judged) and event.verdict.status is not Status.UNTESTED:
                        self.tested.add(event.verdict.candidate.endpoint.key())
                    self.changed |= self.state.apply(event)
        finally:
            self.over = True

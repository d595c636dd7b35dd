"""What a person may do to a run while it goes on: end it, let it rest, change its pace."""

from __future__ import annotations

import asyncio

from client.settings import Profile


class Stop:
    """A bell: whoever rings it ends the run with what is known. `why` stands in the summary."""

    def __init__(self) -> None:
        self.why = ""
        self.event = asyncio.Event()

    def ring(self, why: str) -> None:
        """End the run; the first reason counts."""
        if not self.event.is_set():
            self.why = why
            self.event.set()


class Steering:
    """Pause, resume and pace. The run heeds it within a pass of the loop and tells so by PaceChanged.

    A pause holds back new connections only: what is under way comes to its end, and the clocks of those who are
    held back stand still, so nobody fails by it. `profile` None is the profile that the run began with.
    """

    def __init__(self) -> None:
        self.paused = False
        self.profile: Profile | None = None
        self.turned = asyncio.Event()

    def pause(self) -> None:
        """Let no new connection begin."""
        self.paused = True
        self.turned.set()

    def resume(self) -> None:
        """Let connections begin again, at the pace of the profile."""
        self.paused = False
        self.turned.set()

    def take(self, profile: Profile) -> None:
        """Go on with another profile. Tries that have begun keep their deadlines."""
        self.profile = profile
        self.turned.set()

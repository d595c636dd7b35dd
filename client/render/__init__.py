"""Faces without a screen: each takes the events of a run and writes them."""

from __future__ import annotations

from typing import Protocol

from client.events import Event


class Renderer(Protocol):
    """Shows events as they come. `close` ends whatever is on the screen."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def close(self) -> None:
        """Leave the terminal as it was."""

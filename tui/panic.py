"""The panic key: gone in under a second, and nothing left on the terminal.

It is heard twice: by the app, and by the thread that reads the keyboard, in case the app is held up by something.
The engines are ended by the guard process, which knows at once that we are gone.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Final

from textual import events
from textual.driver import Driver
from textual.message import Message

from client import platform

KEYS: Final = ("ctrl+x", "ctrl+ч")
"""The same place on a Latin and on a Russian or Kazakh keyboard, where the terminal tells of the letter."""
TWICE: Final = 1.0  # seconds in which the second press has to come
_HELD_UP: Final = 0.4  # seconds that the app has before the keyboard's thread does it


class Presses:
    """Counts the presses of the panic key."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def press(self, now: float) -> bool:
        """Take in a press at `now` seconds; say whether it was the second one in time."""
        second = now - self._last <= TWICE
        self._last = float("-inf") if second else now
        return second


def vanish(driver: Driver | None) -> None:
    """Give the terminal back, empty, and end this process at once."""
    threading.Timer(_HELD_UP, platform.vanish).start()  # a terminal that takes nothing must not hold us
    try:
        if driver is not None:
            driver.stop_application_mode()
            driver.close()
    finally:
        platform.vanish()


def watched(kind: type[Driver]) -> type[Driver]:
    """Return this kind of driver with an ear of its own for the panic key."""

    class Watched(kind):  # type: ignore[valid-type,misc]
        """Hears the panic key in the thread that reads the keyboard."""

        def process_message(self, message: Message) -> None:
            """Pass a message on; at the second press, see to it that this process ends."""
            if isinstance(message, events.Key) and message.key in KEYS:
                presses = self.__dict__.setdefault("_presses", Presses())
                if presses.press(monotonic()):
                    timer = threading.Timer(_HELD_UP, platform.vanish)
                    timer.daemon = True
                    timer.start()
            super().process_message(message)

    return Watched

"""Whether those who are asked are still there: silence counts only between two signs of life. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from client.beacon.wire import Protocol
from client.holes.plan import Seen, State

QUIET: Final = 5.0  # seconds without a sign of life after which a beacon is asked on a port that has answered


@dataclass(slots=True)
class _Held:
    seen: Seen
    ended: float
    asked: set[str]


@dataclass(slots=True)
class _Known:
    good: tuple[Protocol, int] | None = None
    last: float = 0.0
    dead: bool = False


class Watch:
    """Holds silence back until who was silent shows that it is alive. Times are seconds of one clock."""

    def __init__(self, names: Iterable[str]) -> None:
        self._known = {name: _Known() for name in names}
        self._held: list[_Held] = []

    @property
    def contact(self) -> bool:
        """Whether somebody has answered at all."""
        return any(known.good for known in self._known.values())

    @property
    def lost(self) -> bool:
        """Whether all who have answered have died."""
        return self.contact and all(known.dead for known in self._known.values() if known.good)

    def is_dead(self, name: str) -> bool:
        """Whether this one has died."""
        return self._known[name].dead

    def alive(self, name: str, good: tuple[Protocol, int], began: float) -> list[Seen]:
        """Note an answer to a question put at `began`; return the silence that counts now."""
        known = self._known[name]
        known.good, known.last = good, max(known.last, began)
        return self._release(lambda held: name in held.asked and held.ended <= began)

    def silent(self, seen: Seen, asked: Iterable[str], ended: float) -> list[Seen]:
        """Hold back that these have not answered; return it as unknown where all of them are dead by now."""
        left = {name for name in asked if not self._known[name].dead}
        if not left:
            return [replace(seen, state=State.UNKNOWN)]
        self._held.append(_Held(seen, ended, left))
        return []

    def doubtful(self, now: float) -> list[tuple[str, tuple[Protocol, int]]]:
        """Return who has to be asked for a sign of life, and on which port."""
        waiting = {name for held in self._held for name in held.asked}
        return [
            (name, known.good)
            for name, known in self._known.items()
            if known.good and not known.dead and name in waiting and now - known.last > QUIET
        ]

    def died(self, name: str) -> list[Seen]:
        """Note that somebody gives no sign of life; return what is unknown by that."""
        self._known[name].dead = True
        for held in self._held:
            held.asked.discard(name)
        return [replace(seen, state=State.UNKNOWN) for seen in self._release(lambda held: not held.asked)]

    def rest(self) -> list[Seen]:
        """Return all that is still held back. It counts where nobody has answered at all; where somebody has, the
        silence of one who never did says nothing.
        """
        left = self._release(lambda _held: True)
        return [replace(seen, state=State.UNKNOWN) for seen in left] if self.contact else left

    def waiting(self) -> list[tuple[str, tuple[Protocol, int]]]:
        """Return those who have answered once and of whom silence is held back."""
        asked = {name for held in self._held for name in held.asked}
        return [
            (name, known.good)
            for name, known in self._known.items()
            if known.good and not known.dead and name in asked
        ]

    def _release(self, which: Callable[[_Held], bool]) -> list[Seen]:
        free = [held for held in self._held if which(held)]
        self._held = [held for held in self._held if not which(held)]
        return [held.seen for held in free]

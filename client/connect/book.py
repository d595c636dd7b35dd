"""What is known of the options: which live, how fresh their proofs are, and when a dead one is tried again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from client.connect import choice
from client.connect.choice import Standing
from client.connect.probing import Outcome
from client.model import Protection
from client.options import Option

_NEVER: Final = float("-inf")
_ASKED_FOR: Final = 15.0  # seconds between two looks because a program wants a connection, at first
_MOST_ASKED_FOR: Final = 600.0


@dataclass(slots=True)
class Entry:
    """An option and what is known of it. Times are the loop's, minus infinity for what is void.

    `proven` is its last whole test, `answered` its last sign of life. `barren`: it answered us and brought programs nothing.
    """

    option: Option
    proven: float
    answered: float
    barren: bool = False
    alive: bool = True
    failures: int = 0
    again: float = 0.0

    def age(self, now: float) -> float | None:
        """Return the seconds since its last whole test, None where that is void."""
        return None if self.proven == _NEVER else max(0.0, now - self.proven)

    def quiet(self, now: float, came: float) -> float | None:
        """Return the seconds since its last sign of life; `came`: when programs got bytes. None where all that is void."""
        last = max(self.answered, came)
        return None if last == _NEVER else max(0.0, now - last)


class Book:
    """The options by name. Nothing here acts, and every clock is the caller's."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> Mapping[str, Entry]:
        """All of them."""
        return self._entries

    def take(self, name: str, option: Option, now: float) -> None:
        """Take one that was verified just now."""
        self._entries[name] = Entry(option=option, proven=now, answered=now)

    def standings(self, now: float) -> list[Standing]:
        """Return the options as they stand."""
        return [
            Standing(
                id=name,
                protection=entry.option.protection,
                age=now - entry.answered,
                barren=entry.barren,
                kib_per_s=entry.option.kib_per_s or 0.0,
                alive=entry.alive,
            )
            for name, entry in self._entries.items()
        ]

    def reserves(self, floor: Protection | None) -> list[str]:
        """Return the names of those that live and may be used, the best first."""
        usable = [
            (entry.option.protection, name)
            for name, entry in self._entries.items()
            if entry.alive and choice.may_use(entry.option.protection, floor)
        ]
        return [name for _, name in sorted(usable)]

    def note(self, name: str, outcome: Outcome, now: float, *, stopped: bool) -> None:
        """Take what one has answered; `stopped`: nothing is in use. Only a whole test proves anew."""
        entry = self._entries[name]
        if outcome.ours:
            entry.again = now + choice.pause(1, self._rng.random(), stopped=True)
        elif outcome.alive:
            entry.alive, entry.failures, entry.answered = True, 0, now
            if outcome.option is not None:
                entry.option, entry.proven = outcome.option, now
        else:
            entry.alive = False
            entry.failures += 1
            entry.again = now + choice.pause(entry.failures, self._rng.random(), stopped=stopped)

    def void(self) -> None:
        """Believe no proof any more."""
        for entry in self._entries.values():
            entry.proven = entry.answered = _NEVER

    def doubt(self, floor: Protection | None) -> None:
        """Believe no sign of life of those below a floor any more: they are asked before they are used."""
        for entry in self._entries.values():
            if not choice.may_use(entry.option.protection, floor):
                entry.answered = _NEVER

    def hasten(self, now: float) -> None:
        """Have all dead ones tried again now."""
        for entry in self._entries.values():
            entry.again = now

    def soon(self, now: float) -> None:
        """Have all dead ones tried again soon: a person waits with nothing."""
        within = now + choice.pause(1, self._rng.random(), stopped=True)
        for entry in self._entries.values():
            entry.again = min(entry.again, within)

    def missed(
        self, current: Option | None, floor: Protection | None, *, nothing: bool
    ) -> list[tuple[float, str]]:
        """Return when to try those dead ones again that are missed, and their names, the earliest first.

        While one is in use: those of a better class, and reserves where there are too few. While none is: those
        that may be used, and with `nothing` (no other works either) all.
        """
        return sorted(
            (entry.again, name)
            for name, entry in self._entries.items()
            if not entry.alive and self._is_missed(entry.option.protection, current, floor, nothing=nothing)
        )

    def _is_missed(
        self, kind: Protection, current: Option | None, floor: Protection | None, *, nothing: bool
    ) -> bool:
        if current is None:
            return nothing or choice.may_use(kind, floor)
        if kind < current.protection:
            return True
        return kind <= current.protection and len(self.reserves(current.protection)) < choice.ENOUGH


class Knocks:
    """Programs that want a connection while traffic is stopped: a reason to look again, but more and more rarely.

    A browser knocks without end, and each look is a connection to every bridge in the list.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._not_before, self._pause = _NEVER, _ASKED_FOR

    def count(self, now: float) -> bool:
        """Take one; say whether to look again because of it."""
        if now < self._not_before:
            return False
        self._not_before = now + self._pause * (0.8 + 0.4 * self._rng.random())
        self._pause = min(2 * self._pause, _MOST_ASKED_FOR)
        return True

    def forget(self) -> None:
        """Traffic goes again: begin anew."""
        self._not_before, self._pause = _NEVER, _ASKED_FOR

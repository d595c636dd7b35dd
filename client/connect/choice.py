"""Which option next. Pure: what is known goes in, one step comes out, and somebody else takes it.

The rule that must never break: what was in use sets the floor. Nothing of a lower protection class is stepped to
unless the person has said so, beforehand (`lowest`) or when asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from client.connect.events import Hold
from client.model import Protection

FRESH: Final = 75.0  # seconds for which a proof is taken at its word
RACERS: Final = 3  # of those whose proof is older, so many are asked at once
ENOUGH: Final = 3  # options of one class: one in use, two in reserve


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An option as it stands. `age` is the seconds since content came through it that we could authenticate.

    `barren`: it goes on answering us, while programs get nothing through it.
    """

    id: str
    protection: Protection
    age: float
    kib_per_s: float = 0.0
    alive: bool = True
    barren: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave all as it is."""


@dataclass(frozen=True, slots=True)
class Use:
    """Send new connections through this one."""

    id: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Ask these whether they are still there, and use the first that answers."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to use yet. `better`: an unencrypted one is there, and better ones are still under test."""

    better: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop all traffic. `there` is the best class among those that are too low."""

    why: Hold
    there: Protection | None = None


Step = Keep | Use | Confirm | Wait | Stop


def next_step(
    standings: Iterable[Standing],
    *,
    current: str | None,
    floor: Protection | None,
    under_test: Collection[Protection] = (),
    preferred: str = "",
) -> Step:
    """Return what to do. `floor` is the lowest class that may be used, None for any; `under_test` the classes of
    those whose first verdict is still to come; `preferred` the one that the person chose, used whenever it may be.
    """
    alive = sorted((one for one in standings if one.alive), key=_rank)
    now = next((one for one in alive if one.id == current), None)
    allowed = [one for one in alive if may_use(one.protection, floor)]
    chosen = next((one for one in allowed if one.id == preferred and not one.barren), None)
    if chosen is not None:
        return Keep() if chosen is now else _pick([chosen])
    if now is not None:
        better = [one for one in allowed if one.protection < now.protection]
        if now.barren and not better:
            better = [one for one in allowed if one.protection is now.protection and not one.barren]
        return _pick(better) if better else Keep()
    awaited = [kind for kind in under_test if may_use(kind, floor)]
    if (
        allowed
        and allowed[0].protection is Protection.OPEN
        and any(kind < Protection.OPEN for kind in awaited)
    ):
        return Wait(better=True)
    if allowed:
        return _pick(allowed)
    if awaited:
        return Wait()
    if alive:
        return Stop(Hold.ONLY_LOWER, alive[0].protection)
    return Stop(Hold.NOTHING_WORKS)


def may_use(kind: Protection, floor: Protection | None) -> bool:
    """Say whether a class is not lower than the floor."""
    return floor is None or kind <= floor


def lower(first: Protection | None, second: Protection | None) -> Protection | None:
    """Return the lower of two floors; None is the absence of a floor, and the lowest of all."""
    return None if first is None or second is None else max(first, second)


def enough(standings: Iterable[Standing], in_list: Collection[Protection], floor: Protection | None) -> bool:
    """Say whether the rest of the list may stay untested: reserves of the best class that the list has."""
    best = min((kind for kind in in_list if may_use(kind, floor)), default=None)
    return best is not None and sum(one.alive and one.protection <= best for one in standings) >= ENOUGH


def _rank(one: Standing) -> tuple[str, bool, bool, float]:
    return one.protection.value, one.barren, one.age > FRESH, -one.kib_per_s


def _pick(options: Sequence[Standing]) -> Use | Confirm:
    best = options[0].protection
    level = [one for one in options if one.protection is best]
    if level[0].age <= FRESH:
        return Use(level[0].id)
    return Confirm(tuple(one.id for one in level[:RACERS]))


_FIRST_PAUSE: Final = 30.0
_WHILE_STOPPED: Final = 5.0  # the same while a person waits with nothing
_LONGEST_PAUSE: Final = 600.0


def pause(failures: int, shuffle: float, *, stopped: bool = False) -> float:
    """Return the seconds until one that has died is tried again; `shuffle` is a random number from 0 to 1.

    `stopped`: nothing is in use, so the first tries come sooner.
    """
    first = _WHILE_STOPPED if stopped else _FIRST_PAUSE
    return min(first * float(1 << min(max(failures, 1) - 1, 8)), _LONGEST_PAUSE) * (0.8 + 0.4 * shuffle)

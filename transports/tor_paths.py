"""Choosing the second and the last relay of a circuit whose first one is given. Pure.

It is for moving a test page, not for hiding anybody: what tor does for that (families, subnets, guards) is left out,
and so no traffic of the person's may ever go through circuits chosen here. Format of the answers: dir-spec 3.4.1
(router status entries: r, s and w lines) and 3.3 (microdescriptors: p and p6 lines).
"""

from __future__ import annotations

import base64
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_USABLE: Final = frozenset({"Running", "Valid"})
_LONGEST: Final = 40_000  # entries; there are about 10 000 relays


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A relay of the consensus. `bandwidth` is the consensus weight."""

    fingerprint: str
    flags: frozenset[str]
    bandwidth: int = 1


def relays(text: str) -> list[Relay]:
    """Read the answer to `GETINFO ns/all`; entries that cannot be read are passed over."""
    found: list[Relay] = []
    fingerprint = ""
    flags: frozenset[str] = frozenset()
    bandwidth = 1

    def take() -> None:
        if fingerprint and flags >= _USABLE and len(found) < _LONGEST:
            found.append(Relay(fingerprint=fingerprint, flags=flags, bandwidth=bandwidth))

    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "r":
            take()
            fingerprint, flags, bandwidth = _fingerprint(rest.split()[1:2]), frozenset(), 1
        elif kind == "s":
            flags = frozenset(rest.split())
        elif kind == "w" and rest.startswith("Bandwidth="):
            number = rest.split()[0].removeprefix("Bandwidth=")
            bandwidth = int(number) if number.isdecimal() and len(number) < 12 else 1
    take()
    return found


def addresses(text: str) -> frozenset[str]:
    """Return where a relay listens by its router status entry (the answer to `GETINFO ns/id/…`): r and a lines."""
    found = set()
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["r"] and len(words) > 3:
            found.add(f"{words[-3]}:{words[-2]}")
        elif words[:1] == ["a"] and len(words) == 2:
            found.add(words[1])
    return frozenset(found)


def _fingerprint(identity: Sequence[str]) -> str:
    try:
        raw = base64.b64decode(identity[0] + "=" * (-len(identity[0]) % 4), validate=True)
    except (IndexError, ValueError):
        return ""
    return raw.hex().upper() if len(raw) == 20 else ""


def exits(known: Sequence[Relay], avoid: Collection[str], rng: random.Random) -> Iterator[Relay]:
    """Yield relays to leave through, quick ones more often first."""
    fit = [relay for relay in known if "Exit" in relay.flags and "BadExit" not in relay.flags]
    return _drawn([relay for relay in fit if relay.fingerprint not in avoid], rng)


def middles(known: Sequence[Relay], avoid: Collection[str], rng: random.Random) -> Iterator[Relay]:
    """Yield relays for the middle; exits only where there is nothing else."""
    fit = [relay for relay in known if relay.fingerprint not in avoid and "Fast" in relay.flags]
    yield from _drawn([relay for relay in fit if "Exit" not in relay.flags], rng)
    yield from _drawn([relay for relay in fit if "Exit" in relay.flags], rng)


def _drawn(fit: list[Relay], rng: random.Random) -> Iterator[Relay]:
    """Yield at most 20 different ones, drawn by bandwidth."""
    for _ in range(min(20, len(fit))):
        chosen = rng.choices(fit, weights=[relay.bandwidth + 1 for relay in fit])[0]
        fit.remove(chosen)
        yield chosen


def lets_out(microdescriptor: str, port: int, *, v6: bool = False) -> bool:
    """Say whether the relay's exit policy takes this port for most addresses; no such line means no."""
    wanted = "p6" if v6 else "p"
    for line in microdescriptor.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == wanted and words[1] in ("accept", "reject"):
            inside = any(_within(part, port) for part in words[2].split(","))
            return inside == (words[1] == "accept")
    return False


def _within(part: str, port: int) -> bool:
    first, _, last = part.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        return False
    return int(first) <= port <= int(last or first)

"""Spoken words: how long one bridge takes, and what becomes of wrong words, in thousands of random capsules.

A wrong word is any other word of the list, or one that is easily misheard or misread for it: it begins or ends alike.
Words for the repair and check words go wrong as often as all others.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.farm import Farm
from benchmarks.measure import Row, Size
from client.share import lists
from client.share.listening import listen, understand
from client.share.words import Spoken, speak
from transports.types import Rejected

CAPSULES: Final = 10_000
LANGUAGES: Final = ("ru", "en", "fr", "tr")
_ALIKE: Final = 3  # letters
_SPEAKING_LIMIT: Final = 0.05  # seconds


@dataclass(slots=True)
class Tally:
    """What became of the capsules. `asked`: the program said which groups to read again, or that it is too much."""

    right: int = 0
    repaired: int = 0
    asked: int = 0
    wrong: int = 0
    seconds: float = 0.0


def message(rng: random.Random) -> bytes:
    """Return the bytes of one obfs4 bridge, with whatever in them."""
    return bytes((rng.randrange(0x80, 0x100),)) + rng.randbytes(58)


def tally(capsules: int, *, wrong: tuple[int, int], checks: bool, near: bool, seed: int) -> Tally:
    """Speak random capsules, make from `wrong[0]` to `wrong[1]` words wrong, listen, and count what comes of it.

    The listener is told neither the language nor whether there are check words.
    """
    rng = random.Random(seed)
    counts = Tally()
    begun = time.perf_counter()
    for number in range(capsules):
        lang = LANGUAGES[number % len(LANGUAGES)]
        meant = message(rng)
        text = spoiled(speak(meant, lang, checks=checks), rng.randint(*wrong), rng, near=near)
        try:
            understood = understand(listen(text))
        except Rejected:
            counts.asked += 1
            continue
        if understood.message != meant:
            counts.wrong += 1
        else:
            counts.right += 1
            counts.repaired += bool(understood.repaired)
    counts.seconds = time.perf_counter() - begun
    return counts


def spoiled(spoken: Spoken, wrong: int, rng: random.Random, *, near: bool) -> str:
    """Return the text with exactly `wrong` words exchanged for others."""
    said = [list(group.said) for group in spoken.groups]
    places = [(group, place) for group, words in enumerate(said) for place in range(len(words))]
    for group, place in rng.sample(places, min(wrong, len(places))):
        said[group][place] = _other(said[group][place], spoken.lang, rng, near=near)
    return "".join(f"{number}. {' '.join(words)}\n" for number, words in enumerate(said, 1))


def _other(word: str, lang: str, rng: random.Random, *, near: bool) -> str:
    others = _alike(lang).get(word, ()) if near else ()
    while True:
        found = rng.choice(others or lists.words(lang).words)
        if found != word:
            return found


@functools.cache
def _alike(lang: str) -> Mapping[str, tuple[str, ...]]:
    """Return, for each word, those that begin or end with the same letters."""
    words = lists.words(lang).words
    shared: dict[tuple[bool, str], list[str]] = {}
    for word in words:
        shared.setdefault((True, word[:_ALIKE]), []).append(word)
        shared.setdefault((False, word[-_ALIKE:]), []).append(word)
    return {
        word: tuple({*shared[True, word[:_ALIKE]], *shared[False, word[-_ALIKE:]]} - {word}) for word in words
    }


def words(farm: Farm, size: Size) -> list[Row]:
    """Milliseconds for one bridge, and the two promises about wrong words."""
    capsules = size.of(CAPSULES)
    rows = [_speaking()]
    for checks in (False, True):
        for near in (False, True):
            two = tally(capsules, wrong=(2, 2), checks=checks, near=near, seed=1)
            three = tally(capsules, wrong=(3, 3), checks=checks, near=near, seed=2)
            more = tally(capsules, wrong=(3, 60), checks=checks, near=near, seed=3)
            rows += _promises(_name(checks, near), capsules, two, three, more)
    return rows


def _name(checks: bool, near: bool) -> str:
    kind = "words that resemble" if near else "any words"
    return f"{kind}, {'with' if checks else 'without'} check words"


def _promises(name: str, capsules: int, two: Tally, three: Tally, more: Tally) -> list[Row]:
    rows = [
        Row(
            what=f"2 wrong ({name})",
            value=f"{two.right:,} of {capsules:,} repaired unasked, {two.wrong} wrongly ({two.seconds:.1f} s)",
            target="all",
            met=two.right == capsules and two.wrong == 0,
        )
    ]
    for wrong, counts in (("3 wrong", three), ("3 to 60 wrong", more)):
        rows.append(
            Row(
                what=f"{wrong} ({name})",
                value=f"{counts.wrong} of {capsules:,} accepted wrongly, {counts.asked:,} asked, "
                f"{counts.right:,} repaired ({counts.seconds:.1f} s)",
                target="0 accepted wrongly",
                met=counts.wrong == 0,
            )
        )
    return rows


def _speaking() -> Row:
    """Measure one bridge, with the list read anew."""
    lists.words.cache_clear()
    begun = time.perf_counter()
    speak(message(random.Random(0)), "ru")
    seconds = time.perf_counter() - begun
    return Row(
        what="words for one bridge",
        value=f"{1000 * seconds:.1f} ms",
        target=f"at most {1000 * _SPEAKING_LIMIT:.0f} ms",
        met=seconds <= _SPEAKING_LIMIT,
    )

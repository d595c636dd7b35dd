"""A message as words to be read out: numbered groups of four, each with a check word if wanted. Pure.

The lists are those of BIP-39, but no wallet takes these words: number and check differ. What the numbers mean, and
what is repaired, is in `symbols`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from client.share import lists, symbols
from client.share.lists import LANGUAGES
from client.share.symbols import GROUP, LONGEST
from transports.types import N_, Rejected

__all__ = ["GROUP", "LANGUAGES", "LONGEST", "Group", "Spoken", "nearest", "speak", "speak_key"]

_INSTEAD: Final = {"kk": "ru"}  # there is no list in Kazakh; its speakers read Cyrillic


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Group:
    """Four words with their number (from 1), and the check word, "" without one."""

    number: int
    words: tuple[str, ...]
    check: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """Return the words in the order in which they are read out."""
        return (*self.words, self.check) if self.check else self.words


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Spoken:
    """A message in the words of one language, in the order in which they are read out."""

    lang: str
    groups: tuple[Group, ...]
    checks: bool

    @property
    def count(self) -> int:
        """Return how many words are read out."""
        return sum(len(group.said) for group in self.groups)

    def text(self) -> str:
        """Return a line for each group, with its number."""
        width = len(str(len(self.groups)))
        return "".join(f"{group.number:>{width}}. {' '.join(group.said)}\n" for group in self.groups)


def nearest(lang: str) -> str:
    """Return the code of the list for speakers of `lang`: its own, one that they read too, or English."""
    bare = lang.lower().partition("_")[0]
    return bare if bare in LANGUAGES else _INSTEAD.get(bare, "en")


def speak(message: bytes, lang: str, *, checks: bool = True) -> Spoken:
    """Return the words of a message. Raises Rejected for one of more than LONGEST bytes, or another language."""
    return _spoken(symbols.encode(message), lang, checks, key=False)


def speak_key(public: bytes, lang: str, *, checks: bool = False) -> Spoken:
    """Return the 24 words of a public key of 32 bytes, 30 with check words."""
    return _spoken(symbols.encode_key(public), lang, checks, key=True)


def _spoken(numbers: Sequence[int], lang: str, checks: bool, *, key: bool) -> Spoken:
    if lang not in LANGUAGES:
        raise Rejected(N_("there is no word list in this language: {known}"), known=", ".join(LANGUAGES))
    words = lists.words(lang).words
    groups = []
    for number, at in enumerate(range(0, len(numbers), GROUP), 1):
        four = numbers[at : at + GROUP]
        groups.append(
            Group(
                number=number,
                words=tuple(words[index] for index in four),
                check=words[symbols.check_number(number, four, key=key)] if checks else "",
            )
        )
    return Spoken(lang=lang, groups=tuple(groups), checks=checks)

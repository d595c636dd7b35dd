"""Words as somebody typed them, back to the message: forgiving about the typing, strict about what is believed. Pure.

A text may be numbered lines or a plain run of words; `?` stands for a word that was not understood. A group that is
typed twice counts as typed last, so whoever has a group read again adds it at the end.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from client.share import lists, symbols
from client.share.lists import LANGUAGES, WITHOUT_BLANKS
from client.share.symbols import GROUP, KEY_WORDS, MOST_GROUPS
from transports.types import N_, Rejected

LONGEST: Final = 32 * 1024  # characters of a text
_UNKNOWN: Final = "?"
_TOKEN: Final = re.compile(r"\d+|\?+|[^\W\d_]+(?:['’][^\W\d_]+)*")
_MOST_LIKELY: Final = 5  # words that are offered for a group
_MOST_NAMED: Final = 12  # groups in one message
_MOST_NEAR: Final = 60  # words of one text for which resembling ones are sought


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HeardWord:
    """A word as typed, the word that it is taken for ("" for none), and words that resemble it.

    `sure` is false where `word` is a guess.
    """

    typed: str
    word: str
    number: int | None
    sure: bool
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HeardGroup:
    """A group as typed. `right` says whether the check word fits; None: there is none, or words are missing.

    `check` is the check word. `likely` are changes of one word after which the check word fits: (place from 0, word);
    place 4 is the check word itself. `lang` is another language that the words are in, "" for the right one.
    """

    number: int
    words: tuple[HeardWord, ...]
    check: HeardWord | None = None
    right: bool | None = None
    likely: tuple[tuple[int, str], ...] = ()
    lang: str = ""
    key: bool = False

    @property
    def whole(self) -> bool:
        """Say whether there are four words that are all known."""
        return len(self.words) == GROUP and all(word.number is not None for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Heard:
    """All groups, in order and without gaps: one that was not typed has no words."""

    lang: str
    checks: bool
    groups: tuple[HeardGroup, ...]
    key: bool = False

    @property
    def skipped(self) -> tuple[int, ...]:
        """Return the numbers of the groups that were not typed."""
        return tuple(group.number for group in self.groups if not group.words)

    @property
    def doubtful(self) -> tuple[int, ...]:
        """Return the numbers of the groups to have read again: skipped, incomplete, unknown words, wrong check."""
        return tuple(
            group.number for group in self.groups if not group.whole or (self.checks and not group.right)
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Understood:
    """The message, and what was repaired: (number of the group, place in it from 0, the word that it should be)."""

    message: bytes
    repaired: tuple[tuple[int, int, str], ...]


def listen(text: str, *, lang: str | None = None, checks: bool | None = None, key: bool = False) -> Heard:
    """Return what a whole text says. Language and check words are found out where they are None.

    `key` for the words of a one-time key. Raises Rejected where there are no words, or far too many.
    """
    if len(text) > LONGEST:
        raise Rejected(N_("this is too long for spoken words: is it a file?"))
    lines = [_TOKEN.findall(line) for line in unicodedata.normalize("NFKC", text).splitlines()]
    tokens = [token for line in lines for token in line if not token.isdigit()]
    lang = lang or _language(tokens)
    if lang not in LANGUAGES:
        raise Rejected(N_("these words are of no list that is known: check the spelling of the first ones"))
    if lang in WITHOUT_BLANKS:
        lines = [_split(line) for line in lines]
        tokens = [token for line in lines for token in line if not token.isdigit()]
    if len(tokens) > MOST_GROUPS * (GROUP + 1):
        raise Rejected(N_("these are more words than any message has: keep those of one message"))
    if checks is None:
        checks = _has_checks(lines, tokens, lang, key)
    typed = _numbered(lines, GROUP + checks) or dict(enumerate(_cut(tokens, GROUP + checks), 1))
    budget = itertools.count(1)
    groups = [_group(words, number, lang, checks, key, budget) for number, words in typed.items()]
    return assemble(groups, lang, checks, key=key)


def hear_group(text: str, number: int, lang: str, checks: bool, *, key: bool = False) -> HeardGroup:
    """Return what one group says, as it is typed; a number before the words may be left out."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text[:LONGEST]))
    if lang in WITHOUT_BLANKS:
        tokens = _split(tokens)
    words = [token for token in tokens if not token.isdigit()][: 2 * GROUP]
    return _group(words, number, lang, checks, key, itertools.count(1), offer=True)


def assemble(groups: Iterable[HeardGroup], lang: str, checks: bool, *, key: bool = False) -> Heard:
    """Put groups in their order; of two with one number the later counts. Raises Rejected for too high a number."""
    by_number = {group.number: group for group in groups}
    last = max(by_number, default=0)
    if not by_number:
        raise Rejected(N_("there are no words: type them group by group"))
    if last > MOST_GROUPS or min(by_number) < 1:
        raise Rejected(N_("there is no group with this number: {number}"), number=last)
    empty = (HeardGroup(number=number, words=()) for number in range(1, last + 1))
    whole = {group.number: group for group in empty} | by_number
    return Heard(lang=lang, checks=checks, groups=tuple(whole[number] for number in sorted(whole)), key=key)


def understand(heard: Heard) -> Understood:
    """Return the message, with what was repaired. Raises Rejected that names the groups to have read again."""
    count = len(heard.groups)
    # The reader may have stopped one group too early; nothing else says how many there are.
    for groups in (heard.groups, (*heard.groups, HeardGroup(number=count + 1, words=()))):
        if not symbols.possible(GROUP * len(groups)):
            continue
        decoded = symbols.decode(_numbers(groups), _checks(groups) if heard.checks else None, _unsure(groups))
        if decoded is not None:
            words = lists.words(heard.lang).words
            return Understood(
                message=decoded.data,
                repaired=tuple(
                    (place // GROUP + 1, place % GROUP, words[decoded.symbols[place]])
                    for place in decoded.repaired
                ),
            )
    raise _why_not(heard)


def understand_key(heard: Heard) -> bytes:
    """Return the one-time key of 32 bytes. Nothing is repaired: raises Rejected that names the groups."""
    if len(heard.groups) != KEY_WORDS // GROUP:
        raise Rejected(
            N_("a key has {groups} groups of four words; these are {got}"),
            groups=KEY_WORDS // GROUP,
            got=len(heard.groups),
        )
    unsure = any(not word.sure for group in heard.groups for word in group.words)
    found = None if heard.doubtful else symbols.decode_key(_numbers(heard.groups))
    if found is None or (unsure and not heard.checks):
        raise _why_not(heard)
    return found


def _why_not(heard: Heard) -> Rejected:
    """Return what to ask the reader for."""
    foreign = [group for group in heard.groups if group.lang]
    if foreign:
        return Rejected(
            N_(
                "these groups are in another language ({other}, not {lang}): {groups}; use one language for all"
            ),
            other=LANGUAGES[foreign[0].lang],
            lang=LANGUAGES[heard.lang],
            groups=_listed(group.number for group in foreign),
        )
    if heard.skipped:
        return Rejected(
            N_("these groups are missing: {groups}; have them read out"), groups=_listed(heard.skipped)
        )
    unsure = tuple(
        group.number
        for group in heard.groups
        if any(not word.sure for word in (*group.words, group.check) if word)
    )
    named = heard.doubtful or unsure
    if named:
        return Rejected(N_("these groups do not fit: {groups}; have them read again"), groups=_listed(named))
    if not heard.key and not symbols.possible(GROUP * len(heard.groups)):
        return Rejected(
            N_("no message has {got} groups: ask how many there are, and for the numbers"),
            got=len(heard.groups),
        )
    if heard.key and not heard.checks:
        return Rejected(
            N_(
                "each is a word of the list, but one of them is not the right one: compare all six groups with the other side"
            )
        )
    if heard.checks:
        return Rejected(N_("each group fits, but not the whole: ask how many groups there are"))
    return Rejected(
        N_("more is wrong than can be repaired: ask how many groups there are, and for the check words")
    )


def _listed(numbers: Iterable[int]) -> str:
    some = [*map(str, itertools.islice(numbers, _MOST_NAMED + 1))]
    return ", ".join([*some[:_MOST_NAMED], "…"] if len(some) > _MOST_NAMED else some)


def _numbers(groups: Sequence[HeardGroup]) -> list[int | None]:
    """Return the four numbers of each group. Where one has not four words, nobody knows which is missing."""
    found: list[int | None] = []
    for group in groups:
        known = [word.number for word in group.words]
        found += known if len(known) == GROUP else [None] * GROUP
    return found


def _checks(groups: Sequence[HeardGroup]) -> list[int | None]:
    return [group.check.number if group.check else None for group in groups]


def _unsure(groups: Sequence[HeardGroup]) -> list[int]:
    places = enumerate(word for group in groups for word in _four(group))
    return [place for place, word in places if word is not None and not word.sure]


def _four(group: HeardGroup) -> Sequence[HeardWord | None]:
    return group.words if len(group.words) == GROUP else (None,) * GROUP


def _group(
    tokens: Sequence[str],
    number: int,
    lang: str,
    checks: bool,
    key: bool,
    budget: itertools.count[int],
    *,
    offer: bool = False,
) -> HeardGroup:
    heard = [_word(token, lang, budget) for token in tokens]
    check = heard.pop() if checks and len(heard) == GROUP + 1 else None
    known = [word.number for word in heard if word.number is not None]
    right = None
    if check is not None and len(known) == len(heard) == GROUP:
        right = check.number == symbols.check_number(number, known, key=key)
    likely: tuple[tuple[int, str], ...] = ()
    if offer and right is False and check is not None:
        likely = _likely(number, [*heard, check], lang, key)
    other = _other_language(heard, lang)
    return HeardGroup(
        number=number, words=tuple(heard), check=check, right=right, likely=likely, lang=other, key=key
    )


def _word(token: str, lang: str, budget: itertools.count[int]) -> HeardWord:
    listed = lists.words(lang)
    number = listed.number(token)
    if number is None and (token.startswith(_UNKNOWN) or next(budget) > _MOST_NEAR):
        return HeardWord(typed=token, word="", number=None, sure=False)
    match = listed.find(token)
    word = listed.words[match.number] if match.number is not None else ""
    return HeardWord(typed=token, word=word, number=match.number, sure=match.sure, near=match.near)


def _likely(number: int, heard: Sequence[HeardWord], lang: str, key: bool) -> tuple[tuple[int, str], ...]:
    """Return the changes of one word, to one that resembles it, after which the check word fits."""
    listed = lists.words(lang)
    fitting: list[tuple[float, int, int]] = []
    for place, word in enumerate(heard):
        for ratio, other in listed.near(word.word or word.typed):
            changed = [one.number or 0 for one in heard]
            changed[place] = other
            if other != word.number and changed[GROUP] == symbols.check_number(
                number, changed[:GROUP], key=key
            ):
                fitting.append((-ratio, place, other))
    return tuple((place, listed.words[other]) for _, place, other in sorted(fitting)[:_MOST_LIKELY])


def _other_language(heard: Sequence[HeardWord], lang: str) -> str:
    """Return the language whose list has most of these words, if the expected one lacks at least two of them."""
    listed = lists.words(lang)
    odd = [
        one.typed for one in heard if listed.number(one.typed) is None and not one.typed.startswith(_UNKNOWN)
    ]
    if len(odd) < 2:
        return ""
    counts = {other: _matches(odd, other) for other in LANGUAGES if other != lang}
    best = max(counts, key=lambda other: counts[other])
    return best if counts[best] == len(odd) else ""


def _language(tokens: Sequence[str]) -> str:
    """Return the language whose list has most of the words, "" if none has half of them."""
    some = list(dict.fromkeys(tokens))[:60]
    counts = {lang: _matches(_split(some) if lang in WITHOUT_BLANKS else some, lang) for lang in LANGUAGES}
    best = max(counts, key=lambda lang: counts[lang])
    return best if some and 2 * counts[best] >= len(some) else ""


def _split(tokens: Iterable[str]) -> list[str]:
    return list(itertools.chain.from_iterable(map(_characters, tokens)))


def _matches(tokens: Iterable[str], lang: str) -> int:
    listed = lists.words(lang)
    return sum(listed.number(token) is not None for token in tokens)


def _characters(token: str) -> list[str]:
    """Cut a token of Chinese into its characters, each of which is a word."""
    return [token] if token.isascii() else list(token)


def _has_checks(lines: Sequence[Sequence[str]], tokens: Sequence[str], lang: str, key: bool) -> bool:
    """Find out whether each group has a check word: by the length of numbered lines, else by whether they fit."""
    numbered = _numbered(lines, GROUP + 1)
    if numbered:
        lengths = Counter(len(words) for words in numbered.values())
        if lengths[GROUP] != lengths[GROUP + 1]:
            return lengths[GROUP + 1] > lengths[GROUP]
    listed = lists.words(lang)
    groups = numbered or dict(enumerate(_cut(tokens, GROUP + 1), 1))
    fitting = 0
    for number, words in groups.items():
        numbers = [found for found in map(listed.number, words) if found is not None]
        if len(numbers) == GROUP + 1:
            fitting += numbers[GROUP] == symbols.check_number(number, numbers[:GROUP], key=key)
    return 2 * fitting >= len(groups)


def _numbered(lines: Sequence[Sequence[str]], size: int) -> Mapping[int, list[str]]:
    """Return the words by the number that stands before them; nothing if the text does not begin with a number.

    Numbers count where a line begins, and where a group of `size` words is full: elsewhere they are a slip.
    """
    found: dict[int, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        for place, token in enumerate(line):
            if token.isdigit():
                if place == 0 or current is None or len(current) >= size - 1:
                    current = found[int(token[:6])] = []
            elif current is None:
                return {}
            else:
                current.append(token)
    return found


def _cut(tokens: Sequence[str], size: int) -> list[list[str]]:
    return [list(tokens[at : at + size]) for at in range(0, len(tokens), size)]

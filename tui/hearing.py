"""Words as they are typed while somebody reads them out: group by group, checked at once. No Textual, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from client.i18n import _
from client.model import N_, Rejected
from client.share import listening, words
from client.share.listening import HeardGroup
from client.share.words import GROUP, LANGUAGES
from client.text import printable
from tui.describe import Lines

KEY_GROUPS: Final = 6
_MOST: Final = 99
_NUMBERED: Final = re.compile(r"\s*(\d{1,2})\s*[.:)]?\s+(?=\S)")
_TYPED: Final = 24  # characters of a word that are shown
_SIZE: Final = N_("A group has four words, and mostly a check word behind them.")
_NO_CHECK: Final = N_("And the fifth word, the check? If there is none, Enter twice.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is made of a group as far as it is typed. `offer` is the likely whole group, "" for none."""

    group: HeardGroup | None
    sure: bool = False
    offer: str = ""
    wrong: str = ""


class Hearing:
    """What was heard so far. `key` for the 24 words of a one-time key, which have no check words."""

    def __init__(self, *, key: bool) -> None:
        self.key: Final = key
        self.lang = ""
        self.checks: bool | None = False if key else None
        self.groups: dict[int, HeardGroup] = {}
        self.skipped: set[int] = set()
        self.doubtful: list[int] = []  # to be read again, as the whole did not fit
        self.number = 1

    @property
    def of(self) -> int:
        """Return how many groups there will be, 0 where nobody knows."""
        return KEY_GROUPS if self.key else 0

    @property
    def full(self) -> bool:
        """Say whether all groups are there, where it is known how many."""
        return self.key and set(self.groups) >= set(range(1, KEY_GROUPS + 1))

    def look(self, text: str) -> Look:
        """Return what is made of a group while it is typed."""
        number, text = self._place(text)
        if not text.strip():
            return Look(group=None)
        try:
            lang, checks = self._manner(text)
        except Rejected as rejected:
            return Look(group=None, wrong=rejected.reason)
        group = listening.hear_group(text, number, lang, checks, key=self.key)
        typed = [*group.words, *([group.check] if group.check else [])]
        whole = len(typed) == GROUP + checks
        fits = bool(group.right) if checks else group.whole
        sure = whole and fits and all(word.sure for word in typed)
        if sure and self.checks is None and not checks:
            return Look(group=group, wrong=_NO_CHECK)
        return Look(group=group, sure=sure, offer="" if sure else _offer(group, whole=whole, fits=fits))

    def _place(self, text: str) -> tuple[int, str]:
        """Return the group that is typed, and its words: a number before them leads to another group."""
        found = _NUMBERED.match(text)
        if found is None or not 1 <= int(found[1]) <= (self.of or _MOST):
            return self.number, text
        return int(found[1]), text[found.end() :]

    def numbered(self, text: str, offer: str) -> str:
        """Return an offer with the number that the person typed before the words."""
        found = _NUMBERED.match(text)
        return f"{found[1]}. {offer}" if found is not None else offer

    def _manner(self, text: str) -> tuple[str, bool]:
        """Return the language, and whether groups have check words: found out by what was typed first."""
        if self.lang and self.checks is not None:
            return self.lang, self.checks
        first = listening.listen(text, lang=self.lang or None, checks=False, key=self.key)
        count = sum(len(group.words) for group in first.groups)
        return first.lang, count > GROUP and not self.key

    def take(self, text: str, *, as_it_is: bool = False) -> None:
        """Take a group, or a whole text. `as_it_is`: also one that does not fit; what repairs it comes at the end.

        Raises Rejected.
        """
        if "\n" in text.strip() or len(text.split()) > 2 * GROUP + 1:
            self._take_all(text)
            return
        number, words_typed = self._place(text)
        look = self.look(text)
        if look.group is None:
            raise Rejected(look.wrong or _SIZE)
        lang, checks = self._manner(words_typed)
        if len(look.group.words) + bool(look.group.check) not in (
            (GROUP,) if self.key else (GROUP, GROUP + 1)
        ):
            raise Rejected(_SIZE)
        if not look.sure and (self.key or not as_it_is):
            raise Rejected(N_("This group does not fit: have it read again."))
        self.lang, self.checks = lang, checks
        self._put(number, look.group)

    def _take_all(self, text: str) -> None:
        heard = listening.listen(text, key=self.key, checks=False if self.key else None)
        self.lang, self.checks = heard.lang, heard.checks
        self.groups = {group.number: group for group in heard.groups if group.words}
        self.skipped.clear()
        self.doubtful = list(heard.doubtful)
        self._go_on()

    def skip(self) -> None:
        """Leave a group out that could not be heard; a few can be made up for at the end."""
        if not self.key:
            self.skipped.add(self.number)
            self._go_on()

    def back(self) -> None:
        """Type the group before once more."""
        self.number = max(1, self.number - 1)
        self.groups.pop(self.number, None)
        self.skipped.discard(self.number)

    def _put(self, number: int, group: HeardGroup) -> None:
        self.groups[number] = group
        self.skipped.discard(number)
        if number in self.doubtful:
            self.doubtful.remove(number)
        self._go_on()

    def _go_on(self) -> None:
        if self.doubtful:
            self.number = self.doubtful[0]
            return
        if self.full:  # one of them is wrong, nobody knows which: compare them one after another
            self.number = self.number % KEY_GROUPS + 1
            return
        taken = set(self.groups) | self.skipped
        self.number = next(number for number in range(1, _MOST + 2) if number not in taken)

    def finish(self) -> tuple[bytes, tuple[str, ...]]:
        """Return the key or the message, and what was repaired. Raises Rejected that names the groups."""
        groups = [*self.groups.values(), *(HeardGroup(number=n, words=()) for n in self._inner())]
        heard = listening.assemble(groups, self.lang, bool(self.checks), key=self.key)
        try:
            if self.key:
                return listening.understand_key(heard), ()
            understood = listening.understand(heard)
        except Rejected:
            self.doubtful = list(heard.doubtful)
            if missing := self._inner() or self.doubtful:
                self.number = min(missing)
            raise
        repaired = tuple(
            _("word {place} of group {n} is “{word}”", place=place + 1, n=group, word=word)
            for group, place, word in understood.repaired
        )
        return understood.message, repaired

    def _inner(self) -> list[int]:
        """Return the skipped groups; the last ones too, as the reader knows that they are there."""
        return [number for number in self.skipped if number not in self.groups]


def _offer(group: HeardGroup, *, whole: bool, fits: bool) -> str:
    """Return the likely group: near misses taken for what they resemble, or the one change that the check wants."""
    typed = [*group.words, *([group.check] if group.check else [])]
    said = [word.word for word in typed]
    if not whole or not all(said) or group.lang:
        return ""
    if not fits and group.likely:
        place, word = group.likely[0]
        said[place] = word
        return " ".join(said)
    return " ".join(said) if fits else ""


# in words


def typed(look: Look) -> Lines:
    """Return each word as it is understood: known, a guess, or unknown with what resembles it."""
    lines: Lines = []
    group = look.group
    if group is None:
        return [("", Text(_(look.wrong), style="dim"))] if look.wrong else []
    for number, word in enumerate(group.words, 1):
        lines.append(_word(str(number), word))
    if group.check:
        lines.append(_word("✓", group.check))
    if group.lang:
        other = LANGUAGES.get(group.lang, group.lang)
        lines.append(
            ("", Text(_("These words are of another language: {other}.", other=other), style="yellow"))
        )
    elif group.right is False and not look.offer:
        lines.append(
            (
                "",
                Text(
                    _("The check does not fit: a word was misheard. Have this group read again."),
                    style="yellow",
                ),
            )
        )
    elif look.wrong:
        lines.append(("", Text(_(look.wrong), style="yellow")))
    if look.offer:
        lines.append(("→", Text(_("Likely: {words}", words=look.offer), style="bold")))
    return lines


def _word(label: str, word: listening.HeardWord) -> tuple[str, Text]:
    shown = printable(word.typed, _TYPED)
    if word.word and word.sure:
        return label, Text.assemble(("✔ ", "green"), (word.word, "bold"))
    if word.near:
        near = _("“{typed}” is no word of the list; likely: {near}", typed=shown, near=", ".join(word.near))
        return label, Text(f"? {near}", style="yellow")
    return label, Text(_("“{typed}” is not known yet", typed=shown), style="dim")


def taken(hearing: Hearing) -> Text:
    """Return what was taken so far, a group a line."""
    lines = []
    last = max([*hearing.groups, *hearing.skipped, 0])
    for number in range(1, last + 1):
        group = hearing.groups.get(number)
        sign = "?" if number in hearing.doubtful or group is None else "✔"
        said = (
            " ".join(word.word or f"[{printable(word.typed, _TYPED)}]" for word in group.words)
            if group
            else "—"
        )
        lines.append(f"{number:>2} {sign} {said}")
    return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


def asked(hearing: Hearing) -> str:
    """Return which group is wanted next."""
    if hearing.number in hearing.doubtful:
        return _("Group {n} again:", n=hearing.number)
    if hearing.of:
        return _("Group {n} of {of}:", n=hearing.number, of=hearing.of)
    return _("Group {n}:", n=hearing.number)


def language(hearing: Hearing) -> str:
    """Return in which words it is, "" as long as nobody knows."""
    return words.LANGUAGES.get(hearing.lang, "")

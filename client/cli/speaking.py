"""Words over the telephone: read out group by group, and taken down group by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from client.cli.check import reason
from client.cli.desk import letter
from client.i18n import _, ngettext
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.cli.desk import Desk
    from client.share.listening import Heard, HeardGroup, HeardWord
    from client.share.words import Group, Spoken

T = TypeVar("T")

_KEY_GROUPS: Final = 6
_GROUP: Final = 4
_MOST: Final = 99  # groups

WORDS_SPENT: Final = N_("Close this window when you are done: the words stay in it.")


def read_out(desk: Desk, spoken: Spoken) -> bool:
    """Show the groups one after another, as the reader goes on. False where the person stopped before the end."""
    of = len(spoken.groups)
    desk.say(
        "",
        ngettext(
            "There is {n} group of words. Say so first, then read slowly, with the numbers.",
            "There are {n} groups of words. Say so first, then read slowly, with the numbers.",
            of,
        ),
        _("Your words are: {language}.", language=_language(spoken.lang)),
        _("Enter goes on, r shows a group again, b goes one back, a number goes to that group, q stops."),
    )
    place = 0
    while place < of:
        desk.show(f"\n{_group(spoken.groups[place], of)}")
        answer = letter(desk.ask("›"))
        if answer == "q":
            return False
        if answer == "b":
            place = max(0, place - 1)
        elif answer.isdecimal() and 1 <= int(answer[:3]) <= of:
            place = int(answer[:3]) - 1
        elif answer != "r":
            place += 1
    desk.say("", _("That was the last group. Wait until the other side says what it took in."))
    return True


def listed(spoken: Spoken) -> str:
    """Return all groups, a line each."""
    return spoken.text().rstrip("\n")


def _group(group: Group, of: int) -> str:
    head = _("Group {n} of {of}:", n=group.number, of=of)
    rows = [f"      {word}" for word in group.words]
    if group.check:
        rows.append(f"   ✓  {group.check}")
    return "\n".join([head, *rows])


def _language(lang: str) -> str:
    from client.share.words import LANGUAGES

    return LANGUAGES.get(lang, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """In which words a text is told: their language, whether groups have check words, whether it is a key."""

    lang: str
    checks: bool
    key: bool

    def hear(self, text: str, number: int) -> HeardGroup:
        """Return what one group says."""
        from client.share import listening

        return listening.hear_group(text, number, self.lang, self.checks, key=self.key)

    def put_together(self, groups: dict[int, HeardGroup]) -> Heard:
        """Return all of it. Raises Rejected."""
        from client.share import listening

        return listening.assemble(groups.values(), self.lang, self.checks, key=self.key)


def take_key(desk: Desk) -> bytes:
    """Take down the other side's 24 words and return its key. Raises Rejected, Left."""
    from client.share import listening

    desk.say(
        _(
            "Type each group as you hear it; four letters of a word are enough. All at once from a message works too."
        ),
    )
    return _until_it_fits(desk, _taken(desk, groups=_KEY_GROUPS, key=True), listening.understand_key)


def take_words(desk: Desk) -> bytes:
    """Take down a message, group by group, and return it. Raises Rejected, Left."""
    from client.share import listening

    desk.say(
        "",
        _(
            "Type each group as you hear it, with its last word, the check. Four letters of a word are enough."
        ),
        _(
            "Write ? for a word that you did not understand; s skips a whole group. Enter alone when there is no more."
        ),
    )
    heard = _taken(desk, groups=0, key=False)
    understood = _until_it_fits(desk, heard, listening.understand)
    for group, place, word in understood.repaired:
        desk.say(_("Repaired: word {place} of group {n} is “{word}”.", place=place + 1, n=group, word=word))
    return understood.message


def _until_it_fits(desk: Desk, heard: Heard, understand: Callable[[Heard], T]) -> T:
    """Ask for groups again until the whole makes sense. Raises Rejected, Left."""
    for _round in range(_MOST):
        try:
            return understand(heard)
        except Rejected as rejected:
            desk.say("", reason(rejected))
            heard = _again(desk, heard, understand)
    raise Rejected(N_("the words do not fit together: start again, with new words"))


def _taken(desk: Desk, *, groups: int, key: bool) -> Heard:
    """Ask for one group after another; a whole text in one answer is taken at once."""
    manner: _Manner | None = None
    taken: dict[int, HeardGroup] = {}
    number = 1
    while number <= (groups or _MOST):
        prompt = _("Group {n} of {of}:", n=number, of=groups) if groups else _("Group {n}:", n=number)
        typed = desk.ask(prompt)
        if not typed and (groups or not taken):
            continue
        if not typed:
            break
        try:
            if number == 1 and _is_whole(typed):
                return _rest(desk, typed, key=key)
            if letter(typed) != "s":
                manner = manner or _manner(typed, key=key)
                if manner is None:
                    desk.say(_("A group has four words, and mostly a check word behind them."))
                    continue
                one = _confirmed(desk, manner, manner.hear(typed, number))
                if one is None:
                    continue
                taken[number] = one
        except Rejected as rejected:
            desk.say(reason(rejected))
            continue
        number += 1
    if manner is None:
        raise Rejected(N_("no words were typed"))
    return manner.put_together(taken)


def _manner(typed: str, *, key: bool) -> _Manner | None:
    """Find out the language by the first group, and by its length whether there are check words. Raises Rejected.

    None where the length says nothing.
    """
    from client.share import listening

    first = listening.listen(typed, checks=False, key=key)
    count = sum(len(group.words) for group in first.groups)
    if count not in (_GROUP, _GROUP + (not key)):
        return None
    return _Manner(lang=first.lang, checks=count > _GROUP, key=key)


def _is_whole(typed: str) -> bool:
    return len(typed.split()) > 2 * _GROUP


def _rest(desk: Desk, typed: str, *, key: bool) -> Heard:
    """Take in a text that was pasted: its lines come one by one, and it may be one long line."""
    from client.share import listening

    lines = [typed]
    if not key or len(typed.split()) < _GROUP * _KEY_GROUPS:
        desk.say(_("Paste all of it, then press Enter on an empty line."))
        while len(lines) < _MOST and (line := desk.ask("…")):
            lines.append(line)
    return listening.listen("\n".join(lines), key=key)


def _confirmed(desk: Desk, manner: _Manner, group: HeardGroup) -> HeardGroup | None:
    """Show what was understood of a group; where that is not sure, ask. None: it is to be typed again."""
    words = [*group.words, *([group.check] if group.check else [])]
    fits = group.right if manner.checks else group.whole
    if fits and all(word.sure for word in words):
        desk.show(f"   ✓ {' '.join(word.word for word in words)}")
        return group
    desk.show(f"   ? {' '.join(word.word or f'[{printable(word.typed, 24)}?]' for word in words)}")
    for word in words:
        _explain(desk, word)
    if group.lang:
        desk.say(_("These words are of another language: use one language for all groups."))
    elif len(words) != _GROUP + manner.checks:
        desk.say(
            _("Words in this group: {n}; there should be {of}.", n=len(words), of=_GROUP + manner.checks)
        )
    return _chosen(desk, manner, group, [word.word for word in words], fits=bool(fits))


def _explain(desk: Desk, word: HeardWord) -> None:
    if not word.sure:
        typed, near = printable(word.typed, 24), ", ".join(word.near)
        if near:
            desk.say(_("“{typed}” is no word of the list; likely: {near}", typed=typed, near=near))
        else:
            desk.say(_("“{typed}” is no word of the list.", typed=typed))


def _chosen(
    desk: Desk, manner: _Manner, group: HeardGroup, words: list[str], *, fits: bool
) -> HeardGroup | None:
    """Let the person take what is likely, type it again, or keep it: repair and check come at the end."""
    if fits and all(words):
        likely = words
    elif group.likely and all(words):
        desk.say(_("A word was misheard: the check does not fit."))
        likely = words.copy()
        likely[group.likely[0][0]] = group.likely[0][1]
    else:
        if group.right is False:
            desk.say(_("A word was misheard: the check does not fit. Ask for this group again."))
        answer = desk.ask(_("Enter: type the group again.  k: keep it as it is."))
        if letter(answer) == "k":
            return group
        return _typed_again(desk, manner, group.number, answer)
    desk.say(_("Likely: {words}", words=" ".join(likely)))
    answer = desk.ask(_("Enter: that is it.  t: type the group again.  k: keep what you typed."))
    if not answer:
        return manner.hear(" ".join(likely), group.number)
    return group if letter(answer) == "k" else _typed_again(desk, manner, group.number, answer)


def _typed_again(desk: Desk, manner: _Manner, number: int, answer: str) -> HeardGroup | None:
    """Take an answer that is the group itself: who was asked to type it again often does so at once."""
    return _confirmed(desk, manner, manner.hear(answer, number)) if len(answer.split()) > 1 else None


def _again(desk: Desk, heard: Heard, understand: Callable[[Heard], object]) -> Heard:
    """Ask for the groups that do not fit, or for one that the person names. Raises Rejected, Left."""
    manner = _Manner(lang=heard.lang, checks=heard.checks, key=heard.key)
    groups = {group.number: group for group in heard.groups if group.words}
    asked = sorted(heard.doubtful, key=lambda number: number not in heard.skipped)  # what is missing first
    if not asked:
        answer = desk.ask(_("Number of the group to type again (q stops):"))
        if letter(answer) == "q":
            raise Rejected(N_("stopped; nothing was taken in"))
        asked = [int(answer[:3])] if answer[:3].isdecimal() and 1 <= int(answer[:3]) <= _MOST else []
    for number in asked:
        typed = desk.ask(_("Group {n} again:", n=number))
        one = _confirmed(desk, manner, manner.hear(typed, number)) if typed else None
        if one is not None:
            groups[number] = one
            heard = manner.put_together(groups)
            if _fits(heard, understand):
                break
    return heard


def _fits(heard: Heard, understand: Callable[[Heard], object]) -> bool:
    """Say whether nothing more has to be read again: the rest can be repaired."""
    try:
        understand(heard)
    except Rejected:
        return False
    return True

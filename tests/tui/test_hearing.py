"""Words as they are typed: one group at a time, the near misses offered, the whole understood. No screen here."""

from __future__ import annotations

import pytest

from client.model import Rejected
from client.share import envelope, words
from client.share.seal import OneTime
from tests.client.share.ways import capsule
from tui import hearing
from tui.hearing import Hearing

MESSAGE = envelope.plain(capsule())


def said(lang: str = "en") -> list[str]:
    """Return the groups of the message as a reader says them."""
    return [" ".join(group.said) for group in words.speak(MESSAGE, lang).groups]


@pytest.mark.parametrize("lang", ["en", "ru", "fr", "tr", "es"])
def test_a_message_is_taken_down_group_by_group_in_its_language(lang: str) -> None:
    heard = Hearing(key=False)
    for number, group in enumerate(said(lang), 1):
        assert hearing.asked(heard) == f"Group {number}:"
        assert heard.look(group).sure
        heard.take(group)
    assert heard.lang == lang
    assert heard.finish() == (MESSAGE, ())


def test_a_key_is_full_after_six_groups_and_has_no_check_words() -> None:
    key = OneTime.new()
    heard = Hearing(key=True)
    for group in words.speak_key(key.public, "en").groups:
        assert not heard.full
        heard.take(" ".join(group.said))
    assert heard.full
    assert heard.finish() == (key.public, ())


def test_a_group_of_a_key_that_is_not_sure_is_never_kept() -> None:
    heard = Hearing(key=True)
    with pytest.raises(Rejected):
        heard.take("abandn ability able about", as_it_is=True)
    assert not heard.groups


def test_four_letters_of_each_word_are_enough() -> None:
    heard = Hearing(key=False)
    for group in said():
        heard.take(" ".join(word[:4] for word in group.split()))
    assert heard.finish()[0] == MESSAGE


@pytest.mark.parametrize("place", range(5))
def test_a_misspelled_word_is_offered_as_the_likely_one(place: int) -> None:
    typed = said()[0].split()
    right = " ".join(typed)
    typed[place] = typed[place][:-1] + "q" if len(typed[place]) < 5 else typed[place][:2] + typed[place][3:]
    look = Hearing(key=False).look(" ".join(typed))
    assert not look.sure
    assert look.offer in ("", right)
    assert look.offer == right or any(word.near or word.word for word in look.group.words)  # type: ignore[union-attr]


def test_a_misheard_word_is_told_by_the_check() -> None:
    typed = said()[0].split()
    other = next(word for word in ("zoo", "able") if word != typed[1])
    heard = Hearing(key=False)
    look = heard.look(" ".join([typed[0], other, *typed[2:]]))
    assert not look.sure
    assert look.group is not None
    assert look.group.right is False
    shown = "\n".join(text.plain for _label, text in hearing.typed(look))
    assert "misheard" in shown or "Likely" in shown


def test_two_groups_that_were_heard_wrongly_and_kept_are_repaired_at_the_end() -> None:
    groups = said()
    first = groups[2].split()
    first[0] = "zoo" if first[0] != "zoo" else "able"
    groups[2] = " ".join(first)
    heard = Hearing(key=False)
    for group in groups:
        heard.take(group, as_it_is=True)
    message, repaired = heard.finish()
    assert message == MESSAGE
    assert any("of group 3" in one for one in repaired)


def test_a_group_that_could_not_be_heard_is_left_out_and_made_up_for() -> None:
    heard = Hearing(key=False)
    for number, group in enumerate(said(), 1):
        if number == 4:
            heard.skip()
        else:
            heard.take(group)
    assert heard.finish()[0] == MESSAGE


def test_what_does_not_fit_names_the_groups_and_goes_back_to_the_first_of_them() -> None:
    heard = Hearing(key=False)
    groups = said()
    for number, group in enumerate(groups, 1):
        if number in (2, 5, 7):
            heard.skip()
        else:
            heard.take(group)
    with pytest.raises(Rejected):
        heard.finish()
    assert hearing.asked(heard) == "Group 2 again:"
    for number in (2, 5, 7):
        heard.take(groups[number - 1])
    assert heard.finish()[0] == MESSAGE


def test_a_group_that_is_missing_is_asked_for_before_one_that_was_misheard() -> None:
    heard = Hearing(key=False)
    groups = said()
    first = groups[2].split()
    first[0] = "zoo" if first[0] != "zoo" else "able"
    for number, group in enumerate(groups, 1):
        if number == 5:
            heard.skip()
        else:
            heard.take(" ".join(first) if number == 3 else group, as_it_is=True)
    with pytest.raises(Rejected):
        heard.finish()
    assert heard.number == 5


def test_a_key_with_a_wrong_word_of_the_list_is_compared_from_the_first_group_on() -> None:
    key = OneTime.new()
    groups = [" ".join(group.said) for group in words.speak_key(key.public, "en").groups]
    last = groups[5].split()
    wrong = " ".join([*last[:3], "zoo" if last[3] != "zoo" else "able"])
    heard = Hearing(key=True)
    for group in [*groups[:5], wrong]:
        heard.take(group)
    with pytest.raises(Rejected):
        heard.finish()
    for number, group in enumerate(groups, 1):
        assert hearing.asked(heard) == f"Group {number} of 6:"
        heard.take(group)
    assert heard.finish() == (key.public, ())


def test_a_number_before_the_words_leads_to_that_group() -> None:
    heard = Hearing(key=False)
    groups = said()
    for group in groups[:3]:
        heard.take(group)
    heard.take(f"2. {groups[1]}")
    assert sorted(heard.groups) == [1, 2, 3]
    assert hearing.asked(heard) == "Group 4:"
    heard.take(f"5 {groups[4]}")
    assert hearing.asked(heard) == "Group 4:"


def test_all_of_it_can_be_pasted_at_once() -> None:
    heard = Hearing(key=False)
    heard.take(words.speak(MESSAGE, "ru").text())
    assert heard.finish() == (MESSAGE, ())


def test_another_language_in_the_middle_is_named() -> None:
    heard = Hearing(key=False)
    heard.take(said()[0])
    look = heard.look(said("ru")[1])
    assert "another language: русский" in "\n".join(t.plain for _l, t in hearing.typed(look)).lower()


def test_the_fifth_word_is_asked_for_once() -> None:
    heard = Hearing(key=False)
    four = " ".join(said()[0].split()[:4])
    assert "the check" in heard.look(four).wrong
    with pytest.raises(Rejected):
        heard.take(four)
    heard.take(four, as_it_is=True)
    assert heard.checks is False


@pytest.mark.parametrize(
    "text", ["", "   ", "\x1b[31m", "1", "???", "x" * 9000, "[/x] [@click=app.quit]", "a b c"]
)
def test_no_text_breaks_it(text: str) -> None:
    heard = Hearing(key=False)
    look = heard.look(text)
    hearing.typed(look)
    with pytest.raises(Rejected):
        heard.take(text)
    assert not heard.groups
    assert "\x1b" not in "".join(t.plain for _l, t in hearing.typed(look))

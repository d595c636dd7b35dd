from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.words import LANGUAGES as SPOKEN_OFTEN
from benchmarks.words import message, tally
from client.share import lists
from client.share.listening import LONGEST, Heard, assemble, hear_group, listen, understand, understand_key
from client.share.words import LANGUAGES, speak, speak_key
from transports.types import Rejected

MESSAGE = message(random.Random(7))
every_language = pytest.mark.parametrize("lang", LANGUAGES)
checked = pytest.mark.parametrize("checks", [False, True], ids=["without check words", "with check words"])


def lines(lang: str = "en", *, checks: bool = True) -> list[str]:
    return speak(MESSAGE, lang, checks=checks).text().splitlines()


def why(text: str, **options: str | bool) -> tuple[str, dict[str, object]]:
    with pytest.raises(Rejected) as refused:
        understand(listen(text, **options))  # type: ignore[arg-type]
    return refused.value.reason, dict(refused.value.values)


@every_language
@checked
def test_language_and_check_words_are_found_out(lang: str, checks: bool) -> None:
    numbered = "\n".join(lines(lang, checks=checks))
    plain = " ".join(word for group in speak(MESSAGE, lang, checks=checks).groups for word in group.said)
    for text in (numbered, plain, plain.upper(), unicodedata.normalize("NFD", numbered)):
        heard = listen(text)
        assert (heard.lang, heard.checks, heard.doubtful) == (lang, checks, ())
        assert understand(heard).message == MESSAGE


@every_language
def test_four_letters_of_each_word_are_enough(lang: str) -> None:
    spoken = speak(MESSAGE, lang)
    text = "\n".join(
        f"{group.number}: {' '.join(word[:4] for word in group.said)}" for group in spoken.groups
    )
    assert understand(listen(text, lang=lang)).message == MESSAGE


@pytest.mark.parametrize("lang", ["zh", "zh-hant"])
def test_chinese_words_need_no_blanks(lang: str) -> None:
    text = "".join("".join(group.said) for group in speak(MESSAGE, lang).groups)
    assert understand(listen(text)).message == MESSAGE


@pytest.mark.parametrize("form", ["{}) {}", "{} - {}", "Group {}: {}", "{}\t{}", "#{} {}", "({}) {}"])
def test_numbers_may_be_written_in_any_way(form: str) -> None:
    groups = speak(MESSAGE, "en").groups
    text = "\n".join(form.format(group.number, " ".join(group.said)) for group in groups)
    if form.startswith("Group"):
        text = text.replace("Group ", "")
    assert understand(listen(text)).message == MESSAGE


def test_numbered_groups_may_stand_in_one_line_and_in_any_order() -> None:
    shuffled = lines()
    random.Random(1).shuffle(shuffled)
    assert understand(listen(" ".join(shuffled))).message == MESSAGE
    assert understand(listen("\n".join(shuffled))).message == MESSAGE


def test_a_group_that_was_read_again_counts_as_typed_last() -> None:
    wrong = [*lines()]
    wrong[3], wrong[7] = "4. abandon abandon abandon abandon abandon", "8. zoo zoo zoo zoo zoo"
    assert listen("\n".join(wrong)).doubtful == (4, 8)
    assert understand(listen("\n".join([*wrong, lines()[3], lines()[7]]))).message == MESSAGE


@checked
@pytest.mark.parametrize("near", [False, True], ids=["any words", "words that resemble"])
def test_two_wrong_words_are_repaired_and_three_never_accepted_wrongly(checks: bool, near: bool) -> None:
    two = tally(100, wrong=(2, 2), checks=checks, near=near, seed=21)
    assert (two.right, two.wrong, two.asked) == (100, 0, 0)
    more = tally(150, wrong=(3, 60), checks=checks, near=near, seed=22)
    assert more.wrong == 0
    assert more.asked > 100


def test_what_was_repaired_is_named_with_the_word_that_it_should_be() -> None:
    spoken = speak(MESSAGE, "en", checks=False)
    said = [list(group.words) for group in spoken.groups]
    right, said[4][2] = said[4][2], "abandon" if said[4][2] != "abandon" else "zoo"
    repaired = understand(listen("\n".join(f"{n} {' '.join(w)}" for n, w in enumerate(said, 1)))).repaired
    assert repaired == ((5, 2, right),)


@checked
def test_a_word_that_was_not_understood_is_written_as_a_question_mark(checks: bool) -> None:
    spoken = [line.split() for line in lines(checks=checks)]
    spoken[0][1] = spoken[6][3] = "?"
    heard = listen("\n".join(map(" ".join, spoken)))
    assert heard.doubtful == (1, 7)
    assert understand(heard).message == MESSAGE


def test_a_skipped_group_is_named_and_comes_back_only_with_check_words() -> None:
    without = listen("\n".join(lines()[:3] + lines()[4:]))
    assert without.skipped == (4,)
    assert understand(without).message == MESSAGE
    reason, values = why("\n".join(lines(checks=False)[:3] + lines(checks=False)[4:]))
    assert "missing" in reason
    assert values == {"groups": "4"}


def test_several_skipped_groups_are_named() -> None:
    reason, values = why("\n".join(lines()[:3] + lines()[5:8] + lines()[9:]))
    assert "missing" in reason
    assert values == {"groups": "4, 5, 9"}


def test_a_last_group_that_was_not_read_comes_back_and_two_are_asked_for() -> None:
    assert understand(listen("\n".join(lines()[:-1]))).message == MESSAGE
    reason, _ = why("\n".join(lines()[:-2]))
    assert "how many groups" in reason


def test_one_word_too_few_in_a_group_is_repaired_and_in_two_groups_named() -> None:
    short = [line.rsplit(" ", 1)[0] if at in (2,) else line for at, line in enumerate(lines())]
    assert understand(listen("\n".join(short))).message == MESSAGE
    shorter = [" ".join(line.split()[:-2]) if at in (2, 8) else line for at, line in enumerate(lines())]
    heard = listen("\n".join(shorter))
    assert heard.doubtful == (3, 9)
    reason, values = why("\n".join(shorter))
    assert values == {"groups": "3, 9"}
    assert "read again" in reason


def test_of_many_groups_only_the_first_are_named() -> None:
    text = "\n".join(f"{number} zoo zoo zoo zoo ?" for number in range(1, 50))
    assert why(text, lang="en", checks=True)[1] == {"groups": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …"}


def test_words_of_two_languages_are_named_with_their_groups() -> None:
    mixed = lines("en")[:5] + lines("ru")[5:8] + lines("en")[8:]
    reason, values = why("\n".join(mixed))
    assert "another language" in reason
    assert values == {"other": "Русский", "lang": "English", "groups": "6, 7, 8"}


def test_words_of_an_expected_language_that_are_of_another_are_named() -> None:
    _, values = why("\n".join(lines("fr")), lang="ru")
    assert values["other"] == "Français"


@pytest.mark.parametrize("text", ["", "   \n", "1 2 3", "qwertyuiop asdfgh zxcvbnm", "\x1b[31m", "?", "a"])
def test_what_is_no_words_is_refused(text: str) -> None:
    reason, _ = why(text)
    assert "no list that is known" in reason


def test_an_endless_text_is_refused() -> None:
    assert "too long" in why("abandon " * LONGEST)[0]
    assert "more words than" in why("zoo " * 700)[0]
    assert "no group with this number" in why("1 zoo zoo zoo zoo\n99999999 zoo zoo zoo zoo")[0]


@given(
    st.text(max_size=300),
    st.sampled_from([None, "en", "ru", "zh", "ko"]),
    st.sampled_from([None, True, False]),
)
def test_any_text_is_understood_or_refused(text: str, lang: str | None, checks: bool | None) -> None:
    for key in (False, True):
        try:
            heard = listen(text, lang=lang, checks=checks, key=key)
            understand_key(heard) if key else understand(heard)
        except Rejected:
            continue


@checked
@pytest.mark.parametrize("lang", SPOKEN_OFTEN)
def test_the_words_of_a_key_come_back(lang: str, checks: bool) -> None:
    key = MESSAGE[:32]
    heard = listen(speak_key(key, lang, checks=checks).text(), key=True)
    assert (heard.lang, heard.checks) == (lang, checks)
    assert understand_key(heard) == key


def key_lines(*, checks: bool) -> list[str]:
    return speak_key(MESSAGE[:32], "en", checks=checks).text().splitlines()


def refused_key(text: str) -> tuple[str, dict[str, object]]:
    with pytest.raises(Rejected) as refused:
        understand_key(listen(text, key=True))
    return refused.value.reason, dict(refused.value.values)


def test_a_wrong_word_in_a_key_is_located_by_its_check_word() -> None:
    spoiled = key_lines(checks=True)
    first = spoiled[2].split()[1]
    spoiled[2] = spoiled[2].replace(f" {first} ", " abandon " if first != "abandon" else " zoo ", 1)
    reason, values = refused_key("\n".join(spoiled))
    assert "read again" in reason
    assert values == {"groups": "3"}


def test_a_key_with_a_group_missing_or_a_guess_in_it_is_not_taken() -> None:
    assert refused_key("\n".join(key_lines(checks=False)[:5]))[1] == {"groups": 6, "got": 5}
    assert refused_key("\n".join(key_lines(checks=False)[:2] + key_lines(checks=False)[3:]))[1] == {
        "groups": "3"
    }
    guessed = key_lines(checks=False)
    word = guessed[0].split()[1]
    guessed[0] = guessed[0].replace(word, word[:4] + "qq")
    assert refused_key("\n".join(guessed))[1] == {"groups": "1"}


def test_a_message_is_no_key() -> None:
    assert refused_key("\n".join(lines()))[1] == {"groups": 6, "got": 12}


def test_a_group_is_located_as_soon_as_it_is_typed_and_the_likely_word_is_offered() -> None:
    group = speak(MESSAGE, "en").groups[2]
    assert hear_group(f"3. {' '.join(group.said)}", 3, "en", True).right
    found = 0
    for place, word in enumerate(group.said):
        resembling = [lists.words("en").words[number] for _, number in lists.words("en").near(word)[1:4]]
        for other in resembling:
            said = [*group.said[:place], other, *group.said[place + 1 :]]
            heard = hear_group(" ".join(said), 3, "en", True)
            assert heard.right is False
            found += (place, word) in heard.likely
    assert found >= 12


def test_a_group_typed_under_another_number_or_in_another_order_does_not_fit() -> None:
    said = speak(MESSAGE, "en").groups[2].said
    assert hear_group(" ".join(said), 4, "en", True).right is False
    assert hear_group(" ".join((said[1], said[0], *said[2:])), 3, "en", True).right is False


def test_groups_typed_one_by_one_make_the_same_message() -> None:
    for lang in SPOKEN_OFTEN:
        groups = [
            hear_group(" ".join(group.said), group.number, lang, True)
            for group in speak(MESSAGE, lang).groups
        ]
        assert understand(assemble(groups, lang, True)).message == MESSAGE


def test_a_group_with_too_many_or_too_few_words_is_not_right() -> None:
    said = speak(MESSAGE, "en").groups[0].said
    for typed in (said[:4], (*said, "zoo"), said[:1], ()):
        group = hear_group(" ".join(typed), 1, "en", True)
        assert group.right is None
        assert assemble([group], "en", True).doubtful == (1,)


def test_nothing_typed_is_refused() -> None:
    with pytest.raises(Rejected, match="no words"):
        assemble([], "en", True)
    with pytest.raises(Rejected, match="are missing"):
        understand(assemble([hear_group("", 1, "en", True)], "en", True))


def test_words_stay_out_of_a_repr() -> None:
    heard = listen("\n".join(lines()))
    assert isinstance(heard, Heard)
    assert heard.groups[0].words[0].word not in repr(heard)
    assert heard.groups[0].words[0].word not in repr(heard.groups[0])

from __future__ import annotations

import random
import unicodedata

import pytest

from client.share import lists
from client.share.lists import LANGUAGES

every_language = pytest.mark.parametrize("lang", LANGUAGES)


@every_language
def test_every_list_has_2048_words_of_letters_in_one_normal_form(lang: str) -> None:
    words = lists.words(lang).words
    assert len(words) == len(set(words)) == 2048
    for word in words:
        assert word.isalpha()
        assert unicodedata.is_normalized("NFC", word)


@every_language
def test_every_word_is_found_whole_and_in_any_normal_form(lang: str) -> None:
    listed = lists.words(lang)
    for number, word in enumerate(listed.words):
        for typed in (word, word.title(), unicodedata.normalize("NFD", word)):
            assert listed.number(typed) == number


@every_language
def test_four_letters_are_enough(lang: str) -> None:
    listed = lists.words(lang)
    for number, word in enumerate(listed.words):
        match = listed.find(word[:4])
        assert match.number == number
        assert match.sure or lang == "tr"  # some of its words begin alike but for their accents


@every_language
def test_a_word_without_its_accents_is_found_or_offered_and_never_taken_for_another_unseen(lang: str) -> None:
    listed = lists.words(lang)
    asked = 0
    for number, word in enumerate(listed.words):
        bare = "".join(
            letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)
        )
        bare = word if lang == "ko" or "й" in word else unicodedata.normalize("NFC", bare).replace("ı", "i")
        match = listed.find(bare)
        if not match.sure:
            asked += 1
            assert word in match.near
        else:
            assert match.number == number
    assert asked <= (80 if lang == "tr" else 0)


@pytest.mark.parametrize(
    ("lang", "typed", "word"),
    [
        ("ru", "ЛЁГКИЙ", "легкий"),
        ("ru", "ceccия", "сессия"),  # Latin c, e, c, c
        ("ru", "AБЗAЦ", "абзац"),  # Latin A
        ("en", "аbаndоn", "abandon"),  # Cyrillic а, а, о
        ("fr", "ABEILLE", "abeille"),
        ("es", "ano", "año"),
        ("es", "ÁBACO", "ábaco"),
        ("tr", "İLAÇ", "ilaç"),
        ("tr", "ıLAC", "ilaç"),
        ("en", "zoos", "zoo"),
    ],
)
def test_other_spellings_are_understood(lang: str, typed: str, word: str) -> None:
    listed = lists.words(lang)
    match = listed.find(typed)
    assert match.number is not None
    assert listed.words[match.number] == word


@pytest.mark.parametrize("lang", ["en", "ru", "fr", "tr", "es", "it", "pt", "cs"])
def test_a_typing_mistake_offers_the_word_that_was_meant(lang: str) -> None:
    rng = random.Random(5)
    listed = lists.words(lang)
    offered = tried = 0
    for word in rng.sample(listed.words, 60):
        at = rng.randrange(len(word) - 1)
        typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if len(word) < 5 or typed == word:
            continue
        match = listed.find(typed)
        tried += 1
        offered += word in match.near or (match.number is not None and listed.words[match.number] == word)
    assert offered >= 0.8 * tried


def test_a_near_miss_is_taken_as_a_guess_and_not_for_sure() -> None:
    match = lists.words("ru").find("ориэнтир")
    assert match.number == lists.words("ru").words.index("ориентир")
    assert not match.sure
    assert match.near[0] == "ориентир"


@pytest.mark.parametrize("typed", ["", "q", "????", "x" * 100_000, "0\x1b[31m", "ъ"])
def test_what_resembles_nothing_is_nothing(typed: str) -> None:
    for lang in LANGUAGES:
        assert lists.words(lang).find(typed).number is None

"""The measurement of spoken words: it makes the mistakes that it says, and notices a broken promise."""

from __future__ import annotations

import random

import pytest

from benchmarks import words
from benchmarks.words import Tally, message, spoiled, tally
from client.share.words import speak


@pytest.mark.parametrize("near", [False, True], ids=["any words", "words that resemble"])
@pytest.mark.parametrize("wrong", [0, 1, 3, 60])
def test_as_many_words_are_wrong_as_it_says(wrong: int, near: bool) -> None:
    rng = random.Random(1)
    spoken = speak(message(rng), "fr")
    lines = zip(spoken.text().splitlines(), spoiled(spoken, wrong, rng, near=near).splitlines(), strict=True)
    differ = sum(
        one != other for right, read in lines for one, other in zip(right.split(), read.split(), strict=True)
    )
    assert differ == wrong


def test_wrong_words_meet_every_place_also_those_that_repair_and_check() -> None:
    rng = random.Random(2)
    spoken = speak(message(rng), "en")
    right = spoken.text().split()
    hit = set()
    for _ in range(400):
        read = spoiled(spoken, 2, rng, near=False).split()
        hit |= {at for at, (one, other) in enumerate(zip(right, read, strict=True)) if one != other}
    assert len(hit) == 60


def test_every_capsule_is_counted_once() -> None:
    counts = tally(40, wrong=(0, 5), checks=True, near=True, seed=3)
    assert counts.right + counts.asked + counts.wrong == 40
    assert counts.right
    assert counts.asked


def test_one_word_for_which_the_program_asks_or_one_wrong_message_breaks_the_promise() -> None:
    fine = Tally(right=10)
    for two, three, met in (
        (fine, Tally(asked=10), [True, True, True]),
        (Tally(right=9, asked=1), Tally(asked=10), [False, True, True]),
        (fine, Tally(asked=9, wrong=1), [True, False, True]),
    ):
        rows = words._promises("", 10, two, three, Tally(asked=10))
        assert [row.met for row in rows] == met

from __future__ import annotations

import random
from collections import Counter

import pytest

from client.share import symbols
from client.share.symbols import GROUP, check_number, decode, encode
from transports.types import Rejected

CAPSULES = 2_000  # `python -m benchmarks words` does the same with 10,000, and with words
SIZES = (1, 6, 26, 58, 59, 71, 79, 107, 108, 132, 181, 600)
checked = pytest.mark.parametrize("checks", [False, True], ids=["without check words", "with check words"])


def message(rng: random.Random, size: int = 59) -> bytes:
    first = rng.randrange(0x80, 0x100) if size == 59 else rng.randrange(0x80)
    return bytes((first,)) + rng.randbytes(size - 1)


def heard(data: bytes, checks: bool) -> tuple[list[int | None], list[int | None] | None]:
    numbers: list[int | None] = list(encode(data))
    fifths: list[int | None] = []
    for number, at in enumerate(range(0, len(numbers), GROUP), 1):
        fifths.append(check_number(number, [one or 0 for one in numbers[at : at + GROUP]]))
    return numbers, fifths if checks else None


def spoil(
    numbers: list[int | None],
    fifths: list[int | None] | None,
    wrong: int,
    rng: random.Random,
    unknown: float = 0.0,
) -> None:
    """Make `wrong` of all numbers wrong, a part of them unknown."""
    places = [(numbers, at) for at in range(len(numbers))] + [(fifths, at) for at in range(len(fifths or ()))]
    for into, at in rng.sample(places, wrong):
        assert into is not None
        into[at] = None if rng.random() < unknown else (into[at] or 0) ^ rng.randrange(1, 2048)


@checked
@pytest.mark.parametrize("size", SIZES)
def test_messages_of_any_size_come_back(size: int, checks: bool) -> None:
    rng = random.Random(size)
    for _ in range(5):
        data = message(rng, size)
        numbers, fifths = heard(data, checks)
        decoded = decode(numbers, fifths)
        assert decoded is not None
        assert (decoded.data, decoded.repaired) == (data, ())


@pytest.mark.parametrize(("size", "words"), [(59, 48), (108, 84), (58, 48), (71, 60), (181, 144), (600, 464)])
def test_a_message_takes_so_many_words(size: int, words: int) -> None:
    assert len(encode(message(random.Random(1), size))) == words


@checked
def test_two_wrong_words_are_repaired_without_asking(checks: bool) -> None:
    rng = random.Random(11)
    for _ in range(CAPSULES):
        data = message(rng)
        numbers, fifths = heard(data, checks)
        spoil(numbers, fifths, 2, rng)
        decoded = decode(numbers, fifths)
        assert decoded is not None
        assert decoded.data == data


@checked
@pytest.mark.parametrize("unknown", [0.0, 0.5, 0.9], ids=["wrong", "half unknown", "mostly unknown"])
def test_three_or_more_wrong_words_are_never_accepted_wrongly(checks: bool, unknown: float) -> None:
    rng = random.Random(12)
    for _ in range(CAPSULES if unknown == 0.0 else CAPSULES // 4):
        data = message(rng)
        numbers, fifths = heard(data, checks)
        wrong = rng.choice((3, 3, 4, 5, 6, 8, 20, 48))
        spoil(numbers, fifths, wrong, rng, unknown)
        guesses = rng.sample(range(48), rng.randrange(5))
        decoded = decode(numbers, fifths, guesses)
        assert decoded is None or decoded.data == data


def test_a_whole_group_that_is_wrong_is_found_and_repaired_with_check_words() -> None:
    rng = random.Random(13)
    for group in range(12):
        data = message(rng)
        numbers, fifths = heard(data, True)
        numbers[GROUP * group : GROUP * group + GROUP] = [rng.randrange(2048) for _ in range(GROUP)]
        decoded = decode(numbers, fifths)
        assert decoded is not None
        assert decoded.data == data
        assert all(place // GROUP == group for place in decoded.repaired)


def test_a_whole_group_that_was_skipped_comes_back_only_with_check_words() -> None:
    data = message(random.Random(14))
    for checks in (False, True):
        numbers, fifths = heard(data, checks)
        numbers[8:12] = [None] * GROUP
        if fifths is not None:
            fifths[2] = None
        decoded = decode(numbers, fifths)
        assert (decoded is not None and decoded.data == data) == checks


def test_a_longer_message_repairs_more() -> None:
    rng = random.Random(15)
    data = message(rng, 200)
    numbers, _ = heard(data, False)
    spoil(numbers, None, 4, rng)
    decoded = decode(numbers)
    assert decoded is not None
    assert decoded.data == data


def test_four_guesses_of_which_three_are_wrong_are_not_believed_without_more_evidence() -> None:
    rng = random.Random(16)
    data = message(rng)
    numbers, _ = heard(data, False)
    for place in (1, 2, 3):
        numbers[place] = (numbers[place] or 0) ^ 5
    assert decode(numbers, None, (1, 2, 3, 4)) is None
    found = decode(numbers, None, (1, 2, 3))
    assert found is not None
    assert found.data == data


def test_every_wrong_word_every_exchange_and_every_other_place_shows_in_the_check() -> None:
    rng = random.Random(17)
    for _ in range(500):
        words = [rng.randrange(2048) for _ in range(GROUP)]
        number = rng.randrange(1, 121)
        right = check_number(number, words)
        place = rng.randrange(GROUP)
        wrong = list(words)
        wrong[place] ^= rng.randrange(1, 2048)
        assert check_number(number, wrong) != right
        one, other = rng.sample(range(GROUP), 2)
        swapped = list(words)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert swapped == words or check_number(number, swapped) != right
        assert all(check_number(n, words) != right for n in range(1, 121) if n != number)
        assert check_number(number, words, key=True) != right


def test_check_numbers_spread_over_the_whole_list() -> None:
    rng = random.Random(18)
    counts = Counter(check_number(1, [rng.randrange(2048) for _ in range(GROUP)]) for _ in range(20_000))
    assert len(counts) > 2_000
    assert max(counts.values()) < 40


def test_two_groups_that_change_places_are_not_accepted_but_put_right_or_asked_for() -> None:
    data = message(random.Random(19))
    numbers, fifths = heard(data, True)
    numbers[0:4], numbers[4:8] = numbers[4:8], numbers[0:4]
    assert fifths is not None
    fifths[0], fifths[1] = fifths[1], fifths[0]
    assert decode(numbers, fifths) is None


@pytest.mark.parametrize("count", [0, 1, 4, 7, 47, 49, 88, 172, 484, 4000])
def test_a_number_of_words_that_no_message_has_is_refused(count: int) -> None:
    assert decode([1] * count) is None


def test_nothing_at_all_is_refused() -> None:
    assert decode([None] * 48, [None] * 12) is None


@pytest.mark.parametrize("size", [0, symbols.LONGEST + 1])
def test_an_empty_or_long_message_is_not_spoken(size: int) -> None:
    with pytest.raises(Rejected, match="too long to be read out"):
        encode(bytes(size))


def test_a_key_comes_back_and_a_wrong_word_in_it_is_mostly_noticed() -> None:
    rng = random.Random(20)
    missed = 0
    for _ in range(500):
        key = rng.randbytes(32)
        numbers: list[int | None] = list(symbols.encode_key(key))
        assert len(numbers) == 24
        assert symbols.decode_key(numbers) == key
        numbers[rng.randrange(24)] = rng.randrange(2048)
        missed += symbols.decode_key(numbers) not in (None, key)
        numbers[0] = None
        assert symbols.decode_key(numbers) is None
    assert missed < 10  # one in 256


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(Rejected, match="32 bytes"):
        symbols.encode_key(bytes(31))
    assert symbols.decode_key([1] * 23) is None

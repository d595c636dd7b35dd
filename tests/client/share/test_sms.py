import itertools
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.i18n import say
from client.share import parts, sms
from transports.types import Rejected

# The basic table of the 7-bit alphabet (3GPP TS 23.038), without what gateways are known to replace.
GSM_7 = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/:.")


@given(st.binary(min_size=1, max_size=900), st.booleans(), st.randoms())
def test_messages_in_any_order_give_back_every_byte(data: bytes, wide: bool, chance: object) -> None:
    texts = list(sms.split(data, wide=wide))
    chance.shuffle(texts)  # type: ignore[attr-defined]
    assert sms.join(texts) == ((data,), ())
    assert sms.join(["\n".join(texts)]) == ((data,), ())
    assert {len(text) <= (70 if wide else 160) for text in texts} == {True}
    assert set("".join(texts)) <= GSM_7


def test_a_sealed_bridge_takes_one_message_and_a_signed_and_sealed_one_two() -> None:
    assert [len(sms.split(secrets.token_bytes(size))) for size in (61, 110, 111, 112, 183)] == [1, 1, 1, 2, 2]


def test_what_people_and_telephones_put_around_the_messages_does_no_harm() -> None:
    data = secrets.token_bytes(200)
    first, second = sms.split(data)
    pasted = f"+7 700 000 00 00, 12:01\n> {first[:50]}\n   {first[50:]} Take care.\n\nFwd: {second} x"
    assert sms.join([pasted]) == ((data,), ())


def test_a_missing_part_is_named() -> None:
    texts = sms.split(secrets.token_bytes(300))
    with pytest.raises(Rejected) as refused:
        sms.join([texts[0], texts[2]])
    assert refused.value.values == {"tag": texts[0][5:8], "missing": "2", "total": 3}
    with pytest.raises(Rejected) as refused:
        sms.join([texts[1]])
    assert refused.value.values["missing"] == "1, 3"


def test_parts_of_two_capsules_are_told_apart() -> None:
    one, two = secrets.token_bytes(200), secrets.token_bytes(200)
    a, b = sms.split(one), sms.split(two)
    whole, notes = sms.join([b[1], a[0], a[1]])
    assert whole == (one,)
    assert [say(note) for note in notes] == [
        f"capsule {b[0][5:8]}: 1 of 2 is missing; ask for it and paste all of them again"
    ]
    assert set(sms.join([b[1], a[0], a[1], b[0]])[0]) == {one, two}


@pytest.mark.parametrize("spoil", [str.lower, lambda text: text[:80], lambda text: text[:40] + text[41:]])
def test_a_part_that_was_changed_or_cut_off_is_named(spoil: object) -> None:
    texts = sms.split(secrets.token_bytes(200))
    with pytest.raises(Rejected) as refused:
        sms.join([texts[0], spoil(texts[1])])  # type: ignore[operator]
    assert refused.value.reason == sms.CUT
    assert refused.value.values["missing"] == "2"


def test_no_single_changed_character_gives_other_bytes() -> None:
    data = secrets.token_bytes(110)
    (text,) = sms.split(data)
    for place, other in itertools.product(range(len(text)), "aB7/+."):
        try:
            found = sms.join([text[:place] + other + text[place + 1 :]])[0]
        except Rejected:
            continue
        assert found == (data,)


def test_a_part_that_came_twice_does_no_harm_unless_it_differs() -> None:
    texts = sms.split(secrets.token_bytes(200))
    assert len(sms.join([*texts, *texts])[0]) == 1
    other = parts._part(b"else", 2, 2, texts[0][5:8], "SY")
    whole, _notes = sms.join([*texts, other])
    assert len(whole) == 1
    with pytest.raises(Rejected) as refused:
        sms.join([texts[0], other])
    assert refused.value.reason == parts.DAMAGED


def test_text_without_any_part_is_refused_with_what_to_do() -> None:
    for text in ("", "hello", "SY1/2", "SY3/2abc:xx.", "SY0/1abc:xx."):
        with pytest.raises(Rejected) as refused:
            sms.join([text])
        assert refused.value.reason == sms.NOTHING


def test_what_is_too_long_is_refused_on_both_sides() -> None:
    assert len(sms.split(bytes(10_000))) < 100
    with pytest.raises(Rejected):
        sms.split(bytes(12_000))
    with pytest.raises(Rejected) as refused:
        sms.join(["SY1/2abc:" + "A" * parts.LONGEST])
    assert refused.value.reason == parts.TOO_MUCH_TEXT


@given(
    st.text(max_size=400) | st.from_regex(r"(S[YQ][0-9]{1,2}/[0-9]{1,2}[a-z]{3}:[A-Za-z0-9+/]{0,40}\.?){1,5}")
)
def test_hostile_text_is_refused_and_nothing_else(text: str) -> None:
    try:
        whole, _notes = sms.join([text])
    except Rejected:
        return
    assert all(isinstance(data, bytes) for data in whole)


def test_a_thousand_capsules_in_one_text_are_not_all_kept() -> None:
    texts = [sms.split(secrets.token_bytes(200))[0] for _ in range(1000)]
    assert len(parts.collect(texts)) == 16

"""The code that a helper gives away."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.beacon import invite
from client.beacon.invite import Invite
from transports.types import Rejected

KEY = bytes(range(16))
ONE = Invite(key=KEY, addresses=("192.0.2.7",))
LISTED = Invite(key=KEY, addresses=("192.0.2.7", "2001:db8::7"), ports=((179, 179), (8000, 8600)))

ports = st.lists(st.integers(1, 65535), max_size=30).map(lambda found: invite.joined(iter(found)))
fours = st.lists(st.ip_addresses(v=4).map(str), max_size=3, unique=True)
sixes = st.lists(st.ip_addresses(v=6).map(str), max_size=3, unique=True)


@given(st.binary(min_size=16, max_size=16), fours, sixes, ports)
def test_every_code_comes_back(
    key: bytes, some: list[str], more: list[str], found: tuple[tuple[int, int], ...]
) -> None:
    if not some and not more:
        return
    made = Invite(key=key, addresses=(*some, *more), ports=found)
    assert invite.read(invite.write(made)) == (made,)


@pytest.mark.parametrize("made", [ONE, LISTED])
def test_every_wrong_character_is_found(made: Invite) -> None:
    text = invite.write(made)
    for place, char in enumerate(text):
        if char.isalnum():
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".replace(char, ""):
                with pytest.raises(Rejected):
                    invite.read(text[:place] + other + text[place + 1 :])


def test_every_swap_of_neighbours_is_found() -> None:
    bare = invite.write(LISTED).replace("-", "").replace("\n", "")
    for place in range(len(bare) - 1):
        if bare[place] != bare[place + 1]:
            with pytest.raises(Rejected):
                invite.read(bare[:place] + bare[place + 1] + bare[place] + bare[place + 2 :])


def test_a_code_is_read_as_people_type_it() -> None:
    text = invite.write(ONE)
    assert len(text) < 60
    assert "\n" not in text
    typed = text.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert invite.read(f"# from a friend\n{typed[:20]}\n{typed[20:]}\n") == (ONE,)
    cyrillic = text.translate(str.maketrans("ABCEHKMPTXY", "АВСЕНКМРТХУ"))
    assert invite.read(cyrillic) == (ONE,)


def test_several_codes_are_read_however_their_lines_break() -> None:
    text = invite.write(LISTED) + "\n\n" + invite.write(ONE)
    assert invite.read(text) == (LISTED, ONE)
    assert invite.read(text.replace("\n", "")) == (LISTED, ONE)
    assert invite.read(text + text) == (LISTED, ONE)


@pytest.mark.parametrize("text", ["", "   ", "# only a remark", "hello", "U" * 40, "2G0", "é", "0" * 9000])
def test_what_is_no_code_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(Rejected):
        invite.read(text)


def test_a_code_that_was_cut_off_says_how_much_is_missing() -> None:
    with pytest.raises(Rejected) as caught:
        invite.read(invite.write(ONE).replace("-", "")[:-5])
    assert caught.value.values == {"missing": 5}


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(Rejected):
        invite.read(text)


def test_too_many_ports_and_addresses_do_not_fit() -> None:
    scattered = invite.joined(iter(range(1, 200, 2)))
    with pytest.raises(Rejected):
        invite.write(Invite(key=KEY, addresses=("192.0.2.7",), ports=scattered))
    with pytest.raises(Rejected):
        invite.write(Invite(key=KEY, addresses=()))
    with pytest.raises(Rejected):
        invite.write(Invite(key=KEY, addresses=tuple(f"192.0.2.{number}" for number in range(4))))


def test_lists_of_ports() -> None:
    assert invite.ranges("3785, 179,8000-8002,8003") == ((179, 179), (3785, 3785), (8000, 8003))
    assert LISTED.offers(8300)
    assert not LISTED.offers(443)
    assert ONE.offers(443)
    for text in ("", "0", "65536", "9-1", "x", "-5", "80;81"):
        with pytest.raises(Rejected):
            invite.ranges(text)


def test_neither_key_nor_address_is_in_a_repr() -> None:
    assert not re.search(r"192|0001|\\x", repr(ONE))

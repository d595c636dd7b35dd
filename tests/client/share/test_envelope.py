from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.share import capsule as capsules
from client.share import envelope, sign
from client.share.envelope import Kind
from client.share.seal import OneTime
from client.share.words import speak
from tests.client.share.ways import LINES, OBFS4, capsule, endpoint
from transports.types import Rejected

KEY = OneTime.new()
SEED = sign.new()


def test_one_bridge_has_the_sizes_that_were_promised() -> None:
    plain, signed = envelope.plain(capsule()), envelope.signed(capsule(), SEED)
    sealed = envelope.sealed(plain, KEY.public)
    assert [len(message) for message in (plain, signed, sealed)] == [59, 132, 108]
    assert len(envelope.sealed(signed, KEY.public)) == 181
    assert speak(plain, "en", checks=False).count == 48
    assert speak(plain, "en").count == 60
    assert speak(sealed, "en", checks=False).count == 84  # 80 before the four that repair


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_wrapping_comes_out_as_it_went_in(line: str) -> None:
    given = capsule(line)
    known = [sign.public(SEED)]
    signed = envelope.signed(given, SEED)
    for message, is_sealed, by in (
        (envelope.plain(given), False, None),
        (signed, False, known[0]),
        (envelope.sealed(envelope.plain(given), KEY.public), True, None),
        (envelope.sealed(signed, KEY.public), True, known[0]),
    ):
        taken = envelope.take(message, key=KEY, known=known)
        assert (taken.sealed, taken.by, bool(taken.key_id)) == (is_sealed, by, by is not None)
        assert taken.capsule.entries[0].endpoint.key() == endpoint(line).key()


def test_a_kind_is_known_without_a_key() -> None:
    plain, signed = envelope.plain(capsule()), envelope.signed(capsule(), SEED)
    kinds = [envelope.kind(one) for one in (plain, signed, envelope.sealed(signed, KEY.public), b"\x01")]
    assert kinds == [Kind.PLAIN, Kind.SIGNED, Kind.SEALED, Kind.PLAIN]


@pytest.mark.parametrize("first", [0x02, 0x0F, 0x12, 0x1F])
def test_a_newer_version_is_refused_with_what_to_do(first: int) -> None:
    with pytest.raises(Rejected, match="newer version"):
        envelope.take(bytes((first,)) + bytes(80))


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x20", b"https://somewhere.example"])
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(Rejected, match="no capsule"):
        envelope.take(message)


def test_a_sealed_message_without_its_key_says_so() -> None:
    with pytest.raises(Rejected, match="one-time key"):
        envelope.take(envelope.sealed(envelope.plain(capsule()), KEY.public))


def test_seals_inside_a_seal_are_refused() -> None:
    twice = envelope.sealed(envelope.sealed(envelope.plain(capsule()), KEY.public), KEY.public)
    with pytest.raises(Rejected, match="no capsule"):
        envelope.take(twice, key=KEY)


def test_a_message_of_a_gigabyte_would_be_refused_by_its_length_alone() -> None:
    with pytest.raises(Rejected, match="larger than any capsule"):
        envelope.take(bytes(capsules.LARGEST + 1))


@given(st.binary(min_size=1, max_size=200), st.data())
def test_the_check_finds_nearly_every_altered_byte(message: bytes, data: st.DataObject) -> None:
    checked = envelope.checked(message)
    assert envelope.unchecked(checked) == message
    at = data.draw(st.integers(0, len(checked) - 1))
    altered = bytearray(checked)
    altered[at] ^= 0x01
    if at >= len(message):  # an altered check is always found; altered contents all but once in 65,536
        with pytest.raises(Rejected, match="check is wrong"):
            envelope.unchecked(bytes(altered))


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc"])
def test_too_little_has_no_right_check(data: bytes) -> None:
    with pytest.raises(Rejected, match="check is wrong"):
        envelope.unchecked(data)


def test_a_checked_message_with_a_byte_exchanged_is_refused() -> None:
    checked = envelope.checked(envelope.plain(capsule(OBFS4)))
    for at in range(len(checked)):
        with pytest.raises(Rejected, match="check is wrong"):
            envelope.unchecked(checked[:at] + bytes((checked[at] ^ 0xFF,)) + checked[at + 1 :])

from __future__ import annotations

import sys

import pytest

from client.share import seal, sign
from client.share.seal import OneTime
from transports.types import Rejected


def test_what_is_sealed_opens_with_the_key_and_is_48_bytes_longer() -> None:
    key = OneTime.new()
    for payload in (b"", b"x", bytes(59), bytes(100_000)):
        sealed = seal.seal(payload, key.public)
        assert len(sealed) == len(payload) + seal.ADDED == len(payload) + 48
        assert key.open(sealed) == payload


def test_the_same_payload_is_never_sealed_twice_alike() -> None:
    key = OneTime.new()
    assert seal.seal(b"payload", key.public) != seal.seal(b"payload", key.public)


def test_no_other_key_opens_it() -> None:
    sealed = seal.seal(b"payload", OneTime.new().public)
    with pytest.raises(Rejected, match="does not open"):
        OneTime.new().open(sealed)


def test_an_altered_byte_anywhere_keeps_it_shut() -> None:
    key = OneTime.new()
    sealed = seal.seal(bytes(11), key.public)
    for at in range(len(sealed)):
        altered = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(Rejected, match="does not open"):
            key.open(altered)


@pytest.mark.parametrize("sealed", [b"", bytes(47), bytes(48), bytes(60), b"\xff" * 60])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Rejected, match="does not open"):
        OneTime.new().open(sealed)


def test_a_passphrase_agreed_earlier_must_be_the_same_on_both_sides() -> None:
    key = OneTime.new()
    sealed = seal.seal(b"payload", key.public, bytearray(b"agreed in spring"))
    assert key.open(sealed, bytearray(b"agreed in spring")) == b"payload"
    for other in (None, bytearray(b"agreed in autumn"), bytearray()):
        with pytest.raises(Rejected, match="does not open"):
            key.open(sealed, other)
    with pytest.raises(Rejected, match="does not open"):
        key.open(seal.seal(b"payload", key.public), bytearray(b"agreed in spring"))


@pytest.mark.parametrize(
    "public", [b"", bytes(31), bytes(33), bytes(32)], ids=["none", "31", "33", "low order"]
)
def test_a_key_that_gives_no_secret_is_refused(public: bytes) -> None:
    with pytest.raises(Rejected, match="no usable key"):
        seal.seal(b"payload", public)


def test_a_one_time_key_shows_nothing_of_itself() -> None:
    key = OneTime.new()
    assert key.public.hex() not in repr(key)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.hpke", None)
    for needed in (OneTime.new, lambda: seal.seal(b"", bytes(32)), lambda: sign.public(bytes(32))):
        with pytest.raises(Rejected, match="need the Python package"):
            needed()

from __future__ import annotations

import pytest

from client.share import sign
from transports.types import Rejected

SEED = sign.new()
PUBLIC = sign.public(SEED)
OTHER = sign.public(sign.new())


def test_a_known_signer_is_named() -> None:
    found = sign.verify(sign.sign(b"payload", SEED), [OTHER, PUBLIC])
    assert (found.payload, found.by, found.key_id) == (b"payload", PUBLIC, sign.key_id(PUBLIC))


def test_an_unknown_signer_is_said_to_be_unknown() -> None:
    found = sign.verify(sign.sign(b"payload", SEED), [OTHER])
    assert (found.payload, found.by, found.key_id) == (b"payload", None, sign.key_id(PUBLIC))


def test_a_signature_adds_72_bytes() -> None:
    assert len(sign.sign(b"payload", SEED)) == len(b"payload") + sign.ADDED == 79


def test_an_altered_byte_under_a_known_name_is_refused() -> None:
    signed = sign.sign(b"payload", SEED)
    for at in range(8, len(signed)):  # before that it is the name of the key
        altered = signed[:at] + bytes((signed[at] ^ 1,)) + signed[at + 1 :]
        with pytest.raises(Rejected, match="signature is wrong"):
            sign.verify(altered, [PUBLIC])


def test_a_signature_of_somebody_else_under_a_known_name_is_refused() -> None:
    signed = sign.sign(b"payload", sign.new())
    forged = bytes.fromhex(sign.key_id(PUBLIC)) + signed[8:]
    with pytest.raises(Rejected, match="signature is wrong"):
        sign.verify(forged, [PUBLIC])


@pytest.mark.parametrize("length", [0, 1, 72])
def test_too_little_is_refused(length: int) -> None:
    with pytest.raises(Rejected, match="incomplete"):
        sign.verify(bytes(length), [PUBLIC])


def test_two_secrets_are_never_alike_and_a_repr_shows_none() -> None:
    assert sign.new() != sign.new()
    assert "payload" not in repr(sign.verify(sign.sign(b"payload", SEED), []))

"""Bytes as numbers of 11 bits, one a word, with what finds and repairs wrong words. Pure.

Layout: the bytes, then at least 12 bits of a SHA-256 over them (as many as fill the last group of four), then the
Reed-Solomon numbers over GF(2^11): four, and four more for each 80 numbers begun beyond the first 80. A group of four
may have a fifth number that depends on the four, on their order and on the number of the group.

What is repaired is believed only with enough evidence. `decode` counts it in bits: how unlikely it is that wrong words
look like right ones after the repair.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from transports.types import N_, Rejected

if TYPE_CHECKING:
    from reedsolo import RSCodec

GROUP: Final = 4
LONGEST: Final = 600  # bytes; more is too much to say, and a QR code or a file carries it
KEY_BYTES: Final = 32
KEY_WORDS: Final = 24
MOST_GROUPS: Final = 120  # above what LONGEST needs
_BITS: Final = 11
_FIELD: Final = 1 << _BITS
_PRIME: Final = 0x805  # x^11 + x^2 + 1, primitive
_LEAST_CHECK: Final = 12  # bits
_BLOCK: Final = 80  # numbers that four Reed-Solomon numbers protect: one bridge, sealed
_PARITY: Final = 4
_SURE: Final = 20.0  # bits: one wrong answer in a million texts that are beyond repair
_MESSAGE: Final = b"sanylau spoken message 1"
_KEY: Final = b"sanylau spoken key 1"
_FACTORS: Final = (
    0,
    7,
    14,
    21,
)  # powers of 2; not the roots of the Reed-Solomon code (0 to 3), so they add to it
_COMPACT_LENGTH: Final = 59  # bytes of a message whose first bit is set: capsule.py
_COMPACT_BIT: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What the numbers say: the bytes, all numbers as they should be, and the places (from 0) that were repaired."""

    data: bytes
    symbols: tuple[int, ...]
    repaired: tuple[int, ...]


def encode(data: bytes) -> tuple[int, ...]:
    """Return the numbers of a message of at most LONGEST bytes. Raises Rejected for a longer or empty one."""
    if not 0 < len(data) <= LONGEST:
        raise Rejected(
            N_("this is too long to be read out: at most {limit} bytes; use QR codes or a file"),
            limit=LONGEST,
        )
    count = -(-(8 * len(data) + _LEAST_CHECK) // _BITS)
    count += -count % GROUP
    numbers = _split(data, count, _MESSAGE)
    return tuple(_codec(_parity(count)).encode(list(numbers)))


def encode_key(key: bytes) -> tuple[int, ...]:
    """Return the 24 numbers of a key of 32 bytes: 8 bits check it, and nothing repairs it."""
    if len(key) != KEY_BYTES:
        raise Rejected(N_("this is no key: a key has 32 bytes"))
    return _split(key, KEY_WORDS, _KEY)


def check_number(group: int, words: Sequence[int], *, key: bool = False) -> int:
    """Return the fifth number of the group with the number `group` (from 1).

    Every single wrong word, every exchange of two, and the words of any other group give another number.
    """
    number = (group * 1021 + (977 if key else 341)) % _FIELD  # 1021 is odd: no two groups share it
    for factor, word in zip(_FACTORS, words, strict=True):
        number ^= _times(factor, word)
    return number


def possible(count: int) -> bool:
    """Say whether a message can have `count` numbers, those for the repair included."""
    return _data_count(count) > 0


def decode(
    heard: Sequence[int | None],
    checks: Sequence[int | None] | None = None,
    unsure: Sequence[int] = (),
) -> Decoded | None:
    """Return what was meant, None where that is not beyond doubt.

    `heard` has None for a word that was not understood. `checks` are the groups' fifth numbers, None where there are
    none; `unsure` are places (from 0) of words that were guessed.
    """
    count = _data_count(len(heard))
    if count <= 0 or len(heard) > MOST_GROUPS * GROUP:
        return None
    found: Decoded | None = None
    for erased in _suspects(heard, checks, unsure, len(heard) - count):
        tried = _attempt(heard, checks, erased, count)
        if tried is None:
            continue
        if found is not None and tried.data != found.data:
            return None
        found = tried
    return found


def decode_key(heard: Sequence[int | None]) -> bytes | None:
    """Return the key that 24 numbers say, None if they do not fit together."""
    numbers = [number for number in heard if number is not None]
    if len(heard) != KEY_WORDS or len(numbers) != KEY_WORDS:
        return None
    return _joined(numbers, KEY_BYTES, _KEY)


def _suspects(
    heard: Sequence[int | None], checks: Sequence[int | None] | None, unsure: Sequence[int], parity: int
) -> Iterator[frozenset[int]]:
    """Yield sets of places to take for unknown: what is missing, with the guesses, with the groups that do not fit."""
    missing = frozenset(place for place, number in enumerate(heard) if number is None)
    sets = [missing, missing | frozenset(unsure)]
    if checks is not None:
        wrong = [group for group in range(len(checks)) if not _fits(heard, checks, group)]
        most = parity // GROUP
        for size in range(1, most + 1):
            sets += [
                missing.union(*map(_places, some)) for some in itertools.combinations(wrong[: most + 1], size)
            ]
    seen: set[frozenset[int]] = set()
    for suspects in sets:
        if len(suspects) <= parity and suspects not in seen:
            seen.add(suspects)
            yield suspects


def _places(group: int) -> range:
    return range(GROUP * group, GROUP * group + GROUP)


def _fits(symbols: Sequence[int | None], checks: Sequence[int | None], group: int) -> bool:
    words = [number for number in symbols[GROUP * group : GROUP * group + GROUP] if number is not None]
    return len(words) == GROUP and checks[group] == check_number(group + 1, words)


def _attempt(
    heard: Sequence[int | None], checks: Sequence[int | None] | None, erased: frozenset[int], count: int
) -> Decoded | None:
    """Repair with `erased` taken for unknown, and return the outcome if the evidence is enough."""
    from reedsolo import ReedSolomonError

    parity = len(heard) - count
    given = array("i", (number or 0 for number in heard))
    try:
        _, whole, _ = _codec(parity).decode(given, erase_pos=sorted(erased))
    except ReedSolomonError:
        return None
    symbols = tuple(whole)
    if len(symbols) != len(heard) or not all(0 <= number < _FIELD for number in symbols):
        return None
    data = _read(symbols[:count])
    if data is None:
        return None
    repaired = tuple(place for place, number in enumerate(heard) if number != symbols[place])
    wrong = sum(place not in erased for place in repaired)
    bits = float(_spare_bits(count, data) + _BITS * (parity - len(erased) - wrong))
    bits -= math.log2(math.comb(len(heard) - len(erased), wrong))
    if checks is not None:
        # Two texts that both pass the repair differ in more words than one group has, so in two groups at least.
        misfits = sum(not _fits(symbols, checks, group) for group in range(len(checks)))
        bits += _BITS * max(0, 2 - misfits)
    return Decoded(data=data, symbols=symbols, repaired=repaired) if bits >= _SURE else None


def _spare_bits(count: int, data: bytes) -> int:
    return _BITS * count - 8 * len(data)


def _read(numbers: Sequence[int]) -> bytes | None:
    """Return the bytes that `numbers` hold. Their length is the one for which the check bits are right."""
    longest = (_BITS * len(numbers) - _LEAST_CHECK) // 8
    shortest = (_BITS * (len(numbers) - GROUP) - _LEAST_CHECK) // 8 + 1
    for length in range(max(1, shortest), longest + 1):  # the most check bits first
        data = _joined(numbers, length, _MESSAGE)
        if data is not None and (data[0] < _COMPACT_BIT or length == _COMPACT_LENGTH):
            return data
    return None


def _split(data: bytes, count: int, purpose: bytes) -> tuple[int, ...]:
    spare = _spare_bits(count, data)
    whole = int.from_bytes(data, "big") << spare | _check_bits(data, spare, purpose)
    return tuple(whole >> _BITS * place & _FIELD - 1 for place in range(count - 1, -1, -1))


def _joined(numbers: Sequence[int], length: int, purpose: bytes) -> bytes | None:
    whole = functools.reduce(lambda sum_, number: sum_ << _BITS | number, numbers, 0)
    spare = _BITS * len(numbers) - 8 * length
    data = (whole >> spare).to_bytes(length, "big")
    return data if whole & (1 << spare) - 1 == _check_bits(data, spare, purpose) else None


def _check_bits(data: bytes, bits: int, purpose: bytes) -> int:
    digest = hashlib.sha256(b"%b %d " % (purpose, len(data)) + data).digest()
    return int.from_bytes(digest, "big") >> 8 * len(digest) - bits


def _parity(count: int) -> int:
    return _PARITY * -(-count // _BLOCK)


def _data_count(total: int) -> int:
    """Return how many of `total` numbers hold data, 0 if no message has so many numbers."""
    count = total - _PARITY * -(-total // (_BLOCK + _PARITY))
    return count if total % GROUP == 0 and count > 0 and count + _parity(count) == total else 0


@functools.cache
def _codec(parity: int) -> RSCodec:
    from reedsolo import RSCodec

    return RSCodec(parity, nsize=_FIELD - 1, c_exp=_BITS, prim=_PRIME)


@functools.cache
def _powers() -> tuple[tuple[int, ...], dict[int, int]]:
    """Return the powers of 2 in the field, and their exponents."""
    powers = [1]
    while len(powers) < _FIELD - 1:
        doubled = powers[-1] << 1
        powers.append(doubled ^ _PRIME if doubled & _FIELD else doubled)
    return tuple(powers), {power: exponent for exponent, power in enumerate(powers)}


def _times(exponent: int, number: int) -> int:
    powers, exponents = _powers()
    return powers[(exponents[number] + exponent) % (_FIELD - 1)] if number else 0

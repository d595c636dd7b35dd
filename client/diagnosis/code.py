"""The result code: what a diagnosis found, as digits that can be typed with any keyboard and said over any phone.

It carries kinds, how sure, passing ports and protocols; never an address, a name or a time. Digits are the letters
that every language and every keyboard has. Layout: a digit for the version, a number in mixed radix, three digits
that are its remainder modulo 997. That finds every wrong digit and every swap of two that stand side by side, and of
other mistakes all but one in a thousand. Groups of four, because that is how people say numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from client.diagnosis.kinds import Certainty, Diagnosis, Kind
from transports.types import N_, Rejected

LONGEST: Final = 59
_T = TypeVar("_T")
_VERSION: Final = "1"
_MODULUS: Final = 997
_GROUP: Final = 4
# The tables below are the format of version 1: append nothing, change nothing, make a version 2 instead.
_KINDS: Final = tuple(Kind)
_CERTAINTIES: Final = (Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_TELL)
_OTHERS: Final = 3
_PASSES: Final = ("dns", "doh", "dot", "tls", "http", "raw", "quic", "tor", "obfs4", "udp")
_TCP: Final = (22, 25, 53, 80, 110, 143, 179, 443, 465, 587, 646, 853, 993, 995, 3784, 3785)
_TCP_MORE: Final = (4784, 5060, 5222, 5223, 7547, 8080, 8443, 9001)
_UDP: Final = (53, 123, 443, 500, 3478, 3784, 3785, 51820)
_PORTS: Final = (*_TCP, *_TCP_MORE)
_EXTRA: Final = 4  # ports that stand in no table

_LENGTH: Final = N_(
    "a result code has between {least} and {most} digits; this one has {got}: ask for it again"
)
_WRONG: Final = N_("this result code holds a mistake: read it out again, group by group")
_NEWER: Final = N_("this result code is from a newer version of Sanylau: bring yours up to date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a code says. Of more than four ports outside the tables, and of more than four kinds, it says the first."""

    kinds: tuple[Kind, ...]
    certainty: Certainty
    tcp: tuple[int, ...]
    udp: tuple[int, ...]
    passes: frozenset[str]


def of(diagnosis: Diagnosis) -> str:
    """Return the code of a diagnosis."""
    return encode(
        Told(
            kinds=diagnosis.kinds,
            certainty=diagnosis.main.certainty,
            tcp=diagnosis.tcp,
            udp=diagnosis.udp,
            passes=diagnosis.passes,
        )
    )


def encode(told: Told) -> str:
    """Return the code, at most 59 characters with its hyphens."""
    packed = _Packed()
    extra = [port for port in told.tcp if port not in _PORTS][:_EXTRA]
    for port in extra:
        packed.put(port, 65536)
    packed.put(len(extra), _EXTRA + 1)
    packed.put(_mask(told.udp, _UDP), 1 << len(_UDP))
    packed.put(_mask(told.tcp, _PORTS), 1 << len(_PORTS))
    packed.put(_mask(told.passes, _PASSES), 1 << len(_PASSES))
    others = [_KINDS.index(kind) for kind in told.kinds[1 : _OTHERS + 1]]
    for number in [*others, *[len(_KINDS)] * (_OTHERS - len(others))]:
        packed.put(number, len(_KINDS) + 1)
    packed.put(_KINDS.index(told.kinds[0]), len(_KINDS))
    packed.put(_CERTAINTIES.index(told.certainty), len(_CERTAINTIES))
    body = f"{_VERSION}{packed.number}"
    digits = f"{body}{int(body) % _MODULUS:03}"
    return "-".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def decode(text: str) -> Told:
    """Read a code, in any digits, with any blanks and hyphens. Raises Rejected that says what to do."""
    digits = _digits(text)
    least, most = 5, LONGEST - LONGEST // (_GROUP + 1)
    if not least <= len(digits) <= most:
        raise Rejected(_LENGTH, least=least, most=most, got=len(digits))
    body, check = digits[:-3], digits[-3:]
    if int(body) % _MODULUS != int(check) or (len(body) > 2 and body[1] == "0"):
        raise Rejected(_WRONG)
    if body[0] != _VERSION:
        raise Rejected(_NEWER)
    told = _read(_Packed(int(body[1:])))
    if told is None:
        raise Rejected(_WRONG)
    return told


def _read(packed: _Packed) -> Told | None:
    certainty = _CERTAINTIES[packed.take(len(_CERTAINTIES))]
    main = _KINDS[packed.take(len(_KINDS))]
    others = [packed.take(len(_KINDS) + 1) for _ in range(_OTHERS)][::-1]
    passes = frozenset(_unmask(packed.take(1 << len(_PASSES)), _PASSES))
    tcp = list(_unmask(packed.take(1 << len(_PORTS)), _PORTS))
    udp = tuple(_unmask(packed.take(1 << len(_UDP)), _UDP))
    extra = [packed.take(65536) for _ in range(packed.take(_EXTRA + 1))][::-1]
    if packed.number or 0 in extra:
        return None
    return Told(
        kinds=(main, *(_KINDS[number] for number in others if number < len(_KINDS))),
        certainty=certainty,
        tcp=tuple(sorted([*tcp, *extra])),
        udp=udp,
        passes=passes,
    )


class _Packed:
    """A number in mixed radix: what is put last is taken first."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def put(self, value: int, radix: int) -> None:
        self.number = self.number * radix + value

    def take(self, radix: int) -> int:
        self.number, value = divmod(self.number, radix)
        return value


def _mask(values: Collection[object], table: Sequence[object]) -> int:
    return sum(1 << at for at, value in enumerate(table) if value in values)


def _unmask(mask: int, table: Sequence[_T]) -> Iterator[_T]:
    return (value for at, value in enumerate(table) if mask >> at & 1)


def _digits(text: str) -> str:
    bare = re.sub(r"[\s\-–—_.,/]", "", text[:200])
    if not bare.isdecimal():
        raise Rejected(N_("a result code has only digits: ask for it again"))
    return "".join(str(unicodedata.decimal(digit)) for digit in bare)

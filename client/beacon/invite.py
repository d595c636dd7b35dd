"""The code that a helper gives to the person inside: where the beacon is, its key, its ports. Pure.

Crockford's base32 (no I, L, O, U) in groups of four, with a CRC-32 that finds every wrong character and every swap of
two that stand side by side. It holds a secret: it never comes as a command-line argument.

Layout: a byte with the version (4 bits), the number of IPv4 (2 bits) and of IPv6 addresses (2 bits); a byte with the
number of port ranges (0: all ports); the key; the addresses; each range as its first port (2 bytes) and how many
follow (1 byte); the CRC-32.
"""

from __future__ import annotations

import binascii
import ipaddress
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from client.beacon.wire import KEY
from transports.types import N_, Rejected

MOST_RANGES: Final = 64
MOST_CODES: Final = 4
_VERSION: Final = 1
_EACH: Final = 3  # addresses of a family
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Letters that look alike, as people read and type them; the second row as a Russian or Kazakh keyboard has them.
_ALIKE: Final = str.maketrans("OILАВСЕНКМРТХУЗО", "011ABCEHKMPTXY30")
_GROUP, _GROUPS = 4, 12
_CRC: Final = 4
_LONGEST: Final = 8192

_WRONG: Final = N_(
    "this beacon's code holds a mistake in the characters {first} to {last}: compare it group by group"
)
_SHORT: Final = N_("this beacon's code is not whole: {missing} characters are missing at its end")
_NEWER: Final = N_("this is no beacon's code, or one of a newer version of Sanylau")
_LETTER: Final = N_("a beacon's code has no {letter}: compare it group by group")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Invite:
    """A beacon as its code tells it. `ports` are ranges, first and last; empty: all ports."""

    key: bytes
    addresses: tuple[str, ...]
    ports: tuple[tuple[int, int], ...] = ()

    def offers(self, port: int) -> bool:
        """Say whether the beacon answers on a port."""
        return not self.ports or any(first <= port <= last for first, last in self.ports)

    def __repr__(self) -> str:
        """Keep address and key out of logs and tracebacks."""
        return f"Invite({len(self.addresses)} addresses, {len(self.ports)} ranges)"


def ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Read a list of ports such as "179,3785,8000-8010"; sorted, joined. Raises Rejected."""
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = word.partition("-")
        try:
            low, high = int(first), int(last or first)
        except ValueError:
            low = high = 0
        if not 1 <= low <= high <= 65535:
            raise Rejected(
                N_("this is no list of ports: {text}; give for example 179,3785,8000-8010"), text=text[:40]
            )
        found.append((low, high))
    if not found:
        raise Rejected(N_("give at least one port, for example 443 or 179,3785"))
    return joined(port for low, high in found for port in range(low, high + 1))


def joined(ports: Iterator[int]) -> tuple[tuple[int, int], ...]:
    """Return ports as ranges, sorted."""
    made: list[tuple[int, int]] = []
    for port in sorted(set(ports)):
        if made and made[-1][1] == port - 1:
            made[-1] = (made[-1][0], port)
        else:
            made.append((port, port))
    return tuple(made)


def write(invite: Invite) -> str:
    """Return the code, in lines of twelve groups. Raises Rejected when there are too many ports or addresses."""
    parsed = [ipaddress.ip_address(address) for address in invite.addresses]
    fours = [one.packed for one in parsed if one.version == 4]
    sixes = [one.packed for one in parsed if one.version == 6]
    if not parsed or max(len(fours), len(sixes)) > _EACH:
        raise Rejected(N_("a beacon's code takes one to three addresses of each kind"))
    entries = list(_entries(invite.ports))
    if len(entries) > MOST_RANGES:
        raise Rejected(
            N_("these are too many ports for a code: at most {most} ranges, or --all"), most=MOST_RANGES
        )
    head = bytes([_VERSION << 4 | len(fours) << 2 | len(sixes), len(entries)])
    body = head + invite.key + b"".join(fours) + b"".join(sixes) + b"".join(entries)
    text = _encode(body + struct.pack("!I", binascii.crc32(body)))
    groups = [text[at : at + _GROUP] for at in range(0, len(text), _GROUP)]
    lines = [groups[at : at + _GROUPS] for at in range(0, len(groups), _GROUPS)]
    return "\n".join("-".join(line) for line in lines)


def _entries(ports: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    for first, last in ports:
        for begin in range(first, last + 1, 256):
            yield struct.pack("!HB", begin, min(last - begin, 255))


def read(text: str) -> tuple[Invite, ...]:
    """Read one code or several, however their lines are broken. Raises Rejected that says what to do."""
    lines = (line for line in text[:_LONGEST].splitlines() if not line.lstrip().startswith("#"))
    bare = "".join(char for char in "".join(lines).upper() if char.isalnum()).translate(_ALIKE)
    strange = next((char for char in bare if char not in _ALPHABET), "")
    if strange:
        raise Rejected(_LETTER, letter=strange)
    if not bare:
        raise Rejected(N_("there is no beacon's code in this: ask your helper for one"))
    found: list[Invite] = []
    at = 0
    while at < len(bare):
        if len(found) == MOST_CODES:
            raise Rejected(N_("at most {most} beacons at once"), most=MOST_CODES)
        length = _length(bare[at:])
        invite = _one(bare[at : at + length], at, length)
        at += length
        if invite not in found:
            found.append(invite)
    return tuple(found)


def _length(text: str) -> int:
    """Return how many characters the code at the begin of `text` has."""
    head = _decode(text[:4].ljust(4, "0"))
    if head[0] >> 4 != _VERSION or not head[0] & 15 or head[1] > MOST_RANGES:
        raise Rejected(_NEWER)
    size = 2 + KEY + 4 * (head[0] >> 2 & 3) + 16 * (head[0] & 3) + 3 * head[1] + _CRC
    return -(-size * 8 // 5)


def _one(text: str, at: int, length: int) -> Invite:
    if len(text) < length:
        raise Rejected(_SHORT, missing=length - len(text))
    whole = _decode(text)
    body, crc = whole[:-_CRC], whole[-_CRC:]
    if struct.pack("!I", binascii.crc32(body)) != crc or _encode(whole) != text:
        raise Rejected(_WRONG, first=at + 1, last=at + length)
    place = 2 + KEY
    addresses = []
    for size in [4] * (body[0] >> 2 & 3) + [16] * (body[0] & 3):
        addresses.append(str(ipaddress.ip_address(body[place : place + size])))
        place += size
    spans = [struct.unpack_from("!HB", body, place + 3 * number) for number in range(body[1])]
    if any(first == 0 or first + more > 65535 for first, more in spans):
        raise Rejected(_NEWER)
    ports = joined(port for first, more in spans for port in range(first, first + more + 1))
    return Invite(key=body[2 : 2 + KEY], addresses=tuple(addresses), ports=ports)


def _encode(data: bytes) -> str:
    spare = -len(data) * 8 % 5
    number = int.from_bytes(data) << spare
    count = (len(data) * 8 + spare) // 5
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(count - 1, -1, -1))


def _decode(text: str) -> bytes:
    number = 0
    for char in text:
        number = number << 5 | _ALPHABET.index(char)
    size = len(text) * 5 // 8
    return (number >> (len(text) * 5 - size * 8)).to_bytes(size)

"""What a beacon keeps of those who ask it: bounded tables, no addresses."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

SOURCES: Final = 4096  # of which it keeps an account
NONCES: Final = 200_000  # questions of which it remembers that they were answered: more than all ports, twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Answers a second for a source (a /64 in IPv6) and in all; connections at once; seconds until one is closed."""

    each: float = 3000.0  # the fast profile asks 1,000 ports a second of each protocol
    total: float = 6000.0
    connections_each: int = 512
    connections: int = 2048
    patience: float = 8.0


class Sources:
    """Turns an address into a name that means something in this run only."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def name(self, host: str) -> bytes:
        """Return 8 bytes for a source; all of an IPv6 /64, and an IPv4 address in either spelling, are one."""
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return b""
        if isinstance(address, ipaddress.IPv6Address):
            mapped = address.ipv4_mapped
            packed = mapped.packed if mapped else address.packed[:8]
        else:
            packed = address.packed
        return hmac.digest(self._key, packed, "sha256")[:8]


class Rate:
    """Lets `each` a second through for every source, `total` in all; a second's worth at once."""

    def __init__(self, each: float, total: float, most: int = SOURCES) -> None:
        self._each, self._total, self._most = each, total, most
        self._accounts: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # what is left, and when
        self._all = (total, 0.0)

    def __len__(self) -> int:
        return len(self._accounts)

    def passes(self, source: bytes, now: float) -> bool:
        """Say whether one more may be answered, and count it. `now` is in seconds."""
        mine = _filled(self._accounts.get(source, (self._each, now)), self._each, now)
        everybody = _filled(self._all, self._total, now)
        granted = mine >= 1 and everybody >= 1
        self._accounts[source] = (mine - granted, now)
        self._accounts.move_to_end(source)
        self._all = (everybody - granted, now)
        if len(self._accounts) > self._most:
            self._accounts.popitem(last=False)
        return granted


def _filled(account: tuple[float, float], rate: float, now: float) -> float:
    left, when = account
    return min(rate, left + (now - when) * rate)


class Remembered:
    """The nonces of late; a question that is played again gets no answer."""

    def __init__(self, most: int = NONCES) -> None:
        self._most = most
        self._nonces: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._nonces)

    def is_new(self, nonce: bytes) -> bool:
        """Say whether a nonce comes for the first time, and remember it."""
        if nonce in self._nonces:
            return False
        self._nonces[nonce] = None
        if len(self._nonces) > self._most:
            self._nonces.popitem(last=False)
        return True

"""The judges: small programs that see every packet between the person and abroad, and decide what becomes of it.

Sans IO. A judge gets a packet that came from the person (`outward`) or goes to it, and returns the packets that go
on: the same, none, or forged ones besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.lab import places
from tests.lab.packets import (
    RST,
    SYN,
    TCP,
    UDP,
    Flow,
    Packet,
    answer,
    asked,
    host_of,
    resets,
    server_name,
    write,
)
from tests.lab.scenarios import Judge

Out = list[tuple[float, bytes]]
"""Packets, each with the seconds until it is sent."""

FREEZE: Final = 16 * 1024  # bytes of payload, both directions, until a connection freezes
SLOW: Final = 16_000  # bytes a second of a connection with a slowed name (128 kbit/s)
QUEUE: Final = 64 * 1024  # bytes that wait at most for a slowed connection
POLICED: Final = 3  # handshakes within a second to one address
BLOCKED_FOR: Final = 180.0  # seconds that a port stays blocked after a random first packet
BANNED_FOR: Final = 60.0  # seconds for the protocol list
_WATCHED: Final = (53, 80, 443)
_MOST: Final = 16 * 1024  # bytes of a stream's begin that are kept
_METHODS: Final = (b"GET ", b"PUT ", b"POST ", b"HEAD ")


@dataclass(slots=True)
class Stream:
    """The client's side of one connection: its begin, put together by sequence number, and the verdict."""

    base: int
    parts: dict[int, bytes] = field(default_factory=dict)
    name: str | None = None  # None until it is known
    packets: int = 0
    moved: int = 0
    dead_until: float = 0.0
    free_at: float = 0.0

    def take(self, packet: Packet) -> bytes:
        """Add the packet's data, return the begin of the stream as far as it is whole."""
        at = (packet.seq - self.base) & 0xFFFFFFFF
        if at < _MOST and packet.data:
            self.parts[at] = max(self.parts.get(at, b""), packet.data, key=len)
        whole = b""
        for start in sorted(self.parts):
            if start > len(whole):
                break
            whole += self.parts[start][len(whole) - start :]
        return whole


class Streams:
    """All connections that began while this border was in force."""

    def __init__(self) -> None:
        self.known: dict[Flow, Stream] = {}

    def of(self, packet: Packet, outward: bool) -> Stream | None:
        """Return the stream that a TCP packet belongs to; a SYN of the person's begins one."""
        if packet.protocol != TCP:
            return None
        key = packet.flow if outward else packet.back
        if (
            outward
            and packet.flags & SYN
            and (packet.seq + 1) & 0xFFFFFFFF != getattr(self.known.get(key), "base", -1)
        ):
            self.known[key] = Stream(base=(packet.seq + 1) & 0xFFFFFFFF)
        return self.known.get(key)


def name_of(whole: bytes) -> str | None:
    """Return the name that a stream's begin shows, by TLS or HTTP: "" for none, None while that is open."""
    if not whole:
        return None
    if whole[0] == 0x16:
        return server_name(whole)
    if whole.startswith(_METHODS) and b"\r\n\r\n" not in whole:
        return None
    return host_of(whole)


def is_forbidden(name: str | None) -> bool:
    """Tell whether a name is on the list, or below one that is."""
    return bool(name) and any(f".{name}".endswith(f".{bad}") for bad in places.FORBIDDEN)


def looks_random(data: bytes) -> bool:
    """Tell whether a first packet is taken for fully encrypted traffic (the five exemptions of 2021-23)."""
    bits = sum(byte.bit_count() for byte in data) / len(data)
    plain = [0x20 <= byte <= 0x7E for byte in data]
    run = longest = 0
    for printable in plain:
        run = run + 1 if printable else 0
        longest = max(longest, run)
    exempt = (
        bits <= 3.4 or bits >= 4.6,
        len(data) >= 6 and all(plain[:6]),
        sum(plain) > len(data) / 2,
        longest > 20,
        data[0] in (0x16, 0x17) and data[1:2] == b"\x03" and data[2:3] <= b"\x09",
        data.startswith(_METHODS),
    )
    return not any(exempt)


def looks_known(data: bytes, port: int, protocol: int) -> bool:
    """Tell whether data has the shape of TLS, HTTP or DNS."""
    if data[0] in (0x14, 0x15, 0x16, 0x17) and data[1:2] == b"\x03":
        return True
    if data.startswith((*_METHODS, b"HTTP/", b"OPTIONS ", b"CONNECT ")):
        return True
    return asked(data[2:] if protocol == TCP else data) is not None


class Inspector:
    """One judge with what it remembers."""

    def __init__(self, judge: Judge) -> None:
        self.streams = Streams()
        self.blocked: dict[tuple[bytes, int], float] = {}
        self._look: Callable[[Packet, bytes, bool, float], Out] = _LOOKS[judge].__get__(self)

    def judge(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        """Return what goes on. `now` is in seconds."""
        return self._look(packet, raw, outward, now)

    def _named(self, packet: Packet, outward: bool) -> Stream | None:
        """Return the packet's stream, its name filled in as soon as it shows."""
        stream = self.streams.of(packet, outward)
        if stream is not None and outward and packet.data and stream.name is None:
            stream.name = name_of(stream.take(packet))
        return stream

    def sni_reset(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self._named(packet, outward)
        if stream is None or not is_forbidden(stream.name):
            return [(0.0, raw)]
        if not outward or packet.flags & RST or not packet.data:
            return []
        return [(0.0, forged) for forged in resets(packet)]

    def sni_drop(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self._named(packet, outward)
        return [] if stream is not None and is_forbidden(stream.name) else [(0.0, raw)]

    def slow_name(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self._named(packet, outward)
        if stream is None or outward or not is_forbidden(stream.name):
            return [(0.0, raw)]
        begin = max(now, stream.free_at)
        if (begin - now) * SLOW > QUEUE:
            return []
        stream.free_at = begin + len(raw) / SLOW
        return [(stream.free_at - now, raw)]

    def names(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        if packet.protocol == UDP:
            return [(0.0, raw)]
        stream = self.streams.of(packet, outward)
        if stream is None or not outward or not packet.data:
            return [(0.0, raw)] if stream is not None else []
        if stream.name is None:
            stream.name = name_of(stream.take(packet))
            if stream.name is None:
                return [(0.0, raw)]  # a hello that is not whole yet
        return [(0.0, raw)] if stream.name in places.LISTED_SERVERS else []

    def freeze(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self.streams.of(packet, outward)
        if stream is None:
            return [(0.0, raw)]
        if stream.moved > FREEZE:
            return []
        stream.moved += len(packet.data)
        return [(0.0, raw)]

    def protocols(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self.streams.of(packet, outward)
        if stream is None or not outward or packet.dport not in _WATCHED or not packet.data:
            return [(0.0, raw)]
        if now < stream.dead_until:
            return []
        stream.packets += 1
        if stream.packets <= 2 and not looks_known(stream.take(packet), packet.dport, packet.protocol):
            stream.dead_until = now + BANNED_FOR
            return []
        return [(0.0, raw)]

    def random(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self.streams.of(packet, outward)
        where = (packet.target, packet.dport) if outward else (packet.source, packet.sport)
        if packet.protocol == TCP and self.blocked.get(where, 0.0) > now:
            return []
        if stream is not None and outward and packet.data and not stream.packets:
            stream.packets = 1
            if looks_random(packet.data):
                self.blocked[where] = now + BLOCKED_FOR
                return []
        return [(0.0, raw)]

    def policing(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        stream = self.streams.of(packet, outward)
        if stream is None:
            return [(0.0, raw)]
        if now < stream.dead_until:
            return []
        if outward and packet.data and not stream.packets:
            stream.packets = 1
            others = sum(
                one is not stream and flow[2] == packet.target and one.packets > 0 and now - one.free_at < 1.0
                for flow, one in self.streams.known.items()
            )
            stream.free_at = now
            if packet.data[0] == 0x16 and others >= POLICED:
                stream.dead_until = now + BANNED_FOR
                return []
        return [(0.0, raw)]

    def double_dns(self, packet: Packet, raw: bytes, outward: bool, now: float) -> Out:
        if packet.protocol != UDP or packet.dport != 53:
            return [(0.0, raw)]
        query = asked(packet.data)
        if query is None or query[0] in places.HOME_SERVERS:
            return [(0.0, raw)]
        forged = Packet(
            source=packet.target,
            target=packet.source,
            protocol=UDP,
            sport=packet.dport,
            dport=packet.sport,
            data=answer(packet.data, places.BOGON),
        )
        return [(0.0, write(forged)), (0.02, raw)]


_LOOKS: Final[Mapping[Judge, Callable[[Inspector, Packet, bytes, bool, float], Out]]] = {
    Judge.SNI_RESET: Inspector.sni_reset,
    Judge.SNI_DROP: Inspector.sni_drop,
    Judge.PROTOCOLS: Inspector.protocols,
    Judge.RANDOM: Inspector.random,
    Judge.FREEZE: Inspector.freeze,
    Judge.SLOW_NAME: Inspector.slow_name,
    Judge.NAMES: Inspector.names,
    Judge.DOUBLE_DNS: Inspector.double_dns,
    Judge.POLICING: Inspector.policing,
}

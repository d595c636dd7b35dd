"""Just enough of IPv4, TCP, UDP, DNS and TLS for the border's programs: reading, and a few forged packets."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

TCP: Final = 6
UDP: Final = 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

Flow = tuple[bytes, int, bytes, int, int]
"""Address and port of the one, of the other, protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A TCP or UDP packet. Addresses are four bytes. `seq`, `ack` and `flags` are 0 for UDP."""

    source: bytes
    target: bytes
    protocol: int
    sport: int
    dport: int
    seq: int = 0
    ack: int = 0
    flags: int = 0
    data: bytes = b""

    @property
    def flow(self) -> Flow:
        """Return what names the connection, from this side."""
        return (self.source, self.sport, self.target, self.dport, self.protocol)

    @property
    def back(self) -> Flow:
        """Return what names the connection, from the other side."""
        return (self.target, self.dport, self.source, self.sport, self.protocol)


def read(raw: bytes) -> Packet | None:
    """Return the packet; None for anything but an unfragmented TCP or UDP packet over IPv4."""
    if len(raw) < 28 or raw[0] >> 4 != 4 or struct.unpack_from("!H", raw, 6)[0] & 0x3FFF:
        return None
    start, total = (raw[0] & 15) * 4, struct.unpack_from("!H", raw, 2)[0]
    raw = raw[: total or len(raw)]
    if raw[9] == UDP:
        sport, dport = struct.unpack_from("!HH", raw, start)
        return Packet(
            source=raw[12:16],
            target=raw[16:20],
            protocol=UDP,
            sport=sport,
            dport=dport,
            data=raw[start + 8 :],
        )
    if raw[9] == TCP and len(raw) >= start + 20:
        sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", raw, start)
        return Packet(
            source=raw[12:16],
            target=raw[16:20],
            protocol=TCP,
            sport=sport,
            dport=dport,
            seq=seq,
            ack=ack,
            flags=flags,
            data=raw[start + (offset >> 4) * 4 :],
        )
    return None


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def write(packet: Packet) -> bytes:
    """Return the packet as it goes over the wire, with right checksums."""
    pseudo_begin = packet.source + packet.target + bytes([0, packet.protocol])
    if packet.protocol == UDP:
        length = 8 + len(packet.data)
        bare = struct.pack("!HHHH", packet.sport, packet.dport, length, 0) + packet.data
        at = 6
    else:
        bare = struct.pack(
            "!HHIIBBHHH",
            packet.sport,
            packet.dport,
            packet.seq & 0xFFFFFFFF,
            packet.ack & 0xFFFFFFFF,
            5 << 4,
            packet.flags,
            0 if packet.flags & RST else 65535,
            0,
            0,
        )
        bare += packet.data
        at = 16
    check = _sum(pseudo_begin + struct.pack("!H", len(bare)) + bare) or 0xFFFF
    body = bare[:at] + struct.pack("!H", check) + bare[at + 2 :]
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0,
        20 + len(body),
        0,
        0x4000,
        64,
        packet.protocol,
        0,
        packet.source,
        packet.target,
    )
    return head[:10] + struct.pack("!H", _sum(head)) + head[12:] + body


def address(text: str) -> bytes:
    """Return an IPv4 address as its four bytes."""
    return ipaddress.IPv4Address(text).packed


def resets(packet: Packet) -> tuple[bytes, bytes]:
    """Return the resets that end a connection after `packet`: for its sender, for its target."""
    end = packet.seq + len(packet.data)
    for_sender = Packet(
        source=packet.target,
        target=packet.source,
        protocol=TCP,
        sport=packet.dport,
        dport=packet.sport,
        seq=packet.ack,
        ack=end,
        flags=RST | ACK,
    )
    for_target = Packet(
        source=packet.source,
        target=packet.target,
        protocol=TCP,
        sport=packet.sport,
        dport=packet.dport,
        seq=packet.seq,
        ack=packet.ack,
        flags=RST | ACK,
    )
    return write(for_sender), write(for_target)


def server_name(stream: bytes) -> str | None:
    """Return the SNI of the ClientHello that `stream` begins with ("" if it has none), None while it is not whole.

    A stream that is no ClientHello has no name: "". A hello that is spread over several TLS records is put together.
    """
    hello = b""
    at = 0
    while True:
        if at < len(stream) and stream[at] != 0x16:
            return ""
        if len(stream) < at + 5:
            return None
        length = struct.unpack_from("!H", stream, at + 3)[0]
        hello += stream[at + 5 : at + 5 + length]
        if len(hello) >= 4 and len(hello) >= 4 + int.from_bytes(hello[1:4]):
            return _name_in(hello)
        if len(stream) < at + 5 + length:
            return None
        at += 5 + length


def _name_in(hello: bytes) -> str:
    try:
        if hello[0] != 1:
            return ""
        at = 38
        at += 1 + hello[at]  # session
        at += 2 + int.from_bytes(hello[at : at + 2])  # cipher suites
        at += 1 + hello[at]  # compression
        end = at + 2 + int.from_bytes(hello[at : at + 2])
        at += 2
        while at + 4 <= end:
            kind, length = struct.unpack_from("!HH", hello, at)
            if kind == 0:
                size = int.from_bytes(hello[at + 7 : at + 9])
                return hello[at + 9 : at + 9 + size].decode("ascii", "replace").lower()
            at += 4 + length
    except (IndexError, struct.error):
        pass
    return ""


def host_of(stream: bytes) -> str:
    """Return the Host of an HTTP request, "" if there is none (yet)."""
    for line in stream.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"host":
            return value.strip().decode("ascii", "replace").lower().rpartition(":")[
                0
            ] or value.strip().decode("ascii", "replace")
    return ""


def asked(message: bytes) -> tuple[str, int, int] | None:
    """Return name and type of a DNS query, and where its question ends; None if it is none."""
    if len(message) < 17 or message[2] & 0x80 or message[4:6] != b"\0\1":
        return None
    labels, at = [], 12
    while at < len(message) and message[at]:
        if message[at] > 63:
            return None
        labels.append(message[at + 1 : at + 1 + message[at]])
        at += 1 + message[at]
    if at + 5 > len(message):
        return None
    return (
        b".".join(labels).decode("ascii", "replace").lower(),
        int.from_bytes(message[at + 1 : at + 3]),
        at + 5,
    )


def answer(query: bytes, given: str | None, rcode: int = 0) -> bytes:
    """Return a reply to a DNS query: with an address (for type A), or with none."""
    found = asked(query)
    assert found is not None
    kind, end = found[1], found[2]
    records = b""
    if given is not None and kind in (1, 255):
        records = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 60, 4) + address(given)
    head = query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, 1 if records else 0, 0, 0)
    return head + query[12:end] + records

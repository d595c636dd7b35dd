"""Counts new connections where they arrive: every SYN on loopback, repeats left out. Needs CAP_NET_RAW (Linux)."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_IPV4: Final = 0x0800
_ATTACH_FILTER: Final = 26  # SO_ATTACH_FILTER, asm-generic/socket.h
_TIMESTAMPNS: Final = (
    35  # SO_TIMESTAMPNS, asm-generic/socket.h: the kernel's own time, not that of a busy thread
)
_SYN, _ACK = 0x02, 0x10
# Classic BPF on an IPv4 packet without options: keep it if the TCP flags are SYN without ACK.
_PROGRAM: Final = (
    (0x30, 0, 0, 33),
    (0x54, 0, 0, _SYN | _ACK),
    (0x15, 0, 1, _SYN),
    (0x06, 0, 0, 128),
    (0x06, 0, 0, 0),
)


class Seen:
    """When a SYN for a new connection came, by the second number of the address that it was sent to."""

    def __init__(self) -> None:
        self.times: dict[int, list[float]] = defaultdict(list)
        self._known: set[bytes] = set()

    def note(self, packet: bytes, now: float) -> None:
        """Take one IPv4 packet."""
        key = packet[12:24]  # addresses and ports
        if len(key) == 12 and key not in self._known:
            self._known.add(key)
            self.times[packet[17]].append(now)

    def most(self, net: int, within: float = 1.0) -> int:
        """Return the most connections to 127.`net`.0.0/16 in any window of `within` seconds."""
        times = self.times[net]
        return max(
            (sum(1 for later in times[at:] if later < begin + within) for at, begin in enumerate(times)),
            default=0,
        )


@contextmanager
def counting() -> Iterator[Seen | None]:
    """Count while the block runs; gives None where the system does not let us."""
    try:
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4))
    except (AttributeError, PermissionError):
        yield None
        return
    with sniffer:
        steps = b"".join(struct.pack("HBBI", *step) for step in _PROGRAM)
        held = ctypes.create_string_buffer(steps)
        program = struct.pack("HL", len(_PROGRAM), ctypes.addressof(held))
        sniffer.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        sniffer.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        sniffer.bind(("lo", _IPV4))
        sniffer.settimeout(0.2)
        seen, over = Seen(), threading.Event()

        def read() -> None:
            while not over.is_set():
                try:
                    packet, stamps, _, _ = sniffer.recvmsg(128, 64)
                except TimeoutError:
                    continue
                seconds, nanoseconds = struct.unpack("ll", stamps[0][2][: struct.calcsize("ll")])
                seen.note(packet, seconds + nanoseconds / 1e9)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()

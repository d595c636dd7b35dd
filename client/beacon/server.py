"""The beacon itself: one TCP and one UDP socket for each port, or one of each for all. Keeps and tells no address.

Who does not hold the key gets nothing: on TCP no byte until the connection is closed, on UDP no datagram at all.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from client.beacon import arrival, wire
from client.beacon.limits import Limits, Rate, Remembered, Sources
from client.beacon.wire import Protocol

_BACKLOG: Final = 512
_AT_ONCE: Final = 64  # datagrams for each time that the loop comes round
_HEARD: Final = 4096  # bytes of a stranger that are taken; then the connection just stands


@dataclass(slots=True)
class Counts:
    """What a beacon has done. No addresses."""

    answers: int = 0
    strangers: int = 0  # questions without the key, and connections without a question
    repeated: int = 0
    limited: int = 0
    ports: dict[Protocol, set[int]] = field(default_factory=lambda: {one: set() for one in Protocol})


class Beacon:
    """Answers while it is open. `redirected`: the system sends other ports to the ones that it listens on."""

    def __init__(self, key: bytes, limits: Limits | None = None, *, redirected: bool = False) -> None:
        self._key = key
        self.limits = limits or Limits()
        self.redirected = redirected
        self.counts = Counts()
        self._sources = Sources()
        self._rate = Rate(self.limits.each, self.limits.total)
        self._remembered = Remembered()
        self._callers: dict[_Caller, bytes] = {}
        self._held: dict[bytes, int] = {}
        self._table = arrival.Datagrams() if redirected else None
        self._servers: list[asyncio.Server] = []
        self._datagrams: list[socket.socket] = []

    @property
    def callers(self) -> int:
        """Return how many connections stand."""
        return len(self._callers)

    async def listen(self, hosts: Sequence[str], port: int) -> int:
        """Answer on a port of all these addresses, TCP and UDP, or of none; returns the port (0 draws one).

        Raises OSError.
        """
        pairs: list[tuple[socket.socket, socket.socket]] = []
        servers: list[asyncio.Server] = []
        loop = asyncio.get_running_loop()
        try:
            for host in hosts:
                pairs.append(_pair(host, port))
                port = int(pairs[-1][0].getsockname()[1])
            for stream, _datagram in pairs:
                servers.append(await loop.create_server(lambda: _Caller(self), sock=stream, backlog=_BACKLOG))
            for _stream, datagram in pairs:
                arrival.want_addresses(datagram)
                loop.add_reader(datagram, self._read, datagram)
        except BaseException:
            for server in servers:
                server.close()
            for stream, datagram in pairs:
                stream.close()
                datagram.close()
            raise
        self._servers += servers
        self._datagrams += [datagram for _stream, datagram in pairs]
        return port

    def close(self) -> None:
        """Stop at once."""
        loop = asyncio.get_running_loop()
        for server in self._servers:
            server.close()
        for sock in self._datagrams:
            loop.remove_reader(sock)
            sock.close()
        for caller in list(self._callers):
            caller.drop()
        if self._table is not None:
            self._table.close()
        self._servers, self._datagrams = [], []

    def admit(self, caller: _Caller, host: str) -> bytes:
        """Take a connection in; where there are too many, one has to go. Returns the source's name."""
        source = self._sources.name(host)
        self._callers[caller] = source
        self._held[source] = self._held.get(source, 0) + 1
        if self._held[source] > self.limits.connections_each:
            caller.drop()
        elif len(self._callers) > self.limits.connections:
            next(iter(self._callers)).drop()  # the oldest
        return source

    def dismiss(self, caller: _Caller) -> None:
        """Forget a connection that is over."""
        source = self._callers.pop(caller, None)
        if source is None:
            return
        self._held[source] -= 1
        if not self._held[source]:
            del self._held[source]

    def heard(self, protocol: Protocol, data: bytes) -> bytes | None:
        """Return the nonce of a question of one who holds the key."""
        nonce = wire.asked(self._key, protocol, data)
        self.counts.strangers += nonce is None
        return nonce

    def answer(self, protocol: Protocol, nonce: bytes, source: bytes, port: int, room: int) -> bytes:
        """Return the answer to a question, b"" for silence."""
        if not self._rate.passes(source, asyncio.get_running_loop().time()):
            self.counts.limited += 1
        elif not self._remembered.is_new(nonce):
            self.counts.repeated += 1
        else:
            self.counts.answers += 1
            self.counts.ports[protocol].add(port)
            return wire.answer(self._key, protocol, nonce, port, room)
        return b""

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, ancillary, _flags, peer = sock.recvmsg(wire.LONGEST + 1, 256)
            except BlockingIOError:
                return
            except OSError:  # a refusal that came back for an answer of ours
                continue
            if wire.QUESTION <= len(data) <= wire.LONGEST:
                self._datagram(sock, data, ancillary, peer)

    def _datagram(self, sock: socket.socket, data: bytes, ancillary: list[Any], peer: Any) -> None:
        nonce = self.heard(Protocol.UDP, data)
        if nonce is None:
            return
        own, back = arrival.own_address(ancillary)
        port = int(sock.getsockname()[1])
        if self._table is not None:
            port = self._table.port((own, port), peer[:2])
        said = self.answer(Protocol.UDP, nonce, self._sources.name(peer[0]), port, len(data))
        if said:
            with suppress(OSError):  # nobody waits for it any more
                sock.sendmsg([said], back, 0, peer)


class _Caller(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, beacon: Beacon) -> None:
        self._beacon = beacon
        self._transport: asyncio.Transport | None = None
        self._source = b""
        self._taken = 0
        self._data = b""
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen (asyncio's callback)."""
        self._transport = cast("asyncio.Transport", transport)
        patience = self._beacon.limits.patience
        # Nobody shall know a beacon by the second in which it hangs up.
        wait = patience * random.uniform(0.7, 1.3)
        self._end = asyncio.get_running_loop().call_later(wait, self.drop)
        peer = transport.get_extra_info("peername") or ("",)
        self._source = self._beacon.admit(self, peer[0])

    def data_received(self, data: bytes) -> None:
        """Answer a question, and nothing else (asyncio's callback)."""
        assert self._transport is not None
        self._taken += len(data)
        if self._taken > _HEARD:
            self._transport.pause_reading()
        if len(self._data) >= wire.QUESTION:
            return
        self._data = (self._data + data)[: wire.LONGEST]
        if len(self._data) < wire.QUESTION:
            return
        nonce = self._beacon.heard(Protocol.TCP, self._data)
        if nonce is None:
            return
        sock = self._transport.get_extra_info("socket")
        port = arrival.of_connection(sock) if self._beacon.redirected else int(sock.getsockname()[1])
        said = self._beacon.answer(Protocol.TCP, nonce, self._source, port, wire.LONGEST)
        if said:
            self._transport.write(said)

    def eof_received(self) -> bool:
        """Close when the other side is done (asyncio's callback)."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it (asyncio's callback)."""
        if self._end is not None:
            self._end.cancel()
        if not self._data:
            self._beacon.counts.strangers += 1
        self._beacon.dismiss(self)

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
        self._beacon.dismiss(self)


def _pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Open a TCP and a UDP socket with one number. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(8 if port == 0 else 1):
        stream = _bound(family, socket.SOCK_STREAM, host, port)
        try:
            return stream, _bound(family, socket.SOCK_DGRAM, host, stream.getsockname()[1])
        except OSError as error:
            stream.close()
            if port or error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free for both")


def _bound(family: int, kind: int, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def opened(beacon: Beacon) -> Iterator[Beacon]:
    """Close the beacon when the block is left."""
    try:
        yield beacon
    finally:
        beacon.close()


def every_family() -> Sequence[str]:
    """Return the addresses that stand for all of this host's, one for each family that it has."""
    found = []
    for host in ("0.0.0.0", "::"):
        with suppress(OSError):
            _bound(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, host, 0).close()
            found.append(host)
    return found

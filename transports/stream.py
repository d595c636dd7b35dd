"""Byte streams: a TCP socket, and TLS over any stream (so TLS inside TLS needs nothing special).

Sockets are driven through the loop's `sock_*` calls: a failed connect then costs a socket and a future,
not a transport, a protocol and a reader, and every `recv` is one read from the system, which is what the
proof counts.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import struct
import sys
from contextlib import AsyncExitStack, suppress
from typing import Final

from transports.failure import Failure, WireError
from transports.net import Net
from transports.types import Note, Step, Stream

_UNDER_WAY: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, errno.EISCONN)
_CHUNK: Final = 16 * 1024
_FIRST_BYTES: Final = 64  # enough of an answer to tell a page or an echo from TLS


class SocketStream:
    """A connected, non-blocking TCP socket."""

    __slots__ = ("_came", "_last", "_loop", "_pushed", "_socket", "reads", "received", "writes")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._loop = asyncio.get_running_loop()
        self._pushed = b""
        self.reads = 0
        self.writes = 0
        self.received = 0
        self._came = 0
        self._last = 0.0

    @property
    def wire(self) -> tuple[int, float]:
        """Return the bytes that came, and the loop time of the last of them."""
        return self._came, self._last

    async def recv(self, limit: int) -> bytes:
        """Return what one read gives, at most `limit` bytes; b"" at the end."""
        if self._pushed:
            data, self._pushed = self._pushed[:limit], self._pushed[limit:]
            return data
        data = await self._loop.sock_recv(self._socket, limit)
        if data:
            self.reads += 1
            self.received += len(data)
            self._came += len(data)
            self._last = self._loop.time()
        return data

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        await self._loop.sock_sendall(self._socket, data)
        self.writes += 1

    def unread(self, data: bytes) -> None:
        """Put `data` back in front."""
        self._pushed = data + self._pushed

    async def finish(self) -> None:
        """Say that nothing more will be sent; what comes can still be read. Raises OSError."""
        self._socket.shutdown(socket.SHUT_WR)

    @property
    def raw(self) -> socket.socket:
        """The socket, for one who reads and writes it alone from now on, after `put_back`. `close` stays here."""
        return self._socket

    def put_back(self) -> bytes:
        """Return what was put back, and forget it."""
        pushed, self._pushed = self._pushed, b""
        return pushed

    def close(self) -> None:
        """Close the socket at once."""
        self._socket.close()

    def segments(self) -> tuple[int, int] | None:
        """Return TCP segments (in, out) from TCP_INFO, or None where the system does not tell."""
        info = _told(self._socket)
        return (info[2], info[1]) if info else None

    def acknowledged(self) -> int | None:
        """Return how many bytes the other side has acknowledged, or None where the system does not tell."""
        info = _told(self._socket)
        return max(0, info[0] - 1) if info else None  # the SYN counts as one


# struct tcp_info of linux/tcp.h: tcpi_bytes_acked (64 bits) at byte 120, tcpi_segs_out and tcpi_segs_in at 136.
_ACKED_AT: Final = 120
_SEGS_AT: Final = 136


def _told(sock: socket.socket) -> tuple[int, int, int] | None:
    """Return bytes acknowledged, segments out and segments in."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None or not hasattr(socket, "SO_PEERCRED"):  # the layout is Linux's only
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, option, 192)
    except OSError:
        return None
    if len(info) < _SEGS_AT + 8:
        return None
    acked: int = struct.unpack_from("=Q", info, _ACKED_AT)[0]
    out, into = struct.unpack_from("=II", info, _SEGS_AT)
    return acked, out, into


class TlsStream:
    """TLS as a client over another stream, through memory BIOs."""

    __slots__ = ("_inner", "_into", "_object", "_out", "_pushed", "_turn", "first", "received", "torn")

    def __init__(self, inner: Stream, context: ssl.SSLContext, server_hostname: str) -> None:
        self._inner = inner
        self._into = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._into, self._out, server_hostname=server_hostname)
        self._pushed = b""
        self._turn = asyncio.Lock()  # recv may have to send too, and two writes must not mix
        self.first = b""
        self.received = 0
        self.torn = False  # it has ended without close_notify

    @property
    def reads(self) -> int:
        """Return the separate reads of the connection below: those are what a censor can count."""
        return self._inner.reads

    @property
    def writes(self) -> int:
        """Return the separate writes of the connection below."""
        return self._inner.writes

    @property
    def wire(self) -> tuple[int, float]:
        """Return what came over the connection below: encrypted bytes, and when the last came."""
        return self._inner.wire

    async def handshake(self) -> None:
        """Do the handshake. Raises ssl.SSLError, EOFError, OSError or WireError (page, echo)."""
        hello = b""
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                hello = await self._flush() or hello
                await self._fill(hello)
            except ssl.SSLCertVerificationError:
                raise
            except ssl.SSLError as error:
                raise WireError(Failure.SSL_HANDSHAKE, _strange(self.first, hello)) from error
            else:
                await self._flush()
                return

    async def recv(self, limit: int) -> bytes:
        """Return 1..`limit` decrypted bytes, or b"" at the end.

        An end without close_notify is an end too: what must be whole is known by its length or hash.
        """
        if self._pushed:
            data, self._pushed = self._pushed[:limit], self._pushed[limit:]
            return data
        while True:
            try:
                data = self._object.read(limit)
            except ssl.SSLWantReadError:
                await self._flush()
                taken = await self._inner.recv(min(_CHUNK, limit))
                if not taken:
                    self.torn = True
                    return b""
                self._into.write(taken)
            except ssl.SSLZeroReturnError:
                return b""
            else:
                self.received += len(data)
                return data

    async def send(self, data: bytes) -> None:
        """Encrypt and send all of `data` in one write."""
        self._object.write(data)
        await self._flush()

    async def finish(self) -> None:
        """Say by close_notify that nothing more will be sent; what comes can still be read. Raises OSError."""
        with suppress(ssl.SSLError):  # what is here already must be out: shutting down would throw it away
            while data := self._object.read(_CHUNK):
                self._pushed += data
                self.received += len(data)
        with suppress(ssl.SSLError):  # it would rather wait for the other side's
            self._object.unwrap()
        await self._flush()

    def unread(self, data: bytes) -> None:
        """Put `data` back in front."""
        self._pushed = data + self._pushed

    def close(self) -> None:
        """Close the connection below at once."""
        self._inner.close()

    def segments(self) -> tuple[int, int] | None:
        """Return the segments of the connection below."""
        return self._inner.segments()

    async def _flush(self) -> bytes:
        async with self._turn:
            data = self._out.read()
            if data:
                await self._inner.send(data)
            return data

    async def _fill(self, hello: bytes) -> None:
        taken = await self._inner.recv(_CHUNK)
        if not taken:
            note = _strange(self.first, hello)
            if note is not None:  # it said something, and it was not TLS
                raise WireError(Failure.SSL_HANDSHAKE, note)
            raise EOFError
        if len(self.first) < _FIRST_BYTES:
            self.first += taken[:_FIRST_BYTES]
        self._into.write(taken)


def _strange(first: bytes, hello: bytes) -> Note | None:
    """Say what stood where a TLS answer was due: a page, our own bytes, or something else."""
    if first[:1] in (b"\x14", b"\x15", b"\x16", b"\x17"):  # a TLS record: an alert or a broken handshake
        return Note.ECHO if hello and hello.startswith(first[:16]) else None
    head = first.lstrip()
    if head[:5] == b"HTTP/" and head.split(None, 1)[-1][:1] in (b"4", b"5"):
        return Note.REFUSED
    if head[:5] == b"HTTP/" or head[:1] == b"<":
        return Note.PAGE
    return Note.GARBAGE if first else None


async def secure(
    inner: Stream, context: ssl.SSLContext, server_hostname: str, net: Net, step: Step = Step.TLS_HANDSHAKE
) -> TlsStream:
    """Put TLS with a checked certificate on `inner`, timed as `step`; closes `inner` on failure."""
    try:
        async with AsyncExitStack() as held:
            with net.trace.waiting():
                await held.enter_async_context(net.tls_slot())
            async with net.trace.step(step, net.limits.handshake):
                stream = TlsStream(inner, context, server_hostname)
                await stream.handshake()
                return stream
    except BaseException:
        inner.close()
        raise


async def connect(host: str, port: int, net: Net) -> SocketStream:
    """Open TCP to `host`:`port`, resolving a name first. Raises StepFailed at `resolve` or `connect`."""
    trace, limit = net.trace, net.limits.connect
    addresses: tuple[str, ...] = (host,)
    if not is_literal(host):
        async with trace.step(Step.RESOLVE, limit):
            addresses = await net.resolve(host)
    with trace.waiting():
        await net.pace()
    began = trace.clock()
    try:
        started = [_begin(addresses[0], port)] if len(addresses) == 1 else []
    except OSError as error:  # known at once: not worth a deadline
        raise trace.failed(Step.CONNECT, began, error) from error
    async with trace.step(Step.CONNECT, limit):
        if started:
            return SocketStream(await _established(started.pop(), addresses[0], port))
        return SocketStream(await _connect_first(addresses, port, limit))


def is_literal(host: str) -> bool:
    """Say whether `host` is an IP address and not a name."""
    return ":" in host or host.replace(".", "").isdigit()


async def _connect_first(addresses: tuple[str, ...], port: int, limit: float) -> socket.socket:
    """Try the addresses in turn (two at most: a person's line is not for racing) and keep the first.

    A silent address gets its share of `limit`, so that the next one still has a chance.
    """
    last: OSError = OSError("no address")
    for address in addresses[:2]:
        try:
            async with asyncio.timeout(limit / 2):
                return await _established(_begin(address, port), address, port)
        except OSError as error:  # TimeoutError is one
            last = error
    raise last


def _begin(address: str, port: int) -> socket.socket:
    """Start a connection without waiting. Raises OSError when the system refuses at once."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if sys.platform != "win32":  # its loop wants to start the connection itself
            code = sock.connect_ex((address, port))
            if code not in _UNDER_WAY:
                raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


async def _established(sock: socket.socket, address: str, port: int) -> socket.socket:
    """Wait until the connection stands; closes `sock` on failure."""
    try:
        try:
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        except OSError as error:
            if error.errno != errno.EISCONN:
                raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock

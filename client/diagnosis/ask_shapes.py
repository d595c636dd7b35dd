"""First packets of a certain shape, and QUIC's version probe: what is let through by its looks."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from client.diagnosis.around import Around, came_of, failed, sight
from client.diagnosis.asks import Ask
from client.diagnosis.datagrams import opened
from client.diagnosis.sights import Came, Sight
from client.model import Failure, Step
from transports.failure import StepFailed, classify
from transports.wire.http1 import get_request

_RANDOM: Final = 160  # bytes
_ZEROS: Final = 50
# Fully encrypted traffic is told by its first packet: set bits per byte between these, nothing printable in front
# (USENIX Security 2023, "How the Great Firewall of China Detects and Blocks Fully Encrypted Traffic").
_FEWEST_BITS, _MOST_BITS = 3.4, 4.6
_QUIC: Final = 1200  # bytes, the least for an Initial (RFC 9000 section 14.1)
_VERSION: Final = b"\x1a\x2a\x3a\x4a"  # one of those reserved to force a negotiation (RFC 9000 section 15)


async def first_bytes(ask: Ask, around: Around) -> Sequence[Sight]:
    """Send a first packet of the shape `way` and wait for anything at all."""
    began = around.now()
    net = around.net(ask)
    packet = shaped(ask.way, ask.value or ask.host)
    try:
        stream = await around.connected(ask, net)
    except StepFailed as error:
        return (failed(ask, error, began, around, "syn"),)
    try:
        async with net.trace.step(Step.HTTP_ROUND_TRIP, ask.limit):
            await stream.send(packet)
            data = await stream.recv(4096)
    except StepFailed as error:
        return (failed(ask, error, began, around, "bytes", sent=len(packet)),)
    finally:
        around.moved += len(packet) + stream.received
        stream.close()
    came = Came.OTHER if data else Came.CLOSED
    return (sight(ask, came, began, around, after="bytes", sent=len(packet), received=len(data)),)


def shaped(way: str, name: str) -> bytes:
    """Return a packet that looks like nothing ("random"), like zeros, like HTTP, or like TLS."""
    if way == "zeros":
        return bytes(_ZEROS)
    if way == "http":
        return get_request("/", name)
    if way == "tls":
        return client_hello(name)
    return _like_nothing()


def _like_nothing() -> bytes:
    """Draw bytes until they are what the detectors of encrypted traffic look for."""
    while True:
        drawn = bytes(byte | 0x80 for byte in os.urandom(6)) + os.urandom(_RANDOM - 6)
        bits = sum(byte.bit_count() for byte in drawn) / len(drawn)
        printable = sum(0x20 <= byte < 0x7F for byte in drawn)
        if _FEWEST_BITS < bits < _MOST_BITS and printable * 2 < len(drawn):
            return drawn


def client_hello(name: str) -> bytes:
    """Return a ClientHello for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(into, out, server_hostname=name).do_handshake()
    return out.read()


async def quic(ask: Ask, around: Around) -> Sequence[Sight]:
    """Send an Initial of a version that nobody has; RIGHT is the negotiation that every QUIC server answers with."""
    began = around.now()
    packet, ours = version_probe()
    around.datagrams += 1
    around.moved += len(packet)
    try:
        async with opened(ask.host, ask.port) as socket, asyncio.timeout(ask.limit):
            socket.send(packet)
            answer = await socket.receive()
    except TimeoutError:
        return (sight(ask, Came.SILENCE, began, around, failure=Failure.TIMEOUT, after="query"),)
    except OSError as error:
        failure = classify(error)
        came = came_of(failure, elapsed=around.now() - began)
        return (sight(ask, came, began, around, failure=failure, after="query"),)
    around.moved += len(answer)
    right = is_negotiation(answer, ours)
    return (sight(ask, Came.RIGHT if right else Came.FALSE, began, around, received=len(answer)),)


def version_probe() -> tuple[bytes, bytes]:
    """Return the datagram and the connection id that a true answer is addressed to (RFC 8999 section 6)."""
    theirs, ours = os.urandom(8), os.urandom(8)
    head = b"\xc0" + _VERSION + bytes([len(theirs)]) + theirs + bytes([len(ours)]) + ours
    return head + os.urandom(_QUIC - len(head)), ours


def is_negotiation(answer: bytes, ours: bytes) -> bool:
    """Say whether this is a Version Negotiation packet for us (RFC 8999 section 6)."""
    if len(answer) < 7 or not answer[0] & 0x80 or answer[1:5] != bytes(4):
        return False
    length = answer[5]
    return answer[6 : 6 + length] == ours

"""One question to one port: of a beacon, or of a public host that answers on all of them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from client.beacon import wire
from client.beacon.wire import Protocol
from client.diagnosis.around import came_of
from client.diagnosis.datagrams import opened
from client.diagnosis.sights import Came
from client.holes.plan import Evidence, State
from transports.failure import classify
from transports.wire.http1 import get_request

LIMIT: Final = 3.2  # seconds: the system sends a first packet again after one and after three
_PAGE: Final = 2048  # bytes of a page in which its sentence has to stand
_TIMES: Final = 3  # how often a datagram is sent
_SEARCHES: Final = 12  # strange answers that are looked at for another port; each takes a tenth of a second
_STATES: Final = {Came.REFUSED: State.REFUSED, Came.SILENCE: State.SILENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question."""

    state: State
    evidence: Evidence = Evidence.NONE
    arrived: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Host:
    """Whom to ask. With a key it is a beacon; without, a public host whose page tells which port was reached.

    `offers` says on which ports it is known to answer, `most` how many it may be asked for at most (0: no limit).
    """

    name: str  # "beacon 1", "public host 1": never an address
    address: str
    key: bytes = b""
    site: str = ""  # what stands in the question for a public host's page
    offers: Callable[[int], bool] = lambda _port: True
    most: int = 0
    searches: list[None] = field(default_factory=lambda: [None] * _SEARCHES)  # used up one by one

    def takes(self, protocol: Protocol) -> bool:
        """Whether it can be asked by this protocol."""
        return bool(self.key) or protocol is Protocol.TCP


async def ask(host: Host, protocol: Protocol, port: int, limit: float = LIMIT) -> Answer:
    """Ask. Where the host offers nothing on this port, only whether a connection is refused can be learned."""
    if protocol is Protocol.UDP:
        return await _by_datagram(host, port, limit)
    loop = asyncio.get_running_loop()
    began = loop.time()
    family = socket.AF_INET6 if ":" in host.address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return Answer(state=State.FAULT)
    try:
        sock.setblocking(False)
        # What is over shall be over: a waiting socket for each of thousands of ports would fill the system's tables.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        async with asyncio.timeout(limit):
            await loop.sock_connect(sock, (host.address, port))
        if not host.offers(port):
            return Answer(state=State.MUTE)
        return await (_keyed if host.key else _page)(host, port, sock, limit)
    except TimeoutError:
        return Answer(state=State.SILENT)
    except OSError as error:
        return _failed(error, loop.time() - began)
    finally:
        sock.close()


def _failed(error: OSError, elapsed: float) -> Answer:
    return Answer(state=_STATES.get(came_of(classify(error), elapsed=elapsed), State.FAULT))


async def _heard(
    reading: Callable[[], Awaitable[bytes]], until: Callable[[bytes], bool], limit: float
) -> bytes:
    """Read until it is enough, the end, or the deadline. Raises OSError with nothing read."""
    data = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while not until(data) and (more := await reading()):
                data += more
    return data


async def _keyed(host: Host, port: int, sock: socket.socket, limit: float) -> Answer:
    loop = asyncio.get_running_loop()
    nonce, question = wire.ask(host.key, Protocol.TCP)
    cut = False

    async def reading() -> bytes:
        nonlocal cut
        came = await loop.sock_recv(sock, 256)
        cut = not came
        return came

    try:
        await loop.sock_sendall(sock, question)
        data = await _heard(reading, lambda data: len(data) >= wire.ANSWER, limit)
    except OSError:
        return Answer(state=State.CUT)
    if data:
        return _judged(host, Protocol.TCP, nonce, port, data)
    return Answer(state=State.CUT if cut else State.MUTE)


def _judged(host: Host, protocol: Protocol, nonce: bytes, port: int, data: bytes) -> Answer:
    arrived = wire.answered(host.key, protocol, nonce, port, data, search=False)
    if arrived is None and host.searches:
        host.searches.pop()
        arrived = wire.answered(host.key, protocol, nonce, port, data)
    if arrived is None:
        return Answer(state=State.OTHER)
    state = State.OPEN if arrived in (port, wire.UNKNOWN) else State.MOVED
    return Answer(state=state, evidence=Evidence.KEYED, arrived=arrived)


async def _page(host: Host, port: int, sock: socket.socket, limit: float) -> Answer:
    """Read whether the page says that this port was reached. It says the caller's address too: that is let go."""
    loop = asyncio.get_running_loop()
    sentence = f"port {port} test success".encode()

    def enough(data: bytes) -> bool:
        return sentence in data.lower() or len(data) >= _PAGE

    try:
        await loop.sock_sendall(sock, get_request("/", host.site if port == 80 else f"{host.site}:{port}"))
        data = await _heard(lambda: loop.sock_recv(sock, 512), enough, limit)
    except OSError:
        return Answer(state=State.CUT)
    if sentence in data.lower():
        return Answer(state=State.OPEN, evidence=Evidence.PAGE, arrived=port)
    return Answer(state=State.OTHER if data else State.MUTE)


async def _by_datagram(host: Host, port: int, limit: float) -> Answer:
    """Send a question up to three times, each with a nonce of its own, and take the first true answer."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    sent: list[bytes] = []
    strange = False
    try:
        async with opened(host.address, port) as way:
            while len(sent) < _TIMES:
                nonce, question = wire.ask(host.key, Protocol.UDP)
                sent.append(nonce)
                way.send(question)
                until = began + limit * len(sent) / _TIMES
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(until):
                        while True:
                            data = await way.receive()
                            for one in sent:
                                found = _judged(host, Protocol.UDP, one, port, data)
                                if found.state is not State.OTHER:
                                    return found
                            strange = True
    except OSError as error:
        return _failed(error, loop.time() - began)
    return Answer(state=State.OTHER if strange else State.SILENT)

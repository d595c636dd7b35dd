"""Beacons, public hosts, middleboxes and resolvers on loopback, each on its own address of 127.0.0.0/8."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from client.beacon.invite import Invite, joined
from client.beacon.limits import Limits
from client.beacon.server import Beacon, opened
from client.holes.doors import Host

KEY = bytes(range(16))


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports on which nobody listens, TCP and UDP."""
    found: list[int] = []
    held = []
    while len(found) < count:
        one = socket.socket()
        one.bind((host, 0))
        held.append(one)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                other.bind((host, one.getsockname()[1]))
            except OSError:
                continue
        found.append(one.getsockname()[1])
    for one in held:
        one.close()
    return found


@asynccontextmanager
async def beacon(
    *ports: int, host: str = "127.0.0.1", key: bytes = KEY, limits: Limits | None = None
) -> AsyncIterator[Beacon]:
    with opened(Beacon(key, limits)) as made:
        for port in ports:
            await made.listen([host], port)
        yield made
    for _ in range(3):
        await asyncio.sleep(0)


@contextmanager
def silent(port: int, host: str = "127.0.0.1") -> Iterator[None]:
    """Hold a TCP port whose queue is full, so that a first packet gets no answer, and a UDP port that says nothing."""
    with socket.socket() as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        listener.bind((host, port))
        listener.listen(0)
        other.bind((host, port))
        fillers = [socket.socket() for _ in range(3)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex((host, port))
            yield
        finally:
            for filler in fillers:
                filler.close()


def asked(
    number: int = 1, *, key: bytes = KEY, host: str = "127.0.0.1", offers: Callable[[int], bool] | None = None
) -> Host:
    return Host(name=f"beacon {number}", address=host, key=key, offers=offers or (lambda _port: True))


def invited(*ports: int, host: str = "127.0.0.1", key: bytes = KEY) -> Invite:
    return Invite(key=key, addresses=(host,), ports=joined(iter(ports)))

"""SOCKS5 proxies (`socks5`, `socks5h`): the name always travels to the proxy, never to a resolver here."""

from __future__ import annotations

import asyncio
import socket as sockets
import threading
from contextlib import suppress
from typing import Final, Protocol

from transports.net import Net
from transports.stream import connect
from transports.types import Endpoint, Step, Stream
from transports.wire.socks import Socks5

_UDP_LIMIT: Final = 3.0


class Machine(Protocol):
    """A client dialogue of `transports.wire.socks`."""

    wants: int
    done: bool

    def start(self) -> bytes:
        """Return the first message."""

    def receive(self, data: bytes) -> bytes:
        """Take what came, return what is to be sent."""


async def converse(machine: Machine, stream: Stream) -> None:
    """Carry a dialogue to its end. Raises WireError, EOFError, OSError."""
    await stream.send(machine.start())
    while not machine.done:
        data = await stream.recv(machine.wants)
        if not data:
            raise EOFError
        answer = machine.receive(data)
        if answer:
            await stream.send(answer)


class Socks5Proxy:
    """Opens tunnels through a SOCKS5 server."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel. Raises StepFailed; its `code` is the SOCKS reply where there was one."""
        stream = await connect(endpoint.host, endpoint.port, net)
        try:
            async with net.trace.step(Step.PROXY_HANDSHAKE, net.limits.handshake):
                await converse(Socks5(host, port, endpoint.username, endpoint.password), stream)
        except BaseException:
            stream.close()
            raise
        return stream


async def ask_udp(endpoint: Endpoint, address: str) -> bool | None:
    """Do `udp_associate` in a daemon thread: PySocks sets no deadline on the connection behind its UDP socket,
    and a silent server must not hold up the end of the program.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool | None] = loop.create_future()

    def settle(granted: bool | None) -> None:
        if not future.done():
            future.set_result(granted)

    def work() -> None:
        granted = udp_associate(endpoint, address)
        with suppress(RuntimeError):  # the run is over and its loop is closed
            loop.call_soon_threadsafe(settle, granted)

    threading.Thread(target=work, name="udp", daemon=True).start()
    return await future


def udp_associate(endpoint: Endpoint, address: str) -> bool | None:
    """Ask with PySocks, as a second opinion, whether the proxy grants UDP ASSOCIATE (blocking).

    `address` is the proxy's address as an IP literal. True granted, False refused, None no answer.
    Granted does not prove that datagrams pass.
    """
    import socks

    family = sockets.AF_INET6 if ":" in address else sockets.AF_INET
    probe = socks.socksocket(family, sockets.SOCK_DGRAM)
    try:
        probe.settimeout(_UDP_LIMIT)
        probe.set_proxy(
            socks.SOCKS5,
            address,
            endpoint.port,
            rdns=True,
            username=endpoint.username or None,
            password=endpoint.password or None,
        )
        probe.bind(("::" if family == sockets.AF_INET6 else "0.0.0.0", 0))
    except socks.SOCKS5Error:
        return False
    except (OSError, ValueError, socks.ProxyError):
        return None
    else:
        return True
    finally:
        probe.close()

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

_UDP_LIMIT: Final = 2.0  # seconds


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
    """Do `udp_associate` in a daemon thread. However the wait ends, the thread and its connection end with it:
    a silent server must hold up nobody, and keep nothing open.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool | None] = loop.create_future()
    control = _Control()

    def settle(granted: bool | None) -> None:
        if not future.done():
            future.set_result(granted)

    def work() -> None:
        granted = udp_associate(endpoint, address, control)
        with suppress(RuntimeError):  # the run is over and its loop is closed
            loop.call_soon_threadsafe(settle, granted)

    threading.Thread(target=work, name="udp", daemon=True).start()
    try:
        async with asyncio.timeout(_UDP_LIMIT):
            return await future
    except TimeoutError:
        return None
    finally:
        control.hang_up()


class _Control:
    """The connection over which UDP is asked for, as far as another thread must be able to end it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: sockets.socket | None = None
        self._over = False

    def begin(self, connection: sockets.socket) -> None:
        """Take the connection before it is made. Raises TimeoutError if nobody wants it any more."""
        connection.settimeout(_UDP_LIMIT)  # PySocks sets none
        with self._lock:
            self._socket = connection
            if self._over:
                raise TimeoutError

    def hang_up(self) -> None:
        """End it, now or as soon as it begins; a thread that waits on it wakes up."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(sockets.SHUT_RDWR)


def udp_associate(endpoint: Endpoint, address: str, control: _Control | None = None) -> bool | None:
    """Ask with PySocks, as a second opinion, whether the proxy grants UDP ASSOCIATE (blocking).

    `address` is the proxy's address as an IP literal. True granted, False refused, None no answer.
    Granted does not prove that datagrams pass.
    """
    import socks

    watched = control or _Control()

    class Question(socks.socksocket):  # type: ignore[misc]
        def _proxy_addr(self) -> tuple[str, int]:
            watched.begin(
                self._proxyconn
            )  # PySocks 1.7 asks for the address between making and connecting it
            return super()._proxy_addr()  # type: ignore[no-any-return]

    family = sockets.AF_INET6 if ":" in address else sockets.AF_INET
    probe = Question(family, sockets.SOCK_DGRAM)
    try:
        probe.set_proxy(
            socks.SOCKS5,
            address,
            endpoint.port,
            rdns=True,
            username=endpoint.username or None,
            password=endpoint.password or None,
        )
        probe.bind((_own_address(family, address, endpoint.port), 0))
    except socks.SOCKS5Error:
        return False
    except (OSError, ValueError, socks.ProxyError):
        return None
    else:
        return True
    finally:
        watched.hang_up()
        probe.close()


def _own_address(family: sockets.AddressFamily, address: str, port: int) -> str:
    """Return the one address of ours that faces the proxy: nobody else needs to reach us. Sends nothing."""
    with sockets.socket(family, sockets.SOCK_DGRAM) as facing:
        facing.connect((address, port))
        return str(facing.getsockname()[0])

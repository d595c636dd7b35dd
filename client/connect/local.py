"""The listener on loopback: SOCKS4, 4a, 5 and HTTP on one port. Everything goes through the gateway.

Whoever can connect may be hostile: garbage, half a greeting that never ends, thousands of connections. A web
page can make a browser talk to this port too, so what is no request to a proxy is refused.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from client.connect import http_side, socks_side
from client.connect.belt import Belt
from client.connect.desk import Desk, more
from client.connect.legs import Gateway
from client.connect.pump import make_abrupt, reset
from client.tasks import Crew
from transports.stream import SocketStream
from transports.types import N_, Rejected

_QUEUE: Final = 256  # connections that wait to be accepted
_REST: Final = 0.1  # seconds, when the system has no more descriptors
_IN_USE: Final = (errno.EADDRINUSE, 10048)  # the second is Windows' own number
_NO_LITERAL: Final = N_("the address to listen on must be an IP address")
_NO_PASSWORD: Final = N_("listening beyond this machine needs a password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and counts. `asking` is a program's whole handshake, `half_closed` is without any byte."""

    asking: float = 10.0
    opening: float = 120.0
    half_closed: float = 300.0
    connections: int = 1024


@dataclass(slots=True, kw_only=True)
class Totals:
    """Connections of programs: those of this moment, all so far, and those turned away because they were too many."""

    now: int = 0
    total: int = 0
    turned_away: int = 0


class CannotListen(Exception):  # noqa: N818 - a state of this machine
    """The address cannot be listened on."""


class PortTaken(CannotListen):
    """Somebody else listens there."""


class Local:
    """A running listener. `address` and `port` are where it is bound; `totals` is for the display."""

    def __init__(self, listener: socket.socket, desk: Desk, limits: Limits, crew: Crew) -> None:
        self._listener, self._desk, self._limits, self._crew = listener, desk, limits, crew
        self._programs: set[SocketStream] = set()
        self._bugs: list[Exception] = []
        bound = listener.getsockname()
        self.address = str(bound[0])
        self.port = int(bound[1])
        self.totals = Totals()

    @staticmethod
    @asynccontextmanager
    async def listening(
        host: str, port: int, gateway: Gateway, *, password: str | None = None, limits: Limits | None = None
    ) -> AsyncIterator[Local]:
        """Listen on `host` (an IP literal), `port` 0 for a free one, for the length of the block.

        On leaving, every connection is reset at once; a fault of ours in one of them is raised then, for it ends
        nothing else. Raises PortTaken, CannotListen, or Rejected (no IP literal; beyond loopback without a password).
        """
        limits = limits or Limits()
        with _listener(host, port, password) as listener:
            belt = Belt(limits.half_closed)
            desk = Desk(gateway=gateway, belt=belt, password=password, opening=limits.opening)
            async with Crew() as crew:
                local = Local(listener, desk, limits, crew)
                crew.start(local._welcome_all(), "local listener")
                crew.start(belt.sweep(), "local sweep")
                try:
                    yield local
                finally:
                    local._hang_up()
        if local._bugs:
            raise local._bugs[0]

    def _hang_up(self) -> None:
        for program in self._programs:  # closing is left to their tasks: the loop still watches the sockets
            make_abrupt(program)
        self._crew.dismiss()

    async def _welcome_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(self._listener)
            except ConnectionError:  # it has gone while it waited
                continue
            except OSError:  # no descriptor is left
                await asyncio.sleep(_REST)
                continue
            self._welcome(sock, str(address[0]))
            await asyncio.sleep(0)  # a flood must not keep everybody else waiting

    def _welcome(self, sock: socket.socket, address: str) -> None:
        program = SocketStream(sock)
        if len(self._programs) >= self._limits.connections:
            self.totals.turned_away += 1
            reset(program)
        elif self._desk.password is None and not _is_loopback(address):
            reset(program)
        else:
            self._programs.add(program)
            self.totals.total += 1
            self.totals.now = len(self._programs)
            task = self._crew.start(self._attend(program), "local connection")
            task.add_done_callback(lambda _: self._forget(program))

    def _forget(self, program: SocketStream) -> None:
        """Close what a task has left open that was cancelled before its first step."""
        self._programs.discard(program)
        self.totals.now = len(self._programs)
        program.close()

    async def _attend(self, program: SocketStream) -> None:
        try:
            with suppress(OSError):
                program.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await self._serve(program)
        except EOFError:  # it has gone before it said what it wanted
            pass
        except Exception as bug:  # noqa: BLE001 - kept, and raised by `listening`
            self._bugs = self._bugs or [bug]
            reset(program)

    async def _serve(self, program: SocketStream) -> None:
        desk = self._desk
        wish = request = None
        try:
            async with asyncio.timeout(self._limits.asking):
                first = await more(program)
                program.unread(first)
                if first[0] in (4, 5):
                    wish = await socks_side.asked(program, desk)
                elif first[:1].isalpha():
                    request = await http_side.asked(program, desk)
        except TimeoutError:
            reset(program)
            return
        if wish is not None:
            await socks_side.serve(program, wish, desk)
        elif request is not None:
            await http_side.serve(program, request, desk)
        else:  # neither, or turned away and closed by now
            reset(program)


def _is_loopback(address: str) -> bool:
    literal = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(literal, "ipv4_mapped", None)
    return (mapped or literal).is_loopback


def _listener(host: str, port: int, password: str | None) -> socket.socket:
    """Return the listening socket. Raises PortTaken, CannotListen or Rejected."""
    try:
        loopback = _is_loopback(host)
    except ValueError as error:
        raise Rejected(_NO_LITERAL) from error
    if not loopback and not password:
        raise Rejected(_NO_PASSWORD)
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # there, the other option would let somebody else take the port from us
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(_QUEUE)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise (PortTaken if error.errno in _IN_USE else CannotListen) from error
    except BaseException:
        sock.close()
        raise
    return sock

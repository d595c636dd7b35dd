"""Proxies that do what they should, on loopback: HTTP, HTTPS, SOCKS4, SOCKS4a and SOCKS5.

What is wrong with a proxy is added from outside: by its Habits, or by a handler around its handler.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from client.drill import asking, relays, udp
from client.drill.asking import Request, answer
from client.drill.serving import Handler, Peer, holding, reach

_BODY_LIMIT: Final = 1024 * 1024
_SOCKS_UNREACHABLE: Final = 4
_SOCKS_COMMAND: Final = 7
_HOP_BY_HOP: Final = frozenset(
    {"connection", "proxy-connection", "proxy-authorization", "keep-alive", "te", "upgrade"}
)


class Unreachable(OSError):  # noqa: N818 - a state of the target
    """There is nothing on loopback under this name or address; no packet was sent to find out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What proxies can reach: loopback, by address, as localhost, or by a name ending in .test in `names`."""

    names: Mapping[str, str] = field(default_factory=dict)

    def address(self, host: str) -> str:
        """Return the loopback address of `host`. Raises Unreachable for everything else."""
        host = host.lower().rstrip(".")
        if host == "localhost":
            return "127.0.0.1"
        found = self.names.get(host, "") if host.endswith(".test") else host
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            raise Unreachable("unknown name") from None
        if not address.is_loopback:
            raise Unreachable("not loopback")
        return str(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a proxy treats what passes through it.

    `down` moves the bytes from the target, in tunnels and in plain answers; `inject` is put in front of
    plain HTTP bodies; `interceptor` sits in tunnels; `nowhere` answers in place of what cannot be reached.
    """

    down: relays.Flow = relays.copy
    inject: bytes = b""
    interceptor: relays.Interceptor | None = None
    nowhere: Handler | None = None


_GOOD: Final = Habits()


async def _tunnel(
    peer: Peer, world: World, habits: Habits, where: tuple[str, int], granted: bytes, refused: bytes
) -> None:
    """Lead `peer` to `where`, or refuse."""
    host, port = where
    try:
        address = world.address(host)
        if habits.interceptor is not None:
            await habits.interceptor.tunnel(peer, host, address, port, granted)
            return
        target = await reach(address, port)
    except Unreachable:
        if habits.nowhere is not None:
            await peer.send(granted)
            await habits.nowhere(peer)
            return
        await peer.send(refused)
        await peer.linger()
        return
    except ConnectionRefusedError:
        await peer.send(refused)
        await peer.linger()
        return
    async with holding(target):
        if habits.inject:
            await peer.send(granted)
            await relays.injecting(peer, target, habits.inject)
        else:
            await peer.send(granted)
            await relays.relay(peer, target, habits.down)


def http_proxy(
    world: World,
    *,
    username: str = "",
    password: str = "",
    habits: Habits = _GOOD,
    connect: bool = True,
) -> Handler:
    """Return an HTTP proxy: CONNECT, and GET or POST with a whole URL. With `connect` False, 405 to CONNECT."""

    async def handle(peer: Peer) -> None:
        request = await asking.read_request(peer)
        if not asking.may_pass(request, username, password):
            challenge = 'Proxy-Authenticate: Basic realm="proxy"'
            await peer.send(answer("407 Proxy Authentication Required", extra=(challenge,)))
            await peer.linger()
        elif request.method != "CONNECT":
            await _forward(peer, request, world, habits)
        elif connect:
            where = asking.place(request.target)
            await _tunnel(peer, world, habits, where, asking.HTTP_GRANTED, answer("502 Bad Gateway"))
        else:
            await peer.send(answer("405 Method Not Allowed"))
            await peer.linger()

    return handle


async def _forward(peer: Peer, request: Request, world: World, habits: Habits) -> None:
    """Fetch the URL of `request` for `peer`; one request on one connection."""
    url = urlsplit(request.target)
    if url.scheme != "http" or not url.netloc:
        await peer.send(answer("400 Bad Request"))
        await peer.linger()
        return
    host, port = asking.place(url.netloc.rpartition("@")[2], 80)
    try:
        target = await reach(world.address(host), port)
    except Unreachable:
        if habits.nowhere is None:
            await peer.send(answer("502 Bad Gateway"))
            await peer.linger()
        else:
            await habits.nowhere(peer)
        return
    except ConnectionRefusedError:
        await peer.send(answer("502 Bad Gateway"))
        await peer.linger()
        return
    async with holding(target):
        await target.send(_origin_form(request, url.path or "/", url.query))
        if left := request.length(_BODY_LIMIT):
            await target.send(await peer.exactly(left))
        if habits.inject:
            await relays.inject(peer, target, habits.inject)
        else:
            await relays.relay(peer, target, habits.down)


def _origin_form(request: Request, path: str, query: str) -> bytes:
    target = f"{path}?{query}" if query else path
    kept = [f"{name}: {value}" for name, value in request.headers.items() if name not in _HOP_BY_HOP]
    lines = [f"{request.method} {target} HTTP/1.1", *kept, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def socks5_proxy(
    world: World,
    *,
    username: str = "",
    password: str = "",
    habits: Habits = _GOOD,
    udp_granted: bool = True,
) -> Handler:
    """Return a SOCKS5 proxy: CONNECT, and UDP ASSOCIATE unless `udp_granted` is False."""

    async def handle(peer: Peer) -> None:
        asked = await asking.read_socks5(peer, username, password)
        if asked is None:
            await peer.linger()
        elif asked.command == asking.CONNECT:
            granted, refused = asking.SOCKS5_GRANTED, asking.socks5_answer(_SOCKS_UNREACHABLE)
            await _tunnel(peer, world, habits, (asked.host, asked.port), granted, refused)
        elif asked.command == asking.UDP and udp_granted:
            await udp.associate(peer, world.address)
        else:
            await peer.send(asking.socks5_answer(_SOCKS_COMMAND))
            await peer.linger()

    return handle


def socks4_proxy(world: World, *, user: str = "", names: bool = True) -> Handler:
    """Return a SOCKS4 proxy; with `names` it takes 4a's names too; with `user` it wants that user id."""

    async def handle(peer: Peer) -> None:
        asked = await asking.read_socks4(peer)
        literal = asked.host.replace(".", "").isdigit()
        if user and asked.user != user:
            await peer.send(asking.SOCKS4_WHO)
            await peer.linger()
        elif asked.command != asking.CONNECT or not (literal or names):
            await peer.send(asking.SOCKS4_REFUSED)
            await peer.linger()
        else:
            where = asked.host, asked.port
            await _tunnel(peer, world, _GOOD, where, asking.SOCKS4_GRANTED, asking.SOCKS4_REFUSED)

    return handle


def slow(handler: Handler, seconds: float) -> Handler:
    """Let `handler` begin only after `seconds`."""

    async def handle(peer: Peer) -> None:
        await asyncio.sleep(seconds)
        await handler(peer)

    return handle


def first_dropped(handler: Handler) -> Handler:
    """Reset the first connection once it has said something; serve all others."""
    dropped = False

    async def handle(peer: Peer) -> None:
        nonlocal dropped
        if dropped:
            await handler(peer)
            return
        dropped = True
        await peer.read()
        peer.reset()

    return handle

"""Knocks at a Tor bridge: its pluggable transport's handshake and the check of who it is, on one connection.

A bridge that nobody else knows must not be tried again and again, so both happen on the same stream. Only after
the transport's handshake has failed, and for transports that go to the address of the line, one bare connection
follows, a little later: the programs call every failure by one name, and it tells refused, silent and "open, but
the handshake came to nothing" apart. That last one is also what a wrong `cert=` or a wrong clock looks like.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from transports.failure import Failure, StepFailed, WireError
from transports.net import Net
from transports.pt_engine import Plugin, Plugins, missing
from transports.socks5 import Machine, converse
from transports.stream import SocketStream, connect
from transports.tor_link import Link, check_link
from transports.types import N_, CannotMeasure, Endpoint, Note, Step, Stream
from transports.wire.pt import Method, adapted, credentials
from transports.wire.socks import Socks5

_LATE: Final = 0.1  # seconds that the news of a program's end may come after the end of its connections
PAUSE: Final = 1.0  # seconds between a failed handshake and the bare connection
# These connect to the address of the line; with all others it is a placeholder.
TO_THE_ADDRESS: Final = frozenset({"vanilla", "obfs4", "obfs3", "obfs2", "scramblesuit"})
# These say yes before they have sent anything: their own time falls into the step after.
AT_ONCE: Final = frozenset({"snowflake", "meek_lite"})
_PLACEHOLDERS: Final = tuple(
    ipaddress.ip_network(net)
    for net in ("0.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
_ODD: Final = N_("{program} does not answer as a transport program should: try another version of it")
_SETTINGS: Final = N_("{program} does not understand the settings of this bridge: a newer one is needed")


async def knock(endpoint: Endpoint, net: Net, pts: Plugins | None, *, pause: float = PAUSE) -> str:
    """Return the fingerprint of the bridge that answers; it is the one of the line where that names one.

    The steps are `connect` for a bridge without a transport, else `pt_handshake`; then `tls_handshake` for TLS and
    Tor's link protocol. It proves who is there, not that traffic flows. Raises StepFailed (see `check_link`; with
    the note open_port where only the transport's handshake failed) or CannotMeasure.
    """
    return (await link_of(endpoint, net, pts, pause=pause)).fingerprint


async def link_of(endpoint: Endpoint, net: Net, pts: Plugins | None, *, pause: float = PAUSE) -> Link:
    """Do as `knock`, and return all that is known about who answers."""
    options: Mapping[str, Any] = endpoint.options or {}
    transport = str(options.get("pt", ""))
    expected = str(options.get("fingerprint", ""))
    plain = transport == "vanilla"
    stream: Stream
    if plain:
        stream = await connect(endpoint.host, endpoint.port, net)
    else:
        try:
            stream = await through(endpoint, net, pts)
        except StepFailed as error:
            raise await _looked_closer(endpoint, error, net, pause) from error
    try:
        limit = net.limits.total if transport in AT_ONCE else net.limits.handshake
        return await check_link(stream, net, expected, limit=limit, visible=plain)
    except StepFailed as error:
        if pts is not None and not plain:
            await _survived(pts.of(transport), error)
        raise
    finally:
        stream.close()


async def through(endpoint: Endpoint, net: Net, pts: Plugins | None) -> Stream:
    """Open a stream to the bridge through its transport's program, timed as `pt_handshake`.

    A yes proves the transport's handshake for obfs4, obfs3 and scramblesuit, that a web server took the upgrade
    for webtunnel, and nothing for the others. Raises StepFailed or CannotMeasure.
    """
    options: Mapping[str, Any] = endpoint.options or {}
    transport = str(options.get("pt", ""))
    if pts is None:
        raise missing(transport)
    plugin = pts.of(transport)
    args: Mapping[str, str] = options.get("args") or {}
    user, password = credentials(args if plugin.is_modern else adapted(transport, args))
    with net.trace.waiting():
        await net.pace()
    stream = await _door(plugin, plugin.methods[transport])
    try:
        async with net.trace.step(Step.PT_HANDSHAKE, net.limits.connect + net.limits.handshake):
            await _ask(Socks5(endpoint.host, endpoint.port, user, password), stream, plugin)
    except StepFailed as error:
        stream.close()
        await _survived(plugin, error)
        raise
    except BaseException:
        stream.close()
        raise
    return stream


async def _door(plugin: Plugin, method: Method) -> SocketStream:
    """Connect to the program's listener on this machine."""
    sock = socket.socket(socket.AF_INET6 if ":" in method.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (method.host, method.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        sock.close()
        plugin.alive()
        raise CannotMeasure(_ODD, program=plugin.name) from error
    except BaseException:
        sock.close()
        raise
    return SocketStream(sock)


async def _ask(machine: Machine, stream: Stream, plugin: Plugin) -> None:
    """Carry the dialogue with the program to its end. Only its plain "no" is about the bridge."""
    try:
        await converse(machine, stream)
    except WireError as error:
        if error.note is Note.REFUSED:
            raise WireError(error.failure, None, error.code) from error
        reason = _SETTINGS if error.note is Note.AUTH_REFUSED else _ODD
        raise CannotMeasure(reason, program=plugin.name) from error


async def _survived(plugin: Plugin, error: StepFailed) -> None:
    """Raise CannotMeasure if `error` is the end of the program and not the bridge's doing."""
    if error.failure in (Failure.EOF, Failure.CONNECTION_RESET):
        with suppress(TimeoutError):
            async with asyncio.timeout(_LATE):
                await plugin.ended.wait()
    plugin.alive()


async def _looked_closer(endpoint: Endpoint, error: StepFailed, net: Net, pause: float) -> StepFailed:
    """Return what the failed handshake of the transport was, after one bare connection; mends the trace."""
    options: Mapping[str, Any] = endpoint.options or {}
    now = asyncio.get_running_loop().time()
    if options.get("pt") not in TO_THE_ADDRESS or is_placeholder(endpoint.host):
        return error
    if now + net.limits.connect > net.trace.deadline:  # a silence would be ours, not the other side's
        return error
    trace, seen = net.trace, net.trace.observations
    with trace.waiting():
        await asyncio.sleep(pause)
    beside = trace.branch()
    try:
        stream = await connect(endpoint.host, endpoint.port, replace(net, trace=beside))
    except StepFailed as closed:
        seen += beside.observations
        return closed
    else:
        stream.close()
    finally:
        trace.waited += beside.waited
        trace.deadline += beside.waited
    failed = replace(seen.pop(), note=Note.OPEN_PORT)
    seen += [*beside.observations, failed]
    return StepFailed(failed.step, error.failure, Note.OPEN_PORT, error.code)


def is_placeholder(host: str) -> bool:
    """Say whether an address stands in a line only because something has to: nobody is there."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    return any(address in net for net in _PLACEHOLDERS if net.version == address.version)

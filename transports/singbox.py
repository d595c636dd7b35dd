"""Share-link nodes (Shadowsocks, VMess, VLESS, Trojan, Hysteria2, TUIC, ...) through a running sing-box.

sing-box opens the real connection, so its name for what went wrong replaces what we see at its loopback
side: its "connection refused" is a failed `connect` to the node, not a failed handshake with us.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from transports.failure import Failure, StepFailed
from transports.net import Net
from transports.singbox_engine import NodeDoor, loopback
from transports.singbox_log import Trouble
from transports.socks5 import converse
from transports.stream import SocketStream
from transports.trace import Trace
from transports.types import N_, CannotMeasure, Endpoint, Note, Step, Stream
from transports.wire.socks import Socks5

_LOG: Final = 0.25  # seconds that a line of the engine's log may come after the answer it explains
_LATE: Final = 0.05  # the same inside a tunnel, where most often no line comes at all
_NO_DOOR: Final = N_("sing-box is not running: `sanylau doctor` shows how to install it")
_UNREACHABLE: Final = N_("our own sing-box does not answer; run the check again")
_NO_NAMES: Final = N_("this kind of node reaches only addresses, and the test asks for a name")
_UNEXPLAINED: Final[Trouble] = (Step.PROXY_HANDSHAKE, Failure.UNKNOWN, None)
_BY_REPLY: Final[Mapping[int, Trouble]] = {  # what sing-box's listener answers when dialling the node fails
    3: (Step.CONNECT, Failure.NETWORK_UNREACHABLE, None),
    4: (Step.CONNECT, Failure.HOST_UNREACHABLE, None),
    5: (Step.CONNECT, Failure.CONNECTION_REFUSED, None),
}


class SingBoxNode:
    """Opens tunnels through the door that sing-box holds for a node."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel. One step is timed, the node's handshake: connecting to it is inside.

        One tunnel at a time for each endpoint: what the engine reports is kept per endpoint.
        """
        door = _door(endpoint, net)
        if not door.names and not _is_literal(host):
            raise CannotMeasure(_NO_NAMES)
        limit = net.limits.handshake + (0.0 if door.datagrams else net.limits.connect)
        with net.trace.waiting():
            await net.pace()
        door.trouble = None
        door.told.clear()
        door.began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(limit):
                stream = SocketStream(await loopback(door.port))
        except OSError as error:
            raise CannotMeasure(_UNREACHABLE) from error
        try:
            async with net.trace.step(Step.PROXY_HANDSHAKE, limit):
                await converse(Socks5(host, port, door.username, door.password), stream)
        except StepFailed as error:
            mute = error.failure is Failure.TIMEOUT and not stream.received
            stream.close()
            if mute:  # not even our own listener has answered: that is no word about the node
                raise CannotMeasure(_UNREACHABLE) from error
            raise await _explained(door, error, net.trace, _LOG) from error
        except BaseException:
            stream.close()
            raise
        return stream


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _door(endpoint: Endpoint, net: Net) -> NodeDoor:
    door = net.doors.get(endpoint.key())
    if isinstance(door, CannotMeasure):
        raise CannotMeasure(door.reason, **door.values)
    if not isinstance(door, NodeDoor):
        raise CannotMeasure(endpoint.untested or _NO_DOOR)
    if door.stopped is not None:
        raise CannotMeasure(door.stopped.reason)
    return door


async def _explained(door: NodeDoor, error: StepFailed, trace: Trace, patience: float) -> StepFailed:
    """Return `error` as the engine knows it, and correct the trace; raises CannotMeasure if it died."""
    if door.trouble is None and error.failure is not Failure.TIMEOUT:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await door.told.wait()
    if door.stopped is not None:
        raise CannotMeasure(door.stopped.reason)
    if door.trouble is not None:
        return _corrected(door.trouble, trace)
    if error.step is Step.PROXY_HANDSHAKE and error.note is Note.REFUSED:  # no line came: its code is left
        return _corrected(_BY_REPLY.get(error.code, _UNEXPLAINED), trace)
    if error.note is Note.AUTH_REFUSED:  # our own listener turned us down: it is not ours any more
        raise CannotMeasure(_UNREACHABLE)
    return error


def _corrected(trouble: Trouble, trace: Trace) -> StepFailed:
    step, failure, note = trouble
    trace.observations[-1] = replace(trace.observations[-1], step=step, failure=failure, note=note, code=0)
    return StepFailed(step, failure, note)


_SILENT: Final = frozenset({Failure.EOF, Failure.CONNECTION_RESET, Failure.TIMEOUT})


async def blame(endpoint: Endpoint, error: StepFailed, net: Net) -> StepFailed:
    """Return what `error`, which happened inside the tunnel of `endpoint`, is by the engine's knowledge.

    Most node protocols answer nothing until data comes, so a tunnel that ends before the first byte of a
    TLS answer is a node that never let us in (wrong key, no such user), or whose target is out of its
    reach: its handshake was never confirmed. The trace is corrected. `error` itself is returned where there
    is nothing to add, and for endpoints of other transports. Raises CannotMeasure if sing-box has died.
    """
    door = net.doors.get(endpoint.key())
    if isinstance(door, CannotMeasure):
        raise CannotMeasure(door.reason, **door.values)
    if not isinstance(door, NodeDoor):
        return error
    stranger = door.lazy and error.note in (Note.PAGE, Note.GARBAGE, Note.REFUSED)
    if error.failure not in _SILENT and not stranger:
        return error  # something came through: that is the target's, whatever the engine says
    # A server that does not know the key often shows strangers an ordinary web page: that is no forgery.
    known = error if stranger else await _explained(door, error, net.trace, _LATE)
    seen = net.trace.observations
    if known is not error or not door.lazy or error.step is not Step.TLS_HANDSHAKE:
        return known
    if len(seen) < 2 or seen[-2].step is not Step.PROXY_HANDSHAKE:
        return error
    last = seen.pop()
    begun = seen[-1].started
    seen[-1] = replace(
        seen[-1], failure=error.failure, note=error.note, elapsed=last.started + last.elapsed - begun
    )
    return StepFailed(Step.PROXY_HANDSHAKE, error.failure, error.note)

"""Tor bridges, and Tor without any: a tunnel that certainly leaves through the one bridge that is tested.

The way up: who is there (`transports.knock`, on one connection); only if that went well, tor's own connection. Its
step `tor_bootstrap` is the bridge's descriptor, the list of relays, and a circuit of three relays that begins at the
bridge; `code` says how far it came, in the per cent that tor's users know (control-spec 5.5). `proxy_handshake` is
the tunnel through that circuit. A bridge that has lost its own way into the network fails at `tor_bootstrap`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Final

from transports.failure import Failure, StepFailed, WireError
from transports.knock import link_of
from transports.net import Net
from transports.pt_engine import Plugins
from transports.singbox_engine import loopback
from transports.socks5 import converse
from transports.stream import SocketStream, is_literal
from transports.tor_circuits import again, renewed
from transports.tor_control import Lost
from transports.tor_engine import SOLO, TorDoor, bridge_line
from transports.tor_process import ENOUGH, NoCircuit, Tor
from transports.types import N_, CannotMeasure, Endpoint, Step, Stream
from transports.wire.socks import Socks5

PATIENCE: Final = 900.0  # seconds for the list of relays, as long as something comes
_REAPED: Final = 2.0  # seconds for the system to tell of tor's end
_LATE: Final = 0.1  # seconds that the news of tor's end may come after the end of its connections
_SHAKEN: Final = 15  # per cent: what the handshakes have shown
_ASKED: Final = 25  # the bridge has described itself
_CIRCUIT: Final = 95
_DONE: Final = 100
# The exit's own trouble, or its wish not to: another one may do (control-spec 4.1.2, the reasons of STREAM).
_OTHER_EXIT: Final = frozenset(
    {"DESTROY", "EXITPOLICY", "HIBERNATING", "INTERNAL", "RESOURCELIMIT", "TORPROTOCOL"}
)
_NO_DOOR: Final = N_("tor is not running: install tor, and run the check again")
_UNREACHABLE: Final = N_("our own tor does not answer; run the check again")


class TorBridgeTransport:
    """Opens tunnels through a bridge."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel. The way up is gone once for a try; its circuit serves the later dials too.

        Raises StepFailed, or CannotMeasure (also when tor dies).
        """
        door = _door(endpoint, net)
        with door.held():
            async with door.lock:
                if door.tor is not None and door.engine.outlives(door.tor):
                    door.forget()
                if door.tor is not None:
                    door.tor.alive()
                if door.tor is None or not door.tor.carries(door.circuit):
                    if not await again(door, (host, port), net):
                        await _climb(door, endpoint, net, (host, port))
                    door.made = net.trace.clock()
            await renewed(door, (host, port), net)
            return await _tunnel(door, endpoint, host, port, net)


class PlainTor:
    """Opens tunnels through Tor without any bridge: tor chooses the way."""

    async def dial(self, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
        """Open a tunnel. Raises StepFailed or CannotMeasure."""
        door = _door(endpoint, net)
        with door.held():
            async with door.lock:
                if door.circuit:
                    _tor(door).alive()
                else:
                    await _enter(door, net)
            return await _tunnel(door, endpoint, host, port, net)


def _door(endpoint: Endpoint, net: Net) -> TorDoor:
    door = net.doors.get(endpoint.key())
    if isinstance(door, CannotMeasure):
        raise CannotMeasure(door.reason, **door.values)
    if not isinstance(door, TorDoor):
        raise CannotMeasure(_NO_DOOR)
    return door


def _tor(door: TorDoor) -> Tor:
    if door.tor is None:
        raise CannotMeasure(_NO_DOOR)
    return door.tor


class _Bootstrap:
    """Times `tor_bootstrap`; its deadlines stand still while the list of relays is on its way.

    `sane` raises CannotMeasure when something else of ours that is needed has died.
    """

    def __init__(self, net: Net, sane: Callable[[], object]) -> None:
        self._net, self._sane = net, sane
        self._began = net.trace.clock()
        self.percent = 0

    def failed(self, failure: Failure) -> StepFailed:
        """Record the failure and return what is to be raised. Raises CannotMeasure if it is ours."""
        self._sane()
        error = WireError(failure, None, self.percent)
        return self._net.trace.failed(Step.TOR_BOOTSTRAP, self._began, error)

    def passed(self) -> None:
        """Record that the circuit stands."""
        self._net.trace.record(Step.TOR_BOOTSTRAP, self._began, None, None, _DONE)

    async def until(self, tor: Tor, there: Callable[[], bool]) -> None:
        """Wait for one answer of the bridge."""

        def settled() -> bool:
            self._sane()
            return there()

        try:
            async with asyncio.timeout_at(self.deadline()):
                await tor.until(settled)
        except TimeoutError as error:
            raise self.failed(Failure.TIMEOUT) from error

    def deadline(self) -> float:
        """Return the loop time until which the bridge may take for one answer."""
        limits, trace = self._net.limits, self._net.trace
        return min(trace.clock() + limits.connect + limits.handshake, trace.deadline)

    async def directory(self, tor: Tor, percent: int = ENOUGH) -> None:
        """Wait for the list of relays: for a while after the last sign of life, however long it takes in all."""
        trace, limits = self._net.trace, self._net.limits
        quiet = limits.connect + limits.handshake
        with trace.waiting(ours=False):
            began = trace.clock()
            while tor.progress.percent < percent:
                self._sane()
                self.percent = max(self.percent, tor.progress.percent)
                now, since = trace.clock(), max(began, tor.progress.moved)
                if now >= min(since + quiet, began + PATIENCE):
                    raise self.failed(Failure.TIMEOUT)
                await tor.stirred(min(since + quiet, began + PATIENCE) - now)


async def _climb(door: TorDoor, endpoint: Endpoint, net: Net, target: tuple[str, int]) -> None:
    """Go the way up, to a circuit; with the tor that comes in the place of one that died on the way, if there is one."""
    solo = str((endpoint.options or {}).get("pt", "")) in SOLO
    fingerprint = str((endpoint.options or {}).get("fingerprint", ""))
    if not solo:
        fingerprint = await _shaken(door, endpoint, net)
    began, trace = net.trace.clock(), net.trace
    try:
        await _bootstrap(door, endpoint, net, target, fingerprint)
    except CannotMeasure as error:
        if isinstance(error, Lost):
            await _ended(door.tor)
        if not door.engine.outlives(door.tor):
            raise
        door.forget()
        lost = trace.clock() - began  # by our own fault
        trace.waited += lost
        trace.deadline += lost
        await _bootstrap(door, endpoint, net, target, fingerprint)


async def _ended(tor: Tor | None) -> None:
    """Wait for the news that tor's process has ended: its control connection ends a moment before."""
    with suppress(CannotMeasure, TimeoutError):
        async with asyncio.timeout(_REAPED):
            await (tor.until(lambda: False) if tor is not None else asyncio.sleep(0))


async def _shaken(door: TorDoor, endpoint: Endpoint, net: Net) -> str:
    """Do the handshakes; return who answers. Once in a run is enough, until a circuit has shown more."""
    if door.shaken is None:
        link = await link_of(endpoint, net, door.pts)
        if link.proved and link.ahead is not None:
            door.engine.clocks.take(link.ahead)
        door.shaken = link.fingerprint, tuple(net.trace.observations)
        return link.fingerprint
    fingerprint, seen = door.shaken
    net.trace.observations += [replace(one, started=0.0) for one in seen]
    return fingerprint


async def _bootstrap(
    door: TorDoor, endpoint: Endpoint, net: Net, target: tuple[str, int], fingerprint: str
) -> None:
    """Let tor try the bridge. What did not work is taken from it again, or it would go on trying."""
    transport = str((endpoint.options or {}).get("pt", ""))
    solo, pts = transport in SOLO, door.pts
    with net.trace.waiting():
        await net.pace()
    line = bridge_line(endpoint, fingerprint, pts)
    with net.trace.waiting():  # our own start, and waiting for a place, is not the bridge's time
        if door.tor is None:
            door.tor = await (door.engine.solo(door) if solo else door.engine.for_bridge(fingerprint, line))
        tor = door.tor
        await tor.ready()
    step = _Bootstrap(net, _sane(endpoint, pts))
    step.percent = 0 if solo else _SHAKEN
    try:
        await tor.add(fingerprint, line)
        door.fingerprint = await _described(step, tor, fingerprint, solo)
        await step.directory(tor)
        step.percent = _CIRCUIT
        door.circuit = await _circuit(step, door, target)
    except (StepFailed, CannotMeasure):
        with suppress(CannotMeasure):  # where it is tor itself that has died
            await tor.drop(door.fingerprint or fingerprint)
        raise
    door.shaken = None
    step.passed()


def _sane(endpoint: Endpoint, pts: Plugins | None) -> Callable[[], object]:
    """Return what raises CannotMeasure when the program of the bridge's transport has died."""
    transport = str((endpoint.options or {}).get("pt", ""))
    if pts is None or transport in ("", "vanilla"):
        return lambda: None
    return lambda: pts.of(transport)


async def _described(step: _Bootstrap, tor: Tor, fingerprint: str, solo: bool) -> str:
    """Wait for the bridge's descriptor; return its fingerprint, which the line may not have named."""
    if solo:  # what comes first depends on a whole network in between: any sign of life counts
        await step.directory(tor, _SHAKEN)
    await step.until(tor, lambda: fingerprint in tor.described if fingerprint else bool(tor.described))
    step.percent = max(step.percent, _ASKED)
    if fingerprint:
        return fingerprint
    tor.learn(tor.described[0])
    return tor.described[0]


async def _circuit(step: _Bootstrap, door: TorDoor, target: tuple[str, int]) -> str:
    host, port = target
    try:
        async with asyncio.timeout_at(step.deadline()):
            return await _tor(door).circuit(
                door.fingerprint, is_literal(host) and ":" in host, port, door.used
            )
    except TimeoutError as error:
        raise step.failed(Failure.TIMEOUT) from error
    except NoCircuit as error:
        raise step.failed(error.failure) from error


async def _enter(door: TorDoor, net: Net) -> None:
    """Let tor into the network by itself."""
    with net.trace.waiting():
        await net.pace()
        door.tor = door.tor or await door.engine.solo(door, bridges=False)
        await door.tor.start_without_bridges()
    step = _Bootstrap(net, lambda: None)
    await step.directory(door.tor, _DONE)
    door.circuit = "0"
    step.passed()


async def _tunnel(door: TorDoor, endpoint: Endpoint, host: str, port: int, net: Net) -> Stream:
    """Open a stream through the circuit; through one with another exit where this one does not want to."""
    tor, sane = _tor(door), _sane(endpoint, door.pts)
    try:
        return await _through(door, sane, host, port, net)
    except _NotThisExit as refused:
        if door.circuit == "0":
            raise refused.error from None
        avoid = door.used
        try:
            async with asyncio.timeout_at(net.trace.deadline):
                other = await tor.circuit(door.fingerprint, is_literal(host) and ":" in host, port, avoid)
        except (NoCircuit, CannotMeasure, TimeoutError):
            tor.alive()
            raise refused.error from None
        door.circuit = other
        net.trace.observations.pop()
    try:
        return await _through(door, sane, host, port, net)
    except _NotThisExit as refused:
        raise refused.error from None


class _NotThisExit(Exception):  # noqa: N818 - a result
    def __init__(self, error: StepFailed) -> None:
        super().__init__()
        self.error = error


async def _through(door: TorDoor, sane: Callable[[], object], host: str, port: int, net: Net) -> Stream:
    tor, circuit = _tor(door), door.circuit
    try:
        sock = await loopback(await tor.socks_port())
    except OSError as error:
        await _survived(tor, sane)
        raise CannotMeasure(_UNREACHABLE) from error
    source = int(sock.getsockname()[1])
    stream = _Tunnel(sock, door, tor, sane, circuit)
    with tor.expecting(source, circuit) as wait:
        try:
            async with net.trace.step(Step.PROXY_HANDSHAKE, net.limits.connect + net.limits.handshake):
                await converse(Socks5(host, port), stream)
        except StepFailed as error:
            stream.close()
            await _survived(tor, sane)
            if wait.trouble in _OTHER_EXIT or not (circuit == "0" or tor.carries(circuit)):
                raise _NotThisExit(error) from error
            raise
        except BaseException:
            stream.close()
            raise
    return stream


class _Tunnel(SocketStream):
    """A stream through tor. Its end is not the bridge's doing when tor, or the transport's program, has died."""

    __slots__ = ("_circuit", "_held", "_sane", "_tor")

    def __init__(
        self, sock: socket.socket, door: TorDoor, tor: Tor, sane: Callable[[], object], circuit: str
    ) -> None:
        super().__init__(sock)
        self._tor, self._sane, self._circuit = tor, sane, circuit
        self._held = ExitStack()
        self._held.enter_context(door.held())

    def stands(self) -> bool:
        """Say whether its circuit stands, which a stream that has ended by itself leaves behind."""
        return self._circuit == "0" or self._tor.carries(self._circuit)

    async def recv(self, limit: int) -> bytes:
        """Read. Raises CannotMeasure where our side has died."""
        try:
            data = await super().recv(limit)
        except OSError:
            await _survived(self._tor, self._sane)
            raise
        if not data:
            await _survived(self._tor, self._sane)
        return data

    async def send(self, data: bytes) -> None:
        """Send. Raises CannotMeasure where our side has died."""
        try:
            await super().send(data)
        except OSError:
            await _survived(self._tor, self._sane)
            raise

    def close(self) -> None:
        """Close it; the bridge's tor may go to another one."""
        super().close()
        self._held.close()


async def _survived(tor: Tor, sane: Callable[[], object]) -> None:
    """Raise CannotMeasure if tor or the program has died: then what was seen is not the bridge's doing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LATE):
            await tor.until(lambda: False)
    sane()

"""One running tor: its bridges, how far it has come, and circuits that begin at a bridge of our choice.

tor itself may use any of its bridges for anything. That a circuit leaves through one given bridge is made sure here:
the path is ours (EXTENDCIRCUIT), its first hop is a bridge that is configured now (tor would connect directly to any
other relay, even with UseBridges 1), the built path is looked at, and streams are attached by hand.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from transports import tor_paths
from transports.failure import Failure
from transports.tor_control import Control, Refused
from transports.tor_told import Circuit, Notice, Progress, Wait, add, listener, named, skew
from transports.types import N_, CannotMeasure

ENOUGH: Final = 75  # per cent: tor knows relays enough for a circuit
NOBODY: Final = (
    f"127.0.0.1:1 {'0' * 39}1"  # tor wants one bridge at least; with DisableNetwork it asks nobody
)
_START: Final = 15.0  # seconds
_KNOWN: Final = 900.0  # seconds that the list of relays is good for
_SLOW: Final = 2048  # bytes a second; a bridge that answers every question with "not found" makes less
_SMOOTH: Final = 0.3
_KEPT: Final = 4096
_BRIDGE_FAILURES: Final = 2  # circuits that break off at the bridge
_CIRCUITS: Final = 5  # of all kinds
_OURS: Final = frozenset({"REQUESTED", "FINISHED", "IP_NOW_REDUNDANT", "HIBERNATING", "NONE"})
_NO_PORT: Final = "553"  # control-spec: unable to set the option
_TAKEN: Final = N_("tor cannot open its port: it is taken, or the lines given by --torrc are wrong")
_BAD: Final = N_("tor does not accept this bridge line")
_NO_RELAYS: Final = N_("tor knows no relay that lets out to port {port}")
_PUBLIC: Final = N_(
    "this line names a public relay of Tor's under another address: tor would go there directly, so it is not tested"
)
_OTHER_WAY: Final = N_("tor did not take the way that was asked for, so nothing was tested")


class NoCircuit(Exception):  # noqa: N818 - a result
    """No circuit came about. `reached` is how many of its relays answered, 0 for not even the bridge."""

    def __init__(self, failure: Failure, reached: int) -> None:
        super().__init__(failure.value)
        self.failure, self.reached = failure, reached


@dataclass(slots=True, repr=False, eq=False)
class Tor:
    """A tor and what is known of it. Made by `transports.tor_engine`."""

    control: Control
    port_file: Path
    notices: list[Notice]
    progress: Progress = field(default_factory=Progress)
    lines: dict[str, str] = field(default_factory=dict)  # all that were ever given to it, by fingerprint
    described: list[str] = field(default_factory=list)
    gone: CannotMeasure | None = None
    pid: int = 0
    circuits: dict[str, Circuit] = field(default_factory=dict)
    _wanted: dict[str, str] = field(default_factory=dict)
    _applied: dict[str, str] = field(default_factory=dict)
    _expected: dict[int, Wait] = field(default_factory=dict)
    _streams: dict[str, Wait] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _relays: tuple[float, Sequence[tor_paths.Relay]] = (0.0, ())
    _policies: dict[str, str] = field(default_factory=dict)
    _rng: random.Random = field(default_factory=random.SystemRandom)
    was_ready: bool = False
    _socks: int = 0

    def end(self, reason: CannotMeasure) -> None:
        """Note that it has ended: whoever waits is told."""
        self.gone = self.gone or reason
        self.control.give_up()
        self._stir()

    def alive(self) -> None:
        """Raise CannotMeasure if it has ended."""
        if self.gone is not None:
            raise CannotMeasure(self.gone.reason, **self.gone.values)

    async def ready(self) -> None:
        """Wait until it can be told what to do. Raises CannotMeasure."""
        async with self._lock:
            if not self.was_ready:
                self.alive()
                try:
                    await self.control.connect(self.port_file, _START)
                except CannotMeasure:
                    self.alive()
                    raise
                self.was_ready = True

    async def add(self, fingerprint: str, line: str) -> None:
        """Have it use a bridge. Those that are given at about the same time go in one command.

        Raises CannotMeasure when tor refuses the line; the others are not affected.
        """
        await self.ready()
        self.lines[fingerprint] = self._wanted[fingerprint] = line
        await self._apply()
        if self._applied.get(fingerprint) != line:
            raise CannotMeasure(_BAD)

    async def drop(self, fingerprint: str) -> None:
        """Have it leave a bridge in peace: it would try a dead one again and again."""
        if self._wanted.pop(fingerprint, None) is not None and self.gone is None:
            await self._apply()

    def learn(self, fingerprint: str) -> None:
        """Take down the fingerprint of the only bridge, whose line names none."""
        for lines in (self.lines, self._wanted, self._applied):
            if "" in lines:
                lines[fingerprint] = lines.pop("")

    async def start_without_bridges(self) -> None:
        """Let it into the network as it was started."""
        await self.ready()
        try:
            await self.control.set_conf({"DisableNetwork": "0"})
        except Refused as error:
            raise CannotMeasure(_TAKEN) from error

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until `there` holds. Raises CannotMeasure if tor ends before."""
        while not there():
            self.alive()
            await self._changed.wait()
        self.alive()

    async def stirred(self, limit: float) -> None:
        """Wait for any news, `limit` seconds at most."""
        self.alive()
        try:
            async with asyncio.timeout(limit):
                await self._changed.wait()
        except TimeoutError:
            return

    def carries(self, circuit: str) -> bool:
        """Say whether a circuit stands."""
        known = self.circuits.get(circuit)
        return known is not None and known.status == "BUILT"

    async def circuit(self, first: str, host_is_v6: bool, port: int, avoid: set[str]) -> str:
        """Build a circuit from the bridge `first` to an exit that takes `port`; return its number.

        What the bridge does not do is tried twice, what lies behind it up to five times. The exit is added to
        `avoid`. Raises NoCircuit or CannotMeasure; the deadline is the caller's.
        """
        failed = NoCircuit(Failure.UNKNOWN, 0)
        at_bridge = 0
        for _ in range(_CIRCUITS):
            path = await self._path(first, host_is_v6, port, avoid)
            avoid.add(path[-1])
            number, built = await self._built(path)
            if not built.is_over:
                if built.hops[:1] != (first,):
                    self.control.close_circuit(number)
                    raise CannotMeasure(_OTHER_WAY)
                return number
            if built.reason in _OURS:  # tor closes unused circuits when its bridges change
                avoid.discard(path[-1])
                continue
            failed = NoCircuit(named(built), len(built.hops))
            at_bridge += len(built.hops) < 2
            if at_bridge == _BRIDGE_FAILURES:
                break
        raise failed

    async def socks_port(self) -> int:
        """Return the port of its SOCKS listener on 127.0.0.1."""
        while not self._socks:
            self.alive()
            self._socks = await self.control.info("net/listeners/socks", listener)
            if not self._socks:
                await asyncio.sleep(0.05)
        return self._socks

    @contextmanager
    def expecting(self, source_port: int, circuit: str) -> Iterator[Wait]:
        """Send the connection that comes from this port of ours through `circuit`, as soon as it asks."""
        wait = self._expected[source_port] = Wait(circuit=circuit)
        try:
            yield wait
        finally:
            self._expected.pop(source_port, None)

    async def _apply(self) -> None:
        async with self._lock:
            wanted = dict(self._wanted)
            if wanted == self._applied:
                return
            good = {name: line for name, line in wanted.items() if self._applied.get(name) == line}
            rest = {name: line for name, line in wanted.items() if name not in good}
            for name in rest.keys() - (await self._taken(good, rest)).keys():
                self._wanted.pop(name, None)
            if self._applied != good:  # the last command was refused, and one was to be left out
                await self._set(good)

    async def _taken(self, good: dict[str, str], rest: Mapping[str, str]) -> dict[str, str]:
        """Add what tor takes of `rest` to `good`. It takes all or none, and does not say which one is wrong."""
        try:
            await self._set({**good, **rest})
        except (Refused, ValueError) as error:
            if isinstance(error, Refused) and error.code == _NO_PORT:
                raise CannotMeasure(_TAKEN) from error
            if len(rest) > 1:
                names = list(rest)
                for part in (names[: len(names) // 2], names[len(names) // 2 :]):
                    await self._taken(good, {name: rest[name] for name in part})
        else:
            good.update(rest)
        return good

    async def _set(self, lines: Mapping[str, str]) -> None:
        off = "0" if lines else "1"
        if not lines:
            self._socks = 0  # the listener goes with the network
        await self.control.set_conf({"Bridge": list(lines.values()) or [NOBODY], "DisableNetwork": off})
        self._applied = dict(lines)

    async def _path(self, first: str, host_is_v6: bool, port: int, avoid: set[str]) -> tuple[str, str, str]:
        known = await self._consensus()
        for way_out in tor_paths.exits(known, {first, *avoid}, self._rng):
            policy = await self._policy(way_out.fingerprint)
            if not tor_paths.lets_out(policy, port, v6=host_is_v6):
                continue
            for middle in tor_paths.middles(known, {first, way_out.fingerprint}, self._rng):
                if await self._policy(middle.fingerprint):
                    return first, middle.fingerprint, way_out.fingerprint
        if avoid:  # better one twice than none
            avoid.clear()
            return await self._path(first, host_is_v6, port, avoid)
        raise CannotMeasure(_NO_RELAYS, port=port)

    async def _consensus(self) -> Sequence[tor_paths.Relay]:
        now = asyncio.get_running_loop().time()
        if not self._relays[1] or now - self._relays[0] > _KNOWN:
            self._relays = (now, await self.control.info("ns/all", tor_paths.relays))
        return self._relays[1]

    async def _policy(self, fingerprint: str) -> str:
        """Return the relay's microdescriptor, "" while tor has none: it could not extend to it either."""
        if fingerprint not in self._policies:
            try:
                self._policies[fingerprint] = await self.control.info(f"md/id/{fingerprint}", str)
            except Refused:
                return ""
        return self._policies[fingerprint]

    async def _must_be_the_only_way(self, bridge: str) -> None:
        """Raise CannotMeasure if tor knows another address for this bridge: a public relay's, from the consensus.

        It would use that one as soon as the connection of the line is cut: a false "working", and a plain connection
        to Tor that nobody has agreed to.
        """
        try:
            public = await self.control.info(f"ns/id/{bridge}", tor_paths.addresses)
        except Refused:  # in no consensus, as it is with bridges
            return
        if public and self._applied.get(bridge, "").partition(" ")[0] not in public:
            raise CannotMeasure(_PUBLIC)

    async def _built(self, path: tuple[str, str, str]) -> tuple[str, Circuit]:
        if path[0] not in self._applied:  # tor would go there without any bridge
            raise CannotMeasure(_OTHER_WAY)
        await self._must_be_the_only_way(path[0])
        try:
            number = await self.control.extend(path)
        except Refused:  # a relay has left the consensus, or is not described yet
            self._relays = (0.0, ())
            return "", Circuit(status="FAILED", reason="NOPATH", hops=path[:2])
        try:
            await self.until(lambda: self.carries(number) or self._circuit(number).is_over)
        except BaseException:
            self.control.close_circuit(number)
            raise
        return number, self._circuit(number)

    def _circuit(self, number: str) -> Circuit:
        if number not in self.circuits and len(self.circuits) >= _KEPT:
            del self.circuits[next(iter(self.circuits))]
        return self.circuits.setdefault(number, Circuit())

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def hear(self, event: Any) -> None:
        """Take an event of stem's."""
        take = {
            "BW": self._bandwidth,
            "CIRC": self._circ,
            "NEWDESC": self._newdesc,
            "STATUS_CLIENT": self._status,
            "STATUS_GENERAL": self._status,
            "STREAM": self._stream,
        }.get(str(event.type))
        if take is not None:
            take(event)
            self._stir()

    def _bandwidth(self, event: Any) -> None:
        progress, came = self.progress, int(event.read)
        progress.received += came
        progress.rate += _SMOOTH * (came - progress.rate)
        if progress.rate > _SLOW:
            progress.moved = asyncio.get_running_loop().time()

    def _circ(self, event: Any) -> None:
        circuit = self._circuit(str(event.id))
        circuit.status = str(event.status)
        if not circuit.is_over:  # the end names them too, but of a failed one also those not reached
            circuit.hops = tuple(str(hop[0]) for hop in event.path or ())
        circuit.reason, circuit.remote = str(event.reason or ""), str(event.remote_reason or "")

    def _newdesc(self, event: Any) -> None:
        self.described += [str(fingerprint) for fingerprint, _ in event.relays]

    def _status(self, event: Any) -> None:
        told: Mapping[str, str] = event.arguments or {}
        if event.action == "BOOTSTRAP" and (percent := str(told.get("PROGRESS", ""))).isdecimal():
            progress = self.progress
            if int(percent) > progress.percent:
                progress.moved = asyncio.get_running_loop().time()
            progress.percent = int(percent)
            progress.tag, progress.summary = told.get("TAG", ""), told.get("SUMMARY", "")[:200]
        elif event.action == "CLOCK_SKEW":
            add(self.notices, skew(told))

    def _stream(self, event: Any) -> None:
        number, status = str(event.id), str(event.status)
        if status in ("NEW", "NEWRESOLVE"):
            self._new_stream(number, event)
        elif (wait := self._streams.get(number)) is not None and status in ("DETACHED", "FAILED", "CLOSED"):
            wait.trouble = wait.trouble or str(event.remote_reason or event.reason or status)
            if status == "DETACHED":
                self.control.close_stream(number)
            else:
                del self._streams[number]

    def _new_stream(self, number: str, event: Any) -> None:
        if str(event.purpose) != "USER":  # tor's own
            return
        wait = self._expected.get(int(event.source_port or 0))
        if wait is None:  # somebody else on this machine has found the port
            self.control.close_stream(number)
            return
        wait.stream, self._streams[number] = number, wait
        self.control.attach(number, wait.circuit, lambda: self.control.close_stream(number))

"""Asks one port after the other, both protocols side by side, at an even pace, until enough is known."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from client.beacon.wire import Protocol
from client.holes import doors, plan
from client.holes.doors import Answer, Host
from client.holes.plan import CONTROLS, Progress, Seen, State
from client.holes.watch import Watch
from client.model import Message
from client.tasks import Crew
from transports.types import N_

_LOOK: Final = 0.5  # seconds between two looks at whether all are still there
_PULSES: Final = 3
_PAUSE: Final = 1.0  # seconds between those
_EARLY: Final = 0.004  # seconds that a question may come too early: a timer is no better than that
_CATCH_UP: Final = 0.2  # seconds
_AGAIN: Final = 1.0  # seconds until a port is asked again where a connection came to nothing
_BEST: Final = (
    State.OPEN,
    State.MOVED,
    State.OTHER,
    State.CUT,
    State.MUTE,
    State.REFUSED,
    State.SILENT,
    State.FAULT,
)
_GONE: Final = N_(
    "{name} has stopped answering, on a port too where it had answered. What was found stays; what was silent since then is not known."
)
_NO_KEY: Final = N_(
    "No beacon's key has answered, so no more than the likely ports are asked. Is the code right, and does the beacon run?"
)

Tell = Callable[["Seen | Message"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to ask. `starts` are ports to begin at; `spacing` is in seconds; `slots` questions may be open at once."""

    likely: Mapping[Protocol, Sequence[int]]
    starts: Mapping[Protocol, int] = field(default_factory=dict)
    everything: bool = False
    first: int = 0
    spacing: float
    slots: int = 400
    limit: float = doors.LIMIT


@dataclass(slots=True)
class Swept:
    """What came of it. Of silent ports only the number is kept. `stopped`: "", "first", "gone" or "interrupted"."""

    seen: list[Seen] = field(default_factory=list)
    counts: Counter[tuple[Protocol, State]] = field(default_factory=Counter)
    stopped: str = ""
    resume: dict[Protocol, int] = field(default_factory=dict)
    contact: bool = False


class Even:
    """Lets one pass each `spacing` seconds. What comes late is not made up for by a burst, but for the smallest
    spacings, where a timer is always late.
    """

    def __init__(self, spacing: float) -> None:
        self._spacing = spacing
        self._next = 0.0

    async def wait(self) -> None:
        """Return when it is time."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        late = _CATCH_UP if self._spacing < _EARLY else 0.0
        self._next = max(self._next, now - late)
        turn, self._next = self._next, self._next + self._spacing
        await asyncio.sleep(turn - now if turn - now > min(_EARLY, self._spacing) else 0.0)


class Sweep:
    """One sweep. `tell` gets each port as it is known, and sentences."""

    def __init__(self, hosts: Sequence[Host], order: Order, tell: Tell) -> None:
        self._hosts, self._order, self._tell = hosts, order, tell
        self.paces = {protocol: Even(order.spacing) for protocol in Protocol}
        self.likely_asked = {protocol: asyncio.Event() for protocol in Protocol}
        self._watch = Watch(host.name for host in hosts)
        self._swept = Swept()
        self._open: dict[tuple[Protocol, int], tuple[Progress, int]] = {}
        self._asked: Counter[str] = Counter()
        self._crossed = 0
        self._over = asyncio.Event()
        self._slots = asyncio.Semaphore(order.slots)
        self._progress: dict[Protocol, Progress] = {}
        self._crew = Crew()

    async def run(self, stop: asyncio.Event) -> Swept:
        """Ask until all is known, enough was found, or `stop` is set."""
        async with self._crew as crew:
            main = crew.start(self._main(), "sweep")
            ends = [crew.start(_rung(one), "end") for one in (stop, self._over)]
            crew.start(self._keep_watch(), "watch")
            await asyncio.wait({main, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                self._swept.stopped = "interrupted"
        for event in self.likely_asked.values():
            event.set()
        self._swept.contact = self._watch.contact
        if self._swept.stopped:
            self._swept.resume = {protocol: one.resume for protocol, one in self._progress.items()}
        return self._swept

    async def _main(self) -> None:
        order = self._order
        lanes, later = {}, {}
        for protocol, likely in order.likely.items():
            start = order.starts.get(protocol)
            lanes[protocol], later[protocol] = plan.order(likely, start, everything=order.everything)
        if order.everything and not any(lanes.values()):
            await self._lanes(order.likely, until_contact=True)
        else:
            await self._lanes(lanes)
        await self._settle()
        if not order.everything:
            return
        if not self._watch.contact:
            self._tell(Message(_NO_KEY))
            return
        await self._lanes(later)
        await self._settle()

    async def _lanes(self, lanes: Mapping[Protocol, Sequence[int]], *, until_contact: bool = False) -> None:
        tasks = []
        for protocol, ports in lanes.items():
            controls = [port for port in CONTROLS if protocol is Protocol.TCP and not self._offered(port)]
            whole = [*ports, *controls]
            self._progress[protocol] = Progress(ports)
            tasks.append(self._crew.start(self._lane(protocol, whole, until_contact), protocol))
        for protocol in set(Protocol) - set(lanes):
            self.likely_asked[protocol].set()
        if tasks:
            await asyncio.wait(tasks)

    async def _lane(self, protocol: Protocol, ports: Sequence[int], until_contact: bool) -> None:
        progress = self._progress[protocol]
        live: set[asyncio.Task[None]] = set()
        for place, port in enumerate(ports):
            if until_contact and self._watch.contact:
                break
            if not self._targets(protocol, port):
                progress.done(place)  # nobody can be asked for it
                continue
            await self._slots.acquire()
            await self.paces[protocol].wait()
            self._open[protocol, port] = (progress, place)
            task = self._crew.start(self._one(protocol, port), "port")
            live.add(task)
            task.add_done_callback(live.discard)
        self.likely_asked[protocol].set()
        if live:
            await asyncio.wait(set(live))

    def _offered(self, port: int) -> list[Host]:
        return [host for host in self._hosts if host.offers(port)]

    def _targets(self, protocol: Protocol, port: int) -> list[Host]:
        """Return who is to be asked, one after the other until one answers."""
        living = [
            host
            for host in self._hosts
            if host.takes(protocol)
            and not self._watch.is_dead(host.name)
            and not (host.most and self._asked[host.name] >= host.most)
        ]
        offering = [host for host in living if host.offers(port)]
        return offering or (living[:1] if protocol is Protocol.TCP else [])

    async def _one(self, protocol: Protocol, port: int) -> None:
        loop = asyncio.get_running_loop()
        best, asked, began = Answer(state=State.FAULT), [], loop.time()
        try:
            for number, host in enumerate(self._targets(protocol, port)):
                if number:
                    await self.paces[protocol].wait()
                began = loop.time()
                self._asked[host.name] += 1
                asked.append(host)
                answer = await self._answer(host, protocol, port)
                best = min(best, answer, key=lambda one: _BEST.index(one.state))
                if best.state in (State.OPEN, State.MOVED):
                    break
        finally:
            self._slots.release()
        seen = Seen(
            protocol=protocol,
            port=port,
            state=best.state,
            evidence=best.evidence,
            offered=any(host.offers(port) for host in asked),
            control=port in CONTROLS and not self._offered(port),
            arrived=best.arrived,
            elapsed=loop.time() - began,
        )
        if not asked:  # nobody is left: they have died, or were asked as often as they may be
            dead = any(self._watch.is_dead(host.name) for host in self._hosts)
            self._commit([replace(seen, state=State.UNKNOWN)] if dead else [])
        elif seen.crossed:
            self._commit(self._watch.alive(asked[-1].name, (protocol, port), began))
            self._commit([seen])
        elif seen.state is State.FAULT:
            self._commit([seen])
        else:
            self._commit(self._watch.silent(seen, [host.name for host in asked], loop.time()))

    async def _answer(self, host: Host, protocol: Protocol, port: int) -> Answer:
        answer = await doors.ask(host, protocol, port, self._order.limit)
        if answer.state in (State.MUTE, State.CUT) and host.offers(port) and self._watch.contact:
            await asyncio.sleep(_AGAIN)  # a beacon that was asked too much says nothing for a while
            await self.paces[protocol].wait()
            again = await doors.ask(host, protocol, port, self._order.limit)
            answer = min(answer, again, key=lambda one: _BEST.index(one.state))
        return answer

    def _commit(self, known: Sequence[Seen]) -> None:
        """Take in what is certain now."""
        for seen in known:
            progress, place = self._open.pop((seen.protocol, seen.port), (None, 0))
            if progress is not None and seen.state is not State.UNKNOWN:
                progress.done(place)
            if not seen.control:
                self._swept.counts[seen.protocol, seen.state] += 1
            if (
                seen.state is not State.SILENT
                or seen.port in self._order.likely[seen.protocol]
                or seen.control
            ):
                self._swept.seen.append(seen)
                self._tell(seen)
            self._crossed += seen.crossed
        if self._order.first and self._crossed >= self._order.first and not self._over.is_set():
            self._swept.stopped = "first"
            self._over.set()

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            for name, good in self._watch.doubtful(asyncio.get_running_loop().time()):
                await self._pulse(name, good)

    async def _settle(self) -> None:
        """Find out whether those who were silent at the end are alive, and let their silence count."""
        for name, good in self._watch.waiting():
            await self._pulse(name, good)
        self._commit(self._watch.rest())

    async def _pulse(self, name: str, good: tuple[Protocol, int]) -> None:
        """Ask for a sign of life, where an answer has come before."""
        host = next(host for host in self._hosts if host.name == name)
        loop = asyncio.get_running_loop()
        for number in range(_PULSES):
            if number:
                await asyncio.sleep(_PAUSE)
            began = loop.time()
            answer = await doors.ask(host, *good, self._order.limit)
            if answer.state in (State.OPEN, State.MOVED):
                self._commit(self._watch.alive(name, good, began))
                return
        if self._watch.is_dead(name):
            return
        self._tell(Message(_GONE, {"name": name}))
        self._commit(self._watch.died(name))
        if self._watch.lost:
            self._swept.stopped = "gone"
            self._over.set()


async def _rung(event: asyncio.Event) -> None:
    await event.wait()

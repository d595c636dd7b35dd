"""The check that finds options for the keeper: one round over the list, and more over the rest when it is needed.

All rounds, and the connection itself, share one set of engines: tor must not find its way into the network twice.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from client import options
from client.connect import choice
from client.connect.events import Checked, Event, Noticed
from client.connect.keeper import Keeper
from client.connect.probing import Prober
from client.engine import Run, Stop, running
from client.events import ControlFinished, Finished, Judged
from client.following import Engines, OpenEngines
from client.judge import protection_of
from client.model import Candidate, Message, Protection, Reading, Status, Verdict
from client.plan import is_testable, is_wanted
from client.tasks import Crew
from transports.net import Door
from transports.types import N_, CannotMeasure, Endpoint

_OURS: Final = N_(
    "an entry of the list is this connection itself (port {port} of this machine): it is left out"
)
_LAST: Final = 1000  # more than any rank of a diagnosis


class Shared:
    """Engines that are opened when the first round asks for them, and stay until the crew is dismissed."""

    def __init__(self, opener: OpenEngines | None, crew: Crew) -> None:
        self._opener, self._crew = opener, crew
        self._engines: Engines | None = None
        self._why_not: CannotMeasure | None = None
        self._ready = asyncio.Event()
        self._asked = False

    def doors(self) -> Mapping[str, Door | CannotMeasure]:
        """Return the doors that are open now."""
        return self._engines.doors if self._engines is not None else {}

    @asynccontextmanager
    async def open(self, endpoints: Sequence[Endpoint]) -> AsyncIterator[Engines]:
        """Hand out the engines; leaving the block does not close them. Raises CannotMeasure."""
        if not self._asked:
            self._asked = True
            self._crew.start(self._keep(endpoints), "engines")
        await self._ready.wait()
        if self._engines is None:
            assert self._why_not is not None
            raise CannotMeasure(self._why_not.reason, **self._why_not.values)
        yield self._engines

    async def _keep(self, endpoints: Sequence[Endpoint]) -> None:
        assert self._opener is not None
        try:
            async with self._opener(endpoints) as engines:
                self._engines = engines
                self._ready.set()
                await asyncio.Event().wait()
        except CannotMeasure as reason:
            self._why_not = reason
        finally:
            self._ready.set()


class Scout:
    """Runs the rounds. `keeper` takes the verdicts; `finished` is the end of the first round."""

    def __init__(
        self, run: Run, shared: Shared, prober: Prober, crew: Crew, tell: Callable[[Event], None]
    ) -> None:
        self._run, self._prober, self._crew, self._tell = run, prober, crew, tell
        self._shared = shared
        self._rest = self._wanted()
        self._awaited: dict[str, Candidate] = {}
        self._under_way = False
        self.finished: Finished | None = None
        self.first: list[tuple[str, Verdict]] = []  # the working and degraded ones of the first round
        self.keeper: Keeper | None = None

    def _wanted(self) -> list[Candidate]:
        run = self._run
        return [one for one in run.reading.candidates if is_testable(one) and is_wanted(one, run.only)]

    def leave_out(self, address: str, port: int) -> None:
        """Never use what leads to our own port, on which we listen at `address`: connections would go in circles."""
        reading = self._run.reading
        others = tuple(one for one in reading.candidates if not _is_here(one.endpoint, address, port))
        left_out = len(reading.candidates) - len(others)
        if left_out:
            self._run = replace(self._run, reading=replace(reading, candidates=others))
            self._rest = self._wanted()
            self._tell(Noticed(Message(_OURS, {"port": port})))

    def more(self) -> bool:
        """Begin another round over what was not tested yet and may be used; say whether there is one under way now."""
        assert self.keeper is not None
        if not self._under_way:
            floor = self.keeper.floor
            allowed = [one for one in self._rest if choice.may_use(self._class_of(one), floor)]
            self._rest = [one for one in self._rest if not choice.may_use(self._class_of(one), floor)]
            if allowed:
                self._begin(Reading(tuple(allowed), (), 0), allowed)
        return self._under_way

    def start(self) -> None:
        """Begin the first round, over the whole list."""
        awaited, self._rest = self._rest, []
        self._begin(self._run.reading, awaited)

    def _begin(self, reading: Reading, awaited: Sequence[Candidate]) -> None:
        assert self.keeper is not None
        self._under_way = True
        self._awaited = {self._run.namer.id(one.endpoint): one for one in awaited}
        self._crew.start(self._round(reading), "round")
        self.keeper.begin({name: self._class_of(one) for name, one in self._awaited.items()})

    def _rank(self, one: Candidate) -> int:
        """Put off what protects nothing: it is used only where nothing better is left."""
        first = self._run.rank(one) if self._run.rank is not None else 0
        return first + _LAST * (self._class_of(one) is Protection.OPEN)

    def _class_of(self, one: Candidate) -> Protection:
        return protection_of(one.endpoint.transport, one.endpoint, trusted=self._run.trusted)

    async def _round(self, reading: Reading) -> None:
        keeper, stop = self.keeper, Stop()
        assert keeper is not None
        in_list = {self._class_of(one) for one in self._awaited.values()}
        engines = self._shared.open if self._run.engines is not None else None
        run = replace(self._run, reading=reading, engines=engines, rank=self._rank)
        async with running(run, stop) as events:
            async for event in events:
                if isinstance(event, Judged):
                    self._judged(event, stop)
                    if choice.enough(keeper.working, in_list, keeper.floor):
                        stop.ring("first")
                elif isinstance(event, ControlFinished):
                    self._prober.take(event.control)
                elif isinstance(event, Finished):
                    self._under_way = False
                    first, self.finished = self.finished is None, self.finished or event
                    if first:
                        self._tell(Checked(event))
                    keeper.begin({})
                    continue
                self._tell(Checked(event))

    def _judged(self, event: Judged, stop: Stop) -> None:
        assert self.keeper is not None
        verdict = event.verdict
        candidate = self._awaited.pop(event.id, None)
        if self.finished is None and verdict.status in (Status.WORKING, Status.DEGRADED):
            self.first.append((event.id, verdict))
        if candidate is not None and stop.why == "first" and verdict.status is Status.UNTESTED:
            self._rest.append(candidate)
        works = verdict.status is Status.WORKING
        option = options.of(verdict, name=event.id, seen=time.time()) if works else None
        self.keeper.judged(event.id, option)


def _is_here(endpoint: Endpoint, address: str, port: int) -> bool:
    """Say whether an endpoint is the port on which we listen at `address`."""
    if endpoint.port != port:
        return False
    host = endpoint.host.strip("[]").lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return False
    literal = getattr(literal, "ipv4_mapped", None) or literal
    return literal.is_loopback or literal.is_unspecified or literal == ipaddress.ip_address(address)

"""Carries a diagnosis out: the plan's questions side by side, under pace and deadline, until the kind is settled."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from client import roots, targets
from client.diagnosis import roots_known, rules
from client.diagnosis.anchors import Anchors
from client.diagnosis.around import Around, Roots, fault
from client.diagnosis.ask import ask
from client.diagnosis.ask_dns import random_names
from client.diagnosis.asks import Ask
from client.diagnosis.kinds import Diagnosis
from client.diagnosis.plan import Wishes, connections, next_asks
from client.diagnosis.sights import Name, Sight, Test
from client.model import Message
from client.pace import Pacer
from client.platform import memory_folder
from client.settings import Profile
from client.tasks import Crew, together
from transports.types import N_, CannotMeasure

if TYPE_CHECKING:
    from transports.pt_engine import Plugins

DEADLINE: Final = 30.0  # seconds for an ordinary diagnosis
_OWN: Final = N_("could not be measured: a fault of this program ({kind}), please report it")
_OVER: Final = N_("The rest of the questions: the time was over.")
_STOPPED: Final = N_("The rest of the questions: you stopped it.")
_FULL: Final = N_("The rest of the questions: the limit of connections or data was reached.")
_RANDOM: Final = 3  # names that cannot exist
_SPARE: Final = 15.0  # seconds for the pace, the closer look at a certificate, and the start of a program

Watch = Callable[[Ask | Sight], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """All that a diagnosis needs to know. `deadline` is in seconds."""

    anchors: Anchors
    profile: Profile
    wishes: Wishes = field(default_factory=Wishes)
    deadline: float = DEADLINE
    rng: random.Random = field(default_factory=random.SystemRandom)


async def diagnose(inquiry: Inquiry, watch: Watch, stop: asyncio.Event | None = None) -> Diagnosis:
    """Ask until the kind is settled. `watch` gets every question as it is put and every sight as it is seen.

    `stop` ends it with what is known then.
    """
    wishes = replace(inquiry.wishes, random=inquiry.wishes.random or random_names(_RANDOM))
    async with surroundings(inquiry) as around, Crew() as crew:
        asking = _Asking(inquiry.anchors, wishes, around, watch)
        questions = crew.start(asking.carry_out(), "questions")
        stopped = crew.start(_rung(stop or asyncio.Event()), "stop")
        done, _ = await asyncio.wait(
            {questions, stopped}, timeout=inquiry.deadline, return_when=asyncio.FIRST_COMPLETED
        )
        if questions not in done:
            asking.left_out.append(Message(_STOPPED if stopped in done else _OVER))
        elapsed = around.now()
        crew.dismiss()
    sights = tuple(asking.sights)
    shown = any(seen.test is Test.TLS and seen.name is Name.FORBIDDEN for seen in sights)
    return replace(
        rules.conclude(sights, asked_forbidden=shown),
        left_out=tuple({message.id: message for message in [*asking.left_out, *asking.faults]}.values()),
        sights=sights,
        elapsed=elapsed,
        connections=around.opened,
        kib=around.moved / 1024,
    )


async def _rung(stop: asyncio.Event) -> None:
    await stop.wait()


class _Asking:
    """The questions of one diagnosis: what the plan wanted, what was seen, what was left out."""

    def __init__(self, anchors: Anchors, wishes: Wishes, around: Around, watch: Watch) -> None:
        self._anchors, self._wishes, self._around, self._watch = anchors, wishes, around, watch
        self.sights: list[Sight] = []
        self.left_out: list[Message] = []
        self.faults: list[Message] = []
        self._put: list[Ask] = []
        self._full = False
        self._connections = self._bytes = 0  # of the questions that are out

    async def carry_out(self) -> None:
        """Carry the plan out to its end."""
        while True:
            step = next_asks(self._anchors, self.sights, self._wishes, self._put)
            self.left_out[:] = [*step.left_out, *([Message(_FULL)] if self._full else [])]
            if step.done:
                return
            self._put += step.asks
            await together(*(self._one(question) for question in step.asks))

    async def _one(self, question: Ask) -> None:
        """Put one question; it is over at its deadlines even where a part of it has none."""
        around, wishes = self._around, self._wishes
        began = around.now()
        needed = question.beside if connections(question.test, question.way) else 0
        if (
            around.opened + self._connections + needed > wishes.connections
            or around.moved + self._bytes + question.cost > wishes.kib * 1024
        ):
            self._full = True
            return
        self._connections, self._bytes = self._connections + needed, self._bytes + question.cost
        try:
            await self._put_to_the_line(question, began)
        finally:
            self._connections, self._bytes = self._connections - needed, self._bytes - question.cost

    async def _put_to_the_line(self, question: Ask, began: float) -> None:
        around = self._around
        self._watch(question)
        try:
            async with asyncio.timeout(3 * question.limit + _SPARE):
                came = await ask(question, around)
        except TimeoutError:
            came = (fault(question, began, around, "too_long"),)
        except Exception as error:  # noqa: BLE001 - one question that trips us must not cost the whole diagnosis
            came = (fault(question, began, around, "own"),)
            self.faults.append(Message(_OWN, {"kind": type(error).__name__}))
        self.sights += came
        for sight in came:
            self._watch(sight)


@asynccontextmanager
async def surroundings(inquiry: Inquiry) -> AsyncIterator[Around]:
    """Give what the questions share; the obfs4 program runs from its first use to the end of the block."""
    anchors = inquiry.anchors
    async with AsyncExitStack() as held:
        program = _Program(held)
        yield Around(
            tls=roots.loader(anchors.ca),
            any_name=_for_any_name(anchors.ca),
            system=_system_context,
            known=roots_known.load().with_roots(anchors.national),
            resolv_conf=anchors.resolv_conf,
            pace=Pacer(inquiry.profile.interval).wait,
            spaced=frozenset(one.host for one in anchors.all_ports if one.http),
            agent=inquiry.rng.choice(targets.builtin().agents),
            plugins=program.running,
        )


def _for_any_name(ca: str) -> Roots:
    load = roots.loader(ca)

    async def loaded() -> ssl.SSLContext:
        context = await load()
        context.check_hostname = False
        return context

    return loaded


async def _system_context() -> ssl.SSLContext:
    return await asyncio.to_thread(ssl.create_default_context)


class _Program:
    """The obfs4 program, started when it is first needed."""

    def __init__(self, held: AsyncExitStack) -> None:
        self._held = held
        self._lock = asyncio.Lock()
        self._plugins: Plugins | None = None

    async def running(self) -> Plugins:
        """Return it. Raises CannotMeasure where there is none, or no folder in memory for it."""
        from transports import pt_engine
        from transports.guard import Guard

        async with self._lock:
            if self._plugins is None:
                folder = memory_folder()
                if folder is None or not pt_engine.find():
                    raise CannotMeasure(N_("obfs4 cannot be asked here: its program is missing"))
                guard = await self._held.enter_async_context(Guard.running())
                self._plugins = await self._held.enter_async_context(
                    pt_engine.opened(["obfs4"], guard=guard, folder=folder)
                )
            return self._plugins

"""The queue for the moment when something opens, in this order: recheck the best, fetch bridges, the person's command."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from client.model import Candidate, Message, Status, Verdict, counted
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.bridges import Line
    from client.bridges_run import Plan
    from client.engine import Run

BEST: Final = 20  # candidates that are rechecked
ENOUGH: Final = 3  # working ones, then the next job begins
_LONGEST: Final = 2000
_COMPLAINTS: Final = 2  # standard error: what it says must not get among our lines for scripts


@dataclass(slots=True, kw_only=True)
class Found:
    """What the jobs of one opening found: each may use what those before it did."""

    verdicts: list[tuple[str, Verdict]]
    bridges: list[Line]

    @property
    def working(self) -> tuple[Candidate, ...]:
        """Return the candidates that work, in the order in which that was seen."""
        return tuple(seen.candidate for _, seen in self.verdicts if seen.status is Status.WORKING)


class Job(Protocol):
    """One thing to do. `name` is one of "recheck", "bridges", "command"."""

    name: str

    async def do(self, found: Found, stop: asyncio.Event) -> tuple[bool, Message]:
        """Do it, until `stop`; returns whether it came to what it should, and what to say."""


@dataclass(slots=True)
class Recheck:
    """Tests the best candidates again."""

    run: Run
    name: str = "recheck"

    async def do(self, found: Found, stop: asyncio.Event) -> tuple[bool, Message]:
        """Test until enough work."""
        from client.engine import Stop, running
        from client.events import Judged
        from client.tasks import Crew

        bell = Stop()

        async def pass_on() -> None:
            await stop.wait()
            bell.ring("interrupted")

        async with running(replace(self.run, first=ENOUGH), bell) as events, Crew() as crew:
            crew.start(pass_on(), "stop")
            async for event in events:
                if isinstance(event, Judged):
                    found.verdicts.append((event.id, event.verdict))
            crew.dismiss()
        n = len(found.working)
        if not n:
            return False, Message(N_("None of the entries works now."))
        return True, counted("{n} entry works.", "{n} entries work.", n)


@dataclass(slots=True)
class Bridges:
    """Fetches fresh bridges: through what the recheck found, or by the way that the person chose."""

    plan: Plan
    name: str = "bridges"

    async def do(self, found: Found, stop: asyncio.Event) -> tuple[bool, Message]:
        """Ask the bridge server."""
        from client.bridges_run import carry_out

        plan = self.plan
        if plan.wishes.through:
            from client import moat_ways

            usable = tuple(moat_ways.usable(found.working))
            if not usable:
                return False, Message(
                    N_("No bridges were fetched: no entry works that could carry the request.")
                )
            plan = replace(plan, candidates=usable)
        outcome = await carry_out(plan, lambda message: None)
        if outcome.source == "builtin" or not outcome.lines:
            return False, Message(N_("No bridges were fetched: the bridge server did not answer."))
        found.bridges.extend(outcome.lines)
        return True, counted("{n} bridge was fetched.", "{n} bridges were fetched.", len(outcome.lines))


@dataclass(slots=True)
class Command:
    """Runs the person's command. No shell, and nothing of ours in its arguments or its environment."""

    arguments: Sequence[str]
    name: str = "command"

    async def do(self, found: Found, stop: asyncio.Event) -> tuple[bool, Message]:
        """Run it to its end, or until `stop`."""
        from transports.guard import Guard

        async with Guard.running() as guard:  # ends it with all that it started, however we end
            process = await self._started()
            if isinstance(process, Message):
                return False, process
            await guard.adopt(process.pid)
            await _either(process.wait(), stop)
            if process.returncode is not None:
                await guard.release(process.pid)
        status = await process.wait()
        if status == 0:
            return True, Message(N_("Your command is done."))
        if stop.is_set():
            return False, Message(N_("Your command was ended: it shut, or you stopped."))
        return False, Message(N_("Your command ended with status {status}."), {"status": status})

    async def _started(self) -> asyncio.subprocess.Process | Message:
        from transports.guard import own_group

        try:
            return await asyncio.create_subprocess_exec(
                *self.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=_COMPLAINTS,
                env=environment(os.environ),
                **own_group(),
            )
        except (OSError, ValueError) as error:
            values = {"why": getattr(error, "strerror", None) or "?"}
            return Message(N_("Your command could not be started ({why})."), values)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a person's command: as it is, without what is meant for us."""
    return {name: value for name, value in given.items() if not name.startswith("SANYLAU")}


def command_of(text: str) -> list[str]:
    """Return a command line as its words, as a shell would part it. Raises Rejected."""
    try:
        words = shlex.split(text, posix=os.name != "nt") if len(text) <= _LONGEST else []
    except ValueError:
        words = []
    if not words or "\0" in text:
        raise Rejected(N_("--on-open: this is no command: give a program and its words, quoted as one"))
    return words


async def _either(work: Awaitable[object], stop: asyncio.Event) -> None:
    """Wait for one of both."""
    from client.tasks import Crew

    async def first() -> None:
        await work

    async def second() -> None:
        await stop.wait()

    async with Crew() as crew:
        tasks = {crew.start(first(), "command"), crew.start(second(), "stop")}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


Tell = Callable[[Job, bool | None, Message, Found], Awaitable[None]]


async def carry_out(jobs: Sequence[Job], stop: asyncio.Event, tell: Tell) -> Found:
    """Do the jobs one after the other; `tell` hears when one begins (None) and how it ended."""
    found = Found(verdicts=[], bridges=[])
    for job in jobs:
        if stop.is_set():
            break
        await tell(job, None, Message(""), found)
        try:
            done, message = await job.do(found, stop)
        except Exception as error:  # noqa: BLE001 - one job that trips us must not cost the others, nor the watch
            done, message = False, _fault(error)
        await tell(job, done, message, found)
    return found


def _fault(error: Exception) -> Message:
    from transports.types import CannotMeasure

    if isinstance(error, CannotMeasure | Rejected):
        return Message(error.reason, error.values)
    return Message(
        N_("could not be measured: a fault of this program ({kind}), please report it"),
        {"kind": type(error).__name__},
    )

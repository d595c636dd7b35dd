"""Asks an option whether it is alive: a glance at a small page that nobody on the way can forge, or the whole ladder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from client import control
from client.engine import Run
from client.judge import judge, settled
from client.model import Content, Control, Message, Status
from client.options import Option
from client.plan import stretched
from client.probe import climb, glance
from client.surroundings import Surroundings
from client.way import Attempt
from transports.failure import Failure, out_of_descriptors
from transports.net import Door, Limits, Net
from transports.resolve import Resolver
from transports.trace import Trace
from transports.types import N_, CannotMeasure, Step

_QUEUE: Final = 1.5  # seconds that the pace may hold a glance back
_SILENT: Final = N_("it does not answer any more")
_FAULT: Final = N_("could not be measured: a fault of this program ({kind}), please report it")
_GONE: Final = N_("it does not carry pages any more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an option answered. `took` is in seconds, of a glance; `option` has the new figures of a whole ladder.

    `ours`: nothing is known of it, because this machine could not ask.
    """

    alive: bool
    reason: Message = field(default_factory=lambda: Message(""))
    step: Step | None = None
    failure: Failure | None = None
    took: float = 0.0
    ours: bool = False
    option: Option | None = None


class Prober:
    """Made once. Its connections keep the pace of the profile; those of programs (`net`) do not have to."""

    def __init__(self, run: Run, doors: Callable[[], Mapping[str, Door | CannotMeasure]]) -> None:
        self._run, self._doors = run, doors
        self._around = self._fresh()
        self._resolver = Resolver()

    def _fresh(self) -> Surroundings:
        run = self._run
        return Surroundings(run.profile, run.targets, run.roots, run.rng)

    def take(self, found: Control) -> None:
        """Take what the check has found about the line itself."""
        self._around.control = found

    def forget_names(self) -> None:
        """Ask for the addresses of named options anew: the network is another one."""
        found, self._around = self._around.control, self._fresh()
        self._around.control = found
        self._resolver = Resolver()

    def net(self) -> Net:
        """Return the surroundings for one connection of a program."""
        now, limits = asyncio.get_running_loop().time(), self._limits()
        limits = replace(limits, total=limits.connect + 2 * limits.handshake)
        return Net(
            trace=Trace(zero=now, deadline=now + limits.total),
            limits=limits,
            tls=self._run.roots,
            resolve=self._resolver,
            known=self._resolver.known,
            doors=self._doors(),
        )

    def fallen(self, option: Option) -> str:
        """Return a word for what our own engine knows to have ended under an option, "" where it knows of nothing."""
        door = self._doors().get(option.endpoint.key())
        if isinstance(door, CannotMeasure):
            return "closed"
        return str(getattr(door, "fallen", "") or (getattr(door, "stopped", None) and "stopped") or "")

    def _limits(self) -> Limits:
        profile = self._run.profile
        return stretched(profile.deep or profile.short, self._around.control, self._run.targets)

    async def glance(self, option: Option, patience: float) -> Outcome:
        """Fetch the small page within `patience` seconds."""
        loop = asyncio.get_running_loop()
        each = Limits(connect=patience, handshake=patience, exchange=patience, bulk=patience, total=patience)
        self._around.doors = self._doors()
        way = self._around.way(option.endpoint, each)
        began = loop.time()
        try:
            async with asyncio.timeout(patience + _QUEUE):  # else tor's list of relays may take its time
                attempt = await glance(replace(way, net=way.follow))
        except TimeoutError:
            return Outcome(alive=False, reason=Message(_SILENT), failure=Failure.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - one option that trips us must not end all others
            return _not_asked(error)
        if attempt.failed is None or control.is_targets_fault(attempt.failed):
            return Outcome(alive=True, took=loop.time() - began)
        return _failed(attempt)

    async def verified(self, option: Option) -> Outcome:
        """Climb the whole ladder again, as the check does."""
        self._around.doors = self._doors()
        way = self._around.way(option.endpoint, self._limits())
        try:
            attempt = await climb(way)
        except Exception as error:  # noqa: BLE001 - one option that trips us must not end all others
            return _not_asked(error)
        attempt = settled(attempt, self._around.plain_reference)
        found = judge(attempt, self._around.control, quota=self._run.targets.quota, host=option.endpoint.host)
        if found.status is not Status.WORKING:
            return Outcome(alive=False, reason=found.reason, step=found.step, failure=found.failure)
        better = replace(
            option,
            kib_per_s=attempt.proof.kib_per_s,
            first_byte=attempt.proof.first_byte,
            udp=attempt.proof.udp is Content.INTACT or option.udp,
        )
        return Outcome(alive=True, option=better)


def _not_asked(error: Exception) -> Outcome:
    if isinstance(error, CannotMeasure):
        reason = Message(error.reason, error.values)
    else:
        reason = Message(_FAULT, {"kind": type(error).__name__})
    return Outcome(alive=False, ours=out_of_descriptors(error), reason=reason)


def _failed(attempt: Attempt) -> Outcome:
    failed = attempt.failed
    assert failed is not None
    silent = failed.failure is Failure.TIMEOUT
    return Outcome(
        alive=False, reason=Message(_SILENT if silent else _GONE), step=failed.step, failure=failed.failure
    )

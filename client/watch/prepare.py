"""From what a person asked for to a watch that can be begun, and to what they have to agree to first."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from client import check as checking
from client.diagnosis import inquire
from client.diagnosis.sights import Place
from client.i18n import _, say
from client.model import Candidate, Reading
from client.text import printable
from client.vault import opened
from client.watch import jobs, ring, words
from client.watch.calendar import Calendar
from client.watch.run import Watch
from transports.types import Rejected

if TYPE_CHECKING:
    from client.run import Run
    from client.vault.content import Content
    from client.vault.store import Vault

WAYS: Final = ("through", "direct", "front", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asked for, as given. `bridges` is one of WAYS, "" for what fits the list."""

    check: checking.Wishes
    country: str = ""
    anchors: str = ""
    on_open: str = ""
    notice: str = ""
    bridges: str = ""
    once: bool = False


def prepare(wishes: Wishes, reading: Reading | None = None) -> Watch:
    """Return the watch that the wishes describe; a vault is opened where one was asked for.

    `reading` stands in for the lists where they were read already.

    Raises Rejected, and check.BadList for a list that cannot be read.
    """
    inquiry = inquire.prepare(country=wishes.country, file=wishes.anchors)
    notice = ring.Notice(text=ring.checked(wishes.notice) if wishes.notice else "")
    command = [jobs.Command(jobs.command_of(wishes.on_open))] if wishes.on_open else []
    asked = opened.wanted() or any(map(opened.is_named, wishes.check.lists))
    vault = opened.opened() if asked else opened.current()
    run = _recheck(wishes.check, vault, reading)
    queue: list[jobs.Job] = [] if run is None else [jobs.Recheck(run)]
    fetch = _bridges(wishes, run)
    watch = Watch(
        inquiry=inquiry,
        jobs=[*queue, *([fetch] if fetch else []), *command],
        notice=notice,
        once=wishes.once,
    )
    return watch if vault is None else _with_vault(watch, vault)


def _recheck(wishes: checking.Wishes, vault: Vault | None, reading: Reading | None) -> Run | None:
    """Return the run of the best candidates: of the lists, or of what worked here before; None for none."""
    if wishes.lists or reading is not None:
        run = checking.prepare(wishes, reading or checking.take_in(wishes.lists))
        wanted = checking.to_be_tested(run)
    elif vault is not None:
        run = checking.prepare(wishes, Reading(_known(vault), (), 0))
        wanted = checking.to_be_tested(run)
    else:
        return None
    if run.rank is not None:
        wanted.sort(key=run.rank)
    best = tuple(wanted[: jobs.BEST])
    return replace(run, reading=Reading(best, (), 0)) if best else None


def _known(vault: Vault) -> tuple[Candidate, ...]:
    from client import options
    from client.vault import kept

    found = options.ranked(kept.options(vault.content, opened.here()))
    return tuple(option.candidate for option in found)


def _bridges(wishes: Wishes, run: Run | None) -> jobs.Job | None:
    """Return the job that fetches bridges: through what works, unless the person chose another way or none."""
    from client import bridges_run

    way = wishes.bridges or ("through" if run is not None else "none")
    if way == "none" or (way == "through" and run is None):
        return None
    plan = bridges_run.prepare(
        bridges_run.Wishes(
            country=wishes.country,
            direct=way == "direct",
            front=way == "front",
            ca=wishes.check.target_ca or "",
        )
    )
    if way == "through" and run is not None:
        from client import moat_ways

        usable = tuple(moat_ways.usable(run.reading.candidates))
        if not usable:
            return None
        plan = replace(plan, wishes=replace(plan.wishes, through="-"), candidates=usable)
    return jobs.Bridges(replace(plan, disk=wishes.check.disk))


def with_disk(wishes: Wishes) -> Wishes:
    """Return the wishes with leave for tor to write to the disk."""
    return replace(wishes, check=replace(wishes.check, disk=True))


def must_ask_for_disk(watch: Watch) -> bool:
    """Say whether the recheck needs tor, and tor has no folder but one on the disk."""
    return any(isinstance(job, jobs.Recheck) and checking.must_ask_for_disk(job.run) for job in watch.jobs)


def contacted(watch: Watch, wishes: Wishes) -> tuple[str, ...]:
    """Return all that may be contacted, and how: what a remembered consent is for. Raises Rejected."""
    parts = [*inquire.contacted(watch.inquiry)]
    for job in watch.jobs:
        if isinstance(job, jobs.Recheck):
            parts += checking.contacted(job.run, wishes.check)
        elif isinstance(job, jobs.Bridges):
            entries = (candidate.endpoint.reveal() for candidate in job.plan.candidates)
            parts += [repr(job.plan.wishes), job.plan.server.host, *entries]
        elif isinstance(job, jobs.Command):
            parts += job.arguments
    return tuple(parts)


def consent_text(watch: Watch) -> list[str]:
    """Return the question before the first packet."""
    after: list[str] = []
    for job in watch.jobs:
        after += [f"  {line}" for line in _about(job)]
    found, ports = watch.inquiry.anchors, watch.inquiry.wishes.ports
    ports = ports if found.at(Place.HOME) else ()  # they are looked at only where the country answers
    return words.consent_text(found, after, kept=watch.save is not None, ports=ports)


def _about(job: jobs.Job) -> Sequence[str]:
    if isinstance(job, jobs.Recheck):
        return checking.consent_text(job.run)[1:]
    if isinstance(job, jobs.Bridges):
        from client import bridges_run

        return [say(line) for line in bridges_run.consent_text(job.plan)][1:]
    assert isinstance(job, jobs.Command)
    return ["• " + _("Your command is run: {command}", command=printable(shlex.join(job.arguments), 200))]


def _with_vault(watch: Watch, vault: Vault) -> Watch:
    """Return the watch with the vault's calendar for this network."""
    from client.vault.content import with_calendar

    def load(network: str) -> Calendar:
        try:
            return Calendar.from_json(vault.content.calendars.get(network))
        except Rejected:
            return Calendar()  # of a newer version, or broken: `save` leaves it as it is, and says so

    def noted(content: Content, network: str, calendar: Calendar) -> Content:
        other = Calendar.from_json(content.calendars.get(network))  # another watch may have added to it
        return with_calendar(content, network, calendar.over(other).to_json())

    async def save(network: str, calendar: Calendar) -> None:
        now = opened.current() or vault  # it may have been closed meanwhile, and opened again
        await asyncio.to_thread(now.change, lambda content: noted(content, network, calendar))

    async def name() -> str:
        return await asyncio.to_thread(opened.here)

    network = opened.here()
    return replace(watch, network=network, calendar=load(network), name=name, load=load, save=save)


def keep(event_found: jobs.Found) -> None:
    """Keep what a recheck found in the open vault, and fetched bridges as a list of it; nothing without one.

    Raises Rejected where bridges could not be kept: then they stand nowhere else.
    """
    vault = opened.current()
    if vault is None:
        return
    from client.model import Status
    from client.vault import kept
    from client.vault.content import with_list

    found = [
        kept.of(verdict, time.time())
        for _name, verdict in event_found.verdicts
        if verdict.status is not Status.UNTESTED
    ]
    if found:
        opened.keep(vault, found)
    if event_found.bridges:
        lines = [line.text for line in event_found.bridges]
        vault.change(lambda content: with_list(content, "bridges", lines))

"""*Find a way out*: ask, look at the line, then check what is at hand in the order that fits what was found."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from client import check, parse, sources
from client.check import BadList, Wishes
from client.diagnosis import anchors, inquire
from client.diagnosis.asks import Ask
from client.diagnosis.kinds import Certainty, Diagnosis, Kind
from client.diagnosis.run import Inquiry, diagnose
from client.diagnosis.sights import Sight
from client.i18n import _
from client.model import Reading, Rejected
from tui import intake
from tui.intake import Proposal, complaint

if TYPE_CHECKING:
    from tui.app import SanylauApp

_FIRST_THE_PERSON: Final = frozenset({Kind.LOCAL_FAULT, Kind.CAPTIVE_PORTAL})
_TERRITORY: Final = re.compile(r"[a-z]{2,3}_([A-Z]{2})(?:[.@]|$)", re.ASCII)


class Survey:
    """A diagnosis as the screen follows it. It lives on the app; `changed` is emptied by whoever draws."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry: Final = inquiry
        self.last: Ask | None = None
        self.asked = self.answered = 0
        self.sights: list[Sight] = []
        self.found: Diagnosis | None = None
        self.broken = ""  # the name of the error that ended it, if one did
        self.stopped = self.dropped = False
        self.handed_on = False  # the check has begun with what was found
        self.changed = True
        self._stop: Final = asyncio.Event()
        self._go: Final = asyncio.Event()

    @property
    def over(self) -> bool:
        """Say whether nothing more is asked."""
        return self.found is not None or bool(self.broken)

    @property
    def waits(self) -> bool:
        """Say whether it is over, and the person has to say that the check may begin."""
        return self.found is not None and not self._go.is_set() and (self.stopped or _is_first(self.found))

    def stop(self) -> None:
        """End it with what is known; the check waits for the person's word."""
        self.stopped = self.changed = True
        self._stop.set()

    def go_on(self) -> None:
        """Let the check begin now, with what is known."""
        self.changed = True
        self._stop.set()
        self._go.set()

    def drop(self) -> None:
        """Let no check follow: the person wants the line looked at anew."""
        self.dropped = True
        self._stop.set()
        self._go.set()

    def hold(self) -> None:
        """Take the word back: the check cannot begin now."""
        self.stopped = self.changed = True
        self._go.clear()

    async def follow(self) -> Diagnosis:
        """Ask to the end, or to the stop, and return what was found."""
        try:
            self.found = await diagnose(self.inquiry, self._take, self._stop)
        except Exception as error:
            self.broken = type(error).__name__
            raise
        finally:
            self.changed = True
        return self.found

    async def agreed(self) -> None:
        """Wait for the person's word where it is needed."""
        if self.waits:
            await self._go.wait()

    def _take(self, event: Ask | Sight) -> None:
        if isinstance(event, Ask):
            self.last = event
            self.asked += 1
        else:
            self.sights.append(event)
            self.answered += event.answered
        self.changed = True


def _is_first(found: Diagnosis) -> bool:
    """Say whether nothing can get through before the person has done something about it."""
    return found.main.kind in _FIRST_THE_PERSON and found.main.certainty is not Certainty.CANNOT_TELL


@dataclass(frozen=True, slots=True)
class Plan:
    """A diagnosis and the run behind it, and the one question for both."""

    inquiry: Inquiry
    proposal: Proposal
    question: tuple[str, ...]


def at_hand(texts: list[tuple[str, str]], files: Collection[str] = ()) -> Reading:
    """Return what the person has given, and the built-in list. Raises BadList."""
    builtin = sources.builtin()
    texts = [*texts, *map(intake.load, files)]
    if not texts:
        return builtin
    given = parse.read(texts)
    known = {candidate.endpoint.key() for candidate in given.candidates}
    more = tuple(one for one in builtin.candidates if one.endpoint.key() not in known)
    return replace(
        given,
        candidates=given.candidates + more,
        duplicates=given.duplicates + len(builtin.candidates) - len(more),
        notices=given.notices + builtin.notices,
    )


def plan(wishes: Wishes, reading: Reading, *, country: str = "", file: str = "") -> Plan:
    """Plan both and put the question into words; sends nothing. Raises Rejected."""
    inquiry = inquire.prepare(country="" if file else country, file=file, profile=wishes.profile)
    proposal = intake.propose(wishes, reading)
    first, *line = inquire.consent_text(inquiry)
    question = [first, _("First your line is looked at:"), *line]
    if proposal.question:
        question += [_("Then what is at hand is tested:"), *proposal.question[1:2]]
        if not reading.builtin and _has_builtin(proposal):
            date = sources.builtin().builtin
            question.append(
                "• " + _("The built-in list of {date} is among them: public ways into Tor.", date=date)
            )
        question += proposal.question[2:]
    return Plan(inquiry, proposal, tuple(question))


def _has_builtin(proposal: Proposal) -> bool:
    return any(one.source == sources.BUILTIN for one in check.to_be_tested(proposal.run))


def guessed(countries: Collection[str], environ: Mapping[str, str] = os.environ) -> str:
    """Return the country that this machine is set to, where there are anchors for it, else ""."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        found = _TERRITORY.match(environ.get(name, ""))
        if found:
            return found[1] if found[1] in countries else ""
    return ""


def resume(app: SanylauApp) -> bool:
    """Show the diagnosis that goes on or waits for a word. Returns whether there is one."""
    from tui.screens.finding import FindingScreen

    survey = app.survey
    if survey is None or survey.broken or (survey.over and not survey.waits):
        return False
    if not any(isinstance(screen, FindingScreen) for screen in app.screen_stack):
        app.push_screen(FindingScreen(survey))
    return True


async def find(app: SanylauApp, wishes: Wishes) -> None:
    """Go the whole way, from the question to the check. Runs in a worker of the app."""
    planned = await _planned(app, wishes)
    if planned is None:
        return
    run = planned.proposal.run
    if planned.proposal.allowing is not None:
        from client import consent

        if await app.ask(consent.about_disk(), no=_("No, leave bridges out")):
            run = planned.proposal.allowing
    from tui.screens.finding import FindingScreen

    survey = app.survey = Survey(planned.inquiry)
    await app.push_screen(FindingScreen(survey))
    app.diagnosis = await survey.follow()
    await survey.agreed()
    while not survey.dropped and app.session is not None and not app.session.over:
        app.complain(_("Another check is running: F4 shows it. Stop it there first."))
        survey.hold()
        await survey.agreed()
    if survey.dropped:
        return
    shown = isinstance(app.screen, FindingScreen)
    survey.handed_on = True
    if shown:
        await app.screen.dismiss()
    app.begin(replace(run, rank=check.ranking_by(app.diagnosis)), FindingScreen.NAME, show=shown)
    if not shown:
        app.inform(_("Your line was looked at, and the check has begun: F4 shows it."))


async def _planned(app: SanylauApp, wishes: Wishes) -> Plan | None:
    """Ask where the person is, and whether all this may be done; None where not."""
    from tui.screens.country import CountryScreen

    country = ""
    if not app.anchors and anchors.countries():
        chosen = await app.push_screen_wait(CountryScreen())
        if chosen is None:
            return None
        country = chosen
    texts, files = app.basket.texts(), tuple(app.basket.awaited)
    try:
        reading = await asyncio.to_thread(at_hand, texts, files)
        planned = await asyncio.to_thread(plan, wishes, reading, country=country, file=app.anchors)
    except (BadList, Rejected) as error:
        app.complain(complaint(error))
        return None
    if not await app.ask(list(planned.question)):
        app.inform(_("Nothing was sent."))
        return None
    return planned

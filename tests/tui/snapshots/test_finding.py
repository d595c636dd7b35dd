"""How *Find a way out* looks, from what was seen alone: no clock, no network, nothing that blinks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from client.diagnosis import inquire, questions
from client.diagnosis.kinds import Diagnosis, Kind
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Sight
from client.model import Message, Status
from tests.client.diagnosis.matrix import MATRIX
from tests.client.diagnosis.seeing import RIGHT, bridge, row, well
from tests.tui.lines import found, verdict
from tests.tui.snapshots.conftest import Picture
from tests.tui.snapshots.views import View, each_view, in_english
from tui.finding import Survey
from tui.line_state import view_of
from tui.screens.country import CountryScreen
from tui.screens.evidence import EvidenceScreen
from tui.screens.finding import FindingScreen

HOSTILE = "[/x][@click=app.quit]go[/] \x1b[31mred\x07 \u202e3212 " + "очень-длинно-" * 800
ENTRIES = [
    verdict("socks5", Status.WORKING, 90.0),
    verdict("obfs4", Status.FAILED),
    verdict("meek", Status.DEGRADED),
]

Steps = Callable[[Pilot[Any]], Awaitable[None]]


def survey_of(sights: list[Sight], diagnosis: Diagnosis | None = None, *, stopped: bool = False) -> Survey:
    """Return a survey as it stands after these sights."""
    survey = Survey(inquire.prepare())
    survey.sights, survey.found, survey.stopped = sights, diagnosis, stopped
    survey.asked = len(sights) + 3
    survey.answered = sum(sight.answered for sight in sights)
    survey.last = questions.route() if sights else None
    return survey


def finding(sights: list[Sight], diagnosis: Diagnosis | None = None, *, stopped: bool = False) -> Steps:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.app.push_screen(FindingScreen(survey_of(sights, diagnosis, stopped=stopped)))
        await pilot.pause()

    return steps


def concluded(name: str) -> Diagnosis:
    return replace(conclude(MATRIX[name][0]), elapsed=8.2, connections=31, kib=212.0)


async def country(pilot: Pilot[Any]) -> None:
    await pilot.app.push_screen(CountryScreen())
    await pilot.pause()


async def evidence(pilot: Pilot[Any]) -> None:
    diagnosis = concluded("14 protocol list")
    await pilot.app.push_screen(EvidenceScreen(view_of(None, diagnosis, ENTRIES), diagnosis))
    await pilot.pause()


async def questions_put(pilot: Pilot[Any]) -> None:
    await evidence(pilot)
    await pilot.press("end")
    await pilot.pause()


async def hostile(pilot: Pilot[Any]) -> None:
    view = replace(view_of(None, found(Kind.SNI_RESET), ENTRIES), kind=Message("{why}", {"why": HOSTILE}))
    await pilot.app.push_screen(EvidenceScreen(view, None))
    await pilot.pause()


STATES = {
    "country": country,
    "asking": finding(row(well(), bridge(RIGHT))),
    "stopped": finding(MATRIX["14 protocol list"][0], concluded("14 protocol list"), stopped=True),
    "evidence": evidence,
}
MORE = {
    "begun": finding([]),
    "several kinds": finding(
        [], found(Kind.PORT_HOLES, Kind.UDP_BLOCK, Kind.DNS_TAMPERING, tcp=(179,)), stopped=True
    ),
    "nothing": finding(MATRIX["nothing at all"][0], concluded("nothing at all"), stopped=True),
    "login page": finding(MATRIX["8 portal"][0], concluded("8 portal")),
    "questions": questions_put,
    "hostile": hostile,
}


@each_view
@pytest.mark.parametrize("state", STATES)
def test_the_screens_look_as_agreed(
    state: str,
    view: View,
    picture: Picture,
) -> None:
    assert picture(view, STATES[state])


@in_english
@pytest.mark.parametrize("state", MORE)
def test_each_state_looks_as_agreed(state: str, view: View, picture: Picture) -> None:
    assert picture(view, MORE[state])

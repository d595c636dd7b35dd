"""What the tests of passing on and taking in share: an entry that works, and the steps at the keyboard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from client.events import Judged
from client.model import Protection, Status
from tests.client.share.ways import OBFS4, endpoint
from tests.tui.support import SIZE, at_home, judged, made_run, paste, text_of, until, until_shown
from tui.app import SanylauApp
from tui.screens.passing import PassingScreen
from tui.screens.results import ResultsScreen
from tui.screens.taking import TakingScreen
from tui.session import Session

_WORD = re.compile(r"^ │ +(?:\d|✓)  (\S+)", re.MULTILINE)


def works(text: str = OBFS4, number: int = 1) -> Judged:
    """Return the verdict that an entry works."""
    made = judged(number, Status.WORKING, kib_per_s=90, protection=Protection.TOR)
    candidate = replace(made.verdict.candidate, endpoint=endpoint(text))
    verdict = replace(made.verdict, transport=candidate.endpoint.transport, candidate=candidate)
    return Judged(made.id, verdict)


@asynccontextmanager
async def passing_on(
    *texts: str, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Go from the results to *Pass it on*, by its key."""
    async with at_home(size=size) as (app, pilot):
        session = Session(made_run())
        session.over = True
        for number, text in enumerate(texts or (OBFS4,), 1):
            session.changed |= session.state.apply(works(text, number))
        app.session = session
        await app.push_screen(ResultsScreen(session))
        await pilot.pause()
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, PassingScreen))
        await pilot.pause()
        yield app, pilot


@asynccontextmanager
async def taking_in() -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Go from the first screen to *Take in*, by its key."""
    async with at_home() as (app, pilot):
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TakingScreen))
        await pilot.pause()
        yield app, pilot


async def in_the_open(pilot: Pilot[Any]) -> None:
    """Leave the sealing out, after the warning."""
    await pilot.press("s")
    await until_shown(pilot, "without sealing")
    await pilot.press("y")
    await until_shown(pilot, "in the open")


async def type_words(pilot: Pilot[Any], text: str, *, by_key: bool = False) -> None:
    """Give one line, and Enter; `by_key`: letter by letter, which takes its time."""
    if by_key:
        await pilot.press(*("space" if letter == " " else letter for letter in text))
    else:
        await paste(pilot, text)
    await pilot.press("enter")
    await pilot.pause()


def words_shown(pilot: Pilot[Any]) -> str:
    """Return the words of the group on the screen."""
    return " ".join(_WORD.findall(text_of(pilot.app)))


async def read_all(pilot: Pilot[Any]) -> list[str]:
    """Return all groups as a reader goes through them."""
    groups = []
    while "That was the last" not in text_of(pilot.app):
        groups.append(words_shown(pilot))
        await pilot.press("enter")
        await pilot.pause()
    return groups

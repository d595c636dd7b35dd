from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text
from textual.pilot import Pilot

from client.diagnosis import code, inquire
from client.diagnosis.kinds import Certainty, Finding, Kind
from client.diagnosis.rules import conclude
from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.i18n import say
from client.model import Control, LineState, Message, Status
from tests.client.diagnosis.matrix import MATRIX
from tests.client.diagnosis.seeing import RIGHT, row, tls, well
from tests.tui.lines import found, verdict
from tests.tui.support import at_home, text_of, until, until_shown
from tui import line_words
from tui.app import SanylauApp
from tui.finding import Survey
from tui.line_state import LineView, State, view_of
from tui.line_state import Name as Named
from tui.line_ways import LOOKS
from tui.screens.evidence import EvidenceScreen
from tui.screens.finding import FindingScreen
from tui.widgets.line_panel import LinePanel

HOSTILE = "[/x][@click=app.quit]go[/] \x1b[31mred\x1b[2J\x07 \u202e3212 10.1.2.3 " + "x" * 10_000
ENTRIES = [
    verdict("obfs4", Status.WORKING, 120.0),
    verdict("socks5", Status.DEGRADED),
    verdict("http", Status.FAILED),
    verdict("meek_lite", Status.BLOCKED),
]


def hostile_view() -> LineView:
    entry = replace(verdict("snowflake", Status.UNTESTED), reason=Message("{why}", {"why": HOSTILE}))
    view = view_of(None, found(Kind.SNI_RESET), [entry])
    return replace(
        view, kind=Message("{why}", {"why": HOSTILE}), besides=(Message("{why}", {"why": HOSTILE}),)
    )


def plain(view: LineView, width: int = 78) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as kept:
        console.print(line_words.rows(view.ways))
    return kept.get()


@asynccontextmanager
async def shown(
    view: LineView, *, large: bool = False
) -> AsyncIterator[tuple[SanylauApp, Pilot[int], LinePanel]]:
    async with at_home() as (app, pilot):
        panel = LinePanel(large=large)
        await app.screen.mount(panel, before=0)
        panel.show(view)
        await pilot.pause()
        yield app, pilot, panel


# the words


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("certainty", list(Certainty))
def test_all_ten_ways_fit_a_screen_of_80_cells_a_line_each(kind: Kind, certainty: Certainty) -> None:
    view = view_of(
        None, found(kind, certainty=certainty, tcp=(179, 646, 3785, 4784), passes={"obfs4", "tls"})
    )
    lines = plain(view).rstrip().splitlines()
    assert len(lines) == len(Named)
    for way, line in zip(view.ways, lines, strict=True):
        look = LOOKS[way.state]
        assert f"{look.symbol} {look.word}" in line
        assert say(way.why) in line


def test_each_state_has_a_symbol_and_a_word_of_its_own() -> None:
    assert (
        len({look.symbol for look in LOOKS.values()})
        == len(State)
        == len({look.word for look in LOOKS.values()})
    )


def test_the_signal_is_told_by_shape_too() -> None:
    shapes = [line_words.bars(way).plain for way in view_of(None, None, ENTRIES).ways]
    assert {"▂▄▆█", "▂▄··", "····"} == set(shapes)


def test_the_short_form_names_what_is_known_state_by_state() -> None:
    text = line_words.compact(view_of(Control(state=LineState.NO_ANSWER), None, ENTRIES)).plain
    assert (
        text == "✔ open: obfs4   ◐ partly: SOCKS proxy   ⊘ shut: meek   ✘ failed: without a proxy, web proxy"
    )
    assert line_words.compact(view_of(None, None)).plain == "No way out has been tried yet."


def test_the_head_says_kind_and_certainty() -> None:
    view = view_of(None, found(Kind.PORT_HOLES, certainty=Certainty.LIKELY))
    assert line_words.head(view).plain == (
        "⊘ likely · The way abroad is shut, except for a few ports that were forgotten."
    )


def test_advice_for_a_shell_is_left_out_and_the_code_stands_below() -> None:
    diagnosis = found(Kind.QUOTA_FREEZE, Kind.SNI_RESET, Kind.UNCLEAR)
    steps = [step.plain for step in line_words.next_steps(view_of(None, diagnosis), diagnosis)]
    assert not any("`sanylau" in step for step in steps)
    assert steps[-1] == f"Result code: {code.of(diagnosis)}"
    assert len(steps) > 2


def test_the_evidence_holds_all_that_was_concluded_and_every_question() -> None:
    sights = row(well(), tls("abroad-1", Came.RESET, name=Name.FORBIDDEN, way="forbidden-1"))
    diagnosis = replace(
        conclude(sights), left_out=(Message("Not asked: this."),), elapsed=8.2, connections=31, kib=212.4
    )
    lines = [text.plain for _label, text in line_words.evidence(view_of(None, diagnosis), diagnosis)]
    told = "\n".join(lines)
    for finding in diagnosis.findings:
        assert f"(kind: {finding.kind})" in told
        for message in (*finding.evidence, *finding.against):
            assert f"• {say(message)}" in lines
    assert "• Not asked: this." in lines
    assert "It took 8.2 s, 31 connections, 212 KiB." in lines
    assert f"Result code: {code.of(diagnosis)}" in lines
    assert sum(line.startswith(("✔ ", "✘ ", "☠ ")) and " · " in line for line in lines) == len(sights)
    pair = [
        line for line in lines if line.startswith(("✔ abroad-1:443 · servers", "✘ abroad-1:443 · servers"))
    ]
    assert ["a name that may be forbidden" in line for line in pair] == [False, True]
    assert "answered" in pair[0]
    assert "cut off by a reset" in pair[1]
    for name in ("obfs4", "Snowflake", "WebTunnel", "meek", "plain Tor"):
        assert name in told


@pytest.mark.parametrize("came", list(Came))
def test_everything_that_can_come_back_has_words(came: Came) -> None:
    sight = Sight(test=Test.TLS, place=Place.ABROAD, who="abroad-1", came=came, port=443, elapsed=1.0)
    line = line_words.evidence(view_of(None, None), None, [sight])[-1][1].plain
    assert line[0] in "✔✘☠?"
    assert line.count(" · ") == 3


@pytest.mark.parametrize("name", MATRIX)
def test_no_evidence_holds_an_address_or_an_empty_place(name: str) -> None:
    diagnosis = conclude(MATRIX[name][0])
    told = "\n".join(text.plain for _label, text in line_words.evidence(view_of(None, diagnosis), diagnosis))
    assert "{" not in told
    assert "198.51" not in told


def test_hostile_texts_are_tamed_in_every_line() -> None:
    view = hostile_view()
    diagnosis = replace(
        found(Kind.SNI_RESET),
        findings=(
            Finding(
                kind=Kind.SNI_RESET,
                certainty=Certainty.LIKELY,
                evidence=(Message("{why}", {"why": HOSTILE}),),
            ),
        ),
        left_out=(Message("{why}", {"why": HOSTILE}),),
    )
    texts = [line_words.head(view), *line_words.besides(view), line_words.compact(view)]
    texts += [text for _label, text in line_words.evidence(view, diagnosis)]
    assert sum("[@click=app.quit]" in text.plain for text in texts) >= 4
    for text in texts:
        assert isinstance(text, Text)
        assert not set(text.plain) & set("\x1b\x07\u202e")
        assert "10.1.2.3" not in text.plain
        assert len(text.plain) < 1000


# on the screen


async def test_the_short_form_takes_two_lines_and_the_long_one_all() -> None:
    view = view_of(None, found(Kind.SNI_RESET, Kind.UDP_BLOCK), ENTRIES)
    async with shown(view) as (app, pilot, panel):
        assert panel.size.height == 2
        assert "⊘ certain · Connections to certain names are torn down" in text_of(app)
        assert "✔ open: obfs4" in text_of(app)
        panel.large = True
        await until_shown(pilot, "▂▄▆█ ✔ open      obfs4")
        assert "+ UDP does not pass; TCP does." in text_of(app)
        assert "It needs UDP" in text_of(app)
        panel.large = False
        await pilot.pause()
        assert panel.size.height == 2


async def test_what_changes_is_shown() -> None:
    async with shown(view_of(None, None)) as (app, pilot, panel):
        assert "No way out has been tried yet." in text_of(app)
        panel.show(view_of(Control(state=LineState.HEALTHY), None))
        await until_shown(pilot, "✔ Your line reaches the open internet")


@pytest.mark.parametrize("large", [False, True])
async def test_hostile_texts_change_nothing_on_the_screen(large: bool) -> None:
    async with shown(hostile_view(), large=large) as (app, pilot, _panel):
        await until_shown(pilot, "[/x][@click=app.quit]go[/]")
        assert app.is_running
        await pilot.click(offset=(8, 0))
        await pilot.pause()
        assert app.is_running


async def test_the_evidence_opens_scrolls_and_goes_back() -> None:
    diagnosis = conclude(row(well(), tls("home-2", RIGHT)))
    async with at_home() as (app, pilot):
        below = app.screen
        for key in ("escape", "e", "у"):
            await app.push_screen(EvidenceScreen(view_of(None, diagnosis), diagnosis))
            await until_shown(pilot, "What was seen:")
            assert "Evidence" in text_of(app).splitlines()[0]
            assert "Back" in text_of(app)
            await pilot.press("end")
            await until_shown(pilot, "home-2:443")
            await pilot.press(key)
            await until(pilot, lambda: app.screen is below)


async def test_hostile_evidence_changes_nothing_on_the_screen() -> None:
    view = hostile_view()
    async with at_home() as (app, pilot):
        await app.push_screen(EvidenceScreen(view, None))
        await until_shown(pilot, "[/x][@click=app.quit]go[/]")
        assert app.is_running


@pytest.mark.parametrize("large", [False, True])
async def test_a_change_of_language_keeps_what_is_shown(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    diagnosis = found(Kind.SNI_RESET)
    survey = Survey(inquire.prepare())
    survey.found, survey.stopped = diagnosis, True
    async with at_home() as (app, pilot):
        page = EvidenceScreen(view_of(None, diagnosis), diagnosis) if large else FindingScreen(survey)
        await app.push_screen(page)
        await until_shown(pilot, "Connections to certain names")
        try:
            await app.action_language("fr")
            await until_shown(pilot, "Les connexions vers certains noms")
            assert "Connections to certain names" not in text_of(app)
        finally:
            await app.action_language("en")
        await until_shown(pilot, "Connections to certain names")

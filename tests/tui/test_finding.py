from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from client import sources
from client.check import BadList, Wishes
from client.diagnosis import inquire
from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.sights import Place
from client.drill.serving import Handler
from client.drill.stage import Stage
from client.model import Rejected, Status
from client.run import Run
from tests.client.diagnosis.country import Country, country
from tests.client.diagnosis.loopback import silent
from tests.tui.lines import found
from tests.tui.support import at_home, listed, made_run, playing, text_of, until, until_shown
from tui import finding
from tui.app import SanylauApp
from tui.finding import Survey
from tui.messages import FindWay
from tui.screens.consent import ConsentScreen
from tui.screens.country import CountryScreen
from tui.screens.evidence import EvidenceScreen
from tui.screens.finding import FindingScreen
from tui.screens.home import HomeScreen
from tui.screens.results import ResultsScreen
from tui.session import Session
from tui.widgets.line_panel import LinePanel

LIST = "socks5://127.0.0.1:1\nhttp://127.0.0.1:2\n"


def mute(name: str, handler: Handler) -> Handler:
    return silent


@dataclass(slots=True)
class Far:
    """The far side: a country to ask, and a stage with what can be tested."""

    place: Country
    stage: Stage

    @property
    def met(self) -> int:
        return len(self.place.connections) + len(self.place.named) + self.stage.origin.seen.connections


@asynccontextmanager
async def ready(
    folder: Path, only: tuple[str, ...] = ("http", "socks5"), **more: Any
) -> AsyncIterator[tuple[SanylauApp, Pilot[int], Far]]:
    """Open the app where all that is asked and tested is on loopback; the built-in list is left out."""
    (folder / "country").mkdir()
    async with (
        country(folder / "country", **more) as place,
        playing(["good-http", "good-socks5"], folder, only=only) as (played, wishes),
        at_home(wishes) as (app, pilot),
    ):
        app.anchors = str(place.anchors)
        app.basket.edit(listed(played))
        yield app, pilot, Far(place, played)


async def ask(app: SanylauApp, pilot: Pilot[int]) -> None:
    app.post_message(FindWay())
    await until(pilot, lambda: isinstance(app.screen, ConsentScreen))


async def begin(app: SanylauApp, pilot: Pilot[int]) -> Survey:
    await ask(app, pilot)
    await pilot.press("y")
    await until(pilot, lambda: isinstance(app.screen, FindingScreen))
    assert app.survey is not None
    return app.survey


# the plan and the question


def test_what_is_at_hand_is_the_built_in_list_and_what_was_given() -> None:
    builtin = sources.builtin()
    assert finding.at_hand([]) == builtin
    both = finding.at_hand([("pasted", LIST)])
    assert len(both.candidates) == len(builtin.candidates) + 2
    assert [one.source for one in both.candidates[:2]] == ["pasted", "pasted"]
    assert builtin.notices[0] in both.notices


def test_an_entry_that_is_given_and_built_in_is_tested_once() -> None:
    builtin = sources.builtin()
    line = next(
        one.endpoint.reveal()
        for one in builtin.candidates
        if (one.endpoint.options or {}).get("pt") == "obfs4"
    )
    both = finding.at_hand([("pasted", line)])
    assert len(both.candidates) == len(builtin.candidates)
    assert both.duplicates == 1
    assert both.given == len(builtin.candidates) + 1


def test_a_file_that_was_named_and_is_not_there_is_named() -> None:
    with pytest.raises(BadList) as raised:
        finding.at_hand([], ["/nowhere/at-all.txt"])
    assert raised.value.source == "at-all.txt"


def test_one_question_names_whom_the_diagnosis_asks_and_what_is_tested() -> None:
    planned = finding.plan(Wishes(), finding.at_hand([("pasted", LIST)]))
    text = "\n".join(planned.question)
    inquiry, run = planned.inquiry, planned.proposal.run
    assert planned.question[0] == "Before the first packet leaves this machine:"
    assert text.count("Before the first packet") == 1
    for line in inquire.consent_text(inquiry)[1:]:
        assert line in planned.question
    assert f"{len(run.reading.candidates)} entries of your list will be contacted" in text
    assert f"The built-in list of {sources.builtin().builtin} is among them" in text
    assert "First your line is looked at:" in text
    assert "Then what is at hand is tested:" in text


def test_the_built_in_list_alone_says_so_once() -> None:
    text = "\n".join(finding.plan(Wishes(), finding.at_hand([])).question)
    assert "entries of the built-in list of" in text
    assert "is among them" not in text


def test_what_is_left_out_is_not_announced() -> None:
    wishes = Wishes(only=("socks5",))
    text = "\n".join(finding.plan(wishes, finding.at_hand([("pasted", LIST)])).question)
    assert "1 entry of your list will be contacted" in text
    assert "is among them" not in text


def test_a_country_adds_its_servers_and_a_wrong_file_is_refused() -> None:
    reading = finding.at_hand([])
    assert any("kaspi.kz" in line for line in finding.plan(Wishes(), reading, country="KZ").question)
    assert not any("kaspi.kz" in line for line in finding.plan(Wishes(), reading).question)
    with pytest.raises(Rejected):
        finding.plan(Wishes(), reading, file=__file__)


@pytest.mark.parametrize(
    ("environ", "country_"),
    [
        ({"LANG": "kk_KZ.UTF-8"}, "KZ"),
        ({"LC_ALL": "ru_KZ", "LANG": "ru_RU.UTF-8"}, "KZ"),
        ({"LC_ALL": "ru_RU.UTF-8", "LANG": "kk_KZ.UTF-8"}, ""),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "[b]_KZ"}, ""),
        ({}, ""),
    ],
)
def test_the_country_is_guessed_from_the_system_and_from_nothing_else(
    environ: dict[str, str], country_: str
) -> None:
    assert finding.guessed(("KZ",), environ) == country_


@pytest.mark.parametrize("kind", list(Kind))
async def test_where_the_person_must_act_first_the_check_waits(kind: Kind) -> None:
    survey = Survey(inquire.prepare())
    survey.found = found(kind)
    assert survey.waits is (kind in (Kind.LOCAL_FAULT, Kind.CAPTIVE_PORTAL))
    unsure = Survey(inquire.prepare())
    unsure.found = found(kind, certainty=Certainty.CANNOT_TELL)
    assert not unsure.waits
    survey.go_on()
    assert not survey.waits
    survey.hold()
    assert survey.waits


# on the screen


async def test_nothing_is_sent_before_yes_nor_after_no(tmp_path: Path) -> None:
    async with ready(tmp_path) as (app, pilot, far):
        for answer in ("n", "escape"):
            await ask(app, pilot)
            await until_shown(pilot, "Before the first packet")
            await pilot.press(answer)
            await until_shown(pilot, "Nothing was sent.")
            assert (app.session, app.survey, far.met) == (None, None, 0)
            assert isinstance(app.screen, HomeScreen)


async def test_the_line_is_looked_at_and_then_what_is_at_hand_is_tested(tmp_path: Path) -> None:
    async with ready(tmp_path) as (app, pilot, far):
        survey = await begin(app, pilot)
        await until_shown(pilot, "without a proxy")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        assert app.diagnosis is survey.found
        assert app.diagnosis is not None
        assert app.diagnosis.main.kind is Kind.OPEN
        assert app.session is not None
        assert app.session.run.rank is not None
        session = app.session
        await until(pilot, lambda: session.over)
        assert session.state.counts[Status.WORKING] == 2
        assert far.stage.origin.seen.connections
        assert len(app.screen_stack) == 3  # Textual's own, home, results: the way back is short
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_a_stop_in_the_middle_keeps_what_is_known_and_sends_nothing_more(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, far):
        survey = await begin(app, pilot)
        await until(pilot, lambda: any(seen.place is Place.HOME and seen.crossed for seen in survey.sights))
        await pilot.press("s")
        await until_shown(pilot, "Stopped. This is what is known so far.")
        assert survey.found is not None
        assert any(seen.place is Place.HOME for seen in survey.found.sights)
        assert "Result code:" in text_of(app)
        met = far.met
        await pilot.pause(0.5)
        assert (far.met, app.session, far.stage.origin.seen.connections) == (met, None, 0)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EvidenceScreen))
        await pilot.press("escape", "c")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        assert app.session is not None


async def test_the_check_can_be_begun_before_the_line_is_known(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, far):
        survey = await begin(app, pilot)
        await until(pilot, lambda: survey.asked)
        await pilot.press("с")  # the same place on a Russian keyboard
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        assert survey.found is not None
        assert survey.found.elapsed < 20
        await until(pilot, lambda: far.stage.origin.seen.connections)


async def test_the_line_is_looked_at_again_after_a_new_question(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, far):
        first = await begin(app, pilot)
        await until(pilot, lambda: first.asked)
        await pilot.press("s")
        await until_shown(pilot, "Look again")
        met = far.met
        await pilot.press("ф")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        assert far.met == met
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, FindingScreen))
        await until(pilot, lambda: app.survey is not first and far.met > met)
        assert (app.session, len(app.screen_stack)) == (None, 3)


async def test_tor_writes_to_the_disk_only_after_a_question_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Run] = []
    monkeypatch.setattr("client.check.memory_folder", lambda: None)
    monkeypatch.setattr(SanylauApp, "begin", lambda app, run, title, show: runs.append(run))
    async with ready(tmp_path, only=("obfs4",), abroad=mute) as (app, pilot, _far):
        for answer in ("y", "n"):
            await ask(app, pilot)
            await pilot.press("y")
            await until_shown(pilot, "May tor write to the disk?")
            await pilot.press(answer)
            await until(pilot, lambda: isinstance(app.screen, FindingScreen))
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))
    assert [run.disk for run in runs] == [True, False]


async def test_a_check_that_runs_is_not_pushed_aside(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, far):
        survey = await begin(app, pilot)
        await until(pilot, lambda: survey.asked)
        await pilot.press("s")
        await until(pilot, lambda: survey.waits)
        other = app.session = Session(made_run())
        await pilot.press("c")
        await until_shown(pilot, "Another check is running")
        assert app.session is other
        assert isinstance(app.screen, FindingScreen)
        assert far.stage.origin.seen.connections == 0
        other.over = True
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        assert app.session is not other


async def test_esc_goes_back_and_ends_nothing(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, _far):
        survey = await begin(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert not survey.over
        app.post_message(FindWay())
        await until(pilot, lambda: isinstance(app.screen, FindingScreen))
        assert app.survey is survey
        assert not survey.stopped
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        survey.go_on()
        await until(pilot, lambda: app.session is not None)
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen), "nobody is thrown out of the screen they are on"
        await until_shown(pilot, "F4 shows it")
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))


async def test_who_reads_the_evidence_when_the_check_begins_comes_from_there_to_the_results(
    tmp_path: Path,
) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, _far):
        survey = await begin(app, pilot)
        await until(pilot, lambda: survey.asked)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EvidenceScreen))
        survey.go_on()
        await until(pilot, lambda: app.session is not None)
        await pilot.pause(0.2)
        assert isinstance(app.screen, EvidenceScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_ctrl_c_stops_the_diagnosis_and_not_the_program(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, _far):
        survey = await begin(app, pilot)
        await until(pilot, lambda: survey.asked)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: survey.over)
        await until_shown(pilot, "Stopped.")
        assert app.is_running


async def test_leaving_in_the_middle_ends_every_question(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, far):
        survey = await begin(app, pilot)
        await until(pilot, lambda: survey.sights)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running, 6)
        met = far.met
        await asyncio.sleep(0.5)
        assert far.met == met
        assert survey.found is None


async def test_the_keys_offer_only_what_can_be_done_now(tmp_path: Path) -> None:
    async with ready(tmp_path, abroad=mute) as (app, pilot, _far):
        survey = await begin(app, pilot)
        await until_shown(pilot, "Asking:")
        assert all(key in text_of(app) for key in ("Test now", "Stop", "Evidence", "Back"))
        await pilot.press("ы")  # s, where a Russian keyboard has it
        await until(pilot, lambda: survey.over)
        await pilot.pause(0.5)
        assert " Stop " not in text_of(app).splitlines()[-2]
        assert "Test now" in text_of(app)


async def test_the_country_is_asked_first_and_esc_sends_nothing() -> None:
    async with at_home() as (app, pilot):
        app.post_message(FindWay())
        await until(pilot, lambda: isinstance(app.screen, CountryScreen))
        await until_shown(pilot, "Kazakhstan")
        assert "Go on" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert (app.survey, app.session) == (None, None)


async def test_the_chosen_country_stands_in_the_question() -> None:
    async with at_home() as (app, pilot):
        for keys, there in ((("home", "enter"), True), (("end", "enter"), False)):
            app.post_message(FindWay())
            await until(pilot, lambda: isinstance(app.screen, CountryScreen))
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
            assert isinstance(app.screen, ConsentScreen)
            assert any("kaspi.kz" in line for line in app.screen._lines) is there
            await pilot.press("n")
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_a_file_of_anchors_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    async with at_home() as (app, pilot):
        app.anchors = str(tmp_path / "no[b]thing.toml")
        app.post_message(FindWay())
        await until_shown(pilot, "no[b]thing.toml")
        assert app.survey is None


async def test_a_fault_of_our_own_is_told_and_keeps_what_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(inquiry: object, watch: object, stop: object) -> None:
        raise RuntimeError("secret 10.0.0.1")

    monkeypatch.setattr(finding, "diagnose", breaks)
    async with ready(tmp_path) as (app, pilot, _far):
        survey = await begin(app, pilot)
        await until_shown(pilot, "Sanylau itself broke down (RuntimeError).")
        assert survey.over
        assert "secret" not in text_of(app)
        assert app.screen.query_one(LinePanel).large
        assert not finding.resume(app)

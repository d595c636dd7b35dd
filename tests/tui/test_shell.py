"""What holds on every screen: help, commands, colours, stillness, notices, and where the keys are off."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from textual.widgets import Input

from client import i18n
from client.i18n import LANGUAGES, _
from tests.tui.support import at_home, finished, judged, made_run, opened, paste, text_of, until, until_shown
from tui import palette, theme
from tui.app import SanylauApp
from tui.screens.consent import ConsentScreen
from tui.screens.country import CountryScreen
from tui.screens.evidence import EvidenceScreen
from tui.screens.export import ExportScreen
from tui.screens.files import FilePicker
from tui.screens.finding import FindingScreen
from tui.screens.help import HelpScreen, help_lines
from tui.screens.home import HomeScreen
from tui.screens.importing import ImportScreen
from tui.screens.pace import PaceScreen
from tui.screens.page import Page, Told
from tui.screens.programs import ProgramsScreen
from tui.screens.qr import QrScreen
from tui.screens.results import ResultsScreen
from tui.screens.use import UseScreen
from tui.session import Session

PAGES = (EvidenceScreen, FindingScreen, HomeScreen, ImportScreen, ResultsScreen, UseScreen)
DIALOGS = (ConsentScreen, CountryScreen, ExportScreen, FilePicker, PaceScreen, ProgramsScreen, QrScreen)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.use("en")
    yield
    monkeypatch.undo()
    i18n.use(None)


def ended() -> Session:
    """Return a session whose run is over, with one working entry."""
    from client.model import Status

    session = Session(made_run())
    for event in (judged(1, Status.WORKING, kib_per_s=300), finished(working=1)):
        session.changed |= session.state.apply(event)
    session.over = True
    return session


async def shown_results(app: SanylauApp) -> Session:
    app.session = ended()
    await app.push_screen(ResultsScreen(app.session))
    return app.session


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_opens_on_the_first_screen_and_escape_leads_back(key: str) -> None:
    async with at_home() as (app, pilot):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until_shown(pilot, "help › Start")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_help_on_the_results_explains_the_signs_and_the_same_key_closes_it() -> None:
    async with at_home() as (app, pilot):
        await shown_results(app)
        await pilot.press("question_mark")
        await until_shown(pilot, "help › Results")
        await pilot.press("end")
        await until_shown(pilot, "D, not encrypted to the proxy")
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))


async def test_help_is_there_on_what_lies_over_a_page_too() -> None:
    async with at_home() as (app, pilot):
        await shown_results(app)
        await until_shown(pilot, "u Use it")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ProgramsScreen))
        await until_shown(pilot, "? Help")
        await pilot.press("question_mark")
        await until_shown(pilot, "help › Programs")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ProgramsScreen))


async def test_a_question_mark_in_a_field_is_a_letter_and_f1_is_help() -> None:
    async with opened() as (app, pilot):
        await pilot.press("tab")
        while not isinstance(app.focused, Input):
            await pilot.press("tab")
        await pilot.press("question_mark")
        assert isinstance(app.focused, Input)
        assert app.focused.value == "?"
        assert isinstance(app.screen, ImportScreen)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))


@pytest.mark.parametrize("page", [*PAGES, *DIALOGS], ids=lambda page: page.__name__)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_has_a_name_and_its_keys_are_explained(page: type[Told], language: str) -> None:
    i18n.use(language)
    assert page.NAME != Told.NAME
    assert page.KEYS
    lines = help_lines(page)
    shown = "\n".join(f"{label} {text.plain}" for label, text in lines)
    assert all(_(what) in shown for _keys, what in page.KEYS)
    assert "^x ^x" in shown
    assert "{" not in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_no_screen_takes_a_key_that_holds_everywhere(page: type[Page[object]]) -> None:
    own = set(page._merged_bindings.key_to_bindings) if page._merged_bindings else set()
    everywhere = set(SanylauApp._merged_bindings.key_to_bindings) if SanylauApp._merged_bindings else set()
    everywhere -= {
        "ctrl+c",
        "tab",
        "shift+tab",
    }  # a selection is copied first; Textual moves the focus by itself
    assert not own & everywhere


async def test_the_list_of_commands_finds_a_theme_by_a_few_letters_and_puts_it_on() -> None:
    async with at_home() as (app, pilot):
        await pilot.press("ctrl+p")
        await until_shown(pilot, "What shall be done?")
        await until_shown(pilot, "Русский")
        await pilot.press(*"high con")
        await until_shown(pilot, "Colours: high contrast")
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.theme == theme.PREFIX + "contrast")


@pytest.mark.parametrize(
    ("language", "typed"), [("ru", "тем"), ("ru", "тём"), ("kk", "темн"), ("kk", "қара"), ("kk", "theme")]
)
async def test_the_list_of_commands_finds_a_theme_by_its_name_in_any_language(
    language: str, typed: str
) -> None:
    i18n.use(language)
    label, other = _("Colours: dark"), _("Animation: off")
    async with at_home() as (_app, pilot):
        await pilot.press("ctrl+p")
        await until_shown(pilot, "English")
        await pilot.press(*typed)
        await until(pilot, lambda: other not in text_of(pilot.app) and label in text_of(pilot.app))


async def test_the_list_of_commands_says_when_nothing_is_called_so() -> None:
    async with at_home() as (_app, pilot):
        await pilot.press("ctrl+p")
        await until_shown(pilot, "What shall be done?")
        await pilot.press(*"xqzj")
        await until_shown(pilot, "Nothing that is called so.")


async def test_the_list_of_commands_has_what_the_screen_below_can_do() -> None:
    async with at_home() as (app, pilot):
        await shown_results(app)
        await until_shown(pilot, "u Use it")
        names = [command.name for command in palette.known(app, app.screen)]
        for wanted in ("Use it", "Reveal", "Help", "Practise", "English", "Animation: off", "Quit"):
            assert wanted in names, names
        assert len(names) == len(set(names)), names


async def test_a_command_of_the_list_does_what_its_key_does() -> None:
    async with at_home() as (app, pilot):
        await shown_results(app)
        await pilot.press("ctrl+p")
        await until_shown(pilot, "What shall be done?")
        await pilot.press(*"use it")
        await until_shown(pilot, "Use it  u")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))


async def test_another_language_says_the_results_anew_and_keeps_them() -> None:
    async with at_home() as (app, pilot):
        session = await shown_results(app)
        await until_shown(pilot, "working")
        await pilot.press("f3", "f3")
        await until(pilot, lambda: i18n.current() == "ru")
        await until_shown(pilot, "работает")
        assert "✔ working" not in text_of(app)
        assert app.session is session
        await pilot.press("escape")
        await until_shown(pilot, "● Русский")


async def test_a_question_has_help_and_the_language_waits_until_it_is_answered() -> None:
    async with opened() as (app, pilot):
        await paste(pilot, "socks5://127.0.0.1:1")
        await until_shown(pilot, "1 to test")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await until_shown(pilot, "n, esc No")
        await pilot.press("f3", "ctrl+p", "f1")
        await until_shown(pilot, "help › Question")
        assert i18n.current() == "en"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("escape")
        await until_shown(pilot, "Nothing was sent.")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_answer_yes_is_its_letter_in_the_language_that_is_on(language: str) -> None:
    from client import consent

    i18n.use(language)
    async with at_home() as (app, pilot):
        for key in (consent.letter(), "y"):
            answers: list[bool | None] = []
            app.push_screen(ConsentScreen(["?", "• a"]), answers.append)
            await until(pilot, lambda: isinstance(app.screen, ConsentScreen) and app.focused is not None)
            await pilot.press(key)
            await until(pilot, lambda answers=answers: answers == [True])  # type: ignore[misc]


async def test_stillness_can_be_asked_for_beforehand_and_from_the_list() -> None:
    async with at_home(still=True) as (app, _pilot):
        levels = [str(app.animation_level)]
        for _time in range(2):
            app.action_stillness()
            levels.append(str(app.animation_level))
        assert levels == ["none", "full", "none"]


async def test_a_notice_is_text_and_never_markup() -> None:
    async with at_home() as (app, pilot):
        app.tell("[/x] [@click=app.quit]press[/]", loud=True)
        await until_shown(pilot, "[/x] [@click=app.quit]press[/]")
        app.complain("[/y]")
        await until_shown(pilot, "[/y]")


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
async def test_a_question_says_that_there_is_more_of_it_and_both_answers_stay_in_sight(
    size: tuple[int, int],
) -> None:
    async with at_home(size=size) as (app, pilot):
        app.notify("what was said before")
        await until_shown(pilot, "what was said before")
        app.push_screen(ConsentScreen(["First line?", *(f"• point {number}" for number in range(30))]))
        await until_shown(pilot, "more below ↓")
        shown = text_of(app)
        assert "what was said before" not in shown
        for wanted in ("First line?", "point 0", "No, send nothing", "Yes, go on", "n, esc No"):
            assert wanted in shown
        assert "point 29" not in shown
        await pilot.press(*["pagedown"] * 6)
        await until_shown(pilot, "point 29")
        await until(pilot, lambda: "more below" not in text_of(app))
        await pilot.press("up")
        await until_shown(pilot, "more below ↓")
        await pilot.resize_terminal(80, 50)
        await until(pilot, lambda: "more below" not in text_of(app))


async def test_a_question_at_rest_is_not_laid_out_again_and_again() -> None:
    async with at_home() as (app, pilot):
        app.push_screen(ConsentScreen(["?", *(f"• point {number}" for number in range(30))]))
        await until_shown(pilot, "more below ↓")
        await pilot.pause(0.2)
        laid: list[object] = []
        app.screen.screen_layout_refresh_signal.subscribe(app.screen.query_one("#more"), laid.append)
        await pilot.pause(0.5)
        assert laid == []


async def test_a_yes_in_the_middle_of_a_paste_that_came_as_keys_is_no_answer() -> None:
    async with at_home() as (app, pilot):
        answers: list[bool | None] = []
        app.push_screen(ConsentScreen(["?", "• a"]), answers.append)
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen) and app.focused is not None)
        await pilot.press("x", "y", "1", "y")
        assert answers == []
        await pilot.pause(0.6)
        await pilot.press("y")
        await until(pilot, lambda: answers == [True])


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({"TEXTUAL_ANIMATIONS": "none"}, "none sanylau-dark"), ({"TEXTUAL_THEME": "nord"}, "full nord")],
)
def test_what_the_environment_asks_for_is_heeded(environment: dict[str, str], wanted: str) -> None:
    code = "from tui.app import SanylauApp; app = SanylauApp(); print(app.animation_level, app.theme)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == wanted

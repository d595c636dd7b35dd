"""Use it: what one entry is, its steps, a file, a code. The verdicts are made up; nothing is sent here."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from client.events import Judged
from client.export.formats import FORMATS
from client.model import Message, Protection, Status
from client.options import Option
from tests.tui.support import SIZE, finished, judged, made_run, text_of, until, until_shown
from transports import tor_bridge
from transports.types import Endpoint
from tui import exporting, using
from tui.app import SanylauApp
from tui.exporting import Offer
from tui.screens.consent import ConsentScreen
from tui.screens.export import ExportScreen
from tui.screens.programs import ProgramsScreen
from tui.screens.qr import QrScreen
from tui.screens.results import ResultsScreen
from tui.screens.use import UseScreen
from tui.session import Session

EVIL = "\x1b[31m\u202e[/x][@click=app.quit]\r\n"
OBFS4 = f"obfs4 192.0.2.7:443 {'A' * 40} cert={'b' * 70} iat-mode=0"


def bridge() -> Judged:
    from dataclasses import replace

    endpoint = tor_bridge.parse(OBFS4)
    made = judged(1, Status.WORKING, kib_per_s=90, protection=Protection.TOR)
    verdict = replace(
        made.verdict, transport="tor_bridge", candidate=replace(made.verdict.candidate, endpoint=endpoint)
    )
    return Judged(made.id, verdict)


@asynccontextmanager
async def results(
    *events: object, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Show results made of these verdicts."""
    app = SanylauApp()
    async with app.run_test(size=size, notifications=True) as pilot:
        session = Session(made_run())
        session.over = True
        for event in events:
            session.changed |= session.state.apply(event)  # type: ignore[arg-type]
        app.session = session
        await app.push_screen(ResultsScreen(session))
        await pilot.pause()
        yield app, pilot


@asynccontextmanager
async def used(
    event: object, *, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[SanylauApp, Pilot[int]]]:
    """Show *Use it* for this verdict."""
    async with results(event, size=size) as (app, pilot):
        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))
        await pilot.pause()
        yield app, pilot


def harmless(app: SanylauApp) -> None:
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            assert not set(segment.text) & set("\x1b\x07\u202e\r")
            assert not (segment.style and "click" in str(segment.style.meta.get("@click", "")))


@pytest.mark.parametrize("key", ["u", "г"])
async def test_use_is_offered_on_working_and_degraded_entries_only(key: str) -> None:
    events = [
        judged(1, Status.WORKING, kib_per_s=50),
        judged(2, Status.DEGRADED),
        judged(3),
        judged(4, Status.HOSTILE),
    ]
    async with results(*events) as (app, pilot):
        offered = {}
        for _row in events:
            row = app.screen.query_one("#results").current  # type: ignore[attr-defined]
            offered[row.verdict.status] = "u Use it" in text_of(app)
            await pilot.press(key)
            await pilot.pause(0.1)
            assert isinstance(app.screen, UseScreen) is offered[row.verdict.status]
            if offered[row.verdict.status]:
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(app.screen, ResultsScreen))
            await pilot.press("down")
            await pilot.pause(0.1)
    usable = {Status.WORKING, Status.DEGRADED}
    assert offered == {status: status in usable for status in (*usable, Status.FAILED, Status.HOSTILE)}


async def test_the_page_says_what_it_is_how_old_and_the_steps_with_nothing_secret() -> None:
    async with used(judged(4000, Status.WORKING, kib_per_s=64)) as (app, pilot):
        shown = text_of(app)
        for wanted in (
            "✔ working  D  socks5  #00000fa0",
            "not for logins or messages",
            "(1 of",
            "at 64 KiB/s",
            "Press c here.",
        ):
            assert wanted in shown, shown
        assert "4001" not in shown
        footer = " ".join(shown.splitlines()[-2:])
        for wanted in ("c Connect", "e Export", "q QR", "a Programs", "r Reveal", "esc Back", "? Help"):
            assert wanted in footer
        await pilot.press("r")
        await until_shown(pilot, "socks5://127.0.0.1:4001")
        await until_shown(pilot, "addresses are shown")
        await pilot.press("f1")
        await until_shown(pilot, "as a QR code")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))


async def test_another_program_is_one_key_away_and_phones_are_in_the_list() -> None:
    async with used(bridge()) as (app, pilot):
        await until_shown(pilot, "Tor Browser · ")
        assert "c Connect" in text_of(app)
        await pilot.press("right")
        await until_shown(pilot, "(2 of ")
        await pilot.press("left", "left")
        await until(pilot, lambda: "Tor Browser · " not in text_of(app))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ProgramsScreen))
        await until_shown(pilot, "Orbot · Android")
        listed = app.screen.query_one(OptionList)
        wanted = next(
            n for n in range(listed.option_count) if "Orbot" in str(listed.get_option_at_index(n).prompt)
        )
        listed.highlighted = wanted
        await pilot.press("enter")
        await until_shown(pilot, "Orbot · Android")
        assert isinstance(app.screen, UseScreen)
        await pilot.press("end")
        await until_shown(pilot, "For a telephone, q shows a picture to scan.")
        await pilot.press("a", "escape")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))


async def test_hostile_labels_never_style_crash_or_act() -> None:
    event = judged(
        1,
        Status.WORKING,
        reason=Message("{why}", {"why": EVIL}),
        source=EVIL * 300,
        text=f"socks5://{EVIL}127.0.0.1:1",
    )
    async with used(event) as (app, pilot):
        for key in ("r", "end", "home", "a", "escape", "e"):
            await pilot.press(key)
            await pilot.pause(0.2)
            harmless(app)
        app.screen.query_one(Input).value = "/nowhere/[/x][@click=app.quit]"
        app.screen.query_one(Input).focus()
        await pilot.press("enter")
        await until_shown(pilot, "No such file")
        harmless(app)
        app.tell(EVIL.strip(), loud=True)
        await pilot.pause(0.2)
        assert app.is_running


async def test_an_export_is_a_new_file_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with used(bridge()) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await until_shown(pilot, "settings for tor")
        listed = app.screen.query_one(OptionList)
        assert "Tor Browser's field" in str(listed.get_option_at_index(0).prompt)  # what the program wants
        wanted = next(
            n
            for n in range(listed.option_count)
            if "settings for tor" in str(listed.get_option_at_index(n).prompt)
        )
        listed.highlighted = wanted
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one(Input).value == "torrc")
        await pilot.press("enter")
        await until_shown(pilot, "Only you may read it.")
        await until_shown(pilot, "The file is evidence")
        await until_shown(pilot, "→ Use it: `tor -f ")
        written = tmp_path / "torrc"
        assert f"Bridge {OBFS4}" in written.read_text()
        if sys.platform != "win32":
            assert stat.S_IMODE(written.stat().st_mode) == 0o600
        await pilot.press("enter")
        await until_shown(pilot, "torrc: there is something of this name already")
        await pilot.press("ctrl+u", "enter")
        await until_shown(pilot, "give the file a name")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))
        assert os.listdir(tmp_path) == ["torrc"]


async def test_of_a_proxy_file_the_screen_says_who_does_not_read_it(tmp_path: Path) -> None:
    async with used(judged(1, Status.WORKING)) as (app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await until_shown(pilot, "a proxy file (PAC)")
        listed = app.screen.query_one(OptionList)
        prompts = [str(listed.get_option_at_index(n).prompt) for n in range(listed.option_count)]
        listed.highlighted = next(n for n, said in enumerate(prompts) if "a proxy file (PAC)" in said)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query_one(Input).value == "proxy.pac")
        app.screen.query_one(Input).value = str(tmp_path / "proxy.pac")
        await pilot.press("enter")
        await until_shown(pilot, "WITHOUT any proxy")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_of_every_format_it_is_said_what_to_do_with_the_file(name: str, tmp_path: Path) -> None:
    said = Offer(name).use(str(tmp_path / "x"))
    assert said
    assert "{" not in said


def test_formats_that_cannot_hold_an_entry_are_not_offered() -> None:
    proxy, tor = option(judged(1, Status.WORKING)), option(bridge())
    plain, bridges = ({offer.name for offer in exporting.offers(one)} for one in (proxy, tor))
    assert {"env", "curl", "links"} <= plain
    assert {"torrc", "bridges"} <= bridges
    assert not plain & {"torrc", "bridges", "qr", "qr-light"}
    assert not bridges & {"env", "curl"}


def test_the_local_connection_can_be_exported_while_it_is_up(tmp_path: Path) -> None:
    offers = exporting.offers(option(bridge()), port=1234)
    assert [offer.name for offer in offers if offer.port == 1234] == sorted(
        name
        for name in (
            "curl",
            "env",
            "env-cmd",
            "env-powershell",
            "links",
            "pac",
            "pac-url",
            "proxychains",
            "telegram",
        )
    )
    exporting.write(Offer("env", 1234), option(bridge()), str(tmp_path / "env.sh"))
    text = (tmp_path / "env.sh").read_text()
    assert "socks5h://127.0.0.1:1234" in text
    assert "192.0.2.7" not in text


def option(event: Judged) -> Option:
    from tui.state import RunState

    state = RunState()
    state.apply(event)
    return using.option_of(state.at(0), now=5.0)


async def test_the_code_is_shown_after_a_question_only_and_says_the_entry(tmp_path: Path) -> None:
    async with used(judged(4000, Status.WORKING, kib_per_s=64)) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, QrScreen))
        await until_shown(pilot, "the whole entry.")
        assert seen_by_a_camera(app, tmp_path) == "socks5://127.0.0.1:4001"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, UseScreen))


async def test_a_bridge_line_fits_on_a_small_screen(tmp_path: Path) -> None:
    async with used(bridge()) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, QrScreen))
        await until_shown(pilot, "Scan this with")
        assert len([line for line in text_of(app).splitlines() if set(line) & set("█▀▄")]) >= 22
        assert seen_by_a_camera(app, tmp_path) == OBFS4


async def test_where_the_window_is_too_small_a_file_is_offered(tmp_path: Path) -> None:
    async with used(bridge(), size=(80, 20)) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        await pilot.press("y")
        await until_shown(pilot, "too small")
        await until_shown(pilot, "49 x 24")
        assert "█" not in text_of(app)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await until(pilot, lambda: app.screen.query_one(Input).value == "code.png")
        await pilot.press("enter", "ctrl+u", *"x.png")
        app.screen.query_one(Input).value = str(tmp_path / "x.png")
        await pilot.press("enter")
        await until_shown(pilot, "Only you may read it.")
        assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def seen_by_a_camera(app: SanylauApp, folder: Path) -> str:
    """Return what a decoder reads off the screen: every cell is two pixels, in the colours it really has."""
    if shutil.which("zbarimg") is None:
        pytest.skip("zbarimg is not installed")
    rows: list[list[int]] = []
    for strip in app.screen._compositor.render_strips():
        upper: list[int] = []
        lower: list[int] = []
        for segment in strip:
            style = segment.style
            assert style is not None
            ink, paper = (
                sum(Color.from_rich_color(colour).rgb) // 3 if colour is not None else 0
                for colour in (style.color, style.bgcolor)
            )
            for char in segment.text:
                upper.append(ink if char in "█▀" else paper)
                lower.append(ink if char in "█▄" else paper)
        rows += [upper, lower]
    scale = 6
    width = max(map(len, rows))
    pixels = b"".join(
        bytes(value for cell in row + [0] * (width - len(row)) for value in [cell] * scale) * scale
        for row in rows
    )
    picture = folder / "screen.pgm"
    picture.write_bytes(f"P5 {width * scale} {len(rows) * scale} 255\n".encode() + pixels)
    done = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


async def test_no_color_leaves_no_colour_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with used(judged(1, Status.WORKING, kib_per_s=64)) as (app, _pilot):
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    if colour is not None:
                        red, green, blue = Color.from_rich_color(colour).rgb
                        assert red == green == blue, segment


async def test_an_entry_that_no_program_takes_is_said_so() -> None:
    from dataclasses import replace

    made = judged(1, Status.WORKING)
    endpoint = Endpoint(transport="nothing", host="127.0.0.1", port=9)
    verdict = replace(
        made.verdict, transport="nothing", candidate=replace(made.verdict.candidate, endpoint=endpoint)
    )
    async with used(Judged(made.id, verdict)) as (app, pilot):
        await until_shown(pilot, "There is no program here")
        assert "a Programs" not in text_of(app)
        assert "c Connect" not in text_of(app)
        await pilot.press("e")
        await until_shown(pilot, "No format holds this entry.")


def test_the_summary_names_the_key() -> None:
    from tui import describe
    from tui.state import RunState

    state = RunState()
    for event in (judged(1, Status.WORKING, kib_per_s=5), finished(working=1)):
        state.apply(event)
    assert any("then u" in text.plain for _label, text in describe.summary(state, reveal=False))

"""The first line of a page."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from client import i18n
from client.i18n import LANGUAGES, _
from tests.tui.support import at_home, text_of, until
from tests.tui.test_shell import PAGES
from tests.tui.walks import PRACTICE, go
from tui.screens.results import ResultsScreen
from tui.widgets.head import Head, titled


@pytest.mark.parametrize(
    ("room", "line"),
    [
        (40, "Sanylau › Results · what is tested now"),
        (38, "Sanylau › Results · what is tested now"),
        (37, "Results · what is tested now"),
        (28, "Results · what is tested now"),
        (27, "Results · what is tes…d now"),
        (20, "Results · what i…now"),
        (19, "Results"),
        (5, "Res…s"),
    ],
)
def test_where_it_is_narrow_the_program_goes_first_and_then_the_middle(room: int, line: str) -> None:
    said = titled("Results", "what is tested now", room)
    assert cell_len(said) <= room
    assert said == line


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reveal", [False, True])
@pytest.mark.parametrize("width", [60, 80, 160])
async def test_the_page_the_run_and_the_mode_stand_in_one_line(
    language: str, reveal: bool, width: int
) -> None:
    async with at_home(size=(width, 24)) as (app, pilot):
        await go(pilot, "results")
        assert isinstance(app.screen, ResultsScreen)
        while i18n.current() != language:
            await pilot.press("f3")
            await pilot.pause()
        if reveal:
            await pilot.press("r")
        await until(pilot, lambda: app.screen.query_one(Head).reveal == reveal)
        await pilot.pause()
        line = text_of(app).splitlines()[0]
        assert line.endswith(_("addresses are shown") if reveal else _("addresses are masked")), line
        assert _("Results") in line
        assert _(PRACTICE)[:6] in line
        assert "  " in line.strip() or width < 160
    i18n.use("en")


def test_every_page_has_a_name() -> None:
    assert len({page.NAME for page in PAGES}) == len(PAGES)

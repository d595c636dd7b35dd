"""Use it: of an entry that does not protect the better way is told, where there is one."""

from client.model import Status
from tests.tui.support import judged, text_of, until, until_shown
from tests.tui.test_use import bridge, results
from tui.screens.results import ResultsScreen


async def test_where_an_entry_does_not_protect_the_better_way_is_one_key_away() -> None:
    async with results(judged(5, Status.WORKING, kib_per_s=500), bridge()) as (app, pilot):
        await pilot.press("down", "u")
        await until_shown(pilot, "D  socks5  #00000005")
        await until_shown(pilot, "with A obfs4 #00000001")
        await until_shown(pilot, "nobody on the way sees both")
        assert "192.0.2.7" not in text_of(app)
        await pilot.press("b")
        await until_shown(pilot, "A  obfs4  #00000001")
        assert "Better" not in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ResultsScreen))


async def test_what_protects_has_nothing_better_and_where_nothing_protects_nothing_is_promised() -> None:
    for events in (
        [bridge(), judged(5, Status.WORKING)],
        [judged(5, Status.WORKING), judged(6, Status.WORKING)],
    ):
        async with results(*events) as (app, pilot):
            await pilot.press("u")
            await until_shown(pilot, "(1 of")
            assert "Better" not in text_of(app)

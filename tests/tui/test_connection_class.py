"""What the choice of an entry on the screen consents to: the lowest class, and where a question is asked first."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from rich.text import Text

from client.connect.events import Using
from client.connect.legs import NotOpened
from client.model import Protection, Reading
from client.model import Status as Verdict
from client.options import Option
from tests.client.connect.upstreams import Played, played
from tests.tui.far import checked, far_side, needs_curl, said, until_said
from tests.tui.support import judged, made_run, text_of, until_shown
from tests.tui.test_connection import connect, customary_port, use
from tui.connection import Connection, line, question
from tui.state import RunState
from tui.using import option_of

__all__ = ["customary_port"]


def chosen(protection: Protection) -> Option:
    state = RunState()
    state.apply(judged(1, Verdict.WORKING, protection=protection))
    return option_of(state.at(0), now=1.0)


async def knock(play: Played) -> None:
    """Have a program open a connection: so a death is noticed."""
    with suppress(NotOpened):
        (await play.keeper.open("127.0.0.1", play.origin.http_port)).close()


async def test_from_a_better_class_traffic_goes_back_to_a_chosen_one_of_class_d_only_after_a_question() -> (
    None
):
    asked: list[tuple[Protection, Protection | None]] = []

    async def consent(there: Protection, before: Protection | None) -> bool:
        asked.append((there, before))
        return False

    option = chosen(Protection.OPEN)
    connection = Connection(option, made_run(), consent=consent, loud=lambda _text, _stopped: None)
    plan = connection._plan
    async with played(2, lowest=plan.lowest, prefer=plan.prefer, consent=plan.consent) as play:
        mine, better = play.upstreams
        play.keeper.judged(option.id, mine.option(Protection.OPEN))
        play.keeper.judged("better", better.option(Protection.UNKNOWN))
        assert [event.id for event in play.of(Using)] == [option.id]  # type: ignore[union-attr]
        await mine.kill()
        await knock(play)
        await play.until(lambda: play.keeper.using is not None and len(play.of(Using)) == 2)
        await mine.start()
        play.keeper.judged(option.id, mine.option(Protection.OPEN))
        assert len(play.of(Using)) == 2  # it works again, and protects less than what is in use
        await better.kill()
        await knock(play)
        await play.until(lambda: asked)
        assert play.keeper.using is None
    assert asked == [(Protection.OPEN, Protection.UNKNOWN)]


@pytest.mark.parametrize("protection", Protection)
def test_that_a_chosen_one_is_gone_back_to_is_agreed_to_where_it_is_not_asked_for(
    protection: Protection,
) -> None:
    option = chosen(protection)
    run = replace(made_run(), reading=Reading((option.candidate,) * 2, (), 0))
    told = "after one that protects more was used meanwhile" in "\n".join(
        question(option, run, instead=False)
    )
    assert told is (protection in (Protection.TRUSTED, Protection.UNKNOWN))


@needs_curl
async def test_a_yes_to_a_lower_class_that_is_dead_too_never_says_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs: list[str] = []

    def noted(connection: Connection) -> Text:
        text = line(connection)
        signs.append(text.plain)
        return text

    async with far_side(tmp_path, ["good-https", "good-http"]) as far, checked(far) as (app, pilot):
        await use(app, pilot)
        port = await connect(app, pilot)
        await pilot.press("escape")
        await far.kill("good-https")
        await far.kill("good-http")
        assert (await far.curl(f"socks5h://127.0.0.1:{port}"))[0] != 0
        await until_shown(pilot, "May traffic go on through it?")
        assert "Whether they work is tried" in text_of(app)
        monkeypatch.setattr("tui.connection.line", noted)
        await pilot.pause(1.1)
        await pilot.press("y")
        await until_said(pilot, "nothing works any more")
        await until_shown(pilot, "✘ STOPPED")
        assert "Now through another one" not in said(app)
        assert signs
        assert not [sign for sign in signs if "connected" in sign]

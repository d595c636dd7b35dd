"""Next option, please; the advice, and the details. The results are made up; nothing is sent."""

from dataclasses import replace

import pytest

from client.events import LineRejected, Noticed
from client.model import LineState, Message, Protection, RejectedLine, Status
from tests.tui.support import finished, judged, text_of, until_shown
from tests.tui.test_options import key_of, results, tell, works
from tui.listing import Filter
from tui.widgets.facts import Facts

ENDED = (judged(1), works(2, 50), works(3, 900), works(4, 200), finished(working=3, failed=1))
TOLD = Message("{why}", {"why": "a reason that goes on and on " * 12 + "to its end"})


@pytest.mark.parametrize("key", ["n", "т"])
async def test_next_option_goes_from_one_that_works_to_the_next_best_and_round(key: str) -> None:
    async with results(judged(1), works(2, 50), works(3, 900), works(4, 200)) as (_session, table, pilot):
        await pilot.press("end")
        seen = []
        for _ in range(4):
            await pilot.press(key)
            seen.append(key_of(table))
        assert seen == [judged(number).id for number in (3, 4, 2, 3)]


async def test_the_first_option_that_the_key_goes_to_is_the_best() -> None:
    async with results(judged(1), works(2, 50), works(3, 900)) as (_session, table, pilot):
        await pilot.press("n")
        assert key_of(table) == judged(3).id
        await pilot.press("n")
        assert key_of(table) == judged(2).id


async def test_next_option_says_that_the_check_rests() -> None:
    async with results(judged(1)) as (session, _table, pilot):
        await pilot.press("p")
        assert session.paused_since is not None
        await until_shown(pilot, "‖ paused at 0:00")
        await pilot.press("n")
        await until_shown(pilot, "p: go on.")
        await pilot.press("p")
        assert session.paused_since is None


async def test_next_option_finds_it_behind_a_filter_and_a_search() -> None:
    async with results(judged(1), works(2)) as (session, table, pilot):
        await pilot.press("4")
        assert key_of(table) == judged(1).id
        await pilot.press("n")
        assert key_of(table) == judged(2).id
        assert (session.listing.filter, session.listing.search) == (Filter.ALL, "")
        await pilot.press("slash", *"nobody", "enter", "n")
        await pilot.pause()
        assert key_of(table) == judged(2).id
        assert session.listing.search == ""


async def test_next_option_says_when_there_is_none_or_no_other() -> None:
    async with results(judged(1)) as (session, _table, pilot):
        await pilot.press("n")
        await until_shown(pilot, "No option works yet")
        tell(session, works(2))
        await until_shown(pilot, "✔ 1 working")
        await pilot.press("n", "n")
        await until_shown(pilot, "This is the only option")


async def test_at_the_end_without_any_option_the_key_leads_to_the_advice() -> None:
    async with results(judged(1), finished(failed=1)) as (session, _table, pilot):
        session.over = True
        await pilot.press("n")
        await until_shown(pilot, "No option works. a: the advice.")
        assert "→ " in text_of(pilot.app)


async def test_at_the_end_enter_shows_the_details_and_n_still_goes_to_the_best() -> None:
    async with results(*ENDED) as (session, table, pilot):
        session.over = True
        await until_shown(pilot, "─ advice ─")
        await pilot.press("enter")
        await until_shown(pilot, "─ details ─")
        assert isinstance(pilot.app.focused, Facts)
        assert f"#{judged(3).id}" in text_of(pilot.app)
        assert "Press u: how to use it" in text_of(pilot.app)
        await pilot.press("n")
        assert key_of(table) == judged(3).id
        await until_shown(pilot, "This is the best option. n once")
        await pilot.press("n")
        assert key_of(table) == judged(4).id


async def test_what_the_advice_says_of_n_is_true_wherever_the_cursor_is() -> None:
    async with results(*ENDED) as (session, table, pilot):
        session.over = True
        await until_shown(pilot, "Press n for the best option")
        await pilot.press("down", "down")
        assert key_of(table) == judged(2).id
        await pilot.press("a")
        await until_shown(pilot, "Press n for the best option")
        await pilot.press("n")
        assert key_of(table) == judged(3).id
        await until_shown(pilot, "─ details ─")


async def test_after_one_that_was_used_the_next_one_comes() -> None:
    async with results(*ENDED) as (session, table, pilot):
        session.over = True
        await pilot.press("n", "u")
        await until_shown(pilot, "Sanylau › Use it")
        await pilot.press("escape")
        await until_shown(pilot, "Sanylau › Results")
        await pilot.press("n")
        assert key_of(table) == judged(4).id


async def test_leaving_a_filter_for_the_next_option_is_said_and_one_that_shows_it_stays() -> None:
    async with results(judged(1), works(2), works(3)) as (session, table, pilot):
        await pilot.press("2", "n", "n")
        assert session.listing.filter is Filter.WORKING
        assert "all entries are shown" not in text_of(pilot.app)
        await pilot.press("4")
        await until_shown(pilot, "4▸✘ failed")
        await pilot.press("n")
        await until_shown(pilot, "entries are shown again.")
        await until_shown(pilot, "1▸all 3")
        assert key_of(table) in (judged(2).id, judged(3).id)


async def test_a_notice_leaves_the_keys_and_the_first_line_in_sight() -> None:
    async with results(judged(1)) as (_session, _table, pilot):
        await pilot.press("n")
        await until_shown(pilot, "No option works yet")
        lines = text_of(pilot.app).splitlines()
        assert any("No option works yet" in line for line in lines[1:4])
        assert lines[0].endswith("addresses are masked")
        assert "esc Back" in "".join(lines[-3:])
        assert "^x^x Panic" in lines[-1]


# the advice


async def test_the_advice_takes_more_room_and_less_with_its_own_key() -> None:
    async with results(*ENDED) as (session, _table, pilot):
        session.over = True
        await until_shown(pilot, "─ advice ─")
        assert "data " not in text_of(pilot.app)
        await pilot.press("a")
        await until_shown(pilot, " data  ")
        assert pilot.app.screen.has_class("-larger")
        await pilot.press("a")
        assert not pilot.app.screen.has_class("-larger")
        await until_shown(pilot, "─ advice ─")


async def test_what_was_rejected_and_noticed_is_there_in_full_one_key_away() -> None:
    async with results(judged(1)) as (session, _table, pilot):
        assert "a Notices" not in text_of(pilot.app)
        tell(session, Noticed(TOLD), LineRejected(RejectedLine("mine.txt", 17, TOLD)))
        await until_shown(pilot, "a Notices")
        assert "to its end" not in text_of(pilot.app)
        await pilot.press("a", "a", "end")
        await until_shown(pilot, "to its end")
        await pilot.press("home")
        await until_shown(pilot, "─ notices ─")
        await until_shown(pilot, "mine.txt:17: a reason that goes on", 3)
        tell(session, finished(failed=1))
        session.over = True
        await until_shown(pilot, "a Advice")


async def test_a_machine_without_a_network_is_told_keys_and_no_command() -> None:
    end = replace(finished(failed=1), line_state=LineState.NO_NETWORK)
    async with results(judged(1), end) as (session, _table, pilot):
        session.over = True
        await until_shown(pilot, "→ Connect this machine to a network. Then press Esc")
        assert "command" not in text_of(pilot.app)


async def test_a_class_has_its_letter_in_the_row_and_its_meaning_below() -> None:
    event = judged(1, Status.WORKING, kib_per_s=50, protection=Protection.TOR)
    async with results(event) as (_session, _table, pilot):
        await until_shown(pilot, "✔ working  A ")
        await until_shown(pilot, "nobody on the way sees both you and where you go")

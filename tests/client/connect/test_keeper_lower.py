"""After a yes to a lower class: nobody says that it works before it has answered."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from client.connect.events import Held, Hold, Using
from client.connect.legs import NotOpened
from client.model import Protection
from tests.client.connect.upstreams import Played, Upstream, played

A, C, D = Protection.TOR, Protection.UNKNOWN, Protection.OPEN
Consent = Callable[[Protection, Protection | None], Awaitable[bool]]


def consenting(
    asked: list[Protection], before_yes: list[int], low: Callable[[], list[Upstream]], no_to: str = ""
) -> Consent:
    """Say yes, and note how many connections the lower ones had got until then."""

    async def consent(there: Protection, _before: Protection | None) -> bool:
        asked.append(there)
        before_yes.append(sum(one.connections for one in low()))
        return there.value not in no_to

    return consent


def course(play: Played) -> list[object]:
    """Return why traffic was stopped and what was used, in order."""
    return [
        event.why if isinstance(event, Held) else event.id
        for event in play.told
        if isinstance(event, Held | Using)
    ]


async def knock(play: Played) -> None:
    with suppress(NotOpened):
        (await play.keeper.open("127.0.0.1", play.origin.http_port)).close()


async def test_where_the_lower_ones_are_dead_too_a_yes_never_says_that_one_is_in_use() -> None:
    asked: list[Protection] = []
    before: list[int] = []
    ups: list[Upstream] = []
    async with played(3, consent=consenting(asked, before, lambda: ups[1:])) as play:
        ups += play.upstreams
        play.keeper.judged("best", ups[0].option(A))
        play.keeper.judged("low", ups[1].option(D, 2))
        play.keeper.judged("low too", ups[2].option(D, 3))
        for one in ups:
            await one.kill()
        await knock(play)
        await play.until(lambda: play.keeper.held is Hold.NOTHING_WORKS)
        assert course(play) == ["best", Hold.ONLY_LOWER, Hold.TRYING, Hold.NOTHING_WORKS]
        assert (asked, before) == ([D], [0])
        assert play.keeper.using is None
        assert play.keeper.status().held is Hold.NOTHING_WORKS


async def test_after_a_yes_the_first_that_answers_is_used_and_not_the_first_that_was_proved() -> None:
    asked: list[Protection] = []
    before: list[int] = []
    ups: list[Upstream] = []
    async with played(3, consent=consenting(asked, before, lambda: ups[1:])) as play:
        ups += play.upstreams
        play.keeper.judged("best", ups[0].option(A))
        play.keeper.judged("low", ups[1].option(D, 2))  # faster, so it would come first
        play.keeper.judged("low too", ups[2].option(D, 3))
        await ups[0].kill()
        await ups[1].kill()
        await knock(play)
        await play.until(lambda: play.keeper.using is not None)
        assert course(play) == ["best", Hold.ONLY_LOWER, Hold.TRYING, "low too"]
        assert before == [0]
        assert ups[2].connections == 1  # the question whether it is alive, and nothing of a program
        quiet = play.keeper.status().quiet
        assert quiet is not None
        assert quiet < 5.0


async def test_a_yes_to_one_class_sends_nothing_to_the_one_below_it_which_gets_its_own_question() -> None:
    asked: list[Protection] = []
    before: list[int] = []
    ups: list[Upstream] = []
    async with played(3, consent=consenting(asked, before, lambda: ups[2:], no_to="D")) as play:
        ups += play.upstreams
        play.keeper.judged("best", ups[0].option(A))
        play.keeper.judged("middle", ups[1].option(C, 2))
        play.keeper.judged("low", ups[2].option(D, 3))
        await ups[0].kill()
        await ups[1].kill()
        await knock(play)
        await play.until(lambda: play.keeper.declined)
        assert asked == [C, D]
        assert course(play) == ["best", Hold.ONLY_LOWER, Hold.TRYING, Hold.ONLY_LOWER]
        assert ups[2].connections == 0


async def test_programs_are_refused_while_a_lower_class_is_tried() -> None:
    asked: list[Protection] = []
    ups: list[Upstream] = []
    async with played(2, consent=consenting(asked, [], list)) as play:
        ups += play.upstreams
        play.keeper.judged("best", ups[0].option(A))
        play.keeper.judged("low", ups[1].option(D, 2))
        ups[1].silent = True
        await ups[0].kill()
        await knock(play)
        await play.until(lambda: play.keeper.held is Hold.TRYING and ups[1].connections)
        refused = ups[1].connections
        await knock(play)
        assert ups[1].connections == refused
        assert play.keeper.using is None

"""What the line panel says in practice and where only an own test page was asked, and how its advice speaks of keys."""

import pytest

from client.diagnosis.kinds import Kind
from client.i18n import say
from client.model import Control, LineState, Status
from tests.tui.lines import found, verdict
from tests.tui.test_line_state import way, why
from tui import line_words
from tui.line_state import Name, State, view_of


@pytest.mark.parametrize("state", list(LineState))
def test_on_the_stage_nothing_is_said_of_the_line_but_what_came_through(state: LineState) -> None:
    view = view_of(
        Control(state=state), found(Kind.SNI_RESET), [verdict("socks5", Status.WORKING)], staged=True
    )
    assert "this is the stage" in say(view.kind)
    assert (way(view, Name.DIRECT).state, way(view, Name.DNS).state) == (State.UNKNOWN, State.UNKNOWN)
    assert way(view, Name.SOCKS).state is State.OPEN
    assert view.steps == ()


@pytest.mark.parametrize("kind", list(Kind))
def test_no_advice_on_the_screen_speaks_of_running_a_command_again(kind: Kind) -> None:
    for step in view_of(None, found(kind)).steps:
        assert "run it again" not in say(step)
        assert "command" not in say(step)


@pytest.mark.parametrize("state", list(LineState))
def test_an_own_test_page_that_answers_says_nothing_of_the_internet(state: LineState) -> None:
    view = view_of(Control(state=state, own=True, kib_per_s=900.0), None)
    told = "\n".join([say(view.kind), why(view, Name.DIRECT), *map(str, line_words.evidence(view, None))])
    assert "internet" not in told
    assert "✔" not in told
    assert way(view, Name.DIRECT).state is not State.OPEN
    assert line_words.compact(view).plain.find("open: without a proxy") < 0
    said = state in (LineState.HEALTHY, LineState.SLOW, LineState.IMPAIRED, LineState.NO_ANSWER)
    assert said == ("Your own test page" in say(view.kind))
    assert (way(view, Name.DIRECT).state is State.UNKNOWN) == (said or state is LineState.UNKNOWN)


def test_what_a_diagnosis_has_seen_counts_whatever_the_own_test_page_does() -> None:
    for state in (LineState.HEALTHY, LineState.NO_ANSWER):
        own = Control(state=state, own=True)
        for kind in (Kind.OPEN, Kind.ALLOW_LIST, Kind.SNI_RESET):
            assert way(view_of(own, found(kind)), Name.DIRECT) == way(view_of(None, found(kind)), Name.DIRECT)

"""What the line panel says in practice, and how its advice speaks of keys."""

import pytest

from client.diagnosis.kinds import Kind
from client.i18n import say
from client.model import Control, LineState, Status
from tests.tui.lines import found, verdict
from tests.tui.test_line_state import way
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

"""Sleep and another network, from readings that the test makes up, and the two questions to the routing table."""

import pytest

from client.connect.around import TICK, Change, Sleep, Way, local_address, still_ours


@pytest.mark.parametrize(
    ("ran", "passed", "slept"),
    [
        (TICK, TICK, False),
        (TICK + 3, TICK + 3, False),  # a busy machine
        (TICK, TICK + 4, False),  # a clock that was set right
        (TICK, TICK + 3600, True),  # the steady clock stands still while the machine sleeps (Linux)
        (3600, 3600, True),  # it goes on (Windows)
        (TICK, -7200, False),  # a clock that was set back
    ],
)
def test_sleep_shows_in_the_clocks(ran: float, passed: float, slept: bool) -> None:
    sleep = Sleep(100.0, 5000.0)
    assert not sleep.look(100.0 + TICK, 5000.0 + TICK)
    assert sleep.look(100.0 + TICK + ran, 5000.0 + TICK + passed) is slept
    assert not sleep.look(100.0 + 2 * TICK + ran, 5000.0 + 2 * TICK + passed)


def test_another_address_of_ours_is_another_network() -> None:
    way = Way()
    seen = [way.look(one) for one in ("10.0.0.2", "10.0.0.2", "10.9.0.7", None, None, "10.9.0.7")]
    assert seen == [None, None, Change.MOVED, Change.CUT_OFF, None, Change.BACK]


def test_after_another_option_the_first_look_tells_nothing() -> None:
    way = Way()
    way.look("10.0.0.2")
    way.forget()
    assert way.look("127.0.0.1") is None
    assert way.look("127.0.0.2") is Change.MOVED


def test_the_routing_table_names_the_address_that_leads_to_loopback() -> None:
    assert local_address("127.0.0.1") == "127.0.0.1"
    assert local_address("localhost") is None  # no name is ever looked up here


def test_an_address_that_this_machine_does_not_have_is_not_ours() -> None:
    assert still_ours("127.0.0.1")
    assert not still_ours("198.51.100.77")

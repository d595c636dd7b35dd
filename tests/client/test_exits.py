import pytest

from client.exits import Exit, of_run
from client.model import LineState

OPEN, GONE = LineState.HEALTHY, LineState.NO_NETWORK


@pytest.mark.parametrize(
    ("counts", "stopped", "line", "status"),
    [
        ({"working": 1, "failed": 9}, "", OPEN, 0),
        ({"working": 1}, "first", OPEN, 0),
        ({"working": 1}, "budget", OPEN, 0),
        ({"working": 1}, "", GONE, 0),
        ({"failed": 1}, "", OPEN, 1),
        ({"degraded": 1}, "", OPEN, 1),
        ({"hostile": 1, "untested": 5}, "", OPEN, 1),
        ({"degraded": 1}, "", GONE, 1),
        ({"untested": 5}, "", OPEN, 3),
        ({}, "", OPEN, 3),
        ({"failed": 5}, "", GONE, 3),
        ({"working": 5}, "interrupted", OPEN, 130),
        ({}, "interrupted", GONE, 130),
    ],
)
def test_the_exit_status_tells_what_was_found(
    counts: dict[str, int], stopped: str, line: LineState, status: int
) -> None:
    assert of_run(counts, stopped, line) == status


def test_the_numbers_are_a_contract() -> None:
    assert [int(one) for one in Exit] == [0, 1, 2, 3, 130, 141]

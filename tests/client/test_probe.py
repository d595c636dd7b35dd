"""What a climb notes beside the verdict; the ladder itself is tested through the engine and the drill."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from client.probe import _ahead
from client.targets import Page


@pytest.mark.parametrize("shift", [-7200, 0, 7200])
def test_an_answer_tells_by_how_much_our_clock_is_ahead(shift: int) -> None:
    page = Page(status=200, headers={"date": formatdate(time.time() - shift, usegmt=True)})
    ahead = _ahead(page)
    assert ahead is not None
    assert abs(ahead - shift) <= 2


@pytest.mark.parametrize("told", ["", "soon", "Sun, 99 Nov 9999 99:99:99 GMT", "0" * 5000])
def test_a_time_that_nobody_can_read_tells_nothing(told: str) -> None:
    assert _ahead(Page(status=200, headers={"date": told})) is None


def test_an_answer_without_a_time_tells_nothing() -> None:
    assert _ahead(Page(status=200)) is None

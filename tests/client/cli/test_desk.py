"""Questions on the terminal, and what somebody else's text may do there."""

from __future__ import annotations

import os
import select
import sys

import pytest

from client import consent
from client.cli.desk import at_desk, letter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")


def test_what_was_pasted_behind_the_last_answer_does_not_reach_the_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master, slave = os.openpty()
    try:
        monkeypatch.setattr(consent, "open_terminal", lambda: os.fdopen(os.dup(slave), "r", encoding="utf-8"))
        os.write(master, b"SY1/1abc:\nrm everything\n")
        with at_desk() as desk:
            assert desk is not None
            assert desk.ask("?") == "SY1/1abc:"
        assert not select.select([slave], [], [], 0.2)[0]
    finally:
        os.close(master)
        os.close(slave)


def test_a_letter_is_known_by_its_key_and_a_word_is_left_as_it_is() -> None:
    assert [letter(one) for one in ("й", "Ы", "л", "k", "кот", "")] == ["q", "s", "k", "k", "кот", ""]

"""The question itself; that it is asked before anything is sent: tests/client/cli/test_check.py."""

import pytest

from client import consent


def test_without_a_terminal_the_answer_is_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "open_terminal", lambda: None)
    assert consent.ask(["one"]) is None

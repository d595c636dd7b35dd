import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.text import printable, wrapped

SPOILS = (
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\x9b31m",
    "\r\n",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u2028",
    "\ufeff",
)


@pytest.mark.parametrize("spoil", SPOILS)
def test_nothing_that_moves_colours_or_reorders_passes(spoil: str) -> None:
    shown = printable(f"a{spoil}b")
    assert "\ufffd" in shown
    assert not any(
        char in shown for char in spoil if unicodedata.category(char)[0] == "C" or ord(char) == 0x2028
    )


@pytest.mark.parametrize("text", ["Прокси жұмыс істейді", "代理服务器", "می‌خواهم", "✔ 1.2.3.4:80 – é"])
def test_ordinary_text_of_every_language_passes(text: str) -> None:
    assert printable(text) == text


@given(st.text(), st.integers(1, 100))
def test_what_passes_is_short_and_holds_no_control_character(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    for char in shown:
        assert char == "\u200c" or unicodedata.category(char)[0] != "C"
        assert unicodedata.category(char) not in ("Zl", "Zp")


def test_a_cut_is_shown() -> None:
    assert printable("a" * 9, 5) == "aaaa…"
    assert printable("a" * 5, 5) == "aaaaa"


def test_long_lines_are_broken_at_blanks_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    line = "• " + " ".join(f"word{number}" for number in range(60))
    broken = wrapped(["Before:", line])
    assert max(map(len, broken)) < 60
    assert " ".join(broken).split() == ["Before:", *line.split()]
    assert all(part.startswith(("  ", "•", "Before")) for part in broken)

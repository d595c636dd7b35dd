"""The panic key in a real terminal: gone in under a second, and nothing left on it."""

from __future__ import annotations

import os
import sys
import time

import pytest

from tests.tui.test_run import OPEN, Terminal, terminal
from tui.panic import Presses

unix = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")

PANIC = b"\x18"
LIST = b"\x1b[200~socks5://127.0.0.1:1\x1b[201~"  # as a terminal pastes it
WAYS = {  # keys, and what is on the screen before the next ones
    "help": [(b"\x1bOP", b"this help, on every screen")],
    "commands": [(b"\x10", b"Type a few letters")],
    "country": [(b"1", b"In which country")],
    "list": [(b"2", b"one a line")],
    "file": [(b"2", b"one a line"), (b"\x0f", b"hidden ones too")],
    "question": [(b"2", b"one a line"), (LIST, b"1 to test"), (b"\x13", b"will be contacted")],
    "use": [(b"3", b"authentic content"), (b"u", b"Press c here")],
    "name of a file": [
        (b"3", b"authentic content"),
        (b"u", b"Press c here"),
        (b"e", b"Enter again writes"),
        (b"\r", b"f1"),
    ],
    "code": [
        (b"3", b"authentic content"),
        (b"u", b"Press c here"),
        (b"q", b"Show it now?"),
        (b"y", b"Whoever photographs"),
    ],
}
CYRILLIC = (
    b"\x1b[1095;5u"  # Ctrl and the letter of the same place, as terminals with the kitty protocol tell it
)
STUCK = """
import sys, time
from tui import app
async def stuck(self, wanted=""):
    time.sleep(30)
app.SanylauApp.action_language = stuck
sys.exit(app.run())
"""


def left(opened: Terminal, limit: float = 1.0) -> None:
    """Wait for the end, which has to come in time, and look at what the terminal was told."""
    began = time.monotonic()
    assert opened.rest() == 0
    assert time.monotonic() - began < limit
    said = opened.seen
    gone = said.rindex(b"\x1b[?1049l")
    emptied = said.rindex(b"\x1b[3J")
    assert gone < emptied
    assert b"\x1b[2J" in said[gone:]
    assert b"\x1b[?25h" in said[gone - 40 :]
    assert b"\x1b[?1003l" in said
    assert said[emptied:] == b"\x1b[3J"  # nothing is written after it


@unix
@pytest.mark.parametrize("key", [PANIC, CYRILLIC])
def test_two_presses_leave_at_once_and_empty_the_terminal(key: bytes) -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        os.write(opened.master, key)
        opened.read_until(b"Once more")
        os.write(opened.master, key)
        left(opened)


@unix
def test_it_works_inside_a_field_and_while_a_check_runs() -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        os.write(opened.master, b"3")
        opened.read_until(b"authentic content")
        os.write(opened.master, b"/")  # the search field
        time.sleep(0.2)
        os.write(opened.master, b"x" + PANIC + PANIC)
        left(opened)


@unix
@pytest.mark.parametrize("place", WAYS)
def test_it_works_on_every_screen_in_fields_and_in_questions(place: str) -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        time.sleep(0.3)  # the first screen takes keys now
        for keys, shown in WAYS[place]:
            os.write(opened.master, keys)
            opened.read_until(shown)
        os.write(opened.master, PANIC + PANIC)
        left(opened)


@unix
def test_it_works_while_a_paste_has_no_end() -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        os.write(opened.master, b"2")
        opened.read_until(b"one a line")
        os.write(opened.master, b"\x1b[200~socks5://127.0.0.1:1\r")
        for _press in range(2):
            time.sleep(0.4)
            os.write(opened.master, PANIC)
        left(opened)


@unix
def test_it_works_while_the_app_is_held_up() -> None:
    with terminal(STUCK) as opened:
        opened.read_until(b"Practise")
        os.write(opened.master, b"\x1bOR")  # F3
        time.sleep(0.3)
        os.write(opened.master, PANIC + PANIC)
        left(opened)


@unix
def test_the_terminal_is_set_as_before() -> None:
    import termios

    with terminal(OPEN) as opened:
        before = termios.tcgetattr(opened.master)
        opened.read_until(b"Practise")
        assert termios.tcgetattr(opened.master)[3] != before[3]  # no echo while the screen is open
        os.write(opened.master, PANIC + PANIC)
        left(opened)
        assert termios.tcgetattr(opened.master)[3] == before[3]


@unix
def test_one_press_and_two_slow_ones_only_say_what_a_second_does() -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        for _press in range(2):
            os.write(opened.master, PANIC)
            opened.read_until(b"Once more")
            time.sleep(1.2)
        assert opened.process.poll() is None
        os.write(opened.master, b"\x11")  # Ctrl-Q
        assert opened.rest() == 0


def test_only_a_second_press_within_a_second_counts_and_a_third_begins_anew() -> None:
    presses = Presses()
    assert [presses.press(now) for now in (0.0, 1.5, 2.4, 2.5, 3.4)] == [False, False, True, False, True]

"""What is pasted never acts as keys, however it comes in."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste
from textual.message import Message

from tests.tui.test_run import OPEN, terminal
from tui import intake, panic, pasting
from tui.pasting import PasteParser, text_of

BEGIN, END = "\x1b[200~", "\x1b[201~"
LIST = "socks5://127.0.0.1:1\nhttp://127.0.0.1:2\tmine\nобход 漢"

signs = st.text(max_size=60) | st.sampled_from(
    ["\x1b", "\x1b[", "\x1b[20", "\x18\x18", "\x12", "\r\n", BEGIN, "?"]
)
texts = st.lists(signs, max_size=8).map("".join).filter(lambda text: END not in f"{text}{END}"[:-1])


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(pasting, "monotonic", stopped)
    monkeypatch.setattr("textual._parser.get_time", stopped)
    return stopped


def cut(text: str, places: list[int]) -> Iterator[str]:
    ends = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    for start, end in pairwise(ends):
        yield text[start:end]


def heard(parser: PasteParser, *pieces: str) -> list[str]:
    """Feed and return what it meant: keys by name, pastes by their text after a mark."""
    return [said(message) for piece in pieces for message in parser.feed(piece)]


def said(message: Message) -> str:
    assert isinstance(message, Key | Paste), message
    return message.key if isinstance(message, Key) else f"pasted:{message.text}"


@pytest.fixture(scope="module")
def at_once() -> Iterator[None]:
    """Let no time pass: a machine that halts in the middle of a paste is another case."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pasting, "monotonic", lambda: 100.0)
        yield


@pytest.mark.usefixtures("at_once")
@given(texts)
def test_a_paste_is_one_text_byte_by_byte(text: str) -> None:
    wanted = [f"pasted:{text_of(text)}"] if text_of(text) else []
    assert heard(PasteParser(), "a", *BEGIN, *text, *END, "b") == ["a", *wanted, "b"]


@given(texts, st.lists(st.integers(0, 10_000), max_size=20))
def test_a_paste_is_one_text_in_whatever_parts_it_comes(text: str, places: list[int]) -> None:
    wanted = [f"pasted:{text_of(text)}"] if text_of(text) else []
    pieces = cut(f"\x18{BEGIN}{text}{END}\x12", places)
    assert heard(PasteParser(), *pieces) == ["ctrl+x", *wanted, "ctrl+r"]


@given(st.text())
def test_what_is_handed_on_acts_on_no_terminal_and_loses_no_line(text: str) -> None:
    clean = text_of(text)
    assert not {char for char in clean if char < " " or "\x7f" <= char <= "\x9f"} - {"\n", "\t"}
    assert clean == text_of(clean)
    assert [line for line in clean.split("\n") if line] == [
        kept for line in text.splitlines() if (kept := text_of(line))
    ]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\x1bb\x18\x18\x12c", "abc"),
        ("a\rb\r\nc\x85d", "a\nb\nc\nd"),
        ("\x1b[1;32msocks5://[2a00::1]:1\x1b[0m\x1b[K", "socks5://[2a00::1]:1"),
        ("\x1b[::1]:1080", "[::1]:1080"),  # no colour
        (f"a{BEGIN}b", "ab"),
        ("\x00\x7f\x9b", ""),
    ],
)
def test_only_what_acts_is_taken_out(raw: str, clean: str) -> None:
    assert text_of(raw) == clean


def test_a_begin_inside_a_paste_and_an_end_with_another_end_behind_it_were_pasted() -> None:
    inside = f"a\n{BEGIN}b\n{END}\x18\x18y\n"
    assert heard(PasteParser(), f"{BEGIN}{inside}{END}s") == ["pasted:a\nb\ny\n", "s"]


def test_two_pastes_in_one_read_are_two() -> None:
    assert heard(PasteParser(), f"{BEGIN}a{END}{BEGIN}b{END}") == ["pasted:a", "pasted:b"]
    assert heard(PasteParser(), END, f"{BEGIN}{END}", "x") == ["x"]


def test_a_paste_without_an_end_is_text_after_a_while_and_keys_are_keys_again(clock: Clock) -> None:
    parser = PasteParser()
    assert heard(parser, f"x{BEGIN}a\x1b\x18", "\x18\x1b[20") == ["x"]
    clock.now += pasting.SILENCE - 0.1
    assert list(parser.tick()) == []
    assert heard(parser, "y") == []  # it goes on: a slow line is no end
    clock.now += pasting.SILENCE - 0.1
    assert list(parser.tick()) == []
    clock.now += 0.2
    assert [*map(said, parser.tick())] == ["pasted:a[20y"]
    assert heard(parser, "\x18", END, "q") == ["ctrl+x", "q"]  # an end that is late is nothing


def test_a_begin_that_comes_in_parts_over_a_slow_line_presses_nothing(clock: Clock) -> None:
    for place in range(3, len(BEGIN)):
        parser = PasteParser()
        assert heard(parser, BEGIN[:place]) == []
        clock.now += 1.0
        assert list(parser.tick()) == []
        assert heard(parser, f"{BEGIN[place:]}12y\x18", f"\x18{END}") == ["pasted:12y"]


def test_keys_are_what_they_were(clock: Clock) -> None:
    parser = PasteParser()
    assert heard(parser, "\x1bOP", "\x1b[A", "\x13", "?", "\r", "ж", "\x1b[1095;5u") == [
        *("f1", "up", "ctrl+s", "question_mark", "enter", "ж", "ctrl+ч"),
    ]
    assert heard(parser, "\x1b") == []
    clock.now += 0.2
    assert [*map(said, parser.tick())] == ["escape"]
    assert heard(parser, "\x1b[2") == []
    clock.now += pasting.SILENCE
    assert len([*parser.tick()]) == 2  # no begin marker after all


def test_a_list_without_brackets_is_text_as_well_and_what_hands_type_is_not(clock: Clock) -> None:
    parser = PasteParser()
    assert heard(parser, "1", "2yn\r", "\x7f" * 50, "j" * 50) == [
        *("1", "2", "y", "n", "enter"),
        *["backspace"] * 50,
        *"j" * 50,
    ]
    assert heard(parser, "socks5://127.0.0.1:1\r\x18\x18socks5", "://127.0.0.1:2\r", "y") == []
    assert list(parser.tick()) == []
    clock.now += pasting.PAUSE
    assert [*map(said, parser.tick())] == ["pasted:socks5://127.0.0.1:1\nsocks5://127.0.0.1:2\ny"]
    assert heard(parser, "y") == ["y"]
    assert heard(parser, "http://127.0.0.1:3", "\x1b[B") == ["pasted:http://127.0.0.1:3", "down"]


@pytest.mark.parametrize("press", ["\x18", "\x1b[1095;5u", "\x1b[120;5u"])
def test_the_panic_key_is_a_press_in_a_paste_that_has_no_end(clock: Clock, press: str) -> None:
    parser = PasteParser()
    assert heard(parser, f"{BEGIN}socks5://127.0.0.1:1\x1b[20") == []
    pressed = []
    for _time in range(2):
        clock.now += 0.4
        assert list(parser.tick()) == []
        pressed += heard(parser, press)
    assert [key in panic.KEYS for key in pressed] == [True, True]
    clock.now += pasting.SILENCE - 0.7  # the presses were not waited for
    assert [*map(said, parser.tick())] == ["pasted:socks5://127.0.0.1:1[20"]


def test_two_presses_in_one_read_or_close_together_count_as_well(clock: Clock) -> None:
    for reads in (["\x18\x18"], ["\x18", "\x18"]):
        parser = PasteParser()
        heard(parser, f"{BEGIN}1")
        clock.now += 0.3
        pressed = []
        for read in reads:
            pressed += heard(parser, read)
            clock.now += 0.1
        assert pressed == ["ctrl+x", "ctrl+x"]
        assert heard(parser, f"2{END}") == ["pasted:12"]


def test_the_panic_key_in_the_middle_of_a_paste_is_text_and_keeps_nothing_open(clock: Clock) -> None:
    parser = PasteParser()
    assert heard(parser, BEGIN, "1") == []
    for _time in range(2):
        clock.now += 0.1
        assert heard(parser, "\x18\x18") == []
    assert heard(parser, "\x18\x18\x18") == []  # nobody presses three times between two reads
    clock.now += 0.2
    assert heard(parser, "\x18\x18", "2\x18\x18", f"\x18\x18{END}", "q") == ["pasted:12", "q"]


@pytest.mark.parametrize("key", ["\t", "\r", "\x7f"])
def test_a_key_and_what_is_typed_behind_it_are_keys(clock: Clock, key: str) -> None:
    name, *typed = heard(PasteParser(), f"{key}127.0.0.1:9854\r")
    assert name in ("tab", "enter", "backspace")
    assert len(typed) == len("127.0.0.1:9854\r")
    lines = f"{key}socks5://127.0.0.1:1\rsocks5://127.0.0.1:2"
    assert heard(PasteParser(), lines, "\x1b[B")[-1] == "down"
    assert heard(PasteParser(), lines) == []  # a list, though it begins with an empty line


def test_the_next_line_of_a_list_that_comes_line_by_line_is_no_typing(clock: Clock) -> None:
    parser = PasteParser()
    assert heard(parser, "socks5://127.0.0.1:1") == []
    for number in range(3):
        clock.now += 0.5
        assert [*map(said, parser.tick())]
        assert heard(parser, f"\rsocks5://127.0.0.1:{number}") == []


def test_more_than_can_be_taken_is_not_kept_and_is_told() -> None:
    pieces = ["x" * 4096] * 4096
    (message,) = heard(PasteParser(), BEGIN, *pieces, END)
    assert len(message) == len("pasted:") + pasting.LARGEST
    assert pasting.LARGEST == intake.LARGEST + 1


@pytest.mark.parametrize("name", pasting._READERS)
def test_every_driver_makes_its_parser_by_the_name_that_is_put_in_its_place(name: str) -> None:
    spec = importlib.util.find_spec(f"textual.drivers.{name}")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text()
    assert "parser = XTermParser(" in source
    assert "from textual._xterm_parser import XTermParser" in source
    if name != "win32":  # there, characters are read
        assert 'getincrementaldecoder("utf-8")()' in source


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
def test_bytes_that_are_no_utf_8_are_text_too_and_the_screen_lives() -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        os.write(opened.master, b"\x1b[200~socks5://127.0.0.1:1#\xec\xee\xe9\xff\x1b[201~")
        opened.read_until(b"1 entry read")
        os.write(opened.master, b"\x11")
        assert opened.rest() == 0

"""Partly in a process of its own: that has a controlling terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from client import parse, piped
from transports.types import Rejected

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

ROOT = Path(__file__).parents[2]


BECOME_ITS_OWN = "import os; os.close(os.open(os.ttyname(1), os.O_RDWR))\n"
"""A leader of a session that opens a terminal has it as its controlling one from then on."""


def at_terminal(program: str, given: bytes, typed: bytes) -> str:
    """Run a program with a controlling terminal, but `given` on standard input; return what it wrote."""
    master, slave = os.openpty()
    os.write(master, typed)
    with subprocess.Popen(
        [sys.executable, "-c", BECOME_ITS_OWN + textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        cwd=ROOT,
    ) as child:
        os.close(slave)
        assert child.stdin is not None
        child.stdin.write(given)
        child.stdin.close()
        shown = read_all(master)
    os.close(master)
    return shown.decode("utf-8", "replace")


def read_all(master: int) -> bytes:
    shown = b""
    with suppress(OSError):  # how Linux says that the other end has gone
        while part := os.read(master, 65536):
            shown += part
    return shown


TAKE = """
    import sys
    from client import piped
    print("piped", piped.is_piped())
    text = piped.take()
    print("took", len(text), text.count(chr(10)))
    print("terminal", sys.stdin.isatty(), sys.__stdin__.fileno())
    print("typed", input())
"""


def test_the_list_comes_from_the_pipe_and_the_keys_from_the_terminal() -> None:
    shown = at_terminal(TAKE, b"socks5://127.0.0.1:1\nsocks5://127.0.0.1:2\n", b"hello\n")
    assert "piped True" in shown
    assert "took 42 2" in shown
    assert "terminal True 0" in shown
    assert "typed hello" in shown


def test_an_empty_pipe_is_an_empty_list() -> None:
    assert "took 0 0" in at_terminal(TAKE, b"", b"x\n")


def test_what_is_no_text_is_turned_away_before_the_screen_opens() -> None:
    program = """
        from client import piped
        from transports.types import Rejected
        try:
            piped.take()
        except Rejected as rejected:
            print("said", rejected.reason)
    """
    assert "said a binary file" in at_terminal(program, b"\x7fELF\0\0", b"")


def test_without_a_controlling_terminal_nothing_is_taken() -> None:
    program = "from client import piped; print(piped.is_piped())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=b"x",
        capture_output=True,
        check=True,
        start_new_session=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == b"False"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal in place of the controlling one; what it has been sent can be read from descriptor 0."""
    before = os.dup(0)
    master, slave = os.openpty()
    monkeypatch.setattr(piped, "_TERMINAL", os.ttyname(slave))
    yield master
    os.dup2(before, 0)
    for number in (before, master, slave):
        os.close(number)


def given(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_descriptor_zero_is_the_terminal_after_the_list_was_taken(
    terminal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, b"\xef\xbb\xbfsocks5://127.0.0.1:1\n")
    assert piped.take() == "socks5://127.0.0.1:1\n"
    os.write(terminal, b"key\n")
    assert os.isatty(0)
    assert os.read(0, 10) == b"key\n"


def test_a_list_that_is_too_large_is_turned_away(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, b"x" * (parse.LARGEST + 1))
    with pytest.raises(Rejected, match="split it"):
        piped.take()


def test_where_there_is_no_terminal_to_type_on_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piped, "_TERMINAL", "/nowhere/tty")
    given(monkeypatch, b"")
    assert not piped.is_piped()
    with pytest.raises(Rejected, match="no keys can be read"):
        piped.take()


def test_a_pipe_is_known_where_the_rest_is_a_terminal(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, b"")
    with open(piped._TERMINAL, "w") as shown:
        monkeypatch.setattr(sys, "stdout", shown)
        assert not piped.is_piped()
        monkeypatch.setattr(sys, "stderr", shown)
        assert piped.is_piped()
        monkeypatch.undo()

"""Locks between processes, and lines that are typed unseen."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.platform import descriptor_line, hidden_line, locked

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
HOLDER = """
import sys
from pathlib import Path
from client.platform import locked
with locked(Path(sys.argv[1]), 5.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    import pty

    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_a_lock_keeps_another_process_out_until_that_ends_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError), locked(tmp_path, 0.1):
            pytest.fail("two hold the lock")
        holder.kill()
        with locked(tmp_path, 5.0):
            pass


def test_a_lock_holds_within_one_process_too_and_is_waited_for(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path, 5.0):
            order.append("second")

    waiting = threading.Thread(target=second)
    with locked(tmp_path, 1.0):
        waiting.start()
        time.sleep(0.1)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


@posix
def test_a_lock_leaves_no_file(tmp_path: Path) -> None:
    with locked(tmp_path, 1.0):
        assert list(tmp_path.iterdir()) == []


@posix
def test_what_is_no_folder_cannot_be_locked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "none"):
        with pytest.raises(OSError), locked(tmp_path / name, 0.1):  # noqa: PT011 - each system has its own words
            pytest.fail("locked")


def _type(master: int, text: str) -> None:
    os.write(master, text.encode())


@posix
def test_a_line_that_is_typed_is_not_shown_and_the_terminal_shows_again(terminal: tuple[int, int]) -> None:
    import termios

    master, slave = terminal
    before = termios.tcgetattr(slave)
    # Whoever answers the moment the question is there is heard, and not shown.
    line = hidden_line(slave, 100, lambda: _type(master, "сөз\n"))
    assert line is not None
    assert line.decode() == "сөз"
    assert termios.tcgetattr(slave) == before
    assert os.read(master, 100) == b"\r\n"  # the end of the line alone


@posix
def test_what_was_typed_before_the_question_is_no_answer(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    os.write(master, b"too early\n")
    line = hidden_line(slave, 100, lambda: _type(master, "in time\n"))
    assert line is not None
    assert line.decode() == "in time"


@pytest.mark.parametrize(
    ("data", "limit", "line"),
    [
        (b"abc\nrest", 3, b"abc"),
        (b"abcd\n", 3, None),
        (b"abc\r\n", 3, b"abc"),
        (b"abcd\r\n", 3, None),
        (b"abc", 9, b"abc"),
        (b"\n", 3, b""),
        (b"", 3, b""),
        (b"\r\n", 3, b""),
        (b"a" * 150 + b"\n", 3, None),
    ],
)
def test_a_line_ends_at_its_end_and_a_longer_one_is_none(data: bytes, limit: int, line: bytes | None) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, data)
        os.close(writing)
        assert descriptor_line(reading, limit) == line
        assert os.read(reading, 99) == (b"rest" if data.endswith(b"rest") else b"")
    finally:
        os.close(reading)

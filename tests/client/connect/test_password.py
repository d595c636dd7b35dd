import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from client.connect.password import Guesses, drawn, from_file, matches
from tests.test_architecture import ROOT
from transports.types import Rejected

ASK = "from client.connect.password import asked; print(repr(asked('Password: ')))"


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret\n", "secret"),
        (b"secret", "secret"),
        (b"two words \r\nand no more", "two words "),
        ("құпия\n".encode(), "құпия"),
        (b"\xef\xbb\xbfsecret\n", "secret"),
        (b"x" * 255 + b"\n", "x" * 255),
    ],
)
def test_the_first_line_of_the_file_is_the_password(tmp_path: Path, content: bytes, password: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    assert from_file(str(file)) == password


@pytest.mark.parametrize(
    "content", [b"", b"\nsecret\n", b"x" * 256, b"x" * 10_000, b"\xff\xfe\n", b"a\0b\n", b"a\tb"]
)
def test_a_file_without_a_usable_password_is_rejected(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    with pytest.raises(Rejected):
        from_file(str(file))


def test_a_file_that_cannot_be_read_is_rejected(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(Rejected):
            from_file(str(path))


def test_a_drawn_password_can_be_typed_and_is_never_the_same() -> None:
    words = {drawn() for _ in range(100)}
    assert len(words) == 100
    assert all(re.fullmatch(r"([a-km-z2-9]{5}-){3}[a-km-z2-9]{5}", word) for word in words)


@pytest.mark.parametrize(
    ("given", "same"),
    [("құпия", True), ("", False), ("құпи", False), ("құпия ", False), ("x", False)],
)
def test_passwords_are_compared_whole(given: str, same: bool) -> None:
    assert matches(given.encode(), "құпия") is same


def test_without_a_terminal_nobody_is_asked() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        input=b"from standard input\n",
        capture_output=True,
        timeout=30,
        check=True,
        start_new_session=True,
    )
    assert run.stdout == b"None\n"


@pytest.mark.skipif(sys.platform == "win32", reason="its terminals are others")
@pytest.mark.parametrize(("typed", "told"), [(b"secret\n", b"'secret'"), (b"\n", b"''")])
def test_the_terminal_is_asked_and_does_not_show_the_answer(typed: bytes, told: bytes) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", ASK])
    shown = b""
    try:
        while b"Password: " not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, typed)
        while told not in shown:
            shown += os.read(terminal, 1000)
    except OSError:  # the terminal ends with its program
        pass
    finally:
        os.waitpid(child, 0)
        os.close(terminal)
    assert told in shown
    assert typed.strip() not in shown.replace(told, b"") or typed == b"\n"


def test_wrong_passwords_of_one_address_wait_longer_each_up_to_a_limit() -> None:
    guesses = Guesses()
    assert [guesses.wrong("one", 100.0) for _ in range(3)] == [0.5, 1.0, 1.5]
    assert guesses.wrong("other", 100.0) == 0.5
    assert [guesses.wrong("one", 100.0) for _ in range(30)][-1] == 5.0
    assert guesses.wrong("one", 200.0) == 0.5


def test_only_so_many_addresses_are_remembered() -> None:
    guesses = Guesses()
    for number in range(2000):
        guesses.wrong(str(number), 1.0)
    assert len(guesses._until) == 256
    assert guesses.wrong("1999", 1.0) == 1.0
    assert guesses.wrong("0", 1.0) == 0.5

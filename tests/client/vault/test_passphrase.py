"""The passphrase from a descriptor, and what becomes of it. (On a terminal: tests/client/cli/test_vault.py.)"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.vault.passphrase import LONGEST, asked, chosen, forget, from_descriptor, weigh
from transports.types import Rejected

ROOT = Path(__file__).parents[3]
posix = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")


@contextmanager
def pipe(data: bytes) -> Iterator[int]:
    reading, writing = os.pipe()
    try:
        os.write(writing, data)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_the_passphrase_is_the_first_line(end: bytes) -> None:
    with pipe("алты сөз, six words".encode() + end) as number:
        assert from_descriptor(number).decode() == "алты сөз, six words"


def test_not_a_byte_more_than_the_line_is_read() -> None:
    with pipe(b"first line\nsecond line\nrest") as number:
        assert from_descriptor(number) == b"first line"
        assert from_descriptor(number) == b"second line"
        assert os.read(number, 99) == b"rest"


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()))
def test_every_line_of_text_is_a_passphrase(text: str) -> None:
    with pipe(text.encode() + b"\n") as number:
        assert from_descriptor(number).decode() == text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no passphrase"),
        (b"\n", "no passphrase"),
        (b"\r\n", "no passphrase"),
        (b"x" * 1025, "too long"),
        (b"x" * 60_000, "too long"),
        (b"a\x1b[2Jb\n", "control"),
        (b"a\0b\n", "control"),
        (b"\xff\xfe\n", "text"),
    ],
)
def test_what_is_no_passphrase_is_refused_without_being_repeated(data: bytes, why: str) -> None:
    with pipe(data) as number, pytest.raises(Rejected, match=why) as caught:
        from_descriptor(number)
    assert not caught.value.values


def test_the_longest_passphrase_is_taken() -> None:
    with pipe(b"x" * LONGEST + b"\n") as number:
        assert from_descriptor(number) == b"x" * LONGEST


def test_a_descriptor_that_is_not_open_is_named() -> None:
    with pytest.raises(Rejected) as caught:
        from_descriptor(54321)
    assert caught.value.values == {"n": 54321}


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_a_terminal_is_no_descriptor_to_read_from_for_it_would_show_the_passphrase() -> None:
    import pty

    master, slave = pty.openpty()
    try:
        with pytest.raises(Rejected, match="would show it"):
            from_descriptor(slave)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    "weak", ["", "short", "nine char", "aaaaaaaaaaaaaaaa", "ababababababab", "қысқа сөз"]
)
def test_a_new_passphrase_that_is_guessed_soon_is_refused(weak: str) -> None:
    with pytest.raises(Rejected, match="guessed"):
        weigh(bytearray(weak.encode()))


@pytest.mark.parametrize("good", ["ten chars!", "ұзақ құпия сөз", "correct horse battery staple"])
def test_a_longer_one_is_taken(good: str) -> None:
    weigh(bytearray(good.encode()))


def test_a_forgotten_passphrase_is_overwritten_in_its_place() -> None:
    one, other = bytearray(b"first"), bytearray(b"second one")
    forget(one, other)
    assert (bytes(one), bytes(other)) == (bytes(5), bytes(10))


OPENER = """
import sys
from pathlib import Path
from client.vault import passphrase
from client.vault.store import Vault
given = passphrase.from_descriptor(0)
print("held", flush=True); passphrase.from_descriptor(0)
vault = Vault.open(Path(sys.argv[1]), given)
passphrase.forget(given)
print("open", flush=True); passphrase.from_descriptor(0)
vault.set_passphrase(bytearray(b"another one"))
"""


def found(process: int, needle: bytes) -> int:
    """Count how often `needle` stands in another process's memory."""
    count = 0
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            area, rights = line.split()[:2]
            if rights[:2] != "rw" or "[v" in line:
                continue
            start, end = (int(part, 16) for part in area.split("-"))
            with suppress(OSError):
                memory.seek(start)
                count += memory.read(end - start).count(needle)
    return count


@pytest.mark.skipif(sys.platform != "linux", reason="looks into a process's memory")
def test_after_a_vault_was_opened_its_passphrase_is_nowhere_in_memory(
    tmp_path: Path, cheap: None, passphrase: bytearray
) -> None:
    from client.vault.store import Vault

    Vault.create(tmp_path / "vault", passphrase)
    command = [sys.executable, "-c", OPENER, str(tmp_path / "vault")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(passphrase + b"\n")
        assert process.stdout.readline() == b"held\n"
        assert found(process.pid, bytes(passphrase)) == 1
        process.stdin.write(b"go on\n")
        assert process.stdout.readline() == b"open\n"
        assert found(process.pid, bytes(passphrase)) == 0
        assert found(process.pid, bytes(passphrase)[:16]) == 0
        process.stdin.write(b"go on\n")
    assert process.returncode == 0


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Give this process a terminal of its own, and somebody who types an answer as soon as it is not shown."""
    import pty
    import termios

    from client import consent

    master, slave = pty.openpty()
    monkeypatch.setattr(consent, "open_terminal", lambda: os.fdopen(os.dup(slave), "r", encoding="utf-8"))
    threads: list[threading.Thread] = []
    shown: list[str] = []

    def answer(answers: tuple[str, ...]) -> None:
        for one in answers:
            until = time.monotonic() + 10
            while termios.tcgetattr(master)[3] & termios.ECHO and time.monotonic() < until:
                time.sleep(0.005)
            os.write(master, one.encode() + b"\n")
            while not termios.tcgetattr(master)[3] & termios.ECHO and time.monotonic() < until:
                time.sleep(0.001)

    def types(*answers: str) -> list[str]:
        threads.append(threading.Thread(target=answer, args=(answers,)))
        threads[-1].start()
        return shown

    yield types
    for thread in threads:
        thread.join()
    shown.append(os.read(master, 4096).decode())
    assert not any("secret" in one for one in shown)
    os.close(master)
    os.close(slave)


@posix
def test_an_answer_on_the_terminal_is_not_shown(typist: Callable[..., list[str]]) -> None:
    typist("my secret, ұзақ")
    given = asked("Passphrase?")
    assert given is not None
    assert given.decode() == "my secret, ұзақ"


@posix
def test_a_new_one_is_asked_for_twice(typist: Callable[..., list[str]]) -> None:
    typist("a secret of words", "a secret of words")
    given = chosen("New?")
    assert given is not None
    assert given.decode() == "a secret of words"


@posix
@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (("a secret of words", "a secret of sords"), "not the same"),
        (("secret",), "guessed"),
        (("",), "no passphrase"),
        (("a secret of words", ""), "no passphrase"),
    ],
)
def test_a_new_one_that_is_weak_or_not_repeated_is_refused(
    typist: Callable[..., list[str]], answers: tuple[str, ...], why: str
) -> None:
    typist(*answers)
    with pytest.raises(Rejected, match=why):
        chosen("New?")


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from client import consent

    monkeypatch.setattr(consent, "open_terminal", lambda: None)
    assert asked("Passphrase?") is None
    assert chosen("New?") is None


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="a file without an end")
def test_a_descriptor_that_never_comes_to_an_end_is_refused() -> None:
    endless = os.open("/dev/zero", os.O_RDONLY)
    try:
        with pytest.raises(Rejected):
            from_descriptor(endless)
    finally:
        os.close(endless)

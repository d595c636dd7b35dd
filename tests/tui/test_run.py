"""The screen in a real terminal: how it ends."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")

OPEN = "import sys; from tui.app import run; sys.exit(run())"
BREAK = """
import sys
from tui import app
def broken(self):
    secret = "socks5://127.0.0.77:1"
    raise LookupError(secret)
app.SanylauApp.action_explain = broken
sys.exit(app.run())
"""


class Terminal:
    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self.master = master
        self.seen = b""

    def read_until(self, text: bytes, limit: float = 30.0) -> None:
        end = time.monotonic() + limit
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0, self.seen[-2000:]
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:  # Linux says so when the other end has gone
                    raise AssertionError(self.seen[-2000:]) from None

    def rest(self) -> int:
        try:
            while data := os.read(self.master, 65536):
                self.seen += data
        except OSError:
            pass
        return self.process.wait(20)


@contextmanager
def terminal(code: str) -> Iterator[Terminal]:
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.parametrize("number", [getattr(signal, name, 0) for name in ("SIGTERM", "SIGINT", "SIGHUP")])
def test_a_signal_gives_the_terminal_back(number: int) -> None:
    with terminal(OPEN) as opened:
        opened.read_until(b"Practise")
        opened.process.send_signal(number)
        assert opened.rest() == 0
        assert b"\x1b[?1049l" in opened.seen
        assert b"Traceback" not in opened.seen


def test_an_error_of_the_screen_gives_one_line_and_no_values() -> None:
    with terminal(BREAK) as opened:
        opened.read_until(b"Practise")
        os.write(opened.master, b"\x1bOP")
        assert opened.rest() == 3
        assert b"the screen broke down (LookupError)" in opened.seen
        assert b"127.0.0.77" not in opened.seen
        assert b"Traceback" not in opened.seen

"""The real program in a real terminal, tmux, as a person uses it: only keys go in, only what is shown is looked at."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from client.drill.stage import stage
from tests.client.cli.commands import ROOT, surroundings
from tests.tui.support import listed

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
    pytest.mark.skipif(sys.platform == "win32", reason="no tmux"),
]

SIZE = (80, 24)
LIMIT = 30.0
PROMPT = "the shell is back"
FOUND = r"✔ working +[ABCD] "  # a row; the line of the filters has the word too
PROGRAM = f"{sys.executable} -m client"


@dataclass(frozen=True, slots=True)
class Tmux:
    """One terminal of its own, with a shell in it."""

    socket: Path

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *words], capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def write(self, text: str) -> None:
        self.run("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        subprocess.run(
            ["tmux", "-S", str(self.socket), "load-buffer", "-"],
            input=text,
            text=True,
            timeout=10,
            check=True,
        )
        self.run("paste-buffer", "-p", "-r")  # as a terminal pastes: in brackets

    def send(self, data: bytes) -> None:
        """Send bytes as they are, as a terminal does that takes nothing out of a paste."""
        self.run("send-keys", "-H", *(f"{byte:02x}" for byte in data))

    def shown(self) -> str:
        return self.run("capture-pane", "-p")

    def told(self, what: str) -> str:
        return self.run("display-message", "-p", f"#{{{what}}}").strip()

    def until(self, text: str, limit: float = LIMIT) -> float:
        """Wait for a text to be shown; return the seconds that it took."""
        began = time.monotonic()
        while not re.search(text, self.shown()):
            assert time.monotonic() - began < limit, f"{text!r} is not shown:\n{self.shown()}"
            time.sleep(0.02)
        return time.monotonic() - began

    def start(self, command: str) -> None:
        """Run a command in the shell, and say when and how it has ended."""
        self.write(f"{command}; echo {PROMPT}, $?\n")


@contextmanager
def tmux(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Tmux]:
    terminal = Tmux(folder / "tmux")
    environment = surroundings({"LC_ALL": "C.UTF-8", "LANGUAGE": "en", "PS1": "$ ", **(more or {})})
    wide, high = map(str, SIZE)
    subprocess.run(
        [
            "tmux",
            "-S",
            str(terminal.socket),
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            wide,
            "-y",
            high,
            "sh",
        ],
        env=environment | {"TERM": "xterm-256color"},
        cwd=ROOT,
        timeout=10,
        check=True,
    )
    try:
        yield terminal
    finally:
        server = int(terminal.run("display-message", "-p", "#{pid}"))
        terminal.run("kill-server")
        end = time.monotonic() + 5
        while Path(f"/proc/{server}").exists() and time.monotonic() < end:
            time.sleep(0.02)


def is_restored(terminal: Tmux) -> None:
    """The shell has its screen, its cursor and its echo back, and nothing of ours is on it."""
    assert terminal.told("alternate_on") == "0"
    assert terminal.told("cursor_flag") == "1"
    assert terminal.told("mouse_any_flag") == "0"
    assert terminal.told("pane_current_command") == "sh"
    terminal.write("stty -a | tr ' ' '\\n' | grep -x echo; echo typed-and-seen\n")
    terminal.until(r"(?m)^echo$")
    terminal.until(r"(?m)^typed-and-seen$")
    assert "Sanylau" not in terminal.shown()


def test_from_the_start_to_the_first_working_option_is_one_key_and_leaving_restores_the_terminal(
    tmp_path: Path,
) -> None:
    with tmux(tmp_path) as terminal:
        terminal.start(PROGRAM)
        terminal.until("Find a way out")
        terminal.press("3")
        terminal.until(FOUND)
        assert "practice: nothing leaves this machine" in terminal.shown()
        terminal.press("Enter")  # the details of the entry under the cursor
        terminal.until("authentic content came through")
        terminal.press("Escape")
        time.sleep(0.3)
        terminal.press("s")
        terminal.until("Stopped after|Done in")
        terminal.press("Escape")
        terminal.until("f4 Results")
        terminal.press("C-q")
        terminal.until(f"{PROMPT}, 0")
        is_restored(terminal)


async def test_a_pasted_list_is_checked_after_a_yes_and_the_first_working_one_is_used(tmp_path: Path) -> None:
    import asyncio

    names = ["good-socks5", "refused-http", "tarpit-http", "captive"]
    async with stage(names) as played:
        authority = tmp_path / "ca.pem"
        authority.write_text(played.origin.ca_pem)
        base = f"https://127.0.0.1:{played.origin.https_port}"
        wishes = (
            f"Wishes(target='{base}/small', bulk_target='{base}/bulk', target_ca='{authority}', profile='fast',"
            f" plain_target='http://127.0.0.1:{played.origin.http_port}/plain', timeout=20.0)"
        )
        script = tmp_path / "own.py"
        script.write_text(
            f"import sys\nfrom client.check import Wishes\nfrom tui.app import run\nsys.exit(run({wishes}))\n"
        )

        def use() -> None:
            with tmux(tmp_path) as terminal:
                terminal.start(f"{sys.executable} {script}")
                terminal.until("Find a way out")
                terminal.press("2")
                terminal.until("the list")
                terminal.paste(listed(played))
                terminal.until("4 to test")
                terminal.press("C-s")
                terminal.until("4 entries of your list will be contacted")
                assert played.origin.seen.connections == 0
                terminal.press("y")
                terminal.until(FOUND)
                terminal.press("Home", "u")
                terminal.until("Sanylau › Use it")
                assert str(played.parts[0].port) not in terminal.shown()
                terminal.press("Escape")
                terminal.until("Sanylau › Results")
                terminal.press("s")
                terminal.until("Stopped after|Done in")
                terminal.press("C-q")
                terminal.until(f"{PROMPT}, 0")
                is_restored(terminal)

        await asyncio.to_thread(use)


def test_panic_is_gone_in_under_a_second_and_leaves_no_scrollback(tmp_path: Path) -> None:
    with tmux(tmp_path) as terminal:
        terminal.write("seq 1 200\n")
        terminal.until(r"(?m)^200$")
        terminal.start(PROGRAM)
        terminal.until("Find a way out")
        terminal.press("3")
        terminal.until(FOUND)
        terminal.press("C-x")
        terminal.until("Once more")
        terminal.press("C-x")
        assert terminal.until(f"{PROMPT}, 0") < 1.0
        assert terminal.told("history_size") == "0"
        assert "working" not in terminal.run("capture-pane", "-p", "-S", "-")
        is_restored(terminal)


def test_control_c_stops_the_check_first_and_leaves_next(tmp_path: Path) -> None:
    with tmux(tmp_path) as terminal:
        terminal.start(PROGRAM)
        terminal.until("Find a way out")
        terminal.press("3")
        terminal.until(FOUND)
        terminal.press("C-c")  # the check stops
        terminal.until("Stopped after|Done in")
        terminal.press("C-c")  # nothing runs any more: leave
        terminal.until(f"{PROMPT}, 0")
        is_restored(terminal)


def harmless(folder: Path) -> str:
    """Return a command for the program with pages on this machine alone, where nobody listens: a yes costs nothing."""
    script = folder / "harmless.py"
    pages = "target='https://127.0.0.1:9/', bulk_target='https://127.0.0.1:9/', plain_target='http://127.0.0.1:9/'"
    script.write_text(
        f"from client.check import Wishes\nfrom tui.app import run\nraise SystemExit(run(Wishes({pages})))\n"
    )
    return f"{sys.executable} {script}"


@pytest.mark.parametrize("way", ["brackets of the terminal", "brackets in the bytes", "no brackets"])
@pytest.mark.parametrize("screen", ["the first screen", "the list"])
def test_whatever_stands_in_a_paste_presses_nothing_and_no_entry_is_lost(
    tmp_path: Path, way: str, screen: str
) -> None:
    entries = [f"socks5://127.1.0.{number}:1080#n" for number in range(1, 41)]
    acting = "" if way == "no brackets" else "\x1b"
    pressed = f"{acting}\x18\x18{acting}[201{acting}\x12\x13\x0f\x11?3\x10{acting}OP"
    half = len(entries) // 2
    pasted = "\r".join([*entries[:half], f"{entries[half]}{pressed}", *entries[half + 1 :]])
    with tmux(tmp_path) as terminal:
        terminal.start(harmless(tmp_path))
        terminal.until("Find a way out")
        if screen == "the list":
            terminal.press("2")
            terminal.until("the list")
        if way == "brackets of the terminal":
            terminal.paste(pasted)
        elif way == "brackets in the bytes":
            terminal.send(f"\x1b[200~{pasted}\x1b[201~".encode())
        else:
            terminal.send(pasted.encode())
        terminal.until("40 entries read · 40 to test · 0 duplicates · 0 rejected")
        assert "addresses are masked" in terminal.shown()  # ^R was not pressed
        assert "127.1.0" not in terminal.shown()
        terminal.press("C-s")
        terminal.until("40 entries of your list will be contacted")
        terminal.paste("y\ry\r")
        time.sleep(0.7)
        assert "40 entries of your list will be contacted" in terminal.shown()
        terminal.press("n")
        terminal.until("Nothing was sent")
        terminal.press("C-q")
        terminal.until(f"{PROMPT}, 0")


def test_a_list_that_comes_as_keys_one_by_one_says_yes_to_nothing(tmp_path: Path) -> None:
    with tmux(tmp_path) as terminal:
        terminal.start(harmless(tmp_path))
        terminal.until("Find a way out")
        terminal.press("2")
        terminal.until("the list")
        for letter in "socks5://127.0.0.1:1\r":
            terminal.send(letter.encode())
        terminal.until("1 entry read")
        terminal.press("C-s")
        terminal.until("1 entry of your list will be contacted")
        for letter in "yay, y":
            terminal.send(letter.encode())
            time.sleep(0.03)
        time.sleep(0.7)
        assert "1 entry of your list will be contacted" in terminal.shown()
        terminal.press("y")
        terminal.until("Sanylau › Results|Done in")
        terminal.press("C-q")
        terminal.until(f"{PROMPT}, 0")

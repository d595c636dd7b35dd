"""The composition root as its own process: streams that are missing, and Ctrl-C before anything has begun."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.client.cli.commands import ROOT, surroundings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell and signals of POSIX")

LINE = "http://127.0.0.1:9"
# Ctrl-C at a chosen moment after our first line.
INTERRUPTED = """
import os, signal, sys, threading, time
from client.__main__ import main
go, delay = threading.Event(), float(sys.argv.pop(1))
def ring():
    go.wait()
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=ring, daemon=True).start()
go.set()
main()
"""


def shell(redirections: str, *arguments: str, loop: str = "uvloop") -> subprocess.CompletedProcess[str]:
    command = shlex.join([sys.executable, "-m", "client", *arguments])
    return subprocess.run(
        ["sh", "-c", f"{command} {redirections}"],
        env=surroundings({"SANYLAU_LOOP": loop}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_no_check(
    closed: str, loop: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list"
    path.write_text(LINE + "\n", "utf-8")
    pages = ["--target", "https://localhost:9/", "--plain-target", "http://localhost:9/"]
    done = shell(closed, "check", str(path), "--yes", "--timeout", "1", *pages, loop=loop)
    assert done.returncode in (1, 3)
    assert done.stderr == ""


def test_a_list_from_a_closed_stream_is_an_empty_list() -> None:
    done = shell("<&-", "check", "-", "--yes")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "no entry" in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_help_and_complaints_need_no_streams(closed: str) -> None:
    assert shell(closed, "--help").returncode == 0
    assert shell(closed, "check", "/nonexistent").returncode == 2


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--yes", "/nonexistent"]])
def test_an_interruption_in_the_first_moments_shows_no_traceback(arguments: list[str]) -> None:
    seen = set()
    for step in range(1, 25):
        done = subprocess.run(
            [sys.executable, "-c", INTERRUPTED, str(step * 0.004), *arguments],
            env=surroundings({"PYTHONWARNINGS": ""}),  # as people run it: an import that is cut may warn
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert "Traceback" not in done.stderr, (step, done.stderr)
        assert done.returncode in (0, 2, 130), (step, done.stderr)
        seen.add(done.returncode)
    assert 130 in seen


def test_our_first_moments_load_nothing_heavy() -> None:
    code = "import sys, client.platform; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=surroundings(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"asyncio", "subprocess", "termios", "ctypes"} & set(done.stdout.split())

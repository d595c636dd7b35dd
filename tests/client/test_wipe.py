"""What is found and erased, in this process. It never ends what it has not started: see tests/integration/test_wipe.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import wipe, wipe_processes
from client.vault.place import DATA, KEY
from client.wipe_processes import Ours, Process, end, ours, running
from tests.client.cli.commands import ROOT
from transports import guard_main
from transports.engines import MARK

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells of processes")
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let it see one folder for engines, one vault, and no processes."""
    monkeypatch.setenv("SANYLAU_VAULT", str(tmp_path / "sanylau" / "vault"))
    monkeypatch.setattr(wipe, "_places", lambda: [tmp_path])
    monkeypatch.setattr(wipe, "_tells", lambda: False)
    return tmp_path


def filled(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / KEY).write_bytes(os.urandom(300))
    (folder / DATA).write_bytes(os.urandom(3000))
    return folder


def test_the_vault_and_the_folders_are_gone_and_what_is_not_ours_stays(alone: Path) -> None:
    vault = filled(alone / "sanylau" / "vault")
    for name in ("sanylau-tor-1.2.3-x", "other"):
        (alone / name / "deep").mkdir(parents=True)
    found = wipe.look()
    assert (len(found.files), len(found.folders), found.is_nothing) == (2, 1, False)
    done = wipe.everything()
    assert (done.files, done.folders, done.is_whole) == (2, 1, True)
    assert not vault.parent.exists()
    assert [path.name for path in alone.iterdir()] == ["other"]
    assert wipe.look().is_nothing


def test_the_key_is_written_over_before_its_name_goes(alone: Path) -> None:
    vault = filled(alone / "sanylau" / "vault")
    before = (vault / KEY).read_bytes()
    with (vault / KEY).open("rb") as held:
        wipe.everything()
        after = held.read()
    assert (len(after), after != before) == (len(before), True)


def test_a_folder_that_holds_something_else_stays(alone: Path) -> None:
    vault = filled(alone / "sanylau" / "vault")
    (vault / "mine.txt").write_text("x")
    assert wipe.everything().is_whole
    assert [path.name for path in vault.iterdir()] == ["mine.txt"]


@contextmanager
def process(*command: str, **env: str) -> Iterator[int]:
    """Run a process of the tests; it has begun its work when this gives its number."""
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)} | env, start_new_session=True, cwd=ROOT.parent
    ) as one:
        try:
            until = time.monotonic() + 5
            while guard_main._stat(one.pid)[0] != "S" and time.monotonic() < until:
                time.sleep(0.01)
            yield one.pid
        finally:
            one.kill()


def pids(found: tuple[Process, ...]) -> set[int]:
    return {one.pid for one in found}


@linux
def test_our_programs_are_known_and_others_are_not(tmp_path: Path) -> None:
    script = tmp_path / "sanylau"
    script.write_text(SLEEP)
    stick = tmp_path / "stick"
    (stick / "wheels").mkdir(parents=True)
    (stick / "wheels" / "sanylau-1.0-py3-none-any.whl").touch()
    shutil.copy(script, stick / "start.py")
    shutil.copy(script, tmp_path / "start.py")
    python = sys.executable
    with (
        process(python, str(script), "check") as installed,
        process(python, "-I", str(stick / "start.py")) as carried,
        process("sleep", "60", **{MARK: "1"}) as engine,
        process(python, "-c", SLEEP, "/dev/shm/sanylau-tor-1.2.3-abc/none") as tor,
        process(python, str(tmp_path / "start.py")) as other_start,
        process("tail", "-f", str(script)) as reader,
        process(python, "-c", SLEEP, "sanylau") as argument,
    ):
        found = ours([])
        assert {installed, carried} <= pids(found.clients)
        assert {engine, tor} <= pids(found.engines)
        named = pids(found.clients) | pids(found.engines)
        assert named.isdisjoint({other_start, reader, argument, os.getpid(), os.getppid()})


@linux
def test_a_client_is_known_by_its_guard_s_pipe_and_by_its_folder_s_name(tmp_path: Path) -> None:
    starts = (
        "import os, subprocess, sys, time; reading, writing = os.pipe();"
        f"subprocess.Popen([sys.executable, '-B', '-I', '-S', {guard_main.__file__!r}], stdin=reading);"
        "os.close(reading); time.sleep(60)"
    )
    with process(sys.executable, "-c", starts) as client, process("sleep", "60") as owner:
        until = time.monotonic() + 5
        while client not in pids(ours([]).clients):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert client in {one.parent for one in ours([]).guards}
        container = os.stat("/proc/self/ns/pid").st_ino
        right = f"sanylau-tor-{owner}.{guard_main.start_time(owner)}.{container}-abc"
        assert owner in pids(ours([tmp_path / right]).clients)
        for wrong in (
            right.replace(str(container), str(container + 1)),
            right.replace(f".{guard_main.start_time(owner)}.", ".1."),
            "sanylau-other",
        ):
            assert owner not in pids(ours([tmp_path / wrong]).clients)


@linux
def test_what_is_ended_is_gone_and_a_number_given_anew_is_not_touched() -> None:
    with process("sleep", "60", **{MARK: "1"}) as engine, process("sleep", "60") as other:
        known = running()
        mine = Ours(clients=(), engines=(known[engine],), guards=())
        assert mine.programs == 1
        assert end(mine, 2.0) == 0
        stale = Process(pid=other, parent=1, start="1", words=("sleep",))
        assert end(Ours(clients=(stale,), engines=(), guards=()), 0.1) == 0
        assert guard_main._runs(other, known[other].start)


@linux
def test_the_terminal_of_a_screen_that_was_ended_is_emptied_and_given_back() -> None:
    import pty

    master, slave = pty.openpty()
    shows = "import time; print('\\x1b[?1049h an address', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", shows], stdin=slave, stdout=slave, stderr=slave)
    try:
        seen = b""
        while b"an address" not in seen:
            seen += os.read(master, 4096)
        one = running()[child.pid]
        assert end(Ours(clients=(one,), engines=(), guards=()), 2.0) == 0
        seen = b""  # the end of its line may come by itself
        while b"\x1b[3J" not in seen:
            seen += os.read(master, 4096)
        for wanted in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[2J"):
            assert wanted in seen
    finally:
        child.kill()
        child.wait()
        os.close(master)
        os.close(slave)


@linux
def test_what_does_not_end_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with process("sleep", "60") as stubborn:
        one = running()[stubborn]
        monkeypatch.setattr(wipe_processes, "_END", 0)
        assert end(Ours(clients=(one,), engines=(), guards=()), 0.05) == 1


def test_the_vault_is_gone_before_what_runs_is_waited_for(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = filled(alone / "sanylau" / "vault")
    seen: list[bool] = []

    def slow(_folders: object) -> tuple[int, int]:
        seen.append((vault / KEY).exists() or (vault / DATA).exists())
        return 0, 0

    monkeypatch.setattr(wipe, "_end", slow)
    assert wipe.everything().is_whole
    assert seen == [False]


@pytest.mark.parametrize(("held", "stays"), [(b"somebody else's", True), (b"", False)])
def test_a_file_called_lock_goes_only_if_it_is_as_empty_as_ours(
    alone: Path, held: bytes, stays: bool
) -> None:
    vault = filled(alone / "sanylau" / "vault")
    (vault / "lock").write_bytes(held)
    done = wipe.everything()
    assert done.is_whole
    assert (vault / "lock").exists() is stays
    assert not (vault / KEY).exists()

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from transports import guard_main
from transports.guard import Guard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
DEAF = [
    *[sys.executable, "-I", "-S", "-c"],
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)",
]
CLIENT = textwrap.dedent(
    """
    import asyncio, subprocess, sys
    from pathlib import Path
    from transports.guard import Guard

    PARENT = "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-I', '-S', '-c'," \\
             " 'import time; time.sleep(60)']); print(c.pid, flush=True); time.sleep(60)"

    async def main():
        async with Guard.running() as guard:
            engine = subprocess.Popen([sys.executable, "-I", "-S", "-c", PARENT], stdout=subprocess.PIPE,
                                      start_new_session=True)
            await guard.adopt(engine.pid)
            await guard.adopt_dir(Path(sys.argv[1]))
            child = int(engine.stdout.readline())
            print(guard.pid, engine.pid, child, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
    """
)


def alive(pid: int) -> bool:
    return guard_main._runs(pid, guard_main.start_time(pid))


def becomes(condition: Callable[[], bool], within: float) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


@pytest.fixture
def folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as parent:
        path = Path(parent) / "sanylau-test"
        path.mkdir()
        (path / "secret").write_text("x")
        yield path


@pytest.fixture
def engine() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEP, start_new_session=True) as process:
        yield process
        process.kill()


def test_after_a_kill_of_the_client_nothing_of_it_is_left_within_two_seconds(folder: Path) -> None:
    command = [sys.executable, "-c", CLIENT, str(folder)]
    root = Path(guard_main.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as client:
        assert client.stdout is not None
        pids = [int(pid) for pid in client.stdout.readline().split()]
        assert len(pids) == 3
        assert all(alive(pid) for pid in pids)
        client.kill()
        assert becomes(lambda: not any(alive(pid) for pid in pids), 2.0)
        assert not folder.exists()


async def test_the_guard_survives_the_signals_of_a_closing_terminal(
    engine: subprocess.Popen[bytes], folder: Path
) -> None:
    async with Guard.running() as guard:
        await guard.adopt(engine.pid)
        await asyncio.sleep(0.2)  # by then its handlers are set
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
            os.kill(guard.pid, number)
        await guard.adopt_dir(folder)
        assert os.getsid(guard.pid) != os.getsid(0)
        assert engine.poll() is None
    assert engine.wait(2) == -signal.SIGTERM
    assert not os.path.exists(folder)  # noqa: ASYNC240 - a test may block


async def test_leaving_in_good_order_ends_what_was_not_released(engine: subprocess.Popen[bytes]) -> None:
    async with Guard.running() as guard:
        await guard.adopt(engine.pid)
    assert engine.wait(2) == -signal.SIGTERM


async def test_what_was_released_is_left_alone(engine: subprocess.Popen[bytes], folder: Path) -> None:
    async with Guard.running() as guard:
        await guard.adopt(engine.pid)
        await guard.adopt_dir(folder)
        await guard.release(engine.pid)
        await guard.release_dir(folder)
    assert engine.poll() is None
    assert (folder / "secret").exists()


def test_an_engine_that_ignores_the_polite_signal_is_killed() -> None:
    with subprocess.Popen(DEAF, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        guard_main.clear({process.pid: guard_main.start_time(process.pid)}, {})
        assert process.wait(2) == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_number_that_was_given_to_another_process_is_not_killed(engine: subprocess.Popen[bytes]) -> None:
    guard_main.clear({engine.pid: "1"}, {})
    assert engine.poll() is None
    guard_main.clear({engine.pid: guard_main.start_time(engine.pid)}, {})
    assert engine.wait(2) == -signal.SIGTERM


async def test_a_folder_that_is_not_ours_is_refused(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "sanylau-link"
    link.symlink_to(folder)
    async with Guard.running() as guard:
        for path in (tmp_path, link, Path("sanylau-relative"), tmp_path / "sanylau-absent"):
            with pytest.raises(ValueError, match="sanylau-"):
                await guard.adopt_dir(path)


def test_the_guard_itself_refuses_folders_and_numbers_that_cannot_be_ours(
    folder: Path, tmp_path: Path
) -> None:
    engines: dict[int, str] = {}
    folders: dict[str, None] = {}
    orders = [f"dir {tmp_path}", f"dir {folder}", "dir /", "pid 1 -", "pid -5 -", "pid x -", "nonsense", ""]
    guard_main.follow(orders, engines, folders)
    assert (engines, folders) == ({}, {str(folder): None})


def test_a_folder_that_became_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    known = {str(folder): None}
    (folder / "secret").unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    guard_main.clear({}, known)
    assert (tmp_path / "kept").exists()


def test_an_order_cut_in_two_by_the_pipe_is_still_one_order(engine: subprocess.Popen[bytes]) -> None:
    command = [sys.executable, "-I", "-S", guard_main.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as guard:
        assert guard.stdin is not None
        order = f"pid {engine.pid} {guard_main.start_time(engine.pid)}\n".encode()
        for part in (order[:6], order[6:]):
            guard.stdin.write(part)
            guard.stdin.flush()
            time.sleep(0.05)
        guard.stdin.close()
        assert engine.wait(3) == -signal.SIGTERM
        assert guard.wait(3) == 0

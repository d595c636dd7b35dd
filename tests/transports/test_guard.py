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
    guard_main.follow(orders, engines, folders, {})
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


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "note"


def noted(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def writes(path: Path, text: str) -> tuple[str, ...]:
    code = "import sys; open(sys.argv[1], 'a').write(sys.argv[2])"
    return (sys.executable, "-I", "-S", "-c", code, str(path), text)


def prints(text: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", "import sys; print(sys.argv[1])", text)


FAILS = (sys.executable, "-I", "-S", "-c", "import sys; print('no'); sys.exit(1)")


async def test_what_was_changed_is_undone_newest_first_and_only_where_it_is_still_ours(note: Path) -> None:
    async with Guard.running() as guard:
        await guard.adopt_undo(
            (((prints("ours\n  still"), "ours still"),), (writes(note, "a"), writes(note, "b")))
        )
        await guard.adopt_undo((((prints("theirs"), "ours"),), (writes(note, "no"),)))
        await guard.adopt_undo((((FAILS, ""),), (writes(note, "c"),)))
        released = await guard.adopt_undo(((), (writes(note, "no"),)))
        await guard.adopt_undo(((), (("/nowhere/program",), writes(note, "d"))))
        await guard.release_undo(released)
        assert noted(note) == ""
    assert noted(note) == "dcab"


async def test_the_commands_that_undo_inherit_the_environment(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    code = "import os, sys; open(sys.argv[1], 'w').write(os.environ['DBUS_SESSION_BUS_ADDRESS'])"
    async with Guard.running() as guard:
        await guard.adopt_undo(((), ((sys.executable, "-I", "-S", "-c", code, str(note)),)))
    assert noted(note) == "unix:path=/nowhere"


def test_a_command_that_hangs_does_not_keep_the_others_from_their_turn(note: Path) -> None:
    hangs = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)")
    begun = time.monotonic()
    assert guard_main.put_back([((), (writes(note, "done"),)), ((), (hangs,))]) == [True, True]
    assert note.read_text() == "done"
    assert time.monotonic() - begun < 5
    assert guard_main.holds([(((hangs, "x"),), ())]) == [False]


@pytest.mark.parametrize(
    "text",
    [
        *["", "[", "{}", "[[]]", "[[], [], []]", "7", "null", '[[], ["reg"]]', '[[], [["relative", "x"]]]'],
        *[
            "[[], [[]]]",
            '[[], [["/bin/true", 7]]]',
            '[[["/bin/true"]], []]',
            '[[], [["/bin/\\u0000"]]]',
            "[" * 5000,
        ],
    ],
)
def test_what_is_no_order_to_undo_something_is_passed_over(text: str) -> None:
    undos: dict[int, guard_main.Undo] = {}
    guard_main.follow([f"undo 1 {text}", f"undo x {text}", "gone-undo y"], {}, {}, undos)
    assert undos == {}


def test_the_guard_keeps_only_so_many_orders() -> None:
    undos: dict[int, guard_main.Undo] = {}
    guard_main.follow([f"undo {number} [[], []]" for number in range(300)], {}, {}, undos)
    assert len(undos) == guard_main.UNDOS
    guard_main.follow(["gone-undo 0"], {}, {}, undos)
    assert len(undos) == guard_main.UNDOS - 1


async def test_an_order_that_the_guard_could_not_keep_is_refused_beforehand() -> None:
    async with Guard.running() as guard:
        with pytest.raises(ValueError, match="absolute"):
            await guard.adopt_undo(((), (("gsettings", "reset"),)))
        with pytest.raises(ValueError, match="cannot keep"):
            await guard.adopt_undo(((), (("/bin/true", "x" * guard_main.LINE),)))
        for _ in range(guard_main.UNDOS):
            await guard.adopt_undo(((), ()))
        with pytest.raises(ValueError, match="cannot keep"):
            await guard.adopt_undo(((), ()))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells who has started whom")
async def test_what_an_adopted_process_has_started_ends_with_it_in_whatever_group(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    script = f"setsid sh -c 'sleep 60 & echo $! $$ > {told}.part; mv {told}.part {told}; wait' & wait"
    with subprocess.Popen(["sh", "-c", script]) as shell:  # noqa: ASYNC220 - in our group, as on a terminal
        assert becomes(told.exists, 5)
        pids = [shell.pid, *map(int, told.read_text().split())]
        assert all(alive(pid) for pid in pids)
        async with Guard.running() as guard:
            await guard.adopt(shell.pid)
        assert shell.wait(2) == -signal.SIGTERM
        assert becomes(lambda: not any(alive(pid) for pid in pids), 2)

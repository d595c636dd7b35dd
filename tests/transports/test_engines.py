from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from client.drill import tornet_nodes
from transports import guard_main, singbox_engine, tor_start
from transports.engines import on_path, output, program, runnable, within
from transports.guard import Guard
from transports.types import CannotMeasure

LOOPS = [asyncio.new_event_loop]
try:
    import uvloop
except ImportError:
    pass
else:
    LOOPS.append(uvloop.new_event_loop)
PYTHON = [sys.executable, "-I", "-S", "-c"]
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    async with Guard.running() as running:
        yield running


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def becomes_gone(pid: int) -> bool:
    until = time.monotonic() + 2
    while time.monotonic() < until and guard_main._runs(pid, guard_main.start_time(pid)):
        time.sleep(0.01)
    return not guard_main._runs(pid, guard_main.start_time(pid))


async def test_a_program_gets_its_input_whole_and_its_lines_are_heard(guard: Guard) -> None:
    code = "import sys; text = sys.stdin.read(); print(len(text)); print('end', end='', file=sys.stderr)"
    status, lines = await output([*PYTHON, code], guard=guard, feed=b"x" * 300_000, limit=10)
    assert status == 0
    assert sorted(lines) == ["300000", "end"]


async def test_a_program_sees_nothing_of_the_persons_proxies_and_roots(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE", "HOME"):
        monkeypatch.setenv(name, "/secret")
    _, lines = await output([*PYTHON, "import os; print(sorted(os.environ.values()))"], guard=guard, limit=10)
    assert "secret" not in lines[0]


async def test_an_endless_line_is_cut_and_does_not_fill_the_memory(guard: Guard) -> None:
    code = "import sys; sys.stdout.write('x' * 3_000_000 + '\\nlast\\n')"
    _, lines = await output([*PYTHON, code], guard=guard, limit=10)
    assert [len(line) for line in lines] == [4096, 4]


async def test_a_program_that_does_not_end_is_stopped_at_the_limit(guard: Guard) -> None:
    with pytest.raises(TimeoutError):
        await output([*PYTHON, "import time; time.sleep(60)"], guard=guard, limit=0.2)


async def test_leaving_the_block_ends_a_program_that_ignores_the_polite_signal(guard: Guard) -> None:
    heard = asyncio.Event()
    async with program([*PYTHON, DEAF], guard=guard, on_line=lambda _: heard.set()) as running:
        await heard.wait()
    assert running.ended.is_set()
    assert gone(running.pid)


async def test_a_cancelled_block_leaves_no_process(guard: Guard) -> None:
    pids: list[int] = []
    heard = asyncio.Event()

    async def hold() -> None:
        async with program([*PYTHON, DEAF], guard=guard, on_line=lambda _: heard.set()) as running:
            pids.append(running.pid)
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(hold())
        await heard.wait()
        task.cancel()
        await asyncio.sleep(0.1)
        task.cancel()  # a second Ctrl-C, while it is being stopped
    assert gone(pids[0])


async def test_the_end_of_a_program_ends_what_it_has_started(guard: Guard) -> None:
    code = (
        "import subprocess, sys; c = subprocess.Popen([sys.executable, '-I', '-S', '-c',"
        " 'import time; time.sleep(60)']); print(c.pid)"
    )
    _, lines = await output([*PYTHON, code], guard=guard, limit=10)
    assert await asyncio.to_thread(becomes_gone, int(lines[0]))


def test_what_is_no_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="no program"):
        runnable(tmp_path / "absent")
    plain = tmp_path / "plain"
    plain.write_text("x")
    with pytest.raises(CannotMeasure, match="may not be executed"):
        runnable(plain)


async def test_a_file_that_is_no_program_of_this_computer_cannot_be_started(
    tmp_path: Path, guard: Guard
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o700)
    with pytest.raises(CannotMeasure, match="cannot be started"):
        await output([str(broken)], guard=guard, limit=2)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
async def test_when_the_guard_is_ended_its_engines_end_at_once(guard: Guard) -> None:
    heard = asyncio.Event()
    async with program([*PYTHON, DEAF], guard=guard, on_line=lambda _: heard.set()) as running:
        await heard.wait()
        os.kill(guard.pid, signal.SIGKILL)
        await asyncio.wait_for(running.ended.wait(), 1)
        with pytest.raises(CannotMeasure):  # and no other is started
            await output([*PYTHON, "print(1)"], guard=guard, limit=5)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
async def test_a_guard_that_reads_no_more_holds_up_nobody(guard: Guard) -> None:
    async def tell_much() -> None:
        for _ in range(20_000):
            await guard.release(1)

    os.kill(guard.pid, signal.SIGSTOP)
    try:
        with pytest.raises(CannotMeasure):
            await asyncio.wait_for(tell_much(), 5)
    finally:
        os.kill(guard.pid, signal.SIGCONT)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sizes of pipes are Linux's")
async def test_a_small_full_pipe_to_a_guard_that_is_busy_is_not_its_end(guard: Guard) -> None:
    import fcntl

    fcntl.fcntl(guard._pipe, fcntl.F_SETPIPE_SZ, 4096)  # what a user without rights gets who has many pipes
    os.kill(guard.pid, signal.SIGSTOP)

    async def wakes() -> None:
        await asyncio.sleep(0.3)
        os.kill(guard.pid, signal.SIGCONT)

    async def much() -> None:
        for number in range(1000):
            await guard.release(1_000_000 + number)

    async with asyncio.timeout(5):
        await asyncio.gather(much(), wakes())
        _, lines = await output([*PYTHON, "print(1)"], guard=guard, limit=5)
    assert lines == ["1"]


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_program_that_ends_before_it_gets_its_input_is_no_fault(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def run() -> None:
        async with Guard.running() as guard:
            for _ in range(10):
                async with program(
                    [*PYTHON, "pass"], guard=None, feed=None, on_line=lambda _: None
                ) as running:
                    await running.ended.wait()
                    running.feed(b"x" * 100_000)
                assert running.status == 0
            closed = "import os, time; os.close(0); time.sleep(0.2)"
            await output([*PYTHON, closed], guard=guard, feed=b"x" * 1_000_000, limit=5)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())


async def nothing_is_found() -> None:
    assert on_path("tor") is None
    assert on_path("sing-box") is None
    assert tor_start.installed() is None
    assert tornet_nodes.find("tor", "sing-box") is None
    box = await singbox_engine.find(None)
    assert box is None or box.path == singbox_engine._of_wheel()


async def test_a_program_in_the_folder_one_is_in_is_never_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tor", "sing-box"):
        planted = tmp_path / "bin" / (name + (".exe" if sys.platform == "win32" else ""))
        planted.parent.mkdir(exist_ok=True)
        planted.write_text("#!/bin/sh\n")
        planted.chmod(0o700)
    monkeypatch.chdir(tmp_path / "bin")
    for module in (tor_start, tornet_nodes):
        monkeypatch.setattr(module, "_PLACES", ())
    for path in (["", "."], [".", os.path.join("..", "bin")], [""]):
        monkeypatch.setenv("PATH", os.pathsep.join(path))
        await nothing_is_found()
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", str(tmp_path / "bin")]))
    assert [path.is_absolute() for path in (on_path("tor"), tor_start.installed()) if path] == [True, True]


def test_what_cannot_be_run_does_not_hide_what_can(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("folder", "plain", "good")]
    for place in places:
        place.mkdir()
    (places[0] / "tor").mkdir()
    (places[1] / "tor").touch(mode=0o600)
    (places[2] / "tor").touch(mode=0o700)
    found = list(within("tor", map(str, [tmp_path / "absent", *places])))
    assert found == [places[2] / "tor"] or sys.platform == "win32"


def test_the_places_beside_the_search_path_come_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "absent"))
    assert on_path(Path(sys.executable).stem, str(Path(sys.executable).parent)) == Path(sys.executable)

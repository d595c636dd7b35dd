import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from client.platform import disk_folder, fitting, memory_folder, on_interrupt, raise_descriptor_limit

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.mark.parametrize(
    ("wanted", "limit", "fits"),
    [(1000, 65536, 1000), (1000, 1024, 298), (1000, 64, 8), (1000, None, 400), (5, None, 5)],
)
def test_what_runs_at_once_fits_under_the_limit_of_open_files(
    wanted: int, limit: int | None, fits: int
) -> None:
    assert fitting(wanted, limit) == fits


@posix
def test_the_limit_of_open_files_is_raised_and_never_lowered() -> None:
    import resource

    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before), hard))
        raised = raise_descriptor_limit()
        assert raised is not None
        assert raised >= min(256, before)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == raised
        assert raise_descriptor_limit() == raised
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


@posix
async def test_the_first_signal_rings_and_what_was_there_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    rung = asyncio.Event()
    with on_interrupt(rung.set):
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(rung.wait(), 2)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@posix
async def test_the_loss_of_the_terminal_rings_where_that_is_wanted_and_was_not_ignored() -> None:
    before = signal.getsignal(signal.SIGHUP)
    rung = asyncio.Event()
    with on_interrupt(rung.set, hangup=True):
        signal.raise_signal(signal.SIGHUP)
        await asyncio.wait_for(rung.wait(), 2)
    assert signal.getsignal(signal.SIGHUP) == before
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with on_interrupt(rung.set, hangup=True):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@posix
async def test_a_second_signal_cancels() -> None:
    rung: list[int] = []

    async def work() -> None:
        with on_interrupt(lambda: rung.append(1)):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(5)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.get_running_loop().create_task(work())
    assert rung == [1]


@posix
def test_no_core_file_can_be_written_by_us_or_by_what_we_start() -> None:
    code = (
        "import resource, subprocess, sys\nfrom client.platform import forbid_core_files\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)\n"
        "forbid_core_files()\n"
        "child = 'import resource; print(resource.getrlimit(resource.RLIMIT_CORE))'\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)\n"
        "subprocess.run([sys.executable, '-c', child], check=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout.split("\n") == ["(0, 0)", "(0, 0)", ""]


@pytest.mark.skipif(not Path("/proc/self/coredump_filter").exists(), reason="Linux has a filter")
def test_what_collects_crashes_gets_no_memory_of_ours_nor_of_what_we_start() -> None:
    code = (
        "import subprocess, sys\nfrom client.platform import forbid_core_files\nforbid_core_files()\n"
        "show = 'print(int(open(\"/proc/self/coredump_filter\").read(), 16))'\n"
        "exec(show)\nsys.stdout.flush()\nsubprocess.run([sys.executable, '-c', show], check=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == "0\n0\n"


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="Linux tells what is in memory")
def test_the_folder_for_the_disk_is_there_and_one_in_memory_is_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert disk_folder().is_dir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert memory_folder() != tmp_path or in_memory(tmp_path)


def in_memory(path: Path) -> bool:
    """Ask the system itself, by another way than the program does."""
    done = subprocess.run(
        ["stat", "-f", "-c", "%T", str(path)], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip() in ("tmpfs", "ramfs")

"""Folders that hold addresses of bridges: who erases them when nobody of ours is left to do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.servers.bridges import program as installed
from tests.transports.test_guard import alive, becomes
from transports import guard_main
from transports.guard import Guard
from transports.own_folder import own_folder
from transports.tor_engine import opened
from transports.types import CannotMeasure, Endpoint

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),  # stem's
]
TOR = Endpoint(transport="tor", host="", port=1)
CLIENT = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from transports import pt_engine, tor_engine
    from transports.guard import Guard
    from transports.tor_bridge import parse

    async def main():
        place = Path(sys.argv[1])
        obfs4 = Path(sys.argv[2])
        bridge = parse("127.0.0.1:1 " + "A" * 40)
        async with (
            Guard.running() as guard,
            pt_engine.opened(["obfs4"], guard=guard, folder=place, programs=[obfs4]) as plugins,
            tor_engine.opened([bridge], guard=guard, folder=place, pts=plugins) as engine,
        ):
            tor = await engine.for_bridge("A" * 40, "127.0.0.1:1 " + "A" * 40)
            await tor.ready()
            print(guard.pid, tor.pid, plugins.of("obfs4").pid, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
    """
)


def kinds(place: Path) -> list[str]:
    return sorted(name.split("-")[1] for name in os.listdir(place))


async def swept(place: Path) -> set[str]:
    """Return what is left in `place` after a folder has come and gone."""
    async with Guard.running() as guard, own_folder("pt", place, 1, guard):
        pass
    return set(os.listdir(place))


def ended() -> str:
    """Return how a process that has ended would have named its folders."""
    name = "import os; from transports import own_folder; print(own_folder._owner())"
    root = Path(guard_main.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", name], cwd=root, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


async def test_what_a_client_leaves_that_is_killed_with_its_guard_goes_with_the_next_engine(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-W", "ignore", "-c", CLIENT, str(tmp_path), installed("obfs4proxy")]
    root = Path(guard_main.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as client:  # noqa: ASYNC220 - a test may block
        assert client.stdout is not None
        guard_pid, tor, obfs4 = map(int, client.stdout.readline().split())
        try:
            async with Guard.running() as guard, own_folder("tor", tmp_path, 1, guard):
                assert kinds(tmp_path) == ["pt", "tor", "tor"]  # whoever lives keeps what is theirs
            for pid in (guard_pid, client.pid):
                os.kill(pid, signal.SIGKILL)
            assert becomes(lambda: not alive(client.pid) and not alive(guard_pid), 2.0)
            assert kinds(tmp_path) == ["pt", "tor"]  # nobody was left to erase them
            async with Guard.running() as guard, opened([TOR], guard=guard, folder=tmp_path) as engine:
                await engine._starter.start()
                assert kinds(tmp_path) == ["tor"]
            assert kinds(tmp_path) == []
        finally:
            client.kill()
            for pid in (tor, obfs4):
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


async def test_only_what_is_ours_and_has_no_owner_is_erased(tmp_path: Path) -> None:
    gone, me = ended(), f"{os.getpid()}.{guard_main.start_time(os.getpid())}.{ended().split('.')[2]}"
    another = f"{gone.rpartition('.')[0]}.1"  # of a container whose processes we cannot see
    reused = f"{os.getpid()}.1.{gone.split('.')[2]}"
    kept = [
        "sanylau-tor-abcdefgh",
        f"sanylau-drill-{gone}-a",
        f"sanylau-tor-{me}-a",
        f"sanylau-pt-{another}-a",
    ]
    erased = [f"sanylau-tor-{gone}-a", f"sanylau-pt-{gone}-b_1", f"sanylau-pt-{reused}-a"]
    for name in [*kept, *erased]:
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "state").write_text("x")
    assert await swept(tmp_path) == set(kept)


async def test_links_are_not_followed(tmp_path: Path) -> None:
    gone = ended()
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    for folder in (place, elsewhere, place / f"sanylau-tor-{gone}-a"):
        folder.mkdir()
    (elsewhere / "kept").touch()
    (place / f"sanylau-pt-{gone}-link").symlink_to(elsewhere)
    (place / f"sanylau-tor-{gone}-a" / "link").symlink_to(elsewhere)
    assert await swept(place) == {f"sanylau-pt-{gone}-link"}
    assert (elsewhere / "kept").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
async def test_what_belongs_to_another_person_stays(tmp_path: Path) -> None:
    theirs = tmp_path / f"sanylau-tor-{ended()}-a"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    assert await swept(tmp_path) == {theirs.name}


async def test_a_place_with_very_many_entries_holds_nothing_up(tmp_path: Path) -> None:
    gone = ended()
    for number in range(300):
        (tmp_path / f"sanylau-pt-{gone}-{number}").mkdir()
    began = time.monotonic()
    assert len(await swept(tmp_path)) == 200
    assert time.monotonic() - began < 5


async def test_a_place_that_is_not_there_is_our_trouble(tmp_path: Path) -> None:
    async with Guard.running() as guard:
        with pytest.raises(CannotMeasure):
            async with own_folder("tor", tmp_path / "absent", 1, guard):
                pass

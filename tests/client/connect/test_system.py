"""The system proxy, with the real gsettings in a settings folder of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.connect import system
from client.connect.system import Desktop, Ending
from client.connect.system_gnome import PROTOCOLS, ROOT
from client.connect.system_parts import Place
from client.i18n import say
from tests.client.connect.gnome import (
    GSETTINGS,
    becomes,
    choose,
    choose_other_proxy,
    choose_script,
    has_schema,
    listing,
    set_keys,
)
from transports import guard_main
from transports.guard import Guard
from transports.types import CannotMeasure, Rejected

HERE = "127.0.0.1"
HOLDER = """
import asyncio, sys
from client.connect import system
from transports.guard import Guard

async def main():
    async with Guard.running() as guard, system.set_to("127.0.0.1", int(sys.argv[1]), guard):
        print("set", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""

# Runs inside a session bus of its own: what was there, the same while it is ours, and after a kill.
SESSION = """
import subprocess, sys, time

def run(*words):
    return subprocess.run([sys.argv[1], *words], check=True, capture_output=True, text=True).stdout

ROOT = "org.gnome.system.proxy"
run("set", ROOT + ".http", "host", "'192.0.2.7'")
before = run("list-recursively", ROOT)
print("kept" if "192.0.2.7" in before else "kept nothing", flush=True)
with subprocess.Popen([sys.executable, "-c", sys.argv[2], "1080"], stdout=subprocess.PIPE) as holder:
    holder.stdout.readline()
    print("ours" if "host '127.0.0.1'" in run("list-recursively", ROOT) else "not ours", flush=True)
    holder.kill()
until = time.monotonic() + 2
while run("list-recursively", ROOT) != before and time.monotonic() < until:
    time.sleep(0.01)
print("back" if run("list-recursively", ROOT) == before else "not back")
"""

pytestmark = pytest.mark.skipif(not has_schema(), reason="needs gsettings and GNOME's schemas")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    return tmp_path / "glib-2.0/settings/keyfile"


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as held:  # bound and not listening: refuses, and nobody else gets it
        held.bind((HERE, 0))
        yield held.getsockname()[1]


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]


BEFORE = {"nothing": lambda: None, "another proxy": choose_other_proxy, "a script": choose_script}
whatever_was_before = pytest.mark.parametrize("before", BEFORE)


def ours(port: int) -> bool:
    text = listing()
    return f"{ROOT} mode 'manual'" in text and all(
        f"{ROOT}.{protocol} host '{HERE}'" in text and f"{ROOT}.{protocol} port {port}" in text
        for protocol in PROTOCOLS
    )


@whatever_was_before
async def test_all_protocols_go_to_the_port_and_everything_is_put_back(before: str, settings: Path) -> None:
    BEFORE[before]()
    old, old_keys = listing(), set_keys(settings)
    async with Guard.running() as guard:
        async with system.set_to(HERE, 1080, guard) as held:
            assert ours(1080)
            assert "ignore-hosts ['localhost', '127.0.0.0/8', '::1']" in listing()
            assert "use-authentication false" in listing()
            assert held.said() is None
        assert held.ending is Ending.BACK
        assert listing() == old
        assert set_keys(settings) == old_keys


@whatever_was_before
def test_after_a_kill_the_guard_puts_everything_back_within_two_seconds(before: str, settings: Path) -> None:
    BEFORE[before]()
    old, old_keys = listing(), set_keys(settings)
    root = Path(guard_main.__file__).parents[1]
    command = [sys.executable, "-c", HOLDER, "1080"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"set\n"
        assert ours(1080)
        holder.kill()
        assert becomes(old, 2.0)
    until = time.monotonic() + 1
    while set_keys(settings) != old_keys and time.monotonic() < until:
        time.sleep(0.01)
    assert set_keys(settings) == old_keys


@whatever_was_before
async def test_at_no_moment_do_programs_go_direct_or_to_a_strange_place(before: str) -> None:
    BEFORE[before]()
    state = await system.now()
    plan = state.plan(Place(HERE, 1080))
    there = state.places
    moments = [argv for part in plan.parts for argv in part.do]
    moments += [argv for part in reversed(plan.parts) for argv in part.undo]
    changed = 0
    for argv in moments:
        assert guard_main.answers([argv]) == [""]
        seen = await system.now()
        if before == "another proxy":
            assert Place("192.0.2.7", 3128) in seen.places or any(place.loopback for place in seen.places)
            assert all(place in there or place.loopback for place in seen.places)
        else:
            assert seen.places in (frozenset(), {Place(HERE, 1080)})  # none of it, or the whole
            assert seen.pictures[0].automatic == (before == "a script" and not seen.places)
        changed += seen.places == {Place(HERE, 1080)}
    assert changed
    assert (await system.now()).places == there


async def test_a_proxy_that_the_person_has_chosen_meanwhile_is_left(settings: Path) -> None:
    async with Guard.running() as guard:
        async with system.set_to(HERE, 1080, guard) as held:
            choose("host", "'192.0.2.7'", "http")
            choose("port", "8000", "http")
        assert held.ending is Ending.CHANGED
        assert held.said() is not None
        assert (await system.now()).places == {Place("192.0.2.7", 8000)}
    assert (await system.now()).places == {Place("192.0.2.7", 8000)}  # the guard had nothing left to do


async def test_a_proxy_that_was_switched_off_meanwhile_stays_off_and_keeps_no_address_of_ours() -> None:
    choose_other_proxy()
    old = listing()
    async with Guard.running() as guard, system.set_to(HERE, 1080, guard):
        choose("mode", "'none'")
    assert listing() == old.replace("mode 'manual'", "mode 'none'")


async def test_what_the_person_has_changed_is_left_by_the_guard_too() -> None:
    async with Guard.running() as guard:
        state = await system.now()
        for undo in (plan := state.plan(Place(HERE, 1080))).undos():
            await guard.adopt_undo(undo)
        assert await asyncio.to_thread(system.Held(plan).make)
        choose("host", "'192.0.2.7'", "http")
        choose("port", "8000", "http")
    assert (await system.now()).places == {Place("192.0.2.7", 8000)}


@pytest.mark.parametrize("done", [1, 4, 7])
async def test_a_kill_in_the_middle_of_the_changes_leaves_nothing_of_them(done: int, settings: Path) -> None:
    choose_other_proxy()
    old, old_keys = listing(), set_keys(settings)
    async with Guard.running() as guard:
        plan = (await system.now()).plan(Place(HERE, 1080))
        for undo in plan.undos():
            await guard.adopt_undo(undo)
        for part in plan.parts[:done]:
            guard_main.answers(list(part.do))
        assert listing() != old
    assert (listing(), set_keys(settings)) == (old, old_keys)


async def test_stopping_while_the_changes_are_made_leaves_nothing_of_them() -> None:
    old = listing()

    async def hold() -> None:
        async with Guard.running() as guard, system.set_to(HERE, 1080, guard):
            await asyncio.sleep(60)

    for _ in range(3):
        task = asyncio.create_task(hold())  # noqa: TID251 - the test is the caller
        while listing() == old:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert listing() == old


async def test_settings_that_keep_nothing_are_told_apart_from_a_proxy_that_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GSETTINGS_BACKEND", "memory")  # says yes, and forgets
    async with Guard.running() as guard:
        with pytest.raises(Rejected, match="could not be set"):
            async with system.set_to(HERE, 1080, guard):
                pytest.fail("nothing was set")


async def test_a_change_that_the_system_refuses_takes_the_ones_before_it_back() -> None:
    old = listing()
    async with Guard.running() as guard:
        with pytest.raises(Rejected, match="could not be set"):
            async with system.set_to(HERE, 70_000, guard):  # outside of the schema's range
                pytest.fail("nothing was set")
    assert listing() == old


async def test_without_a_guard_nothing_is_changed() -> None:
    old = listing()
    async with Guard.running() as guard:
        os.kill(guard.pid, signal.SIGKILL)
        await guard._process.ended.wait()
        with pytest.raises(CannotMeasure):
            async with system.set_to(HERE, 1080, guard):
                pytest.fail("nobody would put it back")
    assert listing() == old


@pytest.mark.parametrize("host", ["192.0.2.7", "0.0.0.0", "gate.example", "::"])
async def test_only_an_address_of_this_machine_is_taken(host: str) -> None:
    async with Guard.running() as guard:
        with pytest.raises(Rejected, match="this machine itself"):
            async with system.set_to(host, 1080, guard):
                pytest.fail("not ours")


async def test_a_proxy_where_nothing_listens_is_left_over_and_can_be_switched_off(closed_port: int) -> None:
    async with Guard.running() as guard, system.set_to(HERE, closed_port, guard):
        left = await system.left_over()
        assert left is not None
        assert any(str(closed_port) in say(line) for line in left.question())
        await system.repair(left)
        assert (await system.now()).places == frozenset()
        assert await system.left_over() is None


@pytest.mark.parametrize("host", ["'localhost'", "'::1'"])
async def test_other_names_of_this_machine_count_too(host: str, closed_port: int) -> None:
    choose("host", host, "socks")
    choose("port", str(closed_port), "socks")
    choose("mode", "'manual'")
    left = await system.left_over()
    assert left is not None
    assert left.place == Place(host.strip("'"), closed_port)


async def test_a_proxy_that_answers_is_not_left_over(open_port: int) -> None:
    choose("host", f"'{HERE}'", "http")
    choose("port", str(open_port), "http")
    choose("mode", "'manual'")
    assert (await system.now()).places == {Place(HERE, open_port)}
    assert await system.left_over() is None


async def test_no_proxy_and_proxies_elsewhere_are_not_left_over(closed_port: int) -> None:
    assert await system.left_over() is None
    choose_other_proxy()
    assert await system.left_over() is None
    choose("host", f"'{HERE}'", "http")  # one here that refuses, one elsewhere: not our doing
    choose("port", str(closed_port), "http")
    assert await system.left_over() is None


async def test_repairing_leaves_a_proxy_alone_that_was_chosen_since(closed_port: int) -> None:
    choose_other_proxy()
    old = listing()
    await system.repair(system.LeftOver(Place(HERE, closed_port), "GNOME"))
    assert listing() == old


async def test_a_switch_that_does_not_hold_is_told(
    closed_port: int, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose("host", f"'{HERE}'", "http")
    choose("port", str(closed_port), "http")
    choose("mode", "'manual'")
    left = await system.left_over()
    assert left is not None
    original = guard_main.answers

    def refusing(commands: list[guard_main.Argv], seconds: float = 1.0) -> list[str | None]:
        return [None] if "set" in commands[0] else original(commands, seconds)

    monkeypatch.setattr(guard_main, "answers", refusing)
    with pytest.raises(Rejected, match="could not be switched off"):
        await system.repair(left)


async def test_the_question_names_the_dangers_and_a_proxy_that_a_power_loss_would_lose() -> None:
    first = [say(line) for line in system.question(await system.now())]
    assert "GNOME" in first[0]
    assert any("directly: close them first" in line for line in first)
    assert any("power loss" in line for line in first)
    choose_other_proxy()
    second = [say(line) for line in system.question(await system.now())]
    assert [line for line in second if line not in first] == [second[-1]]
    assert "write it down" in second[-1]
    assert not any("192.0.2" in line for line in second)


async def test_where_no_system_proxy_can_be_set_the_words_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "sway")
    with pytest.raises(Rejected, match="--exec"):
        await system.now()
    assert await system.left_over() is None
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Rejected, match="--exec"):
        await system.now()


async def test_no_address_shows_in_what_a_traceback_prints() -> None:
    choose_other_proxy()
    state = await system.now()
    assert "192.0.2" not in repr(state) + repr(state.places) + repr(state.plan(Place(HERE, 1080)))


@pytest.mark.parametrize(
    ("platform", "current", "wanted"),
    [
        ("win32", "", Desktop.WINDOWS),
        ("darwin", "", Desktop.MACOS),
        ("linux", "GNOME", Desktop.GNOME),
        ("linux", "ubuntu:GNOME", Desktop.GNOME),
        ("linux", "X-Cinnamon", Desktop.GNOME),
        ("linux", "KDE", Desktop.KDE),
        ("linux", "XFCE", Desktop.OTHER),
        ("linux", "", Desktop.OTHER),
        ("android", "", Desktop.OTHER),
    ],
)
def test_the_desktop_says_where_its_proxy_is_kept(platform: str, current: str, wanted: Desktop) -> None:
    assert system.desktop(platform, {"XDG_CURRENT_DESKTOP": current}) is wanted


@pytest.mark.parametrize("where", [Desktop.MACOS, Desktop.WINDOWS, Desktop.OTHER])
def test_a_system_whose_programs_do_not_answer_is_not_changed(where: Desktop) -> None:
    if sys.platform in ("darwin", "win32"):
        pytest.skip("they answer here")
    with pytest.raises(Rejected, match="--exec"):
        system.read(where)


@pytest.mark.skipif(not shutil.which("dbus-run-session"), reason="needs dbus-run-session")
def test_with_the_storage_of_a_real_desktop_the_guard_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSETTINGS_BACKEND", "dconf")
    runtime = tmp_path / "runtime"  # not the folder of the settings: dconf has a file "user" in both
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    script = tmp_path / "session.py"
    script.write_text(SESSION, "utf-8")
    root = Path(guard_main.__file__).parents[1]
    command = ["dbus-run-session", "--", sys.executable, str(script), GSETTINGS, HOLDER]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=False)
    if "kept nothing" in done.stdout:
        pytest.skip("dconf keeps nothing here")
    assert (done.returncode, done.stdout.split("\n")[:-1]) == (0, ["kept", "ours", "back"])

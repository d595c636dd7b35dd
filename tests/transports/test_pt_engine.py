from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.servers.bridges import program as real
from tests.servers.pt_fixture import installed
from tests.servers.singbox import guard
from transports import guard_main, install, pt_engine
from transports.guard import Guard
from transports.pt_engine import KNOWN, TRANSPORTS, VARIABLE, Plugins, find, opened, version
from transports.types import CannotMeasure

__all__ = ["guard"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fixture is a script")


def alive(pid: int) -> bool:
    return guard_main._runs(pid, guard_main.start_time(pid))


def content(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def is_private(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def reason(plugins: Plugins, transport: str) -> str:
    with pytest.raises(CannotMeasure) as why:
        plugins.of(transport)
    return why.value.reason.format(**why.value.values)


@pytest.fixture
def obfs4proxy() -> Path:
    return Path(real("obfs4proxy"))


@pytest.fixture
def snowflake() -> Path:
    return Path(real("snowflake-client"))


async def test_what_a_real_program_offers_is_what_it_says(
    guard: Guard, tmp_path: Path, obfs4proxy: Path
) -> None:
    async with opened(TRANSPORTS, guard=guard, folder=tmp_path, programs=[obfs4proxy]) as plugins:
        assert plugins.offered == set(KNOWN["obfs4proxy"])
        assert all(method.host == "127.0.0.1" for method in plugins.of("obfs4").methods.values())
        assert "need lyrebird / webtunnel-client, which is not here: it comes with Tor Browser" in reason(
            plugins, "webtunnel"
        )
        assert "need conjure-client, which" in reason(plugins, "conjure")
        assert "need dnstt, which" in reason(plugins, "dnstt")


async def test_each_program_runs_once_and_only_where_it_is_needed(
    guard: Guard, tmp_path: Path, obfs4proxy: Path, snowflake: Path
) -> None:
    wanted = ["obfs4", "snowflake", "meek_lite", "obfs4"]
    programs = [snowflake, obfs4proxy, obfs4proxy]
    async with opened(wanted, guard=guard, folder=tmp_path, programs=programs) as plugins:
        assert [plugin.name for plugin in plugins.running] == ["snowflake-client", "obfs4proxy"]
        assert plugins.offered == set(wanted)
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=programs) as plugins:
        assert [plugin.name for plugin in plugins.running] == ["obfs4proxy"]


async def test_nothing_of_it_is_left_behind(guard: Guard, tmp_path: Path, obfs4proxy: Path) -> None:
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=[obfs4proxy]) as plugins:
        pid = plugins.of("obfs4").pid
        assert alive(pid)
        (state,) = content(tmp_path)
        assert state.name.startswith("sanylau-")
        assert is_private(state)
    assert not alive(pid)
    assert not content(tmp_path)


async def test_the_guard_clears_up_what_a_killed_client_leaves(tmp_path: Path, obfs4proxy: Path) -> None:
    async with Guard.running() as guard:
        running = opened(["obfs4"], guard=guard, folder=tmp_path, programs=[obfs4proxy])
        plugins = await running.__aenter__()
        pid = plugins.of("obfs4").pid
        with open(os.devnull, "wb") as null:  # noqa: ASYNC230 - the end of the pipe, as after a killed client
            os.dup2(null.fileno(), guard._pipe)
        await guard._process.ended.wait()
        assert not content(tmp_path)
        async with asyncio.timeout(5):
            await plugins.running[0].ended.wait()
        assert not alive(pid)
        await running.__aexit__(None, None, None)


async def test_the_persons_surroundings_stay_out(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = tmp_path / "shown"
    path = tmp_path / "show"
    path.write_text(f"#!/bin/sh\nenv > {shown}\n")
    path.chmod(0o700)
    for name in ("HTTPS_PROXY", "TOR_PT_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "mine")
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=[path]) as plugins:
        assert "ends as soon" in reason(plugins, "obfs4")
    told = dict(line.split("=", 1) for line in shown.read_text().splitlines() if "=" in line)
    assert "mine" not in told.values()
    assert told["TOR_PT_EXIT_ON_STDIN_CLOSE"] == "1"
    assert told["TOR_PT_CLIENT_TRANSPORTS"] == "obfs4"
    assert Path(told["TOR_PT_STATE_LOCATION"]).is_relative_to(tmp_path)
    assert told["HOME"] == told["TMPDIR"] == told["TOR_PT_STATE_LOCATION"]


async def test_a_program_that_keeps_to_the_dialogue_is_taken(guard: Guard, tmp_path: Path) -> None:
    programs = [installed(tmp_path, "pt-fixture")]
    async with opened(
        ["webtunnel", "conjure", "obfs4"], guard=guard, folder=tmp_path, programs=programs
    ) as all_:
        assert all_.offered == {"webtunnel", "conjure"}
        plugin = all_.of("webtunnel")
        assert plugin.version == "0.0.1"
        assert [log.message for log in plugin.logs] == ['ready; "steady"']
        assert "pt-fixture does not know obfs4 bridges" in reason(all_, "obfs4")
        assert not plugin.is_modern


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ("elsewhere", "to another machine"),
        ("a name", "to another machine"),
        ("version", "version 1"),
        ("no version", "version 1"),
        ("surroundings", "surroundings"),
        ("socks4", "does not know webtunnel"),
        ("mute", "does not say where it listens"),
        ("noise", "does not come to the end"),
        ("endless lines", "does not come to the end"),
        ("endless line", "does not say where it listens"),
        ("early", "ends as soon as it is started"),
    ],
)
async def test_a_lying_program_is_not_used_and_does_not_spoil_the_rest(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str, words: str
) -> None:
    monkeypatch.setattr(pt_engine, "_READY", 1.0)
    programs = [installed(tmp_path, "webtunnel-client", lie), installed(tmp_path, "conjure-client")]
    wanted = ["webtunnel", "conjure"]
    async with opened(wanted, guard=guard, folder=tmp_path, programs=programs) as plugins:
        assert plugins.offered == {"conjure"}
        assert words in reason(plugins, "webtunnel")
        assert "webtunnel-client" in reason(plugins, "webtunnel")


async def test_where_one_is_of_no_use_the_next_is_tried(guard: Guard, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    programs = [installed(tmp_path, "webtunnel-client", "early"), installed(good, "webtunnel-client")]
    async with opened(["webtunnel"], guard=guard, folder=tmp_path, programs=programs) as plugins:
        assert plugins.of("webtunnel").path == programs[1]


async def test_without_any_program_the_one_to_install_is_named(guard: Guard, tmp_path: Path) -> None:
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=[]) as plugins:
        assert not plugins.offered
        assert reason(plugins, "obfs4").endswith(f"not here: {install.command('obfs4proxy')}")
        assert not content(tmp_path)


async def test_a_program_that_has_died_is_named(guard: Guard, tmp_path: Path, obfs4proxy: Path) -> None:
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=[obfs4proxy]) as plugins:
        os.kill(plugins.of("obfs4").pid, 9)
        async with asyncio.timeout(5):
            await plugins.of("obfs4").ended.wait()
        assert not plugins.offered
        assert reason(plugins, "obfs4") == "obfs4proxy has stopped; run the check again"


async def test_a_cancelled_start_leaves_nothing(guard: Guard, tmp_path: Path) -> None:
    path = installed(tmp_path, "webtunnel-client", "mute")
    with pytest.raises(TimeoutError):
        async with (
            asyncio.timeout(0.3),
            opened(["webtunnel"], guard=guard, folder=tmp_path, programs=[path]),
        ):
            pass
    assert content(tmp_path) == [path]


async def test_versions_are_read(obfs4proxy: Path, snowflake: Path) -> None:
    for path in (obfs4proxy, snowflake):
        assert (await version(path))[0].isdigit()


async def test_what_does_not_tell_its_version_has_none(tmp_path: Path) -> None:
    path = tmp_path / "quiet"
    path.write_text("#!/bin/sh\necho $1 is no flag\n")
    path.chmod(0o700)
    assert await version(path) == ""


def test_the_named_places_come_before_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in ("named", "path", "home")]
    bundle = folders[2] / "tor-browser/Browser/TorBrowser/Tor/PluggableTransports"
    for folder in [*folders, bundle]:
        folder.mkdir(parents=True, exist_ok=True)
    single = installed(tmp_path, "my-client")
    ours, theirs = installed(folders[0], "obfs4proxy"), installed(folders[1], "obfs4proxy")
    bundled = installed(bundle, "lyrebird")
    monkeypatch.setenv("PATH", str(folders[1]))
    monkeypatch.setenv("HOME", str(folders[2]))
    monkeypatch.setenv(VARIABLE, os.pathsep.join([str(single), str(folders[0]), ""]))
    assert find()[:4] == [single, ours, bundled, theirs]
    monkeypatch.delenv(VARIABLE)
    assert find()[:2] == [bundled, theirs]


def test_the_folder_one_is_in_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "lyrebird")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["", "."]))
    assert tmp_path not in [path.absolute().parent for path in find()]


def bundled(home: Path) -> Path:
    folder = home / "tor-browser/Browser/TorBrowser/Tor/PluggableTransports"
    folder.mkdir(parents=True)
    return installed(folder, "lyrebird")


@pytest.mark.parametrize("open_to_others", ["lyrebird", "PluggableTransports", "tor-browser", "home"])
@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_what_others_could_have_put_into_a_usual_place_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_to_others: str, mode: int
) -> None:
    program = bundled(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert program in find()
    (path,) = [one for one in (program, *program.parents) if one.name == open_to_others]
    path.chmod(mode)
    assert program not in find()
    monkeypatch.setenv(VARIABLE, str(program.parent))  # but who names it means it
    assert program in find()


def test_a_link_is_as_good_as_what_it_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = bundled(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    real = tmp_path / "elsewhere" / "lyrebird"
    real.parent.mkdir(mode=0o755)
    program.rename(real)
    program.symlink_to(real)
    assert program in find()
    real.parent.chmod(0o777)
    assert program not in find()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
def test_neither_is_what_belongs_to_somebody_else_nor_to_a_group_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = bundled(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    program.chmod(0o775)
    assert program in find()  # the owner's own group
    os.chown(program, 0, 12345)
    program.chmod(0o775)
    assert program not in find()
    program.chmod(0o755)
    assert program in find()
    os.chown(program, 12345, 0)
    assert program not in find()

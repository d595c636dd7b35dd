"""A session without a vault writes nothing: every file operation of whole sessions is watched, and nothing may be written.

What tor and its transports need lives in memory (/dev/shm), in folders that are gone at the end.
"""

from __future__ import annotations

import asyncio
import compileall
import os
import re
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from client.drill.stage import stage
from client.drill.tornet import TorNet
from client.tasks import Crew
from client.watch.calendar import Mark
from tests.client.cli import commands
from tests.client.cli.commands import ROOT, line_for, on_terminal, surroundings, toward, write_list
from tests.client.cli.test_watch import country as border
from tests.client.diagnosis.country import country
from tests.integration.bridge_runs import checking
from tests.integration.connecting import Targets, connecting
from tests.integration.file_watch import Watch, read, works
from tests.integration.test_screen_in_tmux import FOUND, PROMPT, tmux
from tests.servers.real import free_port
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="strace is a program of Linux"),
    pytest.mark.skipif(not works(), reason="needs strace, and to be allowed to use it"),
    pytest.mark.timeout(120),
]

NODE = "ss://YWVzLTI1Ni1nY206cGFzc3dvcmQ@127.0.0.1:{port}#node"


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """Give a watch. What Python imports before our first line is compiled, as pip leaves it."""
    compileall.compile_dir(ROOT / "client", maxlevels=0, quiet=2)
    folder = tmp_path / "watch"
    folder.mkdir()
    return Watch(folder=folder)


def nothing_was_written(watch: Watch, *programs: str) -> None:
    """All that was written is allowed, and the watch has seen these programs start."""
    assert watch.offences == []
    for program in (os.path.basename(sys.executable), *programs):
        assert any(name.startswith(program) for name in watch.programs), (program, watch.programs)


async def watched(
    watch: Watch,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
    stdin: bytes = b"",
) -> tuple[int, str]:
    """Run `sanylau`, or another command, to its end under the watch; return its status and what it printed."""
    whole = [*watch.before, *(command or (sys.executable, "-m", "client", *arguments))]
    process = await asyncio.create_subprocess_exec(
        *whole,
        env=surroundings({"HOME": str(watch.folder.parent), **(env or {})}),
        cwd=watch.folder.parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(stdin), 60)
    return process.returncode or 0, out.decode()


async def test_a_check_with_tor_and_a_transport_and_sing_box_writes_in_memory_only(
    watch: Watch, tornet: TorNet, tmp_path: Path
) -> None:
    lines = [tornet.bridges["obfs4-1"].line, tornet.bridges["vanilla-1"].line, NODE.format(port=free_port())]
    async with checking(tmp_path, lines, tornet.torrc, before=watch.before) as run:
        assert await run.ended() == 0
        assert [run.results[n]["status"] for n in (1, 2, 3)] == ["working", "working", "failed"]
    nothing_was_written(watch, "tor", "obfs4proxy", "sing-box")
    written = {seen.path.split("/")[3] for seen in watch.operations if seen.path.startswith("/dev/shm/")}
    assert {name.split("-")[1] for name in written} == {"tor", "pt"}
    assert written.isdisjoint(os.listdir("/dev/shm"))


async def test_a_connection_through_a_bridge_writes_in_memory_only(
    watch: Watch, tornet: TorNet, tmp_path: Path
) -> None:
    async with stage([]) as played:
        at = played.origin
        (tmp_path / "ca.pem").write_text(at.ca_pem)
        (tmp_path / "torrc").write_text(tornet.torrc)
        targets = Targets(
            page=f"https://127.0.0.1:{at.https_port}",
            plain=f"http://127.0.0.1:{at.http_port}",
            ca=tmp_path / "ca.pem",
        )
        async with connecting(
            tmp_path,
            [tornet.bridges["obfs4-1"].line],
            targets,
            "--torrc",
            str(tmp_path / "torrc"),
            before=watch.before,
            patience=(4.0, 30.0),
            command=("curl", "-sS", "--cacert", str(targets.ca), f"{targets.page}/small"),
        ) as run:
            assert await run.ended(60.0) == 0, run.complaints
            assert run.command
    nothing_was_written(watch, "tor", "obfs4proxy", "curl")


async def test_a_diagnosis_writes_nothing(watch: Watch, tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        arguments = ("--anchors", str(place.anchors), "--yes", "--profile", "fast")
        status, out = await watched(watch, "diagnose", *arguments)
    assert status == 0, out
    nothing_was_written(watch)


async def test_a_guide_that_asks_on_the_terminal_writes_nothing(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = 'os.execv(sys.executable, [sys.executable, "-m"'
    assert plain in commands._ON_TERMINAL
    code = commands._ON_TERMINAL.replace(
        plain, f'os.execvp("strace", {watch.before!r} + [sys.executable, "-m"'
    )
    monkeypatch.setattr(commands, "_ON_TERMINAL", code)
    async with stage({"good-socks5", "refused-http"}) as playing:
        path = write_list(tmp_path / "list", [line_for(placed) for placed in playing.parts])
        async with on_terminal("guide", path, *toward(playing, tmp_path)) as terminal:
            await terminal.until("Go on? [y/N]")
            terminal.type("y\n")
            ended = await terminal.end()
    assert ended.status == 0, ended.shown
    nothing_was_written(watch)
    assert "/dev/tty" in {seen.path for seen in watch.operations}


async def test_an_export_to_standard_output_writes_nothing(watch: Watch, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list", ["socks5://ann:correct-horse@192.0.2.1:1080"])
    status, out = await watched(watch, "export", "links", path, "--untested", "--reveal")
    assert (status, "correct-horse" in out) == (0, True)
    nothing_was_written(watch)


@pytest.mark.parametrize("way", ["--words", "--sms"])
async def test_a_bridge_that_is_passed_on_and_taken_in_writes_nothing(
    watch: Watch, tmp_path: Path, way: str
) -> None:
    bridge = f"obfs4 192.0.2.77:443 {'0123456789' * 4} cert={'A' * 70} iat-mode=0"
    path = write_list(tmp_path / "list", [bridge])
    plain = (way, "--plain", "--all")
    status, told = await watched(watch, "share", path, *plain, "--yes")
    assert status == 0, told
    told = "\n".join(re.findall(r"^ *\d+\. .*|^SY.*", told, re.MULTILINE))  # without what explains it
    status, out = await watched(watch, "take", *plain, "--inward", "--reveal", stdin=told.encode())
    assert (status, "192.0.2.77:443" in out) == (0, True), out
    nothing_was_written(watch)


async def test_a_report_to_standard_output_writes_nothing(watch: Watch, tmp_path: Path) -> None:
    path = write_list(tmp_path / "list", [f"socks5://ann:correct-horse@127.0.0.1:{free_port()}"])
    check = ("check", path, "--yes", "--json", "--profile", "fast", "--timeout", "2")
    _, told = await watched(watch, *check)
    lines = [line for line in told.splitlines() if line.startswith("{")]
    status, out = await watched(watch, "report", "--results", write_list(tmp_path / "results", lines))
    assert (status, "test_keys" in out) == (0, True), out
    nothing_was_written(watch)


FASTER = """
import asyncio, sys
from client.watch.clock import SystemClock
begin = __import__("time").time()
SystemClock.steady = lambda self: 30 * asyncio.get_running_loop().time()
SystemClock.awake = SystemClock.steady
SystemClock.wall = lambda self: begin + self.steady()
SystemClock.sleep = lambda self, seconds: asyncio.sleep(seconds / 30)
from client.__main__ import _run
sys.exit(_run())
"""


async def test_a_watch_until_it_opens_with_all_that_is_queued_writes_in_memory_only(
    watch: Watch, tornet: TorNet, tmp_path: Path
) -> None:
    """The real command, its clock 30 times as fast: the wait, the bell, the recheck with tor, the person's command."""
    async with border(tmp_path, Mark.SHUT) as (line, options), stage({"good-socks5"}) as playing:
        (tmp_path / "torrc").write_text(tornet.torrc)
        path = write_list(
            tmp_path / "list",
            [line_for(placed) for placed in playing.parts] + [tornet.bridges["obfs4-1"].line],
        )
        own = (
            "--on-open",
            "true",
            "--once",
            "--bridges",
            "none",
        )
        given = (*own, "--torrc", str(tmp_path / "torrc"), *toward(playing, tmp_path), "--yes")
        command = (sys.executable, "-B", "-c", FASTER, *options, path, *given)
        async with Crew() as crew:

            async def opens() -> None:
                await asyncio.sleep(6)
                await line.set(Mark.OPEN)

            crew.start(opens(), "opening")
            status, out = await watched(watch, command=command, env={"DISPLAY": ""})
    assert status == 0, out
    for part in ("It opened", "Testing the best entries", "Your command is done"):
        assert part in out
    nothing_was_written(watch, "tor", "obfs4proxy", "true")
    assert not any("anchors" in seen.path or "calendar" in seen.path for seen in watch.operations)


async def test_a_watch_that_is_stopped_writes_nothing(watch: Watch, tmp_path: Path) -> None:
    async with border(tmp_path, Mark.SHUT) as (_, options):
        given = ("--notice", "Tea is ready", "--json", "--yes")
        stopped = (
            "timeout",
            "--foreground",
            "--signal=INT",
            "12",
            sys.executable,
            "-B",
            "-c",
            FASTER,
            *options,
            *given,
        )
        status, out = await watched(watch, command=stopped)
    assert status == 124, out  # what `timeout` gives; ours is 130
    assert '"type": "summary"' in out
    assert '"state": "outage"' in out
    nothing_was_written(watch)


def test_the_screen_with_its_practice_writes_in_memory_only(watch: Watch, tmp_path: Path) -> None:
    with tmux(tmp_path, {"HOME": str(tmp_path)}) as terminal:
        terminal.start(" ".join(f"'{word}'" for word in [*watch.before, sys.executable, "-m", "client"]))
        terminal.until("Find a way out")
        terminal.press("3")
        terminal.until(FOUND)
        terminal.press("Enter")
        terminal.until("authentic content came through")
        terminal.press("Escape")
        terminal.press("C-c")
        terminal.until("Stopped after|Done in")
        terminal.press("C-q")
        terminal.until(f"{PROMPT}, 0")
    nothing_was_written(watch)


PASSPHRASE = b"six words that nobody would guess\n"
OF_THE_VAULT = re.compile(r"(?:/(?:key|vault)\.age(?:\.new)?)?\Z")


async def test_with_a_vault_only_its_two_files_are_written(watch: Watch, tmp_path: Path) -> None:
    vault = tmp_path / "own" / "vault"
    vault.parent.mkdir()
    env = {"SANYLAU_VAULT": str(vault)}
    async with stage({"good-socks5", "refused-http"}) as playing:
        path = write_list(tmp_path / "list", [line_for(placed) for placed in playing.parts])
        given = ("--passphrase-fd", "0")
        check = ("check", "vault:", *toward(playing, tmp_path), "--yes", *given)
        for arguments in (("vault", "create", *given), ("vault", "add", path, *given), check):
            status, out = await watched(watch, *arguments, env=env, stdin=PASSPHRASE)
            assert status == 0, out
    written = {seen.path for seen in watch.offences} - {str(vault.parent)}  # made where it is missing
    assert written >= {f"{vault}/{name}" for name in ("key.age", "key.age.new", "vault.age", "vault.age.new")}
    assert all(path.startswith(str(vault)) and OF_THE_VAULT.match(path, len(str(vault))) for path in written)
    assert sorted(file.name for file in vault.iterdir()) == ["key.age", "vault.age"]


# Can these tests fail?

OUTSIDE = {
    "a file in the home folder": "open(os.path.expanduser('~/.sanylau'), 'w').close()",
    "a file that is gone again": "import tempfile; tempfile.TemporaryFile().close()",
    "a file by a child": "import subprocess; subprocess.run(['sh', '-c', ': > left'])",
    "a folder": "os.mkdir('folder')",
    "a new name": "os.rename('list', 'other')",
    "a second name": "os.link('list', 'other')",
    "a name for a name": "os.symlink('list', 'other')",
    "a shorter file": "os.truncate('list', 0)",
    "a file less": "os.unlink('list')",
    "other rights": "os.chmod('list', 0o600)",
    "another time": "os.utime('list')",
    "a name for a socket": "import socket; it = socket.socket(socket.AF_UNIX); it.bind('socket'); it.close()",
    "a pipe": "os.mkfifo('pipe')",
    "a word to the system's log": "import syslog; syslog.syslog('x')",
    "memory under another name": "open('/dev/shm/other-name', 'w').close(); os.unlink('/dev/shm/other-name')",
    "a place that cannot be written": "os.path.exists('/nowhere') or os.system('echo > /nowhere/at-all')",
}


@pytest.mark.parametrize("code", OUTSIDE.values(), ids=OUTSIDE.keys())
async def test_the_watch_sees(watch: Watch, tmp_path: Path, code: str) -> None:
    """The session is real; what it should not do is done at its end."""
    write_list(tmp_path / "list", ["socks5://ann:correct-horse@192.0.2.1:1080"])
    script = (
        "import os, sys\nsys.argv[1:] = ['export', 'links', 'list', '--untested', '--reveal']\n"
        f"from client.__main__ import _run\nassert _run() == 0\n{code}\n"
    )
    _, out = await watched(watch, command=(sys.executable, "-B", "-c", script))
    assert "Traceback" not in out, out
    assert watch.offences


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ('openat(AT_FDCWD</home/ann>, "x", O_WRONLY|O_CREAT <unfinished ...>', ["/home/ann/x"]),
        (
            'openat(AT_FDCWD</home/ann>, "x", O_WRONLY|O_CREAT) = -1 EROFS (Read-only file system)',
            ["/home/ann/x"],
        ),
        ('openat(AT_FDCWD</>, "/dev/tty", O_RDWR) = 3</home/ann/x>', ["/home/ann/x"]),
        ('renameat2(AT_FDCWD</a>, "b", AT_FDCWD</c>, "d", 0) = 0', ["/a/b", "/c/d"]),
        ('rename("/dev/shm/sanylau-tor-1/x", "/home/ann/x") = 0', ["/home/ann/x"]),
        ('mkdir("/dev/shm/sanylau-tor-1/../x", 0700) = 0', ["/dev/shm/x"]),
        ("ftruncate(3</home/ann/x>, 0) = 0", ["/home/ann/x"]),
        ('unlink("/dev/null") = 0', ["/dev/null"]),
        ('openat(AT_FDCWD</>, "O_RDONLY", O_RDWR) = 3</O_RDONLY>', ["/O_RDONLY"]),
        ("something else altogether", ["something else altogether"]),
        ('openat(AT_FDCWD</>, "/O_RDWR", O_RDONLY) = 3</O_RDWR>', []),
        ('openat(AT_FDCWD</>, "/dev/pts/3", O_RDWR) = 3</dev/pts/3>', []),
        ("fallocate(3</memfd:x (deleted)>, 0, 0, 5) = 0", []),
        ('connect(3<socket:[5]>, {sa_family=AF_UNIX, sun_path="/run/dbus/bus"}, 9) = 0', ["/run/dbus/bus"]),
        ("connect(3<socket:[5]>, {sa_family=AF_INET, sin_port=htons(1)}, 16) = 0", []),
    ],
)
def test_a_line_of_the_watch_is_understood(line: str, paths: list[str]) -> None:
    assert [seen.path for seen in read(line) if not seen.is_allowed] == paths


async def test_the_watch_sees_modules_that_python_keeps(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "one_module.py").write_text("")
    await watched(watch, command=(sys.executable, "-c", "import one_module"))
    assert [re.sub(r".*/", "", seen.path) for seen in watch.offences][:1] == ["__pycache__"]


async def test_python_keeps_nothing_of_our_modules(watch: Watch, tmp_path: Path) -> None:
    """Neither the session nor the guard. The two that are read before our first line are compiled, as pip leaves them."""
    for name in ("client", "transports", "tui"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__", "__main__"):
        assert compileall.compile_file(tmp_path / "client" / f"{name}.py", quiet=2)
    bridge = f"obfs4 127.0.0.1:{free_port()} {'A' * 40} cert={'A' * 70} iat-mode=0"
    path = write_list(tmp_path / "list", [bridge])
    arguments = ("check", path, "--yes", "--profile", "fast", "--timeout", "4")
    _, out = await watched(watch, *arguments, env={"PYTHONPATH": str(tmp_path)})
    assert "obfs4" in out
    nothing_was_written(watch)
    assert len(list(tmp_path.rglob("*.pyc"))) == 2  # noqa: ASYNC240 - a test may block


def told(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


async def test_no_memory_of_a_session_or_of_its_engines_goes_into_a_core_file(
    tornet: TorNet, tmp_path: Path
) -> None:
    """Where cores go to a program, the limit does not hold; the filter does."""
    async with checking(tmp_path, [tornet.bridges["obfs4-zombie"].line], tornet.torrc) as run:
        await run.until(
            lambda: {"tor", "obfs4proxy"} <= {run.trail.names[pid] for pid in run.trail.running()}
        )
        for pid in (run.process.pid, *run.trail.running()):
            assert int(told(pid, "coredump_filter"), 16) == 0, run.trail.names.get(pid)
            assert re.search(r"Max core file size +0 +0 ", told(pid, "limits"))
        os.kill(run.process.pid, signal.SIGABRT)
        assert await run.ended() == -signal.SIGABRT

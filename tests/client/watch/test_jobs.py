import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from client import bridges_run
from client.bridges_run import Plan
from client.drill.proxies import World, socks5_proxy
from client.drill.run import run_of
from client.drill.serving import serving
from client.drill.stage import stage
from client.model import Message, Status
from client.watch.jobs import Bridges, Command, Found, Job, Recheck, carry_out, command_of, environment
from transports.types import CannotMeasure, Endpoint, Rejected

Told = list[tuple[str, bool | None]]


def nothing() -> Found:
    return Found(verdicts=[], bridges=[])


async def done(*jobs: Job, stop: asyncio.Event | None = None) -> tuple[Told, list[Message], Found]:
    said: Told = []
    messages = []

    async def tell(job: Job, ended: bool | None, message: Message, found: Found) -> None:
        said.append((job.name, ended))
        messages.append(message)

    async with asyncio.timeout(20):
        found = await carry_out(jobs, stop or asyncio.Event(), tell)
    return said, messages, found


def python(code: str, *more: str) -> Command:
    return Command([sys.executable, "-c", code, *more])


async def test_the_queue_is_done_in_order(tmp_path: Path) -> None:
    mark = tmp_path / "done"
    async with stage(["good-socks5", "silent-http"]) as playing:
        said, _, found = await done(
            Recheck(run_of(playing)), python("import sys; open(sys.argv[1], 'w').write('x')", str(mark))
        )
    assert said == [("recheck", None), ("recheck", True), ("command", None), ("command", True)]
    assert mark.read_text() == "x"
    assert [one.endpoint.transport for one in found.working] == ["socks5"]


async def test_where_nothing_works_it_goes_on_all_the_same() -> None:
    async with stage(["reset-socks5"]) as playing:
        said, _, found = await done(Recheck(run_of(playing)), python("pass"))
    assert said == [("recheck", None), ("recheck", False), ("command", None), ("command", True)]
    assert not found.working
    assert {verdict.status for _, verdict in found.verdicts} == {Status.FAILED}


async def test_a_command_gets_its_words_as_they_are_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANYLAU_VAULT", "somewhere")
    code = "import os, sys; open(sys.argv[1], 'w').write(repr((sys.argv[2:], 'SANYLAU_VAULT' in os.environ)))"
    words = command_of(f"{sys.executable} -c \"{code}\" {tmp_path / 'out'} '$HOME; ls' 'two words'")
    said, _, _ = await done(Command(words))
    assert said[-1] == ("command", True)
    assert (tmp_path / "out").read_text() == "(['$HOME; ls', 'two words'], False)"
    assert "PATH" in environment(os.environ)


async def test_a_command_that_fails_or_is_missing_is_told(tmp_path: Path) -> None:
    said, messages, _ = await done(python("raise SystemExit(7)"), Command([str(tmp_path / "none")]))
    assert said == [("command", None), ("command", False), ("command", None), ("command", False)]
    assert messages[1].values == {"status": 7}
    assert "could not be started" in messages[3].id


@pytest.mark.skipif(os.name != "posix", reason="signals")
async def test_when_it_shuts_the_rest_is_left(tmp_path: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, stop.set)
    said, _, _ = await done(python("import time; time.sleep(60)"), python("pass"), stop=stop)
    assert said == [("command", None), ("command", False)]


async def test_a_recheck_is_ended_too() -> None:
    stop = asyncio.Event()
    async with stage(["tarpit-socks5"]) as playing:
        asyncio.get_running_loop().call_later(0.3, stop.set)
        said, _, found = await done(Recheck(run_of(playing)), stop=stop)
    assert said == [("recheck", None), ("recheck", False)]
    assert not found.working


class _Broken:
    name = "recheck"

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def do(self, found: Found, stop: asyncio.Event) -> tuple[bool, Message]:
        raise self.error


async def test_a_job_that_breaks_does_not_cost_the_others() -> None:
    said, messages, _ = await done(
        _Broken(KeyError("x")), _Broken(CannotMeasure("no engine")), python("pass")
    )
    assert [ended for _, ended in said] == [None, False, None, False, None, True]
    assert messages[1].values == {"kind": "KeyError"}
    assert messages[3].id == "no engine"


def plan(**wishes: object) -> Plan:
    return bridges_run.prepare(bridges_run.Wishes(**wishes))  # type: ignore[arg-type]


async def test_bridges_are_fetched_only_through_what_works() -> None:
    through = plan(direct=True)
    through = replace(through, wishes=replace(through.wishes, direct=False, through="-"))
    done_, message = await Bridges(through).do(nothing(), asyncio.Event())
    assert not done_
    assert "no entry works" in message.id


async def test_bridges_that_do_not_come_are_told() -> None:
    done_, message = await Bridges(plan(direct=True, moat="https://127.0.0.1:1/")).do(
        nothing(), asyncio.Event()
    )
    assert not done_
    assert "did not answer" in message.id


@pytest.mark.parametrize("text", ["", "   ", "'open quote", "x" * 3000, "a\0b"])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        command_of(text)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_command_that_hangs_ends_with_all_that_it_started(tmp_path: Path) -> None:
    stop = asyncio.Event()
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    parent = (
        "import subprocess, sys, time\n"
        "started = subprocess.Popen([sys.executable, '-c', sys.argv[2]])\n"
        "open(sys.argv[1], 'w').write(str(started.pid))\ntime.sleep(60)"
    )
    mark = tmp_path / "pid"
    asyncio.get_running_loop().call_later(1.5, stop.set)
    _, messages, _ = await done(python(parent, str(mark), child), stop=stop)
    assert "was ended" in messages[-1].id
    assert not runs(mark)


def runs(mark: Path) -> bool:
    """Whether the process whose number stands there is more than a zombie."""
    stat = Path("/proc", mark.read_text(), "stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


async def test_what_a_command_prints_does_not_get_among_our_lines(capfd: pytest.CaptureFixture[str]) -> None:
    said, _, _ = await done(python("print('from the command')"))
    assert said[-1] == ("command", True)
    assert capfd.readouterr() == ("", "from the command\n")


async def test_fresh_bridges_are_fetched_through_an_entry_that_works() -> None:
    """The recheck finds it; the bridge server is asked through it, and through nothing else."""
    from client.model import Candidate, Reading
    from tests.servers.moat import OBFS4, OTHER_PORT, moat_server

    world = World()
    async with (
        stage(["silent-http"]) as playing,
        moat_server() as server,
        serving(socks5_proxy(world)) as port,
    ):
        run = run_of(playing)
        entry = Endpoint(transport="socks5", host="127.0.0.1", port=port)
        run = replace(run, reading=Reading((*run.reading.candidates, Candidate(entry, "list", 9)), (), 0))
        asked = plan(direct=True, country="tm", moat=server.url)
        asked = replace(asked, wishes=replace(asked.wishes, direct=False, through="-"), extra=server.ca_pem)
        said, messages, found = await done(Recheck(run), Bridges(asked))
    assert said == [("recheck", None), ("recheck", True), ("bridges", None), ("bridges", True)]
    assert [line.text for line in found.bridges][:2] == [OBFS4, OTHER_PORT]
    assert messages[-1].values["n"] == len(found.bridges)
    assert server.paths == ["circumvention/settings"]


async def test_a_bridge_server_with_a_forged_certificate_gives_nothing() -> None:
    from client.model import Candidate, Reading
    from tests.servers.moat import moat_server

    async with (
        stage(["silent-http"]) as playing,
        moat_server() as server,
        serving(socks5_proxy(World())) as port,
    ):
        run = run_of(playing)
        entry = Endpoint(transport="socks5", host="127.0.0.1", port=port)
        run = replace(run, reading=Reading((Candidate(entry, "list", 1),), (), 0))
        asked = plan(direct=True, country="tm", moat=server.url)
        asked = replace(asked, wishes=replace(asked.wishes, direct=False, through="-"))
        said, _, found = await done(Recheck(run), Bridges(asked))
    assert said[-1] == ("bridges", False)
    assert found.bridges == []
    assert server.asked == []

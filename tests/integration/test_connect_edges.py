"""`sanylau connect` where something goes wrong on this machine: the port, its clients, signals, sleep, the command."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from client.drill.serving import Peer, holding, reach
from tests.integration import programs
from tests.integration.connecting import Note, Running, Targets, connecting
from tests.integration.far_sites import SAYS, digest, playing
from tests.integration.test_connect_failover import grown
from tests.servers import real
from tests.servers.singbox import Servers, singbox_servers

__all__ = ["singbox_servers"]
pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="follows processes through /proc"),
    pytest.mark.skipif(
        not all(real.find(name) for name in ("microsocks", "curl")), reason="needs microsocks and curl"
    ),
]

DEFAULT = 1080
AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Pages, what a check asks for, and a SOCKS5 server, on loopback."""

    targets: Targets
    page: str
    messenger: int
    line: str


@asynccontextmanager
async def here(folder: Path, roots: str = "") -> AsyncIterator[Here]:
    async with (
        playing(folder, page="127.0.0.1", target="127.0.0.1", fixed=False) as ports,
        real.microsocks() as port,
    ):
        ca = folder / "roots.pem"
        ca.write_text(ports["ca"] + roots)
        yield Here(
            targets=Targets(
                page=f"https://127.0.0.1:{ports['target']}",
                plain=f"http://127.0.0.1:{ports['plain']}",
                ca=ca,
            ),
            page=f"http://127.0.0.1:{ports['http']}",
            messenger=ports["messenger"],
            line=f"socks5://127.0.0.1:{port}",
        )


@asynccontextmanager
async def using(folder: Path, *extra: str, **more: object) -> AsyncIterator[tuple[Here, Running]]:
    """Run `connect` over the SOCKS5 server, and wait until it is in use."""
    async with here(folder) as place, connecting(folder, [place.line], place.targets, *extra, **more) as run:  # type: ignore[arg-type]
        await run.until("using")
        yield place, run


async def tunnel(run: Running, port: int) -> Peer:
    """Open a connection to a port of this machine through `connect`."""
    peer = await reach("127.0.0.1", run.port)
    await peer.send(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
    answer = await peer.exactly(12)
    assert answer[:4] == b"\x05\x00\x05\x00", answer
    return peer


async def echoed(peer: Peer, content: bytes) -> bool:
    """Say a frame to the messenger's server; tell whether the right one came back."""
    await peer.send(len(content).to_bytes(4, "little") + content)
    reply = await peer.exactly(int.from_bytes(await peer.exactly(4), "little"))
    return reply[32:] == content[::-1]


async def works(run: Running, place: Here) -> bool:
    done = await programs.run([], *programs.curl(f"socks5h://127.0.0.1:{run.port}", f"{place.page}/page"))
    return done.status == 0 and SAYS[7:] in done.out


def bound(port: int) -> list[str]:
    """Return the addresses on which somebody listens on a port, as the system writes them."""
    rows = [row.split() for row in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return [row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]


def engines(run: Running) -> int:
    """Return how many sing-box run now."""
    return sum(run.trail.names[pid].startswith("sing-box") for pid in run.trail.running())


def resident(run: Running) -> int:
    """Return the client's memory in KiB."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{run.process.pid}/status").read_text())[0])


async def test_a_default_port_that_is_taken_gives_way_to_the_next_one_and_that_is_said(
    tmp_path: Path,
) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # another test has it: taken all the same
            taken.bind(("127.0.0.1", DEFAULT))
            taken.listen()
        async with using(tmp_path, port=0) as (place, run):
            _, told = await run.until("listening")
            assert told["address"] == "127.0.0.1"
            assert DEFAULT < told["port"] < DEFAULT + 100
            assert await works(run, place)
            whole = [sys.executable, "-m", "client", "connect", str(tmp_path / "list"), "--yes"]
            whole += ["--profile", "fast", *place.targets.arguments()]
            async with programs.started([], *whole) as for_people:
                out = for_people.process.stdout
                assert out is not None
                assert str(DEFAULT).encode() in await asyncio.wait_for(out.readline(), 20)


async def test_a_port_that_was_asked_for_and_is_taken_ends_it_with_one_line(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            async with connecting(tmp_path, [place.line], place.targets, port=port) as run:
                assert await run.ended() == 2
                await asyncio.sleep(0.05)
                assert [str(port) in line for line in run.complaints] == [True], run.complaints
                assert [one for _, one in run.told if one["type"] == "using"] == []


async def test_it_listens_beyond_loopback_only_when_told_and_only_with_a_password(tmp_path: Path) -> None:
    async with here(tmp_path) as place:
        async with connecting(tmp_path, [place.line], place.targets, "--listen", "0.0.0.0") as run:
            assert await run.ended() == 2
            assert len(run.complaints) == 1, run.complaints
        async with connecting(tmp_path, [place.line], place.targets) as run:
            await run.until("using")
            assert bound(run.port) == ["0100007F"]


async def test_two_hundred_connections_at_once_all_get_their_own_bytes(
    tmp_path: Path, record_property: Note
) -> None:
    async with using(tmp_path) as (place, run), AsyncExitStack() as stack:
        before, begun = resident(run), time.monotonic()
        opened = await asyncio.gather(*(tunnel(run, place.messenger) for _ in range(AT_ONCE)))
        peers = [await stack.enter_async_context(holding(peer)) for peer in opened]
        await asyncio.gather(*(peer.send(b"\xee" * 4) for peer in peers))
        for size in (16, 20_000):
            contents = [random.randbytes(size) for _ in peers]
            found = await asyncio.gather(
                *(echoed(peer, one) for peer, one in zip(peers, contents, strict=True))
            )
            assert all(found)
        record_property(
            "200 connections", f"{time.monotonic() - begun:.2f} s, {before} -> {resident(run)} KiB"
        )
        assert resident(run) - before < 30 * 1024
        _, status = await run.until("status", connections=AT_ONCE, limit=8)
        assert status["up_bytes"] >= AT_ONCE * 20_000
        assert status["down_bytes"] >= AT_ONCE * 20_000


async def test_a_client_that_never_reads_fills_no_memory_and_hinders_nobody(
    tmp_path: Path, record_property: Note
) -> None:
    async with using(tmp_path) as (place, run), AsyncExitStack() as stack:
        before = resident(run)
        port = int(place.page.rpartition(":")[2])
        for _ in range(8):
            lazy = await stack.enter_async_context(holding(await tunnel(run, port)))
            lazy.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await lazy.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1.5)
        assert await works(run, place)
        file = tmp_path / "big"
        done = await programs.run(
            [], *programs.curl(f"http://127.0.0.1:{run.port}", f"{place.page}/big", "-o", str(file))
        )
        assert (done.status, programs.hashed(file)) == (0, digest())
        record_property("lazy", f"{resident(run) - before} KiB more with 8 lazy clients")
        assert resident(run) - before < 12 * 1024
        assert run.said("lost") == []


GARBAGE = {
    "noise": random.Random(1).randbytes(70_000),
    "zeros": bytes(70_000),
    "long head": b"GET http://127.0.0.1/ HTTP/1.1\r\n" + b"X: " + b"y" * 200_000,
    "many headers": b"GET http://127.0.0.1/ HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
    "tls": bytes.fromhex("16030100c8010000c40303") + random.Random(2).randbytes(300),
    "no method": b"\x05\x00",
    "bind": b"\x05\x01\x00" + b"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50",
    "long name": b"\x05\x01\x00" + b"\x05\x01\x00\x03\xff" + b"\x1b" * 255 + b"\x00\x50",
    "escapes": b"CONNECT \x1b[2J\x1b]0;x\x07:80 HTTP/1.1\r\n\r\n",
    "split": b"POST http://127.0.0.1/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "socks4 without end": b"\x04\x01\x00\x50\x00\x00\x00\x01" + b"u" * 5000,
    "itself": b"",
}


async def test_hostile_clients_of_the_port_are_ended_and_hinder_nobody(tmp_path: Path) -> None:
    async with using(tmp_path) as (place, run), AsyncExitStack() as stack:
        before = resident(run)

        async def throw(data: bytes) -> None:
            async with holding(await reach("127.0.0.1", run.port)) as peer:
                with suppress(OSError, EOFError, TimeoutError):
                    async with asyncio.timeout(14):
                        await peer.send(data)
                        while await peer.read():
                            pass
                    return
                assert peer.reader.at_eof() or peer.reader.exception() is not None, data[:20]

        async def drip(data: bytes) -> None:
            async with holding(await reach("127.0.0.1", run.port)) as peer:
                with suppress(OSError):
                    for at in range(60):
                        await peer.send(data[at : at + 1])
                        await asyncio.sleep(0.25)
                    raise AssertionError("a dripping client was borne for 15 s")

        for _ in range(300):
            await stack.enter_async_context(holding(await reach("127.0.0.1", run.port)))
        to_itself = b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + run.port.to_bytes(2, "big")
        async with asyncio.TaskGroup() as group:
            for data in GARBAGE.values():
                group.create_task(throw(data or to_itself))
            group.create_task(drip(b"GET http://127.0.0.1:80/" + b"a" * 60))
            for _ in range(5):
                await asyncio.sleep(0.3)
                assert await works(run, place)
        assert resident(run) - before < 16 * 1024
        assert await works(run, place)
        assert not any("\x1b" in line for line in run.complaints)
        assert run.said("lost") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_left_when_it_is_ended_with_connections_open(
    singbox_servers: Servers, tmp_path: Path, number: signal.Signals, record_property: Note
) -> None:
    trojan = singbox_servers.servers["trojan"].good
    line = f"trojan://{trojan['password']}@127.0.0.1:{trojan['server_port']}?sni=node.test"
    async with (
        here(tmp_path, singbox_servers.roots) as place,
        connecting(tmp_path, [line], place.targets) as run,
    ):
        await run.until("using", transport="trojan")
        assert engines(run) == 1
        file = tmp_path / "part"
        command = programs.curl(
            f"socks5h://127.0.0.1:{run.port}", f"{place.page}/unmeasured", "-o", str(file)
        )
        async with programs.started([], *command) as download:
            await grown(file, to=1 << 20)
            run.signal(number)
            begun = time.monotonic()
            status = await run.ended(4.0)
            record_property("ended", f"{number.name} {time.monotonic() - begun:.2f} s")
            assert status == {signal.SIGINT: 130, signal.SIGTERM: 130}.get(number, -number)
            assert (
                await download.done()
            ).status == 56  # a reset: an ordinary end would make a part look whole
        assert not real.listens(run.port)
        if number != signal.SIGKILL:
            assert run.told[-1][1]["type"] == "summary"


async def test_two_quick_interrupts_leave_nothing(tmp_path: Path) -> None:
    async with using(tmp_path) as (_, run):
        run.signal(signal.SIGINT)
        await asyncio.sleep(0.01)
        with suppress(ProcessLookupError):
            run.signal(signal.SIGINT)
        assert await run.ended(4.0) == 130


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("sh", "-c", "exit 0"), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -TERM $$"), 128 + signal.SIGTERM),
        (("no-such-program-here",), 127),
    ],
    ids=["0", "7", "killed", "not there"],
)
async def test_the_status_of_the_command_is_the_status_of_all(
    tmp_path: Path, command: tuple[str, ...], status: int
) -> None:
    async with (
        here(tmp_path) as place,
        connecting(tmp_path, [place.line], place.targets, command=command) as run,
    ):
        assert await run.ended(20) == status, run.complaints


async def test_the_command_finds_the_proxy_in_its_environment_and_its_words_stay_its_own(
    tmp_path: Path,
) -> None:
    script = (
        'for n in ALL_PROXY all_proxy HTTP_PROXY http_proxy HTTPS_PROXY https_proxy; do eval "echo $n=\\$$n"; done; '
        'echo "no=[$NO_PROXY$no_proxy]"; curl -sS "$1/page"; echo; echo to stderr >&2; exit 3'
    )
    async with here(tmp_path) as place:
        command = ("sh", "-c", script, "sh", place.page)
        around = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1"}
        async with connecting(tmp_path, [place.line], place.targets, command=command, env=around) as run:
            assert await run.ended(20) == 3
            await asyncio.sleep(0.05)
            own = run.command
            where = own[0].rpartition("/")[2]
            assert re.fullmatch(rf"x:[a-z0-9-]{{23}}@127\.0\.0\.1:{run.port}", where)
            http, socks = f"http://{where}", f"socks5h://{where}"
            names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")
            both = [f"ALL_PROXY={socks}", f"all_proxy={socks}"]
            assert own[:6] == [*both, *(f"{name}={http}" for name in names)]
            assert own[6] == "no=[]"
            assert SAYS[7:] in own[7]
            assert "to stderr" in run.complaints


async def test_where_nothing_works_the_command_is_not_run(tmp_path: Path) -> None:
    dead = f"socks5://127.0.0.1:{real.free_port()}"
    made = tmp_path / "made"
    async with (
        here(tmp_path) as place,
        connecting(tmp_path, [dead], place.targets, command=("touch", str(made))) as run,
    ):
        assert await run.ended(30) == 1
        assert not made.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_the_command_does_not_outlive_it(tmp_path: Path, number: signal.Signals) -> None:
    killed = number == signal.SIGKILL
    script = "setsid sleep 60 & sleep 60" if killed else "sleep 60"
    async with using(tmp_path, command=("sh", "-c", script)) as (_, run):
        await run.when(lambda: len(run.trail.running("sleep")) == 1 + killed, 10)
        run.signal(number)
        assert await run.ended(6.0) == (-number if killed else 130)


async def test_a_stopped_machine_goes_on_where_it_was(tmp_path: Path) -> None:
    """The process is stopped for eleven seconds and goes on: what a laptop that sleeps looks like from inside."""
    async with using(tmp_path) as (place, run), holding(await tunnel(run, place.messenger)) as peer:
        await peer.send(b"\xee" * 4)
        assert await echoed(peer, b"before")
        run.signal(signal.SIGSTOP)
        await asyncio.sleep(11)
        run.signal(signal.SIGCONT)
        begun = time.monotonic()
        assert await echoed(peer, b"after")
        assert await works(run, place)
        assert time.monotonic() - begun < 2
        await asyncio.sleep(3)
        assert run.said("lost") == []
        assert run.said("held") == []


async def test_without_a_consent_nothing_is_sent(tmp_path: Path) -> None:
    """No terminal, no --yes: one line, status 2, and nobody is asked anything."""
    came: list[int] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / "list").write_text(f"socks5://127.0.0.1:{port}\n")
    command = [sys.executable, "-m", "client", "connect"]
    done = await programs.run([], *command, str(tmp_path / "list"), "--json")  # it has no terminal
    server.close()
    await server.wait_closed()
    assert done.status == 2, done
    assert len(done.err.splitlines()) == 1, done.err
    assert came == []

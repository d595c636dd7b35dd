import asyncio
import gc
import hashlib
import resource
import socket
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from client.connect import local as under_test
from client.connect.local import CannotListen, Limits, Local, PortTaken
from client.drill.serving import Peer, serving
from tests.client.connect.ways_out import RESETS, Program, WayOut, local, program, until
from transports.types import Rejected


async def echo(peer: Peer) -> None:
    while data := await peer.read():
        await peer.send(data)
    peer.finish()


async def test_two_hundred_programs_at_once_each_get_their_own_bytes() -> None:
    async with serving(echo) as port, local() as (door, gateway):

        async def one(number: int) -> bool:
            async with program(door) as client:
                await client.tunnel(port)
                words = hashlib.shake_256(str(number).encode()).digest(50_000)
                await client.send(words)
                return await client.exactly(len(words)) == words

        assert all(await asyncio.gather(*(one(number) for number in range(200))))
        assert door.totals.total == 200
        await until(lambda: door.totals.now == 0)
        assert all(leg.closed for leg in gateway.legs)


async def test_leaving_resets_every_connection_at_once_and_leaves_nothing() -> None:
    async with serving(echo) as port:
        door: Local
        async with local() as (door, gateway), program(door) as early:
            clients = [early]
            await early.tunnel(port)
            async with program(door) as asking:
                await asking.send(b"\x05")
                await until(lambda: door.totals.now == 2)
                left = time.monotonic()
                clients.append(asking)
                door._hang_up()
                assert [await client.is_reset() for client in clients] == [True, True]
        assert time.monotonic() - left < 1
        assert gateway.legs[0].closed
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", door.port), timeout=1).close()


async def test_a_port_that_is_taken_is_named_so() -> None:
    async with local() as (door, _):
        with pytest.raises(PortTaken):
            async with Local.listening("127.0.0.1", door.port, WayOut()):
                pass


async def test_the_port_is_free_again_at_once() -> None:
    async with local() as (door, _), program(door) as client:
        await client.send(b"\x05")
    async with Local.listening("127.0.0.1", door.port, WayOut()) as again:
        assert again.port == door.port


async def test_an_address_that_is_not_ours_cannot_be_listened_on() -> None:
    with pytest.raises(CannotListen) as caught:
        async with Local.listening("198.51.100.7", 0, WayOut(), password="secret"):
            pass
    assert not isinstance(caught.value, PortTaken)


@pytest.mark.parametrize(
    ("host", "password"), [("localhost", None), ("", None), ("0.0.0.0", None), ("0.0.0.0", ""), ("::", None)]
)
async def test_names_and_open_doors_are_rejected(host: str, password: str | None) -> None:
    with pytest.raises(Rejected):
        async with Local.listening(host, 0, WayOut(), password=password):
            pass


async def test_with_a_password_it_may_listen_on_every_address() -> None:
    async with Local.listening("0.0.0.0", 0, WayOut(), password="secret") as door, program(door) as client:
        await client.send(b"\x05\x01\x00")
        assert await client.recv() == b"\x05\xff"


async def test_it_listens_on_ipv6_loopback_too() -> None:
    async with Local.listening("::1", 0, WayOut()) as door:
        assert door.address == "::1"
        with socket.socket(socket.AF_INET6) as sock:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("::1", door.port))
            client = Program(sock)
            await client.send(b"\x05\x01\x00")
            assert await client.recv() == b"\x05\x00"


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("fe80::1%1", False),
        ("198.51.100.1", False),
    ],
)
def test_a_peer_is_of_this_machine_or_not(address: str, is_loopback: bool) -> None:
    assert under_test._is_loopback(address) is is_loopback


async def test_a_stranger_is_reset_where_no_password_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    async with local() as (door, _):
        monkeypatch.setattr(under_test, "_is_loopback", lambda _: False)
        with suppress(ConnectionResetError):  # it may be so quick that the connection never stands
            async with program(door) as client:
                assert await client.is_reset()
        assert door.totals.total == 0


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"\x00" * 100, id="zeros"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(b"\x06\x01\x00", id="SOCKS6"),
        pytest.param(b"\xff\xfb\x01", id="telnet"),
    ],
)
async def test_garbage_is_reset(words: bytes) -> None:
    async with local() as (door, gateway), program(door) as client:
        await client.send(words)
        assert await client.is_reset()
        assert gateway.asked == []


@pytest.mark.parametrize("word", [b"", b"\x05", b"\x04\x01", b"CONNECT a.test:443 HTTP/1.1\r\n"])
async def test_a_program_that_never_says_all_is_reset_after_a_while(word: bytes) -> None:
    async with local(limits=Limits(asking=0.2)) as (door, _), program(door) as client:
        if word:
            await client.send(word)
        assert await client.is_reset()
        await until(lambda: door.totals.now == 0)


async def test_dripping_does_not_lengthen_the_deadline() -> None:
    async with local(limits=Limits(asking=0.3)) as (door, _), program(door) as client:
        began = time.monotonic()
        with suppress(*RESETS):
            for byte in b"GET http://a.test/ HTTP/1.1\r\n" + b"X: y\r\n" * 1000:
                await client.send(bytes([byte]))
                await asyncio.sleep(0.02)
        assert time.monotonic() - began < 2


async def test_one_connection_too_many_is_turned_away_and_the_others_live_on() -> None:
    async with serving(echo) as port, local(limits=Limits(connections=2)) as (door, _):
        async with program(door) as one, program(door) as two:
            await one.tunnel(port)
            await two.tunnel(port)
            async with program(door) as three:
                assert await three.is_reset()
            assert door.totals.turned_away == 1
            await one.send(b"x")
            assert await one.exactly(1) == b"x"
        await until(lambda: door.totals.now == 0)
        async with program(door) as four:
            await four.tunnel(port)


async def test_without_descriptors_it_waits_and_goes_on() -> None:
    async with serving(echo) as port, local() as (door, _):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with program(door) as first:
            await first.tunnel(port)
            waiting = [socket.socket() for _ in range(3)]
            spare = socket.socket()
            used = spare.fileno() + 1
            spare.close()
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (used - 1, hard))
                for sock in waiting:
                    sock.setblocking(False)
                    sock.connect_ex(("127.0.0.1", door.port))
                await asyncio.sleep(0.3)
                await first.send(b"x")
                assert await first.exactly(1) == b"x"
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await until(lambda: door.totals.total == 4)
            for sock in waiting:
                sock.close()


async def test_an_option_that_never_answers_has_a_limit() -> None:
    class Never(WayOut):
        async def stream(self, host: str, port: int) -> object:  # type: ignore[override]
            await asyncio.sleep(60)
            raise AssertionError

    async with local(Never(), limits=Limits(opening=0.1)) as (door, _), program(door) as client:
        assert (await client.socks5(80))[1] == 6


async def test_a_fault_of_ours_ends_one_connection_and_is_told_at_the_end() -> None:
    class Faulty(WayOut):
        async def stream(self, host: str, port: int) -> object:  # type: ignore[override]
            if host == "bad.test":
                raise ZeroDivisionError
            return await super().stream(host, port)

    async def one_bad_and_one_good() -> None:
        async with (
            serving(echo) as port,
            local(Faulty()) as (door, _),
            program(door) as bad,
            program(door) as good,
        ):
            await good.tunnel(port)
            with pytest.raises(ConnectionResetError):
                await bad.socks5(port, b"bad.test")
            await good.send(b"x")
            assert await good.exactly(1) == b"x"

    with pytest.raises(ZeroDivisionError):
        await one_bad_and_one_good()


async def test_idle_and_stuck_connections_cost_little() -> None:
    async def pours(peer: Peer) -> None:
        for _ in range(400):
            await peer.send(b"x" * 65536)

    async with serving(pours) as port, local() as (door, _):
        clients = []
        gc.collect()
        tracemalloc.start()
        try:
            for _ in range(20):
                sock = socket.socket()
                sock.setblocking(False)
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", door.port))
                clients.append(sock)
                await Program(sock).tunnel(port)
            await asyncio.sleep(1)  # all that the kernel takes is on its way
            mine = tracemalloc.take_snapshot().filter_traces(
                [tracemalloc.Filter(True, str(Path(under_test.__file__).parent / "*"))]
            )
            used = sum(line.size for line in mine.statistics("filename"))
        finally:
            tracemalloc.stop()
            for sock in clients:
                sock.close()
        assert used / 20 < 72 * 1024

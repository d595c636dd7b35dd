import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from client.connect.legs import Datagrams, NotOpened, Refusal
from client.connect.local import Local
from client.connect.udp_side import opened
from client.drill.proxies import World, socks5_proxy
from client.drill.serving import Peer, serving
from tests.client.connect.ways_out import Program, WayOut, local, program, until
from tests.servers.around import around
from tests.servers.real import danted, find
from tests.transports.test_udp import echoing, proxy
from transports.wire.socks_server import pack, unpack


class Recording:
    """Datagrams that go nowhere: what came is kept, what is given is received."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, bytes]] = []
        self.coming: asyncio.Queue[tuple[str, int, bytes]] = asyncio.Queue()
        self.closed = False
        self.calls: list[Callable[[], None]] = []

    async def send(self, host: str, port: int, data: bytes) -> None:
        self.sent.append((host, port, data))

    async def recv(self) -> tuple[str, int, bytes]:
        return await self.coming.get()

    def when_cut(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def close(self) -> None:
        self.closed = True


def gives(datagrams: Datagrams) -> Callable[[], Awaitable[Datagrams]]:
    async def give() -> Datagrams:
        return datagrams

    return give


@asynccontextmanager
async def udp() -> AsyncIterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


async def associated(client: Program, port: int = 0) -> tuple[str, int]:
    await client.send(b"\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00" + port.to_bytes(2, "big"))
    assert await client.exactly(2) == b"\x05\x00"
    reply = await client.exactly(10)
    assert reply[:4] == b"\x05\x00\x00\x01"
    return str(ipaddress.ip_address(reply[4:8])), int.from_bytes(reply[8:], "big")


@asynccontextmanager
async def recording() -> AsyncIterator[tuple[Program, tuple[str, int], Recording, Local]]:
    there = Recording()
    async with local(WayOut(datagrams=gives(there))) as (door, _), program(door) as client:
        yield client, await associated(client), there, door


async def exchanged(sock: socket.socket, where: tuple[str, int], datagram: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    for _ in range(20):
        await loop.sock_sendto(sock, datagram, where)
        try:
            async with asyncio.timeout(0.5):
                return await loop.sock_recv(sock, 65536)
        except TimeoutError:
            continue
    raise AssertionError("no answer")


@pytest.mark.skipif(find("danted") is None, reason="needs danted")
async def test_datagrams_of_a_program_go_through_a_real_proxy(tmp_path: Path) -> None:
    async with echoing() as port, danted(tmp_path) as there:
        gateway = WayOut(datagrams=lambda: opened(proxy(there), around()))
        async with local(gateway) as (door, _), program(door) as client, udp() as sock:
            where = await associated(client)
            got = unpack(await exchanged(sock, where, pack("127.0.0.1", port, b"salem")))
            assert got == ("127.0.0.1", port, b"echo salem")


async def test_pysocks_is_content() -> None:
    import socks

    async with echoing() as port, serving(socks5_proxy(World())) as there:
        gateway = WayOut(datagrams=lambda: opened(proxy(there), around()))
        async with local(gateway) as (door, _):

            def ask() -> bytes:
                sock = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    sock.set_proxy(socks.SOCKS5, "127.0.0.1", door.port)
                    sock.settimeout(5)
                    sock.sendto(b"salem", ("127.0.0.1", port))
                    data: bytes = sock.recv(100)
                    return data
                finally:
                    sock.close()

            assert await asyncio.to_thread(ask) == b"echo salem"


async def test_names_travel_to_the_far_end() -> None:
    async with recording() as (_, where, there, _), udp() as sock:
        sock.sendto(pack("nowhere.invalid", 53, b"q"), where)
        await until(lambda: there.sent == [("nowhere.invalid", 53, b"q")])
        await there.coming.put(("nowhere.invalid", 53, b"a"))
        async with asyncio.timeout(5):
            assert unpack(await asyncio.get_running_loop().sock_recv(sock, 100)) == (
                "nowhere.invalid",
                53,
                b"a",
            )


async def test_a_stranger_on_another_port_is_not_heard() -> None:
    async with recording() as (_, where, there, _), udp() as mine, udp() as strange:
        mine.sendto(pack("127.0.0.1", 53, b"mine"), where)
        await until(lambda: len(there.sent) == 1)
        strange.sendto(pack("127.0.0.1", 53, b"strange"), where)
        mine.sendto(pack("127.0.0.1", 53, b"again"), where)
        await until(lambda: len(there.sent) == 2)
        assert [data for _, _, data in there.sent] == [b"mine", b"again"]


async def test_another_address_of_this_machine_is_not_heard() -> None:
    async with recording() as (_, where, there, _), udp() as mine:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                other.bind(("127.0.0.2", 0))
            except OSError:
                pytest.skip("127.0.0.2 is not ours here")
            other.sendto(pack("127.0.0.1", 53, b"other"), where)
            mine.sendto(pack("127.0.0.1", 53, b"mine"), where)
            await until(lambda: bool(there.sent))
            assert [data for _, _, data in there.sent] == [b"mine"]


async def test_fragments_and_garbage_are_dropped() -> None:
    async with recording() as (_, where, there, _), udp() as sock:
        sock.sendto(b"\0\0\x01" + pack("127.0.0.1", 53, b"part")[3:], where)
        sock.sendto(b"garbage", where)
        sock.sendto(b"", where)
        sock.sendto(pack("127.0.0.1", 53, b"whole"), where)
        await until(lambda: bool(there.sent))
        assert [data for _, _, data in there.sent] == [b"whole"]


async def test_it_ends_with_its_connection() -> None:
    async with recording() as (client, where, there, door), udp() as sock:
        sock.sendto(pack("127.0.0.1", 53, b"x"), where)
        await until(lambda: bool(there.sent))
        client.sock.close()
        await until(lambda: there.closed and door.totals.now == 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(where)  # its port is free


async def test_the_connection_ends_with_the_option() -> None:
    async with recording() as (client, _, there, _):
        there.calls[0]()
        assert await client.everything() == b""
        await until(lambda: there.closed)


async def test_the_connection_ends_with_the_proxy() -> None:
    async def hangs_up(peer: Peer) -> None:
        await peer.exactly(3)
        await peer.send(b"\x05\x00")
        await peer.exactly(10)
        await peer.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x01\x01")
        await asyncio.sleep(0.05)

    async with serving(hangs_up) as there:
        gateway = WayOut(datagrams=lambda: opened(proxy(there), around()))
        async with local(gateway) as (door, _), program(door) as client:
            await associated(client)
            assert await client.everything() == b""


async def test_where_the_option_cannot_the_program_is_told() -> None:
    async with local() as (door, _), program(door) as client:
        await client.send(b"\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00")
        assert await client.exactly(2) == b"\x05\x00"
        assert (await client.everything())[:2] == b"\x05\x07"


async def test_what_waits_for_a_slow_option_is_bounded() -> None:
    class Slow(Recording):
        async def send(self, host: str, port: int, data: bytes) -> None:
            await asyncio.sleep(0.3)
            await super().send(host, port, data)

    there = Slow()
    async with local(WayOut(datagrams=gives(there))) as (door, _), program(door) as client, udp() as sock:
        where = await associated(client)
        for _ in range(60):
            sock.sendto(pack("127.0.0.1", 53, b"x" * 10_000), where)
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        there.send = Recording.send.__get__(there)  # type: ignore[method-assign]
        await asyncio.sleep(0.5)
        assert 0 < len(there.sent) <= 28


async def test_a_proxy_that_refuses_udp_makes_it_unsupported() -> None:
    async def refuses(peer: Peer) -> None:
        await peer.exactly(3)
        await peer.send(b"\x05\x00")
        await peer.exactly(10)
        await peer.send(b"\x05\x07\x00\x01" + bytes(6))

    async with serving(refuses) as there:
        with pytest.raises(NotOpened) as refused:
            await opened(proxy(there), around())
    assert refused.value.refusal is Refusal.UNSUPPORTED


async def test_a_program_that_names_its_port_cannot_be_forestalled_by_another_one() -> None:
    there = Recording()
    async with local(WayOut(datagrams=gives(there))) as (door, _), program(door) as client:
        async with udp() as own, udp() as strange:
            where = await associated(client, own.getsockname()[1])
            loop = asyncio.get_running_loop()
            await loop.sock_sendto(strange, pack("a.test", 53, b"stolen"), where)
            await asyncio.sleep(0.1)
            await loop.sock_sendto(own, pack("a.test", 53, b"mine"), where)
            await until(lambda: bool(there.sent))
            there.coming.put_nowait(("198.51.100.1", 53, b"answer"))
            async with asyncio.timeout(5):
                assert unpack(await loop.sock_recv(own, 65536)) == ("198.51.100.1", 53, b"answer")
        assert there.sent == [("a.test", 53, b"mine")]

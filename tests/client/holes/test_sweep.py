"""Whole sweeps against real beacons on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from client.beacon.server import Beacon
from client.beacon.wire import Protocol
from client.holes.doors import Host
from client.holes.plan import Seen, State
from client.holes.sweep import Even, Order, Sweep, Swept
from client.model import Message
from tests.client.holes.beacons import asked, beacon, free_ports, silent

TCP, UDP = Protocol.TCP, Protocol.UDP


def order(tcp: Sequence[int], udp: Sequence[int] = (), **more: object) -> Order:
    likely: Mapping[Protocol, Sequence[int]] = {TCP: tcp, UDP: udp}
    return Order(**{"likely": likely, "spacing": 0.01, "limit": 0.3} | more)  # type: ignore[arg-type]


class Told:
    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.words: list[str] = []

    def __call__(self, event: Seen | Message) -> None:
        if isinstance(event, Message):
            self.words.append(event.id)
        else:
            self.seen.append(event)

    def states(self, protocol: Protocol = TCP) -> dict[int, State]:
        return {one.port: one.state for one in self.seen if one.protocol is protocol and not one.control}


async def sweep(
    hosts: Sequence[Host], wanted: Order, stop: asyncio.Event | None = None
) -> tuple[Swept, Told]:
    told = Told()
    async with asyncio.timeout(20):
        return await Sweep(hosts, wanted, told).run(stop or asyncio.Event()), told


async def test_open_refused_and_silent_are_three_results() -> None:
    ports = free_ports(4)
    async with beacon(*ports[:2]):
        with silent(ports[2]):
            swept, told = await sweep([asked()], order(ports, ports[:3]))
    assert told.states() == dict(
        zip(ports, [State.OPEN, State.OPEN, State.SILENT, State.REFUSED], strict=True)
    )
    assert told.states(UDP) == dict(zip(ports, [State.OPEN, State.OPEN, State.SILENT], strict=False))
    assert swept.contact
    assert swept.stopped == ""
    assert not swept.resume


async def test_a_search_stops_when_enough_is_found_and_says_where_to_go_on() -> None:
    ports = free_ports(6)
    async with beacon(*ports):
        swept, told = await sweep([asked()], order(ports, spacing=0.05, first=2))
        assert list(told.states()) == ports[:2]
        assert (swept.stopped, swept.resume[TCP]) == ("first", ports[2])
        more = order(ports, spacing=0.0, starts={TCP: swept.resume[TCP]})
        _, told = await sweep([asked()], more)
    assert list(told.states()) == ports[2:]


async def test_ctrl_c_keeps_what_is_known() -> None:
    ports = free_ports(20)
    stop, told = asyncio.Event(), Told()

    def hear(event: Seen | Message) -> None:
        told(event)
        if len(told.seen) == 4:
            stop.set()

    async with beacon(*ports), asyncio.timeout(20):
        swept = await Sweep([asked()], order(ports, spacing=0.05), hear).run(stop)
    assert swept.stopped == "interrupted"
    assert 2 < len(told.seen) < 20
    assert swept.resume[TCP] == ports[len(told.seen)]


async def test_questions_are_paced() -> None:
    ports = free_ports(10)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with beacon(*ports):
        await sweep([asked()], order(ports, spacing=0.05))
    assert loop.time() - began >= 0.45


async def test_a_beacon_that_dies_is_noticed_and_what_was_found_stays() -> None:
    ports = free_ports(60)
    made: Beacon
    async with beacon(*ports) as made:
        asyncio.get_running_loop().call_later(1.0, made.close)
        swept, told = await sweep([asked()], order(ports, spacing=0.2))
    assert swept.stopped == "gone"
    assert any("has stopped answering" in word for word in told.words)
    found = [port for port, state in told.states().items() if state is State.OPEN]
    assert found == ports[: len(found)]
    assert found
    # A dead beacon's host refuses. That is no result.
    assert set(told.states().values()) == {State.OPEN, State.UNKNOWN}
    assert swept.resume[TCP] == ports[len(found)]


async def test_a_second_beacon_takes_over_what_the_first_cannot_say() -> None:
    ports = free_ports(6)
    async with beacon(*ports[:3], host="127.0.0.2"), beacon(*ports[3:], host="127.0.0.3"):
        hosts = [asked(1, host="127.0.0.2"), asked(2, host="127.0.0.3")]
        _, told = await sweep(hosts, order(ports))
    assert set(told.states().values()) == {State.OPEN}


async def test_a_beacon_is_asked_only_for_what_it_offers_but_its_refusals_are_read() -> None:
    ports = free_ports(3)
    async with beacon(ports[0]):
        host = asked(offers=lambda port: port == ports[0])
        _, told = await sweep([host], order(ports, ports))
    assert told.states() == dict(zip(ports, [State.OPEN, State.REFUSED, State.REFUSED], strict=True))
    assert {seen.port for seen in told.seen if seen.offered} == {ports[0]}
    assert told.states(UDP) == {ports[0]: State.OPEN}
    assert [seen.state for seen in told.seen if seen.control] == [State.REFUSED] * 3


async def test_with_the_wrong_key_nothing_is_open_and_no_sweep_of_all_ports_begins() -> None:
    ports = free_ports(3)
    async with beacon(*ports) as made:
        swept, told = await sweep([asked(key=bytes(16))], order(ports, ports, everything=True))
        assert made.counts.answers == 0
    assert set(told.states().values()) == {State.MUTE}
    assert set(told.states(UDP).values()) == {State.SILENT}
    assert not swept.contact
    assert any("No beacon's key has answered" in word for word in told.words)


async def test_a_sweep_of_all_ports_goes_on_at_its_port_once_the_key_has_answered() -> None:
    ports = free_ports(1)
    async with beacon(*ports):
        wanted = order(ports, everything=True, starts={TCP: 65500}, spacing=0.001)
        wanted = Order(
            likely={TCP: ports},
            starts=wanted.starts,
            everything=True,
            spacing=wanted.spacing,
            limit=wanted.limit,
        )
        swept, told = await sweep([asked()], wanted)
    assert told.states()[ports[0]] is State.OPEN
    assert set(told.states()) - set(ports) == set(range(65500, 65536)) - set(ports)
    assert sum(swept.counts.values()) == len(told.seen)


async def test_a_public_host_is_not_asked_more_often_than_it_may() -> None:
    ports = free_ports(9)
    _, told = await sweep([Host(name="host 1", address="127.0.0.1", site="x", most=5)], order(ports, ports))
    assert len(told.seen) == 5
    assert told.states(UDP) == {}


async def test_nobody_to_ask_is_no_error() -> None:
    swept, told = await sweep([], Order(likely={}, spacing=0.01))
    assert told.seen == []
    assert not swept.contact


async def test_what_comes_late_is_not_made_up_for_by_a_burst() -> None:
    loop = asyncio.get_running_loop()
    pace = Even(0.05)
    await pace.wait()
    await asyncio.sleep(0.3)
    began = loop.time()
    for _ in range(4):
        await pace.wait()
    assert loop.time() - began >= 0.14


async def test_a_thousand_a_second_is_kept() -> None:
    loop = asyncio.get_running_loop()
    pace = Even(0.001)
    began = loop.time()
    for _ in range(400):
        await pace.wait()
    assert 0.15 <= loop.time() - began <= 1.0

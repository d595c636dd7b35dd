"""Bridges of a private Tor network, through the real programs: which of them carry traffic, and through whom."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from client.drill.origin import BULK, SMALL, Origin
from client.drill.tornet import TorNet, counting
from tests.client.drill.raw import connect_socks5, line
from tests.integration.circuits import (
    QUICK,
    door_of,
    engine_for,
    fetched,
    folder,
    net_of,
    origin,
    small,
    tor_of,
)
from tests.servers.tornet import tornet
from transports import guard_main, tor_bridge_dial, tor_engine
from transports.failure import Failure, StepFailed
from transports.tor_bridge import parse
from transports.tor_bridge_dial import PlainTor, TorBridgeTransport
from transports.tor_engine import TorDoor
from transports.types import CannotMeasure, Endpoint, Note, Step

__all__ = ["folder", "origin", "tornet"]

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),  # stem's
]


async def test_good_bridges_carry_and_a_zombie_beside_them_fails_at_the_bootstrap(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    good = [tornet.bridges[name] for name in ("vanilla-1", "vanilla-2", "obfs4-1", "obfs4-2")]
    dead = parse(tornet.bridges["obfs4-zombie"].line)
    async with engine_for(tornet, folder, [*(parse(bridge.line) for bridge in good), dead]) as engine:
        net = net_of(engine)

        async def zombie() -> None:
            with pytest.raises(StepFailed) as caught:
                await fetched(dead, origin, net, by=TorBridgeTransport())
            assert (caught.value.step, caught.value.code) == (Step.TOR_BOOTSTRAP, 95)

        async with asyncio.TaskGroup() as group:
            pages = [group.create_task(small(bridge, origin, engine)) for bridge in good]
            group.create_task(zombie())
        assert all(page.result() for page in pages)
        steps = [seen.step for seen in net.trace.observations]
        assert steps == [Step.PT_HANDSHAKE, Step.TLS_HANDSHAKE, Step.TOR_BOOTSTRAP]
        assert engine.progress.percent >= 75


async def test_a_bulk_transfer_uses_the_circuit_of_the_first_page(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    bridge = tornet.bridges["obfs4-1"]
    async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
        assert await small(bridge, origin, engine)
        circuit = door_of(engine, bridge).circuit
        net = net_of(engine)
        body = await fetched(parse(bridge.line), origin, net, "/bulk", by=TorBridgeTransport())
        assert body == BULK
        assert door_of(engine, bridge).circuit == circuit
        assert [seen.step for seen in net.trace.observations] == [Step.PROXY_HANDSHAKE, Step.TLS_HANDSHAKE]


async def test_what_fails_the_handshakes_never_gets_a_connection_of_tor(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    expected = {  # a failed transport handshake is followed by one bare connection
        "vanilla-wrong-fingerprint": 1,
        "vanilla-website": 1,
        "vanilla-silent": 1,
        "obfs4-wrong-fingerprint": 1,
        "obfs4-refused": 2,
        "obfs4-silent": 2,
        "obfs4-wrong-cert": 2,
    }
    async with AsyncExitStack() as stack:
        counters = {
            name: await stack.enter_async_context(counting(tornet.bridges[name])) for name in expected
        }
        endpoints = {name: parse(counted.bridge.line) for name, counted in counters.items()}
        good = tornet.bridges["vanilla-2"]
        engine = await stack.enter_async_context(
            engine_for(tornet, folder, [*endpoints.values(), parse(good.line)])
        )

        async def fails(name: str) -> StepFailed:
            with pytest.raises(StepFailed) as caught:
                await fetched(endpoints[name], origin, net_of(engine, QUICK), by=TorBridgeTransport())
            return caught.value

        async with asyncio.TaskGroup() as group:
            ends = {name: group.create_task(fails(name)) for name in expected}
            group.create_task(small(good, origin, engine))
        await asyncio.sleep(0.3)  # a connection is counted a little after it was made
        assert {name: counted.connections for name, counted in counters.items()} == expected
        assert all(end.result().step in (Step.PT_HANDSHAKE, Step.TLS_HANDSHAKE) for end in ends.values())
        assert ends["obfs4-wrong-fingerprint"].result().note is Note.OTHER_IDENTITY


async def test_each_bridge_in_flight_is_the_first_hop_of_its_own_circuit(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    names = ("vanilla-1", "vanilla-2", "obfs4-1", "obfs4-2")
    async with AsyncExitStack() as stack:
        counters = [await stack.enter_async_context(counting(tornet.bridges[name])) for name in names]
        endpoints = [parse(counted.bridge.line) for counted in counters]
        engine = await stack.enter_async_context(engine_for(tornet, folder, endpoints))
        async with asyncio.TaskGroup() as group:
            pages = [group.create_task(small(counted.bridge, origin, engine)) for counted in counters]
        assert all(page.result() for page in pages)
        for counted in counters:
            circuit = tor_of(engine, counted.bridge).circuits[door_of(engine, counted.bridge).circuit]
            assert circuit.hops[0] == counted.bridge.fingerprint
            assert len(set(circuit.hops)) == 3
            assert counted.connections == 2  # the handshakes, and tor's own
        assert len(engine.pids) == 1


async def test_a_bridge_that_goes_away_takes_only_its_own_circuit_along(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    stays = tornet.bridges["vanilla-2"]
    async with AsyncExitStack() as stack:
        leaving = AsyncExitStack()
        goes = (await leaving.enter_async_context(counting(tornet.bridges["vanilla-1"]))).bridge
        engine = await stack.enter_async_context(
            engine_for(tornet, folder, [parse(goes.line), parse(stays.line)])
        )
        assert await small(stays, origin, engine)
        assert await small(goes, origin, engine)
        await leaving.aclose()
        with pytest.raises(StepFailed):
            await fetched(parse(goes.line), origin, net_of(engine, QUICK), by=TorBridgeTransport())
        assert await small(stays, origin, engine)


async def test_two_lines_of_one_bridge_are_kept_apart(tornet: TorNet, origin: Origin, folder: Path) -> None:
    async with (
        counting(tornet.bridges["vanilla-1"]) as one,
        counting(tornet.bridges["vanilla-1"]) as two,
        engine_for(tornet, folder, [parse(one.bridge.line), parse(two.bridge.line)]) as engine,
    ):
        assert await small(one.bridge, origin, engine)
        assert await small(two.bridge, origin, engine)
        assert tor_of(engine, one.bridge) is not tor_of(engine, two.bridge)
        assert (one.connections, two.connections) == (2, 2)


async def test_a_line_that_tor_refuses_does_not_spoil_the_others(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    good = tornet.bridges["vanilla-1"]
    async with engine_for(tornet, folder, [parse(good.line)]) as engine:
        tor = await engine.for_bridge("0" * 40, "no bridge at all")

        async def refused() -> None:
            for nonsense in ("no bridge at all", 'with "quotes"'):
                with pytest.raises(CannotMeasure, match="does not accept"):
                    await tor.add("0" * 40, nonsense)

        async with asyncio.TaskGroup() as group:
            page = group.create_task(small(good, origin, engine))
            group.create_task(refused())
        assert page.result()
        assert tor_of(engine, good) is tor


@pytest.mark.parametrize("with_fingerprint", [True, False])
async def test_a_transport_that_cannot_be_asked_gets_a_tor_of_its_own(
    tornet: TorNet, origin: Origin, folder: Path, monkeypatch: pytest.MonkeyPatch, with_fingerprint: bool
) -> None:
    monkeypatch.setattr(tor_bridge_dial, "SOLO", frozenset({"obfs4"}))
    monkeypatch.setattr(tor_engine, "SOLO", frozenset({"obfs4"}))
    bridge = tornet.bridges["obfs4-1"]
    if not with_fingerprint:
        bridge = replace(bridge, fingerprint="")
    async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
        assert engine.pids == []
        net = net_of(engine)
        page = await fetched(parse(bridge.line), origin, net, by=TorBridgeTransport())
        assert page == SMALL
        assert net.trace.observations[0].step is Step.TOR_BOOTSTRAP
        hops = tor_of(engine, bridge).circuits[door_of(engine, bridge).circuit].hops
        assert hops[0] == tornet.bridges["obfs4-1"].fingerprint


async def test_a_solo_bridge_that_says_nothing_is_told_with_how_far_it_came(
    tornet: TorNet, origin: Origin, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tor_bridge_dial, "SOLO", frozenset({"obfs4"}))
    endpoint = parse(tornet.bridges["obfs4-silent"].line)
    async with engine_for(tornet, folder, [endpoint]) as engine:
        with pytest.raises(StepFailed) as caught:
            await fetched(endpoint, origin, net_of(engine, QUICK), by=TorBridgeTransport())
        assert (caught.value.step, caught.value.failure) == (Step.TOR_BOOTSTRAP, Failure.TIMEOUT)
        assert caught.value.code < 10


async def test_tor_without_bridges_is_a_way_too(tornet: TorNet, origin: Origin, folder: Path) -> None:
    endpoint = Endpoint(transport="tor", host="", port=1)
    async with engine_for(tornet, folder, [endpoint]) as engine:
        for _ in range(2):
            assert await fetched(endpoint, origin, net_of(engine), by=PlainTor()) == SMALL


async def test_streams_of_others_are_closed(tornet: TorNet, origin: Origin, folder: Path) -> None:
    bridge = tornet.bridges["vanilla-1"]
    async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
        assert await small(bridge, origin, engine)
        before = origin.seen.connections
        async with asyncio.timeout(5), line(await tor_of(engine, bridge).socks_port()) as stranger:
            assert await connect_socks5(stranger, "127.0.0.1", origin.https_port) != 0
        assert origin.seen.connections == before


async def test_a_tor_that_dies_is_replaced_once_and_never_the_bridges_fault(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    good = [tornet.bridges[name] for name in ("vanilla-1", "vanilla-2")]
    async with engine_for(tornet, folder, [parse(bridge.line) for bridge in good]) as engine:

        async def until_it_dies() -> None:
            while True:
                await fetched(parse(good[1].line), origin, net_of(engine), "/bulk", by=TorBridgeTransport())

        assert await small(good[1], origin, engine)
        (first,) = engine.pids
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            on_its_way = group.create_task(small(good[0], origin, engine))
            await asyncio.sleep(0.1)
            os.kill(first, signal.SIGKILL)
        assert on_its_way.result()
        (second,) = engine.pids
        assert second != first
        assert len(await asyncio.to_thread(os.listdir, folder)) == 2  # the programs' state, and this tor's

        async def kill_soon() -> None:
            await asyncio.sleep(0.5)
            os.kill(second, signal.SIGKILL)

        async with asyncio.timeout(20):
            ended, _ = await asyncio.gather(until_it_dies(), kill_soon(), return_exceptions=True)
        assert isinstance(ended, CannotMeasure)
        with pytest.raises(CannotMeasure, match="tor has stopped"):
            await small(good[0], origin, engine)


async def test_a_transfer_that_ends_with_tor_is_not_measured(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    endpoint = parse(tornet.bridges["vanilla-1"].line)
    async with engine_for(tornet, folder, [endpoint]) as engine:
        net = net_of(engine)
        stream = await TorBridgeTransport().dial(endpoint, "127.0.0.1", origin.http_port, net)
        with closing(stream):
            os.kill(engine.pids[0], signal.SIGKILL)
            with pytest.raises(CannotMeasure, match="tor has stopped"):
                await stream.recv(1)


async def test_a_transport_program_that_dies_is_never_the_bridges_fault(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    zombie, good = (parse(tornet.bridges[name].line) for name in ("obfs4-zombie", "obfs4-1"))
    async with engine_for(tornet, folder, [zombie, good]) as engine:
        stream = await TorBridgeTransport().dial(good, "127.0.0.1", origin.http_port, net_of(engine))
        with closing(stream):
            net = net_of(engine)
            door = engine.doors[good.key()]
            assert isinstance(door, TorDoor)
            assert door.pts is not None
            program = door.pts.of("obfs4")

            async def kill_soon() -> None:
                await asyncio.sleep(0.5)
                assert len(net.trace.observations) == 2  # the zombie's handshakes; tor has it now
                os.kill(program.pid, signal.SIGKILL)

            async with asyncio.timeout(20):
                *ended, killed = await asyncio.gather(
                    fetched(zombie, origin, net, by=TorBridgeTransport()),
                    stream.recv(1),
                    kill_soon(),
                    return_exceptions=True,
                )
            assert killed is None
            assert [type(end) for end in ended] == [CannotMeasure, CannotMeasure]


async def test_one_line_that_tor_refuses_among_two_hundred_is_found_quickly(
    tornet: TorNet, origin: Origin, folder: Path
) -> None:
    good = [tornet.bridges[name] for name in ("vanilla-1", "vanilla-2", "obfs4-1")]
    async with engine_for(tornet, folder, [parse(bridge.line) for bridge in good]) as engine:
        tor = await engine.for_bridge("0" * 40, "no bridge at all")
        await tor.ready()
        others = {f"{number:040X}": f"127.0.0.1:1 {number:040X}" for number in range(1, 198)}
        lines = list({**others, **{bridge.fingerprint: bridge.line for bridge in good}}.items())
        lines.insert(77, ("0" * 40, "no bridge at all"))
        loop = asyncio.get_running_loop()
        began = loop.time()
        took = await asyncio.gather(*(tor.add(*line) for line in lines), return_exceptions=True)
        assert loop.time() - began < 2.0
        refused = [index for index, error in enumerate(took) if error is not None]
        assert refused == [77]
        assert isinstance(took[77], CannotMeasure)
        assert all([await small(bridge, origin, engine) for bridge in good])


async def test_bridges_that_need_a_tor_each_wait_for_one_another(
    tornet: TorNet, origin: Origin, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tor_bridge_dial, "SOLO", frozenset({"obfs4"}))
    monkeypatch.setattr(tor_engine, "SOLO", frozenset({"obfs4"}))
    monkeypatch.setattr(tor_engine, "MOST", 2)
    monkeypatch.setattr(tor_engine, "_IDLE", 0.3)
    bridges = [tornet.bridges[name] for name in ("obfs4-1", "obfs4-2", "obfs4-1")]
    endpoints = [parse(bridge.line) for bridge in bridges[:2]]
    silent = parse(tornet.bridges["obfs4-silent"].line)
    most = 0
    async with engine_for(tornet, folder, [*endpoints, silent]) as engine:

        async def dead() -> None:
            with pytest.raises(StepFailed):
                await fetched(silent, origin, net_of(engine, QUICK), by=TorBridgeTransport())

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(small(bridge, origin, engine)) for bridge in bridges]
            failing = group.create_task(dead())
            while not (failing.done() and all(task.done() for task in tasks)):
                most = max(most, len(engine.pids))
                await asyncio.sleep(0.05)
        assert all(task.result() for task in tasks)
        assert most == 1


def threads() -> set[threading.Thread]:
    """Return the threads but those that the loop keeps for later use."""
    return {one for one in threading.enumerate() if not one.name.startswith("asyncio_")}


def wait_for_reapers() -> None:
    """Let the threads end that asyncio starts to wait for a child: they tell of its end a moment before their own."""
    for thread in threading.enumerate():
        if thread.name.startswith("asyncio-waitpid"):
            thread.join(5.0)


@pytest.mark.parametrize("moment", [0.0, 0.2, 1.0])
async def test_nothing_is_left_after_a_cancelled_run(
    tornet: TorNet, origin: Origin, folder: Path, moment: float
) -> None:
    before, pids = threads(), list[int]()
    bridge = tornet.bridges["obfs4-1"]

    async def run() -> None:
        async with engine_for(tornet, folder, [parse(bridge.line)]) as engine:
            pids.extend(engine.pids)
            async with asyncio.timeout(moment):
                await fetched(parse(bridge.line), origin, net_of(engine), by=TorBridgeTransport())

    with pytest.raises(TimeoutError):
        await run()
    assert pids
    assert not any(guard_main._runs(pid, guard_main.start_time(pid)) for pid in pids)
    assert os.listdir(folder) == []
    wait_for_reapers()
    assert threads() == before

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from transports.failure import Failure, StepFailed
from transports.net import Door, Net
from transports.singbox import SingBoxNode, _explained, blame
from transports.singbox_engine import NodeDoor
from transports.trace import Trace
from transports.types import CannotMeasure, Endpoint, Note, Observation, Step

NODE = Endpoint(transport="singbox", host="127.0.0.1", port=1, options={"type": "trojan"})
LATE = StepFailed(Step.TLS_HANDSHAKE, Failure.EOF)


def observed(step: Step, failure: Failure | None, at: float) -> Observation:
    return Observation(step=step, started=at, elapsed=1.0, failure=failure)


def net_of(door: Door | CannotMeasure | None) -> Net:
    now = asyncio.get_running_loop().time()
    trace = Trace(zero=now, deadline=now + 5)
    trace.observations = [
        observed(Step.PROXY_HANDSHAKE, None, 0.5),
        observed(Step.TLS_HANDSHAKE, Failure.EOF, 2.0),
    ]
    return Net(trace=trace, doors={} if door is None else {NODE.key(): door})


def door_of(**changes: Any) -> NodeDoor:
    return NodeDoor(port=1, username="n0", password="x", **changes)


def steps(net: Net) -> list[tuple[Step, Failure | None]]:
    return [(seen.step, seen.failure) for seen in net.trace.observations]


async def test_without_an_engine_a_node_is_untested_and_nothing_is_dialled() -> None:
    for door in (None, CannotMeasure("because"), door_of(stopped=CannotMeasure("because"))):
        net = net_of(door)
        net.trace.observations.clear()
        with pytest.raises(CannotMeasure):
            await SingBoxNode().dial(NODE, "127.0.0.1", 80, net)
        assert steps(net) == []


async def test_a_node_that_has_nobody_to_resolve_names_is_not_asked_for_one() -> None:
    with pytest.raises(CannotMeasure, match="only addresses"):
        await SingBoxNode().dial(NODE, "target.test", 80, net_of(door_of(names=False)))


async def test_what_the_engine_reported_replaces_what_was_seen_in_the_tunnel() -> None:
    trouble = (Step.CONNECT, Failure.CONNECTION_REFUSED, None)
    net = net_of(door_of(trouble=trouble))
    error = await blame(NODE, LATE, net)
    assert (error.step, error.failure, error.note) == trouble
    assert steps(net)[-1] == trouble[:2]


async def test_a_report_that_comes_a_moment_later_is_waited_for() -> None:
    door = door_of()

    async def report() -> None:
        await asyncio.sleep(0.01)
        door.trouble = (Step.PROXY_HANDSHAKE, Failure.SOCKS_ERROR, Note.AUTH_REFUSED)
        door.told.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(report())
        error = await blame(NODE, LATE, net_of(door))
    assert error.note is Note.AUTH_REFUSED


@pytest.mark.parametrize("failure", [Failure.EOF, Failure.CONNECTION_RESET, Failure.TIMEOUT])
async def test_silence_behind_a_lazy_protocol_is_a_handshake_that_was_never_confirmed(
    failure: Failure,
) -> None:
    net = net_of(door_of(lazy=True))
    error = await blame(NODE, StepFailed(Step.TLS_HANDSHAKE, failure), net)
    assert (error.step, error.failure) == (Step.PROXY_HANDSHAKE, failure)
    assert steps(net) == [(Step.PROXY_HANDSHAKE, failure)]
    assert net.trace.observations[0].elapsed == 2.5


@pytest.mark.parametrize(
    ("lazy", "step", "failure"),
    [
        (False, Step.TLS_HANDSHAKE, Failure.EOF),
        (True, Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY),
        (True, Step.HTTP_ROUND_TRIP, Failure.EOF),
    ],
)
async def test_what_the_target_did_stays_the_targets(lazy: bool, step: Step, failure: Failure) -> None:
    net = net_of(door_of(lazy=lazy))
    error = StepFailed(step, failure)
    assert await blame(NODE, error, net) is error
    assert len(net.trace.observations) == 2


async def test_a_forged_certificate_is_never_explained_away() -> None:
    net = net_of(door_of(trouble=(Step.CONNECT, Failure.CONNECTION_REFUSED, None)))
    error = StepFailed(Step.TLS_HANDSHAKE, Failure.SSL_AUTHORITY)
    assert await blame(NODE, error, net) is error


async def test_errors_of_other_transports_are_left_as_they_are() -> None:
    assert await blame(NODE, LATE, net_of(None)) is LATE
    assert await blame(NODE, LATE, net_of(Door(port=1, username="", password=""))) is LATE


async def test_a_dead_engine_makes_a_failure_in_the_tunnel_ours() -> None:
    for door in (CannotMeasure("because"), door_of(stopped=CannotMeasure("because"))):
        with pytest.raises(CannotMeasure, match="because"):
            await blame(NODE, LATE, net_of(door))


async def test_without_a_line_of_the_log_the_answer_of_the_listener_is_read() -> None:
    for code, meaning in (
        (5, (Step.CONNECT, Failure.CONNECTION_REFUSED)),
        (1, (Step.PROXY_HANDSHAKE, Failure.UNKNOWN)),
    ):
        net = net_of(door_of())
        refused = StepFailed(Step.PROXY_HANDSHAKE, Failure.SOCKS_SERVER_FAILURE, Note.REFUSED, code)
        error = await _explained(door_of(), refused, net.trace, 0.01)
        assert (error.step, error.failure) == meaning == steps(net)[-1]

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from client.diagnosis.around import Around
from client.diagnosis.sights import Came, Test
from client.drill.serving import Handler, nobody, serving
from client.model import Failure
from tests.client.diagnosis.loopback import (
    closes,
    make_around,
    one,
    question,
    resets,
    server_context,
    silent,
    web,
)
from tests.servers.bridges import Bridge, bridge, obfs4_bridge, program
from tests.servers.singbox import guard
from transports.guard import Guard
from transports.pt_engine import Plugins, opened

__all__ = ["bridge", "guard", "obfs4_bridge"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the real programs are Unix ones here")

CA = trustme.CA()
OTHER = "F" * 40


@pytest.fixture
async def obfs4_around(guard: Guard, tmp_path: Path) -> AsyncIterator[Around]:
    async with opened(["obfs4"], guard=guard, folder=tmp_path, programs=[Path(program("obfs4proxy"))]) as pts:

        async def plugins() -> Plugins:
            return pts

        yield make_around(CA, plugins=plugins)


async def test_a_relay_that_proves_who_it_is_is_right(bridge: Bridge) -> None:
    around = make_around(CA)
    seen = await one(question(Test.TOR_LINK, bridge.port, data=bridge.fingerprint), around)
    assert (seen.came, seen.after, seen.failure) == (Came.RIGHT, "", None)
    assert 1000 < seen.received < 20_000
    assert around.opened == 1


async def test_another_relay_in_its_place_is_false(bridge: Bridge) -> None:
    seen = await one(question(Test.TOR_LINK, bridge.port, data=OTHER), make_around(CA))
    assert (seen.came, seen.after) == (Came.FALSE, "client_hello")


async def test_a_web_server_in_its_place_is_no_relay() -> None:
    async with serving(web(), context=server_context(CA)) as port:
        seen = await one(question(Test.TOR_LINK, port, data=OTHER, limit=1.0), make_around(CA))
    assert not seen.crossed
    assert seen.after == "client_hello"


@pytest.mark.parametrize(
    ("handler", "came", "failure"),
    [
        (silent, Came.SILENCE, Failure.TIMEOUT),
        (resets, Came.RESET, Failure.CONNECTION_RESET),
        (closes, Came.CLOSED, Failure.EOF),
    ],
)
async def test_a_link_that_is_cut_is_told_apart(handler: Handler, came: Came, failure: Failure) -> None:
    async with serving(handler) as port:
        seen = await one(question(Test.TOR_LINK, port, data=OTHER, limit=0.4), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (came, "client_hello", failure)


async def test_a_relay_whose_port_is_closed_is_refused() -> None:
    async with nobody() as port:
        seen = await one(question(Test.TOR_LINK, port, data=OTHER), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (Came.REFUSED, "syn", Failure.CONNECTION_REFUSED)


def line(port: int, cert: str, fingerprint: str) -> str:
    return f"obfs4 127.0.0.1:{port} {fingerprint} cert={cert} iat-mode=0"


async def test_a_bridges_handshake_is_right(
    obfs4_around: Around, bridge: Bridge, obfs4_bridge: tuple[int, str]
) -> None:
    port, cert = obfs4_bridge
    asked = question(Test.PT, port, data=line(port, cert, bridge.fingerprint), limit=8.0)
    seen = await one(asked, obfs4_around)
    assert (seen.came, seen.after, seen.failure) == (Came.RIGHT, "", None)
    assert obfs4_around.opened == 1


async def test_a_bridge_whose_packets_are_dropped_is_silent(
    obfs4_around: Around, obfs4_bridge: tuple[int, str]
) -> None:
    _, cert = obfs4_bridge
    async with serving(silent) as port:
        asked = question(Test.PT, port, data=line(port, cert, OTHER), limit=1.0)
        seen = await one(asked, obfs4_around)
    assert (seen.came, seen.after, seen.failure) == (Came.SILENCE, "bytes", Failure.TIMEOUT)


async def test_a_bridge_whose_port_is_closed_is_refused(
    obfs4_around: Around, obfs4_bridge: tuple[int, str]
) -> None:
    _, cert = obfs4_bridge
    async with nobody() as port:
        asked = question(Test.PT, port, data=line(port, cert, OTHER), limit=4.0)
        seen = await one(asked, obfs4_around)
    assert (seen.came, seen.after, seen.failure) == (Came.REFUSED, "syn", Failure.CONNECTION_REFUSED)
    assert obfs4_around.opened == 2


async def test_a_bridge_that_cuts_the_handshake_is_closed(
    obfs4_around: Around, obfs4_bridge: tuple[int, str]
) -> None:
    _, cert = obfs4_bridge
    async with serving(resets) as port:
        asked = question(Test.PT, port, data=line(port, cert, OTHER), limit=4.0)
        seen = await one(asked, obfs4_around)
    assert (seen.came, seen.after) == (Came.CLOSED, "bytes")


async def test_without_its_program_or_with_a_broken_line_nothing_was_asked() -> None:
    around = make_around(CA)
    for data in (line(443, "A" * 70, OTHER), "obfs4 nonsense"):
        seen = await one(question(Test.PT, 443, data=data), around)
        assert (seen.came, seen.detail) == (Came.FAULT, "no_program")
    assert around.opened == 0

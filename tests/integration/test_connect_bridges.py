"""`sanylau connect` by Tor bridges of a private network: all programs, two bridges that die, and no way lower."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from client.drill.tornet import TorNet
from tests.integration import programs
from tests.integration.connecting import FAILOVER, Note, Targets, connecting
from tests.integration.far_proxies import doors, upstreams
from tests.integration.far_sites import BIG, digest
from tests.integration.test_connect_failover import ENDED_BADLY, by_kind, grown, quiet
from tests.integration.two_sides import FAR, ROOT, TwoSides, sides
from tests.integration.using_all import NOT_SUPPORTED, Places, ask_name, use_all
from tests.servers.tornet import tornet

__all__ = ["sides", "tornet"]
pytestmark = pytest.mark.timeout(170)

KINDS = {"obfs4": "obfs4-1", "vanilla": "vanilla-1"}
PATIENCE = (4.0, 30.0)
FAR_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """What is reached where the private network's exits are: on this machine's loopback."""

    ports: dict[str, Any]
    torrc: Path
    ca: Path

    @property
    def targets(self) -> Targets:
        """What a check asks for."""
        return Targets(
            page=f"https://127.0.0.1:{self.ports['target']}",
            plain=f"http://127.0.0.1:{self.ports['plain']}",
            ca=self.ca,
        )

    @property
    def places(self) -> Places:
        """Where the programs go."""
        return Places(
            host="127.0.0.1",
            http=self.ports["http"],
            https=self.ports["https"],
            messenger=self.ports["messenger"],
            ca=self.ca,
        )


@pytest.fixture(scope="module")
def exits(tornet: TorNet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exits]:
    folder = tmp_path_factory.mktemp("exits")
    command = [
        sys.executable,
        "-m",
        "tests.integration.far_sites",
        str(folder),
        "127.0.0.1",
        "127.0.0.1",
        "free",
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        (folder / "ca.pem").write_text(ports["ca"])
        (folder / "torrc").write_text(tornet.torrc)
        yield Exits(ports=ports, torrc=folder / "torrc", ca=folder / "ca.pem")


def line_of(net: TorNet, kind: str) -> tuple[str, int]:
    bridge = net.bridges[KINDS[kind]]
    return bridge.line, bridge.port


@pytest.mark.parametrize("kind", KINDS)
async def test_all_programs_work_by_a_bridge_and_nothing_goes_beside_it(
    sides: TwoSides, tornet: TorNet, exits: Exits, tmp_path: Path, kind: str
) -> None:
    me = sides.inside("person")
    with doors(sides, line_of(tornet, kind)) as (bridge,):
        more = ("--torrc", str(exits.torrc))
        async with connecting(
            tmp_path, [bridge.line], exits.targets, *more, before=me, patience=PATIENCE
        ) as run:
            _, told = await run.until("using", limit=40)
            assert (told["class"], told["why"]) == ("A", "start")
            sides.forget()
            await use_all(me, run.port, exits.places, tmp_path, "http" if kind == "vanilla" else "socks5")
            assert await ask_name(me, run.port, "127.0.0.1", "page.test") == {"code": NOT_SUPPORTED}
            lost = await programs.run(
                me, *programs.curl(f"socks5h://127.0.0.1:{run.port}", "http://no-such-name.test/")
            )
            assert lost.status != 0
            crossed = sides.crossed()
            assert crossed.beside((FAR, bridge.port)) == {}
            assert crossed.to(bridge.port)[0] > 0
            assert crossed.names() == 0
            assert {"tor"} <= set(run.trail.names.values())


async def test_a_bridge_that_dies_is_replaced_by_the_other_and_the_last_one_by_nothing(
    sides: TwoSides, tornet: TorNet, exits: Exits, tmp_path: Path, record_property: Note
) -> None:
    """An open proxy is in the list too, and works: not a packet goes to it after the death of the last bridge."""
    me = sides.inside("person")
    with ExitStack() as kept:
        bridges = kept.enter_context(doors(sides, *(line_of(tornet, kind) for kind in KINDS)))
        for one, kind in zip(bridges, KINDS, strict=True):
            one.kind = kind
        (open_one,) = kept.enter_context(upstreams(sides, "socks5"))
        for name in ("target", "plain"):  # so that the open proxy works too
            port = exits.ports[name]
            _, process = sides.door(port, FAR_LOOPBACK, port)
            kept.callback(sides.kill, process)
        lines = [one.line for one in (open_one, *bridges)]
        async with connecting(
            tmp_path, lines, exits.targets, "--torrc", str(exits.torrc), before=me, patience=PATIENCE
        ) as run:
            _, first = await run.until("using", limit=40, protection="A")
            await run.when(lambda: bool(run.trail.running("tor")))
            await quiet(sides, open_one.port)
            now, other = by_kind(bridges, first["transport"])
            file = tmp_path / "big"
            proxy = f"socks5h://127.0.0.1:{run.port}"
            url = f"http://127.0.0.1:{exits.ports['http']}/big"
            async with programs.started(me, *programs.curl(proxy, url, "-o", str(file))) as download:
                await grown(file)
                now.kill()
                died = time.monotonic()
                used, second = await run.until("using", since=died, limit=20)
                record_property("failover", f"bridge: {used - died:.2f} s")
                end = await download.done()
                assert end.status in ENDED_BADLY, end
                assert end.ended - died < FAILOVER
            assert (second["why"], second["class"]) == ("failover", "A")
            assert used - died < FAILOVER
            assert file.stat().st_size < BIG
            rest = await programs.run(me, *programs.curl(proxy, url, "-C", "-", "-o", str(file)))
            assert (rest.status, programs.hashed(file)) == (0, digest()), rest
            sides.forget()
            again = programs.curl(proxy, url, "-o", str(tmp_path / "part"))
            async with programs.started(me, *again) as download:
                await grown(tmp_path / "part")
                sides.silence(other.port)
                died = time.monotonic()
                held, told = await run.until("held", since=died, limit=20)
                assert (await download.done()).status in ENDED_BADLY
            record_property("held", f"bridge, silent: {held - died:.2f} s")
            assert held - died < FAILOVER
            assert (told["why"], told["lowest"]) == ("only_lower", "A")
            for _ in range(15):
                tried = await programs.run(me, *programs.curl(proxy, url, "-o", "/dev/null"))
                assert (tried.status != 0, tried.seconds < 1.0) == (True, True), tried
                await asyncio.sleep(0.3)
            sides.unsilence(other.port)
            crossed = sides.crossed()
            assert crossed.to(open_one.port) == (0, 0)
            assert crossed.beside((FAR, now.port), (FAR, other.port)) == {}

"""One private Tor network for the whole test session, and a plain tor client that goes through a bridge of it.

The network costs a dozen seconds and 250 MB, so the workers of pytest-xdist share one, whatever `--dist` says.
It lives in a process of its own (this module, run), which ends when nobody holds a connection to it any more:
so it also ends when a worker is killed. The worker that leaves last waits for the end.

Its bridges are shared too. A test that counts connections puts `client.drill.tornet.counting` before its bridge.
The first test to ask waits for the start: give tests of it `pytest.mark.timeout(120)`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from client.drill import tornet_nodes
from client.drill.origin import SMALL, Origin
from client.drill.serving import Peer, serving
from client.drill.tornet import BRIDGES, Kind, TorBridge, TorNet, missing, playing_tor
from client.drill.tornet_nodes import Log, own_folder, until
from tests.client.drill.raw import connect_socks5, fetch, line
from transports.engines import Program, program
from transports.guard import Guard

SAYS = {
    "socks": re.compile(r"Opened Socks listener connection \(ready\) on [0-9.]+:(\d+)"),
    "percent": re.compile(r"Bootstrapped (\d+)%"),
}
PATIENCE = 30.0  # seconds for a client to get through a good bridge (3 to 4 on an idle machine)
START = 100.0  # seconds for the network
WELCOME = 60.0  # seconds for the first user to come, and for the process to listen
LONGEST = 24 * 3600.0
ROOT = Path(__file__).parent.parent.parent
APART = (
    "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True, stdin=subprocess.DEVNULL)"
)


@dataclass(slots=True, kw_only=True)
class Client:
    """A running tor client."""

    running: Program
    log: Log

    @property
    def percent(self) -> int:
        """How far it has got."""
        return int(self.log.found.get("percent", "0"))

    async def gets_to(self, percent: int, limit: float = PATIENCE) -> None:
        """Wait until it has got there. Raises NotStarted."""
        await until(lambda: self.percent >= percent, self.running, limit)

    async def fetches(self, origin: Origin, limit: float = PATIENCE, host: str = "127.0.0.1") -> bool:
        """Say whether a page comes through it within `limit` seconds."""
        try:
            async with asyncio.timeout(limit), line(int(self.log.found["socks"])) as at:
                if await connect_socks5(at, host, origin.https_port) != 0:
                    return False
                await at.secure(origin.ca_pem, host)
                return (await fetch(at, "/small", host))[::2] == (200, SMALL)
        except (OSError, EOFError, TimeoutError):
            return False


@asynccontextmanager
async def tor_client(torrc: str, bridge: TorBridge, guard: Guard) -> AsyncIterator[Client]:
    """Run a tor that knows only this bridge."""
    log = Log(SAYS)
    async with own_folder(guard) as folder:
        lines = [
            torrc,
            f"DataDirectory {folder}",
            f"GeoIPFile {folder / 'none'}",
            f"GeoIPv6File {folder / 'none'}",
            "ClientOnly 1",
            "SocksPort auto",
            "Log notice stdout",
            "UseBridges 1",
            f"ClientTransportPlugin obfs4 exec {tornet_nodes.obfs4()}",
            f"Bridge {bridge.line}",
        ]
        command = [str(tornet_nodes.tor()), "-f", "-", "--defaults-torrc", str(folder / "none")]
        feed = "\n".join([*lines, ""]).encode()
        async with program(command, guard=guard, feed=feed, on_line=log.take) as running:
            await until(lambda: "socks" in log.found, running, PATIENCE)
            yield Client(running=running, log=log)


@pytest.fixture(scope="session")
def tornet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorNet]:
    """Give the network with all of its bridges (`client.drill.tornet.BRIDGES`); its `seen` counts nothing."""
    if lacking := missing():
        pytest.skip("needs " + ", ".join(lacking))
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    with sharing(place) as net:
        yield net


@contextmanager
def sharing(place: Path, bridges: Collection[str] = tuple(BRIDGES)) -> Iterator[TorNet]:
    """Use the network of this folder for the length of the block; start it, with `bridges`, if there is none."""
    with _joined(place, bridges) as (connection, told):
        yield _net(json.loads(told))
        connection.shutdown(socket.SHUT_WR)
        with suppress(OSError):  # the end comes when the network has ended, or at once if others are there
            connection.recv(1)


@contextmanager
def _joined(place: Path, bridges: Collection[str]) -> Iterator[tuple[socket.socket, bytes]]:
    with _alone(place / "tornet.lock"):
        connection = _connected(place)
        told = _greeting(connection) if connection else b""
        if not told:
            if connection:
                connection.close()
            (place / "tornet.port").unlink(missing_ok=True)
            _start(place, bridges)
            connection = _connected(place, WELCOME)
            told = _greeting(connection) if connection else b""
        if not (connection and told):
            raise AssertionError(
                "the Tor network did not start:\n" + (place / "tornet.log").read_text()[-2000:]
            )
    with connection:
        yield connection, told


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep the other workers out. The system lets go of the lock with us."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _connected(place: Path, patience: float = 0.0) -> socket.socket | None:
    deadline = time.monotonic() + patience
    while True:
        try:
            port = int((place / "tornet.port").read_text())
            return socket.create_connection(("127.0.0.1", port), timeout=START)
        except (OSError, ValueError):
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.05)


def _greeting(connection: socket.socket) -> bytes:
    """Return the line that describes the network; nothing from one that is about to end."""
    got = b""
    with suppress(OSError):
        while not got.endswith(b"\n") and (more := connection.recv(65536)):
            got += more
    return got if got.endswith(b"\n") else b""


def _start(place: Path, bridges: Collection[str]) -> None:
    """Start the process as nobody's child: the worker that starts it may be the first one to leave."""
    command = [
        sys.executable,
        "-c",
        APART,
        sys.executable,
        "-m",
        "tests.servers.tornet",
        str(place),
        *bridges,
    ]
    with (place / "tornet.log").open("ab") as log:
        subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=True, timeout=WELCOME)


def _told(net: TorNet) -> bytes:
    bridges = [asdict(bridge) for bridge in net.bridges.values()]
    told = {"torrc": net.torrc, "folder": str(net.folder), "pids": net.pids, "bridges": bridges}
    return json.dumps(told).encode() + b"\n"


def _net(told: dict[str, Any]) -> TorNet:
    bridges = [TorBridge(**{**one, "kind": Kind(one["kind"])}) for one in told["bridges"]]
    return TorNet(
        torrc=told["torrc"],
        folder=Path(told["folder"]),
        bridges={bridge.name: bridge for bridge in bridges},
        pids=told["pids"],
        seen=Counter(),
    )


@dataclass(slots=True)
class _Gate:
    """Knows who uses the network."""

    users: set[Peer] = field(default_factory=set)
    told: bytes = b""
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def attend(self, peer: Peer) -> None:
        """Hold one user's connection; the last one's until the network has ended."""
        if self.over.is_set():
            return
        self.users.add(peer)
        self.joined.set()
        try:
            await peer.send(self.told)
            while await peer.read():
                pass
        finally:
            self.users.discard(peer)
            if not self.users:
                self.over.set()
        if not self.users:
            await asyncio.sleep(LONGEST)

    async def play(self, bridges: Collection[str]) -> None:
        """Run the network until cancelled."""
        async with Guard.running() as guard, playing_tor(bridges=bridges, guard=guard) as net:
            self.told = _told(net)
            for peer in list(self.users):
                with suppress(OSError):
                    await peer.send(self.told)
            await asyncio.Event().wait()


async def host(place: Path, bridges: Collection[str]) -> None:
    """Run a network for those who connect to the port that stands in `place`, until the last one has left."""
    gate = _Gate()
    async with serving(gate.attend, lifetime=LONGEST) as port:
        written = place / "tornet.port.new"
        written.write_text(str(port))
        written.replace(place / "tornet.port")
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(gate.play(bridges))
            with suppress(TimeoutError):
                async with asyncio.timeout(WELCOME):
                    await gate.joined.wait()
                await gate.over.wait()
            playing.cancel()


if __name__ == "__main__":
    asyncio.run(host(Path(sys.argv[1]), sys.argv[2:]))

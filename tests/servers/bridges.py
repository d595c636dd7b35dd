"""Real Tor bridges on loopback: a tor process that answers the link handshake, and obfs4proxy in front of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.servers.install import FOLDERS
from transports.tor_bridge import parse
from transports.types import Endpoint

_PATIENCE = 20.0  # seconds for a program to be ready
_PATH = {"PATH": os.defpath, "LC_ALL": "C"}
TORRC = """
BridgeRelay 1
ORPort 127.0.0.1:auto IPv4Only
Address 127.0.0.1
AssumeReachable 1
PublishServerDescriptor 0
ExitRelay 0
SocksPort 0
DataDirectory {folder}
DirAuthority nobody orport=1 v3ident={nobody} 127.0.0.1:1 {nobody}
FetchServerDescriptors 0
Log notice stdout
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Where a bridge's tor listens, and its fingerprint as it has written it down itself."""

    port: int
    fingerprint: str
    ed25519: str


def program(name: str) -> str:
    """Return the path of a real program; skips where there is none."""
    found = shutil.which(name, path=FOLDERS)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def memory() -> Path | None:
    """Return a folder in memory, else None: a tor on a busy disk starts seconds later."""
    shm = Path("/dev/shm")
    return shm if os.access(shm, os.W_OK) else None


@contextmanager
def started(command: Sequence[str], env: Mapping[str, str], ready: str) -> Iterator[re.Match[str]]:
    """Run a program until the block is left; gives the match of the output line that says it is ready."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**_PATH, **env},
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield _awaited(process.stdout, ready)
        finally:
            process.kill()


def _awaited(lines: IO[str], ready: str) -> re.Match[str]:
    until = time.monotonic() + _PATIENCE
    said = []
    for line in lines:
        found = re.search(ready, line)
        if found:
            return found
        said.append(line)
        assert time.monotonic() < until, "".join(said)
    raise AssertionError("it ended: " + "".join(said))


@contextmanager
def tor() -> Iterator[Bridge]:
    """Run a bridge that belongs to no network."""
    command = [program("tor"), "-f", "-", "--defaults-torrc", os.devnull]
    with tempfile.TemporaryDirectory(prefix="sanylau-test-", dir=memory()) as folder:
        data = Path(folder, "data")
        data.mkdir(mode=0o700)
        torrc = Path(folder, "torrc")
        torrc.write_text(TORRC.format(folder=data, nobody="A" * 40), "utf-8")
        command[2] = str(torrc)
        ready = r"Opened OR listener connection \(ready\) on 127\.0\.0\.1:(\d+)"
        with started(command, {"HOME": folder}, ready) as found:
            port = int(found[1])
            fingerprint = _told(data / "fingerprint")
            yield Bridge(port=port, fingerprint=fingerprint, ed25519=_told(data / "fingerprint-ed25519"))


def _told(file: Path) -> str:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        words = file.read_text("utf-8").split() if file.exists() else []
        if len(words) == 2:
            return words[1]
        time.sleep(0.02)
    raise AssertionError("tor does not write down its fingerprint")


@contextmanager
def obfs4(behind: int) -> Iterator[tuple[int, str]]:
    """Run obfs4proxy as a server in front of the port `behind`; gives its port and cert."""
    command = [program("obfs4proxy")]
    with tempfile.TemporaryDirectory(prefix="sanylau-test-", dir=memory()) as folder:
        env = {
            "TOR_PT_MANAGED_TRANSPORT_VER": "1",
            "TOR_PT_STATE_LOCATION": folder,
            "TOR_PT_EXIT_ON_STDIN_CLOSE": "1",
            "TOR_PT_SERVER_TRANSPORTS": "obfs4",
            "TOR_PT_SERVER_BINDADDR": "obfs4-127.0.0.1:0",
            "TOR_PT_ORPORT": f"127.0.0.1:{behind}",
        }
        ready = r"^SMETHOD obfs4 127\.0\.0\.1:(\d+) ARGS:cert=([A-Za-z0-9+/]{70}),"
        with started(command, env, ready) as found:
            yield int(found[1]), found[2]


def line(transport: str, port: int, fingerprint: str = "", **args: str) -> Endpoint:
    """Return the endpoint of a bridge line for a port of this machine."""
    pairs = (f"{name.replace('_', '-')}={value}" for name, value in args.items())
    return parse(" ".join([transport, f"127.0.0.1:{port}", fingerprint, *pairs]))


def obfs4_line(port: int, cert: str, fingerprint: str = "") -> Endpoint:
    """Return the endpoint of an obfs4 bridge."""
    return line("obfs4", port, fingerprint, cert=cert, iat_mode="0")


@pytest.fixture(scope="session")
def bridge() -> Iterator[Bridge]:
    """One tor for all tests of a process."""
    with tor() as running:
        yield running


@pytest.fixture(scope="session")
def obfs4_bridge(bridge: Bridge) -> Iterator[tuple[int, str]]:
    """obfs4proxy in front of that tor: port and cert."""
    with obfs4(bridge.port) as running:
        yield running

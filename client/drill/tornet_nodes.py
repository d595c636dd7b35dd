"""The programs of a private Tor network, one by one: authorities, bridges, and obfs4 in front of them.

Options and log lines as in tor(1) and as tor 0.4.9 writes them; the pluggable transport is spoken to as its
server side wants it (pt-spec, "Pluggable Transport managed proxy", server parameters). Everything listens
on loopback only. tor gets its configuration by standard input.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from client.drill.origin import NAME
from client.drill.serving import nobody
from client.platform import memory_folder
from client.tasks import together
from transports.engines import Program, on_path, output, program
from transports.guard import Guard
from transports.guard_main import PREFIX
from transports.types import CannotMeasure

HOST: Final = "127.0.0.1"
AUTHORITIES: Final = ("auth1", "auth2", "auth3")

_KEYS: Final = 30.0  # seconds to make the keys of an authority (one or two on an idle machine)
_CONSENSUS: Final = 60.0  # seconds until all authorities agree on all of them (about eight)
_BOOTSTRAP: Final = 60.0  # seconds until a bridge knows the network (one or two)
_LISTEN: Final = 10.0
_PORTS: Final = range(15_000, 31_000)  # below those that systems give to outgoing connections
_POLL: Final = 0.02
_KEPT: Final = 40  # lines of a log
_PLACES: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")

# A socket bound to loopback cannot send anything further, whatever an exit is asked for.
_COMMON: Final = """\
AssumeReachable 1
ShutdownWaitLength 0
AvoidDiskWrites 1
NumCPUs 1
Log notice stdout
SocksPort 0
Address 127.0.0.1
OutboundBindAddress 127.0.0.1
OutboundBindAddress [::1]
PathsNeededToBuildCircuits 0.67
"""
_AUTHORITY: Final = """\
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
ContactInfo nobody@example.test
TestingV3AuthInitialVotingInterval 5
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 10
V3AuthVoteDelay 2
V3AuthDistDelay 2
V3AuthNIntervalsValid 180
TestingDirAuthVoteExit *
TestingDirAuthVoteHSDir *
TestingDirAuthVoteGuard *
TestingMinExitFlagThreshold 0
ExitRelay 1
ServerDNSDetectHijacking 0
ServerDNSTestAddresses
ExitPolicyRejectPrivate 0
ExitPolicy accept *:*
"""
_BRIDGE: Final = f"""\
BridgeRelay 1
ORPort {HOST}:auto IPv4Only
PublishServerDescriptor 0
BridgeDistribution none
ExitRelay 0
ExitPolicy reject *:*
"""


class NotStarted(Exception):  # noqa: N818 - a state, told on as CannotMeasure
    """A program of the network has ended, or is not ready in time."""


def find(*names: str) -> str | None:
    """Return the first of these programs that is installed; some systems keep tor off a person's path."""
    return next((str(found) for name in names if (found := on_path(name, *_PLACES))), None)


def tor() -> str | None:
    """Return the path of tor."""
    return find("tor")


def tor_gencert() -> str | None:
    """Return the path of tor-gencert, which makes the keys of authorities (Debian has it with tor)."""
    return find("tor-gencert")


def obfs4() -> str | None:
    """Return the path of the obfs4 program: obfs4proxy, or lyrebird, its later name."""
    return find("obfs4proxy", "lyrebird")


@dataclass(slots=True, kw_only=True)
class Site:
    """Where a network lives. `pids` has every running program by name; `torrc` is known once there are keys."""

    folder: Path
    guard: Guard
    torrc: str = ""
    pids: dict[str, int] = field(default_factory=dict)

    @property
    def nothing(self) -> Path:
        """A file that is not there: what a program finds on this system must not change it."""
        return self.folder / "none"

    @property
    def resolver(self) -> Path:
        """The file that tells the exits whom to ask for names."""
        return self.folder / "resolv.conf"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Node:
    """A running tor: the port of its vanilla entrance, and its fingerprint."""

    port: int
    fingerprint: str


@dataclass(slots=True)
class Log:
    """What a program has said so far: the last lines, and what was looked for in all of them."""

    wanted: Mapping[str, re.Pattern[str]]
    found: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Take a line."""
        self.lines = [*self.lines[1 - _KEPT :], line]
        for name, pattern in self.wanted.items():
            if match := pattern.search(line):
                self.found[name] = match[1]


_TOR_SAYS: Final = {
    "port": re.compile(r"Opened OR listener connection \(ready\) on [0-9.]+:(\d+)"),
    "percent": re.compile(r"Bootstrapped (\d+)%"),
}
_PT_SAYS: Final = {
    "port": re.compile(r"^SMETHOD obfs4 \S+:(\d+) "),
    "cert": re.compile(r"^SMETHOD obfs4 .*ARGS:cert=([^,\s]+)"),
}


async def until(there: Callable[[], bool], running: Program, limit: float) -> None:
    """Wait until `there` holds. Raises NotStarted when the program ends or `limit` seconds are over."""
    try:
        async with asyncio.timeout(limit):
            while not there():
                if running.ended.is_set():
                    raise NotStarted
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise NotStarted from None


@asynccontextmanager
async def running_tor(site: Site, name: str, lines: str) -> AsyncIterator[tuple[Program, Log]]:
    """Run one tor of the network for the length of the block, with its data in a folder of its name."""
    log, data = Log(_TOR_SAYS), site.folder / name
    data.mkdir(mode=0o700, exist_ok=True)
    nickname = name.replace("-", "")  # letters and digits, 19 at most
    # Loading the two geographic tables takes most of a relay's memory; nobody here asks for them.
    quiet = f"GeoIPFile {site.nothing}\nGeoIPv6File {site.nothing}\nServerDNSResolvConfFile {site.resolver}\n"
    torrc = f"{_COMMON}{quiet}Nickname {nickname}\nDataDirectory {data}\n{site.torrc}{lines}"
    # One that we could not tell its torrc any more must not go out into the real network: so it refuses to run.
    command = [str(tor()), "-f", "-", "--defaults-torrc", str(site.nothing), "--TestingTorNetwork", "1"]
    async with program(command, guard=site.guard, feed=torrc.encode(), on_line=log.take) as running:
        site.pids[name] = running.pid
        try:
            yield running, log
        finally:
            site.pids.pop(name, None)


@asynccontextmanager
async def own_folder(guard: Guard) -> AsyncIterator[Path]:
    """Give a new folder, in memory where the system has such; it goes with the block, or with us."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory_folder()))
    try:
        await guard.adopt_dir(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(CannotMeasure):  # without a guard there is nobody left to be told
            await guard.release_dir(path)


def _free_port() -> int:
    """Return a port that was free a moment ago: authorities have to know each other's before they start."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as sock:
            try:
                sock.bind((HOST, port))
            except OSError:
                continue
            return port


class _Names(asyncio.DatagramProtocol):
    """Answers what exits ask (RFC 1035): the names of the drill are here, and there are no others."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio's callback)."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question (asyncio's callback)."""
        labels, at = [], 12
        while at < len(data) and data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].lower())
            at += 1 + data[at]
        end = at + 5
        if len(data) < end:
            return
        known = b".".join(labels) in (NAME.encode(), b"localhost")
        answers = known and data[at + 1 : end] == b"\0\1\0\1"
        address = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if answers else b""
        flags = b"\x85\x80" if known else b"\x85\x83"
        head = data[:2] + flags + b"\0\1" + (b"\0\1" if answers else b"\0\0") + bytes(4)
        self._transport.sendto(head + data[12:end] + address, addr)


@asynccontextmanager
async def naming() -> AsyncIterator[int]:
    """Answer the exits' questions for names, on a UDP port of loopback.

    Without it they would ask this system's resolver, about its health too: something would leave the machine.
    """
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Names, local_addr=(HOST, 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def authorities(site: Site) -> AsyncIterator[None]:
    """Run the authorities, which are the exits as well, and begin the block when they agree on all of them.

    Sets `site.torrc`. Raises NotStarted.
    """
    async with naming() as port:
        site.resolver.write_text(f"nameserver {HOST}:{port}\n", "ascii")
        async with _agreeing(site):
            yield


@asynccontextmanager
async def _agreeing(site: Site) -> AsyncIterator[None]:
    ports = {name: (_free_port(), _free_port()) for name in AUTHORITIES}
    keys: dict[str, tuple[str, str]] = {}

    async def make(name: str) -> None:
        keys[name] = await _keys(site, name, ports[name][1])

    await together(*(make(name) for name in AUTHORITIES))
    site.torrc = "TestingTorNetwork 1\n" + "".join(
        f"DirAuthority {name} orport={ports[name][0]} no-v2 v3ident={keys[name][0]} "
        f"{HOST}:{ports[name][1]} {keys[name][1]}\n"
        for name in AUTHORITIES
    )
    async with AsyncExitStack() as stack:
        nodes = {}
        for name in AUTHORITIES:
            lines = f"{_AUTHORITY}ORPort {HOST}:{ports[name][0]} IPv4Only\nDirPort {HOST}:{ports[name][1]}\n"
            nodes[name], _ = await stack.enter_async_context(running_tor(site, name, lines))

        async def agree(name: str) -> None:
            # Whoever reads an early, incomplete consensus waits minutes for the next one.
            await until(lambda: _agreed(site.folder / name), nodes[name], _CONSENSUS)

        await together(*(agree(name) for name in AUTHORITIES))
        yield


def _agreed(data: Path) -> bool:
    """Say whether the consensus in this folder lists every authority."""
    try:
        text = (data / "cached-consensus").read_text("utf-8", "replace")
    except OSError:
        return False
    return sum(line.startswith("r ") for line in text.splitlines()) >= len(AUTHORITIES)


async def _keys(site: Site, name: str, port: int) -> tuple[str, str]:
    """Make the keys of an authority; return the fingerprints of its v3 identity and of its relay."""
    keys = site.folder / name / "keys"
    keys.mkdir(mode=0o700, parents=True)
    keys.parent.chmod(0o700)
    certificate = keys / "authority_certificate"
    make = f"--create-identity-key --passphrase-fd 0 -m 12 -a {HOST}:{port}"
    files = ["-i", keys / "authority_identity_key", "-s", keys / "authority_signing_key", "-c", certificate]
    phrase = secrets.token_hex(16).encode() + b"\n"
    await _ran([tor_gencert(), *make.split(), *files], site.guard, phrase)
    none, other = site.nothing, f"x {HOST}:1 {'f' * 40}"
    show = ["--list-fingerprint", "--ignore-missing-torrc", "-f", none, "--defaults-torrc", none]
    rest = ["--orport", "1", "--dirserver", other, "--datadirectory", keys.parent, "--nickname", name]
    told = await _ran([tor(), *show, *rest], site.guard)
    identity = re.search(r"^fingerprint ([0-9A-F]{40})$", certificate.read_text("ascii"), re.MULTILINE)
    relay = re.search(rf"^{name} ((?:[0-9A-F]{{4}} ?){{10}})$", told, re.MULTILINE)
    if identity is None or relay is None:
        raise NotStarted
    return identity[1], relay[1].replace(" ", "")


async def _ran(command: Sequence[object], guard: Guard, feed: bytes = b"") -> str:
    """Run a program to its end and return what it said. Raises NotStarted."""
    try:
        status, lines = await output(list(map(str, command)), guard=guard, feed=feed, limit=_KEYS)
    except TimeoutError:
        raise NotStarted from None
    if status:
        raise NotStarted
    return "\n".join(lines)


@asynccontextmanager
async def bridge(site: Site, name: str) -> AsyncIterator[Node]:
    """Run a bridge; it knows the network when the block begins. Raises NotStarted."""
    async with running_tor(site, name, _BRIDGE) as (running, log):
        await until(lambda: log.found.get("percent") == "100", running, _BOOTSTRAP)
        yield _node(site, name, log)


@asynccontextmanager
async def zombie(site: Site, name: str) -> AsyncIterator[Node]:
    """Run a bridge that knows the network and does not get out any more. Raises NotStarted.

    It has bootstrapped, and was then started again behind a proxy that refuses: so no open link is left that it
    could use, and all that it has learned is still there to be given out.
    """
    async with bridge(site, name):
        pass
    async with (
        nobody() as port,
        running_tor(site, name, f"{_BRIDGE}Socks5Proxy {HOST}:{port}\n") as (running, log),
    ):
        await until(lambda: "port" in log.found, running, _LISTEN)
        yield _node(site, name, log)


def _node(site: Site, name: str, log: Log) -> Node:
    told = (site.folder / name / "fingerprint").read_text("ascii").split()
    return Node(port=int(log.found["port"]), fingerprint=told[1])


@asynccontextmanager
async def obfs4_server(
    folder: Path, or_port: int, *, guard: Guard, host: str = HOST, pids: dict[str, int] | None = None
) -> AsyncIterator[tuple[int, str]]:
    """Run the obfs4 program in front of a tor's `or_port`; give its port and its cert. Raises NotStarted.

    `folder` is its own; the port is a free one of `host`. tor has no part in it: a bridge cannot tell this
    from a transport that it has started itself.
    """
    log, at = Log(_PT_SAYS), f"[{host}]" if ":" in host else host
    env = {
        "TOR_PT_MANAGED_TRANSPORT_VER": "1",
        "TOR_PT_EXIT_ON_STDIN_CLOSE": "1",
        "TOR_PT_STATE_LOCATION": str(folder),
        "TOR_PT_SERVER_TRANSPORTS": "obfs4",
        "TOR_PT_SERVER_TRANSPORT_OPTIONS": "obfs4:iat-mode=0",
        "TOR_PT_SERVER_BINDADDR": f"obfs4-{at}:0",
        "TOR_PT_ORPORT": f"{HOST}:{or_port}",
    }
    async with program([str(obfs4())], guard=guard, feed=None, on_line=log.take, env=env) as running:
        await until(lambda: "port" in log.found, running, _LISTEN)
        if pids is not None:
            pids[folder.name] = running.pid
        try:
            yield int(log.found["port"]), log.found["cert"]
        finally:
            (pids or {}).pop(folder.name, None)

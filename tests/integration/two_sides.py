"""A person and the far side of a border, in two network namespaces, and a count of every packet between them.

The person's side has one interface; all that leaves it crosses the border, where the kernel takes down protocol,
address and port of every packet. Names are known on the far side only: the person's resolver is beyond the border too.
Namespaces have no names; each is held by a process that ends when the process of the tests does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PERSON: Final = "10.67.0.2"
MOVED: Final = "10.67.0.3"  # where the person is after a change of networks
FAR: Final = "10.67.0.1"  # the proxies
RESOLVER: Final = "10.67.0.53"
PAGE: Final = "10.67.1.1"  # the destinations
TARGET: Final = "10.67.2.1"  # what a check asks for
FOLDERS: Final = "/usr/sbin:/sbin:/usr/bin:/bin"
NEEDED: Final = (
    "nft",
    "ip",
    "unshare",
    "nsenter",
    "setpriv",
    "curl",
    "git",
    "dnsmasq",
    "danted",
    "tinyproxy",
    "microsocks",
)
_HOLD: Final = """
set -e
ip link set lo up
for file in resolv.conf hosts; do mount --bind "$0/$1-$file" "/etc/$file"; done
echo up
exec cat
"""
# A machine knows its own name; git asks for it, to tell who has cloned.
_HOSTS: Final = {
    "person": f"127.0.0.1 localhost {socket.gethostname()}\n",
    "far": f"127.0.0.1 localhost\n{PAGE} page.test\n{TARGET} target.test\n",
}
_WATCH: Final = """
table inet watch {
    set seen { type inet_proto . ipv4_addr . inet_service; flags dynamic; counter; size 60000; }
    set seen6 { type inet_proto . ipv6_addr . inet_service; flags dynamic; counter; size 60000; }
    set cut { type inet_service; }
    chain came {
        type filter hook prerouting priority -300;
        iifname "v0" meta l4proto { tcp, udp } ip version 4 update @seen { meta l4proto . ip daddr . th dport }
        iifname "v0" meta l4proto { tcp, udp } ip6 version 6 update @seen6 { meta l4proto . ip6 daddr . th dport }
        iifname "v0" th dport @cut drop
    }
    chain goes {
        type filter hook postrouting priority 300;
        oifname "v0" th sport @cut drop
    }
}
"""
_PATIENCE: Final = 15.0
_LISTEN: Final = "0A"
_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "--")


def lacking() -> str:
    """Return what keeps the two sides from being here, "" if nothing does."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root (it makes network namespaces)"
    absent = [one for one in NEEDED if shutil.which(one, path=FOLDERS) is None]
    if absent:
        return "needs " + ", ".join(absent)
    tried = subprocess.run(
        ["unshare", "--net", "nft", "add", "table", "inet", "x"],
        capture_output=True,
        timeout=20,
        check=False,
        env={**os.environ, "PATH": FOLDERS},
    )
    return "needs root that may make network namespaces" if tried.returncode else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What crossed the border from the person's side, by protocol, address and port."""

    packets: dict[tuple[str, str, int], int]
    size: dict[tuple[str, str, int], int]

    def beside(self, *allowed: tuple[str, int]) -> dict[tuple[str, str, int], int]:
        """Return the packets that went anywhere else than to these addresses and ports."""
        return {where: count for where, count in self.packets.items() if where[1:] not in allowed}

    def names(self) -> int:
        """Return how many packets went to a port of resolvers."""
        return sum(count for (_, _, port), count in self.packets.items() if port in (53, 853, 5353, 5355))

    def to(self, port: int) -> tuple[int, int]:
        """Return packets and bytes to a port of the proxies' address."""
        return (
            sum(count for where, count in self.packets.items() if where[1:] == (FAR, port)),
            sum(count for where, count in self.size.items() if where[1:] == (FAR, port)),
        )


class TwoSides:
    """The two namespaces. Make it with `standing()`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: dict[str, subprocess.Popen[str]] = {}
        self.sites: dict[str, Any] = {}
        self._programs: list[subprocess.Popen[str]] = []
        self._port = 20_000

    def build(self) -> None:
        """Make the namespaces and start what is always there."""
        for name in ("person", "far"):
            (self.folder / f"{name}-hosts").write_text(_HOSTS[name])
            (self.folder / f"{name}-resolv.conf").write_text(
                f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n"
            )
            self.held[name] = self._hold(name)
        self.shell(
            "far", f"ip link add v0 type veth peer name v0 netns /proc/{self.held['person'].pid}/ns/net"
        )
        self.shell("person", *_interface(PERSON), f"ip route add default via {FAR}")
        self.shell("far", *_interface(FAR))
        self.shell("far", *(f"ip address add {one}/32 dev lo" for one in (RESOLVER, PAGE, TARGET)))
        self.run("far", "nft", "-f", "-", feed=_WATCH)
        listen = [f"--listen-address={one}" for one in (RESOLVER, PAGE)]
        self.program(
            53,
            *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--pid-file="),
            *("--no-resolv", "--bind-interfaces", "--address=/#/", "--log-facility=-", *listen),
        )
        sites = self.folder / "sites"
        sites.mkdir()
        command = [sys.executable, "-m", "tests.integration.far_sites", str(sites), PAGE, TARGET, "fixed"]
        self.sites = json.loads(self.talking("far", *command))
        (self.folder / "ca.pem").write_text(self.sites["ca"])

    def _hold(self, name: str) -> subprocess.Popen[str]:
        command = [
            "unshare",
            "--net",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            _HOLD,
            str(self.folder),
        ]
        holder = subprocess.Popen(
            [*command, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PATH": FOLDERS},
        )
        self._programs.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n", f"no namespace for {name}"
        return holder

    @property
    def ca(self) -> Path:
        """The file with the root of the pages and of the targets."""
        return self.folder / "ca.pem"

    @property
    def port(self) -> int:
        """Another port for a proxy each time."""
        self._port += 1
        return self._port

    def inside(self, name: str) -> list[str]:
        """Return what to put before a command."""
        return ["nsenter", f"--target={self.held[name].pid}", "--net", "--mount", f"--wd={ROOT}", "--"]

    def run(self, name: str, *command: str, feed: str = "", limit: float = 20.0) -> str:
        """Run a short command and return what it said. Raises AssertionError with its complaint."""
        done = subprocess.run(
            [*self.inside(name), *command],
            input=feed,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
            env={**os.environ, "PATH": FOLDERS},
        )
        assert not done.returncode, (command, done.stderr)
        return done.stdout

    def shell(self, name: str, *lines: str) -> None:
        """Run shell commands in a namespace."""
        self.run(name, "sh", "-e", feed="\n".join(lines))

    def start(self, name: str, *command: str) -> subprocess.Popen[str]:
        """Start a program in a namespace, as the leader of a group of its own."""
        process = subprocess.Popen(
            [*_DIES_WITH_US, *self.inside(name), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "PATH": f"{FOLDERS}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        )
        self._programs.append(process)
        return process

    def talking(self, name: str, *command: str) -> str:
        """Start a program that says one line when it is ready, and return that line."""
        process = self.start(name, *command)
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, command
        return said

    def program(self, port: int, *command: str) -> subprocess.Popen[str]:
        """Start a program on the far side that is to listen on a TCP port; wait until it does."""
        process = self.start("far", *command)
        until = time.monotonic() + _PATIENCE
        while not self.listens(port):
            assert process.poll() is None, f"{command[0]} has ended with {process.returncode}"
            assert time.monotonic() < until, f"{command[0]} does not listen"
            time.sleep(0.01)
        return process

    def listens(self, port: int) -> bool:
        """Tell whether something listens on this TCP port on the far side."""
        lines = Path(f"/proc/{self.held['far'].pid}/net/tcp").read_text().splitlines()[1:]
        rows = [line.split() for line in lines]
        return any(row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port for row in rows)

    def door(self, to: int, address: str = FAR, port: int = 0) -> tuple[int, subprocess.Popen[str]]:
        """Open a port of the far side that leads to a port of this machine's loopback."""
        where = [str(self.held["far"].pid), address, str(port), str(to)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.door", *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        self._programs.append(process)
        assert process.stdout is not None
        return int(process.stdout.readline()), process

    def kill(self, process: subprocess.Popen[str]) -> None:
        """End a program and what it has started, without warning."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait(_PATIENCE)
        if process in self._programs:
            self._programs.remove(process)

    def silence(self, *ports: int) -> None:
        """Drop, from now on, every packet to and from these ports of the far side."""
        self.run("far", "nft", "add", "element", "inet", "watch", "cut", _set(ports))

    def unsilence(self, *ports: int) -> None:
        """Let packets to and from these ports pass again."""
        self.run("far", "nft", "delete", "element", "inet", "watch", "cut", _set(ports))

    def forget(self) -> None:
        """Begin a new count."""
        self.run("far", "nft", "flush", "set", "inet", "watch", "seen")
        self.run("far", "nft", "flush", "set", "inet", "watch", "seen6")

    def crossed(self) -> Traffic:
        """Return what has crossed since `forget()`."""
        packets, size = {}, {}
        for name in ("seen", "seen6"):
            told = json.loads(self.run("far", "nft", "-j", "list", "set", "inet", "watch", name))
            (found,) = [one["set"] for one in told["nftables"] if "set" in one]
            for element in found.get("elem", []):
                protocol, address, port = element["elem"]["val"]["concat"]
                packets[protocol, address, port] = element["elem"]["counter"]["packets"]
                size[protocol, address, port] = element["elem"]["counter"]["bytes"]
        return Traffic(packets=packets, size=size)

    def move(self, old: str, new: str) -> None:
        """Give the person another address, as another network would."""
        self.shell(
            "person",
            f"ip address del {old}/24 dev v0",
            f"ip address add {new}/24 dev v0",
            f"ip route replace default via {FAR}",
        )

    def close(self) -> None:
        """End everything, the namespaces last."""
        holders = list(self.held.values())
        for process in [one for one in self._programs if one not in holders] + holders:
            if process in holders:
                process.kill()
                process.wait(_PATIENCE)
                for stream in (process.stdin, process.stdout):
                    assert stream is not None
                    stream.close()
            else:
                self.kill(process)


def _set(ports: Sequence[int]) -> str:
    return "{ " + ", ".join(map(str, ports)) + " }"


def _interface(address: str) -> tuple[str, ...]:
    six = f"fd67::{address.rpartition('.')[2]}/64"
    return (
        "ip link set v0 up",
        f"ip address add {address}/24 dev v0",
        f"ip -6 address add {six} dev v0 nodad",
    )


@contextmanager
def standing(folder: Path) -> Iterator[TwoSides]:
    """Build the two sides, and take them down in the end."""
    sides = TwoSides(folder)
    try:
        sides.build()
        yield sides
    finally:
        sides.close()


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSides]:
    """Give the two sides to the tests of a module."""
    if reason := lacking():
        if os.environ.get("CI"):
            pytest.fail(f"namespaces must work here: {reason}")
        pytest.skip(reason)
    with standing(tmp_path_factory.mktemp("sides")) as made:
        yield made

"""Builds the world: four namespaces around the one that this process is in, links, addresses, programs.

Namespaces have no names: each is held by a process, and all processes are in one PID namespace. So several worlds do
not meet, and everything is gone as soon as the first process is, whatever it dies of.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.lab import anchors_file, papers, places, programs, rules

ROOT: Final = Path(__file__).parent.parent.parent
PATIENCE: Final = 40.0  # seconds until every program listens
_HOLD: Final = """
set -e
ip link set lo up
for file in resolv.conf nsswitch.conf hosts; do mount --bind "$0/$1-$file" "/etc/$file"; done
read pid rest < /proc/self/stat
echo "$pid"
exec sleep infinity
"""
_QUIET: Final = ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
_NSSWITCH: Final = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"
_HOSTS: Final = "127.0.0.1 localhost\n"
_NO_RESOLVER: Final = "# none\n"
RESOLVER: Final = f"nameserver {places.PROVIDER_DNS}\noptions timeout:2 attempts:2\n"


def run(command: Sequence[str], feed: str | None = None) -> None:
    """Run a short command. Raises RuntimeError with what it said."""
    done = subprocess.run(command, input=feed, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]}: {done.stderr.strip() or done.stdout.strip()}")


class Spaces:
    """The namespaces, each with the id of the process that holds it, as the whole machine knows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids: dict[str, int] = {}
        self.held: list[subprocess.Popen[str]] = []

    def add(self, name: str, resolver: str) -> None:
        for file, text in (("resolv.conf", resolver), ("nsswitch.conf", _NSSWITCH), ("hosts", _HOSTS)):
            (self.folder / f"{name}-{file}").write_text(text)
        command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _HOLD]
        holder = subprocess.Popen(
            [*command, str(self.folder), name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.held.append(holder)
        assert holder.stdout is not None
        said = holder.stdout.readline().strip()
        if not said:
            raise RuntimeError(f"no namespace for {name}")
        self.pids[name] = int(said)

    def inside(self, name: str, command: Sequence[str]) -> list[str]:
        """Return the command that runs `command` in a namespace."""
        if name == "border":
            return list(command)
        return ["nsenter", f"--target={self.pids[name]}", "--net", "--mount", "--", *command]

    def run(self, name: str, commands: Iterable[str]) -> None:
        """Run shell commands in a namespace, one after the other."""
        run(self.inside(name, ["sh", "-e"]), "\n".join(commands))

    def link(self, name: str, interface: str) -> None:
        space = f"/proc/{self.pids[name]}/ns/net"
        run(["ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", space])


def _settings(values: Iterable[str]) -> list[str]:
    return [f"sysctl -q -w {value}" for value in values]


def spaces(folder: Path) -> Spaces:
    """Make the namespaces and their links; this process is at the border."""
    made = Spaces(folder)
    made.run("border", [*_settings([*_QUIET, "net.ipv4.ip_forward=1"]), "ip link set lo up"])
    made.run("border", _settings(f"net.ipv4.conf.{one}.rp_filter=0" for one in ("all", "default")))
    made.add("person", RESOLVER)
    for name in ("home", "abroad", "helper"):
        made.add(name, _NO_RESOLVER)
    for name, interface in (
        ("person", rules.PERSON),
        ("home", rules.HOUSE),
        ("abroad", rules.WORLD),
        ("helper", rules.HELP),
    ):
        made.run(name, _settings(_QUIET))
        made.link(name, interface)
    made.run("border", _border())
    made.run("home", _far("10.78.1", [places.PROVIDER_DNS, places.BLOCK_HOST, *places.HOME_SERVERS.values()]))
    made.run("abroad", _far("10.78.2", _abroad()))
    made.run("helper", _far("10.78.3", [places.HELPER]))
    run(made.inside("abroad", ["nft", "-f", "-"]), programs.redirections())
    return made


def _abroad() -> list[str]:
    groups = (places.ABROAD_SERVERS, places.LISTED_SERVERS, places.FORBIDDEN_SERVERS)
    several = [
        address for group in (*groups, places.ALL_PORTS, places.ABROAD_DNS) for address in group.values()
    ]
    relays = [address for address, _ in places.RELAYS]
    return [*several, *relays, places.RECURSION_DNS, places.BRIDGE, places.PROXY]


def _border() -> list[str]:
    ways = ((rules.HOUSE, "10.78.1", places.HOME), (rules.WORLD, "10.78.2", places.ABROAD))
    commands = [f"ip address add {places.GATEWAY}/24 dev {rules.PERSON}", f"ip link set {rules.PERSON} up"]
    for interface, net, _ in (*ways, (rules.HELP, "10.78.3", "")):
        commands += [f"ip address add {net}.1/30 dev {interface}", f"ip link set {interface} up"]
    commands += [f"ip route add {whole} via {net}.2" for _, net, whole in ways]
    commands.append(f"ip route add {places.HELPER}/32 via 10.78.3.2")
    commands += [
        f"ip tuntap add {rules.TUN} mode tun",
        f"ip link set {rules.TUN} up",
        f"ip route add default dev {rules.TUN} table 100",
        f"ip rule add fwmark {rules.MARK} lookup 100",
        f"ip address add {places.GATEWAY6}/64 dev {rules.PERSON} 2>/dev/null || true",
    ]
    return commands


def _far(net: str, addresses: Iterable[str]) -> list[str]:
    return [
        f"ip address add {net}.2/30 dev eth0",
        "ip link set eth0 up",
        f"ip route add default via {net}.1",
        *(f"ip address add {address}/32 dev lo" for address in addresses),
    ]


def start(made: Spaces, folder: Path) -> None:
    """Start every program and wait until all of them answer. Raises RuntimeError."""
    papers.make(folder)
    runs = [*programs.relays(folder), *programs.resolvers(folder), *programs.websites(folder)]
    log = (folder / "programs.log").open("ab")
    started = [
        subprocess.Popen(
            made.inside(one.where, one.command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        for one in runs
    ]
    roles = ("border", "home", "abroad")
    for role in roles:
        command = [sys.executable, "-m", "tests.lab.servers", role, str(folder)]
        started.append(
            subprocess.Popen(
                made.inside(role, ["sh", "-c", 'cd "$0" && exec "$@"', str(ROOT), *command]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        )
    waiting = [one.ready for one in runs if one.ready]
    until = time.monotonic() + PATIENCE
    files = [folder / f"{role}.ready" for role in roles] + list(anchors_file.needs(folder))
    while waiting or not all(file.exists() for file in files):
        if time.monotonic() > until or any(one.poll() is not None for one in started):
            gone = [one.args for one in started if one.poll() is not None]
            said = (folder / "programs.log").read_text(errors="replace")[-1500:]
            raise RuntimeError(f"the laboratory's programs did not start: {gone or waiting}\n{said}")
        waiting = [one for one in waiting if not _answers(one)]
        time.sleep(0.05)
    anchors_file.write_anchors(folder)


def _answers(where: tuple[str, int]) -> bool:
    try:
        socket.create_connection(where, timeout=0.5).close()
    except OSError:
        return False
    return True

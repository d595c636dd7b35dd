"""A beacon on all ports, in network namespaces of its own: a helper and a person, joined by a pair of interfaces."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from client.diagnosis import code

ROOT = Path(__file__).parents[2]
HELPER, PERSON = "10.66.0.1", "10.66.0.2"
HELPER6, PERSON6 = "2001:db8:66::1", "2001:db8:66::2"
FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"
TABLE = ["nft", "list", "table", "inet", "sanylau_beacon"]
ANCHORS = """
date = 2022-01-05
source = "a test"
[[server]]
place = "abroad"
name = "helper.example"
addresses = ["10.66.0.1"]
"""
# What happens at the border, on the helper's interface: everything but these ports is dropped.
ALMATY = """
table inet border {
    chain came {
        type filter hook prerouting priority -300;
        tcp dport != { 179, 646, 3785, 4784 } tcp flags & (syn | ack) == syn drop
        udp dport != 53 drop
    }
}
"""


def lacking() -> str:
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root (it makes network namespaces)"
    absent = [one for one in ("nft", "ip", "unshare", "nsenter") if shutil.which(one, path=FOLDERS) is None]
    if absent:
        return "needs " + ", ".join(absent)
    tried = subprocess.run(
        ["unshare", "--net", "nft", "add", "table", "inet", "x"], capture_output=True, timeout=20, check=False
    )
    return "needs root that may make network namespaces" if tried.returncode else ""


class World:
    """Two namespaces, each held by a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held = {
            name: subprocess.Popen(["unshare", "--net", "sleep", "300"]) for name in ("helper", "person")
        }
        self.anchors = folder / "anchors.toml"
        self.anchors.write_text(ANCHORS)
        own = os.readlink("/proc/self/ns/net")
        until = time.monotonic() + 10
        for process in self.held.values():
            while os.readlink(f"/proc/{process.pid}/ns/net") == own:
                assert time.monotonic() < until
                time.sleep(0.01)
        self.shell(
            "helper", f"ip link add v0 type veth peer name v0 netns /proc/{self.held['person'].pid}/ns/net"
        )
        for name, four, six, other, other6 in (
            ("helper", HELPER, HELPER6, PERSON, PERSON6),
            ("person", PERSON, PERSON6, HELPER, HELPER6),
        ):
            self.shell(
                name,
                "ip link set lo up; ip link set v0 up",
                f"ip address add {four}/24 dev v0; ip -6 address add {six}/64 dev v0 nodad",
                f"ip route add default via {other}; ip -6 route add default via {other6}",
            )

    def inside(self, name: str, *command: str) -> list[str]:
        return ["nsenter", f"--target={self.held[name].pid}", "--net", "--", *command]

    def run(
        self, name: str, *command: str, feed: str = "", limit: float = 50
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.inside(name, *command),
            input=feed,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PATH": f"{FOLDERS}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        )

    def shell(self, name: str, *lines: str) -> None:
        done = self.run(name, "sh", "-e", feed="\n".join(lines))
        assert not done.returncode, done.stderr

    def start(self, name: str, *command: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.inside(name, *command),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    @contextmanager
    def beacon(self, *arguments: str, host: str = HELPER) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Run a beacon; gives the process and its code."""
        given = arguments or ("--all",)
        process = self.start(
            "helper", sys.executable, "-m", "client", "beacon", "--json", "--host", host, *given
        )
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline() or "{}")
            assert told.get("type") == "invite", process.communicate()
            assert json.loads(process.stdout.readline())["type"] == "beacon"
            yield process, told["code"]
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=20)

    def holes(self, beacon: str, *arguments: str, limit: float = 50) -> tuple[list[dict[str, Any]], int]:
        """Search for holes; gives the objects and the exit status."""
        common = ["--beacon", "-", "--yes", "--json", "--ports-only", "--anchors", str(self.anchors)]
        done = self.run(
            "person", sys.executable, "-m", "client", "holes", *common, *arguments, feed=beacon, limit=limit
        )
        assert done.stdout, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.returncode

    def knock(self, port: int, host: str = HELPER) -> str:
        """Connect and return what is said at once: text, "silence", or the error's name."""
        script = (
            "import socket, sys\n"
            "s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n"
            "s.settimeout(0.7)\n"
            "try:\n s.connect((sys.argv[1], int(sys.argv[2]))); print(s.recv(99).decode())\n"
            "except TimeoutError: print('silence')\n"
            "except OSError as error: print(type(error).__name__)\n"
        )
        return self.run("person", sys.executable, "-c", script, host, str(port)).stdout.strip()

    @contextmanager
    def service(self, port: int, says: str) -> Iterator[None]:
        """A service of the helper's host that greets everybody."""
        script = (
            "import socket, sys\n"
            "s = socket.create_server(('0.0.0.0', int(sys.argv[1])))\n"
            "print('up', flush=True)\n"
            "while True:\n c, _ = s.accept(); c.sendall(sys.argv[2].encode()); c.close()\n"
        )
        process = self.start("helper", sys.executable, "-c", script, str(port), says)
        assert process.stdout is not None
        try:
            assert process.stdout.readline().strip() == "up"
            yield
        finally:
            process.kill()
            process.communicate(timeout=10)

    def in_force(self) -> bool:
        return self.run("helper", *TABLE).returncode == 0

    def gone_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self.in_force():
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def close(self) -> None:
        for process in self.held.values():
            process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if reason := lacking():
        if os.environ.get("CI"):
            pytest.fail(f"namespaces must work here: {reason}")
        pytest.skip(reason)
    made = World(tmp_path_factory.mktemp("world"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def _clean(world: World) -> Iterator[None]:
    yield
    for name in ("helper", "person"):
        world.shell(name, "nft flush ruleset")


def of_type(told: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in told if one["type"] == kind]


@pytest.mark.parametrize("host", [HELPER, HELPER6])
def test_all_likely_ports_are_found_and_nothing_is_left_behind(world: World, host: str) -> None:
    with world.beacon(host=host) as (process, beacon):
        assert world.in_force()
        told, status = world.holes(beacon)
        assert status == 0
        (summary,) = of_type(told, "summary")
        assert {53, 80, 179, 443, 3785} <= set(summary["tcp"])
        assert {53, 123, 443, 51820} <= set(summary["udp"])
        # SSH's port is left to SSH; there is none here, so the host refuses.
        assert [(one["port"], one["state"]) for one in of_type(told, "port")] == [(22, "refused")]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert not world.in_force()


def test_holes_in_a_closed_border_are_found_and_named_in_ten_seconds(world: World) -> None:
    world.run("helper", "nft", "-f", "-", feed=ALMATY)
    with world.beacon() as (_, beacon):
        told, status = world.holes(beacon)
    (summary,) = of_type(told, "summary")
    assert status == 0
    assert (summary["tcp"], summary["udp"]) == ([179, 3785, 646, 4784], [53])
    assert (summary["kind"], summary["certainty"]) == ("port_holes", "likely")
    assert summary["elapsed_ms"] < 10_000
    explained = code.decode(summary["code"])
    assert (explained.tcp, explained.udp) == ((179, 646, 3785, 4784), (53,))
    assert explained.passes == {"raw", "udp"}


def test_a_thousand_ports_a_second(world: World) -> None:
    with world.beacon() as (_, beacon):
        began = time.monotonic()
        told, status = world.holes(beacon, "--all", "--profile", "fast", "--from", "61000")
        took = time.monotonic() - began
    (summary,) = of_type(told, "summary")
    assert status == 0
    # Both protocols, every port from there on; the likely ones are asked until the key has answered.
    for protocol in ("tcp", "udp"):
        assert set(range(61000, 65536)) <= set(summary[protocol])
    assert took < 9.0  # 4,536 ports, and the start of an interpreter


def test_services_and_standing_connections_are_never_touched(world: World) -> None:
    serving = (
        "import socket, sys, time\n"
        "s = socket.create_server(('0.0.0.0', 4000)); print('up', flush=True)\n"
        "c, _ = s.accept(); s.close(); print('taken', flush=True)\n"
        "c.settimeout(20); c.sendall(c.recv(9)); time.sleep(1)\n"
    )
    talking = (
        "import socket, sys\n"
        f"s = socket.create_connection(('{HELPER}', 4000), 20); print('up', flush=True)\n"
        "sys.stdin.readline(); s.sendall(b'still'); print(s.recv(9).decode(), flush=True)\n"
    )
    echo = world.start("helper", sys.executable, "-c", serving)
    assert echo.stdout is not None
    assert echo.stdout.readline() == "up\n"
    standing = world.start("person", sys.executable, "-c", talking, stdin=subprocess.PIPE)
    try:
        assert echo.stdout.readline() == "taken\n"  # its port is free again: nothing listens there
        with world.service(22, "SSH-2.0-test"), world.service(8025, "220 mail"), world.beacon():
            assert world.knock(22) == "SSH-2.0-test"
            assert world.knock(8025) == "220 mail"
            assert world.knock(8026) == "silence"
            with world.service(8026, "later"):  # it began after the rules were set
                assert world.knock(8026) == "later"
            out, _ = standing.communicate("\n", timeout=10)
            assert out.split() == ["up", "still"]
    finally:
        for process in (standing, echo):
            process.kill()
            process.communicate(timeout=10)


def test_the_rules_go_when_the_program_is_killed(world: World) -> None:
    with world.beacon() as (process, _):
        assert world.in_force()
        process.kill()
        process.wait(10)
        assert world.gone_within(2.0)


def test_the_rules_stop_matching_when_program_and_guard_are_both_killed(world: World) -> None:
    with world.beacon("--all", "--for", "4s") as (process, _):
        began = time.monotonic()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait(10)
        assert world.in_force()
        with world.service(39179, "led here"):
            assert world.knock(4242) == "led here"
            time.sleep(max(0.0, began + 4.5 - time.monotonic()))
            assert world.knock(4242) == "ConnectionRefusedError"


def test_a_box_that_leads_ports_elsewhere_is_seen(world: World) -> None:
    rules = f"""
        table ip box {{
            chain went {{
                type nat hook output priority -100;
                ip daddr {HELPER} tcp dport 53 dnat to {HELPER}:443
                ip daddr {HELPER} udp dport 53 dnat to {HELPER}:123
            }}
        }}
    """
    world.shell("person", f"nft -f - <<'END'\n{rules}\nEND")
    with world.beacon() as (_, beacon):
        told, _ = world.holes(beacon)
    moved = {(one["protocol"], one["port"], one["arrived"]) for one in told if one.get("state") == "moved"}
    assert moved == {("tcp", 53, 443), ("udp", 53, 123)}


def test_a_beacon_that_dies_in_mid_sweep_leaves_what_was_found(world: World) -> None:
    with world.beacon() as (process, beacon):
        searching = world.start(
            "person",
            *("sh", "-c", 'echo "$0" | exec "$@"', beacon, sys.executable, "-m", "client", "holes"),
            *("--beacon", "-", "--yes", "--json", "--ports-only", "--anchors", str(world.anchors)),
            *("--all", "--profile", "normal"),
        )
        try:
            time.sleep(5)
            process.kill()
            out, err = searching.communicate(timeout=40)
        finally:
            searching.kill()
            searching.wait(10)
    told = [json.loads(line) for line in out.splitlines()]
    (summary,) = of_type(told, "summary")
    assert searching.returncode == 0
    assert summary["stopped"] == "gone"
    assert len(summary["tcp"]) > 20
    assert summary["resume"]
    assert summary["unknown"] > 0
    assert "has stopped answering" in err


def test_printed_rules_serve_a_beacon_without_root(world: World) -> None:
    printed = world.run(
        "helper", sys.executable, "-m", "client", "beacon", "--all", "--print-rules", "--for", "1m"
    )
    assert world.run("helper", "nft", "-f", "-", feed=printed.stdout).returncode == 0
    with world.beacon("--all", "--rules-set") as (_, beacon):
        told, status = world.holes(beacon, "--first", "3")
    assert status == 0
    assert len(of_type(told, "hole")) >= 3
    assert world.in_force()  # who set them takes them down


def test_a_second_beacon_does_not_take_the_place_of_the_first(world: World) -> None:
    with world.beacon():
        common = ("-m", "client", "beacon", "--all", "--host", HELPER, "--for", "1m")
        same = world.run("helper", sys.executable, *common)
        other = world.run("helper", sys.executable, *common, "--listen", "39180")
        assert (same.returncode, other.returncode) == (3, 3)
        assert "--listen" in same.stderr
        assert "in force here already" in other.stderr
        assert world.in_force()

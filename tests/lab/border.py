"""The border: the first process of a world. Builds it, then does what is asked, one JSON line for each answer.

Run as `unshare --pid --fork --kill-child --net --mount PYTHON -m tests.lab.border FOLDER`. It ends with its standard
input, and with it everything in its PID namespace.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.lab import build, places, rules
from tests.lab.dpi import Inspector, Streams, name_of
from tests.lab.packets import SYN, UDP, address, asked, read
from tests.lab.scenarios import Border, Judge, Lie, Link, Middle, Toll

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 1, 0x1000
_ALL: Final = 3  # ETH_P_ALL
_OUTGOING: Final = 4  # PACKET_OUTGOING
_PERSON: Final = address(places.PERSON)
_HOUSE: Final = address(places.HOME.partition("/")[0])[:3]
# The person's window fits into the queue: losses would make a download stall, which is another kind of cut, and a
# queue that is deep enough for any window delays all that follows.
_SHAPE: Final = "tbf rate {rate}bit burst 4000 limit 20000"
_SMALL: Final = "4096 16384 16384"
_ORDINARY: Final = "4096 131072 6291456"


def border_from(told: dict[str, Any]) -> Border:
    """Return a border from what `dataclasses.asdict` and JSON have made of it."""
    kinds: dict[str, Any] = {
        "link": Link,
        "home": Toll,
        "abroad": Toll,
        "lie": Lie,
        "judge": Judge,
        "middle": Middle,
    }
    values: dict[str, Any] = {}
    for name, value in told.items():
        plain = tuple(value) if isinstance(value, list) else value
        values[name] = kinds[name](plain) if name in kinds else plain
    return Border(**values)


class Names:
    """Notes every name that the person puts on the wire in the clear: DNS, SNI, Host; and TCP ports as they are asked."""

    def __init__(self) -> None:
        self.streams = Streams()
        self.seen: set[str] = set()
        self.ports: dict[int, None] = {}

    def look(self, raw: bytes) -> None:
        packet = read(raw)
        if packet is None or packet.source != _PERSON or not (packet.data or packet.flags):
            return
        if packet.protocol == UDP:
            self._query(packet.data)
            return
        if packet.flags & SYN:
            self.ports[packet.dport] = None
        stream = self.streams.of(packet, outward=True)
        if stream is None or not packet.data:
            return
        whole = stream.take(packet)
        if packet.dport == 53 and len(whole) > 2:
            self._query(whole[2:])
        elif name := name_of(whole):
            self.seen.add(name)

    def _query(self, message: bytes) -> None:
        if found := asked(message):
            self.seen.add(found[0])


class Watch:
    """The border's own eyes and hands: the TUN device for the judge, and a socket that sees what the person sends."""

    def __init__(self) -> None:
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tun, _TUNSETIFF, struct.pack("16sH22x", rules.TUN.encode(), _IFF_TUN | _IFF_NO_PI))
        self.sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
        self.sniffer.bind((rules.PERSON, _ALL))
        self.sniffer.setblocking(False)
        self.inspector: Inspector | None = None
        self.names = Names()

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self.tun, self.judge)
        loop.add_reader(self.sniffer, self.sniff)

    def sniff(self) -> None:
        """Look at everything that waits to be looked at."""
        with suppress(BlockingIOError):
            while True:
                raw, (_, _, kind, *_) = self.sniffer.recvfrom(65536)
                if kind != _OUTGOING:
                    self.names.look(raw)

    def judge(self) -> None:
        """Judge every packet that waits."""
        loop = asyncio.get_running_loop()
        with suppress(BlockingIOError):
            while True:
                raw = os.read(self.tun, 65536)
                packet = read(raw)
                if packet is None or self.inspector is None:
                    self.send(raw)
                    continue
                outward = packet.source == _PERSON or packet.source[:3] == _HOUSE
                for wait, one in self.inspector.judge(packet, raw, outward, loop.time()):
                    if wait:
                        loop.call_later(wait, self.late, one, self.inspector)
                    else:
                        self.send(one)

    def late(self, raw: bytes, inspector: Inspector) -> None:
        """Send what has waited, unless another scenario has begun."""
        if inspector is self.inspector:
            self.send(raw)

    def send(self, raw: bytes) -> None:
        with suppress(OSError):  # a full queue loses packets, as anywhere
            os.write(self.tun, raw)


class Commands:
    """What a test may ask for."""

    def __init__(self, spaces: build.Spaces, watch: Watch, folder: Path) -> None:
        self.spaces, self.watch, self.folder = spaces, watch, folder
        self.rate = 0

    def answer(self, told: dict[str, Any]) -> dict[str, Any]:
        """Do one thing. The answer has `error` if it could not be done."""
        try:
            match told["do"]:
                case "play":
                    return self.play(border_from(told["border"]))
                case "counts":
                    return self.counts()
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
        return {"error": "what?"}

    def play(self, border: Border) -> dict[str, Any]:
        self.watch.sniff()
        build.run(["nft", "-f", "-"], rules.ruleset(border))
        self.watch.inspector = Inspector(border.judge) if border.judge is not Judge.NONE else None
        self.watch.names = Names()
        for name in ("home", "abroad", "helper", "border"):  # what was frozen must not thaw now
            self.spaces.run(name, [f"ss -K -t -n dst {places.PERSON} >/dev/null || true"])
        self.spaces.run("person", rules.person_commands(border))
        if border.link is Link.UP:  # a gateway that was away is forgotten on both sides
            build.run(["ip", "neigh", "flush", "dev", rules.PERSON])
        resolver = build.RESOLVER if border.resolver else "# none\n"
        (self.folder / "person-resolv.conf").write_text(resolver)  # the same file, for it is bound
        self._shape(border.rate)
        return {}

    def _shape(self, rate: int) -> None:
        if rate == self.rate:
            return
        for name, interface in (("border", rules.PERSON), ("person", "eth0")):
            what = f"replace dev {interface} root {_SHAPE.format(rate=rate * 8)}"
            self.spaces.run(name, [f"tc qdisc {what if rate else f'del dev {interface} root'}"])
        self.spaces.run("person", [f"sysctl -q -w net.ipv4.tcp_rmem='{_SMALL if rate else _ORDINARY}'"])
        self.rate = rate

    def counts(self) -> dict[str, Any]:
        self.watch.sniff()
        listed = self._listed()
        counters = {one["name"]: one for entry in listed if (one := entry.get("counter"))}
        sets = {one["name"]: one.get("elem", []) for entry in listed if (one := entry.get("set"))}
        return {
            "tcp": len(sets["tcp_flows"]),
            "udp": len(sets["udp_flows"]),
            "sent": counters["sent"]["bytes"],
            "got": counters["got"]["bytes"],
            "echo": counters["echo"]["packets"],
            "names": sorted(self.watch.names.seen),
            "ports": list(self.watch.names.ports | {int(_elem(one)[2]): None for one in sets["tcp_flows"]}),
        }

    def _listed(self) -> list[dict[str, Any]]:
        command = ["nft", "-j", "list", "table", "ip", "counts"]
        done = subprocess.run(command, capture_output=True, timeout=10, check=True)
        return list(json.loads(done.stdout)["nftables"])


def _elem(entry: Any) -> list[Any]:
    inner = entry.get("elem", entry) if isinstance(entry, dict) else entry
    return list(inner.get("val", inner)["concat"] if isinstance(inner, dict) else inner)


async def main(folder: Path) -> None:
    spaces = build.spaces(folder)
    watch = Watch()
    watch.begin()
    commands = Commands(spaces, watch, folder)
    build.run(["nft", "-f", "-"], rules.ruleset(Border()))
    build.start(spaces, folder)
    commands.play(Border())
    _say({"pids": spaces.pids})
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        _say(commands.answer(json.loads(line)))
    shutil.rmtree(folder, ignore_errors=True)  # for a test process that was killed


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1])))
    except (RuntimeError, OSError) as failed:
        _say({"error": f"{type(failed).__name__}: {failed}"})

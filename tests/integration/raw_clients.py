"""Clients that speak SOCKS5 by themselves: a messenger that holds its connection, and a question by UDP.

    raw_clients.py messenger PROXY_PORT HOST PORT SECONDS[/SIZE] [USER PASSWORD]
    raw_clients.py dns PROXY_PORT HOST PORT NAME [USER PASSWORD]
    raw_clients.py outlived PROXY_PORT HOST PORT NAME

Each writes one JSON object; `outlived` asks by UDP, says so on a line, waits for a line, and asks ten times more. Codes are those of RFC 1928, section 6.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import socket
import sys
import time
from contextlib import suppress

_LIMIT = 10.0
_CONNECT, _ASSOCIATE = 1, 3
_KEEPALIVE = 0.5  # seconds between two signs of life
_SIZES = (16, 1400, 64, 60_000, 16, 500_000)  # bytes of the frames, in turn


def exactly(sock: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        more = sock.recv(count - len(got))
        if not more:
            raise EOFError(f"it ended after {len(got)} of {count} bytes")
        got += more
    return got


def address(host: str, port: int) -> bytes:
    """Return an address as SOCKS5 writes it, a name as a name."""
    try:
        given = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode()
        return bytes([3, len(name)]) + name + port.to_bytes(2, "big")
    return bytes([1 if given.version == 4 else 4]) + given.packed + port.to_bytes(2, "big")


def asked(proxy: int, command: int, host: str, port: int, who: list[str]) -> tuple[socket.socket, int, int]:
    """Connect to the proxy and ask; gives the connection, the code of the answer, and the port in it."""
    sock = socket.create_connection(("127.0.0.1", proxy), _LIMIT)
    sock.sendall(b"\x05\x02\x00\x02" if who else b"\x05\x01\x00")
    version, method = exactly(sock, 2)
    if version != 5 or method not in (0, 2) or (method == 2 and not who):
        return sock, -method, 0
    if method == 2:
        user, password = (word.encode() for word in who)
        sock.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if exactly(sock, 2)[1]:
            return sock, -1, 0
    sock.sendall(bytes([5, command, 0]) + address(host, port))
    _, code, _, kind = exactly(sock, 4)
    exactly(sock, {1: 4, 4: 16}.get(kind) or exactly(sock, 1)[0])
    return sock, code, int.from_bytes(exactly(sock, 2), "big")


def messenger(proxy: int, host: str, port: int, talk: str, who: list[str]) -> dict[str, object]:
    """Talk for so many seconds, and two rounds at least, with pauses, in frames of this size or of several ones."""
    seconds, _, size = talk.partition("/")
    sizes = (int(size),) * len(_SIZES) if int(size or "0") else _SIZES
    sock, code, _ = asked(proxy, _CONNECT, host, port, who)
    report: dict[str, object] = {"code": code}
    frames, moved, slowest = 0, 0, 0.0
    with sock:
        if code:
            return report
        sock.sendall(b"\xee" * 4)
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until or frames < 2 * len(_SIZES) or frames % len(_SIZES):
            content = os.urandom(sizes[frames % len(sizes)])
            begun = time.monotonic()
            sock.sendall(len(content).to_bytes(4, "little") + content)
            reply = exactly(sock, int.from_bytes(exactly(sock, 4), "little"))
            slowest = max(slowest, time.monotonic() - begun)
            if reply != hashlib.sha256(content).digest() + content[::-1]:
                raise ValueError("the answer is another one")
            frames, moved = frames + 1, moved + len(content)
            if not frames % len(_SIZES):
                time.sleep(_KEEPALIVE)
    return report | {"frames": frames, "moved": moved, "slowest": slowest}


def dns(proxy: int, host: str, port: int, name: str, who: list[str]) -> dict[str, object]:
    """Ask a resolver for the address of a name."""
    sock, code, at = asked(proxy, _ASSOCIATE, "0.0.0.0", 0, who)
    with sock, socket.socket(type=socket.SOCK_DGRAM) as udp:
        return {"code": code} if code else {"code": 0, "answers": answers(udp, at, host, port, name)}


def answers(udp: socket.socket, at: int, host: str, port: int, name: str) -> list[str]:
    """Send a question through an association, and return what is answered. Raises OSError, such as TimeoutError."""
    import dns.message

    udp.settimeout(_LIMIT)
    question = dns.message.make_query(name, "A")
    udp.sendto(bytes(3) + address(host, port) + question.to_wire(), ("127.0.0.1", at))
    reply = udp.recv(65535)
    size = {1: 4, 4: 16}.get(reply[3]) or 1 + reply[4]
    found = dns.message.from_wire(reply[4 + size + 2 :])
    if found.id != question.id:
        raise ValueError("the answer to another question")
    return [record.to_text() for one in found.answer for record in one]


def outlived(proxy: int, host: str, port: int, name: str) -> dict[str, object]:
    """Hold an association beyond the death of what it goes through."""
    import dns.message

    sock, code, at = asked(proxy, _ASSOCIATE, "0.0.0.0", 0, [])
    with sock, socket.socket(type=socket.SOCK_DGRAM) as udp:
        before = [] if code else answers(udp, at, host, port, name)
        sys.stdout.write(json.dumps({"code": code, "answers": before}) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()
        sock.settimeout(_LIMIT)
        try:
            ended = sock.recv(1) == b""
        except ConnectionError:
            ended = True
        except TimeoutError:
            ended = False
        question = bytes(3) + address(host, port) + dns.message.make_query(name, "A").to_wire()
        for _ in range(10):
            with suppress(ConnectionError):  # the port of the association has been closed
                udp.sendto(question, ("127.0.0.1", at))
            time.sleep(0.05)
        return {"ended": ended}


def main() -> None:
    kind, proxy, host, port, more, *who = sys.argv[1:]
    told = {
        "messenger": lambda: messenger(int(proxy), host, int(port), more, who),
        "dns": lambda: dns(int(proxy), host, int(port), more, who),
        "outlived": lambda: outlived(int(proxy), host, int(port), more),
    }[kind]()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()

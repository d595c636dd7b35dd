"""What test_lab.py asks in the person's place, by plain sockets: a JSON list of questions in, one of answers out.

Questions are asked at once, each within LIMIT seconds. An answer is a short word, or a word and what came with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

LIMIT: Final = 1.2
FETCH: Final = 4.0  # seconds that a slow download is looked at, and those that it may pause
SHAPES: Final = {
    "random": hashlib.shake_256(b"looks encrypted").digest(200),
    "zeros": bytes(100),
    "http": b"GET / HTTP/1.1\r\nHost: www.abroad-one.example\r\nConnection: close\r\n\r\n",
}


def _opened(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), timeout=LIMIT)


def tcp(host: str, port: int) -> str:
    _opened(host, port).close()
    return "open"


def hello_bytes(name: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def hello(host: str, name: str, pieces: int = 1, port: int = 443) -> str:
    """Send a ClientHello in several packets; say what kind of TLS record comes back."""
    data = hello_bytes(name)
    at = data.index(name.encode()) + 3  # the middle of the name
    parts = [data] if pieces == 1 else [data[:at], data[at:]]
    with _opened(host, port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sock.sendall(part)
            time.sleep(0.1)
        return f"record {sock.recv(1)[0]}"


def tls(host: str, name: str, ca: str, port: int = 443) -> str:
    """Make a whole handshake, checked for `name` against the roots in a file ("" for the system's)."""
    context = ssl.create_default_context(cafile=ca or None)
    try:
        with _opened(host, port) as sock, context.wrap_socket(sock, server_hostname=name):
            return "right"
    except ssl.SSLCertVerificationError:
        return "false"


def fetch(host: str, name: str, path: str, send: int = 0, port: int = 443) -> list[Any]:
    """Fetch (or send `send` bytes and more) over TLS; return how it ended, how many bytes came, and the seconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    begin, got = time.monotonic(), 0
    method = f"POST {path} HTTP/1.1\r\nContent-Length: {send}" if send else f"GET {path} HTTP/1.1"
    plain = socket.create_connection((host, port), timeout=FETCH)
    with plain, context.wrap_socket(plain, server_hostname=name) as sock:
        try:
            sock.sendall(f"{method}\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode() + bytes(send))
            while more := sock.recv(65536):
                got += len(more)
                if time.monotonic() - begin > FETCH:
                    return ["slow", got, time.monotonic() - begin]
        except TimeoutError:
            return ["stopped", got, time.monotonic() - begin]
    return ["whole", got, time.monotonic() - begin]


def first(host: str, port: int, shape: str, repeat: int = 1) -> str:
    """Send bytes of a shape, tell whether anything comes back."""
    with _opened(host, port) as sock:
        for _ in range(repeat):
            sock.sendall(SHAPES[shape])
            time.sleep(0.05)
        return "answer" if sock.recv(1000) else "closed"


def http(host: str, path: str = "/", name: str = "www.abroad-one.example", limit: float = LIMIT) -> list[str]:
    with socket.create_connection((host, 80), timeout=limit) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        whole = b""
        while more := sock.recv(65536):
            whole += more
    head, _, body = whole.decode().partition("\r\n\r\n")
    return [head.split()[1], body]


def dns(server: str, name: str, wait: float = 0.5) -> list[str]:
    """Ask by UDP, return every answer that comes: addresses, or the response code."""
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0"
    query += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\1\0\1"
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((server, 53))
        sock.settimeout(LIMIT)
        sock.send(query)
        try:
            while True:
                reply = sock.recv(2000)
                count, code = struct.unpack_from("!H", reply, 6)[0], reply[3] & 15
                answers.append(socket.inet_ntoa(reply[len(query) + 12 :][:4]) if count else f"code {code}")
                sock.settimeout(wait)
        except TimeoutError:
            return answers or ["silence"]


def quic(host: str) -> str:
    """Send a QUIC packet of an unknown version."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, 443))
        sock.settimeout(LIMIT)
        sock.send(b"\xc0\x1a\x2a\x3a\x4a\x08" + os.urandom(8) + b"\x08" + os.urandom(8) + bytes(1178))
        return "versions" if sock.recv(2000)[1:5] == bytes(4) else "other"


def resolve(name: str) -> list[str]:
    """Ask as the system does."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(name, 443, socket.AF_INET)})


def parallel(host: str, name: str, count: int) -> list[str]:
    """Shake hands several times at once, and once more afterwards."""
    with ThreadPoolExecutor(count) as pool:
        return [*pool.map(lambda _: told(["hello", host, name]), range(count))]


WORDS: Final[dict[str, Callable[..., Any]]] = {
    one.__name__: one for one in (tcp, hello, tls, fetch, first, http, dns, quic, resolve, parallel)
}


def told(question: list[Any]) -> Any:
    try:
        return WORDS[question[0]](*question[1:])
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"
    except socket.gaierror as error:
        return f"name {error.errno}"
    except OSError as error:
        return f"error {error.errno}"


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    with ThreadPoolExecutor(16) as workers:
        print(json.dumps(list(workers.map(told, questions))))

"""The yardstick for whole paths: one bridge after the other, a page through a circuit of its own; by stem."""

import argparse
import contextlib
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

from stem.control import Controller

TORRC = """SocksPort auto\nControlPort auto\nControlPortWriteToFile {0}/port\nCookieAuthentication 1\nClientOnly 1
DataDirectory {0}\nAvoidDiskWrites 1\nGeoIPFile {0}/none\nGeoIPv6File {0}/none\nMaxClientCircuitsPending 1024
Log err stdout\nUseBridges 1\nClientTransportPlugin obfs4 exec {1}\nBridge {2}\n__OwningControllerProcess {3}\n"""


@contextlib.contextmanager
def running(torrc: str, bridge: str) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="sanylau-bare-") as folder:
        command = ["tor", "-f", "-", "--defaults-torrc", f"{folder}/none", "--quiet"]
        tor = subprocess.Popen(command, stdin=subprocess.PIPE)
        try:
            assert tor.stdin
            text = TORRC.format(folder, shutil.which("obfs4proxy"), bridge, os.getpid())
            tor.stdin.write((text + torrc).encode())
            tor.stdin.close()
            while not os.path.exists(f"{folder}/port"):
                sleep(0.02)
            with open(f"{folder}/port") as file:
                controller = Controller.from_port(port=int(file.read().split(":")[1]))
            with controller:
                controller.authenticate()
                yield controller
        finally:
            tor.terminate()
            tor.wait()


def fetch(lines: list[str], url: str, ca: str, torrc: str) -> dict[str, Any]:
    at, context = urlsplit(url), ssl.create_default_context(cafile=ca)
    target, streams, circuits = (at.hostname or "", at.port or 0), dict[int, str](), dict[str, str]()

    def stream(event: Any) -> None:
        if event.source_port:
            streams[event.source_port] = event.id
        if event.circ_id:
            circuits[event.id] = event.circ_id

    def through(port: int, expected: str) -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            name = secrets.token_hex(8).encode()  # fresh credentials: a circuit of its own
            there = socket.inet_aton(target[0]) + target[1].to_bytes(2, "big")
            answers = sock.makefile("rb")
            steps = (b"\x05\x01\x02", 2), (b"\x01\x10" + name + b"\x01x", 2), (b"\x05\x01\0\x01" + there, 10)
            for said, length in steps:
                sock.sendall(said)
                answer = answers.read(length)
            if answer[1:2] != b"\0":
                return False
            near = sock.getsockname()[1]
            with context.wrap_socket(sock, server_hostname=target[0]) as tls:
                tls.sendall(f"GET {at.path} HTTP/1.1\r\nHost: {target[0]}\r\n\r\n".encode())
                path = controller.get_circuit(circuits[streams[near]]).path
                return tls.recv(4096).startswith(b"HTTP/1.1 200") and path[0][0] == expected

    with running(torrc, lines[0]) as controller:
        controller.add_event_listener(stream, "STREAM")
        while "PROGRESS=100" not in controller.get_info("status/bootstrap-phase"):
            sleep(0.05)
        port, began, good = controller.get_listeners("SOCKS")[0][1], perf_counter(), 0
        for line in lines[1:]:
            controller.set_options({"Bridge": line})
            until, passed = perf_counter() + 15, False
            while not passed and perf_counter() < until:
                with contextlib.suppress(OSError, KeyError):
                    passed = through(port, line.split()[2])
            good += passed
        return {"good": good, "seconds": perf_counter() - began}


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("list", type=argparse.FileType())
    options.add_argument("--target", required=True)
    options.add_argument("--target-ca", required=True)
    options.add_argument("--torrc", type=argparse.FileType(), required=True)
    args = options.parse_args()
    told = fetch(args.list.read().splitlines(), args.target, args.target_ca, args.torrc.read())
    print(json.dumps(told))

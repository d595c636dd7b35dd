"""The yardstick: many obfs4 handshakes at once by a bare asyncio SOCKS5 client of obfs4proxy, then Tor's link check."""

import asyncio
import hashlib
import json
import os
import ssl
import struct
import sys
import tempfile
from time import perf_counter

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VERSIONS = bytes.fromhex("0000070006000300040005")
LIMIT = 8.0


async def certs(reader: asyncio.StreamReader) -> dict[int, bytes]:
    _, _, length = struct.unpack(">HBH", await reader.readexactly(5))
    await reader.readexactly(length)
    _, command, length = struct.unpack(">IBH", await reader.readexactly(7))
    body = await reader.readexactly(length)
    if command != 129:
        raise ValueError("no CERTS cell")
    found, at = {}, 1
    for _ in range(body[0]):
        kind, size = struct.unpack_from(">BH", body, at)
        found[kind] = body[at + 3 : at + 3 + size]
        at += 3 + size
    return found


def fingerprint(der: bytes) -> str:
    key = x509.load_der_x509_certificate(der).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return hashlib.sha1(key, usedforsecurity=False).hexdigest().upper()


async def handshake(line: str, at: tuple[str, int], context: ssl.SSLContext | None) -> bool:
    _, address, expected, *args = line.split()
    host, port = address.rsplit(":", 1)
    user = ";".join(args).encode()
    reader, writer = await asyncio.open_connection(*at)
    try:
        writer.write(b"\x05\x01\x02")
        await reader.readexactly(2)
        writer.write(b"\x01" + bytes([len(user)]) + user + b"\x01\x00")
        await reader.readexactly(2)
        writer.write(b"\x05\x01\x00\x01" + bytes(map(int, host.split("."))) + int(port).to_bytes(2, "big"))
        if (await reader.readexactly(10))[1]:
            return False
        if context is None:
            return True
        await writer.start_tls(context)
        writer.write(VERSIONS)
        return fingerprint((await certs(reader))[2]) == expected
    finally:
        writer.close()


async def limited(line: str, at: tuple[str, int], context: ssl.SSLContext | None) -> bool:
    try:
        async with asyncio.timeout(LIMIT):
            return await handshake(line, at, context)
    except (OSError, EOFError, ValueError, KeyError):
        return False


async def main(lines: list[str], link: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if link else None
    if context:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    pipe = asyncio.subprocess.PIPE
    with tempfile.TemporaryDirectory(prefix="sanylau-bare-") as folder:
        env = {"TOR_PT_MANAGED_TRANSPORT_VER": "1", "TOR_PT_CLIENT_TRANSPORTS": "obfs4"}
        env |= {"TOR_PT_STATE_LOCATION": folder, "TOR_PT_EXIT_ON_STDIN_CLOSE": "1"}
        plugin = await asyncio.create_subprocess_exec(
            "obfs4proxy", stdin=pipe, stdout=pipe, env={**os.environ, **env}
        )
        assert plugin.stdin
        assert plugin.stdout
        while (said := (await plugin.stdout.readline()).split())[:1] != [b"CMETHOD"]:
            assert said
        host, port = said[3].decode().rsplit(":", 1)
        began = perf_counter()
        good = await asyncio.gather(*(limited(line, (host, int(port)), context) for line in lines))
        seconds = perf_counter() - began
        plugin.stdin.close()
        await plugin.wait()
    print(json.dumps({"good": sum(good), "seconds": seconds}))


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        asyncio.run(main(file.read().splitlines(), "--link" in sys.argv))

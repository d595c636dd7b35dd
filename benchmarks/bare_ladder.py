"""The yardstick: a bare asyncio client that climbs the same ladder, as a good programmer would write it."""

import argparse
import asyncio
import contextlib
import json
import random
import ssl
from asyncio import StreamReader as Reader
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

REQUEST = "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bare\r\n{}\r\n"


async def answer(reader: Reader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(fields[b"content-length"]))


async def tunnel(
    reader: Reader, writer: asyncio.StreamWriter, proxy: SplitResult, host: str, port: int
) -> None:
    if proxy.scheme == "socks5":
        writer.write(b"\x05\x01\x00")
        granted = await reader.readexactly(2) == b"\x05\x00"
        writer.write(b"\x05\x01\x00\x01" + bytes(map(int, host.split("."))) + port.to_bytes(2, "big"))
        granted &= (await reader.readexactly(10))[1] == 0
    else:
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        granted = b" 200 " in await reader.readuntil(b"\r\n\r\n")
    if not granted:
        raise OSError("refused")


async def fetch(proxy: SplitResult, url: SplitResult, args: argparse.Namespace, *, bulk: bool = False) -> int:
    async with asyncio.timeout(args.connect_timeout):
        reader, writer = await asyncio.open_connection(proxy.hostname, proxy.port)
    try:
        await tunnel(reader, writer, proxy, url.hostname or "", url.port or 0)
        if url.scheme == "https":
            await writer.start_tls(args.context, server_hostname=url.hostname)
        writer.write(
            REQUEST.format("GET", url.path, url.netloc, "Range: bytes=0-65535\r\n" if bulk else "").encode()
        )
        status, body = await answer(reader)
        if bulk:
            writer.write(REQUEST.format("POST", url.path, url.netloc, "Content-Length: 32768\r\n").encode())
            for _ in range(32):
                writer.write(bytes(1024))
                await writer.drain()
            status = max(status, (await answer(reader))[0])
        if status not in (200, 206):
            raise OSError("status")
        return len(body)
    finally:
        writer.close()


async def climb(proxy: SplitResult, args: argparse.Namespace) -> bool:
    whole = await fetch(proxy, args.target, args) > 0 and await fetch(proxy, args.plain_target, args) > 0
    whole &= await fetch(proxy, args.bulk_target, args, bulk=True) == 65536
    with contextlib.suppress(OSError, EOFError):
        await fetch(proxy, urlsplit(f"http://233.252.0.{random.randrange(1, 255)}:443/"), args)
        whole = False  # content from an address that cannot exist
    return whole


async def work(entries: Iterator[tuple[int, SplitResult]], args: argparse.Namespace) -> None:
    for number, proxy in entries:
        try:
            async with asyncio.timeout(args.timeout):
                status = "working" if await climb(proxy, args) else "hostile"
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            status = "failed"
        print(json.dumps({"type": "result", "line": number, "status": status}), flush=True)


async def main(args: argparse.Namespace) -> None:
    args.context = ssl.create_default_context(cafile=args.target_ca)
    entries = list(enumerate(map(urlsplit, args.list.read().split()), 1))
    queue = iter(random.sample(entries, len(entries)))
    async with asyncio.TaskGroup() as group:
        for number in range(int(args.concurrency)):
            group.create_task(work(queue, args))
            if number % 32 == 31:
                await asyncio.sleep(0)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("list", type=argparse.FileType())
    for name in ("target", "bulk-target", "plain-target"):
        options.add_argument(f"--{name}", type=urlsplit, required=True)
    options.add_argument("--target-ca", required=True)
    for name in ("concurrency", "connect-timeout", "timeout"):
        options.add_argument(f"--{name}", type=float, required=True)
    asyncio.run(main(options.parse_args()))

"""A fixture: a small program that speaks the pluggable-transport dialogue for webtunnel and conjure.

Neither program is packaged for the systems that the tests run on. What it carries is not what the real ones
carry: for webtunnel the plain HTTP/1.1 upgrade, for conjure nothing at all; both go to the host of `url=`. It lies
on demand, and then does what no program should. Only the standard library, because it runs with a bare environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

OFFERS = ("webtunnel", "conjure")
LIES = {
    "elsewhere": "VERSION 1\nCMETHOD webtunnel socks5 192.0.2.1:1080\nCMETHODS DONE\n",
    "a name": "VERSION 1\nCMETHOD webtunnel socks5 localhost:1080\nCMETHODS DONE\n",
    "version": "VERSION 9\nCMETHODS DONE\n",
    "no version": "VERSION-ERROR no-version\n",
    "surroundings": "VERSION 1\nENV-ERROR no room\n",
    "socks4": "VERSION 1\nCMETHOD webtunnel socks4 127.0.0.1:1080\nCMETHODS DONE\n",
    "mute": "VERSION 1\nCMETHOD webtunnel socks5 127.0.0.1:1080\n",
    "noise": "\x00\x1b[2J\xff\nLOG\nSTATUS =\n\n" * 100,
}


def installed(folder: Path, name: str, lie: str = "") -> Path:
    """Write a program `name` into `folder` that behaves like this one."""
    path = folder / name
    code = f"import runpy, sys\nsys.argv[1:] = [{lie!r}]\nrunpy.run_path({__file__!r}, run_name='__main__')\n"
    path.write_text(f"#!{sys.executable} -IS\n{code}", "utf-8")
    path.chmod(0o700)
    return path


def arguments(text: bytes) -> dict[str, str]:
    """Undo the encoding of the settings, the way goptlib does: a backslash takes the next byte as it is."""
    found: dict[str, str] = {}
    parts = [bytearray()]
    at = 0
    while at < len(text):
        escaped = text[at] == 0x5C
        at += escaped
        if text[at] == 0x3B and not escaped:
            parts.append(bytearray())
        else:
            parts[-1].append(text[at])
        at += 1
    for part in parts:
        name, equals, value = bytes(part).partition(b"=")
        if not equals:
            raise ValueError("a setting without a name")
        found[name.decode()] = value.decode()
    return found


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lie: str) -> None:
    try:
        if lie == "dies":
            os._exit(0)
        if lie == "no socks":
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        settings = await greeted(reader, writer, lie)
        try:
            await carry(reader, writer, settings)
        except (OSError, KeyError, ValueError, EOFError):
            writer.write(b"\x05\x01\x00\x01" + bytes(6))
    except (OSError, EOFError):
        pass
    finally:
        writer.close()


async def greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lie: str) -> dict[str, str]:
    _, count = await reader.readexactly(2)
    methods = await reader.readexactly(count)
    settings = b""
    writer.write(bytes([5, 2 if 2 in methods else 0]))
    if 2 in methods:
        user = await reader.readexactly((await reader.readexactly(2))[1])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        settings = user + (b"" if password == b"\0" else password)
        writer.write(bytes([1, 1 if lie == "picky" else 0]))
    kind = (await reader.readexactly(4))[3]
    await reader.readexactly({1: 6, 4: 18}[kind])
    return arguments(settings) if settings else {}


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, settings: dict[str, str]) -> None:
    url = urlsplit(settings["url"])
    theirs, ours = await asyncio.open_connection(url.hostname, url.port)
    try:
        if "ver" in settings:  # webtunnel
            lines = (
                f"GET {url.path} HTTP/1.1",
                f"Host: {url.netloc}",
                "Connection: upgrade",
                "Upgrade: websocket",
            )
            ours.write("\r\n".join([*lines, "", ""]).encode())
            head = await theirs.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                raise ValueError("no upgrade")
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await asyncio.gather(pump(reader, ours), pump(theirs, writer))
    finally:
        ours.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(16384):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    finally:
        sink.close()


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


async def serve(lie: str) -> None:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await welcome(reader, writer, lie)

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    say('VERSION 1\nSTATUS TYPE=version IMPLEMENTATION="fixture" VERSION="0.0.\\061"\n')
    for name in os.environ["TOR_PT_CLIENT_TRANSPORTS"].split(","):
        offered = name in OFFERS
        say(f"CMETHOD {name} socks5 127.0.0.1:{port}\n" if offered else f"CMETHOD-ERROR {name} no such\n")
    say('LOG SEVERITY=notice MESSAGE="ready; \\"steady\\""\nCMETHODS DONE\n')
    await asyncio.to_thread(sys.stdin.buffer.read)  # as TOR_PT_EXIT_ON_STDIN_CLOSE wants
    os._exit(0)


def main() -> None:
    lie = sys.argv[1]
    if os.environ.get("TOR_PT_EXIT_ON_STDIN_CLOSE") != "1" or "TOR_PT_STATE_LOCATION" not in os.environ:
        say("ENV-ERROR incomplete\n")
    elif lie == "early":
        say("VERSION 1\n")
        sys.exit(3)
    elif lie == "endless line":
        while True:
            say("LOG MESSAGE=" + "x" * 65536)
    elif lie == "endless lines":
        while True:
            say("LOG SEVERITY=debug MESSAGE=x\n" * 1000)
    elif lie in LIES:
        say(LIES[lie])
        time.sleep(60)
    else:
        asyncio.run(serve(lie))


if __name__ == "__main__":
    main()

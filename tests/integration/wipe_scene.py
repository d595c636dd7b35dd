"""A machine of its own (processes, memory, mounts) where sessions run and are wiped. Run by `test_wipe`, as process 1.

Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from client.vault.content import with_list
from client.vault.store import Vault
from tests.servers.real import free_port

SHARED = Path("/dev/shm")
CLIENT = [sys.executable, "-m", "client"]


def names() -> dict[int, str]:
    """Return what runs here besides this process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state not in "ZX" and words[0]:
                found[int(entry.name)] = " ".join(words).strip()
    return found


def until(there: Callable[[], bool], limit: float = 20.0) -> None:
    end = time.monotonic() + limit
    while not there():
        assert time.monotonic() < end, names()
        time.sleep(0.02)


def is_running(*programs: str) -> bool:
    return all(any(program in line.split()[0] for line in names().values()) for program in programs)


def folders() -> list[str]:
    return sorted(path.name for path in SHARED.iterdir())


def session(place: Path, port: int, *more: str) -> subprocess.Popen[bytes]:
    """Start a check that takes long: nobody answers."""
    path = place / "list"
    path.write_text(
        f"obfs4 127.0.0.1:{port} {'A' * 40} cert={'A' * 70} iat-mode=0\n"
        f"trojan://password@127.0.0.1:{port}?sni=a.test#node\n127.0.0.1:{port} {'B' * 40}\n"
    )
    command = [*CLIENT, "check", str(path), "--yes", "--profile", "fast", "--timeout", "60", *more]
    null = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)


async def silent(port: int) -> None:
    server = await asyncio.start_server(lambda reader, writer: asyncio.sleep(60), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def orphan(place: Path, port: int) -> None:
    """Leave what a client and its guard leave when both are killed at once."""
    before = set(names())
    there = len(folders())
    client = session(place, port)

    def mine() -> dict[int, str]:
        return {pid: line for pid, line in names().items() if pid not in before}

    until(
        lambda: (
            len(folders()) > there and any("sing-box" in line and " run " in line for line in mine().values())
        )
    )
    guard = next(pid for pid, line in mine().items() if "guard_main" in line)
    os.kill(guard, signal.SIGKILL)
    os.kill(client.pid, signal.SIGKILL)
    client.wait()


def play(place: Path) -> dict[str, Any]:
    port = free_port()
    listener = subprocess.Popen([sys.executable, "-m", "tests.integration.wipe_scene", "silent", str(port)])
    decoys = [
        subprocess.Popen(["sleep", "60"], executable=shutil.which("sleep")),
        subprocess.Popen(["tail", "-f", "/dev/null", "sanylau"], stderr=subprocess.DEVNULL),
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "client", "sanylau"]),
    ]
    usual = {os.getppid(), listener.pid, *(decoy.pid for decoy in decoys)}
    vault = Path(os.environ["SANYLAU_VAULT"])
    opened = Vault.create(vault, bytearray(b"a passphrase of a test"))
    opened.change(lambda content: with_list(content, "main", ["socks5://ann:secret@192.0.2.1:1080"]))
    (vault / "of-the-person.txt").write_text("not ours")
    key = (vault / "key.age").read_bytes()
    held = os.open(vault / "key.age", os.O_RDONLY)  # as somebody who has the disk has it
    one = session(place, port)
    until(lambda: is_running("sing-box", "obfs4proxy", "/tor") and len(folders()) == 2)
    orphan(place, port)
    (SHARED / "of-another-program").mkdir()
    seen = {"folders": folders(), "programs": names()}
    began = time.monotonic()
    done = subprocess.run([*CLIENT, "wipe", "--yes"], check=False, capture_output=True, text=True, timeout=20)
    took = time.monotonic() - began
    left = names()
    for decoy in (*decoys, listener):
        decoy.kill()
        decoy.wait()
    os.lseek(held, 0, os.SEEK_SET)
    return {
        "seen": seen,
        "status": done.returncode,
        "said": done.stdout,
        "complained": done.stderr,
        "took": took,
        "client": one.wait(),
        "left": sorted(line for pid, line in left.items() if pid not in usual),
        "decoys": [decoy.pid in left for decoy in decoys],
        "folders": folders(),
        "vault": sorted(path.name for path in vault.iterdir()),
        "key is readable": any(part in os.read(held, 4096) for part in (key[:64], key[-64:])),
    }


if __name__ == "__main__":
    if sys.argv[1] == "silent":
        asyncio.run(silent(int(sys.argv[2])))
    else:
        print(json.dumps(play(Path(sys.argv[1]))), flush=True)

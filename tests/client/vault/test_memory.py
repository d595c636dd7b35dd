"""What is left of a passphrase in the memory of a process that has opened a vault with it: looked for from outside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.cli.commands import ROOT, surroundings

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc shows the memory")

PASSPHRASE = "seldom-heard words that no program has"
OPENS = """
import sys
from pathlib import Path
from client.vault import opened
opened.want(descriptor=0)
vault = opened.opened()
{more}
print(len(vault.content.lists), flush=True)
sys.stdin.readline()
"""
MAKES = """
import os, sys
from pathlib import Path
from client.vault.store import Vault
from client.vault.content import with_list
Vault.create(Path(os.environ["SANYLAU_VAULT"]), bytearray(sys.argv[1].encode())).change(
    lambda content: with_list(content, "main", ["socks5://192.0.2.1:1080"])
)
"""


def memory(pid: int) -> Iterator[bytes]:
    """Give all of a process's memory that it can write to; parts overlap where they meet."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for line in maps:
            place, rights = line.split()[:2]
            start, end = (int(part, 16) for part in place.split("-"))
            if "w" in rights and "r" in rights:
                try:
                    file.seek(start)
                    yield file.read(end - start)
                except (OSError, OverflowError):
                    continue


@pytest.fixture
def vault(tmp_path: Path) -> dict[str, str]:
    env = surroundings({"SANYLAU_VAULT": str(tmp_path / "vault")})
    subprocess.run([sys.executable, "-c", MAKES, PASSPHRASE], env=env, cwd=ROOT, check=True, timeout=30)
    return env


def left(env: dict[str, str], more: str = "") -> int:
    """Open the vault in a process of its own; return how often the passphrase, or most of it, is in its memory then."""
    command = [sys.executable, "-c", OPENS.format(more=more)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(PASSPHRASE.encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"1\n"
        try:
            found = sum(part.count(PASSPHRASE.encode()[8:]) for part in memory(process.pid))
        except PermissionError:
            pytest.skip("needs the right to see a child's memory")
        finally:
            process.stdin.close()
        assert process.wait(10) == 0
    return found


def test_a_passphrase_is_gone_from_the_memory_once_the_vault_is_open(vault: dict[str, str]) -> None:
    assert left(vault) == 0


def test_a_copy_that_stays_would_be_found(vault: dict[str, str]) -> None:
    word = PASSPHRASE.encode()[::-1]
    assert left(vault, f"kept = bytes(reversed({word!r}))") >= 1

"""Two people who pass something on: what each screen shows, and what the other one types."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tests.client.cli.commands import LIMIT, Ended, Terminal, sanylau, started

BRIDGE = (
    "obfs4 1.2.3.4:443 cert=sRL1Qm0z3cZqhCg1ZrhhbhWZbWrRGRkE0bBgXLoBLWhVZ7R+AzCh3xPGm4RZ2k4yNuXhZA iat-mode=0"
)
PRIVATE = BRIDGE.replace("1.2.3.4", "192.168.1.9")
_ROW = re.compile(r"^ *([0-9]+)\. (.+?)\r?$", re.MULTILINE)


def bridges(folder: Path, *lines: str) -> str:
    """Write a list and return its name."""
    path = folder / "list.txt"
    path.write_text("\n".join(lines or (BRIDGE,)) + "\n", "utf-8")
    return str(path)


def rows(text: str) -> list[str]:
    """Return the numbered groups in a text."""
    return [words for _number, words in _ROW.findall(text)]


async def handed_on(
    way: str, share: list[str], take: list[str], folder: Path, *, fds: tuple[int, ...] = ()
) -> tuple[Ended, Ended]:
    """Have `take` show its words, seal for them with `share`, and give the outcome to `take`: no terminal anywhere."""
    async with started("take", f"--{way}", "--all", *take, pass_fds=fds) as taking:
        assert taking.stdout is not None
        key = b""
        while not key.endswith(b"\n\n"):
            line = await taking.stdout.readline()
            assert line, (await taking.communicate())[1].decode()
            key += line
        words = folder / "words.txt"
        words.write_bytes(key)
        shared = await sanylau("share", f"--{way}", "--all", "--to-file", str(words), *share, pass_fds=fds)
        out, err = await taking.communicate(shared.out.encode())
        assert taking.returncode is not None
    return shared, Ended(taking.returncode, (out or b"").decode(), (err or b"").decode())


class Talk:
    """One person at a terminal: reads on until some words, then types."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._mark = 0

    async def until(self, words: str) -> str:
        """Return what came since the last time, up to `words`."""
        wanted = words.encode()
        async with asyncio.timeout(LIMIT):
            while (found := self._terminal.shown.find(wanted, self._mark)) < 0:
                await self._terminal.came.wait()
                self._terminal.came.clear()
        end = found + len(wanted)
        text = self._terminal.shown[self._mark : end].decode("utf-8", "replace")
        self._mark = end
        return text

    async def answer(self, question: str, line: str) -> str:
        """Wait for a question and type a line."""
        text = await self.until(question)
        self._terminal.type(line + "\n")
        return text

    async def whisper(self, question: str, secret: str) -> None:
        """Answer a question that throws away what is typed before it has turned the echo off."""
        await self.until(question)
        await asyncio.sleep(0.3)
        self._terminal.type(secret + "\n")

"""A bridge goes from one clean home to another by each of the five ways, and carries traffic there.

The homes are empty folders, the bridge is a real one of the private Tor network, and what is said, sent, photographed
or carried is exactly what the one program put out and the other took in.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from client.drill.stage import stage
from client.drill.tornet import TorNet
from tests.servers.tornet import tornet
from tools import bundle

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(150)

ROOT = Path(__file__).parents[2]
OURS = (sys.executable, "-m", "client")
PHRASE = b"four words agreed on before\n"
LIMIT = 60.0  # seconds for one command
INTERPRETER = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
PLAIN_PATH = (
    f"{INTERPRETER.parent}:/usr/bin:/bin:/usr/sbin:/sbin"  # programs that a person has, not a developer
)
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True, slots=True)
class Home:
    """A person's home: a folder with nothing in it, and the program."""

    folder: Path
    program: tuple[str, ...] = OURS
    path: str = os.environ["PATH"]

    def file(self, name: str) -> str:
        return str(self.folder / name)

    async def run(self, *arguments: str, stdin: bytes = b"", fds: tuple[int, ...] = ()) -> bytes:
        """Run a command to its good end and return what it put out."""
        async with self.started(*arguments, fds=fds) as process:
            out, err = await asyncio.wait_for(process.communicate(stdin), LIMIT)
            assert process.returncode == 0, err.decode()
        return out

    @asynccontextmanager
    async def started(
        self, *arguments: str, fds: tuple[int, ...] = ()
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self.program,
            *arguments,
            cwd=ROOT,
            env={"PATH": self.path, "HOME": str(self.folder), "LANG": "C.UTF-8"},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
            pass_fds=fds,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@dataclass(frozen=True, slots=True)
class Passing:
    """Who passes on, who receives, and how the receiver tests it in the laboratory."""

    sender: Home
    receiver: Home
    bridge: str
    lab: tuple[str, ...]

    async def sealed(self, way: str) -> list[dict[str, Any]]:
        """Pass the bridge on sealed: words or messages, as a telephone would carry them."""
        taking = self.receiver.started(
            "take", f"--{way}", "--all", "--check", "--inward", "--json", *self.lab
        )
        async with taking as process:
            assert process.stdout is not None
            key = json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT))
            said = "".join(f"{number}. {' '.join(group)}\n" for number, group in enumerate(key["groups"], 1))
            Path(self.sender.file("heard.txt")).write_text(said)  # noqa: ASYNC240 - a test may block
            told = await self.sender.run(
                "share", self.bridge, f"--{way}", "--all", "--to-file", self.sender.file("heard.txt")
            )
            assert b"127.0.0.1" not in told
            out, err = await asyncio.wait_for(process.communicate(told), LIMIT)
            assert process.returncode == 0, err.decode()
        return [json.loads(line) for line in out.splitlines()]

    async def taken(self, *arguments: str, fds: tuple[int, ...] = ()) -> list[dict[str, Any]]:
        out = await self.receiver.run("take", *arguments, "--check", "--inward", "--json", *self.lab, fds=fds)
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
async def passing(tornet: TorNet, tmp_path: Path) -> AsyncIterator[Passing]:
    async with stage([]) as played:
        origin = played.origin
        files = {
            "ca.pem": origin.ca_pem,
            "private.torrc": tornet.torrc,
            "list.txt": tornet.bridges["obfs4-1"].line + "\n",
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        for name in ("sender", "receiver"):
            (tmp_path / name).mkdir()
        lab = ["--yes", "--profile", "fast", "--timeout", "40", "--torrc", str(tmp_path / "private.torrc")]
        lab += ["--target", f"https://127.0.0.1:{origin.https_port}/small"]
        lab += ["--bulk-target", f"https://127.0.0.1:{origin.https_port}/bulk"]
        lab += ["--target-ca", str(tmp_path / "ca.pem")]
        sender, receiver = Home(tmp_path / "sender"), Home(tmp_path / "receiver")
        yield Passing(sender, receiver, str(tmp_path / "list.txt"), tuple(lab))


def is_working(told: list[dict[str, Any]]) -> bool:
    (result,) = [one for one in told if one["type"] == "result"]
    assert result["status"] == "working", result["reason"]
    return bool(result["transport"] == "obfs4")


@contextmanager
def whispered() -> Iterator[int]:
    """Give a descriptor from which the passphrase is read."""
    reading, writing = os.pipe()
    try:
        os.write(writing, PHRASE)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


@pytest.mark.parametrize("way", ["words", "sms"])
async def test_a_bridge_that_is_told_or_sent_carries_traffic_at_the_other_end(
    way: str, passing: Passing
) -> None:
    assert is_working(await passing.sealed(way))
    assert os.listdir(passing.receiver.folder) == []


async def test_a_bridge_in_the_picture_of_a_code_carries_traffic_at_the_other_end(passing: Passing) -> None:
    picture = passing.sender.file("code.png")
    await passing.sender.run("share", passing.bridge, "--image", picture)
    assert is_working(await passing.taken("--image", picture))
    assert os.listdir(passing.receiver.folder) == []


async def test_a_bridge_on_a_stick_carries_traffic_at_the_other_end(passing: Passing) -> None:
    path = passing.sender.file("way.age")
    with whispered() as descriptor:
        await passing.sender.run(
            "share", passing.bridge, "--file", path, "--secret-fd", str(descriptor), fds=(descriptor,)
        )
    assert b"obfs4" not in Path(path).read_bytes()  # noqa: ASYNC240 - a test may block
    with whispered() as descriptor:
        told = await passing.taken(path, "--secret-fd", str(descriptor), fds=(descriptor,))
    assert is_working(told)
    assert os.listdir(passing.receiver.folder) == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("bundles")
    assert bundle.main(["here", "--python", VERSION, "--out", str(out)]) == 0
    yield out
    shutil.rmtree(out)  # pytest keeps what tests leave, and this is large


@pytest.mark.skipif(sys.platform != "linux", reason="the bundle that is made here is tried on Linux")
@pytest.mark.timeout(300)
async def test_the_program_itself_is_handed_on_and_finds_the_bridge_working_from_the_stick(
    made: Path, passing: Passing, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    told = await passing.sender.run("share", "--program", str(stick), "--bundle", str(made))
    assert told.decode().startswith(bundle.here())
    own = Home(passing.receiver.folder, ("sh", str(stick / bundle.here() / "start.sh")), PLAIN_PATH)
    out = await own.run("check", passing.bridge, "--json", *passing.lab)
    assert is_working([json.loads(line) for line in out.splitlines()])
    assert os.listdir(passing.receiver.folder) == []
    onward = tmp_path / "onward"
    onward.mkdir()
    assert await own.run("share", "--program", str(onward)) == told  # from hand to hand, as it is
    for folder in (stick, onward):
        shutil.rmtree(folder)

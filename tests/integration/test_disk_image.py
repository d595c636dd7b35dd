"""What a session leaves on a disk, looked for as somebody does who has taken it: byte by byte, in the raw image.

The home folder, the folder for temporary files and the folder that commands are started in are on a file system of
their own (ext4). It is mounted so that every write goes to the image at once: what was erased a moment later is found too.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from client.drill.stage import Stage, stage
from client.drill.tornet import TorNet
from tests.client.cli.commands import ROOT, line_for, surroundings, toward
from tests.client.diagnosis.country import country
from tests.integration.test_screen_in_tmux import FOUND, PROMPT, tmux
from tests.servers.real import free_port
from tests.servers.tornet import tornet

__all__ = ["tornet"]
pytestmark = pytest.mark.timeout(120)

SIZE = 24 << 20
NODE = "trojan://password-of-a-node@127.0.0.1:{port}?sni=secret-name.test#name-of-a-node"
_HOLD = """
mount -o loop,sync,dirsync "$0" "$1" && mount --bind "$1" /var/tmp && mkdir -m 700 "$1/home" "$1/tmp" "$1/work" || exit 1
echo mounted; read -r _; umount /var/tmp; umount "$1"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system in a file, mounted for the processes of one namespace. `secrets` are what must not be on it."""

    image: Path
    place: Path
    holder: subprocess.Popen[str]
    secrets: dict[str, bytes] = field(default_factory=dict)

    @property
    def before(self) -> list[str]:
        """What is put before a command so that all that it may write of its own accord goes to this disk."""
        work = self.place / "work"
        return ["nsenter", f"--target={self.holder.pid}", "--mount", "--", "env", "-C", str(work)]

    @property
    def root(self) -> Path:
        """The file system as the processes of its namespace see it."""
        return Path(f"/proc/{self.holder.pid}/root") / self.place.relative_to("/")

    @property
    def environment(self) -> dict[str, str]:
        """Where the person's folders are."""
        home, temporary = str(self.place / "home"), str(self.place / "tmp")
        stem = "error,ignore:setDaemon:DeprecationWarning"  # stem's own, as in pyproject.toml
        return {"HOME": home, "TMPDIR": temporary, "PYTHONDONTWRITEBYTECODE": "", "PYTHONWARNINGS": stem}

    def hide(self, **secrets: str) -> None:
        """Note what must not be found: as text in several ways of writing, and packed."""
        for name, text in secrets.items():
            self.secrets[name] = text.encode()
            self.secrets[f"{name}, in base64"] = base64.b64encode(text.encode()).rstrip(b"=")[:-1]
            self.secrets[f"{name}, in 16 bits"] = text.encode("utf-16-le")

    def hide_bridge(self, line: str) -> None:
        """Note the parts of a bridge line."""
        at, fingerprint = re.findall(r"(\S+:\d+) ([0-9A-F]{40})", line)[0]
        self.hide(bridge=at, fingerprint=fingerprint, small=fingerprint.lower())
        self.secrets["fingerprint, packed"] = bytes.fromhex(fingerprint)
        if cert := re.search(r"cert=(\S+)", line):
            self.hide(cert=cert[1])
            self.secrets["cert, packed"] = base64.b64decode(cert[1] + "==")

    def found(self) -> list[str]:
        """Unmount, and return what is in the raw image."""
        self.holder.communicate("", timeout=20)
        assert self.holder.returncode == 0
        data = self.image.read_bytes()
        assert len(data) == SIZE
        present = [name for name, secret in self.secrets.items() if secret in data]
        return present + (["our name"] if b"sanylau" in data.lower() else [])


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    image, place = folder / "image", folder / "place"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, timeout=20)
    apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _HOLD, str(image), str(place)]
    pipe = subprocess.PIPE
    with subprocess.Popen(apart, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mounted\n"
        try:
            yield Disk(image=image, place=place, holder=holder)
        finally:
            if holder.returncode is None:
                holder.communicate("", timeout=20)
    image.unlink()


def _may_mount() -> bool:
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    try:
        with subprocess.Popen(
            ["losetup", "--find"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as one:
            return one.wait(10) == 0
    except OSError:
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if not _may_mount():
        pytest.skip("needs the right to mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted(folder) as found:
        yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The lists of a person, and the pages that they are tested with. They are not on the disk that is searched."""

    mixed: Path
    proxies: Path
    targets: list[str]
    torrc: Path


@asynccontextmanager
async def given(folder: Path, disk: Disk, net: TorNet) -> AsyncIterator[Given]:
    """Write lists of entries whose parts the disk must not hold."""
    async with stage({"right-password-socks5", "refused-http"}) as playing:
        proxies = [line_for(placed) for placed in playing.parts]
        node = NODE.format(port=free_port())
        bridges = [net.bridges["obfs4-1"].line, net.bridges["vanilla-1"].line]
        (folder / "proxies").write_text("\n".join([*proxies, node]))
        (folder / "mixed").write_text("\n".join([*proxies, node, *bridges]))
        (folder / "torrc").write_text(net.torrc)
        _hide(disk, playing, bridges)
        yield Given(
            mixed=folder / "mixed",
            proxies=folder / "proxies",
            targets=toward(playing, folder, total=30.0),
            torrc=folder / "torrc",
        )


def _hide(disk: Disk, playing: Stage, bridges: list[str]) -> None:
    disk.hide(node="password-of-a-node", name="name-of-a-node", sni="secret-name.test", host="127.0.0.1:")
    for placed in playing.parts:
        disk.hide(
            **{f"{placed.part.name}, {name}": v for name, v in _secrets(placed.username, placed.password)}
        )
    for line in bridges:
        disk.hide_bridge(line)


def _secrets(username: str, password: str) -> list[tuple[str, str]]:
    return [(name, text) for name, text in (("user", username), ("password", password)) if text]


async def run(
    disk: Disk, *command: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> tuple[int, str]:
    """Run a command whose own places are on the disk; return its status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *disk.before,
        *command,
        env=surroundings({**disk.environment, **(env or {})}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    return process.returncode or 0, out.decode()


async def sanylau(disk: Disk, *arguments: str, stdin: str = "") -> str:
    status, out = await run(disk, sys.executable, "-m", "client", *arguments, stdin=stdin)
    assert status == 0, out
    return out


async def test_after_a_day_without_a_vault_the_disk_holds_no_entry_no_name_and_no_key(
    disk: Disk, tornet: TorNet, tmp_path: Path
) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    async with given(tmp_path, disk, tornet) as lists, country(lab) as place:
        checked = await sanylau(
            disk, "check", str(lists.mixed), *lists.targets, "--torrc", str(lists.torrc), "--yes", "--json"
        )
        assert checked.count('"status": "working"') == 3, checked
        await sanylau(disk, "diagnose", "--anchors", str(place.anchors), "--yes", "--profile", "fast")
        await sanylau(disk, "guide", str(lists.proxies), *lists.targets, "--yes")
        await sanylau(disk, "export", "links", str(lists.proxies), "--untested", "--reveal")
        connected = ("connect", str(lists.proxies), *lists.targets, "--yes", "--json", "--exec", "true")
        await sanylau(disk, *connected)
        await sanylau(disk, "doctor")
        await asyncio.to_thread(_practise, disk, tmp_path)
    assert disk.found() == []


async def test_with_a_vault_the_disk_holds_ciphertext_only(
    disk: Disk, tornet: TorNet, tmp_path: Path
) -> None:
    words = "six words that nobody would guess"
    given_by = ("--passphrase-fd", "0")
    async with given(tmp_path, disk, tornet) as lists:
        check = ("check", "vault:", *lists.targets, "--yes", *given_by)
        made = ("vault", "create", *given_by), ("vault", "add", str(lists.proxies), *given_by)
        for arguments in (*made, check):
            await sanylau(disk, *arguments, stdin=words)
    disk.hide(passphrase=words)
    folder = disk.root / "home/.local/share/sanylau/vault"
    assert sorted(path.name for path in folder.iterdir()) == ["key.age", "vault.age"]
    assert disk.found() == ["our name"]  # of the folder


def _practise(disk: Disk, folder: Path) -> None:
    with tmux(folder, disk.environment) as terminal:
        command = [*disk.before, sys.executable, "-m", "client"]
        terminal.start(" ".join(f"'{word}'" for word in command))
        terminal.until("Find a way out")
        terminal.press("3")
        terminal.until(FOUND)
        terminal.press("C-c")
        terminal.until("Stopped after|Done in")
        terminal.press("C-q")
        terminal.until(f"{PROMPT}, 0")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "file = tempfile.NamedTemporaryFile(); file.write(secret); file.close()",
            {"host", "user", "password"},
        ),
        ("open('name', 'wb').close(); os.rename('name', 'sanylau'); os.unlink('sanylau')", {"our name"}),
        (
            "file = open(os.path.expanduser('~/x'), 'wb'); file.write(secret); file.close(); os.unlink(file.name)",
            {"host", "user", "password"},
        ),
    ],
)
async def test_what_a_session_writes_and_erases_at_once_is_found(
    disk: Disk, tmp_path: Path, code: str, expected: set[str]
) -> None:
    disk.hide(host="127.0.0.1:1080", user="a-user-of-ours", password="correct-horse")
    secret = "socks5://a-user-of-ours:correct-horse@127.0.0.1:1080"
    (tmp_path / "list").write_text(secret)
    script = (
        f"import os, sys, tempfile\nsecret = {secret!r}.encode()\n"
        f"sys.argv[1:] = ['export', 'links', {str(tmp_path / 'list')!r}, '--untested', '--reveal']\n"
        f"from client.__main__ import _run\nassert _run() == 0\n{code}\n"
    )
    status, out = await run(disk, sys.executable, "-B", "-c", script, env={"PYTHONPATH": str(ROOT)})
    assert status == 0, out
    assert set(disk.found()) == expected

"""The folder that travels on a stick: made here, then installed and run where there is Python and no network.

"Python only" means: a network namespace with nothing but loopback, an empty environment, an empty home, and an
interpreter whose site-packages and ensurepip are hidden, so that neither pip nor venv nor a library of this machine
can help. Making the folder downloads from the package index that pip is configured with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import bundle
from tools.bundle_wheels import sums

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux can take the network away from a process"),
]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
INTERPRETER = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
LOOPBACK_UP = """
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
"""
BARE = """
set -e
for folder in $HIDDEN; do mount -t tmpfs -o ro none "$folder"; done
mount -t tmpfs none /dev/shm
"$PYTHON" -I -c "$LOOPBACK_UP"
eval "$PREPARE"
cd /
exec env -i PATH="$FOLDER_OF_PYTHON:/usr/bin:/bin" HOME="$EMPTY" TMPDIR="$EMPTY" $SETTINGS sh -c "$COMMAND"
"""


def hidden() -> list[str]:
    """Return the folders that hold what is not Python itself."""
    asked = "import site, sysconfig; print(*site.getsitepackages(), sysconfig.get_path('stdlib') + '/ensurepip', sep='\\n')"
    told = subprocess.run([str(INTERPRETER), "-I", "-c", asked], check=True, capture_output=True, text=True)
    return [folder for folder in told.stdout.split("\n") if folder and os.path.isdir(folder)]


def unshare() -> list[str]:
    """Return the command that takes the network away; without one this test proves nothing, so it fails."""
    for how in (["unshare", "-rnm"], ["unshare", "-nm"]):
        if shutil.which("unshare") is None:
            break
        if subprocess.run([*how, "true"], check=False, capture_output=True).returncode == 0:
            return how
    pytest.fail(
        "this machine lets nobody make a network namespace (unshare -rnm): the bundle cannot be tested here"
    )


@dataclass(frozen=True, slots=True)
class Stick:
    """A bundle somewhere, and an empty home that must stay empty."""

    folder: Path
    home: Path

    def run(
        self, *arguments: str, prepare: str = "", settings: str = "", command: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Start it as a person would, with `prepare` done first inside the namespace."""
        given = " ".join(arguments)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": str(INTERPRETER),
            "FOLDER_OF_PYTHON": str(INTERPRETER.parent),
            "HIDDEN": " ".join(hidden()),
            "LOOPBACK_UP": LOOPBACK_UP,
            "EMPTY": str(self.home),
            "STICK": str(self.folder),
            "PREPARE": prepare,
            "SETTINGS": settings,
            "COMMAND": command or f"sh '{self.folder}/start.sh' {given}",
        }
        order = [*unshare(), "sh", "-c", BARE]
        return subprocess.run(
            order, env=environment, check=False, capture_output=True, text=True, timeout=120
        )

    @property
    def installed(self) -> Path:
        return self.folder / "installed"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("made")
    order = [sys.executable, "-m", "tools.bundle", "here", "--python", VERSION, "--out", str(out)]
    done = subprocess.run(order, cwd=bundle.ROOT, check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    yield out / bundle.here()
    shutil.rmtree(out)  # pytest keeps what tests leave, and this is large


@pytest.fixture
def stick(made: Path, tmp_path: Path) -> Iterator[Stick]:
    folder = tmp_path / "флешка clé саңылау"
    shutil.copytree(made, folder)
    home = tmp_path / "home"
    home.mkdir()
    yield Stick(folder, home)
    shutil.rmtree(folder)


def test_it_installs_once_and_runs_without_a_network_beside_itself_and_writes_nowhere_else(
    stick: Stick,
) -> None:
    first = stick.run("--version")
    assert (first.returncode, first.stdout) == (0, "sanylau 0.1.0\n"), first.stderr
    assert str(stick.installed) in first.stderr
    assert "--erase" in first.stderr
    assert len(first.stderr.splitlines()) == 1

    # Without the wheels nothing could be installed a second time.
    shutil.rmtree(stick.folder / "wheels")
    drill = stick.run("drill", "good-http")
    assert drill.returncode == 0, drill.stdout + drill.stderr
    assert "good-http" in drill.stdout
    assert str(stick.installed) not in drill.stderr

    doctor = stick.run("doctor")
    assert "sing-box" in doctor.stdout
    assert "1.14" in doctor.stdout
    assert list(stick.home.iterdir()) == []

    erased = stick.run("--erase", settings="LANG=fr_FR.UTF-8")
    assert (erased.returncode, erased.stderr) == (0, f"Effacé : {stick.installed}\n")
    assert not stick.installed.exists()


def test_the_machine_of_these_tests_really_has_no_pip_no_venv_and_no_network(stick: Stick) -> None:
    bare = f"{INTERPRETER} -I"
    pip = stick.run(command=f"{bare} -m pip --version")
    assert "No module named pip" in pip.stderr
    venv = stick.run(command=f"{bare} -m venv '{stick.home}/venv'")
    assert venv.returncode != 0
    asked = "import socket; socket.create_connection(('192.0.2.1', 443), 2)"
    network = stick.run(command=f'{bare} -c "{asked}"')
    assert "Network is unreachable" in network.stderr


def test_what_lies_around_and_what_the_environment_says_does_not_get_into_it(stick: Stick) -> None:
    for name in ("click.py", "hashlib.py", "pip.py"):
        (stick.home / name).write_text("raise SystemExit('a stranger')\n", "utf-8")
    started = f"cd '{stick.home}' && sh '{stick.folder}/start.sh' --version"
    settings = f"PYTHONPATH={stick.home} PIP_INDEX_URL=file:///nowhere PIP_USER=1 PIP_REQUIRE_VIRTUALENV=1"
    done = stick.run(command=started, settings=settings)
    assert (done.returncode, done.stdout) == (0, "sanylau 0.1.0\n"), done.stderr


def test_an_altered_wheel_is_refused_by_its_name_before_anything_is_installed(stick: Stick) -> None:
    (wheel,) = (stick.folder / "wheels").glob("textual-*.whl")
    data = bytearray(wheel.read_bytes())
    data[len(data) // 2] ^= 1
    wheel.write_bytes(data)
    done = stick.run("--version")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"wheels/{wheel.name} was changed or is damaged" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not stick.installed.exists()


def test_an_altered_wheel_whose_checksum_was_altered_too_does_not_pass_the_list(stick: Stick) -> None:
    (wheel,) = (stick.folder / "wheels").glob("textual-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    (stick.folder / "SHA256SUMS").write_text(sums(stick.folder), "utf-8")
    done = stick.run("--version")
    assert (done.returncode, done.stdout) == (3, "")
    assert "Installing did not work" in done.stderr
    assert list(stick.installed.iterdir()) == []


@pytest.mark.parametrize("options", ["noexec", "ro"])
def test_a_stick_that_takes_no_programs_lends_itself_to_memory(stick: Stick, options: str) -> None:
    prepare = f'mount --bind "$STICK" "$STICK"; mount -o remount,bind,{options} "$STICK"'
    again = f"sh '{stick.folder}/start.sh' --version"
    done = stick.run(prepare=prepare, command=f"{again} && echo second >&2 && {again} && ls -la /dev/shm")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sanylau 0.1.0\nsanylau 0.1.0\n")
    assert "drwx------" in done.stdout
    before, after = done.stderr.split("second\n")
    assert "/dev/shm/sanylau-bundle-" in before
    assert "in memory" in before
    assert after == ""
    assert not stick.installed.exists()


def test_the_disk_of_the_machine_is_used_only_when_the_person_says_so(stick: Stick) -> None:
    no_room = 'mount --bind "$STICK" "$STICK"; mount -o remount,bind,ro "$STICK"; mount -t tmpfs -o size=1m none /dev/shm'
    done = stick.run("--version", prepare=no_room)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"({stick.home}/sanylau-bundle-" in done.stderr
    assert "sh start.sh --disk" in done.stderr
    assert list(stick.home.iterdir()) == []

    done = stick.run("--disk", "--version", prepare=no_room)
    assert (done.returncode, done.stdout) == (0, "sanylau 0.1.0\n"), done.stderr
    done = stick.run("--erase", prepare=no_room)
    assert done.returncode == 0
    assert list(stick.home.iterdir()) == []


def test_a_machine_without_python_is_told_so_in_one_line(stick: Stick) -> None:
    done = stick.run(command=f"PATH={stick.home} /bin/sh '{stick.folder}/start.sh'")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("start.sh: Python 3.11 or later is needed")

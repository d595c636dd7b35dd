"""What the system proxy is made of, the same for every system: pictures of it, and plans to change it and back."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from client.model import Message
from transports.guard_main import Argv, Undo
from transports.types import N_

Ask = Callable[[Argv], str]  # what a command prints; "" when it fails

UNREADABLE: Final = N_(
    "The system proxy cannot be set from here. Type the address and port of the local connection into the proxy settings of your desktop or your browser (for HTTP, HTTPS and SOCKS alike), or run one program with --exec."
)

LOGIN: Final = N_(
    "A system proxy with a password is set. Putting it back would show the password to other programs on this machine, so the system proxy is left alone: set it by hand, or run one program with --exec."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy is, as the settings name it."""

    host: str
    port: int

    def __repr__(self) -> str:
        """Keep addresses out of logs and tracebacks."""
        return "Place()"

    @property
    def loopback(self) -> bool:
        """Whether this is the machine itself."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def url_host(self) -> str:
        """The host as it stands before ":port"."""
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Part:
    """One change, how to tell that it is still as we made it, and how to take it back."""

    do: tuple[Argv, ...]
    still: tuple[tuple[Argv, str], ...]  # commands, and what they print: blanks do not count
    undo: tuple[Argv, ...]

    def order(self) -> Undo:
        """Return it as the guard takes it."""
        return self.still, self.undo


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """Changes in the order in which they are safe; they are taken back in the opposite order."""

    parts: tuple[Part, ...]
    notice: tuple[
        Argv, ...
    ] = ()  # tells running programs; after the changes, and again after taking them back

    def undos(self) -> list[Undo]:
        """Return the guard's orders. The notice comes first, so that the guard, newest first, gives it last."""
        notice: list[Undo] = [((), self.notice)] if self.notice else []
        return notice + [part.order() for part in self.parts]


class Picture(Protocol):
    """The settings of one system as they were read."""

    @property
    def name(self) -> str:
        """A proper name for people."""

    @property
    def places(self) -> frozenset[Place]:
        """The proxies that programs use now."""

    @property
    def automatic(self) -> bool:
        """Whether a script, the network or the environment chooses now."""

    @property
    def warnings(self) -> tuple[Message, ...]:
        """What the person has to know that is so on this machine only."""

    def plan(self, place: Place) -> Plan:
        """Return how to make `place` the proxy of all programs."""

    def off(self) -> tuple[Argv, ...]:
        """Return the commands after which programs use no proxy. Nothing else is changed."""


def has_login(text: str) -> bool:
    """Say whether a setting holds a user name or password: `user:password@host` in one of its addresses."""
    return any("@" in part.rpartition("://")[2].partition("/")[0] for part in text.split(";"))


def number(text: str) -> int:
    """Return a port, 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def place_of(host: str, port: str) -> Place | None:
    """Return the proxy that two fields name, None when one of them is empty."""
    return Place(host, number(port)) if host and number(port) else None


def place_in(text: str) -> Place | None:
    """Return the proxy in `[scheme=][scheme://][user@]host:port`, with a blank in place of the colon for KDE."""
    rest = text.strip().rpartition("=")[2].rpartition("://")[2].rpartition("@")[2].strip().rstrip("/")
    host, _, port = rest.replace(" ", ":").rpartition(":")
    return place_of(host.strip("[]"), port)

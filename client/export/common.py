"""What the formats share: their result, why an entry is left out, and plain proxies in one spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

from client.model import Message
from client.options import Option
from transports import sharelink
from transports.types import N_, CannotMeasure, Rejected

Made = TypeVar("Made")
Pairs = list[tuple[Option, Made]]
LeftOut = tuple[tuple[Option, Message], ...]

PLAIN_KINDS: Final = ("socks5", "socks4", "socks4a", "http", "https")
_NAMES: Final = {
    "socks5": "SOCKS5",
    "socks4": "SOCKS4",
    "socks4a": "SOCKS4a",
    "http": "HTTP",
    "https": "HTTPS",
    "singbox": "ShadowTLS",
}

UNKNOWN_KIND: Final = N_("only a test tells what kind of proxy this is: export it without --untested")
OTHER_KIND: Final = N_("this format holds these kinds only: {kinds}")
NO_LOGIN: Final = N_("this format cannot hold a user name and password")
LETTERS: Final = N_("the user name or password has characters that this format cannot hold")
NO_NAMES: Final = N_("this format holds addresses only, and looking up the name here would show it")
ONE_ONLY: Final = N_("this format holds one entry, and a better one is in it")
LOWER: Final = N_(
    "of a lower class than the best one: a program that changes by itself would use it without asking"
)
NO_WORDS: Final = N_("it has settings that this format has no words for")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Exported:
    """What is to be written ("" if nothing), what is in it, and why the rest is not."""

    content: str | bytes
    held: tuple[Option, ...]
    left_out: LeftOut = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What a format may know of this machine.

    `programs` are the paths of the pluggable transports' programs, by transport. `port` is where a configuration
    that listens shall listen on 127.0.0.1. `test_url` is what it may fetch through the tunnel to see which entry
    works, `resolver` the address of the DNS over HTTPS server that it asks through the tunnel.
    """

    programs: Mapping[str, str]
    port: int
    test_url: str
    resolver: str


Writer = Callable[[Sequence[Option], Here], Exported]


def each(options: Iterable[Option], write: Callable[[Option], Made]) -> tuple[Pairs[Made], LeftOut]:
    """Return what `write` makes of each option, and those for which it raises Rejected or CannotMeasure."""
    made: Pairs[Made] = []
    left: list[tuple[Option, Message]] = []
    for option in options:
        try:
            made.append((option, write(option)))
        except (Rejected, CannotMeasure) as refusal:
            left.append((option, Message(refusal.reason, refusal.values)))
    return made, tuple(left)


def exported(content: str | bytes, made: Pairs[Made], left: LeftOut) -> Exported:
    """Return the result; nothing at all is written where nothing is in it."""
    held = tuple(option for option, _ in made)
    return Exported(content=content if held else "", held=held, left_out=left)


def one(made: Pairs[Made], left: LeftOut) -> tuple[Pairs[Made], LeftOut]:
    """Keep the first, for formats that hold one."""
    rest = tuple((option, Message(ONE_ONLY)) for option, _ in made[1:])
    return made[:1], left + rest


def one_class(made: Pairs[Made], left: LeftOut) -> tuple[Pairs[Made], LeftOut]:
    """Keep those of the best class, for programs that change from one to another without asking."""
    best = min((option.protection for option, _ in made), default=None)
    kept = [pair for pair in made if pair[0].protection == best]
    lower = tuple((option, Message(LOWER)) for option, _ in made if option.protection != best)
    return kept, left + lower


def names_of(kinds: Iterable[str]) -> str:
    """Return kinds as people name them."""
    return ", ".join(_NAMES.get(kind, kind) for kind in kinds)


def other_kind(option: Option, kinds: Sequence[str]) -> Rejected:
    """Return why an option is not for a format that holds `kinds`."""
    if option.kind == "auto":
        return Rejected(UNKNOWN_KIND)
    return Rejected(OTHER_KIND, kinds=names_of(kinds))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plain:
    """A plain proxy. `host` is ASCII: a name of letters, digits, dots and dashes, or an IP literal without brackets."""

    kind: str
    host: str
    port: int
    user: str
    password: str

    @property
    def place(self) -> str:
        """Return host:port with the brackets that IPv6 needs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def url(self, scheme: str) -> str:
        """Return the proxy as a URL, of unreserved characters and percent-encoding only (RFC 3986)."""
        who = ""
        if self.user or self.password:
            secret = f":{encoded(self.password)}" if self.password else ""
            who = f"{encoded(self.user)}{secret}@"
        return f"{scheme}://{who}{self.place}"


def plain(option: Option, kinds: Sequence[str] = PLAIN_KINDS) -> Plain:
    """Return the plain proxy that an option is.

    Raises Rejected if it is none of `kinds`, has no ASCII name, or a login that is no text without control characters.
    """
    endpoint = option.endpoint
    if endpoint.transport not in kinds:
        raise other_kind(option, kinds)
    if endpoint.untested:
        raise Rejected(NO_WORDS)
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in endpoint.username + endpoint.password):
        raise Rejected(LETTERS)
    return Plain(
        kind=endpoint.transport,
        host=sharelink.check_host(endpoint.host),
        port=endpoint.port,
        user=endpoint.username,
        password=endpoint.password,
    )


def encoded(text: str) -> str:
    """Return text percent-encoded but for letters, digits and -._~ (RFC 3986)."""
    return quote(text, safe="")

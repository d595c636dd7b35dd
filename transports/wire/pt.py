"""The managed dialogue of pluggable transports, and their settings as SOCKS5 credentials.

Sources: pt-spec 1.0 (torspec `pt-spec.txt`), sections 3.3 (dialogue) and 3.5 (arguments); the limit of 510 bytes
and what is escaped: tor, `src/app/config/config.c` and `src/feature/client/transports.c`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from transports.types import N_, CannotMeasure

LONGEST_LINE: Final = 2048  # characters; the longest that real programs say is an error text of a few hundred
MOST_LINES: Final = 200  # before the methods are complete
_MOST_PAIRS: Final = 16
_FIELD: Final = 255  # bytes in a SOCKS5 user name or password (RFC 1929)

_PAIR: Final = re.compile(r' *([A-Za-z0-9_-]{1,64})=(?:"((?:[^"\\]|\\.)*)"|([^ "]*))(?= |\Z)')
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}\Z")

VERSION: Final = N_("{program} does not speak version 1 of the transport protocol: try another version of it")
ENVIRONMENT: Final = N_(
    "{program} does not accept the surroundings that it was started in: try another version of it"
)
PROXY: Final = N_("{program} cannot go through the given proxy")
ELSEWHERE: Final = N_("{program} wants to send us to another machine: do not use this program")
ENDLESS: Final = N_("{program} does not come to the end of its answer: try another version of it")


class Broken(Exception):  # noqa: N818 - a state of the program, not a fault of ours
    """The program cannot be used. `reason` is a message with {program} in it, and with none of its own words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: Final = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Where the program listens for one transport: SOCKS5 at a loopback address."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Log:
    """What the program says for the log. `message` may hold addresses: it is never shown as it is."""

    severity: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Status:
    """What the program tells about a transport or itself; untrusted text."""

    values: Mapping[str, str]


class Dialogue:
    """The client's side of the dialogue: feed it line after line.

    `methods` are the transports that were asked for and that the program offers, `refused` those that it says it
    cannot do; `done` once it has named them all. `version` is what it calls itself, where it does.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)
        self._spoken = False
        self._lines = 0
        self.methods: dict[str, Method] = {}
        self.refused: set[str] = set()
        self.done = False
        self.version = ""

    def line(self, text: str) -> Log | Status | None:
        """Take one line; return what is for the log. Raises Broken, and nothing else.

        Unknown words, malformed and overlong lines are passed over, as the specification wants.
        """
        if not self.done:
            self._lines += 1
            if self._lines > MOST_LINES:
                raise Broken(ENDLESS)
        if len(text) > LONGEST_LINE:
            return None
        word, _, rest = text.rstrip("\r").partition(" ")
        if word == "LOG":
            return _log(rest)
        if word == "STATUS":
            return self._status(rest)
        if not self.done:
            self._negotiate(word, rest)
        return None

    def _negotiate(self, word: str, rest: str) -> None:
        if word == "VERSION-ERROR" or (word == "VERSION" and rest.strip() != "1"):
            raise Broken(VERSION)
        if word == "ENV-ERROR":
            raise Broken(ENVIRONMENT)
        if word == "PROXY-ERROR":
            raise Broken(PROXY)
        if word == "VERSION":
            self._spoken = True
        elif word in ("CMETHOD", "CMETHODS", "CMETHOD-ERROR"):
            if not self._spoken:
                raise Broken(VERSION)
            self._method(word, rest.split())

    def _method(self, word: str, words: list[str]) -> None:
        if word == "CMETHODS":
            self.done = words == ["DONE"]
        elif not words or words[0] not in self._wanted or words[0] in self.methods:
            return  # not asked for, or said before: the first word counts
        elif word == "CMETHOD-ERROR":
            self.refused.add(words[0])
        elif len(words) >= 3 and words[1] == "socks5":
            self.methods[words[0]] = _place(words[2])
        else:  # without SOCKS5 it cannot be given a bridge's settings
            self.refused.add(words[0])

    def _status(self, rest: str) -> Status | None:
        values = _pairs(rest)
        if values is None:
            return None
        if values.get("TYPE") == "version" and not self.version:
            self.version = values.get("VERSION", "")[:60]
        return Status(values=values)


def _place(text: str) -> Method:
    """Read `address:port`. A program that names another machine than this one is not to be trusted at all."""
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise Broken(ELSEWHERE) from None
    if "%" in host or not address.is_loopback or not _PORT.match(port) or int(port) > 65_535:
        raise Broken(ELSEWHERE)
    return Method(host=str(address), port=int(port))


def _log(rest: str) -> Log | None:
    values = _pairs(rest)
    if values is None or "MESSAGE" not in values:
        return None
    return Log(severity=values.get("SEVERITY", "")[:16], message=values["MESSAGE"])


def _pairs(text: str) -> dict[str, str] | None:
    """Read `name=value name="value"`; None where it is something else."""
    found: dict[str, str] = {}
    at = 0
    text = text.rstrip(" ")
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or len(found) >= _MOST_PAIRS:
            return None
        name, quoted, bare = pair.groups()
        found[name] = bare if quoted is None else _unquoted(quoted)
        at = pair.end()
    return found


def _unquoted(text: str) -> str:
    """Undo C's escapes. They stand for bytes, which together are UTF-8."""

    def byte(escape: re.Match[bytes]) -> bytes:
        octal, hexadecimal, letter = escape.groups()
        if octal:
            return bytes([int(octal, 8) & 0xFF])
        if hexadecimal:
            return bytes([int(hexadecimal, 16)])
        return _LETTERS.get(letter, letter)

    return _ESCAPE.sub(byte, text.encode("utf-8", "replace")).decode("utf-8", "replace")


def joined(args: Mapping[str, str]) -> str:
    """Return `name=value;…` with `;` and the backslash escaped, as tor hands it over."""
    pairs = (f"{name}={value}" for name, value in args.items())
    return ";".join(pair.replace("\\", "\\\\").replace(";", "\\;") for pair in pairs)


def credentials(args: Mapping[str, str]) -> tuple[str, str]:
    """Return SOCKS5 user name and password that carry `args`; both empty where there are none.

    The program puts the two together again and drops a password of one NUL. Raises CannotMeasure for more than
    they can hold (510 bytes, a few less with letters outside ASCII, which are not cut in two).
    """
    text = joined(args)
    if not text:
        return "", ""
    cut = len(text.encode("utf-8", "replace")[:_FIELD].decode("utf-8", "ignore"))
    user, password = text[:cut], text[cut:] or "\0"
    try:
        fits = len(password.encode("utf-8")) <= _FIELD and bool(user.encode("utf-8"))
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise CannotMeasure(
            N_("the arguments are longer than 510 bytes: leave out some ice= or fronts= entries")
        )
    return user, password


def adapted(transport: str, args: Mapping[str, str]) -> dict[str, str]:
    """Return `args` as programs before lyrebird understand them too.

    snowflake-client 2.5 knows `front=` only and would go without a front; newer ones prefer `fronts=`, so both
    are given where there is room. obfs4proxy's meek_lite does not know `targets=`: its first entry is spelt out.
    """
    given = dict(args)
    if transport == "snowflake" and given.get("fronts") and not given.get("front"):
        given["front"] = given["fronts"].partition(",")[0]
        if len(joined(given).encode("utf-8", "replace")) > 2 * _FIELD:
            del given["fronts"]
    if transport == "meek_lite" and given.get("targets") and not given.get("url"):
        url, _, fronts = given.pop("targets").partition(",")[0].partition("|")
        given["url"] = url
        if fronts:
            given["front"] = fronts.partition("+")[0]
    return given

"""Text from anywhere -> candidates and rejected lines with how to mend them. Pure, and never surprised.

A source is a document (base64 list, JSON, YAML) or lines. Lines may be anything that people paste: chat
messages, Markdown, bullets, quotes, links inside a sentence.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from client import setting_lines
from client.model import Candidate, Message, Reading, RejectedLine, counted
from transports import nodelists, proxyline, telegram, tor_bridge, unsupported
from transports.registry import PARSERS
from transports.types import N_, Endpoint, Parse, Rejected

LARGEST: Final = 8 * 1024 * 1024  # bytes of one source
LONGEST: Final = 8 * 1024  # characters of one line
MOST_LINES: Final = 100_000
_DEEPEST: Final = 2  # base64 inside base64

_DIRT: Final[dict[int, str | None]] = {
    **dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u2060\u00ad\u200c\u200d\u061c\u180e")),
    # messengers put these around what is copied
    **dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")),
    **dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u3000\t\v\f`"), " "),
}
_QUOTES: Final = "\"'“”„«»‹›‘’"
_BULLET: Final = re.compile(r"(?:[-*+•·‣▪–—>➤→✅✔]+|\(?\d{1,4}[.)])\s+")
_COMMENT: Final = re.compile(r"#|//|;")
_SCHEMES: Final = "|".join(sorted(map(re.escape, PARSERS), key=len, reverse=True))
_LINK: Final = re.compile(  # two links may be joined by a comma, but what follows # is a name: it may hold anything
    rf"(?<![A-Za-z0-9+.-])(?:{_SCHEMES})://(?:(?![,;|](?:{_SCHEMES})://)[^\s<>#{_QUOTES}])+(?:#[^\s<>{_QUOTES}]*)?"
    rf"|(?<![\w./])(?:t\.me|telegram\.(?:me|dog))/(?:proxy|socks)\?[^\s<>{_QUOTES}]+",
    re.IGNORECASE,
)
_IN_LOGIN: Final = re.compile(  # a link that a quotation mark or bracket tears apart before its @host:port
    rf"[{_QUOTES}<>][^\s,<>]{{0,300}}@[^\s@,]{{1,260}}:\d"
)
_ANY_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://\S+")
_NAME: Final = (
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]|localhost|(?:[\w-]{1,63}\.)+[A-Za-z][\w-]{1,62})"
)
_PLAIN: Final = re.compile(  # by far the most lines: worth a short cut
    r"(?:(?:https?|socks(?:4a?|5h?))://)?[0-9.]{7,15}:[0-9]{1,5}"
)
_BARE: Final = re.compile(
    r"(?<![A-Za-z0-9_.:@/-])(?:[^\s:@/]{1,128}:[^\s@/]{1,255}@)?"
    rf"{_NAME}:\d{{1,5}}(?:[:@][^\s:@,;|]+:[^\s,;|]+)?(?![A-Za-z0-9_:/])"
)
_USER_LAST: Final = re.compile(rf"({_NAME}:\d{{1,5}})@(.+)")
_KIND: Final = re.compile(r"(?<![A-Za-z0-9])socks(?:4a?|5h?)(?![A-Za-z0-9])", re.IGNORECASE)
_LABEL: Final = re.compile(r"(?<![^\s(|])[^\W_]{2,20}[:=](?=\d{1,3}(?:\.\d{1,3}){3}:\d)")
_SPACED: Final = re.compile(
    rf"[\s|{_QUOTES}]*(?:(?:[^\W_]{{1,12}}\s*[:=]|socks\w+|https?)\s*)?({_NAME})[{_QUOTES}]?\s*[\s,;|]\s*"
    rf"(?:(?:port|порт|端口|پورت)\s*[:=]?\s*)?[{_QUOTES}]?(\d{{1,5}})(?=$|[\s,;|{_QUOTES}])",
    re.IGNORECASE,
)
_WIDE: Final[dict[int, str | int | None]] = {
    **{first + digit: str(digit) for first in (0x0660, 0x06F0, 0xFF10) for digit in range(10)},
    **str.maketrans("：．", ":."),
}
_EMPHASIS: Final = re.compile(r"(\*\*|__|~~)(.+?)\1")
_BRIDGE: Final = re.compile(
    rf"(?<![^\s:>(*|,;\[{_QUOTES}])(?:(?:{'|'.join(sorted(map(re.escape, tor_bridge.TRANSPORTS)))})\s+(?=\S+:\d)"
    r"|(?=[\[\d][\d.A-Fa-f:\]]{1,60}:\d{1,5}\s+"
    r"(?:\$?[0-9A-Fa-f]{40}|(?:[0-9A-Fa-f]{4}\s+){9}[0-9A-Fa-f]{4})(?![0-9A-Za-z])))",
    re.IGNORECASE,
)
_PAST_BRIDGE: Final = re.compile(r"[<>]|\s\|")  # a tag of HTML, the end of a cell
_QUOTE: Final = re.compile(f"[{_QUOTES}]")
_AS_TRIED: Final = frozenset({"http", "socks5"})  # what a line without a kind is tried as
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\s-]{16,}\Z")
_STOPS: Final = ".,;!?)*|،؛؟。，；！？）】」、"
_TRAILING: Final = _STOPS + ":：}>"
_AROUND: Final = _STOPS + _QUOTES + " []{}"

_CHANNEL: Final = re.compile(
    r"https://(?:t\.me|telegram\.me|telegram\.dog|wa\.me|chat\.whatsapp\.com)/", re.IGNORECASE
)
WEB_PAGE: Final = N_("the address of a web page, not of a proxy")
TRIPS: Final = N_("this line trips the program ({kind}); please report it")
NO_CANDIDATE: Final = N_("no proxy, share link or bridge in this line")


def decode(data: bytes) -> str:
    """Return the text of a source. Raises Rejected for what is no text or too large."""
    if len(data) > LARGEST:
        raise Rejected(N_("larger than {limit} MiB: split it"), limit=LARGEST // 1024 // 1024)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise Rejected(N_("a binary file, not a list: give a text file"))
    return data.decode("utf-8-sig", "replace")


def read(sources: list[tuple[str, str]]) -> Reading:
    """Return what the (name, text) sources hold, duplicates folded by endpoint, not by text."""
    candidates: list[Candidate] = []
    rejected: list[RejectedLine] = []
    notices: list[Message] = []
    seen: set[bytes] = set()
    duplicates = 0
    for name, text in sources:
        for line, item, found in _numbered(_items(text, name, notices)):
            if isinstance(found, Rejected):
                rejected.append(RejectedLine(name, line, Message(found.reason, found.values)))
                continue
            mark = _mark(found)
            if mark in seen:
                duplicates += 1
                continue
            seen.add(mark)
            candidates.append(Candidate(found, name, line, item))
    kept = _without_vaguer(candidates)
    duplicates += len(candidates) - len(kept)
    return Reading(tuple(kept), tuple(rejected), duplicates, tuple(notices))


def _numbered(items: Iterable[Found]) -> Iterator[tuple[int, int, Endpoint | Rejected]]:
    """Count the entries of a line that holds several; 0 where there is one."""
    for line, group in itertools.groupby(items, key=lambda item: item[0]):
        one, *more = [found for _, found in group]
        yield line, int(bool(more)), one
        yield from ((line, item, found) for item, found in enumerate(more, 2))


def _without_vaguer(candidates: list[Candidate]) -> list[Candidate]:
    """Leave out what another line says more exactly: it would be the same server, asked twice.

    `host:port` beside `http://` or `socks5://`, which it would be tried as; a bridge without its fingerprint beside
    one with it and with the same key. A bridge that only an address names is not folded: anybody may answer there.
    """
    kinds = {one.endpoint.transport for one in candidates}
    said: set[object] = set()
    if "auto" in kinds and kinds & _AS_TRIED:
        said = {_place(one.endpoint) for one in candidates if one.endpoint.transport in _AS_TRIED}
    if "tor_bridge" in kinds and any(_is_unnamed(one.endpoint) for one in candidates):
        unnamed = (tor_bridge.without_fingerprint(one.endpoint) for one in candidates)
        said.update(less.key() for less in unnamed if less is not None)
    if not said:
        return candidates
    return [one for one in candidates if _said_vaguely(one.endpoint) not in said]


def _is_unnamed(endpoint: Endpoint) -> bool:
    return endpoint.transport == "tor_bridge" and not (endpoint.options or {}).get("fingerprint")


def _said_vaguely(endpoint: Endpoint) -> object:
    if endpoint.transport == "auto":
        return _place(endpoint)
    return endpoint.key() if _is_unnamed(endpoint) else None


def _place(endpoint: Endpoint) -> object:
    return endpoint.host, endpoint.port, endpoint.username, endpoint.password


def _mark(endpoint: Endpoint) -> bytes:
    """Return 16 bytes that stand for the endpoint: its whole key would be kept for every line."""
    import hashlib

    return hashlib.blake2b(endpoint.key().encode("utf-8", "surrogatepass"), digest_size=16).digest()


Found = tuple[int, Endpoint | Rejected]


def _items(text: str, name: str, notices: list[Message], depth: int = 0) -> Iterator[Found]:
    try:
        document = nodelists.convert(text)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one list must not cost the others
        yield 1, _tripped(error)
        return
    if document is not None:
        yield from document
        return
    inner = _unwrapped(text) if depth < _DEEPEST else None
    if inner is not None:
        yield from _items(inner, name, notices, depth + 1)
        return
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        values = {"source": name, "limit": MOST_LINES, "lines": len(lines)}
        notices.append(Message(N_("{source}: only the first {limit} of {lines} lines are read"), values))
    passed = 0
    for number, line in _sifted(text, enumerate(lines[:MOST_LINES], 1)):
        if line is None:
            passed += 1
            continue
        for found in _parse_safely(line):
            yield number, found
    if passed:
        notices.append(_passed_over(name, passed))


def _sifted(text: str, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str | None]]:
    """Return the lines that are to be read, None for those that hold other settings."""
    sift = setting_lines.sifter(text)
    if sift is not None:
        return sift(lines)
    if "=" not in text:
        return iter(lines)
    from client.rejoined import rejoined  # here, because mere lists of addresses should begin at once

    return iter(rejoined(lines))


def _passed_over(name: str, lines: int) -> Message:
    return counted(
        "{source}: {n} line with another setting was passed over",
        "{source}: {n} lines with other settings were passed over",
        lines,
        source=name,
    )


def _parse_safely(line: str) -> list[Endpoint | Rejected]:
    try:
        return parse_line(line)
    except Exception as error:  # noqa: BLE001 - a fault of ours in one line must not cost the others
        return [_tripped(error)]


def _tripped(error: Exception) -> Rejected:
    return Rejected(TRIPS, kind=type(error).__name__)


def _unwrapped(text: str) -> str | None:
    """Return the text inside a base64 subscription, or None if this is none."""
    if "://" in text or not _BASE64.match(text.strip()):
        return None
    packed = "".join(text.split()).translate({45: 43, 95: 47}).rstrip("=")
    try:
        inner = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    return inner if "://" in inner or any(map(tor_bridge.looks_like_bridge, inner.splitlines()[:3])) else None


def parse_line(line: str) -> list[Endpoint | Rejected]:
    """Return what stands in one line: nothing for blanks and comments, else at least one item."""
    if len(line) > LONGEST:
        return [Rejected(N_("longer than {limit} characters: one link a line"), limit=LONGEST)]
    if _PLAIN.fullmatch(line):
        return [_attempt(proxyline.parse, line)]
    text = line.translate(_DIRT).strip().strip(_QUOTES).strip()
    if not text or _COMMENT.match(text):
        return []
    text = _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
    text = text.strip().strip(_QUOTES).strip()
    if text.lower() == "tor":
        return [Endpoint(transport="tor", host="", port=1, text="tor")]
    bridges = _bridges(text)
    if bridges:
        return [_attempt(tor_bridge.parse, bridge) for bridge in bridges]
    found = list(_LINK.finditer(text))
    links = [_trimmed(match.group()) for match in found if not _IN_LOGIN.match(text, match.end())]
    torn = [Rejected(proxyline.ODD_LOGIN)] * (len(found) - len(links))
    if found:
        return [*(_read_links(links, text) if links else ()), *torn]
    other = _ANY_LINK.search(text)
    if other:
        return [proxyline.unknown_kind(_word_before(text))]
    return _bare(text)


def _word_before(text: str) -> str:
    """Return the whole word before the first "://", with whatever it is joined to."""
    return re.split(rf"[\s()<>\[\]{_QUOTES}]", text.partition("://")[0])[-1]


def _bridges(text: str) -> list[str]:
    """Return the bridge lines in one line. A bridge in a sentence must never be taken for a plain proxy:
    it would be asked in the wrong protocol, and a private bridge would become known.
    """
    text = _EMPHASIS.sub(r"\2", text) if text[:2] in ("**", "__", "~~") else text
    starts = [0] if tor_bridge.looks_like_bridge(text) else []
    for found in _BRIDGE.finditer(text, bool(starts)):
        at = found.start()
        inside = found.end() == at and text[at - 1] == ":"  # the middle of an IPv6 address
        if not starts or (
            ":" in text[starts[-1] : at] and not inside
        ):  # before it comes the transport's name
            starts.append(at)
    ends = [*starts[1:], len(text)]
    return [_alone(text, at, end) for at, end in zip(starts, ends, strict=False)]


def _alone(text: str, at: int, end: int) -> str:
    """Cut one bridge line out of quotes, brackets, the punctuation of a sentence, and the word before the next."""
    line = text[at:end]
    if at and text[at - 1] in _QUOTES:
        line = _QUOTE.split(line, maxsplit=1)[0]
    line = _PAST_BRIDGE.split(line, maxsplit=1)[0]
    bare = line.rstrip(_AROUND)
    if bare[-7:-6] in (" ", ",", ";", "|") and bare[-6:].lower() == "bridge":
        bare = bare[:-7].rstrip(_AROUND)
    return bare + "]" * (bare.count("[") > bare.count("]"))


def _read_links(links: list[str], text: str) -> list[Endpoint | Rejected]:
    """Read the links of a line, but not the web pages that a message mentions beside its real entries."""
    entries = [link for link in links if not _is_web_page(link)]
    if entries:
        return [_attempt(PARSERS[_scheme(link)], link) for link in entries]
    if len(links) > 1 or links[0] != text or _CHANNEL.match(text):
        return [Rejected(WEB_PAGE)]
    return [_attempt(PARSERS[_scheme(text)], text)]  # alone in its line it may be a key to be fetched


def _is_web_page(link: str) -> bool:
    return unsupported.looks_like_key(link) and not telegram.looks_like_telegram(link)


def _scheme(link: str) -> str:
    scheme = link.partition("://")[0].lower()
    return scheme if scheme in PARSERS else "tg"  # t.me/proxy?… may hold another link behind its ?


def _bare(text: str) -> list[Endpoint | Rejected]:
    if not text.isascii():
        text = text.translate(_WIDE)
    text = _EMPHASIS.sub(r"\2", text)
    found = [match.group() for match in _BARE.finditer(_LABEL.sub(" ", text))]
    if not found:
        spaced = _SPACED.match(text)
        found = [f"{spaced[1]}:{spaced[2]}"] if spaced else []
    if found:
        kinds = {kind.lower().removesuffix("h") for kind in _KIND.findall(text)}
        return [_of_kind(kinds, _attempt(proxyline.parse, _in_order(_trimmed(part)))) for part in found]
    if " " not in text and ":" in text:
        return [_attempt(proxyline.parse, text)]  # its own reason tells more than a general one
    return [Rejected(NO_CANDIDATE)]


def _in_order(text: str) -> str:
    """Turn host:port@user:password, which some sellers write, into host:port:user:password."""
    turned = _USER_LAST.fullmatch(text)
    return f"{turned[1]}:{turned[2]}" if turned else text


def _of_kind(kinds: set[str], found: Endpoint | Rejected) -> Endpoint | Rejected:
    """Say SOCKS where the line says it. The words HTTP and HTTPS tell nothing: lists mean many things by them."""
    if isinstance(found, Rejected) or len(kinds) != 1 or (found.password and kinds != {"socks5"}):
        return found
    return replace(found, transport=next(iter(kinds)))


def _trimmed(link: str) -> str:
    """Take off the punctuation of the sentence around a link, but no bracket or padding that belongs to it."""
    link = link.rstrip(_TRAILING) if "#" not in link else link.rstrip(_STOPS)
    while link.endswith("]") and link.count("[") < link.count("]"):
        link = link[:-1]
    return link.replace("&amp;", "&")


def _attempt(parse: Parse, text: str) -> Endpoint | Rejected:
    try:
        return parse(text)
    except Rejected as rejected:
        return rejected
    except Exception as error:  # noqa: BLE001 - a fault of ours in one entry must not cost the others of its line
        return _tripped(error)

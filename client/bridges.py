"""Bridges that everybody has, and the ways of asking for others: the dated data file, read. Pure.

Bridge lines are what a person asks for here, so they are shown whole. They never go into an error or a log.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from client.model import Message
from client.text import printable
from transports.tor_bridge import LONGEST_LINE, parse
from transports.types import N_, Endpoint, Rejected

DATA: Final = Path(__file__).parent / "data" / "bridges.toml"
TRANSPORTS: Final = ("obfs4", "webtunnel", "snowflake", "meek_lite", "vanilla")
MOST: Final = 100  # lines that are taken from one answer
ANYWHERE: Final = "*"
_TO_ITS_ADDRESS: Final = frozenset({"vanilla", "obfs4", "obfs3", "obfs2", "scramblesuit"})
_COUNTRY: Final = re.compile("[A-Za-z]{2}", re.ASCII)
_CODES: Final = (  # ISO 3166-1, and Kosovo as it is commonly written
    "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs "
    "bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee "
    "eg eh er es et fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm "
    "hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc "
    "li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na "
    "nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw "
    "sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to "
    "tr tt tv tw tz ua ug um us uy uz va vc ve vg vi vn vu wf ws xk ye yt za zm zw"
)
_COUNTRIES: Final = frozenset(_CODES.split())
_MOAT_NAMES: Final = {"meek_lite": "meek"}
_PUBLIC: Final = N_(
    "Built-in lines of {date}. Everybody has them: they are public and the first to be blocked."
)
_PASSED_BEFORE: Final = "179, 3785, 5060"  # Kazakhstan, January 2022 (net4people/bbs issues 99 and 102)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One bridge line that can be used. `origin` is `builtin`, or what the server calls its source."""

    text: str = field(repr=False)
    transport: str
    port: int | None  # where the connection really goes to; None where the line does not tell
    origin: str = "builtin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How to ask a person or a robot."""

    mail: str
    mail_from: str
    mail_body: str
    telegram: str
    telegram_words: str
    web: str
    desk: str
    desk_subject: str
    browser_mail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """What the data file holds: `date` is when its lines were last changed at their source."""

    date: date
    source: str
    general: tuple[Line, ...]
    by_country: dict[str, tuple[Line, ...]]
    moat: str
    fronts: tuple[str, ...]
    ways: Ways

    def lines(self, country: str = "") -> tuple[Line, ...]:
        """Return the lines for a country: its own first, which stand in for the general ones of their kind."""
        own = self.by_country.get(country, ())
        kinds = {line.transport for line in own}
        rest = [line for line in self.general if line.transport not in kinds]
        return (*own, *rest) if own else (*self.general, *self.by_country.get(ANYWHERE, ()))


def builtin() -> Builtin:
    """Return what the data file holds."""
    data: dict[str, Any] = tomllib.loads(DATA.read_text("utf-8"))

    def lines(texts: Iterable[str]) -> tuple[Line, ...]:
        return read(text.replace("{ice}", data["ice"]) for text in texts)[0]

    return Builtin(
        date=data["date"],
        source=data["source"],
        general=lines(one["line"] for one in data["bridge"]),
        by_country={one["code"]: lines(one["lines"]) for one in data["country"]},
        moat=data["moat"]["url"],
        fronts=tuple(data["moat"]["fronts"]),
        ways=Ways(**{name: value for name, value in data["ask"].items() if name != "date"}),
    )


def public(day: str) -> Message:
    """Return the sentence that says how old the built-in lines are, and what that means."""
    return Message(_PUBLIC, {"date": day})


def read(texts: Iterable[object], origin: str = "builtin") -> tuple[tuple[Line, ...], int]:
    """Return the lines of `texts` that are bridge lines, MOST at most, and how many others there were.

    They may come from anybody: each goes through the parser, and what a terminal would not show is turned down.
    """
    found: dict[str, Line] = {}
    bad = 0
    for text in texts:
        line = _read(text, origin) if len(found) < MOST else None
        if line is None:
            bad += 1
        else:
            found.setdefault(line.text, line)
    return tuple(found.values()), bad


def _read(text: object, origin: str) -> Line | None:
    if not isinstance(text, str) or len(text) > LONGEST_LINE or not text.isascii():
        return None
    try:
        endpoint = parse(text)
    except Rejected:
        return None
    whole = endpoint.reveal()
    if printable(whole, LONGEST_LINE) != whole:
        return None
    name = str((endpoint.options or {})["pt"])
    return Line(text=whole, transport=name, port=_port(endpoint, name), origin=origin)


def _port(endpoint: Endpoint, name: str) -> int | None:
    if name in _TO_ITS_ADDRESS:
        return endpoint.port
    if name == "webtunnel":  # its address is a placeholder: the connection goes to its web server
        url = urlsplit((endpoint.options or {})["args"]["url"])
        return url.port or (443 if url.scheme == "https" else 80)
    return None


def fitting(lines: Sequence[Line], transport: str = "", port: int = 0) -> tuple[Line, ...]:
    """Return the lines of this transport whose connection goes to this port; "" and 0 take any."""
    return tuple(
        line
        for line in lines
        if (not transport or line.transport == transport) and (not port or line.port == port)
    )


def country_code(text: str) -> str:
    """Return an ISO 3166 code in small letters. Raises Rejected."""
    if not _COUNTRY.fullmatch(text):
        raise Rejected(N_("--country takes two letters, for example kz"))
    code = text.lower()
    if code not in _COUNTRIES:
        raise Rejected(
            N_("--country: no country has the letters {code}; Ukraine is ua, Britain gb"), code=code
        )
    return code


def moat_name(transport: str) -> str:
    """Return what Moat calls a transport."""
    return _MOAT_NAMES.get(transport, transport)


def how(ways: Ways, transport: str = "", country: str = "", port: int = 0) -> list[Message]:
    """Return how to ask for bridges where no program can: by mail, by Telegram, on the web."""
    name = moat_name(transport or "obfs4")
    body = ways.mail_body.format(transport=name)
    told = [
        Message(N_("Other ways to get bridges. Nothing of this is done for you:")),
        Message(
            N_("• E-mail: write to {mail} with this text: {body} (only mail from {providers} is answered)"),
            {"mail": ways.mail, "providers": ways.mail_from, "body": body},
        ),
        Message(N_("  As a link: {link}"), {"link": f"mailto:{ways.mail}?body={quote(body)}"}),
        Message(
            N_("• Telegram: open {bot} and write {words}"),
            {"bot": ways.telegram, "words": ways.telegram_words},
        ),
        Message(
            N_("• On the web: {url}"),
            {"url": ways.web.format(transport="0" if name == "vanilla" else name)},
        ),
        Message(N_("• Tor Browser itself comes by mail from {mail}"), {"mail": ways.browser_mail}),
    ]
    return [*told, *desk(ways, country, port)]


def desk(ways: Ways, country: str = "", port: int = 0) -> list[Message]:
    """Return how to ask people for a bridge that nobody else has, on a given port."""
    values = {
        "mail": ways.desk,
        "subject": ways.desk_subject.format(country=country or "CC"),
        "port": port,
        "ports": _PASSED_BEFORE,
    }
    ask = (
        N_("• A bridge of your own on port {port}: write to {mail}, subject “{subject}”, and name the port.")
        if port
        else N_("• A bridge of your own: write to {mail}, subject “{subject}”.")
    )
    hint = N_("  If only some ports pass where you are, name them. In earlier cuts these did: {ports}")
    instead = [] if country else [Message(N_("  In the place of CC write the two letters of your country."))]
    return [Message(ask, values), *instead, Message(hint, values)]

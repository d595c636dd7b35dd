"""The numbered steps of a way, with the option's own values in them: masked until the person wants to see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from client.commands import command
from client.guide import texts
from client.guide.apps import LOCAL, App
from client.guide.way import Way
from client.i18n import _
from client.options import Option
from client.text import printable
from transports.types import N_, Rejected

_LONGEST: Final = 8192
PORT: Final = 1080  # where `sanylau connect` listens unless it says another one
_ADDRESS: Final = "127.0.0.1"
_WHOLE: Final = ("link", "line")  # what is copied as a whole stands in a line of its own, unbroken
_HIDDEN: Final[Mapping[str, str]] = {
    "address": N_("(the address, hidden)"),
    "host": N_("(the server, hidden)"),
    "port": N_("(the port, hidden)"),
    "user": N_("(the user name, hidden)"),
    "password": N_("(the password, hidden)"),
    "link": N_("(the link, hidden)"),
    "line": N_("(the bridge line, hidden)"),
}
_OF_HELPER: Final[Mapping[str, str]] = {
    "address": N_("(the address that your helper gave you)"),
    "host": N_("(the server that your helper gave you)"),
    "port": N_("(the port that your helper gave you)"),
    "user": N_("(the user name that your helper gave you)"),
    "password": N_("(the password that your helper gave you)"),
    "link": N_("(the link that your helper gave you)"),
    "line": N_("(the bridge line that your helper gave you)"),
}
_NOTHING: Final = N_("(nothing: leave it empty)")
_BELOW: Final = N_("(the line below)")
_NO_LINK: Final = N_("(there is no link for this one: use `sanylau connect`)")
_FILE: Final = N_("(the file that you wrote with `sanylau export`)")


@dataclass(frozen=True, slots=True)
class Step:
    """One action, what will be seen then, and the risk; the last two may be empty. Ready for a terminal.

    `copy` is what the person has to copy for it, as a whole.
    """

    number: int
    do: str
    see: str = ""
    risk: str = ""
    copy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The steps of one way. `hides`: something of the option is masked. `scans`: a QR code would do for it."""

    intro: str
    steps: tuple[Step, ...]
    hides: bool = False
    scans: bool = False
    language: str = "en"


def of_way(
    way: Way, *, reveal: bool, lists: Sequence[str] = (), language: str = "", port: int = PORT
) -> Steps:
    """Return the steps for an option in a program. `lists` are the words that name its lists to `sanylau connect`.

    `port` is where the local connection listens.
    """
    text = texts.load(way.app.id, language or texts.language())
    found = text.way(way.by)
    raw = found.steps if found is not None else ()
    used = found.placeholders if found is not None else frozenset()
    values = _values(way.option) if reveal else _words(_HIDDEN)
    values["local_port"] = str(port)
    whole = {name: values[name] for name in _WHOLE} if reveal else {}
    values |= {name: _(_BELOW) for name, value in whole.items() if value}
    values |= {name: _(_NO_LINK) for name, value in whole.items() if not value}
    first = (_connecting(lists),) if way.by == LOCAL else ()
    return Steps(
        intro=text.intro,
        steps=(*first, *_filled(raw, values, whole, begin=len(first) + 1)),
        hides=not reveal and bool(used & set(texts.SECRET)),
        scans=bool(used & set(_WHOLE)),
        language=text.language,
    )


def of_app(app: App, *, language: str = "") -> list[tuple[tuple[str, ...], Steps]]:
    """Return the steps of every way of a program, without any option: what a helper gave stands there in words."""
    text = texts.load(app.id, language or texts.language())
    values = _words(_OF_HELPER)
    ways = []
    for way in text.ways:
        first = (_connecting(()),) if LOCAL in way.kinds else ()
        steps = (*first, *_filled(way.steps, values, {}, begin=len(first) + 1))
        ways.append((way.kinds, Steps(intro=text.intro, steps=steps, language=text.language)))
    return ways


def _filled(
    raw: Sequence[texts.Step], values: Mapping[str, str], whole: Mapping[str, str], *, begin: int
) -> Iterator[Step]:
    for number, step in enumerate(raw, begin):
        do, see, risk = (texts.fill(one, values) for one in (step.do, step.see, step.risk))
        copy = next((whole[name] for name in _WHOLE if whole.get(name) and f"{{{name}}}" in step.do), "")
        yield Step(number, do, see, risk, printable(copy, _LONGEST))


def _words(instead: Mapping[str, str]) -> dict[str, str]:
    """Return words in place of every value that is the option's own."""
    return _own() | {name: _(words) for name, words in instead.items()}


def _own() -> dict[str, str]:
    return {"local": _ADDRESS, "local_port": str(PORT), "file": _(_FILE)}


def _values(option: Option) -> dict[str, str]:
    """Return the option's own value for every placeholder; no link and no line is ""."""
    from client.export import links

    endpoint = option.endpoint
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    try:
        link = links.link(option)
    except Rejected:
        link = ""
    return _own() | {
        "address": f"{host}:{endpoint.port}",
        "host": endpoint.host,
        "port": str(endpoint.port),
        "user": endpoint.username or _(_NOTHING),
        "password": endpoint.password or _(_NOTHING),
        "link": link,
        "line": endpoint.text if endpoint.transport == "tor_bridge" else "",
    }


def _connecting(lists: Sequence[str]) -> Step:
    """Return what comes before the program's own steps when it goes over the local connection."""
    do = _("Open a terminal and type: `{command}`", command=command("connect", lists))
    see = _(
        "It asks before it sends anything. Then it says on which port of {address} it listens; if that is not {port}, take that one in what follows.",
        address=_ADDRESS,
        port=PORT,
    )
    return Step(1, printable(do, _LONGEST), see)

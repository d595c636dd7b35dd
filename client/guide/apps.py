"""The programs that the guide knows: `client/data/guides/apps.toml`, checked field by field. Language-neutral."""

from __future__ import annotations

import datetime
import difflib
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from client.options import Option
from transports.registry import REGISTRY
from transports.tor_bridge import TRANSPORTS
from transports.types import N_, Rejected

FOLDER: Final = Path(__file__).parent.parent / "data" / "guides"
SYSTEMS: Final = {  # what people call them; proper names
    "windows": "Windows",
    "macos": "macOS",
    "linux": "Linux",
    "android": "Android",
    "ios": "iOS",
    "tails": "Tails",
}
PHONES: Final = frozenset({"android", "ios"})
PURPOSES: Final = ("browse", "vpn", "message", "shell")  # what a person most needs comes first
KINDS: Final = frozenset({*REGISTRY, *TRANSPORTS, "vanilla"}) - {
    "auto",
    "direct",
    "tor_bridge",
    "unsupported",
}
LOCAL: Final = "local"  # the local connection of `sanylau connect`
OWN: Final = "own"  # a program that only takes proxies of its own kind, which nobody can test here
_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_CHECKED: Final = re.compile(r"run-here (\S{1,40}) (\d{4}-\d{2}-\d{2})", re.ASCII)
_FORMAT: Final = re.compile(r"[a-z0-9-]{0,32}", re.ASCII)
_LIKE: Final = 0.7  # how alike a mistyped name must be, of 1
_FIELDS: Final = frozenset(
    {"id", "name", "os", "takes", "local", "export", "where", "checked", "for", "source"}
)
_WRONG: Final = N_("{file}: [[app]] number {number}: {field} is missing or not as it should be")


@dataclass(frozen=True, slots=True)
class Walked:
    """The steps were walked through with the program itself: its version, and the day."""

    version: str
    date: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A program. `takes` are the kinds it can be given directly; `local`: it can use `sanylau connect`.

    `export` is the format of `sanylau export` that fits, "" for none. `walked` is None where nobody has gone through its steps with the program: then menus may be named differently.
    """

    id: str
    name: str
    systems: tuple[str, ...]
    takes: frozenset[str]
    local: bool
    export: str
    purposes: tuple[str, ...]
    source: str
    walked: Walked | None

    @property
    def ways(self) -> frozenset[str]:
        """Return every way that its text has to tell."""
        return self.takes | ({LOCAL} if self.local else set()) or frozenset({OWN})


def load(path: Path = FOLDER / "apps.toml") -> tuple[App, ...]:
    """Return the programs in the order of the file. Raises Rejected with the field that is wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeError):
        raise Rejected(N_("{file}: this is no TOML"), file=path.name) from None
    entries = data.get("app")
    if set(data) != {"app"} or not isinstance(entries, list):
        raise Rejected(_WRONG, file=path.name, number=0, field="app")
    apps = []
    for number, entry in enumerate(entries, 1):
        try:
            apps.append(_app(entry))
        except KeyError as wrong:
            raise Rejected(_WRONG, file=path.name, number=number, field=wrong.args[0]) from None
    if len({app.id for app in apps}) != len(apps):
        raise Rejected(N_("{file}: an id stands there twice"), file=path.name)
    return tuple(apps)


def _app(entry: object) -> App:
    """Read one entry. Raises KeyError with the name of a field that is wrong."""
    if not isinstance(entry, dict):
        raise KeyError("app")
    if unknown := sorted(set(entry) - _FIELDS):
        raise KeyError(unknown[0])
    if entry.get("where") not in ("same", "phone"):
        raise KeyError("where")
    local = entry.get("local")
    if not isinstance(local, bool):
        raise KeyError("local")
    return App(
        id=_matching(entry, "id", _ID),
        name=_text(entry, "name"),
        systems=_words(entry, "os", SYSTEMS.keys(), least=1),
        takes=frozenset(_words(entry, "takes", KINDS)),
        local=local,
        export=_matching(entry, "export", _FORMAT),
        purposes=_words(entry, "for", PURPOSES, least=1),
        source=_text(entry, "source", most=400),
        walked=_walked(_text(entry, "checked")),
    )


def _text(entry: dict[str, Any], field: str, most: int = 80) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not value.strip() or len(value) > most or not value.isprintable():
        raise KeyError(field)
    return value


def _matching(entry: dict[str, Any], field: str, form: re.Pattern[str]) -> str:
    value = entry.get(field)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise KeyError(field)
    return value


def _words(entry: dict[str, Any], field: str, allowed: Iterable[str], least: int = 0) -> tuple[str, ...]:
    value = entry.get(field)
    if not isinstance(value, list) or len(value) < least or len(set(map(str, value))) != len(value):
        raise KeyError(field)
    if not all(isinstance(word, str) and word in set(allowed) for word in value):
        raise KeyError(field)
    return tuple(value)


def _walked(text: str) -> Walked | None:
    if text == "not yet":
        return None
    found = _CHECKED.fullmatch(text)
    try:
        return Walked(found[1], datetime.date.fromisoformat(found[2])) if found else _never()
    except ValueError:
        return _never()


def _never() -> Walked:
    raise KeyError("checked")


def here() -> str:
    """Return the system that this runs on, as apps.toml names it."""
    if sys.platform == "win32":
        return "windows"
    if sys.platform == "darwin":
        return "macos"
    return "android" if "ANDROID_ROOT" in os.environ else "linux"


def named(apps: Sequence[App], name: str) -> App:
    """Return the app of this id or name. Raises Rejected with the one that was meant, else with all."""
    wanted = name.strip().casefold()
    for app in apps:
        if wanted in (app.id, app.name.casefold()):
            return app
    spelled = {one: app.id for app in apps for one in (app.id, app.name.casefold())}
    if near := difflib.get_close_matches(wanted, spelled, n=1, cutoff=_LIKE):
        raise Rejected(
            N_("there is no guide for {name}: did you mean {near}?"), name=name[:40], near=spelled[near[0]]
        )
    known = ", ".join(app.id for app in apps)
    raise Rejected(N_("there is no guide for {name}; there is one for: {known}"), name=name[:40], known=known)


def for_system(apps: Sequence[App], system: str) -> list[App]:
    """Return the apps of a system, what a person most needs first."""
    fitting = [app for app in apps if system in app.systems]
    return sorted(fitting, key=lambda app: min(map(PURPOSES.index, app.purposes)))


def way(app: App, option: Option, *, near: bool) -> str:
    """Return how an app can use an option: LOCAL, the option's kind (given directly), or "" for not at all.

    `near` says that the app runs on this machine: only then it can use `sanylau connect`. That is preferred, for names
    are resolved at the far end then, another option takes over when one dies, and no secret is typed.
    """
    if app.local and near and carried(option):
        return LOCAL
    return option.kind if option.kind in app.takes else ""


def carried(option: Option) -> bool:
    """Say whether `sanylau connect` can send traffic through this option."""
    entry = REGISTRY.get(option.transport)
    return entry is not None and entry.transport is not None and not option.candidate.endpoint.untested

"""The person's language: gettext catalogs `sanylau` under client/locale, chosen by --lang or the environment."""

from __future__ import annotations

import functools
import gettext
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from client.model import Message
from transports.types import N_

__all__ = ["DOMAIN", "LANGUAGES", "LOCALE_DIR", "N_", "_", "current", "everywhere", "ngettext", "say", "use"]

LANGUAGES: Final = ("en", "fr", "ru", "kk")
DOMAIN: Final = "sanylau"
LOCALE_DIR: Final = Path(__file__).parent / "locale"


def use(language: str | None) -> None:
    """Choose the language of this process; None leaves it to LANGUAGE, LC_ALL, LC_MESSAGES and LANG."""
    if language:
        os.environ["LANGUAGE"] = language
    _catalog.cache_clear()
    gettext.bindtextdomain(DOMAIN, str(LOCALE_DIR))
    gettext.textdomain(DOMAIN)  # click looks up its own words in the default domain


def current() -> str:
    """Return the language that is in force, one of LANGUAGES."""
    language = _catalog().info().get("language", "")
    return language if language in LANGUAGES else LANGUAGES[0]


@functools.cache
def _catalog() -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, str(LOCALE_DIR), fallback=True)


def _(message: str, **values: object) -> str:
    """Return `message` in the person's language with its {braces} filled."""
    return _fill(_catalog().gettext(message), values)


@functools.cache
def everywhere(message: str) -> tuple[str, ...]:
    """Return `message` in every language: for a search by people who know a thing by another name."""
    catalogs = (
        gettext.translation(DOMAIN, str(LOCALE_DIR), languages=[language], fallback=True)
        for language in LANGUAGES
    )
    return tuple(dict.fromkeys([message, *(catalog.gettext(message) for catalog in catalogs)]))


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """Return the form of the message that goes with the number `n`, which also fills {n}."""
    return _fill(_catalog().ngettext(one, many, n), {"n": n, **values})


def say(message: Message) -> str:
    """Return a Message in the person's language."""
    values = {
        name: say(value) if isinstance(value, Message) else value for name, value in message.values.items()
    }
    if message.plural:
        return _fill(_catalog().ngettext(message.id, message.plural, message.n), values)
    return _(message.id, **values) if message.id else ""


def _fill(text: str, values: Mapping[str, object]) -> str:
    return text.format_map(values) if values else text

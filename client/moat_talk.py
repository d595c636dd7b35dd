"""The talk with Moat: what is asked in which order, and what is done where the answer is no list of bridges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from client import moat
from client.bridges import Builtin, Line, fitting
from client.moat import Group, Refused, Settings
from client.moat_ways import Asker
from client.model import Message, counted
from transports.types import N_

TRIES: Final = 3  # pictures for one person
_TYPES: Final = {"meek": "meek_lite", "meek-azure": "meek_lite"}
_NO_ENTRY: Final = N_("The server knows of no blocking of Tor there: these are the bridges for anywhere.")
_NO_COUNTRY: Final = N_(
    "The server cannot tell the country, so these are the bridges for anywhere: --country CC."
)
_WRONG: Final = N_("That was not what the picture shows.")

Tell = Callable[[Message], None]


async def settings(
    asker: Asker, builtin: Builtin, transports: Sequence[str], country: str, tell: Tell
) -> tuple[Line, ...]:
    """Return the bridges that are meant for `country` ("": where the request comes from), best first.

    Where the country needs none, or is not known, the bridges for anywhere. Raises NoWay or Refused.
    """
    try:
        found = moat.settings(await asker.ask(moat.SETTINGS, moat.wish(transports, country)))
    except Refused as refused:
        if refused.code != moat.NO_COUNTRY:
            raise
        tell(Message(_NO_COUNTRY))
        return await defaults(asker, builtin, transports, tell)
    if not found.groups:
        tell(Message(_NO_ENTRY))
        return await defaults(asker, builtin, transports, tell)
    return _taken(found, builtin, country or found.country, tell)


async def defaults(asker: Asker, builtin: Builtin, transports: Sequence[str], tell: Tell) -> tuple[Line, ...]:
    """Return the bridges for places without an entry of their own. Raises NoWay or Refused."""
    found = moat.settings(await asker.ask(moat.DEFAULTS, moat.wish(transports)))
    return _taken(found, builtin, "", tell)


async def newer_builtin(asker: Asker, builtin: Builtin, tell: Tell) -> tuple[Line, ...]:
    """Return the lines that Tor Browser would have built in today. Raises NoWay or Refused."""
    return _taken(moat.builtin(await asker.ask(moat.BUILTIN, None)), builtin, "", tell)


async def countries(asker: Asker) -> tuple[str, ...]:
    """Return where circumvention is known to be needed. Raises NoWay or Refused."""
    return moat.countries(await asker.ask(moat.COUNTRIES, None))


async def country_map(asker: Asker) -> dict[str, tuple[Group, ...]]:
    """Return what is meant for each country. Raises NoWay or Refused."""
    return moat.country_map(await asker.ask(moat.MAP, None))


async def captcha(
    asker: Asker, builtin: Builtin, transport: str, read: Callable[[bytes], Awaitable[str]], tell: Tell
) -> tuple[Line, ...]:
    """Return the bridges that are given for reading a picture; `read` shows it and returns what was typed.

    An empty answer ends it. Raises NoWay or Refused.
    """
    wrong = Refused(_WRONG, moat.WRONG_ANSWER)
    for _ in range(TRIES):
        question = moat.challenge(await asker.ask(moat.FETCH, moat.challenge_wish(transport)), transport)
        text = (await read(question.picture)).strip()
        if not text:
            break
        try:
            found = moat.solved(await asker.ask(moat.CHECK, moat.solution(question, text)))
        except Refused as refused:
            if refused.code != moat.WRONG_ANSWER:
                raise
            wrong = refused
            tell(Message(_WRONG))
        else:
            return _taken(found, builtin, "", tell)
    raise wrong


def _taken(found: Settings, builtin: Builtin, country: str, tell: Tell) -> tuple[Line, ...]:
    """Return the lines of an answer, with those that it only names filled in. Raises Refused for none at all."""
    if found.bad:
        tell(
            counted(
                "{n} line of the answer was no bridge line and was left out.",
                "{n} lines of the answer were no bridge lines and were left out.",
                found.bad,
            )
        )
    filled = [_filled(group, builtin, country) for group in found.groups]
    lines = replace(found, groups=tuple(filled)).lines
    if not lines:
        raise Refused(N_("the answer holds no bridge that can be used"))
    return lines


def _filled(group: Group, builtin: Builtin, country: str) -> Group:
    if group.lines or group.source != "builtin":
        return group
    own = fitting(builtin.lines(country), _TYPES.get(group.type, group.type))
    return replace(group, lines=own if group.type else ())

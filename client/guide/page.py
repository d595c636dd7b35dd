"""A guide as a list of blocks, in the person's language: what the command line prints and the screen shows."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from client.commands import LIST, command, typed
from client.guide import apps as guides
from client.guide import steps, way, without
from client.guide.apps import LOCAL, OWN, PHONES, SYSTEMS, App
from client.guide.steps import Steps
from client.guide.way import Place, Recommendation, Way
from client.i18n import _, say
from client.model import LineState, Message, Status
from client.options import Option
from client.render.words import CLASSES
from client.text import printable
from transports.types import N_

if TYPE_CHECKING:
    from client.diagnosis.code import Told

_REVEAL: Final = "--reveal"
_APP: Final = "--app"
_WITHOUT: Final = "--without"  # the page of what else people used


class Part(StrEnum):
    """What a block is."""

    HEADING = "heading"
    TEXT = "text"
    POINT = "point"
    RISK = "risk"
    STEP = "step"
    SEE = "see"
    COPY = "copy"  # to be shown in one line, unbroken, so that it can be copied
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, safe for a terminal. `number` counts steps; a risk or what is seen bears its step's number."""

    part: Part
    text: str
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How the guide was asked for, so that it can name the commands to go on with.

    `lists` are the lists as given; `again` are the words that name the same options once more (the lists, or
    --results). `tests` are the options of the test, and `chosen` those of the guide alone, each with its value.
    """

    lists: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    reveal: bool = False
    tests: tuple[tuple[str, ...], ...] = ()
    chosen: tuple[tuple[str, ...], ...] = ()

    @property
    def connecting(self) -> tuple[str, ...]:
        """Return the words that open the local connection through the same lists."""
        return _joined(self.lists or (LIST,), self.tests)

    def guide(self, *more: tuple[str, ...], without: str = "") -> str:
        """Return the same command again, with `more` in place of what it said of that, and without one option."""
        changed = {without, *(one[0] for one in more)}
        shown = ((_REVEAL,),) if self.reveal else ()
        kept = [one for one in (*self.tests, *self.chosen, *shown) if one[0] not in changed]
        return command("guide", _joined(self.again or (LIST,), (*kept, *more)))

    def export(self, name: str, again: Sequence[str]) -> str:
        """Return the command that writes the same options in a format."""
        return command("export", (name, *_joined(again, self.tests)))


def _joined(words: Sequence[str], options: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return (*words, *itertools.chain.from_iterable(options))


def for_option(
    option: Option,
    *,
    app: str = "",
    system: str = "",
    asked: Asked | None = None,
    told: Told | None = None,
    line: LineState = LineState.UNKNOWN,
    now: float | None = None,
) -> list[Block]:
    """Return the guide to one option: the way, why, the risks and the steps. For the screen's *Use it*.

    `app` is an app's id, else what is most needed; `system` one of SYSTEMS, else this machine's. Raises Rejected.
    """
    known = guides.load()
    here = guides.here()
    place = Place(
        system=system or here,
        near=(system or here) == here,
        told=told,
        line=line,
        now=time.time() if now is None else now,
    )
    wanted = guides.named(known, app) if app else None
    found = way.recommend([option], known, place, app=wanted)
    asked = asked or Asked()
    if found.best is None:
        return [*of(found, asked), *does_not_fit(wanted, option, known, place, asked)]
    return of(found, asked)


def of(found: Recommendation, asked: Asked) -> list[Block]:
    """Return the page of a recommendation; without one only the risks."""
    risks = [Block(Part.RISK, say(risk)) for risk in found.risks]
    if found.best is None:
        return risks
    blocks = [
        *(_first(found.better, found, found.best, asked) if found.better is not None else ()),
        Block(Part.HEADING, _title(found.best, second=found.better is not None)),
        *(Block(Part.POINT, printable(say(reason), 700)) for reason in found.why),
        *risks,
    ]
    told = steps.of_way(found.best, reveal=asked.reveal, lists=asked.connecting)
    blocks += _steps(told, _("Steps for {app} on {system}:", **_names(found.best)))
    blocks += [Block(Part.NEXT, text) for text in _notes(found.best, told, asked)]
    if found.others:
        names = ", ".join(other.app.id for other in found.others)
        again = asked.guide(without=_APP)
        text = _(
            "The same entry also goes into: {names}. Their steps: `{command} --app NAME`",
            names=names,
            command=again,
        )
        blocks.append(Block(Part.NEXT, text))
    if found.reserve is not None:
        blocks += _in_reserve(found.reserve, found.reserve_why, asked)
    return blocks


def label(option: Option) -> str:
    """Return what stands for an option: its kind and its short id, or where it stands in its list."""
    candidate = option.candidate
    mark = f"#{option.id}" if option.id else f"{printable(candidate.source, 40)}:{candidate.line}"
    return f"{option.kind} {mark}"


def _place(option: Option, system: str) -> dict[str, object]:
    return {"entry": label(option), "system": SYSTEMS[system]}


def _names(chosen: Way) -> dict[str, object]:
    return {"app": chosen.app.name, **_place(chosen.option, chosen.system)}


def _first(better: Way, found: Recommendation, wanted: Way, asked: Asked) -> list[Block]:
    """Return what to do instead, before the way that does not protect."""
    head = _("Better do this: {app} on {system}, with {entry}", **_names(better))
    carried = (
        N_("This protects what is sent. It does not go into {wanted} itself, but {app} carries {wanted} too.")
        if "vpn" in better.app.purposes
        else N_("This protects what is sent. It does not go into {wanted} itself: use {app} instead.")
    )
    again = asked.guide((_APP, better.app.id))
    return [
        Block(Part.HEADING, f"{head} ({_(CLASSES[better.option.protection])})"),
        *(Block(Part.POINT, say(reason)) for reason in found.better_why),
        Block(Part.POINT, _(carried, wanted=wanted.app.name, app=better.app.name)),
        Block(Part.NEXT, _("Its steps: `{command}`", command=again)),
    ]


def _title(chosen: Way, *, second: bool) -> str:
    if second or not chosen.advised:
        head = N_("Possible, but not recommended: {app} on {system}, with {entry}")
    elif chosen.option.status is Status.WORKING:
        head = N_("Recommended: {app} on {system}, with {entry}")
    elif chosen.option.status is Status.DEGRADED:
        head = N_("Better than nothing: {app} on {system}, with {entry}")
    else:
        head = N_("Not tested: {app} on {system}, with {entry}")
    return f"{_(head, **_names(chosen))} ({_(CLASSES[chosen.option.protection])})"


def _steps(told: Steps, title: str) -> list[Block]:
    blocks = [Block(Part.HEADING, title), Block(Part.TEXT, told.intro)]
    for step in told.steps:
        blocks.append(Block(Part.STEP, step.do, step.number))
        for part, text in ((Part.COPY, step.copy), (Part.SEE, step.see), (Part.RISK, step.risk)):
            if text:
                blocks.append(Block(part, text, step.number))
    return blocks


def walked(app: App) -> str:
    """Return whether the steps were walked through with the program, and with which version of it."""
    if app.walked is None:
        return _(
            "Nobody has walked through these steps with the program itself: menus may be named differently."
        )
    return _(
        "Walked through with {app} {version} on {date}.",
        app=app.name,
        version=app.walked.version,
        date=app.walked.date.isoformat(),
    )


def _notes(chosen: Way, told: Steps, asked: Asked) -> list[str]:
    notes = [walked(chosen.app)]
    if told.hides:
        reveal = asked.guide()
        notes.append(
            _(
                "Addresses are hidden. To see them: `{command} --reveal`, where nobody looks over your shoulder.",
                command=reveal,
            )
        )
    again = _for_export(chosen.option, asked.again)
    name = chosen.app.export
    if name and again and chosen.by != LOCAL:
        export = asked.export(name, again)
        notes.append(_("Or write it to a file: `{command} -o FILE`", command=export))
    if told.scans and again and chosen.system in PHONES:
        picture = asked.export("qr", again)
        notes.append(
            _("For a telephone, show it as a picture to scan: `{command} --reveal`", command=picture)
        )
    return notes


def _for_export(option: Option, again: Sequence[str]) -> Sequence[str]:
    """Return the words that lead an export to this option too: what was not tested goes out only with --untested."""
    if option.status is not Status.UNTESTED or "--untested" in again:
        return again
    return () if "--results" in again else (*again, "--untested")


def _in_reserve(chosen: Way, why: Sequence[Message], asked: Asked) -> list[Block]:
    option = chosen.option
    head = _("In reserve: {app} on {system}, with {entry}", **_names(chosen))
    again = asked.guide(("--only", option.kind), (_APP, chosen.app.id))
    return [
        Block(Part.HEADING, f"{head} ({_(CLASSES[option.protection])})"),
        *(Block(Part.POINT, say(reason)) for reason in why),
        Block(Part.NEXT, _("Its steps: `{command}`", command=again)),
    ]


def of_app(app: App) -> list[Block]:
    """Return every way of a program, without any option."""
    blocks = []
    for kinds, told in steps.of_app(app):
        if LOCAL in kinds:
            title = _("{app} over the local connection:", app=app.name)
        elif OWN in kinds:
            title = app.name
        else:
            title = _("{app} with {kinds}:", app=app.name, kinds=", ".join(kinds))
        blocks += _steps(told, title)
    return [*blocks, Block(Part.NEXT, walked(app))]


def nothing_works(told: Sequence[Message], survives: Sequence[Message], *, whole: bool = True) -> list[Block]:
    """Return what to do when nothing gets through. `told` is what the check advises, `survives` what may still pass.

    `whole` False leaves it at the advice: where nothing could be tested, nobody knows that nothing gets through.
    The page is longer than a window: the advice stands at its end again.
    """
    advice = [Block(Part.NEXT, typed(printable(say(step), 700))) for step in told]
    if not whole:
        return advice
    blocks = [*advice, *what_else(survives)]
    return [*blocks, Block(Part.HEADING, _("What to do now:")), *advice] if advice else blocks


def no_network(told: Sequence[Message]) -> list[Block]:
    """Return the one thing to do where this machine has no network, and how to see what else people used."""
    text = _(
        "What else people used when nothing gets through, and what to prepare: `{command}`",
        command=command("guide", [_WITHOUT]),
    )
    return [*nothing_works(told, (), whole=False), Block(Part.NEXT, text)]


def what_else(survives: Sequence[Message]) -> list[Block]:
    """Return what else people used when nothing got through, and what to prepare."""
    text = without.load()
    blocks = []
    if survives:
        blocks.append(Block(Part.HEADING, _("What tends to survive this:")))
        blocks += [Block(Part.POINT, say(one)) for one in survives]
    blocks += [Block(Part.HEADING, _("When nothing gets through")), Block(Part.TEXT, text.intro)]
    for item in text.items:
        blocks += [Block(Part.POINT, f"{item.title}. {item.text}"), Block(Part.RISK, item.risk, 1)]
    blocks.append(Block(Part.HEADING, _("What to prepare for the next opening")))
    return [*blocks, *(Block(Part.POINT, one) for one in text.prepare)]


def how_to_go_on(survives: Sequence[Message]) -> list[Block]:
    """Return what to do where no list was given."""
    texts = (
        N_("Give a list, and the guide tests it, says what to use, and how: `sanylau guide LIST`"),
        N_(
            "No list? The bridges that are built in are one: `sanylau bridges > FILE`, then `sanylau guide FILE`"
        ),
        N_(
            "Tested before? `sanylau guide --results FILE` uses what `sanylau check LIST --json --reveal > FILE` found."
        ),
        N_("Steps for one program, whatever you were given: `sanylau guide --app tor-browser`"),
        N_("All programs that there is a guide to: `sanylau guide --list`"),
    )
    blocks = [Block(Part.HEADING, _("Nothing was tested, and nothing was sent."))]
    blocks += [Block(Part.NEXT, typed(_(text))) for text in texts]
    if survives:
        blocks.append(Block(Part.HEADING, _("What tends to survive this:")))
        blocks += [Block(Part.POINT, say(one)) for one in survives]
    return blocks


def programs(fitting: Sequence[App], system: str) -> list[Block]:
    """Return the programs of a system, and what each of them takes."""
    blocks = [Block(Part.HEADING, _("Programs on {system}:", system=SYSTEMS[system]))]
    for app in fitting:
        takes = [*sorted(app.takes), *([_("the local connection")] if app.local else [])]
        what = ", ".join(takes) or _("proxies of its own kind only")
        blocks.append(Block(Part.POINT, f"{app.id} ({app.name}): {what}"))
    return [
        *blocks,
        Block(Part.NEXT, typed(_("Steps: `sanylau guide --app NAME`, or `sanylau guide LIST --app NAME`"))),
    ]


def serving(option: Option, served: Sequence[Way], system: str, asked: Asked) -> list[Block]:
    """Return the programs that one option goes into."""
    head = _("What {entry} can be used in on {system}:", **_place(option, system))
    blocks = [Block(Part.HEADING, head)]
    for one in served:
        how = _("over the local connection") if one.by == LOCAL else _("given directly")
        blocks.append(Block(Part.POINT, f"{one.app.id} ({one.app.name}): {how}"))
    again = asked.guide(without=_APP)
    return [*blocks, Block(Part.NEXT, _("Steps: `{command} --app NAME`", command=again))]


def does_not_fit(
    app: App | None, option: Option, known: Sequence[App], place: Place, asked: Asked
) -> list[Block]:
    """Return that no entry goes into a program, or into any of this system, and what it does go into."""
    if app is not None:
        takes = ", ".join(sorted(app.takes))
        text = _("{app} cannot use any of these entries. It takes: {takes}", app=app.name, takes=takes)
    else:
        text = _(
            "There is no guide yet to a program on {system} for {entry}.", **_place(option, place.system)
        )
    served = way.others(option, known, place)
    head = [Block(Part.HEADING, text)]
    return [*head, *serving(option, served, place.system, asked)] if served else head

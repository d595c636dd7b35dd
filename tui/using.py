"""*Use it* in words: the programs that an option goes into, the steps, and the same as labelled lines. No Textual."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from rich.text import Text

from client import advise, options
from client.guide import apps as guides
from client.guide import page, steps, way
from client.guide.apps import LOCAL, PHONES, SYSTEMS
from client.guide.steps import Step
from client.guide.way import Place, Way
from client.i18n import _, say
from client.model import LineState, Message, Protection
from client.options import Option
from client.render import words
from client.text import printable
from tui.describe import Lines, place
from tui.session import Session
from tui.state import Row

_LONGEST: Final = 8192
_WINDOW: Final = "`sanylau connect`"  # the command stands so in every language
_REASON: Final = 700
_BETTER: Final = 20  # options that protect, the best of them, from which a better way is chosen


@dataclass(frozen=True, slots=True)
class Better:
    """A way that protects where the chosen one does not, and why it is worth more (`Recommendation.better`)."""

    way: Way
    why: Sequence[Message]


def option_of(row: Row, *, now: float) -> Option:
    """Return what can be used of an entry. `now`: seconds since its run began."""
    seen = time.time() - max(0.0, now - row.verdict.finished)
    return options.of(row.verdict, name=row.id, seen=seen)


def protecting(session: Session | None, option: Option) -> tuple[Option, ...]:
    """Return the best options of a run that protect, where `option` itself does not."""
    if session is None or option.protection is not Protection.OPEN:
        return ()
    state = session.state
    rows = (state.at(index) for index in range(len(state.found())))
    found = (row for row in rows if row.verdict.protection is not Protection.OPEN)
    return tuple(option_of(row, now=session.now()) for row in islice(found, _BETTER))


def better_of(chosen: Way, others: Sequence[Option], state: LineState) -> Better | None:
    """Return what to do rather than `chosen`, None if there is nothing that serves the same purpose and protects.

    Raises Rejected where the guide's data is not as it should be.
    """
    if not others:
        return None
    known, here = guides.load(), guides.here()
    there = Place(system=chosen.system, near=chosen.system == here, line=state, now=time.time())
    found = way.recommend([chosen.option, *others], known, there, app=chosen.app)
    best = found.best
    if best is not None and best.option.protection is not Protection.OPEN:
        return Better(best, way.worth(best.option, there))
    return Better(found.better, found.better_why) if found.better is not None else None


def rather(better: Better) -> Lines:
    """Return the better way in words: which program with which entry, why, and the key that leads there."""
    option, system = better.way.option, SYSTEMS[better.way.system]
    entry = f"{option.protection.value} {printable(option.kind)} #{printable(option.id, 16)}"
    head = _(
        "Better do this: {app} on {system}, with {entry}", app=better.way.app.name, system=system, entry=entry
    )
    why = " ".join(say(message) for message in better.why)
    return [
        (_("better"), Text(f"{head} ({_(words.CLASSES[option.protection])})", style="bold")),
        ("", Text(printable(why, _REASON))),
        ("", Text(_("b leads there."), style="dim")),
    ]


def ways_of(option: Option, state: LineState) -> tuple[Way, ...]:
    """Return every way to use it, the recommended one first, then this machine's, then those of other devices.

    Raises Rejected where the guide's data is not as it should be.
    """
    known, here = guides.load(), guides.here()
    near = Place(system=here, line=state)
    best = way.recommend([option], known, near).best
    found = [best] if best is not None else []
    found += way.others(option, known, near, but=best.app if best is not None else None)
    elsewhere = sorted(SYSTEMS, key=lambda system: system not in PHONES)
    for system in elsewhere:
        if system != here:
            found += way.others(option, known, Place(system=system, near=False, line=state))
    return tuple(found)


def title_of(chosen: Way) -> str:
    """Return the program and where it runs, and a warning where it must not be used this way."""
    system = SYSTEMS[chosen.system]
    name = chosen.app.name if chosen.app.name == system else f"{chosen.app.name} · {system}"
    if chosen.by == LOCAL:
        name += " · " + _("over the local connection")
    return name if chosen.advised else f"⚠ {name} · " + _("not for messages")


def label(option: Option) -> Text:
    """Return what stands for an option: state, class, kind, short id, and where it stands in its list."""
    look = words.LOOKS[option.status]
    text = Text(f"{look.symbol} {words.word(option.status)}", style=look.style)
    parts = [
        option.protection.value,
        printable(option.kind),
        f"#{printable(option.id, 16)}",
        place(option.candidate, 30),
    ]
    return text.append("  " + "  ".join(parts), style="not bold not dim")


def about(option: Option, state: LineState, *, reveal: bool) -> Lines:
    """Return what the option is, what it protects, what was seen of it and how old that is, and its dangers."""
    now = time.time()
    lines: Lines = [(_("entry"), label(option))]
    if reveal:
        shown = printable(option.candidate.endpoint.reveal(), _LONGEST)
        lines.append(("", Text(shown, overflow="fold")))
    lines.append((_("class"), Text(class_of(option.protection))))
    seen = " ".join(say(message) for message in way.seen(option, now))
    lines.append((_("seen"), Text(printable(seen, _REASON))))
    risks = way.risks(option, Place(system=guides.here(), line=state, now=now))
    return [*lines, *(("⚠", _risk(risk)) for risk in risks)]


def can_connect(option: Option) -> bool:
    """Say whether the local connection can go through it."""
    return guides.carried(option)


def has_desktop() -> bool:
    """Say whether this system keeps a proxy for all its programs, in a place that is known."""
    from client.connect import system  # the guard and all systems: not before somebody looks at an option

    return system.desktop(sys.platform, os.environ) is not system.Desktop.OTHER


def class_of(protection: Protection) -> str:
    """Return the class and what it protects."""
    return f"{_(words.CLASSES[protection])}: {say(advise.exposure(protection))}"


def _risk(message: Message) -> Text:
    return Text(printable(say(message), _REASON), style="yellow")


def told(chosen: Way, number: int, count: int, *, reveal: bool, port: int = 0) -> Lines:
    """Return the program and its numbered steps. `port` is where the local connection listens, 0 while there is none.

    Raises Rejected where the guide's data is not as it should be.
    """
    guide = steps.of_way(chosen, reveal=reveal, port=port or steps.PORT)
    which = _("{program} ({number} of {count})", program=title_of(chosen), number=number + 1, count=count)
    lines: Lines = [
        ("", Text()),
        (_("program"), Text(which, style="bold")),
        ("", Text(guide.intro)),
        ("", Text(page.walked(chosen.app), style="dim")),
    ]
    lines += [line for step in _here(chosen, guide.steps, port) for line in _step(step)]
    if guide.hides:
        lines.append(("", Text(_("Addresses are hidden: r shows them."), style="dim")))
    if guide.scans and chosen.system in PHONES:
        lines.append(("", Text(_("For a telephone, q shows a picture to scan."), style="dim")))
    if chosen.app.export and chosen.by != LOCAL:
        said = _("e writes it to a file; the format for this program is {name}.", name=chosen.app.export)
        lines.append(("", Text(said, style="dim")))
    return lines


def _here(chosen: Way, told: Sequence[Step], port: int) -> Iterator[Step]:
    """Return the steps as they are from here: the local connection is one key away, and its port is known."""
    if chosen.by != LOCAL or not told:
        yield from told
        return
    if not port:
        yield Step(
            1,
            _("Press c here. It asks before it sends anything."),
            _("A line at the top says that it is connected, and on which port."),
        )
    else:
        yield Step(
            1,
            _(
                "Leave this open. The local connection has port {port}; the first line of the screen says how it is.",
                port=port,
            ),
        )
    rest = told[1:]
    if rest and _WINDOW in rest[0].do:  # a window of its own is kept open elsewhere; here it is this screen
        rest = rest[1:]
    yield from (replace(step, number=number) for number, step in enumerate(rest, 2))


def _step(step: Step) -> Lines:
    lines: Lines = [(f"{step.number}.", Text(step.do))]
    if step.copy:
        lines.append(("", Text(step.copy, overflow="fold", style="bold")))
    if step.see:
        lines.append(("", Text(f"→ {step.see}", style="dim")))
    if step.risk:
        lines.append(("", Text(f"⚠ {step.risk}", style="yellow")))
    return lines

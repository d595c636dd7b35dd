"""Plain text, one line a result: for pipes, slow shells, logs and screen readers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import TextIO

from client import advise
from client.events import (
    ControlFinished,
    EngineProgressed,
    Event,
    Finished,
    Judged,
    LineRejected,
    Noticed,
    Started,
)
from client.i18n import _, ngettext, say
from client.model import Message, Status, Verdict
from client.render import words
from client.text import printable, wrapped
from transports.types import N_

SYMBOLS = "✔◐☠⊘✘–…→•"
_KEPT = 200  # working verdicts kept for the end; more is not a choice any more


def can_show(text: str, out: TextIO) -> bool:
    """Say whether `out` can carry `text`."""
    try:
        text.encode(out.encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


class Plain:
    """Writes results as they come and a closing summary."""

    def __init__(self, *, reveal: bool, out: TextIO | None = None) -> None:
        self._reveal = reveal
        self._out = out or sys.stdout
        self._symbols = can_show(SYMBOLS, self._out)
        self._found: list[tuple[str, Verdict]] = []
        self._engines = words.EngineLines()

    def show(self, event: Event) -> None:
        """Write what `event` tells."""
        if isinstance(event, Judged):
            self._keep(event)
            self._line(self._result(event.id, event.verdict))
        elif isinstance(event, Started):
            for line in opening(event):
                self._line(line)
        elif isinstance(event, LineRejected):
            self._line(rejected(event))
        elif isinstance(event, Noticed):
            self._line(printable(say(event.message), 400))
        elif isinstance(event, EngineProgressed):
            text = self._engines.take(event)
            if text:
                self._line(text)
        elif isinstance(event, ControlFinished):
            message = advise.line_message(event.control.state, own=event.control.own)
            if message:
                self._line(say(message))
        elif isinstance(event, Finished):
            for line in closing(event, self._found, self._name):
                self._line(line)

    def close(self) -> None:
        """Nothing is left on the screen."""

    def _keep(self, event: Judged) -> None:
        if event.verdict.status in (Status.WORKING, Status.DEGRADED) and len(self._found) < _KEPT:
            self._found.append((event.id, event.verdict))

    def _line(self, text: str) -> None:
        if not can_show(text, self._out):
            text = text.encode(self._out.encoding or "ascii", "replace").decode(self._out.encoding or "ascii")
        for line in wrapped([text]) if self._out.isatty() else [text]:
            self._out.write(line + "\n")
        self._out.flush()

    def _name(self, name: str, verdict: Verdict) -> str:
        return name_of(name, verdict, reveal=self._reveal)

    def _result(self, name: str, verdict: Verdict) -> str:
        look = words.LOOKS[verdict.status]
        symbol = look.symbol if self._symbols else look.ascii
        parts = [f"{symbol} {words.word(verdict.status)}", verdict.protection.value, verdict.kind]
        parts += [self._name(name, verdict), where(verdict)]
        if verdict.proof.content:
            parts += [
                words.speed(verdict),
                words.seconds(verdict.proof.first_byte),
                words.moved(verdict.proof),
            ]
        if verdict.tries > 1:
            parts.append(ngettext("{n} try", "{n} tries", verdict.tries))
        return "  ".join([*filter(None, parts), printable(say(verdict.reason), 160)])


def more_rejects() -> Message:
    """Return what is said instead of the hundredth rejected line."""
    return Message(N_("… more rejected lines: --json lists them all"))


def where(verdict: Verdict) -> str:
    """Return the source and line of a candidate, and which entry of that line it is."""
    candidate = verdict.candidate
    item = f".{candidate.item}" if candidate.item else ""
    return f"{printable(PurePath(candidate.source).name, 40)}:{candidate.line}{item}"


def name_of(name: str, verdict: Verdict, *, reveal: bool) -> str:
    """Return what stands for an endpoint: its short id, or all of it behind --reveal."""
    return printable(verdict.candidate.endpoint.reveal(), 400) if reveal else f"#{name}"


def opening(event: Started) -> list[str]:
    """Return what is said before the start."""
    read = ngettext("{n} entry read", "{n} entries read", event.given)
    parts = [
        ngettext("{n} to test", "{n} to test", event.candidates),
        ngettext("{n} duplicate", "{n} duplicates", event.duplicates),
        ngettext("{n} rejected", "{n} rejected", event.rejected),
    ]
    cost = _(
        "Profile {profile}: at most {connections} connections, about {mib} MiB if all of them work.",
        profile=event.profile,
        connections=event.budget_connections,
        mib=max(1, round(event.budget_kib / 1024)),
    )
    return [f"{read}: {', '.join(parts)}.", cost]


def rejected(event: LineRejected) -> str:
    """Return the line for a rejected entry."""
    line = event.line
    return _(
        "{source}, line {line}: {reason}",
        source=printable(PurePath(line.source).name, 60),
        line=line.line,
        reason=printable(say(line.reason), 160),
    )


def counts(event: Finished) -> str:
    """Return the counts, one word per status that occurred."""
    seen = [(status, event.counts.get(status, 0)) for status in words.ORDER]
    return ", ".join(f"{number} {words.word(status)}" for status, number in seen if number)


def closing(
    event: Finished, found: list[tuple[str, Verdict]], name: Callable[[str, Verdict], str]
) -> list[str]:
    """Return the summary: counts, the best options, the next step."""
    lines = [""]
    done = counts(event) or _("nothing was tested")
    head = N_("Stopped after {seconds}: {counts}.") if event.stopped else N_("Done in {seconds}: {counts}.")
    lines.append(_(head, seconds=words.seconds(event.elapsed), counts=done))
    if event.first_working is not None:
        lines.append(_("First working after {seconds}.", seconds=words.seconds(event.first_working)))
    verdicts = {id(verdict): short for short, verdict in found}
    chosen = advise.best(verdict for _short, verdict in found)
    if chosen:
        lines.append(_("Best options (class first, then speed):"))
    labels = [name(verdicts[id(verdict)], verdict) for verdict in chosen]
    widths = [max(map(len, column), default=0) for column in (labels, [where(verdict) for verdict in chosen])]
    for label, verdict in zip(labels, chosen, strict=True):
        head = f"  {verdict.protection.value}  {verdict.kind:<11}"
        place = f"{label:<{widths[0]}}  {where(verdict):<{widths[1]}}"
        lines.append(f"{head}  {place}  {words.figures(verdict, event.elapsed)}")
    if chosen:
        lines += _meaning(chosen)
    lines += [f"→ {say(step)}" for step in advise.after(event, [v for _s, v in found])]
    return lines


def _meaning(chosen: list[Verdict]) -> list[str]:
    classes = sorted({verdict.protection for verdict in chosen})
    return [f"  {_(words.CLASSES[kind])}: {say(advise.exposure(kind))}" for kind in classes]

"""Faces of the local connection: plain lines, with a line of figures on a terminal, and JSON Lines."""

from __future__ import annotations

import shutil
import sys
from pathlib import PurePath
from typing import Final, TextIO

from client import advise, events
from client.connect.events import (
    Checked,
    Event,
    Held,
    Hold,
    Listening,
    Lost,
    Noticed,
    Status,
    Summary,
    Using,
    Why,
)
from client.i18n import _, ngettext, say
from client.model import Message, Verdict
from client.model import Status as Verdicts
from client.options import Option
from client.render import plain, words
from client.render.plain import can_show
from client.text import printable, wrapped
from transports.types import N_

_KEPT: Final = 200
_MESSAGE: Final = 400
_RARELY: Final = 60.0  # seconds between two lines of figures where a line cannot be rewritten
_LATELY: Final = 15.0  # seconds since the last answer after which the figures tell of it
_WHY: Final = {
    Why.START: N_("in use"),
    Why.FAILOVER: N_("in use instead"),
    Why.BETTER: N_("in use now, it protects more"),
}
_HELD: Final = {
    Hold.ONLY_LOWER: N_("Traffic is stopped: only options of a lower class are left (class {there})."),
    Hold.TRYING: N_("Traffic is still stopped: trying class {there} …"),
    Hold.NOTHING_WORKS: N_(
        "Traffic is stopped: nothing works now. What has worked is tried again, with growing pauses; nothing goes past it."
    ),
}
_NEXT: Final = {
    Hold.ONLY_LOWER: N_(
        "A better one is used as soon as it is back. Class {there} is allowed from the start with --lowest {there}."
    ),
    Hold.NOTHING_WORKS: N_("Leave it running, or stop it with Ctrl-C and give it another list."),
}
_SYMBOLS: Final = {"good": ("✔", "+"), "bad": ("✘", "x"), "held": ("⊘", "#"), "open": ("•", "*")}


class Found:
    """What of the check is worth keeping for its end."""

    def __init__(self) -> None:
        self.verdicts: list[tuple[str, Verdict]] = []
        self.engines = words.EngineLines()

    def take(self, event: events.Event) -> None:
        """Take in one event of the check."""
        if isinstance(event, events.Judged):
            usable = event.verdict.status in (Verdicts.WORKING, Verdicts.DEGRADED)
            if usable and len(self.verdicts) < _KEPT:
                self.verdicts.append((event.id, event.verdict))

    def advice(self, event: events.Finished) -> list[str]:
        """Return what is said at the end of a check that has found nothing to use."""
        if event.counts.get(Verdicts.WORKING):
            return []
        counted = plain.counts(event) or _("nothing was tested")
        steps = advise.after(event, [verdict for _name, verdict in self.verdicts])
        return [_("The list is tested: {counts}.", counts=counted), *(f"→ {say(step)}" for step in steps)]


class Lines:
    """Plain lines. With `live` the last line shows the figures and is rewritten."""

    def __init__(self, *, reveal: bool, live: bool, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._reveal, self._live = reveal, live
        self.beat = 1.0 if live else 5.0
        self._symbols = can_show(plain.SYMBOLS, self._out)
        self._found = Found()
        self._width = 0
        self._uptime = self._moved = 0.0
        self._tested = ""
        self._in_use = self._asking = False
        self._last = ""

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Status):
            self._figures(event)
        elif isinstance(event, Checked):
            self._checked(event.event)
        elif isinstance(event, Using):
            self._line("good", using(event, reveal=self._reveal, again=event.id == self._last))
            self._in_use, self._asking, self._last = True, False, event.id
        elif isinstance(event, Lost):
            self._line("bad", lost(event, reveal=self._reveal))
        elif isinstance(event, Held):
            self._asking = event.why is Hold.ONLY_LOWER
            for text in held(event, ending=not self._in_use):
                self._line("held", text)
        elif isinstance(event, Listening):
            for text in listening(event):
                self._line("open", text)
        elif isinstance(event, Noticed):
            self._asking = False
            self._line("open", printable(say(event.message), _MESSAGE))
        else:
            self._line("open", summary(event))

    def close(self) -> None:
        """Take the line of figures away."""
        self._wipe()
        self._out.flush()

    def _checked(self, event: events.Event) -> None:
        self._found.take(event)
        if isinstance(event, events.Judged) and event.verdict.status is Verdicts.WORKING:
            verdict = event.verdict
            name = plain.name_of(event.id, verdict, reveal=self._reveal)
            parts = [_("works"), verdict.protection.value, verdict.kind, name, plain.where(verdict)]
            self._line("good", "  ".join([*parts, words.speed(verdict)]))
        elif isinstance(event, events.Noticed):
            self._line("open", printable(say(event.message), _MESSAGE))
        elif isinstance(event, events.LineRejected):
            self._line("bad", plain.rejected(event))
        elif isinstance(event, events.EngineProgressed):
            if not self._in_use and (text := self._found.engines.take(event)):
                self._line("open", text)
        elif isinstance(event, events.Progressed):
            self._tested = _("{done} of {total} tested", done=event.done, total=event.total)
        elif isinstance(event, events.Finished):
            self._tested = ""
            for text in self._found.advice(event):
                self._line("open", text)

    def _figures(self, event: Status) -> None:
        text = figures(event, reveal=self._reveal)
        if not self._live:
            moved = event.up + event.down
            if event.option is not None and moved != self._moved and event.uptime - self._uptime >= _RARELY:
                self._line("open", text)
                self._moved, self._uptime = moved, event.uptime
            self._uptime = min(self._uptime, event.uptime)
            return
        if self._asking:  # the question stands there
            return
        self._wipe()
        room = shutil.get_terminal_size().columns - 1
        if len(text) > room:
            text = short(event)
        text = "  ".join(filter(None, [text, self._tested]))
        text = self._shown(text)[:room]  # a second line could not be taken back
        self._out.write(text)
        self._out.flush()
        self._width = len(text)

    def _wipe(self) -> None:
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._width = 0

    def _line(self, kind: str, text: str) -> None:
        self._wipe()
        symbol, stand_in = _SYMBOLS[kind]
        said = f"{symbol if self._symbols else stand_in} {text}"
        for line in wrapped([said]) if self._live else [said]:
            self._out.write(self._shown(line) + "\n")
        self._out.flush()

    def _shown(self, text: str) -> str:
        if can_show(text, self._out):
            return text
        return text.encode(self._out.encoding or "ascii", "replace").decode(self._out.encoding or "ascii")


def kind(option: Option) -> str:
    """Return what is spoken, as people name it."""
    return option.kind if option.transport == "tor_bridge" else option.transport


def name(short: str, option: Option, *, reveal: bool) -> str:
    """Return class, kind and what stands for an option: its short id, or all of it behind --reveal."""
    shown = printable(option.candidate.endpoint.reveal(), 400) if reveal else f"#{short}"
    source = printable(PurePath(option.candidate.source).name, 40)
    return f"{option.protection.value}  {kind(option)}  {shown}  {source}:{option.candidate.line}"


def listening(event: Listening) -> list[str]:
    """Return how programs reach the connection."""
    lines = []
    if event.alone:
        return [
            _(
                "A port is open for the command alone. Programs that do not read the proxy from it go directly."
            )
        ]
    if event.instead:
        lines.append(_("Port {port} is taken here, so another one was opened.", port=event.instead))
    values = {"address": event.address, "port": event.port}
    if event.address in ("0.0.0.0", "::"):
        lines.append(
            _(
                "Set programs on other machines to an address of this machine, port {port} (SOCKS5 or HTTP), with any user name and the password.",
                **values,
            )
        )
        values["address"] = "127.0.0.1" if event.address == "0.0.0.0" else "::1"
    lines.append(_("Set your programs to the proxy {address}, port {port} (SOCKS5 or HTTP).", **values))
    lines.append(
        _("Names are looked up at the far end. Nothing goes past it: while nothing works, nothing goes.")
    )
    return lines


def using(event: Using, *, reveal: bool, again: bool = False) -> str:
    """Return the line for an option that has come into use, with what it exposes; `again`: it was the last one too."""
    exposes = say(advise.exposure(event.option.protection))
    values = {
        "what": name(event.id, event.option, reveal=reveal),
        "how": _("in use again") if again else _(_WHY[event.why]),
    }
    return _(
        "{how}: {what}, proved {age} ago; {exposes}", **values, age=words.seconds(event.age), exposes=exposes
    )


def lost(event: Lost, *, reveal: bool) -> str:
    """Return the line for an option that has died."""
    where = f" ({_(words.STEPS[event.step])})" if event.step else ""
    what = name(event.id, event.option, reveal=reveal)
    text = _("lost: {what}: {reason}", what=what, reason=printable(say(event.reason), 160) + where)
    cut = ngettext("{n} connection was reset", "{n} connections were reset", event.cut)
    return f"{text}; {cut}" if event.cut else text


def held(event: Held, *, ending: bool = False) -> list[str]:
    """Return that traffic is stopped, why, and what to do. `ending`: nothing was in use yet, so waiting is no advice."""
    values = {"there": event.there.value if event.there else "–"}
    lines = [_(_HELD[event.why], **values)]
    if event.why in _NEXT and not (ending and event.why is Hold.NOTHING_WORKS):
        lines.append("→ " + _(_NEXT[event.why], **values))
    return lines


def figures(event: Status, *, reveal: bool) -> str:
    """Return the line of figures."""
    if event.option is None:
        return (
            _("traffic is stopped; what protects enough is tried again by itself")
            if event.held
            else _("no option yet")
        )
    return "  ".join(
        [
            name(event.id, event.option, reveal=reveal),
            _("up {size}", size=size(event.up)),
            _("down {size}", size=size(event.down)),
            ngettext("{n} connection", "{n} connections", event.connections),
            *([_("{n} still through a lower class", n=event.below)] if event.below else []),
            _silence(event) or _("answers in {seconds}", seconds=words.seconds(event.latency)),
            _("in use for {time}", time=clock(event.uptime)),
            _("proved {time} ago", time=clock(event.age)),
        ]
    )


def short(event: Status) -> str:
    """Return the figures for a narrow terminal: no source, fewer words."""
    if (option := event.option) is None:
        return figures(event, reveal=False)
    return ", ".join(
        [
            f"{option.protection.value} {kind(option)} #{event.id}",
            f"↑ {size(event.up)} ↓ {size(event.down)}",
            ngettext("{n} open", "{n} open", event.connections),
            *([_("{n} still through a lower class", n=event.below)] if event.below else []),
            _silence(event) or words.seconds(event.latency),
            _("proof {time}", time=clock(event.age)),
            _("in use {time}", time=clock(event.uptime)),
        ]
    )


def _silence(event: Status) -> str:
    """Return how old the last answer is where an old latency would pass for a sign of life, else nothing."""
    if event.quiet is None or event.quiet <= _LATELY:
        return ""
    return _("last answer {time} ago", time=clock(event.quiet))


def summary(event: Summary) -> str:
    """Return the last line."""
    values = {"time": clock(event.uptime), "up": size(event.up), "down": size(event.down)}
    text = _("Ended after {time}: {up} up, {down} down.", **values)
    return text + " " + ngettext("{n} connection in all.", "{n} connections in all.", event.connections)


def size(count: int) -> str:
    """Return a number of bytes with its unit."""
    if count < 1024 * 1024:
        return _("{n} KiB", n=f"{count / 1024:.0f}")
    return _("{n} MiB", n=f"{count / 1024 / 1024:.1f}")


def clock(seconds: float | None) -> str:
    """Return a duration as minutes and seconds, with hours where there are some; a dash for none."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def nothing_there(command: str) -> Message:
    """Return the line for a command that is not there."""
    return Message(
        N_("{command}: there is no such command here; nothing was sent"), {"command": printable(command, 80)}
    )

"""What a watch says: states, turns, the pace, the calendar drawn, and the question before the first packet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from client.diagnosis.anchors import Anchors, Server
from client.diagnosis.sights import Place
from client.i18n import N_, _, ngettext, say
from client.text import printable
from client.watch import events as told
from client.watch.calendar import Calendar, Mark
from client.watch.clock import Why
from client.watch.predict import Forecast
from client.watch.pulse import Mode
from client.watch.state import Change, State

STATES: Final = {
    State.UNKNOWN: N_("not known yet"),
    State.OPEN: N_("open: servers abroad answer"),
    State.ALLOW_LIST: N_("only what is on a list passes; nothing else from abroad"),
    State.HOLES: N_("cut, but some ports still cross"),
    State.SHUT: N_("cut: nothing comes from abroad"),
    State.OUTAGE: N_("outage: nothing answers, in the country neither"),
    State.LOCAL: N_("this machine has no connection"),
    State.PORTAL: N_("a login page is in the way: open a browser"),
}
_WAITS: Final = N_("You need do nothing: it waits on. Calls, SMS or another operator may still work.")
NEXT: Final = {
    State.UNKNOWN: "",
    State.OPEN: N_("Next, as long as it lasts: sanylau check in another window, then sanylau connect."),
    State.ALLOW_LIST: N_("Next: services in this country may carry messages. It waits on."),
    State.HOLES: N_("Next: sanylau holes in another window names what crosses. It waits on."),
    State.SHUT: _WAITS,
    State.OUTAGE: _WAITS,
    State.LOCAL: N_("Next: look at the cable, the Wi-Fi or the mobile data of this machine."),
    State.PORTAL: N_("Next: open any page in a browser and log in. It waits on."),
}
PACES: Final = {
    Mode.FULL: N_("At most 2 connections and 6 kB a minute, at random times."),
    Mode.SLOW: N_("At most one connection in two minutes, at random times."),
    Mode.BURST: N_("An opening is likely now: at most 6 connections and 18 kB a minute."),
}
JOBS: Final = {
    "recheck": N_("Testing the best entries again."),
    "bridges": N_("Fetching fresh bridges."),
    "command": N_("Running your command."),
}
_MARKS: Final = {Mark.OPEN: "█", Mark.PARTLY: "▒", Mark.SHUT: "·", None: " "}
_ASCII: Final = {Mark.OPEN: "#", Mark.PARTLY: "+", Mark.SHUT: ".", None: " "}
MARK_NAMES: Final = {Mark.OPEN: "open", Mark.PARTLY: "partly", Mark.SHUT: "shut"}
_HOURS: Final = 24
_NAMED: Final = 400  # more than a file of anchors may have: who is asked is always named


def clock(at: float, zone: tzinfo | None = None) -> str:
    """Return hours and minutes of a Unix time, on this machine's clock unless a zone is given."""
    return f"{datetime.fromtimestamp(at, zone):%H:%M}"


def line(event: told.Event, zone: tzinfo | None = None) -> str:
    """Return what a person reads of an event, "" for what only scripts want."""
    text = _line(event, zone)
    return f"{clock(event.at, zone)}  {text}" if text else ""


def _line(event: told.Event, zone: tzinfo | None) -> str:
    match event:
        case told.Began():
            return _(PACES[Mode.FULL])
        case told.Paced():
            return _(PACES[event.mode])
        case told.Turned():
            return turned(event)
        case told.Expected():
            return expected(event.forecast, zone)
        case told.Jumped():
            if event.jump.why is Why.SLEEP:
                return _("This machine slept; what was before is forgotten.")
            return _("The clock of this machine was set; the calendar goes by the new time.")
        case told.Moved():
            return _("This is another network now; watching anew.")
        case told.NotKept():
            return _("The calendar was not kept: {why}", why=printable(say(event.why), 300))
        case told.Held():
            return _(
                "It opens and shuts all the time: what is queued waits until {time}. To test at once: sanylau check",
                time=clock(event.until, zone),
            )
        case told.JobBegan():
            return _(JOBS[event.name])
        case told.JobEnded():
            return printable(say(event.message), 400)
        case told.Ended():
            kib = round(event.total / 1024)
            return _("Over. {connections} connections, {kib} KiB.", connections=event.connections, kib=kib)
        case _:
            return ""


def advice(event: told.Event) -> str:
    """Return what to do now, in a line of its own; "" where there is nothing new to do."""
    match event:
        case told.Began():
            return _("Waiting. Leave it running: it rings when something opens. Ctrl-C stops it.")
        case told.Turned():
            text = NEXT[event.turn.new]
            return _(text) if text else ""
        case told.Ended() if event.opened:
            return _("Next: sanylau check tests what works now, sanylau connect uses it.")
        case told.Ended():
            return _("Next: sanylau watch waits on; sanylau diagnose tells what kind of cut this is.")
        case _:
            return ""


def turned(event: told.Turned) -> str:
    """Return what a turn is called."""
    state = _(STATES[event.turn.new])
    if event.turn.change is Change.OPENED:
        return _("It opened: {state}", state=state)
    if event.turn.change is Change.SHUT:
        return _("It shut: {state}", state=state)
    return _("Now: {state}", state=state)


def expected(forecast: Forecast | None, zone: tzinfo | None = None) -> str:
    """Return when it is likely to open next, and how sure that is."""
    if forecast is None:
        return ""
    values: dict[str, Any] = {
        "day": f"{datetime.fromtimestamp(forecast.start, zone):%d.%m.}",
        "start": clock(forecast.start, zone),
        "minutes": round(forecast.spread / 60),
        "days": forecast.days,
        "watched": forecast.watched,
        "percent": round(100 * forecast.sure),
    }
    return _(
        "Next likely opening: {day} {start}, {minutes} minutes either way; sure to {percent} % (it opened then on {days} of {watched} days).",
        **values,
    )


def drawn(calendar: Calendar, *, symbols: bool = True, zone: tzinfo | None = None) -> list[str]:
    """Return the calendar, a day per row of half hours, under a line of hours; [] where nothing was watched."""
    rows = calendar.rows(zone)
    if not rows:
        return []
    marks = _MARKS if symbols else _ASCII
    hours = "".join(f"{hour:02}".ljust(12) for hour in range(0, _HOURS, 6)).rstrip()
    drawing = [f"        {hours}"]
    drawing += [
        f"{row.day:%d.%m.} │{''.join(marks[cell] for cell in row.cells)}│ "
        + _("{hours} h {minutes} min", hours=row.minutes // 60, minutes=row.minutes % 60)
        for row in rows
    ]
    legend = _(
        "{open} open  {partly} in part  {shut} shut  blank: not watched",
        open=marks[Mark.OPEN],
        partly=marks[Mark.PARTLY],
        shut=marks[Mark.SHUT],
    )
    return [one if symbols else one.replace("│", "|") for one in drawing] + [legend]


def consent_text(
    anchors: Anchors, after: Sequence[str], *, kept: bool, ports: Sequence[int] = ()
) -> list[str]:
    """Return what the person agrees to: who is asked, how often, what is done when it opens. `kept`: in a vault.

    `ports` are other ports that are tried abroad.
    """
    lines = [_("Before the first packet leaves this machine:")]
    lines.append(
        "• "
        + _("Servers abroad are asked in turn for a handshake: {hosts}", hosts=_hosts(anchors, Place.ABROAD))
    )
    if home := _hosts(anchors, Place.HOME, Place.LISTED):
        lines.append("• " + _("So are servers in this country: {hosts}", hosts=home))
    lines.append(
        "• "
        + _(
            "At most 2 connections and 6 kB a minute, one in two minutes after an hour; near a likely opening 6 a minute. Your operator can see them."
        )
    )
    if ports:
        lines.append(
            "• "
            + _(
                "While it is shut, servers abroad are asked for a connection to ports that crossed in past cuts too, one at a time: {ports}",
                ports=", ".join(map(str, ports)),
            )
        )
    if any(not server.addresses for place in Place for server in anchors.at(place)):
        lines.append("• " + _("Your resolver is asked for the addresses of servers that have only a name."))
    if after:
        lines += ["• " + _("When something opens, at once and in this order:"), *after]
    lines.append(
        "• "
        + (
            _("The calendar is kept in your vault, nowhere else.")
            if kept
            else _("Nothing is written to disk: without a vault the calendar is gone at the end.")
        )
    )
    return lines


def _hosts(anchors: Anchors, *places: Place) -> str:
    servers = [server for place in places for server in anchors.at(place)]
    names = list(dict.fromkeys(_named(server) for server in servers))
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _named(server: Server) -> str:
    name = printable(server.name, 80)
    return f"{name} ({printable(server.operator, 40)})" if server.operator else name


def as_json(event: told.Event) -> list[dict[str, Any]]:
    """Return the objects for scripts (docs/watch.md); none for what they need not know."""
    at = round(event.at)
    match event:
        case told.Began():
            return [_object("started", at, pace=Mode.FULL)]
        case told.Asked():
            values = {"place": event.place, "who": event.who, "came": event.came, "bytes": round(event.moved)}
            return [_object("test", at, **values, connections=event.connections)]
        case told.Paced():
            return [_object("pace", at, pace=event.mode)]
        case told.Turned():
            turn = event.turn
            values = {"state": turn.new, "before": turn.old, "change": turn.change.value or None}
            return [_object("state", at, **values)]
        case told.Expected():
            return [_object("prediction", at, **forecast_json(event.forecast))]
        case told.Jumped():
            return [_object("jump", at, why=event.jump.why, seconds=round(event.jump.seconds))]
        case told.Moved():
            return [_object("network", at)]
        case told.NotKept():
            return [_object("not_kept", at, why=printable(say(event.why), 300))]
        case told.Held():
            return [_object("held", at, until=round(event.until))]
        case told.JobBegan():
            return [_object("job", at, job=event.name, done=None, message=None)]
        case told.JobEnded():
            message = printable(say(event.message), 400)
            return [_object("job", at, job=event.name, done=event.done, message=message), *_found(event, at)]
        case told.Ended():
            values = {"opened": event.opened, "shut": event.shut, "connections": event.connections}
            return [_object("summary", at, **values, bytes=round(event.total))]
        case _:
            return []


def forecast_json(forecast: Forecast | None) -> dict[str, Any]:
    """Return the next likely window; null where nothing repeats itself."""
    if forecast is None:
        return {"opens": None}
    return {
        "opens": round(forecast.start),
        "opens_utc": f"{datetime.fromtimestamp(forecast.start, UTC):%Y-%m-%dT%H:%MZ}",
        "shuts": round(forecast.end),
        "spread_s": round(forecast.spread),
        "sure": forecast.sure,
        "days": forecast.days,
        "watched": forecast.watched,
    }


def _found(event: told.JobEnded, at: int) -> Iterable[dict[str, Any]]:
    if event.name == "recheck":
        for name, verdict in event.found.verdicts:
            values = {"id": name, "transport": verdict.kind, "class": verdict.protection.value}
            yield _object("result", at, **values, status=verdict.status.value)
    elif event.name == "bridges":
        for bridge in event.found.bridges:
            yield _object("bridge", at, line=bridge.text)


def found(event: told.JobEnded) -> list[str]:
    """Return what a job found, line by line: entries by their short ids, bridges whole, for they are what is wanted."""
    if event.name == "recheck":
        return [
            f"{name}  {verdict.kind}  {verdict.status.value}"
            for name, verdict in event.found.verdicts
            if verdict.candidate in event.found.working
        ]
    if event.name == "bridges":
        return [printable(bridge.text, 4096) for bridge in event.found.bridges]
    return []


def _object(kind: str, at: int, **values: Any) -> dict[str, Any]:
    return {"v": 1, "type": kind, "at": at, **values}


def played(right: int, count: int) -> str:
    """Return how many windows of a replay were announced in time."""
    return ngettext(
        "{n} window, {right} announced within one test.",
        "{n} windows, {right} announced within one test.",
        count,
        right=right,
    )

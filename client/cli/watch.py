"""`sanylau watch`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from client.cli.check import fail, reason
from client.cli.target_options import target_options, wishes_of
from client.exits import Exit
from client.i18n import _
from client.text import printable, wrapped
from transports.types import Rejected

if TYPE_CHECKING:
    from client.watch.events import Event, JobEnded
    from client.watch.prepare import Wishes
    from client.watch.run import Watch

_BELL: Final = "\a"


@click.command(
    short_help=_("Wait for an opening, then act at once."),
    help=_(
        "Wait with tiny questions at random times until something opens; then ring, test the best entries of LIST again, fetch bridges and run your command."
    )
    + "\n\n"
    + _("With --vault it keeps a calendar of open and shut hours and names the next likely opening.")
    + "\n\n"
    + _("Exit status: 0 something opened, 1 nothing did, 2 wrong usage or no consent, 130 you stopped it."),
)
@click.argument("lists", nargs=-1, metavar=_("[LIST]..."))
@click.option(
    "--on-open", metavar=_("CMD"), default="", help=_("Run this when something opens; no shell is used.")
)
@click.option(
    "--notice",
    metavar=_("TEXT"),
    default="",
    help=_("Words of the notice on the desktop. Nothing that tells."),
)
@click.option("--once", is_flag=True, help=_("Stop when something has opened and the rest is done."))
@click.option(
    "--bridges",
    type=click.Choice(("through", "direct", "front", "none")),
    help=_("How to fetch bridges then: through what works (the default), directly, behind another name."),
)
@click.option("--calendar", is_flag=True, help=_("Draw the vault's calendar of this network and stop."))
@click.option(
    "--country", metavar="CC", default="", help=_("Ask servers in this country too, for example KZ.")
)
@click.option("--anchors", metavar=_("FILE"), default="", help=_("Ask the servers of this file instead."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@target_options
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def watch(
    ctx: click.Context,
    /,
    lists: tuple[str, ...],
    calendar: bool,
    as_json: bool,
    yes: bool,
    **rest: Any,
) -> None:
    """Collect the wishes and carry them out."""
    from client.watch.prepare import Wishes

    own = {name: rest.pop(name) or "" for name in ("on_open", "notice", "bridges", "country", "anchors")}
    if own["country"] and own["anchors"]:
        ctx.exit(fail(_("give --country or --anchors, not both")))
    if calendar:
        ctx.exit(_show_calendar(as_json=as_json))
    once = bool(rest.pop("once"))
    ctx.exit(
        _perform(Wishes(check=wishes_of(lists, rest, first=0), once=once, **own), as_json=as_json, yes=yes)
    )


def _perform(wishes: Wishes, *, as_json: bool, yes: bool) -> int:
    """Prepare, ask, watch. Returns the exit status."""
    prepared = _prepared(wishes)
    if isinstance(prepared, Exit):
        return prepared
    if not yes:
        from client import consent
        from client.vault.consents import Matter
        from client.watch import prepare

        matter = Matter(command="watch", contacts=prepare.contacted(prepared, wishes))
        agreed = consent.ask(prepare.consent_text(prepared), matter=matter)
        if agreed is None:
            return fail(_("nothing was sent: there is no terminal to ask on; agree beforehand with --yes"))
        if not agreed:
            return fail(_("nothing was sent."))
        if prepare.must_ask_for_disk(prepared) and consent.ask(consent.about_disk()):
            prepared = _prepared(prepare.with_disk(wishes))
            if isinstance(prepared, Exit):
                return prepared
    return _carry_out(prepared, as_json=as_json)


def _prepared(wishes: Wishes) -> Watch | Exit:
    from client import check as checking
    from client.watch import prepare

    try:
        return prepare.prepare(wishes)
    except checking.BadList as bad:
        return fail(f"{printable(bad.source, 120)}: {reason(bad.rejected)}")
    except Rejected as rejected:
        return fail(reason(rejected))


def _carry_out(prepared: Watch, *, as_json: bool) -> int:
    import asyncio

    from client import platform

    try:
        return platform.run(_watch(prepared, _Face(as_json=as_json)))
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.NOT_READ


async def _watch(prepared: Watch, face: _Face) -> int:
    """Watch until Ctrl-C, or with --once until something has opened."""

    from client.platform import on_interrupt
    from client.steering import Stop
    from client.watch import events as told
    from client.watch.run import watching

    stop = Stop()
    opened = 0
    with on_interrupt(lambda: stop.ring("interrupted")):
        async with watching(prepared, stop) as events:
            async for event in events:
                face.show(event)
                if isinstance(event, told.JobEnded) and event.name in ("recheck", "bridges"):
                    await _keep(event)
                if isinstance(event, told.Ended):
                    opened = event.opened
    if stop.why == "interrupted":
        return Exit.INTERRUPTED
    return Exit.WORKING if opened else Exit.NOTHING


async def _keep(event: JobEnded) -> None:
    """Keep what a job found in the open vault; where that cannot be, say so and go on waiting."""
    import asyncio

    from client.watch import prepare

    try:
        await asyncio.to_thread(prepare.keep, event.found)
    except Rejected as rejected:
        fail(reason(rejected))


class _Face:
    """Shows the stream as lines, for people or for scripts; rings the terminal's bell."""

    def __init__(self, *, as_json: bool) -> None:
        from client.render.plain import can_show

        self._json = as_json
        self._symbols = can_show("█▒·│", sys.stdout)
        self._calendar: Any = None

    def show(self, event: Event) -> None:
        from client.watch import events as told
        from client.watch import words

        if isinstance(event, told.Turned) and event.turn.change.value and sys.stderr.isatty():
            sys.stderr.write(_BELL)
            sys.stderr.flush()
        if self._json:
            for told_so in words.as_json(event):
                _write(json.dumps(told_so))
            return
        if isinstance(event, told.Noted):
            self._calendar = event.calendar
        if isinstance(event, told.Ended) and self._calendar is not None:
            for drawn in words.drawn(self._calendar, symbols=self._symbols):
                _write(drawn)
        if text := words.line(event):
            for one in wrapped([text]):
                _write(one)
        if text := words.advice(event):
            for one in wrapped([f"       {text}"]):
                _write(one)
        if isinstance(event, told.JobEnded):
            for one in words.found(event):
                _write(one)


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _show_calendar(*, as_json: bool) -> int:
    """Draw what the vault holds of this network, and what is likely next."""
    import time

    from client.render.plain import can_show
    from client.vault import opened
    from client.watch import words
    from client.watch.calendar import Calendar
    from client.watch.predict import forecast

    try:
        vault = opened.opened()
        calendar = Calendar.from_json(vault.content.calendars.get(opened.here()))
    except Rejected as rejected:
        return fail(reason(rejected))
    likely = forecast(calendar, time.time())
    if as_json:
        for row in calendar.rows():
            spans = [[span.start, span.end, words.MARK_NAMES[span.mark]] for span in row.spans]
            _write(json.dumps({"v": 1, "type": "day", "day": row.day.isoformat(), "spans": spans}))
        _write(json.dumps({"v": 1, "type": "prediction", **words.forecast_json(likely)}))
        return Exit.WORKING
    lines = words.drawn(calendar, symbols=can_show("█▒·│", sys.stdout))
    for one in lines or [_("Nothing was watched on this network yet.")]:
        _write(one)
    if text := words.expected(likely):
        _write(text)
    return Exit.WORKING

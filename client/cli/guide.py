"""`sanylau guide`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from client.cli.check import fail, reason
from client.cli.target_options import target_options
from client.commands import absolute
from client.exits import Exit, of_run
from client.i18n import _
from client.model import LineState, Status
from transports.types import Rejected

if TYPE_CHECKING:
    from client.check import Wishes
    from client.cli.obtain import Obtained
    from client.events import Finished
    from client.guide.apps import App
    from client.guide.page import Asked, Block
    from client.guide.way import Place, Way

_ENOUGH = 2  # one to recommend, one in reserve


@click.command(
    short_help=_("Use what works, step by step."),
    help=_("Say which of the entries in each LIST to use, in which program, and how: step by step.")
    + "\n\n"
    + _("Without a LIST nothing is tested and nothing is sent; --app NAME shows the steps of a program.")
    + "\n\n"
    + _(
        "Exit status: 0 something works, 1 nothing works, 2 wrong usage or no consent, 3 nothing was tested, 130 interrupted."
    ),
)
@click.argument("lists", nargs=-1, metavar=_("[LIST]..."))
@click.option("--app", "app_name", metavar=_("NAME"), help=_("The program to be used; --list names them."))
@click.option(
    "--os",
    "system",
    type=click.Choice(("windows", "macos", "linux", "android", "ios", "tails")),
    help=_("The system that the program runs on, if not this one."),
)
@click.option("--list", "listing", is_flag=True, help=_("Name the programs that there is a guide to."))
@click.option(
    "--results",
    metavar=_("FILE"),
    help=_("Use the results of `check --json --reveal` instead of a new check."),
)
@click.option("--untested", is_flag=True, help=_("Take the list as it is: test nothing, send nothing."))
@click.option(
    "--without", "without", is_flag=True, help=_("Say what else people used when nothing gets through.")
)
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object."))
@click.option("--reveal", is_flag=True, help=_("Show addresses and secrets; they are masked otherwise."))
@target_options
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def guide(
    ctx: click.Context,
    /,
    lists: tuple[str, ...],
    app_name: str | None,
    system: str | None,
    listing: bool,
    results: str | None,
    untested: bool,
    without: bool,
    as_json: bool,
    reveal: bool,
    yes: bool,
    **rest: Any,
) -> None:
    """Collect the wishes and carry them out."""
    from client.cli.target_options import wishes_of
    from client.guide import apps as guides

    known = guides.load()
    try:
        _refuse(app_name, lists, listing=listing, untested=untested and results is None)
        app = guides.named(known, app_name) if app_name else None
        where = _system(known, app, system)
    except Rejected as rejected:
        ctx.exit(_refused(rejected))
    asked = _asked(ctx, app, reveal=reveal)
    face = _Face(known, app, where, asked, as_json=as_json)
    if without:
        ctx.exit(face.what_else())
    if (
        app is not None and guides.OWN in app.ways
    ):  # no entry of any list goes into it: nothing is to be tested
        ctx.exit(face.program(app))
    if not lists and results is None:
        ctx.exit(face.without_list(listing=listing, diagnosis=rest["diagnosis"]))
    wishes = wishes_of(lists, rest, first=_ENOUGH)
    ctx.exit(_obtained(face, wishes, listing=listing, results=results, untested=untested, yes=yes))


def _refuse(app_name: str | None, lists: tuple[str, ...], *, listing: bool, untested: bool) -> None:
    """Raise Rejected for options that say nothing, or contradict each other."""
    from transports.types import N_

    if app_name is not None and not app_name.strip():
        raise Rejected(N_("--app needs the name of a program; --list names them all"))
    if listing and app_name is not None:
        raise Rejected(N_("--list names programs and --app shows one: leave out one of them"))
    if untested and not lists:
        raise Rejected(N_("--untested takes a list as it is: name the list"))


def _refused(rejected: Rejected) -> Exit:
    """Say why not. The names of all programs do not go into one line."""
    from client.text import wrapped

    sys.stderr.write("\n".join(wrapped([f"sanylau: {reason(rejected)}"])) + "\n")
    return Exit.USAGE


def _asked(ctx: click.Context, app: App | None, *, reveal: bool) -> Asked:
    """Return how the guide was asked for: what it prints shall lead to the same, from any folder."""
    from client.cli.target_options import given_words
    from client.guide.page import Asked

    given = ctx.params
    lists = tuple(map(absolute, given["lists"]))
    again = (*lists, *(["--untested"] * given["untested"]))
    if given["results"] is not None:
        again = ("--results", absolute(given["results"]))
    chosen = [("--app", app.id)] if app is not None else []
    if given["system"] is not None:
        chosen.append(("--os", given["system"]))
    return Asked(lists=lists, again=again, reveal=reveal, tests=given_words(ctx), chosen=tuple(chosen))


def _system(known: Sequence[App], app: App | None, wanted: str | None) -> str:
    """Return the system that the program runs on: the one asked for, this one, else the app's own. Raises Rejected."""
    from client.guide import apps as guides
    from transports.types import N_

    if app is None:
        return wanted or guides.here()
    if wanted is None:
        return guides.here() if guides.here() in app.systems else app.systems[0]
    if wanted not in app.systems:
        names = ", ".join(one.id for one in guides.for_system(known, wanted))
        system = guides.SYSTEMS[wanted]
        raise Rejected(
            N_("{app} is not for {system}; there, the guide knows: {names}"),
            app=app.name,
            system=system,
            names=names,
        )
    return wanted


def _obtained(
    face: _Face, wishes: Wishes, *, listing: bool, results: str | None, untested: bool, yes: bool
) -> int:
    from client.cli.obtain import obtain

    got = obtain(wishes, results=results, untested=untested, yes=yes)
    if isinstance(got, int):
        return got
    return face.choices(got) if listing else face.guided(got)


class _Face:
    """Prints a guide: text, or one object."""

    def __init__(
        self, known: Sequence[App], app: App | None, system: str, asked: Asked, *, as_json: bool
    ) -> None:
        self._known, self._app, self._system, self._asked = known, app, system, asked
        self._as_json = as_json
        self._now = time.time()

    def program(self, app: App) -> int:
        """Show the steps of a program, without any entry."""
        from client.guide import page
        from client.render import guide as face

        self._show(face.app_json(app, self._system), page.of_app(app))
        return Exit.WORKING

    def what_else(self) -> int:
        """Show what else people used. Sends nothing."""
        from client.guide import page
        from client.guide.way import Recommendation
        from client.render import guide as face

        blocks = page.what_else(())
        self._show(face.as_json(Recommendation(), None, now=self._now, rest=blocks), blocks)
        return Exit.WORKING

    def without_list(self, *, listing: bool, diagnosis: str | None) -> int:
        """Show what can be shown without a list. Sends nothing."""
        from client.diagnosis import code
        from client.guide import apps as guides
        from client.guide import page, way
        from client.render import guide as face

        try:
            told = code.decode(diagnosis) if diagnosis is not None else None
        except Rejected as rejected:
            return fail(reason(rejected))
        if listing:
            fitting = guides.for_system(self._known, self._system)
            self._show(face.apps_json(fitting, None), page.programs(fitting, self._system))
            return Exit.WORKING
        if self._app is not None:
            return self.program(self._app)
        blocks = page.how_to_go_on(way.survives(told))
        place = self._place(told=told)
        empty = way.recommend([], self._known, place)
        self._show(face.as_json(empty, None, now=self._now, rest=blocks), blocks)
        return Exit.WORKING

    def _place(self, **known: Any) -> Place:
        from client.guide import apps as guides
        from client.guide.way import Place

        return Place(system=self._system, near=self._system == guides.here(), now=self._now, **known)

    def choices(self, got: Obtained) -> int:
        """Name the programs that the best option goes into."""
        from client.guide import page, way
        from client.render import guide as face

        place = self._place(told=got.diagnosis, line=got.line)
        ordered = way.order([*got.options, *got.untested], place)
        if not ordered:
            return self.guided(got)
        served = way.others(ordered[0], self._known, place)
        fitting = [one.app for one in served]
        self._show(
            face.apps_json(fitting, served), page.serving(ordered[0], served, self._system, self._asked)
        )
        return _status(got, served[0] if served else None)

    def _cut_off(self, found: Finished) -> int:
        """Show the one thing to do where this machine has no network: steps for what was not tested would bury it."""
        from client.advise import after
        from client.guide import page
        from client.guide.way import Recommendation
        from client.render import guide as face

        blocks = page.no_network(after(found, []))
        self._show(face.as_json(Recommendation(), None, now=self._now, rest=blocks), blocks)
        return of_run(found.counts, found.stopped, found.line_state)

    def guided(self, got: Obtained) -> int:
        """Show the recommended way, or what to do when there is none."""
        from client.advise import after
        from client.guide import page, steps, way
        from client.render import guide as face

        if got.line is LineState.NO_NETWORK and got.found is not None and not got.options:
            return self._cut_off(got.found)
        place = self._place(told=got.diagnosis, line=got.line)
        every = [*got.options, *got.untested]
        found = way.recommend(every, self._known, place, app=self._app)
        blocks = page.of(found, self._asked)
        told = None
        if found.best is not None:
            told = steps.of_way(found.best, reveal=self._asked.reveal, lists=self._asked.connecting)
        rest: list[Block] = []
        if found.best is None and every and (self._app is not None or got.options):
            rest = page.does_not_fit(self._app, way.order(every, place)[0], self._known, place, self._asked)
        elif found.best is None or (_nothing(got) and found.best.option.status is Status.UNTESTED):
            advice = after(got.found, []) if got.found is not None else []
            rest = page.nothing_works(advice, way.survives(got.diagnosis), whole=_is_cut(got))
        self._show(face.as_json(found, told, now=self._now, rest=rest), [*blocks, *rest])
        return _status(got, found.best)

    def _show(self, told: dict[str, Any], blocks: Sequence[Block]) -> None:
        from client.render import guide as face

        if self._as_json:
            utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
            click.echo(json.dumps(told, ensure_ascii=not utf8))
        else:
            click.echo("\n".join(face.lines(blocks)))


def _nothing(got: Obtained) -> bool:
    """Say whether something was tested and nothing of it works."""
    return not got.options and got.status is Exit.NOTHING


def _is_cut(got: Obtained) -> bool:
    """Say whether nothing gets through at all: not where the line is open, nor where nothing could be tested."""
    if got.line is LineState.NO_NETWORK:  # when the results were made
        return True
    return _nothing(got) and got.line not in (LineState.HEALTHY, LineState.SLOW)


def _status(got: Obtained, best: Way | None) -> int:
    if got.found is not None and got.found.stopped == "interrupted":
        return Exit.INTERRUPTED
    if best is not None and best.option.status is Status.WORKING:
        return Exit.WORKING
    if got.found is None and best is not None and best.option.status is Status.UNTESTED:
        return Exit.NOT_MEASURED
    return Exit.NOTHING if got.status is Exit.WORKING else got.status

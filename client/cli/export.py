"""`sanylau export`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from client import commands
from client.cli.check import fail, reason
from client.cli.target_options import given_words, target_options, wishes_of
from client.exits import Exit
from client.export import torrc, writing
from client.export.common import OTHER_KIND, PLAIN_KINDS, Exported, names_of
from client.export.formats import FORMATS, Format, export, local_options, why
from client.i18n import _, ngettext, say
from client.model import Candidate, Message, Protection, Status, counted
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.options import Option

STDOUT = "-"
_TELEGRAM = "telegram"
_UNTESTABLE = N_(
    "Telegram's own proxies can never be tested from here, so none is written: `sanylau export {format} LIST --untested` writes them as they are."
)


def _formats() -> str:
    width = max(map(len, FORMATS))
    lines = (f"  {name:<{width}}  {_(form.what)}" for name, form in FORMATS.items())
    return "\b\n" + "\n".join([_("Formats:"), *lines])


@click.command(
    name="export",
    short_help=_("Write what works as other programs want it: files, links, QR codes."),
    help=_("Test the entries of each LIST and write those that work in a FORMAT of another program.")
    + "\n\n"
    + _(
        "Nothing is shown without --reveal, for addresses and passwords are in it: -o FILE writes a new file that only you may read."
    )
    + "\n\n"
    + _formats()
    + "\n\n"
    + _("Exit status: 0 written, 1 nothing works or fits, 2 wrong usage or no consent, 3 could not measure."),
)
@click.argument("name", metavar=_("FORMAT"), type=click.Choice(list(FORMATS)))
@click.argument("lists", nargs=-1, metavar=_("[LIST]..."))
@click.option("-o", "--output", metavar=_("FILE"), help=_("Write to this new file; - is standard output."))
@click.option("--reveal", is_flag=True, help=_("Allow standard output."))
@click.option(
    "--results",
    metavar=_("FILE"),
    help=_("Use the results of `sanylau check --json --reveal`; test nothing."),
)
@click.option("--untested", is_flag=True, help=_("Write the list as it is; test nothing, send nothing."))
@click.option(
    "--first", type=click.IntRange(min=1), metavar="N", help=_("Stop at N that work, and write N at most.")
)
@click.option(
    "--local",
    type=click.IntRange(1, 65535),
    metavar=_("PORT"),
    help=_("Write the local connection of `sanylau connect` on this port instead of a list."),
)
@target_options
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Collect the wishes and carry them out."""
    where = _Where(
        output=given["output"], reveal=given["reveal"], name=given["name"], form=FORMATS[given["name"]]
    )
    try:
        ctx.exit(_perform(where, given, given_words(ctx)))
    except BrokenPipeError:
        ctx.exit(Exit.NOT_READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """In which format, and where to."""

    output: str | None
    reveal: bool
    name: str
    form: Format

    @property
    def file(self) -> str | None:
        """The file to be made, None for standard output."""
        return None if self.output in (None, STDOUT) else self.output

    def refused(self) -> str | None:
        """Return why nothing can be written there, before anything is sent."""
        if self.file is not None:
            try:
                writing.check(self.file)
            except Rejected as rejected:
                return f"{printable(self.file, 120)}: {reason(rejected)}"
            return None
        if not self.reveal:
            return _("addresses and passwords are in it: -o FILE writes them to a file, --reveal shows them")
        if self.form.binary and sys.stdout.isatty():
            return _("this format is a picture: -o FILE writes it to a file")
        return None


def _perform(where: _Where, given: dict[str, Any], tests: Sequence[tuple[str, ...]]) -> int:
    refused = where.refused()
    if refused is not None:
        return fail(refused)
    if given["local"] is not None:
        return _local(where, given)
    from client.cli.obtain import obtain

    if (
        given["results"] is None
        and not given["untested"]
        and not given["lists"]
        and "tor_bridge" not in where.form.kinds
    ):
        return fail(_("the built-in list holds bridges only, which this format cannot hold: give a LIST"))
    first = given["first"] or (1 if where.form.single else 0)
    wishes = wishes_of(given["lists"], given, first=first)
    sieve = _Sieve(where.form)
    got = obtain(
        wishes, results=given["results"], untested=given["untested"], yes=given["yes"], sift=sieve.take
    )
    if isinstance(got, int):
        return got
    untestable = any(option.kind == _TELEGRAM for option in got.untested) and _TELEGRAM in where.form.kinds
    if untestable:
        _tell(_(_UNTESTABLE, format=where.name))
    if not got.options:
        if not (untestable and got.status is Exit.NOT_MEASURED):
            _tell(_("Nothing works, so there is nothing to write."))
        return got.status
    made = _made(where, got.options, given["first"] or 0)
    status = _written(where, made)
    if status is Exit.WORKING and where.form.local and _is_worse_than_it_could_be(made, sieve):
        _over_the_local_connection(where, given["lists"], tests)
    return status


class _Sieve:
    """Lets through what a format can hold, for nothing else has to show itself on the network; says what it keeps."""

    def __init__(self, form: Format) -> None:
        plain = {"auto"} if set(form.kinds) & set(PLAIN_KINDS) else set()
        self._able = frozenset({*form.kinds, *plain})
        self._why = Message(OTHER_KIND, {"kinds": names_of(form.kinds)})
        if form.kinds == torrc.KINDS:
            self._why = Message(torrc.NO_BRIDGE)
        self.better = False  # something that protects was kept

    def take(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Return what can be in the format."""
        from client.judge import protection_of
        from client.plan import is_wanted

        kept = [one.endpoint for one in candidates if not is_wanted(one, self._able)]
        if kept:
            _left_out(len(kept), self._why)
        classes = {protection_of(one.transport, one, trusted=False) for one in kept}
        self.better = bool(classes - {Protection.OPEN})
        if len(kept) == len(candidates):
            _nothing_fits()
        return [one for one in candidates if is_wanted(one, self._able)]


def _is_worse_than_it_could_be(made: Exported, sieve: _Sieve) -> bool:
    """Say whether only class D was written though there was something that protects."""
    if any(option.protection is not Protection.OPEN for option in made.held):
        return False
    return sieve.better or any(option.protection is not Protection.OPEN for option, _ in made.left_out)


def _over_the_local_connection(where: _Where, lists: Sequence[str], tests: Sequence[tuple[str, ...]]) -> None:
    from client.guide.steps import PORT

    named = list(map(commands.absolute, lists)) or [commands.LIST]
    connect = commands.command("connect", [*named, *(word for one in tests for word in one)])
    again = commands.command("export", [where.name, "--local", str(PORT), "-o", commands.FILE])
    _tell(
        _(
            "Entries that protect better do not fit into this format, but go over the local connection: `{connect}`, and meanwhile `{export}`",
            connect=connect,
            export=again,
        )
    )


def _local(where: _Where, given: dict[str, Any]) -> int:
    if given["lists"] or given["results"] is not None or given["untested"]:
        return fail(_("--local stands for itself: leave out the list, --results and --untested"))
    if not where.form.local:
        able = ", ".join(name for name, form in FORMATS.items() if form.local)
        return fail(_("--local goes with these formats: {formats}", formats=able))
    options = local_options(given["local"])[: where.form.local]
    made = _made(where, options, 0)
    return _put(where, made)


def _made(where: _Where, options: tuple[Option, ...], first: int) -> Exported:
    from client.export.here import here

    machine = here()
    made = export(where.name, options, machine)
    if first and len(made.held) > first:
        return replace(export(where.name, made.held[:first], machine), left_out=made.left_out)
    return made


def _written(where: _Where, made: Exported) -> int:
    for number, message in why(made.left_out):
        _left_out(number, message)
    if not made.held:
        _nothing_fits()
        return Exit.NOTHING
    status = _put(where, made)
    if status is not Exit.WORKING:
        return status
    if any(option.protection is Protection.OPEN for option in made.held):
        from client.advise import exposure

        _tell(_("Class D: {what}.", what=say(exposure(Protection.OPEN))))
    if any(option.status is Status.UNTESTED for option in made.held):
        _tell(_("Nothing of this was tested."))
    return status


def _left_out(number: int, message: Message) -> None:
    told = counted("{n} entry is left out: {why}.", "{n} entries are left out: {why}.", number, why=message)
    _tell(say(told))


def _nothing_fits() -> None:
    _tell(_("Nothing fits into this format, so nothing was written."))


def _put(where: _Where, made: Exported) -> Exit:
    """Write it to the file or to standard output."""
    if where.file is None:
        content = made.content
        if isinstance(content, str) and sys.stdout.isatty():
            return _shown(content)
        sys.stdout.buffer.write(content.encode("utf-8") if isinstance(content, str) else content)
        sys.stdout.buffer.flush()
        return Exit.WORKING
    try:
        writing.write(where.file, made.content)
    except Rejected as rejected:
        fail(f"{printable(where.file, 120)}: {reason(rejected)}")
        return Exit.USAGE
    number = len(made.held)
    shown = printable(where.file, 120)
    _tell(ngettext("{n} entry is in {file}.", "{n} entries are in {file}.", number, file=shown))
    from client.export.here import here

    use = _(where.form.use, file=commands.file(where.file), port=here().port)
    _tell(f"→ {commands.typed(use)}")
    if where.name == "pac":
        from client.export.pac import NOT_FROM_DISK

        _tell(_(NOT_FROM_DISK))
    return Exit.WORKING


def _shown(text: str) -> Exit:
    """Show a text on the terminal. All formats are of characters that move no cursor (a test holds it)."""
    from client.render.plain import can_show

    if not can_show(text, sys.stdout):
        return fail(_("this terminal cannot show these characters: -o FILE writes them to a file"))
    sys.stdout.write(text)
    sys.stdout.flush()
    widest, columns = max(map(len, text.split("\n"))), shutil.get_terminal_size().columns
    if "\u2588" in text and widest > columns:
        _tell(
            _(
                "The widest code has {width} columns and this window {columns}: make the letters smaller.",
                width=widest,
                columns=columns,
            )
        )
    return Exit.WORKING


def _tell(text: str) -> None:
    sys.stderr.write(printable(text, 1000) + "\n")
    sys.stderr.flush()

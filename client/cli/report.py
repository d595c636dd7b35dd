"""`sanylau report`."""

from __future__ import annotations

import json
import platform
import sys
import time

import click

from client.cli.check import fail, reason
from client.exits import Exit
from client.i18n import _, ngettext
from client.text import printable
from transports.types import Rejected

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386"}
_SYSTEMS = {"darwin": "macos", "win32": "windows", "linux": "linux", "android": "android"}


@click.command(
    short_help=_("Write a report of a check for researchers; it is never sent."),
    help=_("Write what a check found as an OONI-compatible measurement, to read first and hand on later.")
    + "\n\n"
    + _(
        "Addresses, names of files and your own address are not in it, and times are rounded to the hour. Nothing is sent: give the file to whom you trust."
    )
    + "\n\n"
    + _("Exit status: 0 written, 2 wrong usage or unreadable results."),
)
@click.option("--results", metavar=_("FILE"), required=True, help=_("The output of `sanylau check --json`."))
@click.option("-o", "--output", metavar=_("FILE"), help=_("Write to this new file, not to the screen."))
@click.option("--country", metavar="CC", default="", help=_("Say in the report which country this was in."))
@click.option(
    "--network",
    type=click.Choice(("mobile", "wifi", "wired")),
    help=_("Say in the report over what kind of line this was."),
)
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def report(ctx: click.Context, results: str, output: str | None, country: str, network: str | None) -> None:
    """Read, make, write."""
    try:
        ctx.exit(_perform(results, output, country, network or ""))
    except BrokenPipeError:
        ctx.exit(Exit.NOT_READ)


def _perform(results: str, output: str | None, country: str, network: str) -> int:
    from importlib.metadata import version

    from client import bridges
    from client import report as reports
    from client.export import writing

    where = None if output in (None, "-") else output
    try:
        code = bridges.country_code(country) if country else ""
    except Rejected as rejected:
        return fail(reason(rejected))
    try:
        if where is not None:
            writing.check(where)
    except Rejected as rejected:
        return fail(f"{printable(where or '', 120)}: {reason(rejected)}")
    try:
        made = reports.make(
            reports.load(results),
            now=time.time(),
            version=version("sanylau"),
            machine=_machine(),
            country=code,
            network=network,
        )
    except Rejected as rejected:
        return fail(f"{printable(results, 120)}: {reason(rejected)}")
    if where is None:  # on a screen it is there to be read
        click.echo(json.dumps(made, indent=2 if sys.stdout.isatty() else None))
        return Exit.WORKING
    try:
        writing.write(where, json.dumps(made) + "\n")
    except Rejected as rejected:
        return fail(f"{printable(where, 120)}: {reason(rejected)}")
    _said(where, *reports.scrubbed(made))
    return Exit.WORKING


def _said(where: str, entries: int, scrubbed: int) -> None:
    lines = [
        ngettext("{n} entry is in the report.", "{n} entries are in the report.", entries),
        ngettext(
            "The address of {n} is left out, for it is not public.",
            "The addresses of {n} are left out, for they are not public.",
            scrubbed,
        ),
        _("→ Read {file} before you hand it on. Nothing was sent.", file=printable(where, 120)),
    ]
    sys.stderr.write("\n".join(lines) + "\n")


def _machine() -> dict[str, str]:
    """Return what OONI's annotations tell of a machine, and no more: neither its name nor its release."""
    machine = platform.machine().lower()
    return {
        "architecture": _MACHINES.get(machine, "other"),
        "platform": _SYSTEMS.get(sys.platform, "unknown"),
    }

"""The group of commands. Start-up matters: a command's module is imported when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from client import i18n
from client.i18n import LANGUAGES, _
from client.model import Message
from client.text import printable
from transports.types import N_, Rejected

COMMANDS: Final = {  # name -> (module, attribute, one line of help)
    "beacon": (
        "client.cli.beacon",
        "beacon",
        N_("For helpers outside: answer on many ports for somebody inside."),
    ),
    "bridges": (
        "client.cli.bridges",
        "bridges",
        N_("Get bridges: built in, or fresh ones for a country."),
    ),
    "check": (
        "client.cli.check",
        "check",
        N_("Test proxies, share links and bridges: which carry traffic, which lie."),
    ),
    "connect": (
        "client.cli.connect",
        "connect",
        N_("Open a proxy on this machine through the best entry that works."),
    ),
    "diagnose": (
        "client.cli.diagnose",
        "diagnose",
        N_("Name the kind of cut: what was seen, how sure, what to do."),
    ),
    "doctor": (
        "client.cli.doctor",
        "doctor",
        N_("Show which engines are here, and how to get the missing ones."),
    ),
    "drill": (
        "client.cli.drill",
        "drill",
        N_("Play a blackout on this machine with real servers; no network needed."),
    ),
    "export": (
        "client.cli.export",
        "command",
        N_("Write what works as other programs want it: files, links, QR codes."),
    ),
    "guide": (
        "client.cli.guide",
        "guide",
        N_("Use what works: which entry, in which program, step by step."),
    ),
    "holes": (
        "client.cli.holes",
        "holes",
        N_("Find out which ports and protocols still cross the border."),
    ),
    "report": (
        "client.cli.report",
        "report",
        N_("Write a report of a check for researchers; it is never sent."),
    ),
    "share": (
        "client.cli.share",
        "share",
        N_("Pass on what works: by words, SMS, QR code, stick."),
    ),
    "take": (
        "client.cli.take",
        "take",
        N_("Take in what somebody passes on."),
    ),
    "vault": (
        "client.cli.vault",
        "vault",
        N_("Keep lists and results encrypted on this machine."),
    ),
    "watch": (
        "client.cli.watch",
        "watch",
        N_("Wait for an opening, ring, and do at once what you have queued."),
    ),
    "wipe": (
        "client.cli.wipe",
        "wipe",
        N_("Erase the vault and temporary folders at once, and end what runs."),
    ),
}
COLOURS: Final = (
    "dark",
    "light",
    "contrast",
    "colour-blind",
)  # as in tui.theme, which is not loaded for this


class Lazy(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _help = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table above: help must not import them."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(COMMANDS[name][2])) for name in sorted(COMMANDS)])


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"sanylau {version('sanylau')}")
        ctx.exit()


def build() -> click.Group:
    """Return the command line in the language that is in force now."""

    @click.group(
        cls=Lazy,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=_("Find out which proxies, share links and bridges still carry traffic.")
        + "\n\n"
        + _("Without a command the screen opens."),
    )
    @click.option(
        "--lang", type=click.Choice(LANGUAGES), expose_value=False, help=_("Language of all texts.")
    )
    @click.option(
        "--version",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help=_("Show the version and stop."),
    )
    @click.option(
        "--plain", is_flag=True, help=_("Ask and answer in plain text instead of opening the screen.")
    )
    @click.option(
        "--colours",
        type=click.Choice(COLOURS),
        help=_("Colours of the screen. NO_COLOR leaves them out."),
    )
    @click.option("--still", is_flag=True, help=_("No animation on the screen."))
    @click.option("--vault", is_flag=True, help=_("Open the vault first, and the screen with it."))
    @click.pass_context
    def cli(ctx: click.Context, plain: bool, colours: str | None, still: bool, vault: bool) -> None:
        if ctx.invoked_subcommand is None:
            ctx.exit(
                _ask_plainly() if plain else _open_screen(colours=colours or "", still=still, vault=vault)
            )

    return cli


def _ask_plainly() -> int:
    from client.cli import plain

    if not sys.stdin.isatty():
        plain.say_all()
        click.echo(_("There is no terminal to ask on: nothing was done."), err=True)
        return 2
    chosen = plain.choose(plain.ask_here)
    return main(chosen) if chosen else 0


def _open_screen(*, colours: str, still: bool, vault: bool) -> int:
    from client import piped

    if not piped.is_piped() and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        click.echo(_("The screen needs a terminal. Without one: sanylau check LIST"), err=True)
        return 2
    try:
        given = "" if sys.stdin.isatty() else piped.take()
        if vault:
            _open_vault()
    except Rejected as rejected:
        click.echo(
            f"sanylau: {printable(i18n.say(Message(rejected.reason, rejected.values)), 400)}", err=True
        )
        return 2
    from client.__main__ import open_tui

    return open_tui(given=given, colours=colours, still=still)


def _open_vault() -> None:
    """Ask for the passphrase on the terminal, before the screen takes it. Raises Rejected."""
    from client.vault import opened

    opened.want(vault=True)
    opened.opened()
    opened.want()  # once it is closed, nobody asks on the terminal behind the screen


def language_of(arguments: list[str]) -> str | None:
    """Return the value of --lang before any text is made; a wrong one is left to click to refuse."""
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
        if argument == "--lang" and place + 1 < len(arguments):
            return arguments[place + 1]
    return None


def _one_line(error: click.ClickException) -> str:
    """Return what is wrong; click breaks some of its messages into lines."""
    return printable(" ".join(error.format_message().split()), 400)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    language = language_of(given)
    i18n.use(language if language in LANGUAGES else None)
    try:
        result = build().main(args=given, prog_name="sanylau", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.ctx.get_help())
        return 2
    except click.UsageError as error:
        values = {
            "why": _one_line(error),
            "command": error.ctx.command_path if error.ctx else "sanylau",
        }
        click.echo(_("sanylau: {why} (see {command} --help)", **values), err=True)
        return 2
    except click.ClickException as error:
        click.echo(f"sanylau: {_one_line(error)}", err=True)
        return error.exit_code
    except click.Abort:
        return 130
    return result if isinstance(result, int) else 0

"""`sanylau connect`."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import click

from client.cli.check import PROFILES, Number, fail, reason
from client.exits import Exit
from client.i18n import _, say
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.connect.run import Face, Plan
    from client.connect.system import LeftOver
    from client.engine import Run
    from client.model import Message

_COMMAND: Final = "--exec"


class WithCommand(click.Command):
    """A click command behind whose `--exec` everything belongs to the command that is to be run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the command out before click reads the rest (click's hook)."""
        place = args.index(_COMMAND) if _COMMAND in args else len(args)
        command = args[place + 1 :]
        if place < len(args) and not command:
            raise click.UsageError(_("--exec needs a command behind it"), ctx)
        ctx.meta[_COMMAND] = tuple(command)
        return super().parse_args(ctx, args[:place])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for besides the check."""

    port: int | None
    listen: str | None
    password_file: str | None
    lowest: str | None
    system: bool
    as_json: bool
    reveal: bool
    yes: bool
    command: tuple[str, ...]


@click.command(
    cls=WithCommand,
    short_help=_("A proxy on this machine through the best entry that works."),
    help=_(
        "Test the entries of each LIST (a file, or - for standard input) and open a SOCKS and HTTP proxy on this machine that leads through the best one that works. When it dies, the next one takes its place."
    )
    + "\n\n"
    + _("Without a LIST the built-in Tor bridges are used, and Tor itself.")
    + "\n\n"
    + _(
        "Exit status: that of the command of --exec; 1 nothing works, 2 wrong usage or no consent, 3 could not measure, 130 Ctrl-C."
    ),
)
@click.argument("lists", nargs=-1, metavar=_("[LIST]..."))
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help=_("The port to open; 1080 if it is free, with --exec any."),
)
@click.option(
    "--listen", metavar=_("ADDRESS"), help=_("Listen here, for other machines too, with a password.")
)
@click.option("--password-file", metavar=_("FILE"), help=_("The password that programs have to give."))
@click.option(
    "--lowest",
    type=click.Choice(["A", "B", "C", "D"]),
    help=_("Go down to this protection class without asking."),
)
@click.option("--system", is_flag=True, help=_("Set the system proxy meanwhile; it is put back at the end."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@click.option(
    "--profile", type=click.Choice(PROFILES), default="quiet", help=_("How fast; quiet is the default.")
)
@click.option("--only", metavar=_("NAME,…"), help=_("Test only these kinds, for example socks5,vless."))
@click.option("--target", metavar="URL", help=_("An https page to fetch instead of the built-in ones."))
@click.option("--bulk-target", metavar="URL", help=_("An https file of 64 KiB or more to fetch."))
@click.option("--plain-target", metavar="URL", help=_("An http page to fetch without encryption."))
@click.option("--target-ca", metavar=_("FILE"), help=_("PEM certificates to trust beside the bundled ones."))
@click.option(
    "--concurrency", type=click.IntRange(1, 20000), metavar="N", help=_("How many entries at once.")
)
@click.option(
    "--connect-timeout",
    type=Number(min=0.05, max=600),
    metavar=_("SECONDS"),
    help=_("Time limit for one connection."),
)
@click.option(
    "--timeout",
    type=Number(min=0.1, max=3600),
    metavar=_("SECONDS"),
    help=_("Time limit for one whole entry."),
)
@click.option(
    "--budget",
    "budget_mib",
    type=Number(min=0.1, max=1_000_000),
    metavar="MIB",
    help=_("Stop testing after this many MiB."),
)
@click.option("--torrc", metavar=_("FILE"), help=_("Lines to add to tor's settings, for a private network."))
@click.option("--disk", is_flag=True, help=_("Let tor write to a temporary folder where none is in memory."))
@click.option(
    "--diagnosis",
    metavar=_("CODE"),
    help=_("Try first what this cut spares: the code of `sanylau diagnose`."),
)
@click.option("--trusted", is_flag=True, help=_("You trust whoever runs the servers of this list (class B)."))
@click.option("--reveal", is_flag=True, help=_("Show addresses and secrets; they are masked otherwise."))
@click.option("--yes", is_flag=True, help=_("Agree to being visible on the network; do not ask."))
@click.option(
    _COMMAND,
    "behind",
    is_flag=True,
    expose_value=False,
    help=_(
        "Last of all: run the command behind it with the proxy in its environment, and end with it. What does not read that (ssh, dig, ping) goes directly."
    ),
)
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def connect(
    ctx: click.Context,
    /,
    port: int | None,
    listen: str | None,
    password_file: str | None,
    lowest: str | None,
    system: bool,
    as_json: bool,
    reveal: bool,
    yes: bool,
    only: str | None,
    **rest: object,
) -> None:
    """Collect the wishes and carry them out."""
    from client.check import Wishes

    names = tuple(name.strip() for name in (only or "").split(",") if name.strip())
    wishes = Wishes(only=names, **rest)  # type: ignore[arg-type]
    wanted = Wanted(
        port=port,
        listen=listen,
        password_file=password_file,
        lowest=lowest,
        system=system,
        as_json=as_json,
        reveal=reveal,
        yes=yes,
        command=ctx.meta[_COMMAND],
    )
    ctx.exit(perform(wishes, wanted))


def perform(wishes: object, wanted: Wanted) -> int:
    """Read, look, ask, connect. Returns the exit status."""
    from client import check as checking
    from client.connect import asking, command
    from client.render.connect import nothing_there

    assert isinstance(wishes, checking.Wishes)
    if wanted.command and not command.is_there(wanted.command):
        sys.stderr.write(f"sanylau: {say(nothing_there(wanted.command[0]))}\n")
        return command.NOT_FOUND
    if direct := command.goes_direct(wanted.command):
        sys.stderr.write(f"sanylau: {say(asking.about_direct(direct))}\n")
    if "-" in wishes.lists and sys.stdin.isatty():
        sys.stderr.write(_("Paste the list, then press Ctrl-D on a line of its own.") + "\n")
    try:
        run = checking.prepare(wishes, checking.take_in(wishes.lists))
        plan = _plan(run, wanted)
    except checking.BadList as bad:
        return fail(f"{printable(bad.source, 120)}: {reason(bad.rejected)}")
    except Rejected as rejected:
        return fail(reason(rejected))
    if not run.reading.given:
        return fail(_("there is no entry in this list: give proxies, share links or bridge lines"))
    try:
        asked = _about_system(wanted)
    except Rejected as rejected:
        return fail(reason(rejected))
    if not wanted.yes:
        agreed = _agreed(wishes, plan, asked)
        if isinstance(agreed, Exit):
            return agreed
        plan = agreed
    return start(plan, wanted)


def _about_system(wanted: Wanted) -> list[Message]:
    """Offer to repair a system proxy that a power loss has left; return what is asked for --system.

    Raises Rejected where the system proxy cannot be set.
    """
    from client.connect import system
    from client.platform import run

    left = run(system.left_over())  # before we listen: our own port may be the one
    if left is not None:
        _offer_repair(left, wanted)
    return system.question(run(system.now())) if wanted.system else []


def _offer_repair(left: LeftOver, wanted: Wanted) -> None:
    """Ask whether to switch it off; where nobody is asked, only tell. The rest goes on either way."""
    from client import consent
    from client.connect import system
    from client.platform import run

    if wanted.yes:
        sys.stderr.write(f"sanylau: {say(left.question()[0])}\n")
    elif consent.ask([*map(say, left.question()), _("Switch it off now?")]):
        try:
            run(system.repair(left))
        except Rejected as rejected:
            sys.stderr.write(f"sanylau: {reason(rejected)}\n")


def _plan(run: Run, wanted: Wanted) -> Plan:
    """Return the plan. Raises Rejected."""
    from client.connect.run import Plan
    from client.model import Protection

    address = (wanted.listen or "127.0.0.1").strip("[]")
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise Rejected(N_("--listen needs an IP address of this machine, for example 127.0.0.1")) from None
    if wanted.port is not None and _is_taken(address, wanted.port):
        taken = N_("port {port} is taken by another program: give another one with --port, or none")
        raise Rejected(taken, port=wanted.port)
    if wanted.system and (wanted.password_file or not loopback):
        raise Rejected(N_("--system goes with no password: leave --listen and --password-file out"))
    if wanted.command and (wanted.password_file or not loopback):
        raise Rejected(N_("--exec needs no password: leave --listen and --password-file out"))
    return Plan(
        run=run,
        address=address,
        port=wanted.port or 0,
        password=_password(wanted, loopback=loopback),
        lowest=Protection(wanted.lowest) if wanted.lowest else None,
        command=wanted.command,
        system=wanted.system,
    )


def _password(wanted: Wanted, *, loopback: bool) -> str | None:
    """Return the password of the local connection, None for none. Raises Rejected."""
    from client.connect import password

    if wanted.password_file:
        return password.from_file(wanted.password_file)
    if loopback:
        return None
    given = password.asked(_("Password for the programs that will use it (empty: one is made up): "))
    if given is None:
        raise Rejected(N_("beyond this machine a password is needed: give one with --password-file"))
    if not given:
        given = password.drawn()
        sys.stderr.write(_("The password is: {password}", password=given) + "\n")
    return given


def _is_taken(address: str, port: int) -> bool:
    """Say whether somebody listens there already. Nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            if os.name == "posix":
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((address, port))
            trial.listen(1)
    except PermissionError:
        raise Rejected(
            N_("the system does not let us open port {port}: give one above 1023"), port=port
        ) from None
    except OSError:
        return True
    return False


def _agreed(wishes: object, plan: Plan, about_system: list[Message]) -> Plan | Exit:
    """Ask for consent; return the plan as agreed to, or the exit status."""
    from client import check as checking
    from client import consent
    from client.connect import asking
    from client.vault.consents import Matter

    assert isinstance(wishes, checking.Wishes)
    ours = asking.opening(
        address=plan.address,
        port=plan.port or 1080,
        loopback=ipaddress.ip_address(plan.address).is_loopback,
        command=bool(plan.command),
    )
    lines = [*checking.consent_text(plan.run), *("• " + say(line) for line in [*ours, *about_system])]
    matter = Matter(command="connect", contacts=checking.contacted(plan.run, wishes))
    agreed = consent.ask(lines, matter=matter)
    if agreed is None:
        return fail(_("nothing was sent: there is no terminal to ask on; agree beforehand with --yes"))
    if not agreed:
        return fail(_("nothing was sent."))
    if checking.must_ask_for_disk(plan.run) and consent.ask(consent.about_disk()):
        return replace(plan, run=checking.prepare(replace(wishes, disk=True), plan.run.reading))
    return plan


def start(plan: Plan, wanted: Wanted) -> int:
    """Carry out a plan with the face that fits the output. Returns the exit status."""
    import asyncio

    from client import platform
    from client.connect.local import CannotListen, PortTaken
    from client.connect.run import carry_out
    from client.render.connect import Lines
    from client.render.connect_json import JsonLines

    out = sys.stderr if plan.command else sys.stdout
    face: Face
    if wanted.as_json:
        face = JsonLines(reveal=wanted.reveal, out=out)
    else:
        face = Lines(reveal=wanted.reveal, live=out.isatty() and not plan.command, out=out)
    try:
        return platform.run(carry_out(plan, face))
    except asyncio.CancelledError:
        return Exit.INTERRUPTED
    except PortTaken:
        return fail(_("the port is taken by another program: give another one with --port, or none"))
    except CannotListen:
        return fail(_("this address cannot be listened on: give one of this machine's own with --listen"))
    except Rejected as rejected:
        return fail(reason(rejected))

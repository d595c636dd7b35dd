"""`sanylau beacon`: the helper's side of `sanylau holes`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from client.cli.check import fail, reason
from client.exits import Exit
from client.i18n import _, ngettext, say
from client.model import Message
from client.text import printable
from transports.types import CannotMeasure, Rejected

if TYPE_CHECKING:
    from client.beacon.run import Plan, Ready
    from client.beacon.server import Counts

_LONGEST = 400


@click.command(
    short_help=_("Answer on many ports for somebody inside."),
    help=_(
        "Run on a host outside: answers the questions of sanylau holes on one port, a list, or all ports, and is silent to everybody who does not have the code."
    )
    + "\n\n"
    + _(
        "Prints a code for the person inside. It holds a secret key: pass it on where others do not read it. It goes in by: sanylau holes --beacon -"
    )
    + "\n\n"
    + _("Exit status: 0 it ran to its end or was stopped, 2 wrong usage, 3 it could not run."),
)
@click.option(
    "--port", "ports", metavar=_("LIST"), default="", help=_("Ports, for example 179,3785,8000-8010.")
)
@click.option(
    "--all", "everything", is_flag=True, help=_("All TCP and UDP ports but those in use; needs root and nft.")
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar=_("ADDRESS"),
    help=_("The address that people reach this host by; may be given several times."),
)
@click.option(
    "--for", "duration", default="2h", metavar=_("TIME"), help=_("How long, for example 30m or 2h.")
)
@click.option(
    "--code", metavar=_("FILE"), default="", help=_("Use the key and ports of this code; - reads it.")
)
@click.option("--invite", "only_invite", is_flag=True, help=_("Only make a code and print it."))
@click.option(
    "--print-rules", is_flag=True, help=_("Print the nftables rules of --all for an administrator, and stop.")
)
@click.option("--rules-set", is_flag=True, help=_("The printed rules are in force already: set none."))
@click.option(
    "--listen",
    type=click.IntRange(1, 65535),
    metavar="N",
    default=None,
    help=_("The port where all others lead to."),
)
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def beacon(
    ctx: click.Context,
    /,
    only_invite: bool,
    print_rules: bool,
    as_json: bool,
    listen: int | None,
    **rest: object,
) -> None:
    """Collect the wishes and carry them out."""
    from client.beacon.run import LISTEN, Wishes

    wishes = Wishes(listen=listen or LISTEN, **rest)  # type: ignore[arg-type]
    ctx.exit(perform(wishes, only_invite=only_invite, print_rules=print_rules, as_json=as_json))


def perform(wishes: object, *, only_invite: bool, print_rules: bool, as_json: bool) -> int:
    """Print, or answer until the end. Returns the exit status."""
    from client import platform
    from client.beacon import invite, run

    assert isinstance(wishes, run.Wishes)
    try:
        if print_rules:
            click.echo(_rules(run.rules(wishes)), nl=False)
            return Exit.WORKING
        if wishes.code == "-" and sys.stdin.isatty():
            _say(_("Type or paste the code, then press Ctrl-D on a line of its own."))
        plan = run.prepare(wishes)
    except Rejected as rejected:
        return fail(reason(rejected))
    if only_invite:
        _print_code(invite.write(plan.invite), as_json=as_json)
        return Exit.WORKING

    def ready(told: Ready) -> None:
        _begun(told, plan, as_json=as_json)

    try:
        counts = platform.run(run.serve(plan, ready, lambda message: _say(say(message))))
    except CannotMeasure as cannot:
        _say(f"sanylau: {say(Message(cannot.reason, cannot.values))}")
        return Exit.NOT_MEASURED
    _ended(counts, as_json=as_json)
    return Exit.WORKING


def _say(text: str) -> None:
    sys.stderr.write(printable(text, _LONGEST) + "\n")
    sys.stderr.flush()


def _rules(text: str) -> str:
    from client.beacon.redirect import TABLE

    told = [
        _("To set these rules:      nft -f FILE"),
        _("To take them down:       nft delete table inet {table}", table=TABLE),
        _("Then, as any user:       sanylau beacon --all --rules-set"),
        _("They stop matching by themselves after the time that stands in them."),
    ]
    return "".join(f"# {line}\n" for line in told) + text


def _print_code(code: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"v": 1, "type": "invite", "code": code.replace("\n", "-")}))
    else:
        click.echo(code)


def _begun(told: Ready, plan: Plan, *, as_json: bool) -> None:
    if told.code:
        if not as_json:
            _say(_("The code for the person inside (a secret: pass it on where others do not read it):"))
        _print_code(told.code, as_json=as_json)
    minutes = max(1, told.seconds // 60)
    time = ngettext("{n} minute", "{n} minutes", minutes)
    if as_json:
        ports = [list(one) for one in told.invite.ports] or [[1, 65535]]
        click.echo(json.dumps({"v": 1, "type": "beacon", "ports": ports, "seconds": told.seconds}))
    elif plan.everything:
        _say(
            _(
                "Answering on all TCP and UDP ports but those in use, for {time}. A firewall of this host must let in port {port}: all others lead to it.",
                time=time,
                port=told.port,
            )
        )
    else:
        number = sum(last - first + 1 for first, last in told.invite.ports)
        _say(
            ngettext(
                "Answering on {n} port, TCP and UDP, for {time}.",
                "Answering on {n} ports, TCP and UDP, for {time}.",
                number,
                time=time,
            )
        )
    if not as_json:
        _say(_("Whoever does not have the code gets no answer. Stop with Ctrl-C."))
    sys.stdout.flush()


def _ended(counts: Counts, *, as_json: bool) -> None:
    from client.beacon.wire import Protocol

    tcp, udp = (len(counts.ports[one]) for one in (Protocol.TCP, Protocol.UDP))
    if as_json:
        told = {"answers": counts.answers, "tcp_ports": tcp, "udp_ports": udp, "strangers": counts.strangers}
        more = {"repeated": counts.repeated, "limited": counts.limited}
        click.echo(json.dumps({"v": 1, "type": "summary", **told, **more}))
        return
    _say(
        ngettext(
            "{n} question was answered, on {tcp} TCP and {udp} UDP ports.",
            "{n} questions were answered, on {tcp} TCP and {udp} UDP ports.",
            counts.answers,
            tcp=tcp,
            udp=udp,
        )
    )
    if counts.strangers:
        _say(
            ngettext(
                "{n} caller without the key got nothing.",
                "{n} callers without the key got nothing.",
                counts.strangers,
            )
        )

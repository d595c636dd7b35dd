"""`sanylau take`."""

from __future__ import annotations

from typing import Any, Final

import click

from client.cli.check import fail, reason
from client.cli.share import MISSING
from client.cli.target_options import target_options
from client.exits import Exit
from client.i18n import _
from transports.types import N_, CannotMeasure, Rejected

_LANGUAGES: Final = ("en", "ru", "fr", "tr", "es", "it", "pt", "cs", "ja", "ko", "zh", "zh-hant")


@click.command(
    short_help=_("Take in what somebody passes on."),
    help=_(
        "Take in entries that somebody passes on with `sanylau share`: FILE is what was written on a stick, - is pasted text."
    )
    + "\n\n"
    + _(
        "With --words or --sms this shows words of its own first: read them to the sender, who seals for them. They serve once, and only while this runs."
    )
    + "\n\n"
    + _(
        "What came is shown masked. It is tested, kept or shown only if you say so; what it is said to do is the sender's word."
    )
    + "\n\n"
    + _("Exit status: 0 taken in, 1 nothing kept, 2 wrong usage or nothing readable, 130 interrupted."),
)
@click.argument("files", nargs=-1, metavar=_("[FILE]"))
@click.option("--words", is_flag=True, help=_("Type words that are read out to you."))
@click.option("--sms", is_flag=True, help=_("Paste text messages."))
@click.option(
    "--image",
    multiple=True,
    metavar=_("FILE"),
    help=_("A photo of a QR code; several times for several codes."),
)
@click.option("--plain", is_flag=True, help=_("It was not sealed: show no words of mine first."))
@click.option("--sealed", is_flag=True, help=_("Show words first for files and pictures too."))
@click.option("--agreed", is_flag=True, help=_("A passphrase that both agreed on earlier is mixed in."))
@click.option(
    "--secret-fd",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=_("Read the passphrase of the file, or the agreed one, from this open descriptor."),
)
@click.option(
    "--signer", metavar=_("NAME"), help=_("Keep the key of this person in the vault: type its words.")
)
@click.option("--language", type=click.Choice(_LANGUAGES), help=_("Language of my words."))
@click.option(
    "--all", "at_once", is_flag=True, help=_("Read all words or messages from standard input; ask nothing.")
)
@click.option(
    "-o", "--output", metavar=_("FILE"), help=_("Write the entries to this new file, for `sanylau check`.")
)
@click.option("--add", metavar=_("NAME"), help=_("Add them to this list in the vault."))
@click.option("--reveal", is_flag=True, help=_("Show addresses and secrets; they are masked otherwise."))
@click.option(
    "--check", "checking", is_flag=True, help=_("Test them at once; what is contacted is asked first.")
)
@click.option("--inward", is_flag=True, help=_("Keep entries that lead into private networks too."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object a line."))
@target_options
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def take(ctx: click.Context, /, **given: Any) -> None:
    """Collect the wishes and carry them out."""
    from client.cli.desk import Left

    try:
        ctx.exit(_perform(given))
    except (Rejected, CannotMeasure) as refusal:
        told = refusal if isinstance(refusal, Rejected) else Rejected(refusal.reason, **refusal.values)
        ctx.exit(fail(reason(told)))
    except Left:
        ctx.exit(fail(_("stopped; nothing was taken in")))
    except BrokenPipeError:
        ctx.exit(Exit.NOT_READ)
    except ImportError as error:  # Termux and old processors have no ready-made `cryptography`
        ctx.exit(fail(_(MISSING, name=(error.name or "?").partition(".")[0])))


def _perform(given: dict[str, Any]) -> int:
    from client.cli import signers, take_ways, taken

    if given["signer"] is not None:
        return signers.keep(given["signer"])
    way = _way(given)
    if given["output"] is not None:
        from client.cli.share_ways import check_new

        check_new(given["output"], twin=False)
    got = take_ways.received(way, given)
    return taken.settle(got, given)


def _way(given: dict[str, Any]) -> str:
    """Return how it comes. Raises Rejected."""
    named = [name for name in ("words", "sms", "image") if given[name]]
    if given["files"]:
        named.append("file")
    if len(named) > 1 or len(given["files"]) > 1:
        raise Rejected(N_("one thing at a time: a FILE, --words, --sms or --image"))
    if not named:
        raise Rejected(
            N_("say how it comes: --words (read out), --sms (messages), --image PHOTO (a QR code), or a FILE")
        )
    if given["plain"] and (given["sealed"] or given["agreed"]):
        raise Rejected(N_("--plain is not sealed: leave it out, or --sealed and --agreed"))
    return named[0]

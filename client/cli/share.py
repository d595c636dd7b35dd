"""`sanylau share`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from client.cli.check import fail, reason
from client.cli.vault_options import vault_options
from client.exits import Exit
from client.i18n import _
from client.text import printable, wrapped
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.share.choosing import Chosen

_FEW: Final = 1  # entries, where each one costs words or messages
_WAYS: Final = {
    "words": N_("words, over the telephone"),
    "sms": N_("text messages (SMS)"),
    "qr": N_("QR codes on this screen"),
    "image": N_("a QR code as a picture: --image FILE"),
    "file": N_("an encrypted file on a stick: --file FILE"),
    "program": N_("the program itself, onto a stick: --program FOLDER"),
}
MISSING: Final = N_(
    "this needs the package {name}, which is missing here: `pip install {name}`, on Termux `pkg install python-{name}`"
)
_LANGUAGES: Final = ("en", "ru", "fr", "tr", "es", "it", "pt", "cs", "ja", "ko", "zh", "zh-hant")


@click.command(
    short_help=_("Pass on what works: by words, SMS, QR code, stick."),
    help=_("Pass on entries that work to somebody who has only a telephone, a screen or a stick.")
    + "\n\n"
    + _(
        "What is passed on is sealed for the words that the receiver's `sanylau take` shows, where it goes over a line that others listen to. That stops who listens, not somebody who takes the other person's place: know the voice."
    )
    + "\n\n"
    + _("Nothing is tested and nothing is sent; sending is up to you.")
    + "\n\n"
    + _("Exit status: 0 done, 1 nothing to pass on, 2 wrong usage, 130 interrupted."),
)
@click.argument("lists", nargs=-1, metavar=_("[LIST]..."))
@click.option(
    "--results",
    metavar=_("FILE"),
    help=_("The results of `sanylau check --json --reveal`; vault: for those in the vault."),
)
@click.option("--words", is_flag=True, help=_("Read words out over the telephone."))
@click.option("--sms", is_flag=True, help=_("Write text messages."))
@click.option("--qr", is_flag=True, help=_("Show QR codes here."))
@click.option("--image", metavar=_("FILE"), help=_("Write a QR code as a picture (.png or .svg)."))
@click.option("--file", "file", metavar=_("FILE"), help=_("Write an encrypted file, with the whole list."))
@click.option("--program", metavar=_("FOLDER"), help=_("Copy this program's bundle into this folder."))
@click.option("--bundle", metavar=_("FOLDER"), default="", help=_("Where the bundle is, if not beside it."))
@click.option("--number", type=click.IntRange(min=1), metavar="N", help=_("How many entries, best first."))
@click.option("--only", metavar=_("NAME,…"), help=_("Only these kinds, for example obfs4."))
@click.option(
    "--network",
    type=click.Choice(("fixed", "mobile", "abroad")),
    help=_("Say from what kind of line it was seen to work."),
)
@click.option("--plain", is_flag=True, help=_("Do not seal: whoever listens gets it too."))
@click.option("--sealed", is_flag=True, help=_("Seal QR codes and files too for the receiver's words."))
@click.option(
    "--to-file", metavar=_("FILE"), help=_("The receiver's words from a file; do not ask for them.")
)
@click.option("--agreed", is_flag=True, help=_("Mix in a passphrase that both agreed on earlier."))
@click.option(
    "--secret-fd",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=_("Read the passphrase of the file, or the agreed one, from this open descriptor."),
)
@click.option("--sign", is_flag=True, help=_("Sign with the key in your vault."))
@click.option(
    "--my-key", is_flag=True, help=_("Show the words of your key, for those who shall know your signature.")
)
@click.option("--language", type=click.Choice(_LANGUAGES), help=_("Language of the words."))
@click.option("--all", "at_once", is_flag=True, help=_("Show all groups or codes at once; do not wait."))
@click.option("--wide", is_flag=True, help=_("Messages of 70 characters, for telephones set to that."))
@click.option("--light", is_flag=True, help=_("QR codes for dark letters on a light ground."))
@click.option("--json", "as_json", is_flag=True, help=_("Write one JSON object (words and messages)."))
@click.option("--yes", is_flag=True, help=_("Answer the warnings with yes."))
@vault_options
@click.option("--lang", expose_value=False, hidden=True)
@click.pass_context
def share(ctx: click.Context, /, **given: Any) -> None:
    """Collect the wishes and carry them out."""
    from client.cli.desk import Left

    try:
        ctx.exit(_perform(given))
    except Rejected as rejected:
        ctx.exit(fail(reason(rejected)))
    except Left:
        ctx.exit(fail(_("stopped; nothing was passed on")))
    except BrokenPipeError:
        ctx.exit(Exit.NOT_READ)
    except ImportError as error:  # Termux and old processors have no ready-made `cryptography`
        ctx.exit(fail(_(MISSING, name=(error.name or "?").partition(".")[0])))


def _perform(given: dict[str, Any]) -> int:
    from client.cli import share_ways, signers

    if given["my_key"]:
        return signers.show_own(given["language"])
    way = _way(given)
    _refuse(way, given)
    if way == "program":
        return share_ways.program(given["program"], given["bundle"])
    if way == "image":
        share_ways.check_ending(given["image"])  # before anybody reads out words for it
    if way in ("image", "file"):
        share_ways.check_new(given[way], twin=way == "file" and given["plain"])
    chosen = _chosen(given, way)
    if isinstance(chosen, int):
        return chosen
    _preview(chosen)
    if not chosen.entries:
        tell(_("There is nothing to pass on."))
        return Exit.NOTHING
    return share_ways.carry(way, chosen.entries, given)


def _way(given: dict[str, Any]) -> str:
    """Return the way that was named; where none was, show them all. Raises Rejected."""
    named = [name for name in _WAYS if given[name]]
    if len(named) > 1:
        raise Rejected(N_("choose one way: {ways}"), ways=", ".join(f"--{name}" for name in named))
    if named:
        return named[0]
    for name, what in _WAYS.items():
        tell(f"  --{name:<9} {_(what)}")
    raise Rejected(N_("say how it is to be passed on: one of those above"))


def _refuse(way: str, given: dict[str, Any]) -> None:
    """Raise Rejected for options that contradict each other or do nothing."""
    sealing = given["sealed"] or given["to_file"] is not None
    if given["plain"] and (sealing or given["agreed"]):
        raise Rejected(N_("--plain does not seal: leave it out, or --sealed, --to-file and --agreed"))
    if given["agreed"] and way in ("qr", "image", "file") and not sealing:
        raise Rejected(N_("--agreed belongs to what is sealed: add --sealed"))
    if given["as_json"] and way not in ("words", "sms"):
        raise Rejected(N_("--json goes with --words and --sms"))
    if way == "program" and (given["lists"] or given["results"]):
        raise Rejected(N_("--program hands on the program only: leave out the list"))
    if given["sign"] and way == "file" and not sealing:
        raise Rejected(N_("--sign goes with words, messages, codes and --sealed files"))


def _chosen(given: dict[str, Any], way: str) -> Chosen | int:
    """Return what is passed on, or an exit status where everything was said already."""
    import time

    from client.check import Wishes
    from client.cli.obtain import obtain
    from client.share.capsule import Line
    from client.share.choosing import choose
    from client.vault import opened

    results = given["results"]
    if results is None and not given["lists"]:
        if not opened.wanted():
            return fail(
                _("name what is to be passed on: --results FILE of a check, --results vault:, or a LIST")
            )
        results = opened.PREFIX
    only = tuple(name.strip() for name in (given["only"] or "").split(",") if name.strip())
    got = obtain(
        Wishes(lists=given["lists"], only=only), results=results, untested=results is None, yes=False
    )
    if isinstance(got, int):
        return got
    most = given["number"] or (0 if way == "file" else _FEW)
    line = Line(given["network"]) if given["network"] else Line.UNSAID
    return choose([*got.options, *got.untested], most, now=time.time(), line=line)


def _preview(chosen: Chosen) -> None:
    """Show what is passed on, masked."""
    from client.i18n import ngettext, say
    from client.share import choosing

    for entry, name in zip(chosen.entries[:20], choosing.names(chosen.entries), strict=False):
        tell(f"• {choosing.kind(entry.endpoint)}  {name}  {say(choosing.seen(entry.seen))}")
    if chosen.entries[20:]:
        tell(ngettext("• and {n} more", "• and {n} more", len(chosen.entries) - 20))
    for option, why in chosen.left_out[:5]:
        tell(_("Left out: {kind}: {why}", kind=option.kind, why=say(why)))
    if chosen.more:
        tell(
            ngettext(
                "{n} more entry stays here; --number N passes on N.",
                "{n} more entries stay here; --number N passes on N.",
                chosen.more,
            )
        )


def tell(text: str) -> None:
    """Write a sentence beside what is passed on."""
    sys.stderr.write("\n".join(wrapped([printable(text, 1000)])) + "\n")
    sys.stderr.flush()

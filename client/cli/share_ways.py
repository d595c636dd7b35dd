"""The ways of `sanylau share`, one function each: sealed where others listen, with what to do next."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from client import commands
from client.cli.check import fail
from client.cli.share import tell
from client.exits import Exit
from client.i18n import _, ngettext
from client.text import printable
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.share.capsule import Entry
    from client.share.words import Spoken

_LISTENED: Final = ("words", "sms")  # ways that others listen to: sealed unless the person says otherwise
_BELOW: Final = 3  # rows of a window beneath a QR code

_NOT_SEALED: Final = {
    "words": N_(
        "What is said plainly on a telephone is heard by the operator, and by whoever asks him. A private bridge passed on like that is burned: it can be blocked the same day, and who uses it can be looked for."
    ),
    "sms": N_(
        "Every operator on the way reads and keeps text messages. A private bridge sent plainly by SMS is burned: it can be blocked the same day, and who uses it can be looked for."
    ),
    "file": N_(
        "The plain file shows every address to whoever finds the stick, also after it was erased there."
    ),
}
_NO_DESK: Final = N_("there is no terminal to ask for the receiver's words on: give them with --to-file FILE")
_NO_SECRET: Final = N_(
    "there is no terminal to ask for the passphrase on: give it with --secret-fd N, never as an argument"
)
_ENDING: Final = (".png", ".svg")


def carry(way: str, entries: Sequence[Entry], given: dict[str, Any]) -> int:
    """Pass the entries on. Returns the exit status; raises Rejected and Left."""
    if given["plain"] and way in _NOT_SEALED and not _warned(way, yes=given["yes"]):
        return fail(_("nothing was passed on."))
    if way == "file" and not _is_sealed(way, given):
        return _file(given["file"], entries, given)
    message = _message(way, entries, given)
    if way in ("qr", "image") and not _is_sealed(way, given):
        tell(_("It is not sealed: whoever sees the code has what is in it."))
    if way == "words":
        return _words(message, given)
    if way == "sms":
        return _messages(message, given)
    if way == "qr":
        return _codes(message, given)
    return _picture(message, given["image"]) if way == "image" else _sealed_file(message, given["file"])


def check_new(path: str, *, twin: bool) -> None:
    """Raise Rejected where no new file of this name can be made."""
    from client.export import writing

    for one in (path, *([_twin(path)] if twin else [])):
        try:
            writing.check(one)
        except Rejected as rejected:
            raise named(one, rejected) from None


def check_ending(path: str) -> None:
    """Raise Rejected for a picture's name that does not say which kind it is."""
    if Path(path).suffix.lower() not in _ENDING:
        raise Rejected(N_("the picture's name has to end in .png or .svg"))


def named(path: str, rejected: Rejected) -> Rejected:
    """Return the refusal with the name of the file in front."""
    from client.model import Message

    why = Message(rejected.reason, rejected.values)
    return Rejected(N_("{file}: {why}"), file=printable(path, 120), why=why)


def _is_sealed(way: str, given: dict[str, Any]) -> bool:
    wanted = given["sealed"] or given["to_file"] is not None
    return not given["plain"] and (way in _LISTENED or wanted)


def _warned(way: str, *, yes: bool) -> bool:
    """Say what plain means, and ask. Raises Rejected where nobody can be asked."""
    from client.cli.desk import at_desk

    if yes:
        tell(_(_NOT_SEALED[way]))
        return True
    with at_desk() as desk:
        if desk is None:
            raise Rejected(N_("there is no terminal to ask on: --yes says that you know what --plain means"))
        return desk.agrees(_(_NOT_SEALED[way]), _("Pass it on plainly?"))


def _message(way: str, entries: Sequence[Entry], given: dict[str, Any]) -> bytes:
    """Return what travels: packed, signed if wanted, sealed if it has to be."""
    from client.share import envelope, signers
    from client.share.capsule import Capsule

    capsule = Capsule(entries=tuple(entries))
    whole = way not in _LISTENED  # fingerprints cost words, and the key proves the bridge without them
    if given["sign"]:
        message = envelope.signed(capsule, signers.own_seed(), whole=whole)
    else:
        message = envelope.plain(capsule, whole=whole)
    if not _is_sealed(way, given):
        return message
    public = _receiver(given["to_file"], way)
    if not given["agreed"]:
        return envelope.sealed(message, public)
    with secret(_("The passphrase that you agreed on earlier:"), given["secret_fd"]) as agreed:
        return envelope.sealed(message, public, agreed)


def _receiver(name: str | None, way: str) -> bytes:
    """Return the receiver's one-time key, from a file or by asking for its words. Raises Rejected, Left."""
    from client.cli import speaking
    from client.cli.desk import at_desk
    from client.share import listening, stick

    if name is not None:
        data = sys.stdin.buffer.read(65536) if name == "-" else stick.load(name)[:65536]
        return listening.understand_key(listening.listen(data.decode("utf-8", "replace"), key=True))
    with at_desk() as desk:
        if desk is None:
            raise Rejected(_NO_DESK)
        start = {"words": "take --words", "sms": "take --sms"}.get(way, "take --sealed")
        desk.say(
            "",
            _(
                "Ask the other person to start `sanylau {start}` and to read you the words that it shows: six groups of four.",
                start=start,
            ),
        )
        public = speaking.take_key(desk)
        desk.say(
            _(
                "It is sealed for these words now. That stops who listens, not somebody who speaks in the other person's place: do you know the voice?"
            )
        )
        return public


@contextmanager
def secret(prompt: str, descriptor: int | None, *, new: bool = False) -> Iterator[bytearray]:
    """Give a passphrase, and overwrite it afterwards. It is never shown. Raises Rejected."""
    from client.vault import passphrase

    if descriptor is not None:
        given: bytearray | None = passphrase.from_descriptor(descriptor)
    else:
        given = passphrase.chosen(prompt) if new else passphrase.asked(prompt)
    if given is None:
        raise Rejected(_NO_SECRET)
    try:
        if new:
            passphrase.weigh(given)
        yield given
    finally:
        passphrase.forget(given)


def _words(message: bytes, given: dict[str, Any]) -> int:
    from client.cli import speaking
    from client.cli.desk import at_desk
    from client.i18n import current
    from client.share import words

    spoken = words.speak(message, given["language"] or words.nearest(current()))
    if given["as_json"]:
        return _json("words", language=spoken.lang, groups=[list(group.said) for group in spoken.groups])
    if not given["at_once"] and sys.stdout.isatty():
        with at_desk() as desk:
            if desk is not None:
                finished = speaking.read_out(desk, spoken)
                desk.say(_(speaking.WORDS_SPENT))
                return Exit.WORKING if finished else Exit.INTERRUPTED
    return _listed(spoken)


def _listed(spoken: Spoken) -> int:
    from client.cli import speaking

    click.echo(speaking.listed(spoken))
    tell(
        _("Four words and a check word in each group. The other side types them into `sanylau take --words`.")
    )
    return Exit.WORKING


def _messages(message: bytes, given: dict[str, Any]) -> int:
    from client.share import envelope, sms

    texts = sms.split(envelope.checked(message), wide=given["wide"])
    if given["as_json"]:
        return _json("sms", parts=list(texts))
    tell(
        ngettext(
            "Send this message as it stands, every character:",
            "Send these {n} messages as they stand, every character, in any order:",
            len(texts),
        )
    )
    click.echo("\n\n".join(texts))
    tell(_("The other side pastes them into `sanylau take --sms`. Erase them on both telephones afterwards."))
    return Exit.WORKING


def _codes(message: bytes, given: dict[str, Any]) -> int:
    from client.cli.desk import at_desk
    from client.render.plain import can_show
    from client.share import envelope, qr

    size = shutil.get_terminal_size()
    seen = sys.stdout.isatty()
    rows, columns = (size.lines - _BELOW, size.columns) if seen else (45, 200)
    codes = qr.on_terminal(envelope.checked(message), rows=rows, columns=columns, light=given["light"])
    if not can_show(codes[0], sys.stdout):
        raise Rejected(N_("this terminal cannot show these characters: --image FILE writes a picture"))
    with at_desk() as desk:
        for number, code in enumerate(codes, 1):
            click.echo(code)
            tell(
                _(
                    "Code {n} of {of}. The other side takes a photo: `sanylau take --image PHOTO`",
                    n=number,
                    of=len(codes),
                )
            )
            if desk is not None and seen and not given["at_once"] and number < len(codes):
                desk.ask(_("Enter shows the next one:"))
    return Exit.WORKING


def _picture(message: bytes, path: str) -> int:
    from client.share import envelope, qr

    data = envelope.checked(message)
    pictures = qr.as_png(data) if Path(path).suffix.lower() == ".png" else qr.as_svg(data)
    names = (
        [path] if len(pictures) == 1 else [_numbered(path, number) for number in range(1, len(pictures) + 1)]
    )
    for name in names:
        check_new(name, twin=False)
    for name, picture in zip(names, pictures, strict=True):
        _write(name, picture)
    shown = ", ".join(printable(name, 120) for name in names)
    tell(ngettext("The picture is {files}.", "The pictures are {files}.", len(names), files=shown))
    tell(_("→ The other side: `sanylau take --image FILE`. Erase it when it has arrived."))
    return Exit.WORKING


def _file(path: str, entries: Sequence[Entry], given: dict[str, Any]) -> int:
    """Write the whole list as an age file under a passphrase, and its plain twin if the person asked for it."""
    from client.share import listing
    from client.share.capsule import Capsule
    from client.vault import age_file

    text, lost = listing.write(Capsule(entries=tuple(entries)))
    if lost:
        tell(
            ngettext(
                "{n} entry has no line of its own: left out.",
                "{n} entries have no line of their own: left out.",
                lost,
            )
        )
    if given["secret_fd"] is None:
        tell(_("Choose a passphrase that the other side knows already, or hear it from you face to face."))
    with secret(_("Passphrase of the file:"), given["secret_fd"], new=True) as passphrase:
        data = age_file.seal(text.encode("utf-8"), passphrase)
    _write(path, data)
    _said(path)
    if given["plain"]:
        _write(_twin(path), text.encode("utf-8"))
        tell(_("Plain, for everybody to read: {file}", file=printable(_twin(path), 120)))
    tell(_("The passphrase goes another way than the stick. The standard `age` program opens the file too."))
    return Exit.WORKING


def _sealed_file(message: bytes, path: str) -> int:
    from client.share import envelope

    _write(path, envelope.checked(message))
    _said(path)
    return Exit.WORKING


def _said(path: str) -> None:
    take = commands.command("take", [Path(path).name])
    tell(_("{file} is written whole. → The other side: `{take}`", file=printable(path, 120), take=take))


def _write(path: str, data: bytes) -> None:
    from client.share import stick

    try:
        stick.write(path, data)
    except Rejected as rejected:
        raise named(path, rejected) from None


def program(target: str, folder: str) -> int:
    """Copy the bundles into a folder. Raises Rejected."""
    from client.share import program as bundles

    for bundle in bundles.found(folder):
        mib = max(1, round(bundle.size / 2**20))
        tell(_("{name}: {mib} MiB are copied and every file is compared …", name=bundle.name, mib=mib))
        bundles.copy(bundle, target, _progress(bundle.size))
        click.echo(f"{printable(bundle.name, 120)}  {bundle.fingerprint}")
    tell(
        _(
            "This is the fingerprint. Tell it to the other person another way than with the stick: by voice, on paper. How to compare it stands in README.txt in the folder."
        )
    )
    return Exit.WORKING


def _progress(size: int) -> Any:
    """Return what tells, on a terminal and twice a second at most, how far the copy is."""
    last = [time.monotonic()]

    def tell_done(done: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - last[0] > 0.5:
            last[0] = time.monotonic()
            sys.stderr.write(f"\r{100 * done // max(1, size)} % ")

    return tell_done


def _json(way: str, **told: object) -> int:
    click.echo(json.dumps({"v": 1, "type": "shared", "way": way, **told}, ensure_ascii=False))
    return Exit.WORKING


def _twin(path: str) -> str:
    return path + ".txt"


def _numbered(path: str, number: int) -> str:
    plain = Path(path)
    return str(plain.with_name(f"{plain.stem}-{number}{plain.suffix}"))

"""How things come to `sanylau take`: words, messages, pictures, files. All of it is hostile until it was shown."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import click

from client.cli.share import tell
from client.cli.share_ways import secret
from client.i18n import _, current, say
from client.share import intake, signers
from transports.types import N_, Rejected

if TYPE_CHECKING:
    from client.cli.desk import Desk
    from client.share.intake import Found, Got
    from client.share.seal import OneTime

_LONGEST: Final = 256 * 1024  # bytes of standard input
_LINE: Final = 1000  # characters
_ROUNDS: Final = 99  # messages that are pasted one after another

_NO_DESK: Final = N_("there is no terminal to type on: give it on standard input with --all")


def received(way: str, given: dict[str, Any]) -> Got:
    """Return what came, opened. Raises Rejected, CannotMeasure and Left."""
    from client.cli.desk import at_desk

    with ExitStack() as stack:
        live = (way in ("words", "sms") or given["sealed"]) and not given["at_once"]
        desk = stack.enter_context(at_desk()) if live else None
        if live and desk is None:
            raise Rejected(_NO_DESK)
        agreed = None
        if given["agreed"] and way != "file":
            agreed = stack.enter_context(
                secret(_("The passphrase that you agreed on earlier:"), given["secret_fd"])
            )
        key = _key(way, given, desk)
        if way == "file":
            return _file(given, key)
        found = _found(way, given, desk)
        return intake.opened(found, key=key, agreed=agreed, known=tuple(signers.known().values()))


def _found(way: str, given: dict[str, Any], desk: Desk | None) -> Found:
    if way == "image":
        return _pictures(given["image"])
    if way == "words":
        return _words(desk)
    return _messages(desk) if desk is not None else intake.of_texts((_standard_input(),))


def _key(way: str, given: dict[str, Any], desk: Desk | None) -> OneTime | None:
    """Make a one-time key and show its words, where what comes is to be sealed."""
    if given["plain"] or (way not in ("words", "sms") and not given["sealed"]):
        return None
    from client.share import words
    from client.share.seal import OneTime

    key = OneTime.new()
    spoken = words.speak_key(key.public, given["language"] or words.nearest(current()))
    if given["as_json"]:
        groups = [list(group.said) for group in spoken.groups]
        click.echo(
            json.dumps({"v": 1, "type": "key", "language": spoken.lang, "groups": groups}, ensure_ascii=False)
        )
    elif desk is None:
        click.echo(spoken.text())
    else:
        desk.say(
            _(
                "Read these words to the sender, group by group. They are no secret: who hears them cannot open anything."
            ),
            "",
        )
        desk.show(spoken.text())
        desk.say(
            _(
                "Do you know the voice? Somebody who takes the other person's place on the line can put words of their own in between: nothing here stops that."
            )
        )
    sys.stdout.flush()
    _wait(way, desk)
    return key


def _wait(way: str, desk: Desk | None) -> None:
    """Wait until the sender has the words, and where it is a file until that is here."""
    if way in ("words", "sms"):
        if desk is not None:
            desk.ask(_("Press Enter when the sender has all of them:"))
    elif desk is not None:
        desk.ask(_("Press Enter when the file that was sealed for them is here:"))
    else:
        sys.stdin.readline(_LINE)


def _words(desk: Desk | None) -> Found:
    from client.share import listening

    if desk is None:
        message = listening.understand(listening.listen(_standard_input())).message
    else:
        from client.cli import speaking

        message = speaking.take_words(desk)
    return intake.Found(shape=intake.Shape.MESSAGES, messages=(message,))


def _messages(desk: Desk) -> Found:
    """Take in messages until all parts are there, or the person stops."""
    desk.say(
        "",
        _("Paste the messages here, in any order. Press Enter on an empty line when that was all."),
    )
    lines: list[str] = []
    for _round in range(_ROUNDS):
        line = desk.ask("›")
        if line:
            lines.append(line)
            if not _is_whole(lines):
                continue
        try:
            return intake.of_texts(("\n".join(lines),))
        except Rejected as rejected:
            from client.cli.check import reason

            if not lines:
                raise
            desk.say(reason(rejected))
    raise Rejected(intake.NOTHING)


def _is_whole(lines: list[str]) -> bool:
    """Say whether every capsule that began is complete, so that nobody has to say so."""
    from client.share import parts

    heaps = parts.collect(("\n".join(lines),))
    return bool(heaps) and not any(heap.missing for heap in heaps)


def _pictures(names: tuple[str, ...]) -> Found:
    from client.share import scan

    texts: list[str] = []
    for name in names:
        try:
            texts += scan.texts(name)
        except Rejected as rejected:
            from client.cli.share_ways import named

            raise named(name, rejected) from None
    return intake.of_codes(texts)


def _file(given: dict[str, Any], key: OneTime | None) -> Got:
    from client.cli.share_ways import named
    from client.share import stick

    (name,) = given["files"]
    try:
        data = sys.stdin.buffer.read(stick.LARGEST + 1) if name == "-" else stick.load(name)
        if len(data) > stick.LARGEST:
            raise Rejected(stick.TOO_LARGE, limit=stick.LARGEST // 1024 // 1024)
        return _unpacked(intake.recognise(data), data, given, key)
    except Rejected as rejected:
        raise rejected if name == "-" else named(name, rejected) from None


def _unpacked(found: Found, data: bytes, given: dict[str, Any], key: OneTime | None) -> Got:
    if found.shape is intake.Shape.AGE:
        from client.vault import age_file

        with secret(_("Passphrase of the file:"), given["secret_fd"]) as passphrase:
            return intake.of_file(age_file.unseal(data, passphrase))
    if found.shape is intake.Shape.PICTURE:
        from client.share import scan

        found = intake.of_codes(scan.read(data))
    if not given["agreed"]:
        return intake.opened(found, key=key, known=tuple(signers.known().values()))
    with secret(_("The passphrase that you agreed on earlier:"), given["secret_fd"]) as agreed:
        return intake.opened(found, key=key, agreed=agreed, known=tuple(signers.known().values()))


def _standard_input() -> str:
    if sys.stdin.isatty():
        tell(_("Paste it here, then press Ctrl-D on a line of its own."))
    data = sys.stdin.buffer.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise Rejected(N_("this text is far too long: paste the messages only"))
    return data.decode("utf-8", "replace")


def said(notes: tuple[object, ...]) -> None:
    """Say what was noticed on the way."""
    from client.model import Message

    for note in notes:
        if isinstance(note, Message):
            tell(say(note))

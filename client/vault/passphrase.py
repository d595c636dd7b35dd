"""The passphrase: asked on the controlling terminal or read from a descriptor, kept in one buffer, overwritten after use.

It is taken byte for byte as the terminal gives it, so that the standard `age` program, asked on the same terminal, takes it too.
"""

from __future__ import annotations

import codecs
import hmac
import os
import sys
from typing import Final

from client.i18n import _
from client.platform import descriptor_line, forget_typed, hidden_line
from transports.types import N_, Rejected

LONGEST: Final = 1024  # bytes
SHORTEST: Final = 10  # characters of a new one
_FEW: Final = 4  # different characters: less is a key held down

_LONG: Final = N_("the passphrase is too long: at most 1024 bytes")
_EMPTY: Final = N_("no passphrase was given")
_SHORT: Final = N_(
    "this passphrase can be guessed: take at least {n} characters, better five or six words that have nothing to do with each other"
)
_DIFFER: Final = N_("the two passphrases are not the same: nothing was changed")
_NO_DESCRIPTOR: Final = N_("--passphrase-fd {n}: nothing can be read from this descriptor")
_SHOWN: Final = N_(
    "--passphrase-fd {n} is a terminal, which would show it: leave the option out and you are asked"
)
_NO_TEXT: Final = N_("a passphrase must be one line of text (UTF-8) without control characters")


def asked(prompt: str) -> bytearray | None:
    """Ask on the controlling terminal without showing the answer; None where there is no terminal. Raises Rejected."""
    from client.consent import open_terminal

    terminal = open_terminal()
    if terminal is None:
        return None
    with terminal:
        number = terminal.fileno()
        forget_typed(number)
        return _checked(hidden_line(number, LONGEST, lambda: _write(number, prompt + " ")))


def chosen(prompt: str) -> bytearray | None:
    """Ask for a new one, twice; None where there is no terminal. Raises Rejected (it differs, or can be guessed)."""
    first = asked(prompt)
    if first is None:
        return None
    try:
        weigh(first)
        again = asked(_("Once more:"))
    except BaseException:
        forget(first)
        raise
    same = again is not None and hmac.compare_digest(first, again)
    forget(*([again] if again is not None else []), *([] if same else [first]))
    if not same:
        raise Rejected(_DIFFER)
    return first


def from_descriptor(number: int) -> bytearray:
    """Read one line from an open descriptor, and not a byte more. Raises Rejected."""
    try:
        if os.isatty(number):
            raise Rejected(_SHOWN, n=number)
        return _checked(descriptor_line(number, LONGEST))
    except (OSError, OverflowError):
        raise Rejected(_NO_DESCRIPTOR, n=number) from None


def weigh(passphrase: bytearray) -> None:
    """Raise Rejected for a new passphrase that a machine guesses soon."""
    characters = sum(byte & 0xC0 != 0x80 for byte in passphrase)
    if characters < SHORTEST or len(set(passphrase)) < _FEW:
        raise Rejected(_SHORT, n=SHORTEST)


def forget(*passphrases: bytearray) -> None:
    """Overwrite them with zeros."""
    for one in passphrases:
        one[:] = bytes(len(one))


def _checked(given: bytearray | None) -> bytearray:
    if given is None:
        raise Rejected(_LONG)
    if not given:
        raise Rejected(_EMPTY)
    if any(byte < 0x20 or byte == 0x7F for byte in given) or not _is_text(given):
        forget(given)
        raise Rejected(_NO_TEXT)
    return given


def _is_text(given: bytearray) -> bool:
    """Say whether it is UTF-8; every age program takes text only. Byte by byte, so that no copy of it is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for number, byte in enumerate(given, 1):
            decoder.decode(bytes([byte]), number == len(given))
    except UnicodeDecodeError:
        return False
    return True


def _write(terminal: int, text: str) -> None:
    if sys.platform == "win32":
        sys.stderr.write(text)
        sys.stderr.flush()
    else:
        os.write(terminal, text.encode("utf-8", "replace"))

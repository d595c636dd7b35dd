"""The password of the local connection: read from a file, asked on the terminal, drawn, compared.

It is never an argument of a command. SOCKS5 gives a password 255 bytes (RFC 1929).
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from transports.types import N_, Rejected

_LONGEST: Final = 255  # bytes
_HELD: Final = 0.5  # seconds that a wrong one costs, behind those before it
_MOST: Final = 5.0  # seconds that the answer to one is held back at most
_PEERS: Final = 256  # that are remembered
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # without those that look alike
_GROUPS: Final = 4
_GROUP: Final = 5  # 100 bits in all
_NO_FILE: Final = N_("the password file cannot be read")
_EMPTY: Final = N_("the password file is empty: put the password on its first line")
_LONG: Final = N_("the password is too long: at most 255 bytes")
_NO_TEXT: Final = N_("the password must be one line of text without control characters")


def from_file(path: str) -> str:
    """Return the first line of a file. Raises Rejected (no file, empty, too long, not text)."""
    try:
        with open(path, "rb") as file:
            line = file.readline(_LONGEST + 3)
    except OSError as error:
        raise Rejected(_NO_FILE) from error
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if not line:
        raise Rejected(_EMPTY)
    try:
        return _checked(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Rejected(_LONG if len(line) > _LONGEST else _NO_TEXT) from error


def asked(prompt: str) -> str | None:
    """Ask on the controlling terminal, without showing it. "" for an empty answer, None without a terminal.

    Raises Rejected for one that cannot be used.
    """
    import getpass
    import warnings

    from client.consent import open_terminal

    terminal = open_terminal()
    if terminal is None:
        return None
    terminal.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would go on with the characters shown
        try:
            given = getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError):
            return None
        except UnicodeDecodeError as error:
            raise Rejected(_NO_TEXT) from error
    return _checked(given) if given else ""


def drawn() -> str:
    """Return a new one that can be typed by hand."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def matches(given: bytes, password: str) -> bool:
    """Compare in a time that does not depend on where they differ."""
    return hmac.compare_digest(given, password.encode())


class Guesses:
    """Slows down whoever guesses: the answers to the wrong passwords of one address come one after the other."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def wrong(self, peer: str, now: float) -> float:
        """Note a wrong one; return for how many seconds to hold its answer back."""
        until = min(max(self._until.pop(peer, now), now) + _HELD, now + _MOST)
        self._until[peer] = until
        if len(self._until) > _PEERS:
            del self._until[next(iter(self._until))]  # who has been quiet for the longest time
        return until - now


def _checked(password: str) -> str:
    if len(password.encode("utf-8", "replace")) > _LONGEST:
        raise Rejected(_LONG)
    if not password.isprintable():
        raise Rejected(_NO_TEXT)
    return password

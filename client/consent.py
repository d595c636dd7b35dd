"""The question before the first packet. It is asked on the controlling terminal, never on standard input."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from client.i18n import _, ngettext
from client.plan import Budget
from client.platform import forget_typed
from client.settings import Profile
from client.targets import Targets
from client.text import wrapped


def text(
    *,
    candidates: int,
    named: int,
    targets: Targets,
    profile: Profile,
    budget: Budget,
    engine: bool,
    tor: bool = False,
) -> list[str]:
    """Return what the person agrees to: what will be contacted, how often, and who can see it."""
    lines = [
        _("Before the first packet leaves this machine:"),
        "• "
        + ngettext(
            "{n} entry of your list will be contacted. Your operator can see that.",
            "{n} entries of your list will be contacted. Your operator can see that.",
            candidates,
        ),
    ]
    if named:
        lines.append(
            "• "
            + ngettext(
                "{n} of them has a name: your resolver will be asked for its address and sees the name.",
                "{n} of them have names: your resolver will be asked for their addresses and sees the names.",
                named,
            )
        )
    hosts = ", ".join(targets.hosts())
    lines.append(
        "• "
        + _("Test pages, fetched through the entries, and once directly as a control: {hosts}", hosts=hosts)
    )
    if engine:
        lines.append("• " + _("sing-box is started for the share links. It leaves no file."))
    if tor:
        lines.append(
            "• "
            + _(
                "tor is started for the bridges: those that answer are used to load its list of relays, some MiB."
            )
        )
    if profile.name == "fast":
        lines.append(
            "• "
            + _(
                "Profile fast: thousands of connections at once look like an attack and can get this line blocked."
            )
        )
    lines.append(
        "• "
        + _(
            "At most {connections} connections, about {mib} MiB. Nothing is written to disk, nothing is sent to anyone else.",
            connections=budget.connections,
            mib=max(1, round(budget.kib / 1024)),
        )
    )
    return lines


def open_terminal() -> TextIO | None:
    """Return the controlling terminal for reading and writing, or None where there is none."""
    path = "CONIN$" if sys.platform == "win32" else "/dev/tty"
    try:
        if sys.platform == "win32":
            return open(path, encoding="utf-8")
        handle = os.open(path, os.O_RDWR | os.O_NOCTTY)
        return os.fdopen(handle, "r", encoding="utf-8", errors="replace")
    except OSError:
        return None


def ask(lines: list[str]) -> bool | None:
    """Show `lines` and ask. True yes, False no, None: there is no terminal to ask on."""
    terminal = open_terminal()
    if terminal is None:
        return None
    with terminal:
        forget_typed(terminal.fileno())  # what was pasted before the question was seen is no answer to it
        _write(terminal, "\n".join([*wrapped(lines), _("Go on? [y/N] ")]))
        answer = terminal.readline(64).strip().lower()
    return bool(answer) and answer in _yes()


def letter() -> str:
    """Return the letter that means yes in the person's language."""
    return _("y yes").split()[0]


def _yes() -> set[str]:
    # The catalogs name the letters and words that mean yes, so that nobody must know English.
    return {"y", "yes", *(_("y yes").split())}


def _write(terminal: TextIO, question: str) -> None:
    if sys.platform == "win32":
        sys.stderr.write(question)
        sys.stderr.flush()
    else:
        os.write(terminal.fileno(), question.encode("utf-8", "replace"))

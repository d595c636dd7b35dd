"""`sanylau --plain`: the first screen as text, for screen readers, slow lines and terminals that can do little."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import click

from client import i18n
from client.i18n import N_, _
from client.text import wrapped

_CHOICES: Final = {  # what is typed -> name, the command as it is shown, its arguments
    "1": (N_("Find a way out"), "sanylau check --diagnose", ["check", "--diagnose"]),
    "2": (N_("Check my own list"), "sanylau check LIST", ["check"]),
    "3": (N_("Practise"), "sanylau drill", ["drill"]),
}
_MORE: Final = ("diagnose", "holes", "guide", "export", "connect", "bridges", "doctor")
_TRIES: Final = 20

Ask = Callable[[str], str]
"""Shows a prompt and returns the line that was typed; raises click.Abort where there is none any more."""


def lines() -> list[str]:
    """Return what this is and what can be chosen."""
    listed = [f"{number}  {_(name)}: {command}" for number, (name, command, _args) in _CHOICES.items()]
    return [
        _(
            "Finds what still works where the internet is cut or filtered, and leads you to using it. It contacts nobody before you have seen whom and have said yes."
        ),
        "",
        *listed,
        _("l  Language ({languages})", languages=", ".join(i18n.LANGUAGES)),
        "",
        _("More: {commands}; each explains itself with --help.", commands=", ".join(_MORE)),
    ]


def choose(ask: Ask) -> list[str]:
    """Return the arguments of the command that the person wants; none where they want none."""
    say_all()
    for _try in range(_TRIES):
        typed = ask(_("Which? 1, 2, 3 or l; Enter alone leaves: ")).strip().lower()
        if not typed:
            return []
        if typed in ("l", "д"):
            known = i18n.LANGUAGES
            i18n.use(known[(known.index(i18n.current()) + 1) % len(known)])
            say_all()
        elif typed in _CHOICES:
            arguments = _CHOICES[typed][2]
            return [*arguments, *_list(ask)] if typed == "2" else arguments
    return []


def _list(ask: Ask) -> list[str]:
    name = ask(_("Name of the file; Enter alone: paste the list here, then Ctrl-D on a line of its own: "))
    return ["--", name.strip() or "-"]


def say_all() -> None:
    """Show the choices."""
    for line in wrapped(lines()) if sys.stdout.isatty() else lines():
        click.echo(line)


def ask_here(prompt: str) -> str:
    """Ask on the terminal. Raises click.Abort at the end of the input and at Ctrl-C."""
    click.echo("\n".join(wrapped([prompt])) + " ", nl=False)
    sys.stdout.flush()
    try:
        typed = sys.stdin.readline(4096)
    except KeyboardInterrupt:
        raise click.Abort from None
    if not typed:
        raise click.Abort
    return typed

"""The question before the first packet. It is asked on the controlling terminal, never on standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

from client import contacts
from client.i18n import N_, _, ngettext, say
from client.model import Message
from client.plan import Budget, directory_kib
from client.platform import forget_typed
from client.settings import Profile
from client.targets import Targets
from client.text import printable, wrapped
from client.vault import opened
from transports.types import Endpoint, Rejected

if TYPE_CHECKING:
    from client.vault.consents import Matter

_HOSTS: Final = 16
_HOST: Final = 60
_WRITES: Final = N_(
    "tor and its transport programs keep their files in a temporary folder on disk: the list of relays, and a file with the addresses of your bridges. It is erased at the end, but flash storage may keep traces."
)
_KEEPS: Final = N_("What is found is kept in your vault, encrypted. Nothing else of it is written to disk.")
_ASKED_NEXT: Final = N_(
    "There is no folder in memory here: you will be asked next whether tor may write to the disk. Nothing else is written."
)


def text(
    *,
    candidates: int,
    named: int,
    targets: Targets,
    profile: Profile,
    budget: Budget,
    engine: bool,
    tor: Sequence[Endpoint] = (),
    disk: bool | None = None,
    builtin: str = "",
    vault: bool = False,
    near: bool = False,
) -> list[str]:
    """Return what the person agrees to: what will be contacted, how often, and who can see it.

    `tor` are the endpoints that tor is started for. `disk` None: nothing is written there; True: tor will, as
    the person has allowed; False: tor has no other place, which will be asked next. `builtin` is the date of the
    built-in list where that is tested, else "". `vault`: what is found is kept in one. `near`: all that is
    contacted is on this machine itself.
    """
    lines = [
        _("Before the first packet leaves this machine:"),
        "• " + (_of_builtin(candidates, builtin) if builtin else _of_list(candidates)),
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
    lines += [f"• {line}" for line in _about_tor(tor)]
    if profile.name == "fast" and not near:
        lines.append(
            "• "
            + _(
                "Profile fast: thousands of connections at once look like an attack and can get this line blocked."
            )
        )
    if disk is not None:
        lines.append("• " + _(_WRITES if disk else _ASKED_NEXT))
    if vault:
        lines.append("• " + _(_KEEPS))
    cost = N_("At most {connections} connections, about {mib} MiB. Nothing is sent to anyone else.")
    if disk is None and not vault:
        cost = N_(
            "At most {connections} connections, about {mib} MiB. Nothing is written to disk, nothing is sent to anyone else."
        )
    mib = max(1, round(budget.kib / 1024))
    lines.append("• " + _(cost, connections=budget.connections, mib=mib))
    return lines


def _of_list(candidates: int) -> str:
    return ngettext(
        "{n} entry of your list will be contacted. Your operator can see that.",
        "{n} entries of your list will be contacted. Your operator can see that.",
        candidates,
    )


def _of_builtin(candidates: int, date: str) -> str:
    return ngettext(
        "{n} entry of the built-in list of {date} will be contacted: a public way into Tor. Your operator can see that.",
        "{n} entries of the built-in list of {date} will be contacted: public ways into Tor. Your operator can see that.",
        candidates,
        date=date,
    )


def _about_tor(endpoints: Sequence[Endpoint]) -> list[str]:
    """Return whom tor and its transport programs contact, and what tor loads."""
    kinds = {contacts.kind(endpoint) for endpoint in endpoints}
    mib = round(directory_kib() / 1024)
    lines = []
    if kinds - {""}:
        lines.append(
            _(
                "tor is started for the bridges and contacts no relay but them. Through those that answer it loads Tor's list of relays, up to {mib} MiB.",
                mib=mib,
            )
        )
    if named := contacts.servers(endpoints):
        hosts = ", ".join(printable(host, _HOST) for host in named[:_HOSTS])
        if named[_HOSTS:]:
            hosts = _("{hosts} and {n} more", hosts=hosts, n=len(named) - _HOSTS)
        lines.append(
            _(
                "Some bridges are reached through other servers: {hosts}. Your operator and your resolver can see their names.",
                hosts=hosts,
            )
        )
    if "snowflake" in kinds:
        lines.append(_("snowflake connects to computers of volunteers, which are not known beforehand."))
    if "conjure" in kinds:
        lines.append(_("conjure connects to addresses of its own choice, which are not known beforehand."))
    if "" in kinds:
        lines.append(
            _(
                "Tor without a bridge: tor contacts Tor's own servers and loads the list of relays from them, up to {mib} MiB. Your operator can see that you use Tor.",
                mib=mib,
            )
        )
    return lines


def about_disk() -> list[str]:
    """Return the second question: whether tor may write to the disk where there is no folder in memory."""
    return [
        _("This system has no folder in memory that tor could work in."),
        "• " + _(_WRITES),
        "• " + _("If you say no, bridges stay untested; everything else is tested."),
        _("May tor write to the disk?"),
    ]


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


def ask(lines: list[str], *, matter: Matter | None = None, prompt: str = "") -> bool | None:
    """Show `lines` and ask. True yes, False no, None: there is no terminal to ask on.

    With an open vault a yes to `matter` can be remembered, and one that was needs no terminal: see `client.vault.consents`.
    """
    if matter is not None and _is_remembered(matter.asked(lines)):
        sys.stderr.write(_("You have agreed to exactly this before; the vault remembers it.") + "\n")
        return True
    terminal = open_terminal()
    if terminal is None:
        return None
    with terminal:
        agreed = _answered(terminal, lines, prompt or _("Go on? [y/N] "))
        if agreed and matter is not None and opened.current() is not None:
            remember = _("Remember this in the vault, for exactly the same contacts? [y/N] ")
            if _answered(terminal, [], remember):
                _remember(matter.asked(lines))
    return agreed


def _answered(terminal: TextIO, lines: list[str], prompt: str) -> bool:
    forget_typed(terminal.fileno())  # what was pasted before the question was seen is no answer to it
    _write(terminal, "\n".join([*wrapped(lines), prompt]))
    answer = terminal.readline(64).strip().lower()
    return bool(answer) and answer in _yes()


def _is_remembered(matter: Matter) -> bool:
    vault = opened.current()
    if vault is None:
        return False
    from client.vault import consents

    return consents.is_agreed(vault.content, matter)


def _remember(matter: Matter) -> None:
    """Keep the answer. Where that cannot be, it is said, and the person is asked again the next time."""
    from client.vault import consents

    vault = opened.current()
    assert vault is not None
    try:
        vault.change(lambda content: consents.agreed(content, matter))
    except Rejected as rejected:
        sys.stderr.write(printable(say(Message(rejected.reason, rejected.values)), 400) + "\n")


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

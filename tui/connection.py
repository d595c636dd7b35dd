"""The local connection as the screen follows it: `client.connect` on one side, what the status line says on the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from rich.text import Text

from client import check
from client.connect import asking
from client.connect.events import Event, Held, Hold, Listening, Lost, Noticed, Status, Using, Why
from client.connect.local import CannotListen
from client.connect.run import PORT, Plan, carry_out
from client.engine import Run
from client.exits import Exit
from client.i18n import _, ngettext, say
from client.model import Candidate, Protection, Reading
from client.model import Status as State
from client.options import Option
from client.text import printable
from tui import describe
from tui.session import Session

_ADDRESS: Final = "127.0.0.1"
_REASON: Final = 200
_AGO: Final = 15.0  # seconds since the last answer after which its age is shown in place of its latency
_LONG_AGO: Final = 60.0  # seconds without an answer after which nothing says "connected"

Loud = Callable[[str, bool], None]
"""Tells something that the person must not miss; True where traffic is stopped."""

Consent = Callable[[Protection, Protection | None], Awaitable[bool | None]]
"""Asks whether traffic may go through a lower class; the second is the class until now."""


def run_for(option: Option, session: Session) -> Run:
    """Return the check that the connection makes of its own: this option, and the others that have worked as reserves."""
    wanted = option.candidate
    others = [verdict.candidate for verdict in session.state.found() if verdict.status is State.WORKING]
    candidates = (wanted, *(one for one in others if not _same(one, wanted)))
    return replace(
        session.run,
        reading=Reading(candidates, (), 0),
        first=0,
        rank=lambda candidate: 0 if _same(candidate, wanted) else 1,
    )


def _same(one: Candidate, other: Candidate) -> bool:
    return one.endpoint.key() == other.endpoint.key()


def question(option: Option, run: Run, *, instead: bool) -> list[str]:
    """Return what the person agrees to. `instead`: a connection is up that ends for this one."""
    first, *rest = check.consent_text(run)
    lines = [first, "• " + _("This entry is asked for first: {entry}.", entry=_name(option))]
    if option.status is not State.WORKING:
        lines.append("• " + _("It worked in part only. It is used only if it passes the whole test now."))
    reserves = len(run.reading.candidates) - 1
    if reserves:
        said = ngettext(
            "{n} other entry that has worked is tested too, as a reserve.",
            "{n} other entries that have worked are tested too, as reserves.",
            reserves,
        )
        lines.append("• " + said)
        if _floor(option) not in (None, Protection.TOR):
            lines.append(
                "• "
                + _(
                    "Whenever the entry that you chose works it is used, also after one that protects more was used meanwhile."
                )
            )
    else:
        lines.append("• " + _("There is no reserve: when it dies, traffic stops."))
    lines += rest
    about = asking.opening(address=_ADDRESS, port=PORT, loopback=True, command=False)
    lines += ["• " + say(message) for message in about]
    if instead:
        lines.append("• " + _("The connection that is up now ends first."))
    return lines


async def about_system() -> list[str]:
    """Return what the person agrees to where all programs of this desktop are to use the connection.

    Raises Rejected where the system proxy cannot be set, or not be put back.
    """
    from client.connect import system

    return ["• " + say(line) for line in system.question(await system.now())]


def _floor(option: Option) -> Protection | None:
    """Return the lowest class that the choice of an option consents to beforehand.

    For class D it is none: the keeper may begin with any class, and what is in use sets the floor. With D named,
    traffic would go back to it from a better class without a question.
    """
    return None if option.protection is Protection.OPEN else option.protection


def _name(option: Option) -> str:
    return f"{option.protection.value} {printable(option.kind)} #{printable(option.id, 16)}"


class Connection:
    """One local connection. `wanted` is the id of the option that was asked for; `port` is 0 until it listens.

    `staged`: it runs through the servers of the drill's stage, and ends with them.
    """

    def __init__(
        self,
        option: Option,
        run: Run,
        *,
        consent: Consent,
        loud: Loud,
        system: bool = False,
        staged: bool = False,
    ) -> None:
        self.beat = 1.0  # seconds between two looks at the figures
        self.wanted: Final = option.id
        self.staged: Final = staged
        self.port = 0
        self.using: Using | None = None
        self.status: Status | None = None
        self.held: Held | None = None
        self.over = False
        self.death = ""  # of the option that was in use, as long as nothing has come after it
        self._loud = loud
        self._plan = Plan(
            run=run,
            address=_ADDRESS,
            lowest=_floor(option),
            consent=consent,
            signals=False,
            prefer=option.id,
            system=system,
        )

    async def follow(self) -> None:
        """Carry it until it ends by itself. Leaving early puts everything back."""
        try:
            status = await carry_out(self._plan, self)
        except CannotListen:
            self._loud(_("Not connected: no port could be opened on this machine."), True)
        else:
            self._loud(_ended(status), True)
        finally:
            self.over = True
            self.port = 0

    def show(self, event: Event) -> None:
        """Take in what has happened (`client.connect.run.Face`)."""
        if isinstance(event, Status):
            self.status = event
        elif isinstance(event, Listening):
            self.port = event.port
        elif isinstance(event, Using):
            self._uses(event)
        elif isinstance(event, Lost):
            self._lost(event)
        elif isinstance(event, Held):
            self.using, self.held = None, event
            if event.why is Hold.NOTHING_WORKS:  # before a lower class a question comes, which tells of it
                self._tell(_stopped(event), loud=True)
        elif isinstance(event, Noticed):
            self._loud(printable(say(event.message), _REASON), False)

    def close(self) -> None:
        """Nothing is left behind on a screen (`client.connect.run.Face`)."""

    def _uses(self, event: Using) -> None:
        self.using, self.held, self.status = event, None, None
        entry = _name(event.option)
        if event.why is Why.START:
            self._tell(_("Connected through {entry}, on port {port}.", entry=entry, port=self.port))
        elif event.id == self.wanted:
            self._tell(_("Through the entry that you chose again: {entry}.", entry=entry))
        else:
            self._tell(_("Now through another one: {entry}.", entry=entry))

    def _lost(self, event: Lost) -> None:
        self.using = None
        why = printable(say(event.reason), _REASON)
        cut = ngettext("{n} connection was cut", "{n} connections were cut", event.cut)
        self.death = _("{entry} has died: {why}; {cut}.", entry=_name(event.option), why=why, cut=cut)
        self._loud(self.death, True)

    def _tell(self, text: str, *, loud: bool = False) -> None:
        """Tell what came next; after a death together with it, for one notice takes the place of another."""
        death, self.death = self.death, ""
        self._loud(f"{death}\n{text}" if death else text, loud or bool(death))


def _stopped(event: Held) -> str:
    if event.why is Hold.ONLY_LOWER:
        return _("All traffic is stopped: only entries that protect less are left.")
    if event.why is Hold.TRYING and event.there is not None:
        return _("All traffic is stopped until an entry of class {kind} answers.", kind=event.there.value)
    return _("All traffic is stopped: nothing works any more. It goes on when something does.")


def _ended(status: int) -> str:
    if status == Exit.NOTHING:
        return _("Not connected: neither this entry nor a reserve works now.")
    return _("Not connected: it could not be tested now.")


def line(connection: Connection) -> Text:
    """Return the status line: symbol and word, then what is in use and its figures."""
    port = _("port {port}", port=connection.port) if connection.port else ""
    if connection.held is not None and connection.held.why is Hold.TRYING:
        return Text(_joined(["… " + _("trying"), _stopped(connection.held)]), style="bold yellow")
    if connection.held is not None:
        return Text(_joined(["✘ " + _("STOPPED"), _stopped(connection.held)]), style="bold reverse")
    if connection.using is None:
        return Text(_joined(["… " + _("connecting"), port]), style="bold yellow")
    silence = _silence(connection.status)
    if silence >= _LONG_AGO:
        text = Text("○ " + _("not checked for {time}", time=_time(silence)), style="bold yellow")
    else:
        text = Text("✔ " + _("connected"), style="bold green")
    parts = ["", _name(connection.using.option), port, *_figures(connection.status)]
    return text.append(_joined(parts), style="not bold default")


def _joined(parts: Sequence[str]) -> str:
    return " · ".join(part for number, part in enumerate(parts) if part or not number)


def _figures(status: Status | None) -> list[str]:
    if status is None:
        return []
    lower = "⚠ " + _("{n} still through a lower class", n=status.below) if status.below else ""
    moved = f"↓ {_amount(status.down)} ↑ {_amount(status.up)}"
    return [lower, moved, _latency(status), describe.clock(status.uptime)]


def _silence(status: Status | None) -> float:
    return (status.quiet if status is not None else None) or 0.0


def _latency(status: Status) -> str:
    """Return how long an answer takes; after a while without one how old it is, and once the sign says that nothing."""
    silence = _silence(status)
    if silence >= _LONG_AGO:
        return ""
    if silence >= _AGO:
        return _("last answer {time} ago", time=_time(silence))
    return "" if status.latency is None else _("{ms} ms", ms=round(status.latency * 1000))


def _time(seconds: float) -> str:
    if seconds < 60:
        return _("{n} s", n=int(seconds))
    minutes = int(seconds // 60)
    return _("{n} min", n=minutes) if minutes < 60 else _("{n} h", n=minutes // 60)


def _amount(count: int) -> str:
    kib = count / 1024
    return _("{mib} MiB", mib=f"{kib / 1024:.1f}") if kib >= 1024 else _("{kib} KiB", kib=round(kib))

"""What to do next, from what is known. Pure: no clock, no network; of the disk only whether a list is a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from client.commands import command, listed
from client.events import Finished
from client.judge import NO_IPV6
from client.model import LineState, Message, Protection, Status, Verdict, counted
from client.sources import BUILTIN
from client.vault import opened
from transports.types import N_

NOTHING: Final[Mapping[str, Message]] = {}
_EXPOSES = {
    Protection.TOR: N_("nobody on the way sees both you and where you go"),
    Protection.TRUSTED: N_("your operator sees one server; that server, which you trust, sees where you go"),
    Protection.UNKNOWN: N_("your operator sees one server; whoever runs it sees where you go"),
    Protection.OPEN: N_("your operator and whoever runs it see where you go: not for logins or messages"),
}


def exposure(protection: Protection) -> Message:
    """Return in one phrase what an option of this class protects and exposes."""
    return Message(_EXPOSES[protection])


def rank(verdict: Verdict) -> tuple[str, float]:
    """Return a sort key: the protection class first, then speed."""
    return verdict.protection.value, -(verdict.kib_per_s or 0.0)


def best(verdicts: Iterable[Verdict], most: int = 5) -> list[Verdict]:
    """Return the best working options, at most `most`."""
    return sorted((v for v in verdicts if v.status is Status.WORKING), key=rank)[:most]


_LINE = {
    LineState.HEALTHY: N_("Your line reaches the open internet without any proxy."),
    LineState.SLOW: N_("Your line reaches the internet without any proxy, but very slowly."),
    LineState.IMPAIRED: N_(
        "Your line starts to answer without a proxy, but does not carry a page to its end."
    ),
    LineState.TAMPERED: N_("Something on your own line forges certificates or alters pages."),
    LineState.NO_ANSWER: N_("Without a proxy nothing answers on this line."),
    LineState.NO_NETWORK: N_("This machine has no network: check the cable, the Wi-Fi or mobile data first."),
}


_OWN = {  # where only the person's own test page was asked: it may stand inside the country
    LineState.HEALTHY: N_("Your own test page answers without a proxy; that says nothing of others."),
    LineState.SLOW: N_("Your own test page answers without a proxy, but very slowly."),
    LineState.IMPAIRED: N_("Your own test page begins to answer without a proxy, but breaks off."),
    LineState.NO_ANSWER: N_("Your own test page does not answer without a proxy."),
}


_CONNECT = N_("Connect this machine to a network, then run the same command again.")
_CONNECT_HERE = N_("Connect this machine to a network. Then press Esc and begin the check again there.")
_SPENT = N_("The data budget is spent: give more with --budget, and run it again for the rest.")
_STOPPED = N_("The check was stopped: run it again to test the rest.")


def line_message(state: LineState, *, own: bool = False) -> Message | None:
    """Return what is to be said about the person's own line, or None. `own`: their own test page alone was asked."""
    text = (_LINE | _OWN if own else _LINE).get(state)
    return Message(text) if text else None


def after(event: Finished, found: Sequence[Verdict], *, commands: bool = True) -> list[Message]:
    """Return the next steps at the end of a run. `found` are its working entries.

    Without `commands` what a shell is needed for is left out, and so is how to test the rest after a stop: the screen
    has keys for that.
    """
    return advise(
        event.counts,
        found,
        event.line_state,
        event.stopped,
        event.reasons,
        bridges_only=event.bridges_only,
        own=event.own,
        commands=commands,
    )


def advise(
    counts: Mapping[str, int],
    found: Sequence[Verdict],
    line: LineState,
    stopped: str,
    reasons: Mapping[str, Message] = NOTHING,
    *,
    bridges_only: bool = False,
    own: bool = False,
    commands: bool = True,
) -> list[Message]:
    """Return the next steps, most useful first. `reasons` are the most frequent ones, by status."""
    working = counts.get(Status.WORKING, 0)
    if not sum(counts.values()):
        return [
            Message(N_("Nothing in this list can be tested: mend the lines above, or give another list."))
        ]
    steps: list[Message] = []
    if line is LineState.NO_NETWORK and not working:
        return [Message(_CONNECT if commands else _CONNECT_HERE)]
    if working:
        steps += _use(best(found, 1), commands=commands)
    elif counts.get(Status.DEGRADED):
        steps.append(
            Message(
                N_(
                    "Nothing works fully. The degraded ones carry short text: messages without pictures, plain mail."
                )
            )
        )
    else:
        steps += _nothing(counts, line, stopped, reasons, bridges_only=bridges_only, own=own)
    if counts.get(Status.HOSTILE):
        steps.append(
            counted(
                "{n} entry alters or reads traffic: delete it and warn whoever sent it.",
                "{n} entries alter or read traffic: delete them and warn whoever sent them.",
                counts[Status.HOSTILE],
            )
        )
    if line is LineState.TAMPERED:
        steps.append(
            Message(N_("Do not install a certificate that anybody offers you: it would open what you send."))
        )
    if stopped == "budget" and commands:
        steps.append(Message(_SPENT))
    if stopped == "interrupted" and commands:
        steps.append(Message(_STOPPED))
    return steps


def _use(top: Sequence[Verdict], *, commands: bool) -> list[Message]:
    how = _how(top) if commands else []
    if top and top[0].protection is Protection.OPEN:
        return [
            Message(
                N_(
                    "Use the working ones for reading public pages only; for anything private find a link of class A, B or C."
                )
            ),
            *how,
        ]
    steps = [Message(N_("Use the first of the best options; keep the others for when it stops."))]
    if commands and top and top[0].candidate.endpoint.transport == "tor_bridge":
        steps.append(
            Message(
                N_("Copy its line (--reveal shows it) into Tor Browser: Settings, Connection, Add a bridge.")
            )
        )
    return steps + how


def _how(top: Sequence[Verdict]) -> list[Message]:
    """Return the commands that lead to using it; the built-in list is no LIST that could be named to them."""
    if not top or top[0].candidate.source == BUILTIN:
        return []
    names = [listed(top[0].candidate.source)]
    # With the vault open its results are being kept: the guide need not test again.
    guide = command("guide", ["--results", opened.PREFIX] if opened.current() else names)
    connect = command("connect", names)
    return [
        Message(N_("How to use it, step by step: `{command}`"), {"command": guide}),
        Message(N_("For all programs of this machine at once: `{command}`"), {"command": connect}),
    ]


def _nothing(
    counts: Mapping[str, int],
    line: LineState,
    stopped: str,
    reasons: Mapping[str, Message],
    *,
    bridges_only: bool,
    own: bool,
) -> list[Message]:
    untested = counts.get(Status.UNTESTED, 0)
    tested = sum(counts.values()) - untested
    if stopped == "target":
        return [Message(N_("No entry was judged: mend the target first, see above."))]
    if stopped and tested:
        values = {"tested": tested, "untested": untested}
        return [Message(N_("None of the {tested} tested so far works; {untested} were not tested."), values)]
    aside = [] if stopped else _aside(untested, reasons)
    if not tested:
        doctor = N_("Nothing could be tested: see `sanylau doctor` for what is missing here.")
        return [*aside, Message(doctor)]
    if untested > tested:
        few = N_("None of the few that were tested works; that says nothing about the others.")
        return [*aside, Message(few)]
    return [Message(_without_any(line, reasons, bridges_only=bridges_only, own=own)), *aside]


def _aside(untested: int, reasons: Mapping[str, Message]) -> list[Message]:
    """Return how many were not tested, and the reason that most of them share."""
    why = reasons.get(Status.UNTESTED)
    if not untested or why is None:
        return []
    return [
        counted(
            "{n} entry was not tested: {why}",
            "{n} entries were not tested. The most frequent reason: {why}",
            untested,
            why=why,
        )
    ]


def _without_any(line: LineState, reasons: Mapping[str, Message], *, bridges_only: bool, own: bool) -> str:
    failed = reasons.get(Status.FAILED)
    if failed is not None and failed.id == NO_IPV6:
        return N_(
            "Most of these need IPv6, which this machine does not have here: ask for entries with IPv4 addresses, or try another network."
        )
    if line in (LineState.HEALTHY, LineState.SLOW) and own:
        return N_(
            "None of these reaches your own test page, which answers without a proxy: they are dead or blocked. Get a fresh list, of other kinds too."
        )
    if line in (LineState.HEALTHY, LineState.SLOW):
        return N_(
            "None of these works, and your line is open: these entries are dead, not censored. Get a fresh list."
        )
    if line is LineState.NO_ANSWER and not own:
        return N_(
            "Nothing gets through now. In a shutdown the line comes back for short times: try again in an hour, and at night."
        )
    if bridges_only:
        return N_(
            "None of these works from here. Ask for bridges of another kind (`sanylau bridges --how`), or for share links."
        )
    return N_("None of these works from here. Ask for other kinds of entries: share links or Tor bridges.")

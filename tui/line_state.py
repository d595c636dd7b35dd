"""The person's line as the screen shows it: what is cut, how sure, and each way out. No Textual, no clock, no I/O.

A proxy or bridge is a way that is open only after whole pages came through one. A handshake alone is "partly".
"Shut" needs a comparison; where nothing came and nothing was compared, it "failed". What tends to survive a kind of cut
is said only of what was not tried yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client import advise
from client.diagnosis import advice
from client.diagnosis.kinds import Certainty, Diagnosis, Kind
from client.diagnosis.sights import Name as Asked
from client.diagnosis.sights import Place, Sight, Test
from client.diagnosis.view import View
from client.model import N_, Control, LineState, Message, Status, Verdict, counted
from client.render import diagnosis as face
from client.render.words import Look
from tui import theme
from tui.line_ways import (
    HITS,
    SPARED,
    SPARES,
    UNASKED,
    UNTRIED,
    WITH_TLS,
    Count,
    Name,
    State,
    Tally,
    Way,
    of_port,
)

__all__ = ["LineView", "Name", "State", "Tally", "Way", "so_far", "view_of"]

_QUICK: Final = 64.0  # KiB/s: from here on a way has all its bars
_ALONE: Final[Mapping[Kind, str]] = {  # where one of these holds, nothing else can be said of any way
    Kind.LOCAL_FAULT: N_("Nothing leaves this machine's network."),
    Kind.OUTAGE: N_("Nothing answers on this line."),
    Kind.CAPTIVE_PORTAL: N_("This network wants a login first."),
}
_NOTHING_ABROAD: Final = frozenset({*_ALONE, Kind.ALLOW_LIST, Kind.PORT_HOLES, Kind.MOBILE_ONLY})
_ANSWERS: Final[Mapping[Name, tuple[str, str]]] = {  # what a handshake of the diagnosis has shown
    Name.OBFS4: ("obfs4", N_("Handshake answered; no page fetched yet.")),
    Name.TOR: ("tor", N_("Handshake answered; no page fetched yet.")),
}
_DIRECT: Final[Mapping[State, str]] = {  # short: the kind stands above all rows
    State.OPEN: N_("Servers abroad answer."),
    State.PARTLY: N_("What does not pass stands above."),
    State.SHUT: N_("Nothing abroad, except as said above."),
    State.FAILED: N_("Nothing abroad, except as said above."),
    State.UNKNOWN: N_("This cannot be told."),
}
_CONTROL: Final = {
    LineState.HEALTHY: State.OPEN,
    LineState.SLOW: State.PARTLY,
    LineState.IMPAIRED: State.PARTLY,
    LineState.TAMPERED: State.PARTLY,
    LineState.NO_ANSWER: State.FAILED,
    LineState.NO_NETWORK: State.SHUT,
    LineState.UNKNOWN: State.UNKNOWN,
}
_NOTHING: Final = frozenset({State.SHUT, State.FAILED})
_UNMEASURED: Final = N_("Your line was not measured yet.")
_COMMAND: Final = "`sanylau"  # advice for a shell: the screen has keys for that
_LOOKING: Final = N_("Looking at your line…")
_WAITING: Final = Look("…", ".", "", "dim")
_STAGE: Final = Look("○", "o", "", "bold cyan")
_ANYWAY: Final = frozenset(
    {LineState.TAMPERED, LineState.NO_NETWORK, LineState.UNKNOWN}
)  # whatever page was asked
_OF_STAGE: Final = N_("Practice: this is the stage; it says nothing about your own line.")
_AWAY: Final = N_("Practice: nothing leaves this machine.")
_KEYED: Final[Mapping[str, str]] = {  # advice that speaks of a command: the screen has a key for it
    "Check cable, Wi-Fi or mobile data, the router, and the clock; then run it again.": N_(
        "Check cable, Wi-Fi or mobile data, the router, and the clock. Then look again: on the first screen 1, then a."
    ),
    "Open any page in a browser, log in, and run it again.": N_(
        "Open any page in a browser and log in. Then look again: on the first screen 1, then a."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """All that the panel shows. `sure` is empty where nothing was diagnosed; `besides` are the kinds after the first."""

    look: Look
    kind: Message
    sure: str = ""
    besides: tuple[Message, ...] = ()
    ways: tuple[Way, ...] = ()
    steps: tuple[Message, ...] = ()


def view_of(
    control: Control | None,
    diagnosis: Diagnosis | None,
    verdicts: Tally | Iterable[Verdict] = (),
    *,
    staged: bool = False,
) -> LineView:
    """Return the line as far as it is known; each of the three may be missing. `staged`: it is the drill's."""
    tally = verdicts if isinstance(verdicts, Tally) else Tally(verdicts)
    if staged:
        return _of_stage(tally)
    ways = tuple(_way(name, control, diagnosis, tally[name]) for name in Name)
    if diagnosis is None:
        return _measured(control, ways)
    main, *others = diagnosis.findings
    return LineView(
        look=face.look(main.kind, main.certainty),
        kind=advice.plain(main.kind),
        sure=face.CERTAINTIES[main.certainty],
        besides=tuple(advice.plain(found.kind) for found in others),
        ways=ways,
        steps=tuple(_keyed(step) for step in advice.next_steps(diagnosis) if _COMMAND not in step.id),
    )


def _keyed(step: Message) -> Message:
    return replace(step, id=_KEYED.get(step.id, step.id))


def _of_stage(tally: Tally) -> LineView:
    away = {Name.DIRECT, Name.DNS}
    ways = (
        Way(name, State.UNKNOWN, Message(_AWAY)) if name in away else _way(name, None, None, tally[name])
        for name in Name
    )
    return LineView(look=_STAGE, kind=Message(_OF_STAGE), ways=tuple(ways))


def so_far(sights: Sequence[Sight]) -> LineView:
    """Return what may be said in the middle of a diagnosis: what has passed. What has not may still be asked again."""
    passes = View(sights).protocols()
    ways = {name: Way(name, State.UNKNOWN, Message(UNTRIED)) for name in Name}
    for name in (Name.DIRECT, Name.DNS):
        ways[name] = Way(name, State.UNKNOWN, Message(N_("It is being asked.")))
    if "tls" in passes:
        ways[Name.DIRECT] = Way(Name.DIRECT, State.PARTLY, Message(_DIRECT[State.OPEN]), 2)
    for name, (protocol, text) in _ANSWERS.items():
        if protocol in passes:
            ways[name] = Way(name, State.PARTLY, Message(text), 1)
    return LineView(look=_WAITING, kind=Message(_LOOKING), ways=tuple(ways.values()))


def _measured(control: Control | None, ways: tuple[Way, ...]) -> LineView:
    state = control.state if control is not None else LineState.UNKNOWN
    look = _STAGE if _is_own(control) else theme.LINES[state]
    return LineView(look=look, kind=_said(control) or Message(_UNMEASURED), ways=ways)


def _said(control: Control | None) -> Message | None:
    return advise.line_message(control.state, own=control.own) if control is not None else None


def _is_own(control: Control | None) -> bool:
    """Say whether only the person's own test page was asked, so that nothing is known of the internet."""
    return control is not None and control.own and control.state not in _ANYWAY


def _way(name: Name, control: Control | None, diagnosis: Diagnosis | None, count: Count) -> Way:
    if name is Name.DIRECT:
        return _direct(control, diagnosis)
    if name is Name.DNS:
        return _dns(diagnosis)
    return _tried(name, count) or _expected(name, diagnosis, count)


# without a proxy


def _direct(control: Control | None, diagnosis: Diagnosis | None) -> Way:
    """Both have looked: the control at one page, the diagnosis at several servers. Where they differ, it is partly."""
    state = control.state if control is not None and not _is_own(control) else LineState.UNKNOWN
    measured, said = _CONTROL[state], _said(control)
    if diagnosis is None:
        return Way(Name.DIRECT, measured, said or Message(UNASKED), _bars(measured, control))
    found = _found_of(diagnosis)
    why = Message(_ALONE.get(diagnosis.main.kind, _DIRECT[found]))
    if measured in (found, State.UNKNOWN) or {found, measured} <= _NOTHING:
        unsure = found is State.OPEN and diagnosis.main.certainty is not Certainty.CERTAIN
        return Way(Name.DIRECT, found, why, min(_bars(found, control), 3 if unsure else 4))
    if found is State.UNKNOWN:
        return Way(Name.DIRECT, measured, said or why, _bars(measured, control))
    telling = said if said is not None and found is State.OPEN else Message(_DIRECT[State.PARTLY])
    return Way(Name.DIRECT, State.PARTLY, telling, 2)


def _found_of(diagnosis: Diagnosis) -> State:
    main = diagnosis.main
    if main.kind is Kind.OPEN:
        return State.OPEN
    if main.certainty is Certainty.CANNOT_TELL and main.kind is not Kind.MOBILE_ONLY:
        return State.PARTLY if diagnosis.passes & {"tls", "http"} else State.UNKNOWN
    if main.kind in _NOTHING_ABROAD:
        return State.SHUT if main.certainty is Certainty.CERTAIN else State.FAILED
    return State.PARTLY


def _bars(state: State, control: Control | None) -> int:
    if state is State.OPEN:
        rate = control.kib_per_s if control is not None else None
        return 4 if rate is None or rate >= _QUICK else 3
    return 2 if state is State.PARTLY else 0


# names


def _dns(diagnosis: Diagnosis | None) -> Way:
    if diagnosis is None:
        return Way(Name.DNS, State.UNKNOWN, Message(UNASKED))
    alone = _alone(Name.DNS, diagnosis)
    if alone is not None:
        return alone
    sealed = bool(diagnosis.passes & {"doh", "dot"})
    forged = _holding(diagnosis).get(Kind.DNS_TAMPERING)
    if forged is not None:
        return _forged(forged, sealed=sealed)
    view = View(diagnosis.sights)
    asked = view.find(Test.RESOLVE, places=(Place.HOME, Place.ABROAD), name=Asked.HARMLESS)
    right = {sight.place for sight in asked if sight.crossed and sight.way == "system"}
    if Place.ABROAD in right:
        return Way(Name.DNS, State.OPEN, Message(N_("The resolver here answers as it should.")), 4)
    if sealed or "dns" in diagnosis.passes:
        return Way(Name.DNS, State.PARTLY, Message(N_("Resolvers abroad answer, not the one here.")), 2)
    if right:
        return Way(Name.DNS, State.PARTLY, Message(N_("Only names of this country are answered.")), 1)
    if asked:
        return Way(Name.DNS, State.FAILED, Message(N_("No question for a name was answered.")))
    return Way(Name.DNS, State.UNKNOWN, Message(UNASKED))


def _forged(certainty: Certainty, *, sealed: bool) -> Way:
    if sealed:
        text = N_("Wrong answers here; encrypted DNS passes.")
        return Way(Name.DNS, State.PARTLY, Message(text), 2)
    state = State.SHUT if certainty is Certainty.CERTAIN else State.FAILED
    return Way(Name.DNS, state, Message(N_("Names are answered wrongly on the way.")))


# through something


def _tried(name: Name, count: Count) -> Way | None:
    """Return what the entries that got somewhere have shown, None where none did."""
    if count.by[Status.WORKING]:
        why = counted(
            "{n} entry of {tested} carries whole pages.",
            "{n} entries of {tested} carry whole pages.",
            count.by[Status.WORKING],
            tested=count.tested,
        )
        return Way(name, State.OPEN, why, 4 if count.best >= _QUICK else 3)
    if count.by[Status.DEGRADED]:
        why = counted(
            "{n} entry passes, but stalls or is slow.",
            "{n} entries pass, but stall or are slow.",
            count.by[Status.DEGRADED],
        )
        return Way(name, State.PARTLY, why, 2)
    if count.by[Status.HOSTILE]:
        why = counted(
            "{n} entry alters or reads what is sent.",
            "{n} entries alter or read what is sent.",
            count.by[Status.HOSTILE],
        )
        return Way(name, State.PARTLY, why, 1)
    if count.by[Status.BLOCKED]:
        why = counted(
            "{n} entry: interference was shown.",
            "{n} entries: interference was shown.",
            count.by[Status.BLOCKED],
        )
        return Way(name, State.SHUT, why)
    return None


def _expected(name: Name, diagnosis: Diagnosis | None, count: Count) -> Way:
    """Return what the diagnosis has shown or lets expect of a way on which no entry got anywhere."""
    if diagnosis is not None:
        seen = _alone(name, diagnosis) or _answered(name, diagnosis, count) or _hit(name, diagnosis)
        if seen is not None:
            return seen
    if count.by[Status.FAILED]:
        return Way(name, State.FAILED, _none(count.by[Status.FAILED]))
    if count.by[Status.UNTESTED]:
        return Way(name, State.UNKNOWN, Message(N_("Not tested: {why}"), {"why": count.why or Message("")}))
    return Way(name, State.UNKNOWN, _hint(name, diagnosis))


def _none(failed: int) -> Message:
    return counted(
        "{n} tried, it did not get through.",
        "None of {n} tried got through.",
        failed,
    )


def _alone(name: Name, diagnosis: Diagnosis) -> Way | None:
    main = diagnosis.main
    text = _ALONE.get(main.kind)
    if text is None or main.certainty is Certainty.CANNOT_TELL:
        return None
    return Way(name, State.SHUT if main.certainty is Certainty.CERTAIN else State.FAILED, Message(text))


def _answered(name: Name, diagnosis: Diagnosis, count: Count) -> Way | None:
    protocol, text = _ANSWERS.get(name, ("", ""))
    if not protocol or protocol not in diagnosis.passes:
        return None
    why = Message(text)
    if count.by[Status.FAILED]:
        why = counted(
            "Handshake answered; {n} carried no page.",
            "Handshakes answered; {n} carried no page.",
            count.by[Status.FAILED],
        )
    return Way(name, State.PARTLY, why, 1)


def _hit(name: Name, diagnosis: Diagnosis) -> Way | None:
    holding = _holding(diagnosis)
    for kind, certainty in holding.items():
        hit = HITS.get(kind)
        if hit is not None and name in hit.ways:
            state = State.SHUT if certainty is Certainty.CERTAIN else State.FAILED
            return Way(name, state, Message(hit.why))
    return None


def _hint(name: Name, diagnosis: Diagnosis | None) -> Message:
    if diagnosis is None:
        return Message(UNTRIED)
    holding = _holding(diagnosis)
    if holding.keys() & {Kind.PORT_HOLES, Kind.PORT_BLOCK} and diagnosis.tcp and of_port(name):
        ports = ", ".join(map(str, diagnosis.tcp[:4]))
        return Message(N_("Ports that pass: {ports}."), {"ports": ports})
    if any(name in SPARES.get(kind, ()) for kind in holding):
        return Message(SPARED)
    if name is Name.SEALED and holding.keys() & HITS.keys() - {Kind.UDP_BLOCK, Kind.TOR_BLOCK}:
        return Message(WITH_TLS)
    return Message(UNTRIED)


def _holding(diagnosis: Diagnosis) -> dict[Kind, Certainty]:
    """Return the kinds that hold, without those that nobody can tell."""
    return {
        found.kind: found.certainty
        for found in diagnosis.findings
        if found.certainty is not Certainty.CANNOT_TELL
    }

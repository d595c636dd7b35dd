"""How a search for holes looks: as text, and as JSON Lines. The keys are a contract: docs/holes.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from client.beacon.wire import Protocol
from client.diagnosis.kinds import Kind
from client.diagnosis.sights import Came
from client.holes import judge
from client.holes.events import Event, Finished, Listed, Started
from client.holes.names import Recursing
from client.holes.plan import Evidence, Seen, State
from client.i18n import _, ngettext, say
from client.model import Message
from client.render.plain import can_show
from client.text import printable, wrapped
from transports.types import N_

_LONGEST: Final = 400
_MOST: Final = 60  # ports that a line of the summary names
_FEW: Final = 12  # ports for one use: nobody needs more
_LINES: Final = 200  # holes that have a line of their own
_WORDS: Final = {
    State.SILENT: N_("Silent:"),
    State.REFUSED: N_("Refused:"),
    State.MUTE: N_("A connection opens, then nothing comes:"),
    State.CUT: N_("A connection opens, then is cut:"),
    State.OTHER: N_("Something else answers:"),
    State.UNKNOWN: N_("Not known:"),
    State.FAULT: N_("Could not be asked from here:"),
}
_TUNNELS: Final = {
    "yes": N_(
        "{who}: names abroad are looked up, answers of {size} bytes come through: a tunnel through DNS can work."
    ),
    "slow": N_(
        "{who}: names abroad are looked up, but only small answers came ({size} bytes): a tunnel through DNS would be slow."
    ),
    "no": N_("{who}: no way abroad through this resolver."),
}
_STOPPED: Final = {
    "first": N_("Stopped: enough was found."),
    "gone": N_("Stopped: the beacon is gone."),
    "interrupted": N_("Stopped by you."),
}


class Text:
    """Holes as they are found, the rest at the end."""

    def __init__(self, uses: Mapping[tuple[Protocol, int], str], out: TextIO | None = None) -> None:
        self._uses = uses
        self._out = out or sys.stdout
        self._symbol = "✔ " if can_show("✔", self._out) else "+ "
        self._others: dict[State, dict[Protocol, list[int]]] = {}
        self._listed: list[Listed] = []
        self._shown = 0

    def show(self, event: Event) -> None:
        """Write what `event` tells."""
        if isinstance(event, Seen):
            if event.crossed and not event.control:
                self._shown += 1
                if self._shown < _LINES:
                    self._line(self._hole(event))
                elif self._shown == _LINES:
                    self._line(_("… more holes: --json lists them all"))
            elif not event.control and (event.offered or event.state is not State.SILENT):
                kept = self._others.setdefault(event.state, {}).setdefault(event.protocol, [])
                if len(kept) <= _MOST:
                    kept.append(event.port)
        elif isinstance(event, Listed):
            self._listed.append(event)
        elif isinstance(event, Recursing):
            message = _TUNNELS[event.tunnel]
            self._lines(_(message, who=_resolver(event.who), size=event.largest))
        elif isinstance(event, Message):
            self._lines(printable(say(event), _LONGEST))
        elif isinstance(event, Started):
            self._lines(_begin(event))
        else:
            self._lines(*self._end(event))

    def _lines(self, *texts: str) -> None:
        for line in wrapped(list(texts)):
            self._line(line)

    def _line(self, text: str) -> None:
        encoding = self._out.encoding or "ascii"
        self._out.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._out.flush()

    def _hole(self, seen: Seen) -> str:
        moved = (
            " " + _("(led to port {port} on the way)", port=seen.arrived) if seen.state is State.MOVED else ""
        )
        return f"{self._symbol}{seen.protocol.upper()} {seen.port}{moved}"

    def _end(self, event: Finished) -> Iterator[str]:
        outcome = event.outcome
        yield ""
        for state, word in _WORDS.items():
            if self._others.get(state):
                yield f"{_(word)} {_ports(self._others[state])}"
        if self._listed:
            yield ngettext(
                "Of {n} address of the allow-list, {answer} answered{which}.",
                "Of {n} addresses of the allow-list, {answer} answered{which}.",
                len(self._listed),
                answer=event.listed,
                which=_which(self._listed),
            )
        yield ngettext(
            "{n} port crosses; asked in {seconds} s.",
            "{n} ports cross; asked in {seconds} s.",
            len(outcome.holes),
            seconds=f"{event.elapsed:.1f}",
        )
        if event.stopped:
            yield _(_STOPPED[event.stopped])
        if event.resume:
            yield _("To go on from here: the same command with --from {place}", place=event.resume)
        yield from self._meaning(event)

    def _meaning(self, event: Finished) -> Iterator[str]:
        outcome = event.outcome
        for (protocol, _word), ports in self._grouped(outcome.holes).items():
            named = ", ".join(map(str, ports[:_FEW])) + (" …" if len(ports) > _FEW else "")
            yield f"→ {say(judge.use(protocol, ports[0], self._uses, named))}"
        if event.names:
            yield "→ " + _(
                "ask your helper for a tunnel through DNS (dnstt, iodine): names abroad are looked up"
            )
        if outcome.kind is Kind.PORT_HOLES:
            yield _("Most ports are shut and these are not: what your helper puts on them will be reachable.")
        for doubt in outcome.doubts:
            yield f"! {say(doubt)}"
        yield _("Result code for your helper: {code}", code=outcome.code)

    def _grouped(self, holes: Sequence[Seen]) -> dict[tuple[Protocol, str], list[int]]:
        """Return the ports of each use, in their order."""
        groups: dict[tuple[Protocol, str], list[int]] = {}
        for hole in holes:
            word = self._uses.get((hole.protocol, hole.port), "")
            groups.setdefault((hole.protocol, word), []).append(hole.port)
        return groups


def _begin(event: Started) -> str:
    who = (
        ngettext("{n} beacon", "{n} beacons", event.beacons)
        if event.beacons
        else ngettext("{n} public host", "{n} public hosts", event.public)
    )
    return _(
        "Asking {who}: {tcp} TCP and {udp} UDP ports, profile {profile}.",
        who=who,
        tcp=event.tcp,
        udp=event.udp,
        profile=event.profile,
    )


def _resolver(who: str) -> str:
    name, _space, number = who.partition(" ")
    if name == "system":
        return _("Your resolver {number}", number=number)
    return _("Resolver {who}", who=who)


def _ports(by_protocol: Mapping[Protocol, Sequence[int]]) -> str:
    parts = []
    for protocol, ports in sorted(by_protocol.items()):
        more = " …" if len(ports) > _MOST else ""
        parts.append(f"{protocol.upper()} " + ", ".join(map(str, ports[:_MOST])) + more)
    return "; ".join(parts)


def _which(listed: Sequence[Listed]) -> str:
    numbers = [str(one.number) for one in listed if one.came in (Came.RIGHT, Came.OTHER)]
    return f" ({', '.join(numbers[:_MOST])})" if numbers else ""


class JsonLines:
    """One object a line, flushed as it is known."""

    def __init__(self, uses: Mapping[tuple[Protocol, int], str], out: TextIO | None = None) -> None:
        self._uses = uses
        self._out = out or sys.stdout

    def show(self, event: Event) -> None:
        """Write the lines for `event`; sentences go to standard error."""
        if isinstance(event, Message):
            sys.stderr.write(printable(say(event), _LONGEST) + "\n")
        for told in as_json(event, self._uses):
            self._out.write(json.dumps({"v": 1, **told}, ensure_ascii=True) + "\n")
            self._out.flush()


def as_json(event: Event, uses: Mapping[tuple[Protocol, int], str]) -> Iterator[dict[str, Any]]:
    """Return the objects for `event`."""
    if isinstance(event, Started):
        yield {"type": "started"} | {name: getattr(event, name) for name in Started.__dataclass_fields__}
    elif isinstance(event, Seen):
        if not event.control:
            yield _seen(event, uses)
    elif isinstance(event, Recursing):
        yield {
            "type": "resolver",
            "who": event.who,
            "place": event.place,
            "right": event.right,
            "fresh": event.fresh,
            "largest_bytes": event.largest,
            "tunnel": event.tunnel,
        }
    elif isinstance(event, Listed):
        yield {"type": "listed", "number": event.number, "port": event.port, "came": event.came}
    elif isinstance(event, Finished):
        late = [hole for hole in event.outcome.holes if hole.evidence is Evidence.REFUSAL]
        yield from (_seen(hole, uses, hole=True) for hole in late)
        yield _summary(event)


def _seen(seen: Seen, uses: Mapping[tuple[Protocol, int], str], *, hole: bool = False) -> dict[str, Any]:
    hole = hole or seen.crossed
    told: dict[str, Any] = {
        "type": "hole" if hole else "port",
        "protocol": seen.protocol,
        "port": seen.port,
        "state": seen.state,
        "ms": round(seen.elapsed * 1000),
        "offered": seen.offered,
    }
    if hole:
        told |= {
            "evidence": seen.evidence,
            "use": printable(say(judge.use(seen.protocol, seen.port, uses)), _LONGEST),
        }
    if seen.state is State.MOVED:
        told["arrived"] = seen.arrived
    return told


def _summary(event: Finished) -> dict[str, Any]:
    outcome = event.outcome
    return {
        "type": "summary",
        "tcp": [one.port for one in outcome.holes if one.protocol is Protocol.TCP],
        "udp": [one.port for one in outcome.holes if one.protocol is Protocol.UDP],
        "kind": outcome.kind,
        "certainty": outcome.certainty,
        "doubts": [printable(say(doubt), _LONGEST) for doubt in outcome.doubts],
        "code": outcome.code,
        "asked": event.asked,
        "silent": event.silent,
        "refused": event.refused,
        "unknown": event.unknown,
        "resolvers": event.names,
        "listed": event.listed,
        "stopped": event.stopped or None,
        "resume": event.resume or None,
        "elapsed_ms": round(event.elapsed * 1000),
    }

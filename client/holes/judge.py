"""What the answers mean: which ports are holes, how sure that is, what each is good for, and the result code. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from client.beacon.wire import Protocol
from client.diagnosis import code
from client.diagnosis.kinds import Certainty, Kind
from client.diagnosis.sights import Place
from client.holes.names import Recursing
from client.holes.plan import Evidence, Seen, State
from client.model import Message
from transports.types import N_

_ENOUGH: Final = 3  # silent ports beside an open one that make it a hole in a closed border
_HALF: Final = 2
_USES: Final[Mapping[str, str]] = {
    "dns": N_(
        "ask your helper for a tunnel through DNS (dnstt, iodine), or for WireGuard or Hysteria2, on UDP {ports}"
    ),
    "web": N_("ask your helper for a webtunnel or obfs4 bridge, or for an HTTPS or SOCKS proxy, on {ports}"),
    "shell": N_("ask your helper for an SSH account on {ports} (ssh -D makes a SOCKS proxy of it)"),
    "quic": N_("ask your helper for Hysteria2 or TUIC, or WireGuard, on UDP {ports}"),
    "time": N_("the clock can be set; ask your helper for WireGuard or Hysteria2 on UDP {ports}"),
}
_ANY: Final = {
    Protocol.TCP: N_("ask your helper for an obfs4 bridge or a SOCKS proxy on {ports}"),
    Protocol.UDP: N_("ask your helper for WireGuard or Hysteria2 on UDP {ports}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is concluded. `holes` in the order of the data file; `doubts` say what weakens it; `code` is the line to
    read out to the helper.
    """

    holes: tuple[Seen, ...]
    kind: Kind
    certainty: Certainty
    doubts: tuple[Message, ...]
    code: str


def use(protocol: Protocol, port: int, uses: Mapping[tuple[Protocol, int], str], ports: str = "") -> Message:
    """Return what a hole is good for; `ports` stands for several of one use."""
    word = uses.get((protocol, port), "")
    return Message(_USES.get(word, _ANY[protocol]), {"ports": ports or str(port)})


def conclude(seen: Sequence[Seen], recursing: Sequence[Recursing], *, beacon: bool) -> Outcome:
    """Return what the answers mean. `beacon`: a beacon was asked, not a public host."""
    found = holes(seen)
    told = code.Told(
        kinds=(_kind(seen, found),),
        certainty=_certainty(seen, found),
        tcp=tuple(sorted(one.port for one in found if one.protocol is Protocol.TCP)),
        udp=tuple(sorted({one.port for one in found if one.protocol is Protocol.UDP} | _dns_port(recursing))),
        passes=_passes(found, recursing),
    )
    return Outcome(
        holes=found,
        kind=told.kinds[0],
        certainty=told.certainty,
        doubts=tuple(_doubts(seen, found, beacon=beacon)),
        code=code.encode(told),
    )


def holes(seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """Return the ports that cross.

    A refusal shows that a port crosses if the host itself has refused. Where the host answers on that port, it was
    something else; and where ports refuse that nobody uses, everything is refused, by the host or by a filter.
    """
    refusal_counts = not any(one.control and one.state is not State.SILENT for one in seen) and any(
        one.control for one in seen
    )
    found = [one for one in seen if one.crossed and not one.control]
    if refusal_counts:
        refused = [one for one in seen if one.state is State.REFUSED and not one.offered and not one.control]
        found += [
            Seen(
                protocol=one.protocol,
                port=one.port,
                state=one.state,
                evidence=Evidence.REFUSAL,
                offered=False,
                elapsed=one.elapsed,
            )
            for one in refused
        ]
    return tuple(found)


def _counted(seen: Sequence[Seen]) -> Counter[State]:
    return Counter(one.state for one in seen if one.offered and one.protocol is Protocol.TCP)


def _kind(seen: Sequence[Seen], found: Sequence[Seen]) -> Kind:
    """Return PORT_HOLES where few ports of one host cross and most do not; all else other questions must settle."""
    counts = _counted(seen)
    tcp = [one for one in found if one.protocol is Protocol.TCP]
    if tcp and counts[State.SILENT] >= max(_ENOUGH, len([one for one in tcp if one.crossed])):
        return Kind.PORT_HOLES
    return Kind.UNCLEAR


def _certainty(seen: Sequence[Seen], found: Sequence[Seen]) -> Certainty:
    # Never certain: the far host's own firewall would look the same. A diagnosis asks more than one.
    return Certainty.LIKELY if _kind(seen, found) is Kind.PORT_HOLES else Certainty.CANNOT_TELL


def _dns_port(recursing: Sequence[Recursing]) -> set[int]:
    return {53} if any(one.right and one.place is Place.ABROAD for one in recursing) else set()


def _passes(found: Sequence[Seen], recursing: Sequence[Recursing]) -> frozenset[str]:
    keyed = {one.protocol for one in found if one.evidence is Evidence.KEYED}
    names = {Protocol.TCP: "raw", Protocol.UDP: "udp"}
    passing = {names[protocol] for protocol in keyed}
    if any(one.evidence is Evidence.PAGE for one in found):
        passing.add("http")
    if any(one.right and one.fresh for one in recursing):
        passing.add("dns")
    return frozenset(passing)


def _doubts(seen: Sequence[Seen], found: Sequence[Seen], *, beacon: bool) -> list[Message]:
    told = []
    counts = _counted(seen)
    asked = sum(counts.values())
    if any(one.evidence is Evidence.PAGE for one in found):
        told.append(
            Message(
                N_(
                    "A public host was asked: whoever sits on the way could give its answers too. A helper's beacon is the proof."
                )
            )
        )
    if any(one.evidence is Evidence.REFUSAL for one in found):
        told.append(
            Message(
                N_(
                    "Ports that the host itself refused are counted, because ports that nobody uses were silent. Have your helper try one."
                )
            )
        )
    if any(one.state is State.MOVED for one in seen):
        told.append(
            Message(
                N_(
                    "Some questions were led to another port on the way: a box on the line changes where connections go."
                )
            )
        )
    keyed = any(one.evidence is Evidence.KEYED for one in found)
    if keyed and counts[State.MUTE] + counts[State.CUT] > asked // _HALF:
        told.append(
            Message(
                N_(
                    "Most TCP connections open, but then get no answer, though the beacon is there. What looks like random bytes may be filtered, as obfs4 and Shadowsocks do: ask for a webtunnel bridge or another way inside TLS."
                )
            )
        )
    if not keyed and beacon and asked:
        if counts[State.MUTE] + counts[State.CUT] + counts[State.OTHER] > asked // _HALF:
            told.append(
                Message(
                    N_(
                        "Connections open, but the beacon's key never came back. Either the code or the beacon is wrong, or a box on the way answers in its place: open ports prove nothing here."
                    )
                )
            )
        elif counts[State.REFUSED] > asked // _HALF:
            told.append(
                Message(
                    N_(
                        "Nearly every port was refused. The beacon is not running, or a filter refuses everything: these refusals are no holes."
                    )
                )
            )
    elif counts[State.REFUSED] > _ENOUGH and any(one.offered for one in found):
        told.append(
            Message(
                N_("Ports where the beacon answers were refused: a filter does that, so they are no holes.")
            )
        )
    return told

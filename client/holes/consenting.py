"""The question before a search for holes: who is contacted, how often, and who can see that. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.beacon.wire import Protocol
from client.holes import plan
from client.model import Message, counted
from client.text import printable
from transports.types import N_

if TYPE_CHECKING:
    from client.holes.run import Plan


def text(wanted: Plan) -> list[Message]:
    """Return what the person agrees to."""
    lines = [Message(N_("Before the first packet leaves this machine:"))]
    lines += _asked(wanted)
    if wanted.resolvers and wanted.names:
        lines.append(
            counted(
                "• {n} resolver is asked for {name}, for a name under it that cannot exist, and for large answers ({large}).",
                "• {n} resolvers, your own among them, are asked for {name}, for a name under it that cannot exist, and for large answers ({large}).",
                len(wanted.resolvers),
                name=wanted.names[0].name,
                large=", ".join(name for name, _kind in wanted.ports.large),
            )
        )
    if wanted.listed:
        named = ", ".join(dict.fromkeys(target.name for target in wanted.listed if target.name))
        lines.append(
            counted(
                "• {n} address of an allow-list is contacted. {names}",
                "• {n} addresses of an allow-list are contacted. {names}",
                len(wanted.listed),
                names=printable(named, 600),
            )
        )
    if wanted.wishes.profile == "fast":
        lines.append(
            Message(
                N_(
                    "• Profile fast: a thousand ports a second look like an attack and can get this line blocked."
                )
            )
        )
    lines.append(Message(N_("• Nothing is written to disk, nothing is sent to anyone else.")))
    return lines


def _asked(wanted: Plan) -> list[Message]:
    tcp, udp = (len(wanted.likely.get(one, ())) for one in (Protocol.TCP, Protocol.UDP))
    if not wanted.beacons:
        return [
            Message(
                N_(
                    "• {host}, a volunteer's host that answers on every TCP port, is contacted on at most {most} ports, {pause} s apart. Your resolver is asked for its name. Your operator can see both."
                ),
                {"host": one.host, "most": wanted.ports.public_ports, "pause": wanted.spacing},
            )
            for one in wanted.public
        ]
    lines = [
        counted(
            "• Your helper's beacon is contacted on {tcp} TCP and {udp} UDP ports. Your operator can see that.",
            "• Your helpers' {n} beacons are contacted on {tcp} TCP and {udp} UDP ports each. Your operator can see that.",
            len(wanted.beacons),
            tcp=tcp,
            udp=udp,
        )
    ]
    if wanted.wishes.everything:
        hours, minutes = plan.hours(plan.LAST, wanted.spacing)
        lines.append(
            Message(
                N_(
                    "• When its key has answered, all ports follow. A sweep is visible to your operator: {count} connections to one address, for about {hours} h {minutes} min. It can draw attention to you and to your helper's address."
                ),
                {"count": plan.LAST, "hours": hours, "minutes": minutes},
            )
        )
    return lines

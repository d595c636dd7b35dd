"""Sentences that several rules say: what was seen, counted, and why it is not a neighbouring kind. No addresses."""

from __future__ import annotations

from client.diagnosis.kinds import Certainty, Finding, Kind
from client.diagnosis.sights import Came, Place, Test
from client.diagnosis.view import WEB, View
from client.model import Message, counted
from transports.types import N_


def finding(
    kind: Kind, certainty: Certainty, evidence: list[Message], against: list[Message] | None = None
) -> Finding:
    """Return a finding."""
    return Finding(kind=kind, certainty=certainty, evidence=tuple(evidence), against=tuple(against or ()))


def abroad_answer(view: View) -> Message:
    """Say how many servers abroad showed themselves."""
    n = len(view.alive(Place.ABROAD))
    return counted("{n} server abroad answers as it should.", "{n} servers abroad answer as they should.", n)


def abroad_silent(view: View) -> Message:
    """Say how many servers abroad do not answer on port 443, and how."""
    fronts = [front for front in view.fronts(Place.ABROAD).values() if not front.crossed]
    n = len(fronts)
    if sum(front.came in (Came.REFUSED, Came.RESET) for front in fronts) * 2 > n:
        return counted(
            "{n} server abroad: the connection to port 443 is refused or reset.",
            "{n} servers abroad: the connections to port 443 are refused or reset.",
            n,
        )
    if len(view.connects) * 2 > n:
        return counted(
            "{n} server abroad takes the connection to port 443, and then nothing comes.",
            "{n} servers abroad take the connection to port 443, and then nothing comes.",
            n,
        )
    return counted(
        "{n} server abroad gives no answer on port 443.", "{n} servers abroad give no answer on port 443.", n
    )


def home_answer(view: View) -> Message:
    """Say how many servers in the country answer."""
    n = len(view.alive(Place.HOME))
    return counted("{n} server in this country answers.", "{n} servers in this country answer.", n)


def ports_cross(ports: tuple[int, ...]) -> Message:
    """Say which TCP ports cross the border."""
    return counted(
        "TCP port {ports} crosses the border.",
        "TCP ports {ports} cross the border.",
        len(ports),
        ports=", ".join(map(str, ports)),
    )


def ports_dead(ports: list[int]) -> Message:
    """Say on how many ports of the same hosts nothing comes."""
    return counted(
        "{n} other port of the same hosts gives no answer.",
        "{n} other ports of the same hosts give no answer.",
        len(ports),
    )


def dns_abroad(view: View) -> list[Message]:
    """Say whether a resolver abroad still answers."""
    if view.find(Test.RESOLVE, places=(Place.ABROAD,), way="udp") and 53 in view.udp():
        return [Message(N_("A resolver abroad answers over UDP 53."))]
    return []


def tunnelled(view: View) -> bool:
    """Whether this machine's way out is a tunnel: then the answers are those of the tunnel's line."""
    return any(seen.detail.startswith("tunnel") for seen in view.find(Test.ROUTE))


TUNNELLED = N_(
    "This machine's way out is a tunnel (a VPN), so this is about the tunnel's line. Turn it off for your own."
)
NOT_OUTAGE = N_("Not an outage: servers in this country answer.")
NOT_ADDRESSES = N_("Not single addresses: no server abroad that was asked answers, whoever runs it.")
NOT_HOLES = N_("Not a cut with holes: none of the ports tried crosses either.")
NOT_CUT = N_("Not a cut of the country: servers abroad answer on port 443.")
NOT_PORTAL = N_("Not a login page: other servers show their own certificates.")
NOT_LOSS = N_("Not bad reception: asked again later, it was the same.")
NOT_THE_SERVER = N_("Not the server: the same server answers when only this one thing is different.")
NOT_ADDRESS = N_("Not the address: the same server answers to another name.")


def silent_ports(view: View) -> list[int]:
    """Return the ports on which no connection abroad came to anything that crosses.

    Where some hosts show that they live, the others say nothing about ports.
    """
    knocks = view.knocks()
    living = {who for (who, _), knock in knocks.items() if view.passes(knock)}
    crossing = view.tcp()
    asked = {port for (who, port) in knocks if port != WEB and (not living or who in living)}
    return sorted(asked - set(crossing))

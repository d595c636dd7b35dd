"""From what a person asked for to a diagnosis that can be begun, and to what they have to agree to first."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Final

from client.diagnosis import anchors
from client.diagnosis.anchors import Anchors
from client.diagnosis.plan import Wishes
from client.diagnosis.run import DEADLINE, Inquiry
from client.diagnosis.sights import Place
from client.i18n import _, ngettext
from client.settings import PROFILES
from client.text import printable

PORTS: Final = Path(__file__).parent.parent / "data" / "ports.toml"
_WEB: Final = 443
_RELAYS, _BRIDGES = 3, 2  # the most that the plan asks
_NAMED: Final = 400  # more than a file of anchors may have: who is asked is always named


def prepare(
    *,
    country: str = "",
    file: str = "",
    profile: str = "quiet",
    forbidden: bool = False,
    policing: bool = False,
) -> Inquiry:
    """Return the diagnosis that the options describe. Raises Rejected."""
    wishes = Wishes(forbidden=forbidden, policing=policing)
    likely = tuple(port for port in known_ports() if port != _WEB and port not in wishes.ordinary)
    return Inquiry(
        anchors=anchors.load(file=file) if file else _with_bridges(anchors.load(country)),
        profile=PROFILES[profile],
        wishes=replace(wishes, ports=likely),
    )


def _with_bridges(found: Anchors) -> Anchors:
    """Add the built-in obfs4 bridges in random order: not everybody is to knock at the same one."""
    from client import bridges

    lines = [line.text for line in bridges.builtin().lines() if line.transport == "obfs4"]
    return replace(found, bridges=(*found.bridges, *random.SystemRandom().sample(lines, len(lines))))


def known_ports() -> tuple[int, ...]:
    """Return the TCP ports that crossed in past cuts, the best first, from the data file."""
    data = tomllib.loads(PORTS.read_text("utf-8"))
    return tuple(dict.fromkeys(port for group in data["tcp"] for port in group["ports"]))


def contacted(inquiry: Inquiry) -> tuple[str, ...]:
    """Return all that may be contacted, whatever order it is asked in, and how: what a remembered consent is for."""
    found = replace(inquiry.anchors, bridges=tuple(sorted(inquiry.anchors.bridges)))
    return (repr(astuple(found)), repr(astuple(inquiry.wishes)), inquiry.profile.name)


def consent_text(inquiry: Inquiry) -> list[str]:
    """Return what the person agrees to: who is contacted, how much, and who can see it."""
    found, wishes = inquiry.anchors, inquiry.wishes
    lines = [
        _("Before the first packet leaves this machine:"),
        "• "
        + _("Of these as many are asked as it takes to name the kind of cut. Your operator can see that."),
    ]
    parts = [
        (
            ngettext(
                "{n} server in this country: {hosts}", "{n} servers in this country: {hosts}", n, hosts=hosts
            )
            if n
            else ""
        )
        for n, hosts in [_listed(server.name for server in found.at(Place.HOME))]
    ]
    abroad = [*found.at(Place.ABROAD), *found.at(Place.LISTED)]
    n, hosts = _listed(_with_operator(server.name, server.operator) for server in abroad)
    parts.append(ngettext("{n} server abroad: {hosts}", "{n} servers abroad: {hosts}", n, hosts=hosts))
    parts += _others(found)
    lines += [f"• {part}" for part in parts if part]
    if wishes.policing:
        lines.append(
            "• " + _("Four connections at once to one server: some networks punish that for about a minute.")
        )
    lines.append(
        "• "
        + _(
            "At most {connections} connections, {kib} KiB and {seconds} s. Nothing is written to disk, nothing is sent to anyone else.",
            connections=wishes.connections,
            kib=wishes.kib,
            seconds=round(DEADLINE),
        )
    )
    return lines


def _others(found: Anchors) -> list[str]:
    """Return lines for resolvers, names, pages, relays, and the hosts of all ports."""
    parts = []
    n, hosts = _listed(_with_operator(one.name or one.address, one.operator) for one in found.resolvers)
    if n:
        parts.append(ngettext("{n} resolver: {hosts}", "{n} resolvers: {hosts}", n, hosts=hosts))
    n, hosts = _listed(name.name for name in found.names)
    if n:
        parts.append(
            ngettext(
                "{n} harmless name, which these and your resolver are asked for: {hosts}; and names that cannot exist",
                "{n} harmless names, which these and your resolver are asked for: {hosts}; and names that cannot exist",
                n,
                hosts=hosts,
            )
        )
    n, hosts = _listed(page.host for page in found.pages)
    if n:
        parts.append(
            ngettext("{n} unencrypted page: {hosts}", "{n} unencrypted pages: {hosts}", n, hosts=hosts)
        )
    n, hosts = _listed(one.host for one in found.all_ports)
    if n:
        parts.append(
            ngettext(
                "{n} host that answers on every port, at most 20 ports: {hosts}",
                "{n} hosts that answer on every port, at most 20 ports: {hosts}",
                n,
                hosts=hosts,
            )
        )
    if found.nobody:
        parts.append(
            ngettext(
                "{n} address where no resolver runs: an answer from there would be a forgery.",
                "{n} addresses where no resolver runs: an answer from there would be a forgery.",
                len(found.nobody),
            )
        )
    tor = min(_RELAYS, len(found.relays)) + min(_BRIDGES, len(found.bridges))
    if tor:
        parts.append(
            ngettext(
                "{n} public relay or bridge of Tor. Your operator can see that somebody tries Tor.",
                "{n} public relays and bridges of Tor. Your operator can see that somebody tries Tor.",
                tor,
            )
        )
    return parts


def forbidden_text(inquiry: Inquiry) -> list[str]:
    """Return the question of its own for names that may be forbidden."""
    _count, names = _listed(entry.name for entry in inquiry.anchors.forbidden)
    return [
        _("Names that may be forbidden here:"),
        f"• {names}",
        "• "
        + _(
            "They are asked of your resolver and shown to servers that have nothing to do with them. Your operator can see these names, and that you asked for them."
        ),
        "• " + _("Without them a filter by name stays unseen; all the rest is asked all the same."),
    ]


def _with_operator(name: str, operator: str) -> str:
    return f"{name} ({operator})" if operator else name


def _listed(hosts: Iterable[str]) -> tuple[int, str]:
    """Return how many there are, and the first of them in one line."""
    names: Sequence[str] = list(dict.fromkeys(hosts))
    shown = ", ".join(printable(name, 80) for name in names[:_NAMED])
    return len(names), shown + (", …" if len(names) > _NAMED else "")

"""From sights to a diagnosis: one rule for each kind, asked in the order in which they may stand first. Pure.

A rule says what supports its kind and why it is not a neighbour (blackout kinds as docs/diagnosis.md tells them). No
rule names a kind because of one dead server, nor because of silence that came once. What no rule explains is `unclear`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from client.diagnosis import evidence as e
from client.diagnosis import rules_flow, rules_line, rules_names
from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.diagnosis.view import Fact, View
from client.model import Message, counted
from transports.types import N_

_ALONE: Final = frozenset({Kind.LOCAL_FAULT, Kind.CAPTIVE_PORTAL, Kind.OUTAGE})
_SHUT: Final = frozenset({Kind.PORT_HOLES, Kind.ALLOW_LIST})


_WAYS: Final = ("udp", "tcp", "doh", "dot")
_FEW_PORTS: Final = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind's rule, and the kinds that explain the same sights better: where one holds, this is not asked."""

    kind: Kind
    holds: Callable[[View], Finding | None]
    behind: frozenset[Kind] = frozenset()


RULES: Final = (
    Rule(Kind.LOCAL_FAULT, rules_line.local_fault),
    Rule(Kind.CAPTIVE_PORTAL, rules_line.captive_portal),
    Rule(Kind.OUTAGE, rules_line.outage),
    Rule(Kind.TLS_INTERCEPTION, rules_names.tls_interception),
    Rule(Kind.PORT_HOLES, rules_line.port_holes),
    Rule(Kind.ALLOW_LIST, rules_line.allow_list, frozenset({Kind.PORT_HOLES})),
    Rule(Kind.PORT_BLOCK, rules_line.port_block, _SHUT),
    Rule(Kind.IP_BLOCK, rules_line.ip_block, _SHUT | {Kind.PORT_BLOCK}),
    Rule(Kind.DNS_TAMPERING, rules_names.dns_tampering),
    Rule(Kind.SNI_RESET, rules_names.sni_reset),
    Rule(Kind.SNI_DROP, rules_names.sni_drop),
    Rule(Kind.HTTP_BLOCK_PAGE, rules_names.http_block_page, frozenset({Kind.DNS_TAMPERING})),
    Rule(Kind.PROTOCOL_ALLOW_LIST, rules_flow.protocol_allow_list),
    Rule(Kind.RANDOM_TRAFFIC_BLOCK, rules_flow.random_traffic_block),
    Rule(Kind.QUOTA_FREEZE, rules_flow.quota_freeze),
    Rule(Kind.CONNECTION_POLICING, rules_flow.connection_policing),
    Rule(Kind.NAME_THROTTLE, rules_flow.name_throttle),
    Rule(Kind.LINK_THROTTLE, rules_flow.link_throttle),
    Rule(Kind.UDP_BLOCK, rules_flow.udp_block, _SHUT | {Kind.PORT_BLOCK}),
    Rule(Kind.TOR_BLOCK, rules_flow.tor_block, _SHUT),
    Rule(Kind.LOCAL_FAULT, rules_line.no_resolver),
)
_TOLD: Final = {
    Kind.MOBILE_ONLY: N_("You say that another network works here: compare both, one run on each."),
    Kind.SCHEDULED_WINDOWS: N_("You say that it opens at times: note the hours for two days or more."),
}


def conclude(
    sights: Sequence[Sight],
    *,
    asked_forbidden: bool = False,
    told: Collection[Kind] = (),
    left_out: Sequence[Message] = (),
) -> Diagnosis:
    """Return what may be concluded, the main kind first. `told` are kinds that only the person can know of.

    `elapsed`, `connections` and `kib` stay 0: whoever asked knows them.
    """
    view = View(sights)
    findings: list[Finding] = []
    for rule in RULES:
        if any(found.kind in rule.behind | _ALONE for found in findings):
            continue
        found = rule.holds(view)
        if found is not None:
            findings.append(found)
    if not findings:
        findings.append(_open(view, asked_forbidden=asked_forbidden) or _unclear(view))
    if e.tunnelled(view) and view.anything:
        findings[0] = replace(findings[0], evidence=(*findings[0].evidence, Message(e.TUNNELLED)))
    findings += [
        e.finding(kind, Certainty.CANNOT_TELL, [Message(text)])
        for kind, text in _TOLD.items()
        if kind in told
    ]
    replaced = findings[0].kind in _ALONE and not view.alive(Place.ABROAD)
    return Diagnosis(
        findings=tuple(findings),
        tcp=() if replaced else view.tcp(),
        udp=() if replaced else view.udp(),
        passes=frozenset() if replaced else view.protocols(),
        left_out=tuple(left_out),
        sights=tuple(sights),
    )


def _open(view: View, *, asked_forbidden: bool) -> Finding | None:
    """Servers abroad answer, 64 KiB came, and at most one anchor stays away."""
    alive = view.alive(Place.ABROAD)
    if len(alive) < 2 or _oddities(view):
        return None
    moved = any(seen.came is Came.RIGHT for seen in view.find(Test.DOWNLOAD, places=(Place.ABROAD,)))
    found = [e.abroad_answer(view)]
    if moved:
        found.append(Message(N_("64 KiB came from abroad without a stop.")))
    if len(view.dead(Place.ABROAD)) == 1:
        text = N_("One server does not answer; that alone says nothing about the line.")
        found.append(Message(text))
    if not asked_forbidden:
        found.append(
            Message(N_("Names that may be forbidden were not asked, so a filter by name stays unseen."))
        )
    return e.finding(Kind.OPEN, Certainty.CERTAIN if moved else Certainty.LIKELY, found)


def _oddities(view: View) -> list[Message]:
    """Return what does not fit an open line. One silent server, relay or resolver fits."""
    odd = []
    if any(seen.came is Came.FALSE for seen in view.find(Test.PAGE)):
        odd.append(Message(N_("An unencrypted page came back as another page.")))
    if any(seen.came is Came.FALSE for seen in view.find(Test.TLS) if seen.name is not Name.FORBIDDEN):
        odd.append(Message(N_("A server shows a certificate that is not its own.")))
    if len(dead := view.dead(Place.ABROAD)) > 1:
        odd.append(
            counted("{n} server abroad does not answer.", "{n} servers abroad do not answer.", len(dead))
        )
    system = view.facts(Test.RESOLVE, way="system", name=Name.HARMLESS)
    lost = [fact for fact in system.values() if fact.dead or fact.came in (Came.FALSE, Came.OTHER)]
    if len(lost) > 1 or any(fact.came is Came.FALSE for fact in lost) or view.same_answer:
        odd.append(Message(N_("This network's resolver does not answer as it should.")))
    down = view.facts(Test.DOWNLOAD, places=(Place.ABROAD,), name=Name.HARMLESS)
    if down and not any(fact.right for fact in down.values()):
        odd.append(Message(N_("A larger transfer from abroad did not come to its end.")))
    if view.speeds and max(view.speeds.values()) < rules_flow.SLOW:
        odd.append(Message(N_("A transfer was slow.")))
    if len(e.silent_ports(view)) > _FEW_PORTS:
        odd.append(Message(N_("Several ports get no answer.")))
    unsaid = view.facts(Test.RESOLVE, way="system", name=Name.FORBIDDEN).values()
    if rules_names.lost_names(view) or rules_flow.slow_names(view) or any(fact.dead for fact in unsaid):
        odd.append(Message(N_("A name that may be forbidden was treated differently from a harmless one.")))
    if any(not seen.crossed for seen in view.find(Test.PARALLEL)):
        odd.append(Message(N_("Not all of several handshakes at once were answered.")))
    return odd + _silent_services(view) + _silent_protocols(view)


def _silent_services(view: View) -> list[Message]:
    """Return what an open line lets through and this one does not; each was asked where more than one could answer."""
    odd = []
    up = view.facts(Test.UPLOAD, places=(Place.ABROAD,)).values()
    if any(fact.came is Came.STOPPED or fact.dead for fact in up) and not any(fact.right for fact in up):
        odd.append(Message(N_("A larger transfer to a server abroad did not come to its end.")))
    pages = view.facts(Test.PAGE, places=(Place.ABROAD,)).values()
    if sum(fact.dead for fact in pages) > 1 and not any(fact.crossed for fact in pages):
        odd.append(Message(N_("Unencrypted pages get no answer.")))
    ways = [view.facts(Test.RESOLVE, places=(Place.ABROAD,), way=way).values() for way in _WAYS]
    dead = [way for way in ways if any(fact.dead for fact in way) and not any(fact.crossed for fact in way)]
    if len(dead) > 1:
        odd.append(Message(N_("Resolvers abroad get no answer by more than one way.")))
    return odd


def _silent_protocols(view: View) -> list[Message]:
    odd = []
    for tests, text in (
        ((Test.QUIC, Test.UDP), N_("UDP gets no answer at more than one place.")),
        ((Test.TOR_LINK, Test.PT), N_("Tor gets no answer at more than one place.")),
    ):
        facts: list[Fact] = list(view.facts(*tests, places=(Place.ABROAD,)).values())
        if sum(fact.dead for fact in facts) > 1 and not any(fact.crossed for fact in facts):
            odd.append(Message(text))
    noise = view.facts(Test.BYTES, way="random").values()
    if noise and sum(fact.silences for fact in noise) > 1:
        odd.append(Message(N_("Random bytes get no answer.")))
    return odd


def _unclear(view: View) -> Finding:
    """Say what was seen where no kind may be named."""
    seen = _oddities(view)
    if alive := view.alive(Place.ABROAD):
        seen.append(counted("{n} server abroad answers.", "{n} servers abroad answer.", len(alive)))
    elif view.fronts(Place.ABROAD):
        seen.append(e.abroad_silent(view))
    if view.alive(Place.HOME):
        seen.append(e.home_answer(view))
    elif view.fronts(Place.HOME):
        seen.append(Message(N_("No server in this country answers.")))
    else:
        seen.append(
            Message(N_("No server in this country was asked, so the border cannot be told from the network."))
        )
    return e.finding(Kind.UNCLEAR, Certainty.CANNOT_TELL, [*seen, *e.dns_abroad(view)])

"""A diagnosis for people and for scripts, a result code in words, and the one line that shows what is asked now."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

from client.diagnosis import advice, code
from client.diagnosis.asks import Ask
from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.diagnosis.sights import Certificate, Place, Sight, Test
from client.i18n import _, ngettext, say
from client.model import Message
from client.render.words import Look, seconds
from client.text import printable
from transports.types import N_

VERSION: Final = 1
_LONGEST: Final = 400
_CLEAR: Final = "\r\x1b[K"
_ADDRESS: Final = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"
)

CERTAINTIES: Final = {
    Certainty.CERTAIN: N_("certain"),
    Certainty.LIKELY: N_("likely"),
    Certainty.CANNOT_TELL: N_("cannot be told"),
}
_OPEN: Final = Look("✔", "+", "", "green")
_FAULT: Final = Look("!", "!", "", "yellow")
_DOUBT: Final = Look("?", "?", "", "cyan")
_CUT: Final = Look("⊘", "#", "", "red")
_PROTOCOLS: Final = {
    "dns": "DNS",
    "doh": "DNS over HTTPS",
    "dot": "DNS over TLS",
    "tls": "TLS",
    "http": "HTTP",
    "raw": N_("random bytes"),
    "quic": "QUIC",
    "tor": "Tor",
    "obfs4": "obfs4",
    "udp": "UDP",
}


def look(kind: Kind, certainty: Certainty) -> Look:
    """Return symbol, stand-in and colour of a kind; the words beside them say the same."""
    if kind is Kind.OPEN:
        return _OPEN
    if kind in (Kind.LOCAL_FAULT, Kind.CAPTIVE_PORTAL):
        return _FAULT
    return _DOUBT if certainty is Certainty.CANNOT_TELL else _CUT


def lines(diagnosis: Diagnosis, *, symbols: bool = True) -> list[str]:
    """Return the whole text: kinds with their evidence, what passes, what to do, the cost and the code."""
    told = []
    for number, finding in enumerate(diagnosis.findings):
        told += [*([""] if number else []), *_finding(finding, symbols=symbols)]
    told += ["", *passing(diagnosis.tcp, diagnosis.udp, diagnosis.passes)]
    told += _part(_("What tends to survive this:"), "•", advice.survives(diagnosis))
    told += _part(_("What to do now:"), "→", advice.next_steps(diagnosis))
    told += _part(_("Not asked:"), "•", diagnosis.left_out)
    told += [
        "",
        _(
            "It took {seconds}, {connections}, {kib} KiB.",
            seconds=seconds(diagnosis.elapsed),
            connections=ngettext("{n} connection", "{n} connections", diagnosis.connections),
            kib=round(diagnosis.kib),
        ),
        _("Result code: {code}", code=code.of(diagnosis)),
        _("It holds no addresses. Whoever helps you reads it with: sanylau diagnose --explain CODE"),
        _("A list is tested in the order that fits it with: sanylau check LIST --diagnosis CODE"),
    ]
    return told if symbols else [_ascii(line) for line in told]


def _finding(finding: Finding, *, symbols: bool) -> list[str]:
    seen = look(finding.kind, finding.certainty)
    sure = _(CERTAINTIES[finding.certainty])
    return [
        f"{seen.symbol if symbols else seen.ascii} {said(advice.plain(finding.kind))}",
        "  " + _("{certainty} (kind: {kind})", certainty=sure, kind=finding.kind.value),
        *_part(_("What was seen:"), "•", finding.evidence, begin="  "),
        *_part(_("Why it is nothing else:"), "•", finding.against, begin="  "),
    ]


def _part(title: str, mark: str, messages: Sequence[Message], begin: str = "") -> list[str]:
    """Return a title and what stands below it, or nothing."""
    if not messages:
        return []
    return [f"{begin}{title}", *(f"{begin}{mark} {said(message)}" for message in messages)]


def passing(tcp: Iterable[int], udp: Iterable[int], passes: Iterable[str]) -> list[str]:
    """Return the ports and protocols that were seen to pass, in one line, or nothing."""
    parts = []
    for name, ports in (("TCP", sorted(tcp)), ("UDP", sorted(udp))):
        if ports:
            parts.append(
                ngettext(
                    "{name} port {ports}", "{name} ports {ports}", len(ports), name=name, ports=_row(ports)
                )
            )
    if names := [_(text) for name, text in _PROTOCOLS.items() if name in set(passes)]:
        parts.append(", ".join(names))
    return [_("What was seen to pass: {what}.", what="; ".join(parts))] if parts else []


def _row(ports: Iterable[int]) -> str:
    return ", ".join(map(str, ports))


def said(message: Message) -> str:
    """Return a sentence for any screen: addresses hidden, nothing that acts on a terminal, not too long."""
    return printable(_masked(say(message)), _LONGEST)


def _masked(text: str) -> str:
    """Hide addresses: certificates of login pages bear theirs as a name."""
    return _ADDRESS.sub("…", text)


def _ascii(line: str) -> str:
    for symbol, stand_in in (("•", "-"), ("→", ">")):
        line = line.replace(f"{symbol} ", f"{stand_in} ", 1)
    return line


def explained(told: code.Told) -> list[str]:
    """Return what a result code says, for whoever helps."""
    main, *others = told.kinds
    text = [
        said(advice.plain(main)),
        "  " + _("{certainty} (kind: {kind})", certainty=_(CERTAINTIES[told.certainty]), kind=main.value),
    ]
    if others:
        text.append(_("Besides:"))
        text += [f"• {said(advice.plain(kind))} ({kind.value})" for kind in others]
    text += passing(told.tcp, told.udp, told.passes)
    same = Diagnosis(
        findings=tuple(Finding(kind=kind, certainty=told.certainty) for kind in told.kinds),
        tcp=told.tcp,
        udp=told.udp,
        passes=told.passes,
    )
    text += _part(_("What tends to survive this:"), "•", advice.survives(same))
    return text


def told_json(told: code.Told) -> dict[str, Any]:
    """Return what a result code says, for scripts."""
    return {
        "v": VERSION,
        "type": "code",
        "kind": told.kinds[0].value,
        "certainty": told.certainty.value,
        "kinds": [kind.value for kind in told.kinds],
        "tcp": list(told.tcp),
        "udp": list(told.udp),
        "passes": sorted(told.passes),
    }


def as_json(diagnosis: Diagnosis, *, interrupted: bool = False) -> dict[str, Any]:
    """Return the object for scripts; its keys are a contract (docs/json.md)."""
    main = diagnosis.main
    return {
        "v": VERSION,
        "type": "diagnosis",
        "kind": main.kind.value,
        "certainty": main.certainty.value,
        "kinds": [kind.value for kind in diagnosis.kinds],
        "evidence": _texts(main.evidence),
        "against": _texts(main.against),
        "findings": [_finding_json(finding) for finding in diagnosis.findings],
        "survives": _texts(advice.survives(diagnosis)),
        "next": _texts(advice.next_steps(diagnosis)),
        "tcp": list(diagnosis.tcp),
        "udp": list(diagnosis.udp),
        "passes": sorted(diagnosis.passes),
        "code": code.of(diagnosis),
        "left_out": _texts(diagnosis.left_out),
        "stopped": "interrupted" if interrupted else None,
        "elapsed_ms": round(diagnosis.elapsed * 1000),
        "connections": diagnosis.connections,
        "kib": round(diagnosis.kib),
        "sights": [_sight_json(seen) for seen in diagnosis.sights],
    }


def _texts(messages: Iterable[Message]) -> list[str]:
    return [said(message) for message in messages]


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "certainty": finding.certainty.value,
        "evidence": _texts(finding.evidence),
        "against": _texts(finding.against),
    }


def _sight_json(seen: Sight) -> dict[str, Any]:
    """Return a sight without the addresses in it."""
    return {
        "test": seen.test.value,
        "place": seen.place.value,
        "who": printable(seen.who),
        "port": seen.port or None,
        "way": seen.way or None,
        "name": seen.name.value or None,
        "came": seen.came.value,
        "after": seen.after or None,
        "failure": seen.failure.value if seen.failure else None,
        "detail": printable(seen.detail) or None,
        "round": seen.round,
        "started_ms": round(seen.started * 1000),
        "elapsed_ms": round(seen.elapsed * 1000),
        "received": seen.received,
        "sent": seen.sent,
        "packets": seen.packets,
        "kib_per_s": None if seen.kib_per_s is None else round(seen.kib_per_s, 1),
        "forgery": seen.forgery.value if seen.forgery else None,
        "certificate": _certificate_json(seen.certificate) if seen.certificate else None,
    }


def _certificate_json(shown: Certificate) -> dict[str, Any]:
    """Return who stands behind a certificate; its names are hostile text."""
    return {
        "issuer": shown.issuer.value,
        "by": printable(_masked(shown.by)) or None,
        "fingerprint": shown.fingerprint or None,
    }


_ASKING: Final = {
    Test.ROUTE: N_("the way out of this machine"),
    Test.RESOLVE: N_("names"),
    Test.CONNECT: N_("ports that may pass"),
    Test.TLS: N_("servers abroad"),
    Test.PAGE: N_("a page without encryption"),
    Test.DOWNLOAD: N_("whether 64 KiB come down"),
    Test.UPLOAD: N_("whether 64 KiB go up"),
    Test.BYTES: N_("whether unusual traffic passes"),
    Test.QUIC: N_("UDP and QUIC"),
    Test.UDP: N_("UDP"),
    Test.PARALLEL: N_("several connections at once"),
    Test.TOR_LINK: N_("Tor"),
    Test.PT: N_("a Tor bridge"),
}
_HOME: Final = N_("servers in this country")


def asking(event: Ask | Sight) -> str:
    """Return in a few words what a question is about."""
    at_home = event.test is Test.TLS and event.place is Place.HOME
    return _(_HOME if at_home else _ASKING[event.test])


class Progress:
    """One line on a terminal that says what is asked now. Elsewhere it stays silent."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._asked = self._answered = 0
        self._what = ""

    def watch(self, event: Ask | Sight) -> None:
        """Take a question or a sight into the line."""
        if isinstance(event, Ask):
            self._asked += 1
            self._what = asking(event)
        else:
            self._answered += event.answered
        if self._live:
            text = _(
                "Asking: {what}. {asked} asked, {answered} answered. Ctrl-C stops and shows what is known.",
                what=self._what,
                asked=self._asked,
                answered=self._answered,
            )
            width = max(20, shutil.get_terminal_size().columns - 1)
            self._out.write(_CLEAR + printable(text, width))
            self._out.flush()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._out.write(_CLEAR)
            self._out.flush()

"""What a diagnosis says: kinds of cuts, how sure, with what evidence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from client.diagnosis.sights import Sight
from client.model import Message


class Kind(StrEnum):
    """A kind of cut, or of no cut. Several can hold at once."""

    OPEN = "open"
    LOCAL_FAULT = "local_fault"
    OUTAGE = "outage"
    ALLOW_LIST = "allow_list"
    PORT_HOLES = "port_holes"
    MOBILE_ONLY = "mobile_only"
    SCHEDULED_WINDOWS = "scheduled_windows"
    DNS_TAMPERING = "dns_tampering"
    HTTP_BLOCK_PAGE = "http_block_page"
    CAPTIVE_PORTAL = "captive_portal"
    SNI_RESET = "sni_reset"
    SNI_DROP = "sni_drop"
    IP_BLOCK = "ip_block"
    PORT_BLOCK = "port_block"
    TLS_INTERCEPTION = "tls_interception"
    PROTOCOL_ALLOW_LIST = "protocol_allow_list"
    RANDOM_TRAFFIC_BLOCK = "random_traffic_block"
    QUOTA_FREEZE = "quota_freeze"
    CONNECTION_POLICING = "connection_policing"
    NAME_THROTTLE = "name_throttle"
    LINK_THROTTLE = "link_throttle"
    UDP_BLOCK = "udp_block"
    TOR_BLOCK = "tor_block"
    UNCLEAR = "unclear"


class Certainty(StrEnum):
    """How sure a finding is. CERTAIN needs a pair that differs in one thing, seen twice or at two anchors."""

    CERTAIN = "certain"
    LIKELY = "likely"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind that holds. `evidence` says what was seen, `against` why it is not a neighbouring kind."""

    kind: Kind
    certainty: Certainty
    evidence: tuple[Message, ...] = ()
    against: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is concluded about the line, the main kind first.

    `tcp`, `udp` are ports that cross the border (a port that refuses crosses too); `passes` names protocols that
    do ("dns", "doh", "dot", "tls", "http", "raw", "quic", "tor", "obfs4"). `left_out` says what was not asked and
    why. `sights` are all that was seen.
    """

    findings: tuple[Finding, ...]
    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    passes: frozenset[str] = frozenset()
    left_out: tuple[Message, ...] = ()
    sights: tuple[Sight, ...] = ()
    elapsed: float = 0.0
    connections: int = 0
    kib: float = 0.0

    @property
    def main(self) -> Finding:
        """Return the finding that stands first."""
        return self.findings[0]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Return every kind that holds, the main one first."""
        return tuple(finding.kind for finding in self.findings)

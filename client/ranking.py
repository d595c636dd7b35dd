"""Which candidates a diagnosis lets hope for: pure. It only orders them; nothing is left out for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from client.diagnosis.kinds import Kind
from client.model import Candidate

if TYPE_CHECKING:
    from client.diagnosis.code import Told

_BY_PORT: Final = frozenset({Kind.PORT_HOLES, Kind.PORT_BLOCK, Kind.ALLOW_LIST})
_BY_SHAPE: Final = frozenset({Kind.PROTOCOL_ALLOW_LIST, Kind.RANDOM_TRAFFIC_BLOCK})
_BY_NAME: Final = frozenset({Kind.DNS_TAMPERING, Kind.SNI_RESET, Kind.SNI_DROP})
_LESS_TCP: Final = frozenset({Kind.UDP_BLOCK, Kind.PORT_HOLES, Kind.ALLOW_LIST})
_OVER_UDP: Final = frozenset({"hysteria2", "tuic", "wireguard"})
_NOISE: Final = frozenset({"shadowsocks", "vmess"})  # without TLS around them they look like nothing
_NOISY_PTS: Final = frozenset({"obfs4", "obfs3", "obfs2", "scramblesuit"})
_BARE: Final = frozenset({"socks4", "socks4a", "socks5", "auto"})
# The lines of these hold a placeholder: they go to a host of a large network.
_ELSEWHERE: Final = frozenset({"snowflake", "meek_lite", "webtunnel", "conjure"})
_PORT, _PROTOCOL, _HINT = 8, 4, 1


def rank(candidate: Candidate, told: Told) -> int:
    """Return 0 for what this kind of cut spares best, more for what it spares less.

    The port counts most, where ports are what decides; then the protocol; a name where names are filtered, and a port
    that was not seen to pass, are only hints.
    """
    endpoint, kinds = candidate.endpoint, set(told.kinds)
    options = endpoint.options or {}
    pt = str(options.get("pt", ""))
    udp = endpoint.transport in _OVER_UDP or pt == "snowflake"
    points = 0
    if pt not in _ELSEWHERE and endpoint.port not in (told.udp if udp else told.tcp):
        points += _PORT if kinds & _BY_PORT else _HINT if told.tcp else 0
    if udp and kinds & _LESS_TCP and (pt or endpoint.port not in told.udp):
        points += _PROTOCOL
    if kinds & _BY_SHAPE and _is_odd(endpoint.transport, pt, tls=_has_tls(options)):
        points += _PROTOCOL
    if Kind.TOR_BLOCK in kinds and (pt == "vanilla" or endpoint.transport == "tor"):
        points += _PROTOCOL
    if kinds & _BY_NAME and _is_name(endpoint.host):
        points += _HINT
    return points


def _is_odd(transport: str, pt: str, *, tls: bool) -> bool:
    """Whether it looks like neither TLS nor HTTP."""
    return pt in _NOISY_PTS or transport in _BARE or (transport in _NOISE and not tls)


def _has_tls(options: Mapping[str, Any]) -> bool:
    """Whether a node's outbound has TLS switched on."""
    tls = options.get("tls")
    return isinstance(tls, Mapping) and bool(tls.get("enabled"))


def _is_name(host: str) -> bool:
    return ":" not in host and any(map(str.isalpha, host.rpartition(".")[2]))

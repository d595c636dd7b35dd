"""VLESS links (`vless://`), after the sharing proposal that Xray clients follow."""

from __future__ import annotations

from typing import Final

from transports.sharelink import Options, Query, decode, first, split, user_id
from transports.sharelink_sections import XTLS, finish, node
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("vless",)
_VISION: Final = "xtls-rprx-vision"
ENCRYPTED: Final = N_("sing-box has no VLESS encryption: use Xray for this one")


def parse(text: str) -> Endpoint:
    """Return the endpoint of a VLESS link. Raises Rejected."""
    link = split(text, SCHEMES)
    return build(link.host, link.port, decode(link.user), link.query, text)


def build(host: str, port: int, user: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint; the query holds `encryption`, `flow` and the common names. Raises Rejected."""
    fields: Options = {"uuid": user_id(user)}
    flow = first(query, "flow").lower()
    if flow in (_VISION, _VISION + "-udp443"):  # the second differs only in what it does with UDP
        fields["flow"] = _VISION
    elif flow not in ("", "none"):
        return finish(
            "vless",
            host,
            port,
            {"type": "vless", "server": host, "server_port": port, **fields},
            query,
            text,
            XTLS,
        )
    endpoint = node("vless", host, port, fields, query, text)
    if first(query, "encryption").lower() not in ("", "none"):
        return finish("vless", host, port, dict(endpoint.options or {}), query, text, ENCRYPTED)
    if "flow" in fields and not endpoint.untested:
        _check_flow(dict(endpoint.options or {}))
    return endpoint


def _check_flow(options: Options) -> None:
    if "transport" in options or "tls" not in options:
        raise Rejected(N_("flow= goes with plain TCP and tls or reality only: ask for a corrected link"))

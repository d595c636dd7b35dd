"""TUIC links (`tuic://`), version 5, as v2rayN and NekoBox write them; there is no specification."""

from __future__ import annotations

from typing import Final

from transports.sharelink import Options, Query, decode, first, secret, split, truthy, user_id
from transports.sharelink_sections import finish, tls_section
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("tuic",)
_CONTROLS: Final = {
    "": "cubic",
    "cubic": "cubic",
    "bbr": "bbr",
    "new_reno": "new_reno",
    "newreno": "new_reno",
}
OLD: Final = N_("TUIC version 4 is not supported: ask for a link of version 5")


def parse(text: str) -> Endpoint:
    """Return the endpoint of a TUIC link. Raises Rejected."""
    link = split(text, SCHEMES, default_port=443)
    user, colon, password = link.user.partition(":")
    if not colon and "%3a" in link.user.lower():
        user, _, password = decode(link.user).partition(":")
        return build(link.host, link.port, user, password, link.query, text)
    return build(link.host, link.port, decode(user), decode(password), link.query, text)


def build(host: str, port: int, user: str, password: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint; TUIC is always inside TLS over QUIC. Raises Rejected."""
    options: Options = {"type": "tuic", "server": host, "server_port": port}
    if first(query, "version") == "4" or first(query, "token"):
        return finish("tuic", host, port, options | {"uuid": user}, query, text, OLD)
    options |= {"uuid": user_id(user, strict=True), "password": secret(password)}
    control = first(query, "congestion_control", "congestion-controller").lower()
    if control not in _CONTROLS:
        raise Rejected(N_("congestion_control= must be cubic, bbr or new_reno"))
    if _CONTROLS[control] != "cubic":
        options["congestion_control"] = _CONTROLS[control]
    relay = first(query, "udp_relay_mode", "udp-relay-mode").lower()
    if relay not in ("", "native", "quic"):
        raise Rejected(N_("udp_relay_mode= must be native or quic"))
    if relay == "quic":
        options["udp_relay_mode"] = "quic"
    tls, why = tls_section({"alpn": "h3", **_quic(query)}, host, "tls")
    if tls and truthy(query, "disable_sni", "disable-sni"):
        tls["disable_sni"] = True
    options["tls"] = tls
    return finish("tuic", host, port, options, query, text, why)


def _quic(query: Query) -> dict[str, str]:
    """Leave out what QUIC has no use for: a browser fingerprint, another security, an empty alpn."""
    return {
        name: value
        for name, value in query.items()
        if value and name not in ("security", "fp", "fingerprint", "client-fingerprint", "type")
    }

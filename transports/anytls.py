"""AnyTLS links (`anytls://`), after the URI scheme in anytls-go."""

from __future__ import annotations

from typing import Final

from transports.sharelink import Options, Query, decode, secret, split
from transports.sharelink_sections import finish, tls_section
from transports.types import Endpoint

SCHEMES: Final = ("anytls",)


def parse(text: str) -> Endpoint:
    """Return the endpoint of an AnyTLS link. Raises Rejected."""
    link = split(text, SCHEMES, default_port=443)
    return build(link.host, link.port, decode(link.user), link.query, text)


def build(host: str, port: int, password: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint; AnyTLS is always inside TLS. Raises Rejected."""
    reality = query.get("security", "").lower() == "reality"
    tls, why = tls_section({**query, "security": "reality" if reality else "tls"}, host, "tls")
    options: Options = {"type": "anytls", "server": host, "server_port": port, "password": secret(password)}
    options["tls"] = tls
    return finish("anytls", host, port, options, query, text, why)

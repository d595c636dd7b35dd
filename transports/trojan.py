"""Trojan links (`trojan://`), after trojan-gfw and the query that Xray clients add."""

from __future__ import annotations

from typing import Final

from transports.sharelink import Query, decode, secret, split
from transports.sharelink_sections import node
from transports.types import Endpoint

SCHEMES: Final = ("trojan",)


def parse(text: str) -> Endpoint:
    """Return the endpoint of a Trojan link. Raises Rejected."""
    link = split(text, SCHEMES, default_port=443)
    return build(link.host, link.port, decode(link.user), link.query, text)


def build(host: str, port: int, password: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint; without `security` it is TLS. Raises Rejected."""
    return node("trojan", host, port, {"password": secret(password)}, query, text, security="tls")

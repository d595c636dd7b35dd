"""VMess links (`vmess://`): v2rayN's base64 of JSON, the URL style, and the Shadowrocket style."""

from __future__ import annotations

import re
from typing import Any, Final

from transports.sharelink import (
    Options,
    Query,
    check_host,
    check_text,
    decode,
    first,
    load_json,
    parse_port,
    parse_query,
    split,
    strip_scheme,
    text_from_base64,
    truthy,
    user_id,
)
from transports.sharelink_sections import finish, node
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("vmess",)
_SECURITY: Final = {
    "": "auto",
    "auto": "auto",
    "none": "none",
    "zero": "zero",
    "aes-128-gcm": "aes-128-gcm",
    "chacha20-poly1305": "chacha20-poly1305",
    "chacha20-ietf-poly1305": "chacha20-poly1305",
    "aes-128-cfb": "aes-128-cfb",
}
_NAMES: Final = {  # JSON name -> name in the common query
    "net": "type",
    "type": "headertype",
    "host": "host",
    "path": "path",
    "tls": "security",
    "sni": "sni",
    "alpn": "alpn",
    "fp": "fp",
    "insecure": "insecure",
    "allowinsecure": "allowinsecure",
    "vcn": "vcn",
    "pcs": "pcs",
    "pbk": "pbk",
    "sid": "sid",
}
_ROCKET: Final = re.compile(r"([a-z0-9-]+):([^@:]{1,64})@(.+)\Z", re.IGNORECASE)
CIPHER: Final = N_("sing-box does not know the VMess cipher of this link")


def parse(text: str) -> Endpoint:
    """Return the endpoint of a VMess link. Raises Rejected."""
    _, body = strip_scheme(text, SCHEMES)
    packed, _, tail = body.partition("?")
    if "@" in packed:
        link = split(text, SCHEMES)
        query = link.query
        cipher = first(query, "encryption", "scy")
        return build(
            link.host, link.port, decode(link.user), first(query, "alterid", "aid"), cipher, query, text
        )
    decoded = text_from_base64(decode(packed).rstrip("/")) or text_from_base64(decode(packed))
    if decoded is None:
        raise Rejected(N_("the part after vmess:// is no base64: copy the whole link"))
    record = load_json(decoded)
    if isinstance(record, dict):
        return _from_record(record, text)
    rocket = _ROCKET.match(decoded.strip())
    if not rocket:
        raise Rejected(N_("this VMess link holds no settings: copy the whole link"))
    return _from_rocket(rocket, parse_query(tail), text)


def _from_record(record: dict[str, Any], text: str) -> Endpoint:
    flat = {str(name).lower(): _scalar(value) for name, value in record.items()}
    query = {common: flat[name] for name, common in _NAMES.items() if flat.get(name)}
    if query.get("security") in ("1", "true"):
        query["security"] = "tls"
    carrier = query.get("type", "").lower()
    if carrier == "grpc":
        query |= {"servicename": query.pop("path", ""), "mode": query.pop("headertype", "")}
        query["authority"] = query.pop("host", "")
    elif carrier == "quic":
        query |= {"quicsecurity": query.pop("host", ""), "key": query.pop("path", "")}
    host = check_host(flat.get("add", "").strip())
    port = parse_port(flat.get("port", "").strip())
    cipher = flat.get("scy") or flat.get("security", "")
    return build(host, port, flat.get("id", ""), flat.get("aid", ""), cipher, query, text)


def _scalar(value: Any) -> str:
    """Return a JSON value as text: numbers come as numbers or as strings, alpn sometimes as a list."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ",".join(_scalar(item) for item in value[:16] if not isinstance(item, list))
    return check_text(str(value)) if isinstance(value, (str, int)) else ""


def _from_rocket(found: re.Match[str], query: Query, text: str) -> Endpoint:
    host, _, port = found[3].rpartition(":")
    common = dict(query)
    obfs = first(query, "obfs").lower()
    common["type"] = {"websocket": "ws", "none": "tcp"}.get(obfs, obfs)
    param = first(query, "obfsparam")
    inner = load_json(param) if param.startswith("{") else None
    common["host"] = _scalar(inner.get("Host", "")) if isinstance(inner, dict) else param
    common["security"] = "tls" if truthy(query, "tls") else "none"
    return build(
        check_host(host), parse_port(port), found[2], first(query, "alterid", "aid"), found[1], common, text
    )


def build(host: str, port: int, user: str, alter: str, cipher: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint. `alter` above 0 is the old VMess header without AEAD. Raises Rejected."""
    number = alter.strip() or "0"
    if not (number.isascii() and number.isdigit() and len(number) <= 5 and int(number) < 65_536):
        raise Rejected(N_("the alterId of a VMess link must be a number"))
    small = cipher.strip().lower()
    fields: Options = {"uuid": user_id(user), "security": _SECURITY.get(small, small)}
    if int(number):
        fields["alter_id"] = int(number)
    endpoint = node("vmess", host, port, fields, query, text)
    if small not in _SECURITY:
        return finish("vmess", host, port, dict(endpoint.options or {}), query, text, CIPHER)
    return endpoint

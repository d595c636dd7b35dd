"""Shadowsocks links (`ss://`): SIP002, the older all-base64 form, and Outline's static keys.

Sources: SIP002 (links), SIP003 (plugins), SIP022 (the 2022 ciphers), Outline's `prefix`.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from transports.sharelink import (
    Options,
    Query,
    check_host,
    decode,
    first,
    from_base64,
    parse_port,
    parse_query,
    secret,
    strip_scheme,
    text_from_base64,
)
from transports.sharelink_sections import finish
from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ("ss",)
_KEY_BYTES: Final = {
    "2022-blake3-aes-128-gcm": 16,
    "2022-blake3-aes-256-gcm": 32,
    "2022-blake3-chacha20-poly1305": 32,
}
_KNOWN: Final = re.compile(
    r"(?:aes-(?:128|192|256)-(?:gcm|ctr|cfb)|x?chacha20-ietf-poly1305|chacha20-ietf|xchacha20|rc4-md5|none)\Z"
)
_SAME: Final = {"plain": "none", "dummy": "none", "chacha20-poly1305": "chacha20-ietf-poly1305"}
_OLD: Final = re.compile(
    r"(?:table|rc4|rc4-md5-6|chacha20|salsa20|bf-cfb|des-cfb|rc2-cfb|idea-cfb|seed-cfb|cast5-cfb"
    r"|camellia-(?:128|192|256)-(?:cfb|ctr)|aes-(?:128|192|256)-(?:ofb|ccm|gcm-siv|cfb1|cfb8)|xchacha20-poly1305"
    r"|lea-(?:128|192|256)-gcm|rabbit128-poly1305|aegis-(?:128l|256)|2022-blake3-[a-z0-9-]+)\Z"
)
_PARTS: Final = re.compile(r"([^:]*):(.*)@([^@]*:[0-9]+)\Z", re.DOTALL)
_PIECE: Final = re.compile(r"(?:\\.|[^;\\])*", re.DOTALL)
_PLUGINS: Final = {"simple-obfs": "obfs-local", "obfs": "obfs-local"}
_OPTIONS: Final = {
    "obfs-local": ("obfs", "obfs-host"),
    "v2ray-plugin": ("mode", "tls", "host", "path", "mux"),  # `cert` would read a file of this machine
}
_COSMETIC: Final = ("fast-open", "mptcp", "loglevel")

CIPHER: Final = N_("sing-box does not do this old cipher: ask for a key with aes-256-gcm or a 2022 cipher")
PLUGIN: Final = N_("sing-box does not do this Shadowsocks plugin: use the program that belongs to it")
PREFIX: Final = N_("only Outline can send the prefix of this key: use the Outline app for it")
CARRIED: Final = N_("Shadowsocks inside another transport is for Xray: use Xray for this one")


def parse(text: str) -> Endpoint:
    """Return the endpoint of a Shadowsocks link. Raises Rejected."""
    _, body = strip_scheme(text, SCHEMES)
    left, _, tail = body.partition("?")
    query = parse_query(tail)
    if "@" in left:
        user, _, where = left.rpartition("@")
        method, password = _user(user)
    else:
        method, password, where = _legacy(left)
    host, _, port = where.partition("/")[0].rpartition(":")
    if host.count(":") and not host.startswith("["):
        raise Rejected(N_("an IPv6 address needs brackets: [2001:db8::1]:1080"))
    number = parse_port(port)
    return build(check_host(decode(host)), number, method, password, query, text)


def _user(user: str) -> tuple[str, str]:
    if ":" in user:
        method, _, password = user.partition(":")
        return decode(method), decode(password)
    plain = decode(user)
    decoded = plain if ":" in plain else text_from_base64(plain)
    if decoded is None or ":" not in decoded:
        raise Rejected(N_("the part before the @ must be base64 of cipher:password"))
    method, _, password = decoded.partition(":")
    return method, password


def _legacy(packed: str) -> tuple[str, str, str]:
    plain = decode(packed)
    for spelled in (plain, plain.rstrip("/")):  # a slash may belong to the base64 or stand behind it
        found = _PARTS.match((text_from_base64(spelled) or "").strip())
        if found:
            return found[1], found[2], found[3]
    raise Rejected(N_("this must be ss://base64 of cipher:password@host:port: copy the whole link"))


def build(host: str, port: int, method: str, password: str, query: Query, text: str) -> Endpoint:
    """Return the endpoint; the query may hold `plugin`, `prefix` and a transport. Raises Rejected."""
    method, why = _cipher(method)
    options: Options = {"type": "shadowsocks", "server": host, "server_port": port, "method": method}
    options["password"] = _key(method, password) if method in _KEY_BYTES else _password(method, password)
    why = why or _plugin(options, query.get("plugin", "").strip())
    if query.get("prefix"):
        why = PREFIX
        _check_prefix(query["prefix"])
    elif first(query, "type").lower() not in ("", "tcp", "raw") or first(query, "security") not in (
        "",
        "none",
    ):
        why = why or CARRIED
    return finish("shadowsocks", host, port, options, query, text, why)


def _cipher(method: str) -> tuple[str, str]:
    name = method.strip().lower().removeprefix("aead_").replace("_", "-")
    name = _SAME.get(name, name)
    if _KNOWN.match(name) or name in _KEY_BYTES:
        return name, ""
    if _OLD.match(name):
        return name, CIPHER
    raise Rejected(N_("this Shadowsocks cipher is not known: copy the whole link"))


def _password(method: str, password: str) -> str:
    return password if method == "none" and not password else secret(password)


def _key(method: str, password: str) -> str:
    """Return the keys of a 2022 cipher in their one spelling; several are identity keys and the user's."""
    parts = password.split(":", 8)
    keys = [from_base64(part) for part in parts]
    if len(parts) > 1 and "aes" not in method:
        raise Rejected(N_("only the AES ciphers of 2022 take several keys: ask for a corrected link"))
    if any(key is None or len(key) != _KEY_BYTES[method] for key in keys):
        raise Rejected(N_("a 2022 cipher needs base64 of a key of {size} bytes"), size=_KEY_BYTES[method])
    return ":".join(base64.b64encode(key).decode("ascii") for key in keys if key)


def _check_prefix(prefix: str) -> None:
    try:
        size = len(prefix.encode("latin-1"))
    except UnicodeError:
        size = 0
    if not 0 < size <= 32:
        raise Rejected(N_("prefix= must be 1 to 32 bytes, each written as a character from 0 to 255"))


def _plugin(options: Options, plugin: str) -> str:
    """Put the plugin into `options`; return why it cannot be tested, or "". Raises Rejected."""
    if plugin in ("", "none"):
        return ""
    pieces = [piece for piece in _PIECE.findall(plugin) if piece]
    if not pieces or len(pieces) > 32:
        raise Rejected(N_("plugin= must be a name and its options: copy the whole link"))
    name = _PLUGINS.get(pieces[0].strip(), pieces[0].strip())
    known = _OPTIONS.get(name)
    given = dict(_option(piece) for piece in pieces[1:])
    chosen = {key: value for key, value in given.items() if key not in _COSMETIC}
    options["plugin"] = name
    if name == "obfs-local":
        chosen.setdefault("obfs", "http")
    elif chosen.get("mode") == "websocket":
        del chosen["mode"]
    elif chosen.get("mode") == "quic":
        chosen["tls"] = ""
    if chosen:
        options["plugin_opts"] = ";".join(
            f"{key}={value}" if value else key for key, value in sorted(chosen.items())
        )
    if known is None or any(key not in known for key in chosen):
        return PLUGIN
    odd = chosen.get("obfs", "http") not in ("http", "tls") or chosen.get("mode", "quic") != "quic"
    return PLUGIN if odd else ""


def _option(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return name.strip(), value

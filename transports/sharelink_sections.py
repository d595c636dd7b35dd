"""The `tls` and `transport` sections of a sing-box outbound, out of the query that the links share.

The names are those of v2rayN and Xray links. What sing-box cannot do comes back as a reason; the caller
puts it into `Endpoint.untested`.
"""

from __future__ import annotations

import re
from typing import Final

from transports.sharelink import Options, Query, check_host, first, from_base64, leftovers, truthy
from transports.types import N_, Endpoint, Rejected

FINGERPRINTS: Final = frozenset(
    {"chrome", "firefox", "edge", "safari", "360", "qq", "ios", "android", "random", "randomized"}
)
_SAME: Final = {"": "tcp", "raw": "tcp", "none": "tcp", "websocket": "ws", "h2": "http", "mkcp": "kcp"}
_HOSTED: Final = ("ws", "httpupgrade", "http", "xhttp", "splithttp")
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SHORT_ID: Final = re.compile(r"(?:[0-9a-f]{2}){0,8}\Z")

XHTTP: Final = N_("sing-box has no XHTTP transport: use Xray for this one")
KCP: Final = N_("sing-box has no mKCP transport: use Xray for this one")
OTHER: Final = N_("sing-box does not know the transport of this link")
HEADER: Final = N_("sing-box cannot do the HTTP header of this link together with TLS")
MULTI: Final = N_("sing-box cannot do this form of gRPC: use Xray for this one")
BARE: Final = N_("sing-box does this transport with TLS only: use Xray for this one")
ECH: Final = N_("this link hides its name with ECH, which cannot be tested yet")
PINNED: Final = N_("this link pins a certificate, which sing-box cannot check")
VERIFY: Final = N_("this link checks the certificate against another name, which sing-box cannot do")
XTLS: Final = N_("the old XTLS is not in use any more: ask for a newer link")


def carrier(query: Query) -> str:
    """Return the name of the transport: tcp, ws, httpupgrade, http, grpc, quic, kcp, xhttp or as given."""
    name = first(query, "type").lower()
    return _SAME.get(name, name)


def node(
    kind: str, host: str, port: int, fields: Options, query: Query, text: str, *, security: str = "none"
) -> Endpoint:
    """Build the endpoint of a TCP node. `security` holds where the query names none. Raises Rejected."""
    tls, why = tls_section(query, host, security)
    way, why_way = transport_section(query, tls)
    options: Options = {"type": kind, "server": host, "server_port": port, **fields}
    if tls:
        options["tls"] = tls
    if way:
        options["transport"] = way
    return finish(kind, host, port, options, query, text, why or why_way)


def finish(
    kind: str, host: str, port: int, options: Options, query: Query, text: str, untested: str
) -> Endpoint:
    """Build an endpoint; one that is not tested keeps its whole query, which tells it from others."""
    if untested:
        options["query"] = leftovers(query)
    return Endpoint(transport=kind, host=host, port=port, options=options, text=text, untested=untested)


def tls_section(query: Query, host: str, security: str) -> tuple[Options | None, str]:
    """Return (the section or None, why sing-box cannot do it or ""). Raises Rejected."""
    wanted = (first(query, "security") or security).lower()
    if wanted == "none":
        return None, ""
    if wanted not in ("tls", "reality", "xtls"):
        raise Rejected(N_("security= must be none, tls or reality"))
    section: Options = {"enabled": True, "server_name": server_name(query, host)}
    if wanted == "reality":
        section["reality"] = _reality(query)
    elif truthy(query, "insecure", "allowinsecure", "allow_insecure", "skip-cert-verify"):
        section["insecure"] = True
    if alpn := _alpn(query):
        section["alpn"] = alpn
    if shape := _fingerprint(query, needed=wanted == "reality"):
        section["utls"] = {"enabled": True, "fingerprint": shape}
    return section, XTLS if wanted == "xtls" else _beyond_tls(query, section["server_name"])


def server_name(query: Query, host: str) -> str:
    """Return the TLS name: `sni`, else the HTTP host of the transport (as v2rayN does), else the server."""
    name = first(query, "sni", "peer", "servername")
    if not name and carrier(query) in _HOSTED:
        name = first(query, "host").partition(",")[0].strip()
        name = name.partition(":")[0] if name.count(":") == 1 else name
    try:
        return check_host(name) if name else host
    except Rejected:
        raise Rejected(N_("the TLS name (sni= or host=) is not a host name")) from None


def _alpn(query: Query) -> list[str]:
    if carrier(query) in ("ws", "httpupgrade"):
        return []  # only http/1.1 can carry these; sing-box asks for it by itself
    names = [name.strip() for name in query.get("alpn", "").split(",") if name.strip()]
    return [] if names == ["h2"] and carrier(query) in ("grpc", "http") else names


def _fingerprint(query: Query, *, needed: bool) -> str:
    shape = first(query, "fp", "fingerprint", "client-fingerprint").lower()
    if shape in ("", "none", "unsafe"):
        return "chrome" if needed else ""
    return shape if shape in FINGERPRINTS else "chrome"


def _reality(query: Query) -> Options:
    packed = first(query, "pbk")
    key = from_base64(packed)
    if key is None or len(key) != 32:
        raise Rejected(N_("pbk= must be a REALITY key of 43 characters: copy the whole link"))
    short = first(query, "sid").lower()
    if not _SHORT_ID.match(short):
        raise Rejected(N_("sid= must be up to 16 hexadecimal digits, an even number of them"))
    spelled = packed.rstrip("=").replace("+", "-").replace("/", "_")
    section: Options = {"enabled": True, "public_key": spelled}
    if short:
        section["short_id"] = short
    return section


def _beyond_tls(query: Query, name: str) -> str:
    if first(query, "ech").lower() not in ("", "none"):
        return ECH
    if first(query, "pcs", "pinsha256"):
        return PINNED
    return VERIFY if first(query, "vcn").lower() not in ("", name) else ""


def transport_section(query: Query, tls: Options | None) -> tuple[Options | None, str]:
    """Return (the section or None for plain TCP, why sing-box cannot do it or "")."""
    name = carrier(query)
    if name == "tcp":
        return _plain(query, tls)
    if name in ("ws", "httpupgrade"):
        return _upgraded(name, query), ""
    if name == "http":
        return _http(query), "" if tls else BARE
    if name == "grpc":
        return _grpc(query, tls)
    if name == "quic":
        bare = first(query, "quicsecurity").lower() in ("", "none")
        return {"type": "quic"}, OTHER if not bare else "" if tls else BARE
    return None, {"xhttp": XHTTP, "splithttp": XHTTP, "kcp": KCP}.get(name, OTHER)


def _plain(query: Query, tls: Options | None) -> tuple[Options | None, str]:
    header = first(query, "headertype").lower()
    if header in ("", "none", "tcp", "auto", "gun"):
        return None, ""
    if header == "http":
        return _http(query), HEADER if tls else ""
    return None, OTHER


def _upgraded(name: str, query: Query) -> Options:
    path, _, tail = _path(query).partition("?")
    kept = [part for part in tail.split("&") if part and not part.startswith("ed=")]
    early = next((part[3:] for part in tail.split("&") if part.startswith("ed=")), first(query, "ed"))
    section: Options = {"type": name}
    path = ("/" + path.lstrip("/")) if path.strip("/") else "/"
    if kept or path != "/":
        section["path"] = path + ("?" + "&".join(kept) if kept else "")
    host = first(query, "host").lower()
    if host:
        section |= {"headers": {"Host": host}} if name == "ws" else {"host": host}
    if name == "ws" and early.isascii() and early.isdigit() and 0 < int(early[:9]) < 65_536:
        section["max_early_data"] = int(early[:9])
        section["early_data_header_name"] = first(query, "eh") or "Sec-WebSocket-Protocol"
    return section


def _path(query: Query) -> str:
    """Return the path with stray percent signs escaped: sing-box reads it as part of an address."""
    return _STRAY.sub("%25", query.get("path", "").strip())


def _http(query: Query) -> Options:
    section: Options = {"type": "http"}
    hosts = [host.strip().lower() for host in query.get("host", "").split(",") if host.strip()]
    if hosts:
        section["host"] = hosts
    path = _path(query).lstrip("/")
    if path:
        section["path"] = "/" + path
    return section


def _grpc(query: Query, tls: Options | None) -> tuple[Options, str]:
    section: Options = {"type": "grpc"}
    service = first(query, "servicename")
    if service:
        section["service_name"] = service
    name = (tls or {}).get("server_name", "")
    own_name = first(query, "authority").lower() not in ("", name)
    multi = first(query, "mode").lower() not in ("", "gun", "none")
    return section, MULTI if multi or own_name or service.startswith("/") else ""

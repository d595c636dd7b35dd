"""Xray and V2Ray JSON: `outbounds` with `protocol`, one configuration or a list of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from transports import shadowsocks, trojan, vless, vmess
from transports.nodelists.common import (
    CHAIN,
    UNKNOWN,
    Item,
    Items,
    collect,
    dump,
    inner,
    not_tested,
    place,
    plain,
    read_json,
    untested,
    words,
)
from transports.types import N_, Endpoint, Rejected

_NO_NODES: Final = ("freedom", "blackhole", "dns", "loopback")
NO_SERVER: Final = N_("this Xray node names no server")


def endpoints(text: str) -> Items | None:
    """Return the nodes with their ordinals, None if the text is no Xray document."""
    data, refused = read_json(text)
    return refused or from_json(data)


def from_json(data: Any) -> Items | None:
    """Do the same with JSON that was read already."""
    nodes = list(_nodes(data))
    if not any(isinstance(node, dict) and isinstance(node.get("protocol"), str) for node in nodes):
        return None
    return collect(
        (
            (number, node)
            for number, node in enumerate(nodes, start=1)
            if not (isinstance(node, dict) and node.get("protocol") in _NO_NODES)
        ),
        _build,
    )


def _nodes(data: Any) -> Iterator[Any]:
    for part in data if isinstance(data, list) else [data]:
        if isinstance(part, dict) and isinstance(part.get("outbounds"), list):
            yield from part["outbounds"]
        elif isinstance(part, dict) and "protocol" in part:
            yield part


def _build(item: Item) -> Endpoint:
    kind = words(item.get("protocol"))
    server, user = _server(inner(item, "settings"))
    host, port = place(server, "address")
    stream = inner(item, "streamSettings")
    query, text = _query(stream), dump(item)
    if kind == "vmess":
        alter, cipher = words(user.get("alterId")), words(user.get("security"))
        endpoint = vmess.build(host, port, words(user.get("id")), alter, cipher, query, text)
    elif kind == "vless":
        query |= {"flow": words(user.get("flow")), "encryption": words(user.get("encryption"))}
        endpoint = vless.build(host, port, words(user.get("id")), query, text)
    elif kind == "trojan":
        query.setdefault("security", "none")
        endpoint = trojan.build(host, port, words(server.get("password")), query, text)
    elif kind == "shadowsocks":
        method, password = words(server.get("method")), words(server.get("password"))
        endpoint = shadowsocks.build(host, port, method, password, query, text)
    elif kind in ("socks", "http") and not query:
        names = (words(user.get("user")), words(user.get("pass")))
        endpoint = plain("socks5" if kind == "socks" else "http", host, port, *names)
    else:
        return untested(kind, host, port, item, ("tag", "mux"), UNKNOWN)
    chained = words(inner(item, "proxySettings").get("tag")) or words(
        inner(stream, "sockopt").get("dialerProxy")
    )
    return not_tested(endpoint, CHAIN, chained) if chained else endpoint


def _server(settings: Item) -> tuple[Item, Item]:
    """Return (server, user) of `vnext`, `servers`, or of the newer flat form. Raises Rejected."""
    if "address" in settings:
        return settings, settings
    for name in ("vnext", "servers"):
        found = settings.get(name)
        if isinstance(found, list) and found and isinstance(found[0], dict):
            users = found[0].get("users")
            user = users[0] if isinstance(users, list) and users and isinstance(users[0], dict) else {}
            return found[0], user
    raise Rejected(NO_SERVER)


def _query(stream: Item) -> dict[str, str]:
    """Return the common query of share links for Xray's `streamSettings`."""
    security = words(stream.get("security"))
    tls = inner(stream, "realitySettings" if security == "reality" else "tlsSettings")
    query = {
        "security": "" if security == "none" else security,
        "sni": words(tls.get("serverName")),
        "fp": words(tls.get("fingerprint")),
        "insecure": words(tls.get("allowInsecure")),
        "alpn": words(tls.get("alpn")),
        "pbk": words(tls.get("publicKey") or tls.get("password")),
        "sid": words(tls.get("shortId")),
        "ech": words(tls.get("echConfigList")),
        "pcs": words(tls.get("pinnedPeerCertSha256") or tls.get("pinnedPeerCertificateChainSha256")),
        "vcn": words(tls.get("verifyPeerCertByName") or tls.get("verifyPeerCertInNames")),
    }
    query |= _carrier(stream, words(stream.get("network")).lower())
    return {name: value for name, value in query.items() if value}


def _carrier(stream: Item, network: str) -> dict[str, str]:
    if network in ("ws", "websocket"):
        return {"type": "ws", **_host_and_path(inner(stream, "wsSettings"))}
    if network == "httpupgrade":
        return {"type": network, **_host_and_path(inner(stream, "httpupgradeSettings"))}
    if network in ("h2", "http"):
        return {"type": "http", **_host_and_path(inner(stream, "httpSettings"))}
    if network in ("grpc", "gun"):
        grpc = inner(stream, "grpcSettings")
        mode = "multi" if grpc.get("multiMode") is True else ""
        names = {"servicename": words(grpc.get("serviceName")), "authority": words(grpc.get("authority"))}
        return {"type": "grpc", "mode": mode, **names}
    if network in ("", "tcp", "raw"):
        header = inner(inner(stream, "rawSettings") or inner(stream, "tcpSettings"), "header")
        request = inner(header, "request")
        host = words(inner(request, "headers").get("Host"))
        path = words(request.get("path")).partition(",")[0]
        kind = words(header.get("type"))
        return {"headertype": "" if kind == "none" else kind, "host": host, "path": path}
    known = {
        "type": network,
        "settings": dump({key: stream[key] for key in stream if key.startswith(network)}),
    }
    return {"type": network} if network == "quic" else known


def _host_and_path(settings: Item) -> dict[str, str]:
    headers = {name.lower(): value for name, value in inner(settings, "headers").items()}
    host = words(settings.get("host")) or words(headers.get("host"))
    return {"host": host, "path": words(settings.get("path"))}

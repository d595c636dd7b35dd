"""A circumvention API on loopback, under TLS: every answer and error of rdsys, and the lies of an enemy."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from client.drill.asking import Request, answer, read_request
from client.drill.ca import Authority
from client.drill.serving import Handler, Peer, serving

FINGERPRINT = "A" * 40
CERT = "A" * 70
OBFS4 = f"obfs4 192.0.2.10:443 {FINGERPRINT} cert={CERT} iat-mode=0"
OTHER_PORT = f"obfs4 192.0.2.11:5060 {'B' * 40} cert={CERT} iat-mode=0"
WEBTUNNEL = f"webtunnel 192.0.2.12:443 {'C' * 40} url=https://tunnel.test/a&b"
JPEG = b"\xff\xd8\xff\xe0" + bytes(64)
TOKEN = "opaque"
LETTERS = "tq5f"
JSON = "application/json"


def setting(kind: str, source: str, *lines: str) -> dict[str, Any]:
    bridges: dict[str, Any] = {"type": kind, "source": source}
    return {"bridges": bridges | ({"bridge_strings": list(lines)} if lines else {})}


KNOWN = {
    "cn": [setting("snowflake", "builtin")],
    "tm": [setting("obfs4", "bridgedb", OBFS4, OTHER_PORT), setting("webtunnel", "bridgedb", WEBTUNNEL)],
}


def errors(code: int, detail: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "detail": detail}]}


@dataclass
class Moat:
    """A running server; `asked` is what came, `lies` what stands in for the answer to a path."""

    port: int = 0
    ca_pem: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    connections: int = 0
    lies: dict[str, bytes | Callable[[Peer], Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/moat/"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def reply(path: str, request: Request, body: Mapping[str, Any]) -> object:
    """Answer as rdsys does."""
    if path == "circumvention/settings":
        country = body.get("country", "")
        if not isinstance(body.get("transports", []), list):
            return errors(400, "Not valid request")
        if not country:
            return errors(406, "Could not find country code for circumvention settings")
        entries = KNOWN.get(country)
        if entries is None:
            return {}
        wanted = body.get("transports") or ["obfs4", "snowflake", "webtunnel"]
        fits = [entry for entry in entries if entry["bridges"]["type"] in wanted]
        no = errors(404, "No provided transport is available for this country")
        return {"settings": fits, "country": country} if fits else no
    if path == "circumvention/defaults":
        return {"settings": [setting("obfs4", "builtin", OBFS4)]}
    if path == "circumvention/builtin":
        return {"obfs4": [OBFS4], "meek-azure": ["meek_lite 192.0.2.2:80 url=https://meek.test/"]}
    if path == "circumvention/countries":
        return sorted(KNOWN)
    if path == "circumvention/map":
        return {
            code: {
                "settings": [
                    {"bridges": {"type": e["bridges"]["type"], "source": e["bridges"]["source"]}}
                    for e in entries
                ]
            }
            for code, entries in KNOWN.items()
        }
    if request.headers.get("content-type") != "application/vnd.api+json":
        return errors(415, "Unsupported Media Type")
    if path == "fetch":
        image = base64.b64encode(JPEG).decode()
        return {
            "data": [
                {
                    "id": "1",
                    "type": "moat-challenge",
                    "version": "0.1.0",
                    "transport": ["obfs4"],
                    "image": image,
                    "challenge": TOKEN,
                }
            ]
        }
    if path == "check":
        item = body["data"][0]
        if (item["challenge"], item["solution"]) != (TOKEN, LETTERS):
            return errors(419, "The CAPTCHA solution was incorrect.")
        return {
            "data": [
                {"id": "3", "type": "moat-bridges", "version": "0.1.0", "bridges": [OBFS4], "qrcode": None}
            ]
        }
    return None


def handler(moat: Moat) -> Handler:
    async def handle(peer: Peer) -> None:
        moat.connections += 1
        request = await read_request(peer)
        raw = await peer.exactly(request.length(65536))
        path = request.target.removeprefix("/moat/")
        body = json.loads(raw) if raw else {}
        moat.asked.append((path, body))
        lie = moat.lies.get(path)
        if callable(lie):
            await lie(peer)
        elif lie is not None:
            await peer.send(answer("200 OK", lie, kind=JSON))
        else:
            value = reply(path, request, body)
            # Go's encoder, which rdsys uses, writes & as an escape.
            text = json.dumps(value).replace("&", "\\u0026").encode()
            await peer.send(answer("404 Not Found") if value is None else answer("200 OK", text, kind=JSON))

    return handle


@asynccontextmanager
async def moat_server(authority: Authority | None = None, *names: str) -> AsyncIterator[Moat]:
    """Run the API; it is trusted by whoever trusts `authority`."""
    authority = authority or Authority("Moat Test Root")
    moat = Moat(ca_pem=authority.pem)
    context = authority.server_context(*(names or ("localhost", "127.0.0.1")))
    async with serving(handler(moat), context=context) as moat.port:
        yield moat

"""Tor bridge lines, read as tor reads them (`parse_bridge_line`), and stricter where tor would misread.

A line is `[Bridge] [transport] address[:port] [fingerprint] [name=value …]`, and `#` begins a comment. Whatever tor
accepts and then takes for something else (an IPv6 address without brackets, a certificate with padding) is turned
down here with the way to mend it.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from transports.types import N_, Endpoint, Rejected

SCHEMES: Final = ()
LONGEST_LINE: Final = 4096
LONGEST_ARGUMENTS: Final = 510  # bytes that tor can hand over as SOCKS user name and password
DEFAULT_PORT: Final = 443
# The address in a line of these is a placeholder.
ELSEWHERE: Final = ("meek_lite", "snowflake", "webtunnel", "conjure", "dnstt")

_LEAD: Final = re.compile(r"bridge\s+", re.IGNORECASE)
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_TRANSPORT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9]+(?:\.[0-9]+){3}))(?::([0-9]+))?\Z", re.ASCII)
_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{40}\Z", re.ASCII)
_HEX: Final = re.compile(r"\$?[0-9A-Fa-f]+(?:[=~].*)?\Z", re.ASCII)
_ARGUMENT: Final = re.compile(r"([A-Za-z0-9_-]+)=(\S*)\Z", re.ASCII)
_LOOKS: Final = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?)(?:\s+(\S.*))?\Z", re.ASCII
)

_KEYS: Final = ("cert", "node-id", "public-key", "password", "fingerprint")
# What says where a line with a placeholder leads. STUN servers, TLS disguises and versions only say how.
_URLS: Final = ("url", "ampcache")
_ROUTES: Final = (
    *("targets", "sqsqueue", "registrar", "transport", "servername", "addr"),
    *("domain", "pubkey", "doh", "dot", "udp"),
)
_MANNERS: Final = (
    *("front", "fronts", "iat-mode", "ice", "max", "proxy", "sqscreds"),
    *("utls", "utls-imitate", "utls-nosni", "ver"),
)
# The names that arguments have. Any other word before a = may be a secret that has lost its place.
ARGUMENTS: Final = frozenset((*_URLS, *_ROUTES, *_KEYS, *_MANNERS))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BridgeLine(Endpoint):
    """A bridge. Two lines are the same bridge if they lead to the same place and name the same keys."""

    def key(self) -> str:
        """Return the identity of the bridge; where the address is a placeholder, it counts for nothing.

        Both the fingerprint and the transport's key count, so that a line with a wrong one hides no good line.
        """
        options = self.options or {}
        args: Mapping[str, str] = options.get("args", {})
        name, fingerprint = str(options.get("pt", "")), str(options.get("fingerprint", ""))
        if name in ELSEWHERE:
            parts = [name, fingerprint, *_ways(args)]
        else:
            secret = args.get("cert") or args.get("password", "")
            parts = [name, self.host, str(self.port), fingerprint, secret]
        return "\x00".join(["tor_bridge", *parts])


def without_fingerprint(endpoint: Endpoint) -> Endpoint | None:
    """Return the bridge as a line would give it that leaves its fingerprint out.

    None where the two could be different servers: only the key of obfs4 or scramblesuit ties them together.
    """
    if endpoint.transport != "tor_bridge":
        return None
    options = endpoint.options or {}
    if options.get("pt") not in ("obfs4", "scramblesuit") or not options.get("fingerprint"):
        return None
    return replace(endpoint, options={**options, "fingerprint": ""})


def _ways(args: Mapping[str, str]) -> list[str]:
    fronts = (args.get("fronts") or args.get("front", "")).lower().split(",")
    asked = args.get("fingerprint", "").upper()
    urls = [_same_url(args.get(name, "")) for name in _URLS]
    return [asked, *urls, ",".join(sorted(set(fronts))), *(args.get(name, "") for name in _ROUTES)]


def _same_url(text: str) -> str:
    """Return one spelling of a URL: small letters in the host, the port written out, a path of at least one slash."""
    try:
        parts = urlsplit(text)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return text
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path or '/'}?{parts.query}" if text else ""


def looks_like_bridge(text: str) -> bool:
    """Tell whether a line is meant as a bridge line, right or wrong."""
    line = text[:LONGEST_LINE]
    if _LEAD.match(line):
        return True
    head, rest = [*line.split(None, 1), "", ""][:2]
    if head.lower() in TRANSPORTS and rest.strip():
        return True
    bare = _LOOKS.match(line)
    if bare:
        return bool(bare[1]) and _meant_as_fingerprint(bare[1])
    named = _LOOKS.match(rest.strip()) if _TRANSPORT.match(head) else None
    return named is not None and bool(named[1]) and ("=" in named[1] or _meant_as_fingerprint(named[1]))


def _meant_as_fingerprint(text: str) -> bool:
    glued = re.sub(r"\s", "", text).removeprefix("$")
    return 36 <= len(glued) <= 44 and re.fullmatch("[0-9A-Fa-f]+", glued) is not None


def parse(text: str) -> Endpoint:
    """Return the endpoint of a bridge line. Raises Rejected with how to mend the line."""
    if len(text) > LONGEST_LINE:
        raise Rejected(N_("the bridge line is too long: one bridge a line"))
    whole = " ".join(text.partition("#")[0].split())
    if _FORBIDDEN.search(text) or not whole.isprintable() or any(quote in text for quote in "\"'`"):
        raise Rejected(N_("the bridge line has quotes or control characters in it: take them out"))
    if "\\" in text:  # at the end of a line, and between quotes, it means something else to tor
        raise Rejected(N_("the bridge line has a backslash in it: take it out"))
    tokens = _LEAD.sub("", whole + " ", count=1).split()
    whole = " ".join(tokens)
    if not tokens:
        raise Rejected(N_("the bridge line is empty: write transport, address and fingerprint"))
    name = "vanilla"
    if _TRANSPORT.match(tokens[0]):
        name = _transport(tokens.pop(0))
        if not tokens:
            raise Rejected(N_("the address is missing: write it after the transport as address:port"))
    host, port = _address(tokens.pop(0))
    fingerprint, args = (_vanilla_fingerprint(tokens), {}) if name == "vanilla" else _rest(tokens, name)
    options = {"pt": name, "fingerprint": fingerprint, "args": args}
    return BridgeLine(
        transport="tor_bridge",
        host=host,
        port=port,
        options=options,
        text=whole,
    )


def _transport(name: str) -> str:
    if name in TRANSPORTS:
        return name
    if name.lower() in TRANSPORTS:
        raise Rejected(N_("write the transport in small letters: {name}"), name=name.lower())
    if name.lower() == "bridge":
        raise Rejected(N_("the word Bridge stands there twice: keep one"))
    raise Rejected(N_("this transport is not known: write obfs4, webtunnel, snowflake or meek_lite"))


def _address(text: str) -> tuple[str, int]:
    found = _ADDRESS.match(text)
    if not found:
        raise Rejected(_why_no_address(text))
    try:
        host = str(ipaddress.ip_address(found[1] or found[2]))
    except ValueError:
        raise Rejected(N_("the address of the bridge is not an IP address")) from None
    port = found[3]
    if port is not None and not (len(port) <= 5 and 0 < int(port) < 65_536):
        raise Rejected(N_("the port must be a number from 1 to 65535"))
    return host, int(port or DEFAULT_PORT)


def _why_no_address(text: str) -> str:
    if text.count(":") > 1 and "[" not in text and re.fullmatch(r"[0-9A-Fa-f:.]+", text):
        return N_("put the IPv6 address into brackets: [2001:db8::1]:443")
    if "://" in text:
        return N_("write address:port of the bridge, without http://")
    if re.match(r"[^:]*[A-Za-z]", text):
        return N_("a bridge needs an IP address, not a host name")
    return N_("the address of the bridge is not an IP address")


def _check_fingerprint(text: str) -> str:
    if text.startswith("$"):
        raise Rejected(N_("write the fingerprint without the $"))
    if not _FINGERPRINT.match(text):
        raise Rejected(N_("a fingerprint has 40 hexadecimal digits: this one has another length"))
    return text.upper()


def _vanilla_fingerprint(tokens: list[str]) -> str:
    """Glue the groups of a vanilla fingerprint together, as tor does."""
    if any("=" in token for token in tokens):
        raise Rejected(N_("name=value needs a transport before the address, such as obfs4"))
    return _check_fingerprint("".join(tokens)) if tokens else ""


def _rest(tokens: list[str], transport: str) -> tuple[str, dict[str, str]]:
    fingerprint = ""
    if tokens and "=" not in tokens[0]:
        first = tokens.pop(0)
        if tokens and "=" not in tokens[0] and _HEX.match(first) and _HEX.match(tokens[0]):
            raise Rejected(N_("write the fingerprint without blanks inside"))
        fingerprint = _check_fingerprint(first)
    args: dict[str, str] = {}
    for token in tokens:
        found = _ARGUMENT.match(token)
        if not found:
            raise Rejected(N_("after the fingerprint everything must be name=value"))
        if found[1] in args:
            if found[1] not in ARGUMENTS:
                raise Rejected(N_("one of the settings (name=value) stands there twice: keep one"))
            raise Rejected(N_("{name}= stands there twice: keep one"), name=found[1])
        args[found[1]] = found[2]
    escaped = (f"{name}={value}".replace("\\", "\\\\").replace(";", "\\;") for name, value in args.items())
    if len(";".join(escaped).encode("utf-8")) > LONGEST_ARGUMENTS:
        raise Rejected(N_("the arguments are longer than 510 bytes: leave out some ice= or fronts= entries"))
    return fingerprint, _CHECKS[transport](args)


def _obfs4(args: dict[str, str]) -> dict[str, str]:
    if "iat-mode" not in args:
        raise Rejected(N_("iat-mode= is missing: add iat-mode=0 at the end"))
    if args["iat-mode"] not in ("0", "1", "2"):
        raise Rejected(N_("iat-mode= must be 0, 1 or 2"))
    if "cert" not in args:
        args = _cert_of_old_form(args)
    cert = args["cert"]
    if cert.endswith("="):
        raise Rejected(N_("take the = off the end of cert="))
    if "-" in cert or "_" in cert:
        raise Rejected(N_("cert= must be written with + and /, not with - and _"))
    try:
        raw = base64.b64decode(cert + "=" * (-len(cert) % 4), validate=True)
    except ValueError:
        raw = b""
    if len(raw) != 52 or len(cert) != 70:
        raise Rejected(N_("cert= must have 70 characters: copy the whole line"))
    return args


def _cert_of_old_form(args: dict[str, str]) -> dict[str, str]:
    try:
        raw = bytes.fromhex(args.get("node-id", "")) + bytes.fromhex(args.get("public-key", ""))
    except ValueError:
        raw = b""
    if len(raw) != 52 or len(args.get("node-id", "")) != 40:
        raise Rejected(N_("cert= is missing: copy the whole line"))
    rest = {name: value for name, value in args.items() if name not in ("node-id", "public-key")}
    return {"cert": base64.b64encode(raw).decode("ascii").rstrip("="), **rest}


def _url(args: dict[str, str]) -> dict[str, str]:
    try:
        parts = urlsplit(args["url"])
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Rejected(N_("url= must begin with http:// or https:// and name a host"))
    return args


def _with_url(*instead: str) -> Callable[[dict[str, str]], dict[str, str]]:
    def check(args: dict[str, str]) -> dict[str, str]:
        if "url" in args:
            return _url(args)
        if not any(args.get(name) for name in instead):
            raise Rejected(N_("url= is missing: copy the whole line"))
        return args

    return check


def _scramblesuit(args: dict[str, str]) -> dict[str, str]:
    if not re.fullmatch("[A-Z2-7]{32}", args.get("password", "")):
        raise Rejected(N_("password= must have 32 characters of base32: copy the whole line"))
    return args


def _bare(args: dict[str, str]) -> dict[str, str]:
    if args:
        raise Rejected(N_("this transport takes no name=value: leave them out"))
    return args


def _dnstt(args: dict[str, str]) -> dict[str, str]:
    key = re.fullmatch("[0-9A-Fa-f]{64}", args.get("pubkey", ""))
    if not key or not args.get("domain") or not any(args.get(way) for way in ("doh", "dot", "udp")):
        raise Rejected(N_("a dnstt line needs pubkey=, domain= and one of doh=, dot= or udp="))
    return args


_CHECKS: Final[Mapping[str, Callable[[dict[str, str]], dict[str, str]]]] = {
    "obfs4": _obfs4,
    "meek_lite": _with_url("targets"),
    "snowflake": _with_url("sqsqueue"),
    "webtunnel": _with_url(),
    "conjure": _with_url("registrar"),
    "scramblesuit": _scramblesuit,
    "obfs3": _bare,
    "obfs2": _bare,
    "dnstt": _dnstt,
}
TRANSPORTS: Final = frozenset(_CHECKS)

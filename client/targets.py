"""Where the test content comes from: the dated data file, or what the person names.

A target is asked through a candidate, so its operator sees the candidate's address, not the person's;
the direct control asks the same targets from here.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from client.model import Content
from transports.proxyline import check_host, parse_port
from transports.types import N_, Rejected
from transports.wire.http1 import AGENT, authority

DATA: Final = Path(__file__).parent / "data" / "targets.toml"
_PATH: Final = re.compile(r"/[\x21-\x7e]*\Z")


_SCRIPT: Final = re.compile(rb"<\s*(?:script|iframe|frame|embed|object)\b", re.IGNORECASE)
_PORTAL: Final = 511  # RFC 6585 section 6


@dataclass(slots=True)
class Page:
    """An answer as it came. `whole` is False where it broke off or had no end; status 0: nothing came."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One page. `status` None accepts any 2xx. `body` is its content where that is known, `digest` the
    SHA-256 of the body without one last line end. `upload` is the path that takes a POST, None: not known,
    "": takes none.
    """

    tls: bool
    host: str
    port: int
    path: str
    status: int | None = None
    body: bytes | None = None
    digest: bytes | None = None
    upload: str | None = ""

    @property
    def is_markup(self) -> bool:
        """Say whether the known content is HTML."""
        return self.body is not None and self.body.lstrip()[:1] == b"<"

    @property
    def host_header(self) -> str:
        """Return the Host header's value."""
        default = 443 if self.tls else 80
        if self.port == default:
            return f"[{self.host}]" if ":" in self.host else self.host
        return authority(self.host, self.port)

    @property
    def url(self) -> str:
        """Return the whole URL."""
        return f"{'https' if self.tls else 'http'}://{self.host_header}{self.path}"

    def expects(self, status: int, body: bytes) -> bool:
        """Say whether status and content are as they should be; unknown content always is."""
        if not (status == self.status if self.status else 200 <= status < 300):
            return False
        if self.body is not None:
            return _bare(body) == _bare(self.body)
        return self.digest is None or digest(body) == self.digest

    def compare(self, page: Page) -> Content:
        """Say what became of this page on its way; UNKNOWN where its content is not known."""
        if page.status >= 400 and page.status != _PORTAL:
            return Content.REFUSED
        if not page.status:
            return Content.NO_ANSWER
        right = page.status == self.status if self.status else 200 <= page.status < 300
        if not right or "refresh" in page.headers:
            return Content.ALTERED
        if self.body is not None:
            return against(page, self.body)
        if self.digest is None:
            return Content.UNKNOWN
        if not page.whole:
            return Content.NO_ANSWER
        return Content.INTACT if digest(page.body) == self.digest else Content.ALTERED


def against(page: Page, known: bytes) -> Content:
    """Compare with known content. A page that breaks off is altered where it already says something else."""
    known = _bare(known)
    if page.whole:
        return Content.INTACT if _bare(page.body) == known else Content.ALTERED
    begins = len(page.body) <= len(known) + 2 and known.startswith(_bare(page.body))
    return Content.NO_ANSWER if begins else Content.ALTERED


def has_script(body: bytes) -> bool:
    """Say whether markup stands in `body` that makes a browser do something: none of our pages has that."""
    return _SCRIPT.search(body) is not None


def _bare(body: bytes) -> bytes:
    return body.removesuffix(b"\n").removesuffix(b"\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The targets of a run; `quota` and `upload` are the bulk transfer's bytes down and up."""

    small: tuple[Target, ...]
    bulk: tuple[Target, ...]
    plain: tuple[Target, ...]
    uploads: tuple[Target, ...] = ()
    agents: tuple[str, ...] = (AGENT,)
    quota: int = 64 * 1024
    upload: int = 32 * 1024
    own: bool = False

    def order(self, among: Sequence[Target], rng: random.Random) -> list[Target]:
        """Return `among` in random order."""
        return rng.sample(among, len(among)) if len(among) > 1 else list(among)

    def hosts(self) -> tuple[str, ...]:
        """Return every host that may be contacted, sorted."""
        return tuple(
            sorted({target.host for target in (*self.small, *self.bulk, *self.plain, *self.uploads)})
        )


def digest(body: bytes) -> bytes:
    """Return the SHA-256 of `body` without one last line end."""
    return hashlib.sha256(_bare(body)).digest()


def parse_url(url: str, *, tls: bool, option: str) -> Target:
    """Return the target that a URL names. `#sha256=HEX` behind it tells its content. Raises Rejected."""
    try:
        parts = urlsplit(url)
        port = (443 if tls else 80) if parts.port is None else parse_port(str(parts.port))
        wanted = "https" if tls else "http"
        if parts.scheme != wanted:
            raise Rejected(N_("{option}: the URL must begin with {scheme}://"), option=option, scheme=wanted)
        host = check_host(parts.hostname or "")
    except ValueError as error:
        if isinstance(error, Rejected) and error.values:
            raise
        raise Rejected(N_("{option}: this is not a URL"), option=option) from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _PATH.match(path):
        raise Rejected(
            N_("{option}: write blanks and other special characters of the URL as %20"), option=option
        )
    return Target(
        tls=tls,
        host=host,
        port=port,
        path=path,
        digest=_digest_of(parts.fragment, option),
        upload=None,
    )


def _digest_of(fragment: str, option: str) -> bytes | None:
    if not fragment:
        return None
    if not re.fullmatch(r"sha256=[0-9A-Fa-f]{64}", fragment):
        raise Rejected(N_("{option}: behind # only sha256= and 64 hex digits may stand"), option=option)
    return bytes.fromhex(fragment.removeprefix("sha256="))


def builtin() -> Targets:
    """Return the targets of the data file."""
    data = tomllib.loads(DATA.read_text("utf-8"))
    return Targets(
        small=tuple(_entry(item, tls=True) for item in data["small"]),
        bulk=tuple(_entry(item, tls=True) for item in data["bulk"]),
        plain=tuple(_entry(item, tls=False) for item in data["plain"]),
        uploads=tuple(_entry(item, tls=True) for item in data["upload"]),
        agents=tuple(data["agents"]),
        quota=data["quota_kib"] * 1024,
        upload=data["upload_kib"] * 1024,
    )


def _entry(item: dict[str, Any], *, tls: bool) -> Target:
    parts = urlsplit(item["url"])
    return Target(
        tls=tls,
        host=str(parts.hostname),
        port=parts.port or (443 if tls else 80),
        path=parts.path + (f"?{parts.query}" if parts.query else ""),
        status=item.get("status"),
        body=item["body"].encode() if "body" in item else None,
        upload=item.get("upload", ""),
    )


def chosen(target: str | None, bulk: str | None, plain: str | None) -> Targets:
    """Return the person's own targets, or the built-in ones where none is named. Raises Rejected.

    Whoever names a target wants no other one contacted: then what is not named is left out, and the bulk
    transfer asks `target` again and again.
    """
    if not (target or bulk or plain):
        return builtin()
    small = parse_url(target, tls=True, option="--target") if target else None
    large = parse_url(bulk, tls=True, option="--bulk-target") if bulk else None
    first = small or large
    if first is None:
        raise Rejected(N_("--plain-target needs a --target beside it"))
    return Targets(
        small=(first,),
        bulk=(large or first,),
        plain=(parse_url(plain, tls=False, option="--plain-target"),) if plain else (),
        own=True,
    )

"""Where the test content comes from: the dated data file, or what the person names.

A target is asked through a candidate, so its operator sees the candidate's address, not the person's;
the direct control asks the same targets from here.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from transports.proxyline import check_host, parse_port
from transports.types import N_, Rejected
from transports.wire.http1 import authority

DATA: Final = Path(__file__).parent / "data" / "targets.toml"
_PATH: Final = re.compile(r"/[\x21-\x7e]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One page. `status` None accepts any 2xx; `digest` is the SHA-256 of the body without one last line
    end, None where the content is not known. `upload` is the path that takes a POST, None: not known,
    "": takes none.
    """

    tls: bool
    host: str
    port: int
    path: str
    status: int | None = None
    digest: bytes | None = None
    upload: str | None = ""

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

    def expects(self, status: int, body: bytes) -> bool | None:
        """Say whether this is the expected answer; None if status fits and the content is not known."""
        if not (status == self.status if self.status else 200 <= status < 300):
            return False
        return None if self.digest is None else digest(body) == self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The targets of a run; `quota` and `upload` are the bulk transfer's bytes down and up."""

    small: tuple[Target, ...]
    bulk: tuple[Target, ...]
    plain: tuple[Target, ...]
    quota: int = 64 * 1024
    upload: int = 32 * 1024
    own: bool = False

    def order(self, among: Sequence[Target], rng: random.Random) -> list[Target]:
        """Return `among` in random order."""
        return rng.sample(among, len(among)) if len(among) > 1 else list(among)

    def hosts(self) -> tuple[str, ...]:
        """Return every host that may be contacted, sorted."""
        return tuple(sorted({target.host for target in (*self.small, *self.bulk, *self.plain)}))


def digest(body: bytes) -> bytes:
    """Return the SHA-256 of `body` without one last line end."""
    return hashlib.sha256(body.removesuffix(b"\n").removesuffix(b"\r")).digest()


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
        digest=digest(item["body"].encode()) if "body" in item else None,
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

"""Short names for endpoints that say nothing about them outside this run."""

from __future__ import annotations

import hmac
import secrets

from transports.types import Endpoint


class Namer:
    """Gives each endpoint a short id: an HMAC-SHA256 under a key drawn for this run and kept nowhere."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def id(self, endpoint: Endpoint) -> str:
        """Return 8 hex digits for `endpoint`."""
        return hmac.digest(self._key, endpoint.key().encode("utf-8", "surrogatepass"), "sha256").hex()[:8]

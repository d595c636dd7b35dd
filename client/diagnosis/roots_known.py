"""Interception roots by fingerprint and name, and the products that open TLS on the person's own machine.

From the dated data file. Fingerprints are certain; a name alone (exact, or a national root's own word) is a strong
sign, because nobody else would use it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent.parent / "data" / "national_roots.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A national root: its country, its name, and whether interception by it was seen."""

    country: str
    name: str
    interception: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRoots:
    """Roots by SHA-256 of their DER (lower-case hex), and the names of products in lower case."""

    roots: Mapping[str, Root]
    products: tuple[str, ...]

    def by_fingerprint(self, fingerprints: Iterable[str]) -> tuple[str, Root] | None:
        """Return the first known interception root among these fingerprints."""
        for fingerprint in fingerprints:
            root = self.roots.get(fingerprint.lower())
            if root is not None and root.interception:
                return fingerprint, root
        return None

    def by_name(self, issuers: Iterable[str]) -> Root | None:
        """Return the interception root of one of these names, exactly."""
        names = {root.name: root for root in self.roots.values() if root.interception}
        return next((names[issuer] for issuer in issuers if issuer in names), None)

    def product(self, issuers: Iterable[str]) -> str:
        """Return the product whose name stands in one of these, "" for none."""
        for issuer in issuers:
            for product in self.products:
                if product.lower() in issuer.lower():
                    return product
        return ""

    def with_roots(self, more: Mapping[str, Root]) -> KnownRoots:
        """Return these with other roots besides (those of an anchors file)."""
        return KnownRoots(roots={**self.roots, **more}, products=self.products)


def load() -> KnownRoots:
    """Return what the data file knows."""
    data = tomllib.loads(DATA.read_text("utf-8"))
    roots = {
        entry["sha256"].lower(): Root(
            country=entry["country"], name=entry["name"], interception=entry.get("interception", True)
        )
        for entry in data["root"]
    }
    return KnownRoots(roots=roots, products=tuple(data["products"]["names"]))

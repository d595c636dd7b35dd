"""Whose signature is known: keys of people, kept in the vault by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from client.vault.content import Content

SETTING: Final = "signers"
_KEY: Final = 32


def own_seed() -> bytes:
    """Return the vault's secret for signatures, made when it is first needed. Raises Rejected."""
    from dataclasses import replace

    from client.share import sign
    from client.vault import opened

    vault = opened.opened()
    if not vault.content.signing:
        fresh = sign.new()
        vault.change(lambda content: content if content.signing else replace(content, signing=fresh))
    return vault.content.signing


def known() -> dict[str, bytes]:
    """Return the keys of people by name: those in the vault, if it is open or asked for."""
    from client.vault import opened

    vault = opened.opened() if opened.wanted() else opened.current()
    return {} if vault is None else of(vault.content)


def name_of(public: bytes) -> str:
    """Return the name under which a key is known, "" for none."""
    return next((name for name, key in known().items() if key == public), "")


def of(content: Content) -> dict[str, bytes]:
    """Return the keys of people by name that stand in a vault."""
    kept = content.settings.get(SETTING)
    if not isinstance(kept, dict):
        return {}
    found = {}
    for name, text in kept.items():
        try:
            key = bytes.fromhex(text) if isinstance(text, str) else b""
        except ValueError:
            continue
        if len(key) == _KEY:
            found[name] = key
    return found

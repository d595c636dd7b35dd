"""The roots that authenticate targets: the bundled list, never the system's store (it may hold a state's root)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from transports.types import N_, Rejected

_LARGEST: Final = 1024 * 1024


def read_extra(path: str) -> str:
    """Return the PEM text of `--target-ca`. Raises Rejected."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LARGEST).decode("ascii", "ignore")  # comments may hold anything
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except OSError as error:
        raise Rejected(N_("--target-ca: cannot be read ({why})"), why=error.strerror or "?") from None
    except (ssl.SSLError, ValueError):
        raise Rejected(N_("--target-ca: this is not a PEM file with certificates")) from None
    return text


def make_context(extra: str = "") -> ssl.SSLContext:
    """Return a client context with the bundled roots and `extra` PEM text."""
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=certifi.where())
    if extra:
        context.load_verify_locations(cadata=extra)
    context.set_alpn_protocols(["http/1.1"])
    return context


def loader(extra: str = "") -> Callable[[], Awaitable[ssl.SSLContext]]:
    """Return a function that gives the context, loaded once, in a thread while connections already run."""
    made: asyncio.Future[ssl.SSLContext] | None = None

    async def load() -> ssl.SSLContext:
        nonlocal made
        if made is None:
            made = asyncio.get_running_loop().run_in_executor(None, make_context, extra)
        return await asyncio.shield(made)

    return load

"""SIP008: the JSON document of Shadowsocks servers (shadowsocks-org, docs/doc/sip008.md)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any, Final

from client.export.common import NO_WORDS, Exported, Here, each, exported, other_kind
from client.options import Option
from transports.nodelists import sip008
from transports.types import Rejected

KINDS: Final = ("shadowsocks",)


def write(options: Sequence[Option], here: Here) -> Exported:
    """Return the document; each server is read back and must mean the same."""
    made, left = each(options, _server)
    servers = [{**server, "remarks": str(number)} for number, (_, server) in enumerate(made, 1)]
    return exported(json.dumps({"version": 1, "servers": servers}, indent=2) + "\n", made, left)


def _server(option: Option) -> dict[str, Any]:
    endpoint = option.endpoint
    if endpoint.transport not in KINDS:
        raise other_kind(option, KINDS)
    settings = endpoint.options or {}
    server = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, endpoint.key())),
        "server": endpoint.host,
        "server_port": endpoint.port,
        "password": settings.get("password", ""),
        "method": settings.get("method", ""),
        "plugin": settings.get("plugin", ""),
        "plugin_opts": settings.get("plugin_opts", ""),
    }
    if sip008.build(server).key() != endpoint.key():
        raise Rejected(NO_WORDS)
    return server

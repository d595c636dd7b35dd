"""SIP008: the JSON document of Shadowsocks servers."""

from __future__ import annotations

from typing import Any

from transports import shadowsocks
from transports.nodelists.common import Item, Items, collect, dump, place, read_json, words
from transports.types import Endpoint


def endpoints(text: str) -> Items | None:
    """Return the servers with their ordinals, None if it is no SIP008 document."""
    data, refused = read_json(text)
    return refused or from_json(data)


def from_json(data: Any) -> Items | None:
    """Do the same with JSON that was read already. A bare list of servers is taken as well."""
    servers = data.get("servers") if isinstance(data, dict) else data
    if not isinstance(servers, list) or not any(_is_server(server) for server in servers):
        return None
    return collect(enumerate(servers, start=1), build)


def _is_server(server: Any) -> bool:
    return isinstance(server, dict) and "server_port" in server and "method" in server


def build(item: Item) -> Endpoint:
    """Return the endpoint of one server object, SIP008's or Outline's. Raises Rejected."""
    host, port = place(item, "server", "server_port")
    plugin = words(item.get("plugin"))
    if plugin and words(item.get("plugin_opts")):
        plugin += ";" + words(item.get("plugin_opts"))
    prefix = item.get("prefix")
    query = {"plugin": plugin, "prefix": prefix if isinstance(prefix, str) else ""}
    return shadowsocks.build(
        host, port, words(item.get("method")), words(item.get("password")), query, dump(item)
    )

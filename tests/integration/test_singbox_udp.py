"""Datagrams through real sing-box nodes on loopback."""

from __future__ import annotations

import pytest

from tests.servers.singbox import Servers, box, guard, net_of, singbox_servers
from tests.transports.test_udp import answer, echoing
from transports.guard import Guard
from transports.singbox_engine import SingBox, opened
from transports.types import CannotMeasure
from transports.udp import associate

__all__ = ["box", "guard", "singbox_servers"]


@pytest.mark.parametrize(
    "name",
    [
        "anytls",
        "hysteria2",
        "shadowsocks",
        "shadowsocks-2022",
        "socks",
        "trojan",
        "tuic",
        "vless",
        "vless-ws-tls",
        "vmess",
        "wireguard",
    ],
)
async def test_a_node_carries_datagrams_both_ways(
    name: str, singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint(name)
    host = "10.7.0.1" if name == "wireguard" else "127.0.0.1"
    async with (
        echoing() as port,
        opened(box, [endpoint], guard=guard, extra_roots=singbox_servers.roots) as engine,
    ):
        association = await associate(endpoint, net_of(engine.doors))
        try:
            assert (await answer(association, host, port, b"salem"))[2] == b"echo salem"
        finally:
            association.close()


async def test_an_http_node_carries_none(singbox_servers: Servers, guard: Guard, box: SingBox) -> None:
    endpoint = singbox_servers.endpoint("http")
    async with opened(box, [endpoint], guard=guard) as engine:
        with pytest.raises(CannotMeasure):
            await associate(endpoint, net_of(engine.doors))


async def test_nothing_is_asked_of_an_engine_that_has_ended(
    singbox_servers: Servers, guard: Guard, box: SingBox
) -> None:
    endpoint = singbox_servers.endpoint("socks")
    async with opened(box, [endpoint], guard=guard) as engine:
        doors = dict(engine.doors)
    with pytest.raises(CannotMeasure):
        await associate(endpoint, net_of(doors))

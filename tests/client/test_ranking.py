import random

import pytest

from client import check, plan
from client.diagnosis.code import Told, encode
from client.diagnosis.kinds import Certainty, Kind
from client.model import Candidate, Reading
from client.ranking import rank
from transports import registry
from transports.types import Endpoint, Rejected

TLS = {"enabled": True}


def candidate(transport: str, port: int, host: str = "192.0.2.1", **options: object) -> Candidate:
    return Candidate(Endpoint(transport=transport, host=host, port=port, options=options or None), "list", 1)


def told(*kinds: Kind, tcp: tuple[int, ...] = (), udp: tuple[int, ...] = ()) -> Told:
    return Told(kinds=kinds, certainty=Certainty.CERTAIN, tcp=tcp, udp=udp, passes=frozenset())


BRIDGE_179 = candidate("tor_bridge", 179, pt="obfs4")
BRIDGE_443 = candidate("tor_bridge", 443, pt="obfs4")
WEBTUNNEL = candidate("tor_bridge", 443, pt="webtunnel")
SNOWFLAKE = candidate("tor_bridge", 80, pt="snowflake")
VANILLA = candidate("tor_bridge", 9001, pt="vanilla")
SOCKS_179 = candidate("socks5", 179)
SOCKS_1080 = candidate("socks5", 1080)
VLESS = candidate("vless", 443, tls=TLS)
SHADOWSOCKS = candidate("shadowsocks", 443)
HYSTERIA = candidate("hysteria2", 443)
HYSTERIA_53 = candidate("hysteria2", 53)
NAMED = candidate("https", 443, "proxy.example")
UNNAMED = candidate("https", 443)


@pytest.mark.parametrize(
    ("seen", "better", "worse"),
    [
        (told(Kind.PORT_HOLES, tcp=(179, 3785)), BRIDGE_179, BRIDGE_443),
        (told(Kind.PORT_HOLES, tcp=(179, 3785)), SOCKS_179, VLESS),
        (told(Kind.PORT_HOLES, tcp=(179,), udp=(53,)), HYSTERIA_53, HYSTERIA),
        (told(Kind.PORT_HOLES, tcp=(179,), udp=(53,)), SOCKS_179, HYSTERIA),
        (told(Kind.PORT_BLOCK, tcp=(80, 1080)), SOCKS_1080, VLESS),
        (told(Kind.PROTOCOL_ALLOW_LIST, tcp=(443,)), VLESS, SHADOWSOCKS),
        (told(Kind.PROTOCOL_ALLOW_LIST, tcp=(443,)), WEBTUNNEL, BRIDGE_443),
        (told(Kind.RANDOM_TRAFFIC_BLOCK), candidate("vmess", 443, tls=TLS), candidate("vmess", 443)),
        (told(Kind.RANDOM_TRAFFIC_BLOCK), VLESS, BRIDGE_443),
        (told(Kind.UDP_BLOCK, tcp=(443,)), VLESS, HYSTERIA),
        (told(Kind.UDP_BLOCK, tcp=(443,)), BRIDGE_443, SNOWFLAKE),
        (told(Kind.UDP_BLOCK), VLESS, candidate("wireguard", 51820)),
        (told(Kind.TOR_BLOCK), BRIDGE_443, VANILLA),
        (told(Kind.TOR_BLOCK), SOCKS_1080, VANILLA),
        (told(Kind.DNS_TAMPERING), UNNAMED, NAMED),
        (told(Kind.IP_BLOCK, tcp=(443,)), VLESS, SOCKS_1080),
        (told(Kind.QUOTA_FREEZE, Kind.UDP_BLOCK), VLESS, HYSTERIA),
    ],
)
def test_what_the_cut_spares_comes_first(seen: Told, better: Candidate, worse: Candidate) -> None:
    assert rank(better, seen) < rank(worse, seen)


def test_a_passing_port_counts_more_than_all_the_rest() -> None:
    seen = told(Kind.PORT_HOLES, Kind.RANDOM_TRAFFIC_BLOCK, Kind.DNS_TAMPERING, tcp=(179,))
    assert rank(candidate("socks5", 179, "proxy.example"), seen) < rank(VLESS, seen)


def test_an_open_line_prefers_nothing() -> None:
    everything = [BRIDGE_443, WEBTUNNEL, SNOWFLAKE, VANILLA, SOCKS_1080, VLESS, SHADOWSOCKS, HYSTERIA, NAMED]
    assert {rank(one, told(Kind.OPEN)) for one in everything} == {0}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_and_every_transport_has_a_rank(kind: Kind) -> None:
    seen = told(kind, tcp=(443,), udp=(53,))
    for transport in registry.REGISTRY:
        assert 0 <= rank(candidate(transport, 443), seen) < 30


def test_the_order_of_a_run_follows_the_rank_and_loses_nobody() -> None:
    seen = told(Kind.PORT_HOLES, tcp=(179,))
    many = [candidate("socks5", 1080, f"192.0.2.{n}") for n in range(1, 200)]
    ordered = plan.order(
        [*many, BRIDGE_179, SOCKS_179], rng=random.Random(1), rank=lambda one: rank(one, seen)
    )
    assert set(map(id, ordered[:2])) == {id(BRIDGE_179), id(SOCKS_179)}
    assert sorted(map(id, ordered)) == sorted(map(id, [*many, BRIDGE_179, SOCKS_179]))
    assert plan.order(many, rng=random.Random(1)) == plan.order(
        many, rng=random.Random(1), rank=lambda one: 0
    )


def test_a_run_takes_its_order_from_the_result_code() -> None:
    text = encode(told(Kind.PORT_HOLES, tcp=(179,)))
    reading = Reading(candidates=(BRIDGE_179, VLESS), rejected=(), duplicates=0)
    run = check.prepare(check.Wishes(diagnosis=text), reading)
    assert run.rank is not None
    assert run.rank(BRIDGE_179) < run.rank(VLESS)
    assert check.prepare(check.Wishes(), reading).rank is None
    with pytest.raises(Rejected):
        check.prepare(check.Wishes(diagnosis="1234567"), reading)

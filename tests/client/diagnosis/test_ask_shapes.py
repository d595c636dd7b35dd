import pytest
import trustme

from client.diagnosis.ask_shapes import client_hello, is_negotiation, shaped, version_probe
from client.diagnosis.sights import Came, Test
from client.drill.serving import Handler, Peer, nobody, serving
from client.model import Failure
from tests.client.diagnosis.loopback import (
    closes,
    datagrams,
    make_around,
    one,
    question,
    resets,
    response,
    says,
    server_context,
    silent,
)

CA = trustme.CA()


def looks_encrypted(packet: bytes) -> bool:
    """Judge as the Great Firewall does (USENIX Security 2023): none of its exemptions holds."""
    bits = sum(byte.bit_count() for byte in packet) / len(packet)
    text = [0x20 <= byte < 0x7F for byte in packet]
    run = max(map(len, "".join("x" if one else " " for one in text).split()), default=0)
    exempt = (bits <= 3.4, bits >= 4.6, all(text[:6]), sum(text) * 2 > len(text), run > 20)
    web = packet.startswith((b"GET ", b"POST", b"\x16\x03", b"\x17\x03"))
    return not (any(exempt) or web)


def test_random_bytes_look_like_nothing_and_the_others_do_not() -> None:
    drawn = [shaped("random", "site.test") for _ in range(200)]
    assert all(map(looks_encrypted, drawn))
    assert len(set(drawn)) == 200
    assert not any(looks_encrypted(shaped(way, "site.test")) for way in ("zeros", "http", "tls"))


def test_a_client_hello_holds_its_name() -> None:
    packet = client_hello("site.test")
    assert packet[:2] == b"\x16\x03"
    assert b"site.test" in packet


@pytest.mark.parametrize("way", ["random", "zeros", "http"])
async def test_an_alert_to_noise_shows_that_it_arrived(way: str) -> None:
    around = make_around(CA)
    async with serving(says(b"\x15\x03\x03\x00\x02\x02\x0a")) as port:
        seen = await one(question(Test.BYTES, port, way=way), around)
    assert (seen.came, seen.after, seen.failure) == (Came.OTHER, "bytes", None)
    assert seen.sent > 30
    assert seen.received == 7
    assert seen.sent + 7 < around.moved < seen.sent + 1000


async def test_a_tls_server_answers_a_client_hello() -> None:
    async with serving(silent, context=server_context(CA)) as port:
        seen = await one(question(Test.BYTES, port, way="tls"), make_around(CA))
    assert seen.came is Came.OTHER
    assert seen.received > 100


@pytest.mark.parametrize(
    ("handler", "came", "failure"),
    [
        (silent, Came.SILENCE, Failure.TIMEOUT),
        (resets, Came.RESET, Failure.CONNECTION_RESET),
        (closes, Came.CLOSED, None),
    ],
)
async def test_what_comes_after_the_bytes_is_told_apart(
    handler: Handler, came: Came, failure: Failure | None
) -> None:
    async with serving(handler) as port:
        seen = await one(question(Test.BYTES, port, way="random", limit=0.4), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (came, "bytes", failure)
    assert seen.sent == 160


async def test_bytes_for_a_closed_port_are_refused_before_they_are_sent() -> None:
    async with nobody() as port:
        seen = await one(question(Test.BYTES, port, way="random"), make_around(CA))
    assert (seen.came, seen.after, seen.sent) == (Came.REFUSED, "syn", 0)


async def test_an_http_server_answers_http() -> None:
    heard: list[bytes] = []

    async def handle(peer: Peer) -> None:
        heard.append(await peer.read())
        await peer.send(response())

    async with serving(handle) as port:
        seen = await one(question(Test.BYTES, port, way="http"), make_around(CA))
    assert (seen.came, seen.received) == (Came.OTHER, len(response()))
    assert heard[0].startswith(b"GET / HTTP/1.1\r\nHost: site.test\r\n")


def negotiation(probe: bytes) -> bytes:
    """Answer as a server does (RFC 8999 section 6)."""
    end = 6 + probe[5]
    theirs, ours = probe[6:end], probe[end + 1 : end + 1 + probe[end]]
    return b"\x80\0\0\0\0" + bytes([len(ours)]) + ours + bytes([len(theirs)]) + theirs + b"\0\0\0\x01"


async def test_a_version_negotiation_is_right() -> None:
    heard: list[bytes] = []

    def reply(probe: bytes) -> list[bytes]:
        heard.append(probe)
        return [negotiation(probe)]

    around = make_around(CA)
    async with datagrams(reply) as port:
        seen = await one(question(Test.QUIC, port), around)
    assert (seen.came, seen.failure, seen.received) == (Came.RIGHT, None, 27)
    assert [len(probe) for probe in heard] == [1200]
    assert (around.opened, around.datagrams, around.moved) == (0, 1, 1227)


async def test_any_other_datagram_is_false() -> None:
    async with datagrams(lambda probe: [b"hello"]) as port:
        seen = await one(question(Test.QUIC, port), make_around(CA))
    assert (seen.came, seen.received) == (Came.FALSE, 5)


async def test_a_silent_and_a_closed_udp_port_are_told_apart() -> None:
    async with datagrams(lambda probe: []) as port:
        seen = await one(question(Test.QUIC, port, limit=0.3), make_around(CA))
    async with nobody() as port:
        refused = await one(question(Test.QUIC, port, limit=1.0), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (Came.SILENCE, "query", Failure.TIMEOUT)
    assert (refused.came, refused.after, refused.failure) == (
        Came.REFUSED,
        "query",
        Failure.CONNECTION_REFUSED,
    )


def test_a_negotiation_for_somebody_else_is_none() -> None:
    probe, ours = version_probe()
    assert is_negotiation(negotiation(probe), ours)
    assert not is_negotiation(negotiation(probe), bytes(8))
    assert not is_negotiation(negotiation(probe)[:6], ours)
    assert not is_negotiation(b"\xc0\0\0\0\x01" + negotiation(probe)[5:], ours)

import asyncio
import ssl
import time

import pytest

from client.drill import hostile, parts
from client.drill.ca import Authority
from client.drill.origin import BULK, NAME, PLAIN, SMALL
from client.drill.relays import Flow, copy, frozen_after, frozen_after_chunks, relay, reset_after, throttled
from client.drill.serving import Peer, holding, reach, serving
from client.drill.stage import Placed, stage
from tests.client.drill.raw import Line, fetch, line, tunnel

BOTH = ("http", "socks5")


async def what_passes(flow: Flow, data: bytes, seconds: float) -> tuple[bytes, str]:
    """Send `data` from a target through `flow`; return what came within `seconds`, and how it ended."""

    async def target(peer: Peer) -> None:
        await peer.send(data)

    async def proxy(peer: Peer) -> None:
        async with holding(await reach("127.0.0.1", port)) as far:
            await relay(peer, far, flow)

    got = b""
    async with serving(target) as port, serving(proxy) as near, line(near) as at:
        try:
            async with asyncio.timeout(seconds):
                while more := await at.reader.read(4096):
                    got += more
                return got, "end"
        except TimeoutError:
            return got, "silence"
        except ConnectionResetError:
            return got, "reset"


async def test_a_good_relay_brings_all_and_the_end() -> None:
    assert await what_passes(copy, BULK, 5) == (BULK, "end")


@pytest.mark.parametrize("count", [1, 2048, 16384, 70000])
async def test_a_freezer_stops_at_its_byte(count: int) -> None:
    assert await what_passes(frozen_after(count), BULK, 0.3) == (BULK[:count], "silence")


async def test_a_resetter_resets_and_brings_no_more_than_it_may() -> None:
    got, ended = await what_passes(reset_after(2048), BULK, 5)
    assert ended == "reset"
    assert BULK[:2048].startswith(got)


@pytest.mark.parametrize("flow", [frozen_after(100), reset_after(100), frozen_after_chunks(25, 10)])
async def test_less_than_the_limit_passes_whole(flow: Flow) -> None:
    assert await what_passes(flow, b"short", 5) == (b"short", "end")


async def test_a_counter_of_packets_stops_after_them() -> None:
    got, ended = await what_passes(frozen_after_chunks(25, 1400), BULK, 0.3)
    assert ended == "silence"
    assert 25 <= len(got) <= 25 * 1400
    assert BULK.startswith(got)


async def test_a_throttle_keeps_its_rate() -> None:
    began = time.monotonic()
    got, _ = await what_passes(throttled(10_000), BULK, 1.0)
    rate = len(got) / (time.monotonic() - began)
    assert 3_000 < rate < 13_000


async def all_of(at: Line, got: bytearray) -> None:
    while more := await at.reader.read(65536):
        got += more


@pytest.mark.parametrize("kind", BOTH)
async def test_the_frozen_part_lets_a_small_page_pass_and_no_large_one(kind: str) -> None:
    async with stage([f"frozen-16k-{kind}"]) as playing, line(playing.parts[0].port) as at:
        assert await tunnel(at, playing.parts[0], NAME, playing.origin.https_port)
        await at.secure(playing.origin.ca_pem, NAME)
        assert (await fetch(at, "/small", NAME))[2] == SMALL
        await at.say(b"GET /bulk HTTP/1.1\r\nHost: x\r\n\r\n")
        got = bytearray()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(all_of(at, got), 0.3)
        assert 0 < len(got) <= parts.FREEZE


@pytest.mark.parametrize("kind", BOTH)
async def test_injection_shows_in_plain_http_only(kind: str) -> None:
    async with stage([f"injected-{kind}"]) as playing:
        origin, placed = playing.origin, playing.parts[0]
        async with line(placed.port) as at:
            assert await tunnel(at, placed, NAME, origin.http_port)
            assert (await fetch(at, "/plain", NAME))[::2] == (200, hostile.ADVERT + PLAIN)
        async with line(placed.port) as at:
            assert await tunnel(at, placed, NAME, origin.https_port)
            await at.secure(origin.ca_pem, NAME)
            assert (await fetch(at, "/bulk", NAME))[2] == BULK


async def test_injection_shows_in_a_whole_url_fetch() -> None:
    async with stage(["injected-http"]) as playing, line(playing.parts[0].port) as at:
        url = f"http://{NAME}:{playing.origin.http_port}/plain"
        assert (await fetch(at, url, NAME))[2] == hostile.ADVERT + PLAIN


async def opened(at: Line, placed: Placed, port: int) -> bytes:
    """Go through the interceptor without any check, as it does itself; return its certificate."""
    assert await tunnel(at, placed, NAME, port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    await at.writer.start_tls(context, server_hostname=NAME)
    certificate: bytes = at.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return certificate


@pytest.mark.parametrize("kind", BOTH)
async def test_the_interceptor_relays_the_real_content_under_its_own_certificate(kind: str) -> None:
    from cryptography import x509

    async with stage([f"intercepted-{kind}"]) as playing:
        origin, placed = playing.origin, playing.parts[0]
        async with line(placed.port) as at:
            leaf = x509.load_der_x509_certificate(await opened(at, placed, origin.https_port))
            assert (await fetch(at, "/bulk", NAME))[2] == BULK
            assert (await fetch(at, "/upload", NAME, body=BULK))[2] == b"262144\n"
        honest = x509.load_pem_x509_certificate(origin.ca_pem.encode())
        assert leaf.issuer != honest.subject
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [NAME]
        async with line(placed.port) as at:
            assert await tunnel(at, placed, NAME, origin.https_port)
            with pytest.raises(ssl.SSLCertVerificationError) as caught:
                await at.secure(origin.ca_pem, NAME)
        assert caught.value.verify_code in (18, 19, 20, 21)
        async with line(placed.port) as at:
            assert await tunnel(at, placed, NAME, origin.http_port)
            assert (await fetch(at, "/plain", NAME))[2] == PLAIN


async def test_the_forged_certificate_is_valid_for_those_who_trust_the_forger() -> None:
    from client.drill.proxies import Habits, World, http_proxy
    from client.drill.relays import Interceptor

    forger = Authority("two")

    async def target(peer: Peer) -> None:
        await peer.send(b"secret")

    context = Authority("one").server_context("127.0.0.1")
    proxy = http_proxy(World(), habits=Habits(interceptor=Interceptor(forger)))
    async with serving(target, context=context) as port, serving(proxy) as near, line(near) as at:
        await at.say(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
        await at.head()
        await at.secure(forger.pem, "127.0.0.1")
        assert await at.some() == b"secret"

import pytest

from client.drill.proxies import World, http_proxy, socks5_proxy
from client.drill.serving import Handler, Peer, nobody, serving
from tests.servers.around import HASTY, PATIENT, answers, around
from transports import auto
from transports.auto import Auto
from transports.failure import Failure, StepFailed
from transports.net import Net
from transports.types import Endpoint, Note, Step

WORLD = World()


def counted(handler: Handler, seen: list[int]) -> Handler:
    async def handle(peer: Peer) -> None:
        seen.append(1)
        await handler(peer)

    return handle


async def dialled(handler: Handler, net: Net, **who: str) -> tuple[Net, int]:
    """Dial through a server of unknown kind to an echo; return what was learned, and the connections it took."""
    seen: list[int] = []

    async def echo(peer: Peer) -> None:
        await peer.send(await peer.read())

    async with serving(echo) as target, serving(counted(handler, seen)) as port:
        endpoint = Endpoint(transport="auto", host="127.0.0.1", port=port, **who)  # type: ignore[arg-type]
        stream = await Auto().dial(endpoint, "127.0.0.1", target, net)
        await stream.send(b"there and back")
        assert await stream.recv(100) == b"there and back"
        stream.close()
    return net, len(seen)


async def failure_of(handler: Handler, net: Net | None = None, **who: str) -> tuple[StepFailed, int]:
    seen: list[int] = []
    async with serving(counted(handler, seen)) as port:
        endpoint = Endpoint(transport="auto", host="127.0.0.1", port=port, **who)  # type: ignore[arg-type]
        with pytest.raises(StepFailed) as caught:
            await Auto().dial(endpoint, "127.0.0.1", 9, net or around())
    return caught.value, len(seen)


async def test_an_http_proxy_is_found_with_one_connection() -> None:
    net, connections = await dialled(http_proxy(WORLD), around())
    assert (net.spoken, connections) == ({"auto": "http"}, 1)


async def test_a_socks5_proxy_is_found_with_two_connections() -> None:
    net, connections = await dialled(socks5_proxy(WORLD), around())
    assert (net.spoken, connections) == ({"auto": "socks5"}, 2)


@pytest.fixture
def customary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every port be SOCKS by custom: a test cannot choose its port."""
    monkeypatch.setattr(auto, "_SOCKS_BY_CUSTOM", range(65536))


@pytest.mark.usefixtures("customary")
async def test_a_port_that_is_socks_by_custom_is_asked_the_other_way_round() -> None:
    net, connections = await dialled(socks5_proxy(WORLD), around())
    assert (net.spoken, connections) == ({"auto": "socks5"}, 1)
    net, connections = await dialled(http_proxy(WORLD), around())
    assert (net.spoken, connections) == ({"auto": "http"}, 2)


def test_the_customary_socks_ports_are_known() -> None:
    assert {1080, 9050, 9150} <= auto._SOCKS_BY_CUSTOM
    assert not {80, 443, 3128, 8080} & auto._SOCKS_BY_CUSTOM


async def test_what_was_learned_is_not_asked_again() -> None:
    _, connections = await dialled(socks5_proxy(WORLD), around(spoken={"auto": "socks5"}))
    assert connections == 1
    failed, connections = await failure_of(answers(b"\x00"), around(spoken={"auto": "http"}))
    assert (failed.note, connections) == (Note.GARBAGE, 1)


async def test_credentials_serve_both_guesses() -> None:
    for make in (http_proxy, socks5_proxy):
        handler = make(WORLD, username="drill", password="open sesame")
        await dialled(handler, around(), username="drill", password="open sesame")


async def test_a_silent_server_gets_both_guesses_and_the_first_is_reported() -> None:
    async def tarpit(peer: Peer) -> None:
        while await peer.read():
            pass

    net = around(HASTY)
    failed, connections = await failure_of(tarpit, net)
    assert (failed.step, failed.failure, connections) == (Step.PROXY_HANDSHAKE, Failure.TIMEOUT, 2)
    assert net.spoken == {}


async def test_a_server_that_is_gone_is_not_asked_twice() -> None:
    net = around(PATIENT)
    async with nobody() as port:
        with pytest.raises(StepFailed) as caught:
            await Auto().dial(Endpoint(transport="auto", host="127.0.0.1", port=port), "127.0.0.1", 9, net)
    assert caught.value.failure is Failure.CONNECTION_REFUSED
    assert len(net.trace.observations) == 1


async def test_an_http_proxy_that_refuses_is_not_taken_for_another_protocol() -> None:
    failed, connections = await failure_of(answers(b"HTTP/1.1 403 Forbidden\r\n\r\n"))
    assert (failed.failure, failed.note, connections) == (Failure.HTTP_STATUS, Note.REFUSED, 1)


async def test_a_socks5_proxy_that_wants_a_password_is_reported_as_such() -> None:
    failed, connections = await failure_of(socks5_proxy(WORLD, username="drill", password="open sesame"))
    assert (failed.failure, failed.note, connections) == (Failure.SOCKS_ERROR, Note.AUTH_REQUIRED, 2)


async def test_a_socks5_proxy_that_refuses_is_reported_as_such() -> None:
    async def refuse(peer: Peer) -> None:
        if (await peer.read())[:1] != b"\x05":
            return
        await peer.send(b"\x05\x00")
        await peer.read()
        await peer.send(b"\x05\x02\x00\x01" + bytes(6))
        await peer.linger()

    failed, _ = await failure_of(refuse)
    assert (failed.failure, failed.note, failed.code) == (Failure.SOCKS_NOT_ALLOWED, Note.REFUSED, 2)


async def test_noise_is_reported_as_the_first_guess_saw_it() -> None:
    failed, connections = await failure_of(answers(b"SSH-2.0-x\r\n"))
    assert (failed.failure, failed.note, connections) == (Failure.HTTP_FAILED, Note.GARBAGE, 2)

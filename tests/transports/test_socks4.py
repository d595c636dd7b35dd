import pytest

from client.drill.serving import serving
from tests.servers.around import answers, around, drips
from transports.failure import Failure, StepFailed
from transports.socks4 import Socks4Proxy
from transports.types import Endpoint, Note, Step

GRANTED = b"\x00\x5a" + bytes(6)
BY_NAME = b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00origin.test\x00"
BY_ADDRESS = b"\x04\x01\x01\xbb\x7f\x00\x00\x05\x00"


def known(host: str) -> tuple[str, ...]:
    return {"origin.test": ("::1", "127.0.0.5"), "six.test": ("::1",)}.get(host, ())


async def asked(transport: str, host: str, *, knows: bool) -> bytes:
    """Return what reaches the proxy."""
    heard: list[bytes] = []
    net = around(known=known) if knows else around()
    async with serving(answers(GRANTED, heard=heard)) as port:
        endpoint = Endpoint(transport=transport, host="127.0.0.1", port=port)
        (await Socks4Proxy().dial(endpoint, host, 443, net)).close()
    return heard[0]


@pytest.mark.parametrize(
    ("transport", "knows", "request_bytes"),
    [
        ("socks4", True, BY_ADDRESS),
        ("socks4", False, BY_NAME),
        ("socks4a", True, BY_NAME),
        ("socks4a", False, BY_NAME),
    ],
)
async def test_a_name_goes_as_an_address_only_to_socks4_and_only_if_it_is_known(
    transport: str, knows: bool, request_bytes: bytes
) -> None:
    assert await asked(transport, "origin.test", knows=knows) == request_bytes


async def test_a_known_ipv6_address_is_of_no_use_to_socks4() -> None:
    assert (await asked("socks4", "six.test", knows=True)).endswith(b"\0six.test\0")


async def test_the_user_name_goes_along() -> None:
    heard: list[bytes] = []
    async with serving(answers(GRANTED, heard=heard)) as port:
        endpoint = Endpoint(transport="socks4", host="127.0.0.1", port=port, username="drill")
        (await Socks4Proxy().dial(endpoint, "127.0.0.1", 443, around())).close()
    assert heard == [b"\x04\x01\x01\xbb\x7f\x00\x00\x01drill\x00"]


@pytest.mark.parametrize("speak", [answers, drips], ids=["at once", "byte by byte"])
async def test_what_comes_behind_the_answer_belongs_to_the_tunnel(speak: object) -> None:
    handler = (answers if speak is answers else drips)(GRANTED + b"hi")
    async with serving(handler) as port:
        endpoint = Endpoint(transport="socks4", host="127.0.0.1", port=port)
        stream = await Socks4Proxy().dial(endpoint, "127.0.0.1", 443, around())
        assert await stream.recv(1) == b"h"
        assert await stream.recv(1) == b"i"
        stream.close()


async def test_an_ipv6_target_is_a_named_failure_of_the_handshake() -> None:
    async with serving(answers()) as port:
        endpoint = Endpoint(transport="socks4", host="127.0.0.1", port=port)
        with pytest.raises(StepFailed) as caught:
            await Socks4Proxy().dial(endpoint, "::1", 443, around())
    assert (caught.value.step, caught.value.failure) == (Step.PROXY_HANDSHAKE, Failure.SOCKS_ADDRESS)


async def test_a_refusal_keeps_its_code() -> None:
    async with serving(answers(b"\x00\x5b" + bytes(6))) as port:
        endpoint = Endpoint(transport="socks4", host="127.0.0.1", port=port)
        with pytest.raises(StepFailed) as caught:
            await Socks4Proxy().dial(endpoint, "127.0.0.1", 443, around())
    assert (caught.value.note, caught.value.code) == (Note.REFUSED, 91)

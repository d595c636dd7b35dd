import pytest

from client.drill.serving import nobody, serving
from tests.servers.around import answers, around
from transports.direct import Direct
from transports.failure import Failure, StepFailed
from transports.types import Endpoint, Step

NOWHERE = Endpoint(transport="direct", host="", port=0)


async def test_the_target_is_reached_without_the_endpoint() -> None:
    heard: list[bytes] = []
    async with serving(answers(b"pong", heard=heard)) as port:
        stream = await Direct().dial(NOWHERE, "127.0.0.1", port, around())
        await stream.send(b"ping")
        assert await stream.recv(10) == b"pong"
        stream.close()
    assert heard == [b"ping"]


async def test_a_name_goes_to_the_resolver_here() -> None:
    async def resolve(name: str) -> tuple[str, ...]:
        return {"origin.test": ("127.0.0.1",)}[name]

    net = around(resolve=resolve)
    async with serving(answers()) as port:
        (await Direct().dial(NOWHERE, "origin.test", port, net)).close()
    assert [seen.step for seen in net.trace.observations] == [Step.RESOLVE, Step.CONNECT]


async def test_a_target_that_is_gone_is_named() -> None:
    async with nobody() as port:
        with pytest.raises(StepFailed) as caught:
            await Direct().dial(NOWHERE, "127.0.0.1", port, around())
    assert (caught.value.step, caught.value.failure) == (Step.CONNECT, Failure.CONNECTION_REFUSED)

import os
import ssl
import tempfile
from pathlib import Path

import pytest

from client.drill.ca import Authority
from client.drill.serving import Peer, serving
from tests.client.drill.raw import line

NAMES = ("origin.test", "localhost", "127.0.0.1", "::1")


async def hello(peer: Peer) -> None:
    await peer.send(b"hello")


@pytest.mark.parametrize("name", NAMES)
async def test_every_name_on_the_certificate_is_trusted_by_strict_rules(name: str) -> None:
    honest = Authority("one")
    async with serving(hello, context=honest.server_context(*NAMES)) as port, line(port) as at:
        await at.secure(honest.pem, name)
        assert await at.some() == b"hello"


async def test_a_name_that_is_not_on_the_certificate_is_refused() -> None:
    honest = Authority("one")
    async with serving(hello, context=honest.server_context("origin.test")) as port, line(port) as at:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await at.secure(honest.pem, "other.test")
    assert caught.value.verify_code == 62


async def test_one_authority_is_nothing_to_those_who_trust_another() -> None:
    honest, other = Authority("one"), Authority("two")
    async with serving(hello, context=other.server_context("origin.test")) as port, line(port) as at:
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            await at.secure(honest.pem, "origin.test")
    assert caught.value.verify_code in (18, 19, 20, 21)


@pytest.mark.parametrize("in_memory", [True, False], ids=["without a file", "with a file"])
def test_no_key_stays_behind(in_memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[Path] = []
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr("client.drill.ca._MEMORY", ())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    real = Path.write_bytes

    def noted(path: Path, data: bytes) -> int:
        made.append(path)
        assert b"ENCRYPTED PRIVATE KEY" in data
        assert path.parent.name.startswith("sanylau-")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", noted)
    Authority("one").server_context("origin.test")
    assert bool(made) is not (in_memory and hasattr(os, "memfd_create"))
    assert list(tmp_path.iterdir()) == []

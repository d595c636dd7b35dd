from __future__ import annotations

import pytest

from tests.transports.links import KEY
from transports.nodelists.wireguard_conf import endpoints
from transports.types import Endpoint, Rejected

CONF = f"""\
# mine
[Interface]
PrivateKey = {KEY}
Address = 10.0.0.2/32
[Peer]
PublicKey = {KEY}
Endpoint = 192.0.2.80:51820
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_tunnel_has_the_line_of_its_interface(ending: str) -> None:
    found = endpoints(CONF.replace("\n", ending))
    assert found is not None
    assert [number for number, _ in found] == [2]
    assert isinstance(found[0][1], Endpoint)


def test_a_broken_file_says_so_and_other_texts_are_none() -> None:
    found = endpoints(CONF.replace("Address", "Addresses"))
    assert found is not None
    assert isinstance(found[0][1], Rejected)
    assert endpoints("[Peer]\nx = 1") is None

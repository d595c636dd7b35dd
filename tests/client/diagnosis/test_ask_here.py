import os
import sys
from pathlib import Path

import pytest
import trustme

from client.diagnosis import ask_here
from client.diagnosis.ask_dns import nameservers
from client.diagnosis.ask_here import gateway_state
from client.diagnosis.sights import Came, Place, Test
from tests.client.diagnosis.loopback import make_around, one, question

CA = trustme.CA()
HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
DEFAULT = "eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0\n"
ARP = "IP address HW type Flags HW address Mask Device\n"


@pytest.mark.parametrize(
    ("routes", "neighbours", "state"),
    [
        (HEAD + DEFAULT, ARP + "192.168.0.1 0x1 0x2 aa:bb:cc:dd:ee:ff * eth0\n", "gateway"),
        (HEAD + DEFAULT, ARP + "192.168.0.1 0x1 0x0 00:00:00:00:00:00 * eth0\n", "gateway_silent"),
        (HEAD + DEFAULT, ARP + "192.168.0.1 0x1 0x2 aa:bb:cc:dd:ee:ff * wlan0\n", "gateway_unknown"),
        (HEAD + DEFAULT, ARP, "gateway_unknown"),
        (HEAD + DEFAULT.replace("eth0", "wg0"), ARP, "tunnel"),
        (HEAD + DEFAULT.replace("0003", "0002"), ARP, "gateway_unknown"),
        (HEAD, ARP, "gateway_unknown"),
        (HEAD + "eth0 0000\n\xff", ARP, "gateway_unknown"),
        (HEAD + DEFAULT, ARP + "192.168.0.1 0x1 zz aa * eth0\n", "gateway_unknown"),
    ],
)
def test_the_gateways_state_is_read_from_the_system(
    tmp_path: Path, routes: str, neighbours: str, state: str
) -> None:
    (tmp_path / "route").write_text(routes, "latin-1")
    (tmp_path / "arp").write_text(neighbours, "latin-1")
    assert gateway_state(tmp_path / "route", tmp_path / "arp") == state


def test_a_system_without_these_files_tells_nothing(tmp_path: Path) -> None:
    assert gateway_state(tmp_path / "none", tmp_path / "none") == "gateway_unknown"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the resolvers stand in no file")
@pytest.mark.parametrize(
    ("route", "gateway", "resolver", "came", "detail"),
    [
        (False, "gateway", True, Came.NO_ROUTE, "no_route"),
        (True, "gateway", True, Came.RIGHT, "gateway"),
        (True, "tunnel", False, Came.RIGHT, "tunnel, no_resolver"),
        (True, "gateway_silent", True, Came.SILENCE, "gateway_silent"),
    ],
)
async def test_the_way_out_is_one_sight(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    route: bool,
    gateway: str,
    resolver: bool,
    came: Came,
    detail: str,
) -> None:
    monkeypatch.setattr(ask_here, "has_route", lambda: route)
    monkeypatch.setattr(ask_here, "gateway_state", lambda: gateway)
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 192.0.2.1\n" if resolver else "")
    around = make_around(CA, resolv_conf=path)
    seen = await one(question(Test.ROUTE, 0, place=Place.HERE, who="here"), around)
    assert (seen.came, seen.detail) == (came, detail)
    assert (around.opened, around.datagrams, around.moved) == (0, 0, 0)


def test_a_pipe_in_the_place_of_the_resolvers_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "resolv.conf")
    assert nameservers(tmp_path / "resolv.conf") == []

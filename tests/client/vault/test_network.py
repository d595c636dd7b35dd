import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.vault import network
from client.vault.network import UNKNOWN, linux, macos_gateway, name, neighbour, windows_gateway

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\tFE01A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""
NEIGHBOURS = """IP address       HW type     Flags       HW address            Mask     Device
192.168.1.254    0x1         0x2         02:42:ac:11:00:02     *        eth0
192.168.1.1      0x1         0x2         02:42:ac:11:00:99     *        wlan0
"""
ROUTES6 = (
    f"{'0' * 32} 00 {'0' * 32} 00 fe80000000000000021122fffe334455 00000400 00000001 00000000 00000003    wlan0\n"
    f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
)
little = pytest.mark.skipif(sys.byteorder != "little", reason="the sample is of such a machine")


@little
def test_the_router_of_the_best_way_out_tells_networks_apart() -> None:
    assert linux(ROUTES, NEIGHBOURS, ROUTES6) == "02:42:ac:11:00:02"


@little
@pytest.mark.parametrize(
    "changed",
    [
        ("0x2         02:42:ac:11:00:02", "0x0         00:00:00:00:00:00"),
        ("254    ", "253    "),
        ("eth0", "eth1"),
    ],
)
def test_a_router_whose_hardware_is_not_known_makes_no_name(changed: tuple[str, str]) -> None:
    assert linux(ROUTES, NEIGHBOURS.replace(*changed), ROUTES6) == ""


def test_a_line_without_a_router_is_named_by_its_kind() -> None:
    one = ROUTES.splitlines()[0] + "\nwwan0\t00000000\t00000000\t0001\t0\t0\t700\t00000000\t0\t0\t0\n"
    assert linux(one, "", "") == linux(one.replace("wwan0", "wwan1"), "", "") == "line wwan"


def test_a_network_of_ipv6_only_is_told_by_the_router_s_address_on_the_link() -> None:
    assert linux("", "", ROUTES6) == "fe80000000000000021122fffe334455"
    assert linux("", "", ROUTES6.splitlines()[1]) == ""


def test_no_network_has_no_name() -> None:
    assert linux("", "", "") == ""
    assert name("", b"k" * 32) == UNKNOWN


def test_a_name_means_nothing_under_another_key() -> None:
    first, other = name("02:42:ac:11:00:02", b"a" * 32), name("02:42:ac:11:00:02", b"b" * 32)
    assert first != other
    assert name("02:42:ac:11:00:03", b"a" * 32) != first
    assert (len(first), len(set(first) - set("0123456789abcdef"))) == (12, 0)


def test_without_an_open_vault_there_is_no_name() -> None:
    assert network.here() == UNKNOWN


def test_what_macos_says_is_understood() -> None:
    said = "   route to: default\ndestination: default\n    gateway: 192.168.1.1\n  interface: en0\n      flags: <UP>\n"
    assert macos_gateway(said) == ("192.168.1.1", "en0")
    assert macos_gateway("route: writing to routing socket: not in table\n") == ("", "")
    arp = "? (192.168.1.1) at 2:42:ac:11:0:2 on en0 ifscope [ethernet]\n"
    assert neighbour(arp, "192.168.1.1") == "02:42:ac:11:00:02"
    assert neighbour("? (192.168.1.1) at (incomplete) on en0 ifscope [ethernet]\n", "192.168.1.1") == ""


def test_what_windows_says_is_understood() -> None:
    said = (
        "IPv4 Route Table\nActive Routes:\nNetwork Destination        Netmask          Gateway       Interface  Metric\n"
        "          0.0.0.0          0.0.0.0      192.168.1.9    192.168.1.23     55\n"
        "          0.0.0.0          0.0.0.0      192.168.1.1    192.168.1.22     25\n"
    )
    assert windows_gateway(said) == "192.168.1.1"
    assert windows_gateway("") == ""
    arp = "Interface: 192.168.1.22 --- 0x7\n  192.168.1.1           02-42-AC-11-00-02     dynamic\n"
    assert neighbour(arp, "192.168.1.1") == "02:42:ac:11:00:02"
    assert neighbour(arp, "192.168.1.11") == ""


_APART = """
ip link add own type veth peer name far && ip link set own up && ip link set far up || exit 77
ip address add 10.9.8.2/24 dev own && ip route add default via 10.9.8.1 dev own || exit 77
ip neigh add 10.9.8.1 lladdr 02:42:ac:11:00:02 dev own || exit 77
exec "$0" -c 'from client.vault import network; print(network._router())'
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces")
def test_a_real_machine_tells_its_router_and_sends_nothing_for_it() -> None:
    ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if ip is None or shutil.which("unshare") is None:
        pytest.skip("needs unshare and ip")
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", _APART, sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        cwd=Path(__file__).parents[3],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("needs network namespaces")
    assert (done.stdout, done.stderr) == ("02:42:ac:11:00:02\n", "")

"""The rules as text, and what is in use. (That they work is shown in namespaces: tests/integration.)"""

from pathlib import Path

from client.beacon import redirect

_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
   2: 0A00000A:C350 0B00000A:01BB 01 00000000:00000000 00:00000000 00000000     0        0 3
"""
_UDP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:CA6C 00000000000000000000000000000000:0000 07 00000000:00000000
   garbage
"""


def test_ports_in_use_are_those_that_listen_and_all_of_udp(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(_TCP)
    (tmp_path / "udp6").write_text(_UDP6)
    assert redirect.ports_in_use(tmp_path) == {"tcp": {22, 8080}, "udp": {51820}}


def test_where_nothing_can_be_read_ssh_is_spared_all_the_same(tmp_path: Path) -> None:
    assert redirect.ports_in_use(tmp_path)["tcp"] == {22}


def test_the_rules_spare_what_is_in_use_and_end_by_themselves() -> None:
    text = redirect.rules(39179, 7200, {"tcp": {22, 8080}, "udp": {51820}})
    assert "tcp . 22, tcp . 8080, udp . 51820" in text
    assert text.count("timeout 7200s") == 2
    assert text.count("redirect to :39179") == 2
    assert "== syn redirect" in text
    assert text.count("{") == text.count("}")


def test_rules_without_anything_in_use_are_rules_too() -> None:
    assert "elements = { }" not in redirect.rules(1, 1, {}, sockets=False)

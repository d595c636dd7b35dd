"""The edges: a tunnel for a way out, a wrong clock, wrong anchors. The other ones are scenarios."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from client.diagnosis.kinds import Kind
from tests.lab import places
from tests.lab.rounds import LIMIT, Result, diagnose
from tests.lab.world import Lab, Line

pytestmark = pytest.mark.timeout(120)
DIAGNOSE = [sys.executable, "-m", "client", "diagnose", "--yes", "--json"]


@contextmanager
def vpn(line: Line, *how: str) -> Iterator[None]:
    with line.lab.start("person", [sys.executable, "-m", "tests.lab.vpn", *how]) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n", program.communicate()
        yield
    line.lab.run("person", ["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; ip -4 route flush default"])


def said(result: Result) -> str:
    return " ".join(result.told["evidence"])


def test_a_vpn_that_works_is_an_open_line_and_it_is_said_that_it_is_the_vpns(lab: Lab) -> None:
    line = lab.play("open")
    with vpn(line):
        result = diagnose(line)
    assert (result.told["kinds"], result.told["certainty"]) == (["open"], "certain")
    assert "tunnel" in said(result)


def test_a_vpn_that_leads_nowhere_is_a_fault_of_this_machine_and_no_cut(lab: Lab) -> None:
    line = lab.play("open")
    with vpn(line, "dead"):
        result = diagnose(line)
    assert (result.told["kinds"], result.told["certainty"]) == (["local_fault"], "likely")
    assert "tunnel" in said(result)
    assert result.seconds < LIMIT
    assert result.counts.connections == 0


def test_a_cut_behind_a_vpn_is_not_called_the_networks_own(lab: Lab) -> None:
    line = lab.play("almaty")
    with vpn(line):
        result = diagnose(line)
    assert result.told["kind"] == "port_holes"
    assert "tunnel" in said(result)


@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs faketime")
@pytest.mark.parametrize("days", ["+3000d", "-3000d"])
def test_a_wrong_clock_is_a_fault_of_this_machine_and_no_false_certificates(lab: Lab, days: str) -> None:
    line = lab.play("open")
    result = diagnose(line, before=["faketime", "-f", days])
    assert Kind.TLS_INTERCEPTION not in result.told["kinds"]
    assert (result.told["kinds"], result.told["certainty"]) == (["local_fault"], "likely")
    assert "clock" in said(result)
    assert result.seconds < LIMIT


@pytest.mark.parametrize(
    "text", ["", "date = 2022-01-05", "not TOML", 'date = 2022-01-05\nsource = "x"\n[[server]]\nname = 1\n']
)
def test_wrong_anchors_are_refused_before_anything_is_sent(lab: Lab, text: str) -> None:
    line = lab.play("open")
    (lab.folder / "wrong.toml").write_text(text)
    done = line.person([*DIAGNOSE, "--anchors", str(lab.folder / "wrong.toml")])
    assert (done.returncode, done.stdout) == (2, "")
    assert "wrong.toml" in done.stderr
    assert str(lab.folder) not in done.stderr
    assert line.counts().connections == 0


def test_anchors_whose_addresses_are_all_wrong_name_no_cut_with_certainty(lab: Lab) -> None:
    line = lab.play("open")
    text = line.anchors.read_text()
    for address in (
        *places.ABROAD_SERVERS.values(),
        *places.ALL_PORTS.values(),
        *places.LISTED_SERVERS.values(),
    ):
        text = text.replace(f'"{address}"', f'"192.88.99.{200 + int(address.rpartition(".")[2]) % 50}"')
    wrong = lab.folder / "wrong-addresses.toml"
    wrong.write_text(text)
    done = line.person([*DIAGNOSE, "--anchors", str(wrong)])
    assert done.returncode == 0, done.stderr
    assert '"certainty": "certain"' not in done.stdout

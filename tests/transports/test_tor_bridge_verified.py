"""What is taken as a bridge line, held against the real tor: `--verify-config` reads lines and connects to nobody."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transports.links import CERT, FP, ports
from tests.transports.test_tor_bridge import GROUPED, LINES, OBFS4, WEBTUNNEL
from transports.tor_bridge import parse
from transports.types import Rejected

TOR = shutil.which("tor", path="/usr/sbin:/usr/local/bin:/opt/homebrew/bin:/usr/bin")
pytestmark = pytest.mark.skipif(TOR is None, reason="tor is not installed")


def takes(lines: Iterable[str], folder: Path) -> bool:
    """Tell whether tor takes these lines as they stand in a torrc."""
    assert TOR is not None
    torrc = "\n".join(["UseBridges 1", *(f"Bridge {line}" for line in lines), ""])
    command = [TOR, "--verify-config", "--hush", "-f", "-", "--defaults-torrc", str(folder / "none")]
    command += ["--DataDirectory", str(folder / "data")]
    done = subprocess.run(command, input=torrc.encode("utf-8"), capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def own(text: str) -> str | None:
    """Return the line that would be given to tor, None for what is turned down."""
    try:
        return parse(text).reveal()
    except Rejected:
        return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verify")


def test_tor_takes_the_examples_of_every_transport(folder: Path) -> None:
    assert takes(map(str, map(own, [*LINES, GROUPED, "192.0.2.1", f"[2001:db8::5] {FP.lower()}"])), folder)
    assert not takes([*LINES, "obfs4"], folder)


def with_arguments(size: int, char: str = "a") -> str:
    return (
        f"meek_lite 192.0.2.20:80 url=https://e.example/ x={char * (size - len('url=https://e.example/;x='))}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "host.example:443",
        f"192.0.2.1:443 ${FP}",
        f"192.0.2.1:443 {FP[:-1]}",
        f"192.0.2.1:443 {FP}0",
        f"192.0.2.1:443 {FP} a=b",
        OBFS4.replace(FP, FP[:-1]),
        OBFS4.replace(FP, FP + "0"),
        OBFS4.replace(FP, "$" + FP),
        OBFS4.replace(FP, "0123 4567 89AB"),
        OBFS4.replace("iat-mode=0", "iat-mode"),
        "Bridge " + OBFS4,
        "obfs4",
        with_arguments(511),
        with_arguments(270, ";"),
    ],
)
def test_what_tor_refuses_is_turned_down(text: str, folder: Path) -> None:
    assert not takes([text], folder)
    assert own(f"Bridge {text}") is None


@pytest.mark.parametrize(
    "text",
    [
        f"2001:db8::5:443 {FP}",
        OBFS4.replace("obfs4", "OBFS4"),
        OBFS4.replace("obfs4", "obfs5"),
        OBFS4.replace(CERT, CERT + "=="),
        OBFS4.replace(" iat-mode=0", ""),
        OBFS4.replace("iat-mode=0", "iat-mode='0'"),
        WEBTUNNEL + " x=\\",
        OBFS4 + " iat-mode=1",
    ],
)
def test_what_tor_takes_and_misreads_is_turned_down_all_the_same(text: str, folder: Path) -> None:
    assert takes([text], folder)
    assert own(text) is None


def test_the_limit_of_the_arguments_is_tors(folder: Path) -> None:
    for text in (with_arguments(510), with_arguments(267, ";")):  # 25 + 2 * 242 escaped = 509
        assert own(text) == text
        assert takes([text], folder)


DRAWN = st.builds(
    lambda line, at, size, noise: line[:at] + noise + line[at + size :],
    st.sampled_from([*LINES, GROUPED, f"192.0.2.1:443 {FP}"]),
    st.integers(0, 200),
    st.integers(0, 6),
    st.one_of(
        st.text(max_size=4),
        st.text("0123456789abcdefABCDEF:.[]$=;,#\\ \t/+-_%?&", max_size=6),
        st.sampled_from(["#", " # x", ";;", "=", "[::]", "::1", "::ffff:1.2.3.4", "%25", "\u00e9"]),
    ),
)
PLACES = st.builds(
    lambda address, port: f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}",
    st.ip_addresses(),
    ports,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(DRAWN, min_size=50, max_size=120), places=st.lists(PLACES, max_size=20))
def test_tor_takes_whatever_is_not_turned_down(lines: list[str], places: list[str], folder: Path) -> None:
    taken = [line for line in map(own, [*lines, *(f"{place} {FP}" for place in places)]) if line is not None]
    assert takes([OBFS4, *taken], folder), next(line for line in taken if not takes([line], folder))

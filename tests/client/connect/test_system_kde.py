"""The proxy of KDE, with its real configuration programs where they are installed (Debian: libkf5config-bin)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from client.connect import system, system_kde
from client.connect.system import Ending
from client.connect.system_kde import Kde
from client.connect.system_parts import Place, place_in
from transports import guard_main
from transports.guard import Guard
from transports.guard_main import Argv
from transports.types import Rejected

OURS = Place("127.0.0.1", 1080)
WRITER = shutil.which("kwriteconfig6") or shutil.which("kwriteconfig5") or ""
real_programs = pytest.mark.skipif(not WRITER, reason="needs KDE's kwriteconfig")
OLD = "[Proxy Settings]\nNoProxyFor=intranet\nProxyType=1\nReversedException=true\nhttpProxy=http://192.0.2.7 3128\n"
EXPECTED = {
    "NoProxyFor": "localhost,127.0.0.0/8,::1",
    "ReversedException": "false",
    "httpProxy": "http://127.0.0.1 1080",
    "httpsProxy": "http://127.0.0.1 1080",
    "ftpProxy": "http://127.0.0.1 1080",
    "socksProxy": "socks://127.0.0.1 1080",
    "ProxyType": "1",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    return tmp_path / "kioslaverc"


def choose(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def kept(path: Path) -> set[str]:
    return {line for line in path.read_text("utf-8").splitlines() if line} if path.exists() else set()


@real_programs
@pytest.mark.parametrize("before", ["", OLD])
async def test_kde_goes_to_the_port_and_everything_is_put_back(before: str, settings: Path) -> None:
    choose(settings, before)
    async with Guard.running() as guard:
        async with system.set_to(OURS.host, OURS.port, guard) as held:
            assert kept(settings) == {"[Proxy Settings]", *map("=".join, EXPECTED.items())}
            assert (await system.now()).places == {OURS}
        assert held.ending is Ending.BACK
    assert kept(settings) - {"[Proxy Settings]"} == kept_in(before)


def kept_in(text: str) -> set[str]:
    return {line for line in text.splitlines() if "=" in line}


@real_programs
async def test_a_guard_whose_client_is_gone_puts_kde_back(settings: Path) -> None:
    choose(settings, OLD)
    async with Guard.running() as guard:
        plan = (await system.now()).plan(OURS)
        for undo in plan.undos():
            await guard.adopt_undo(undo)
        assert system.Held(plan).make()
        assert kept_in(OLD) != kept(settings) - {"[Proxy Settings]"}
    assert kept(settings) == {"[Proxy Settings]"} | kept_in(OLD)


@real_programs
async def test_the_proxy_of_kde_is_switched_off(settings: Path) -> None:
    choose(settings, OLD)
    (picture, *_) = (await system.now()).pictures
    assert picture.places == {Place("192.0.2.7", 3128)}
    for argv in picture.off():
        guard_main.answers([argv])
    assert (await system.now()).places == frozenset()
    assert kept(settings) == {"[Proxy Settings]"} | (kept_in(OLD) - {"ProxyType=1"}) | {"ProxyType=0"}


async def test_without_its_programs_the_words_say_what_to_do(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Rejected, match="--exec"):
        await system.now()


def kde(**values: str) -> Kde:
    return Kde(reader="/r", writer="/w", bus="/b", values=values)


def test_the_orders_for_kde_are_these() -> None:
    plan = kde(ProxyType="1", httpProxy="http://192.0.2.7 3128").plan(OURS)
    file = ("--file", "kioslaverc", "--group", "Proxy Settings", "--key")
    done = [argv for part in plan.parts for argv in part.do]
    assert done == [("/w", *file, key, "--", value) for key, value in EXPECTED.items() if key != "ProxyType"]
    undone = {part.do[0][6]: part.undo for part in plan.parts}
    assert undone["httpProxy"] == (("/w", *file, "httpProxy", "--", "http://192.0.2.7 3128"),)
    assert undone["socksProxy"] == (("/w", *file, "socksProxy", "--delete", ""),)
    assert kde().plan(OURS).parts[-1].do[0][6:] == (
        "ProxyType",
        "--",
        "1",
    )  # nothing counts before all is there
    assert plan.notice[0][:4] == ("/b", "--session", "--type=signal", "/KIO/Scheduler")
    assert plan.undos()[0] == ((), plan.notice)  # newest first: running programs are told last


@pytest.mark.parametrize("key", ["httpProxy", "httpsProxy", "ftpProxy", "socksProxy"])
def test_a_proxy_with_a_password_is_left_alone_for_a_command_line_would_show_it(key: str) -> None:
    with pytest.raises(Rejected, match="show the password") as raised:
        kde(ProxyType="1", **{key: "http://ann:secret@192.0.2.7 3128"}).plan(OURS)
    assert "secret" not in str(raised.value)
    assert kde(ProxyType="1", **{key: "http://192.0.2.7 3128"}).plan(OURS).parts


@pytest.mark.parametrize(
    ("values", "places", "automatic"),
    [
        ({}, set(), False),
        ({"ProxyType": "0", "httpProxy": "http://192.0.2.7 3128"}, set(), False),
        ({"ProxyType": "1", "httpProxy": "http://192.0.2.7 3128"}, {Place("192.0.2.7", 3128)}, False),
        ({"ProxyType": "1", "socksProxy": "socks://[::1] 1080"}, {Place("::1", 1080)}, False),
        ({"ProxyType": "2"}, set(), True),
        ({"ProxyType": "3"}, set(), True),
        ({"ProxyType": "4", "httpProxy": "HTTP_PROXY"}, set(), True),
    ],
)
def test_what_counts_now_is_read(values: dict[str, str], places: set[Place], automatic: bool) -> None:
    picture = kde(**values)
    assert (set(picture.places), picture.automatic) == (places, automatic)


def test_a_program_that_says_nothing_is_not_believed() -> None:
    with pytest.raises(Rejected, match="--exec"):
        system_kde.read(lambda argv: "", "/r", "/w", "")


def test_keys_that_are_not_there_have_no_value_and_empty_ones_have() -> None:
    def ask(argv: Argv) -> str:
        return "\n" if "NoProxyFor" in argv else argv[-1] + "\n"

    picture = system_kde.read(ask, "/r", "/w", "")
    assert isinstance(picture, Kde)
    assert picture.values == {"NoProxyFor": ""}
    assert picture.plan(OURS).notice == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("http://192.0.2.7 3128", Place("192.0.2.7", 3128)),
        ("http://192.0.2.7:3128/", Place("192.0.2.7", 3128)),
        ("http://someone:word@gate.example 3128", Place("gate.example", 3128)),
        ("socks=[2001:db8::7]:1080", Place("2001:db8::7", 1080)),
        ("192.0.2.7", None),
        ("192.0.2.7:0", None),
        ("192.0.2.7:123456", None),
        ("", None),
    ],
)
def test_an_address_is_read_however_it_is_written(text: str, wanted: Place | None) -> None:
    assert place_in(text) == wanted

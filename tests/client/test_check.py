from pathlib import Path

import pytest

from client.check import BadList, Wishes, consent_text, prepare, read_torrc, take_in, to_be_tested
from client.model import Reading
from client.parse import parse_line
from client.targets import builtin
from tests.client.runs import endpoint, reading
from transports.types import Endpoint, Rejected

UNTESTED = Endpoint(transport="telegram", host="192.0.2.9", port=443, untested="why")
GIVEN = reading(endpoint(), endpoint(port=2, transport="socks5"), endpoint("proxy.example", 3), UNTESTED)


def text_of(wishes: Wishes, given: Reading = GIVEN) -> str:
    return "\n".join(consent_text(prepare(wishes, given)))


def test_lists_are_read_together_and_a_bad_one_is_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("192.0.2.7:80\n")
    two.write_text("192.0.2.7:80\n192.0.2.8:80\n")
    result = take_in([str(one), str(two)])
    assert (len(result.candidates), result.duplicates) == (2, 1)
    with pytest.raises(BadList) as bad:
        take_in([str(one), str(tmp_path / "none")])
    assert bad.value.source.endswith("none")


def test_without_a_list_the_built_in_one_is_taken_and_the_question_names_it() -> None:
    given = take_in(())
    text = text_of(Wishes(), given)
    assert f"{len(given.candidates)} entries of the built-in list of {given.builtin}" in text
    assert "your list" not in text
    assert "1 entry of the built-in list" in text_of(Wishes(only=("tor",)), given)
    assert "built-in" not in text_of(Wishes())


def test_wishes_become_a_run() -> None:
    run = prepare(
        Wishes(profile="fast", timeout=3.0, first=2, budget_mib=1.5, concurrency=9, only=("http",)), GIVEN
    )
    assert (run.profile.name, run.profile.short.total, run.profile.deep) == ("fast", 3.0, None)
    assert (run.first, run.budget_kib, run.profile.concurrency) == (2, 1536, 9)
    assert run.targets == builtin()


def test_a_kind_that_is_not_known_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Rejected) as refused:
        prepare(Wishes(only=("sock5",)), GIVEN)
    assert refused.value.values["name"] == "sock5"
    assert "socks5" in str(refused.value.values["known"])


def test_only_what_will_be_contacted_is_counted() -> None:
    assert len(to_be_tested(prepare(Wishes(), GIVEN))) == 3
    assert len(to_be_tested(prepare(Wishes(only=("socks5",)), GIVEN))) == 1


def test_the_question_names_all_that_will_be_contacted() -> None:
    text = text_of(Wishes(target="https://origin.test/a", plain_target="http://plain.test/"))
    for words in ("3 entries", "1 of them has a name", "origin.test", "plain.test", "connections", "MiB"):
        assert words in text
    assert "gstatic" not in text
    for host in builtin().hosts():
        assert host in text_of(Wishes())


def test_the_question_shows_no_address_of_the_list() -> None:
    assert "proxy.example" not in text_of(Wishes())
    assert "127.0.0.1" not in text_of(Wishes())


def test_the_fast_profile_says_its_risk() -> None:
    assert "attack" in text_of(Wishes(profile="fast"))
    assert "attack" not in text_of(Wishes(profile="quiet"))


def test_the_engine_is_named_only_where_it_is_started() -> None:
    (node,) = parse_line("trojan://p@127.0.0.1:9?sni=t.example.com")
    assert isinstance(node, Endpoint)
    assert "sing-box" in text_of(Wishes(), reading(node))
    assert "sing-box" not in text_of(Wishes())


NETWORK = """\
testingtornetwork 1
DIRAUTHORITY a orport=1 no-v2 v3ident=AA 127.0.0.1:2 BB # one
	AlternateBridgeAuthority	b 127.0.0.1:3 CC
FallbackDir 127.0.0.1:4 orport=5 id=DD
V3AuthVotingInterval 10
TestingV3AuthInitialVotingInterval 5
AssumeReachable 1
PathsNeededToBuildCircuits 0.67
EnforceDistinctSubnets 0
ClientUseIPv6 1"""


def torrc_of(folder: Path, text: str) -> str:
    path = folder / "torrc"
    path.write_text(text, "utf-8", newline="")
    return read_torrc(str(path))


def test_what_describes_a_private_network_reaches_tor_without_comments(tmp_path: Path) -> None:
    assert read_torrc(None) == ""
    assert torrc_of(tmp_path, f"\ufeff# Қ\0\\\n\n{NETWORK}\n  #end\n") == NETWORK.lstrip().replace(
        "\t", " "
    ).replace("\n ", "\n")
    assert (
        torrc_of(tmp_path, "TestingTorNetwork 1\r\nAssumeReachable 1\r\n")
        == "TestingTorNetwork 1\nAssumeReachable 1"
    )


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("Log debug file /tmp/x", "Log"),
        ("log#debug", "log"),
        ("DataDirectory /tmp/x", "DataDirectory"),
        ("HiddenServiceDir /tmp/x", "HiddenServiceDir"),
        ("ClientTransportPlugin obfs4 exec /tmp/x", "ClientTransportPlugin"),
        ("ControlPort 0.0.0.0:9051", "ControlPort"),
        ("SocksPort 127.0.0.1:9050", "SocksPort"),
        ("%include /tmp/x", "%include"),
        ("+DirAuthority a 127.0.0.1:2 BB", "+DirAuthority"),
        ("/DirAuthority", "/DirAuthority"),
        ("V3AuthoritativeDirectory 1", "V3AuthoritativeDirectory"),
        ("DirAuthorityFallbackRate 1", "DirAuthorityFallbackRate"),
        ("Dir 1", "Dir"),  # tor takes the begin of a name for the whole
        ("Testing 1", "Testing"),
        ("UseBridges 0", "UseBridges"),
        ("NoSuchOption 1", "NoSuchOption"),
        ("x" * 500, "?"),
        ("192.0.2.1:443 " + "A" * 40, "?"),
        ("A" * 40, "?"),
        ("\x1b[2J 1", "?"),
        ("DirAuthority\\", "?"),
    ],
)
def test_every_other_option_is_refused_by_its_name_alone(tmp_path: Path, line: str, named: str) -> None:
    with pytest.raises(Rejected, match="is not allowed") as refused:
        torrc_of(tmp_path, f"TestingTorNetwork 1\n  {line}\n")
    assert refused.value.values == {"line": 2, "option": named}


@pytest.mark.parametrize(
    "value", ["1 \\", "1\\\nLog debug", "1\0", "1\rLog debug", "1\x0bLog debug", "1\u2028Log", "\xa01"]
)
def test_a_value_stays_on_its_line_and_is_plain(tmp_path: Path, value: str) -> None:
    with pytest.raises(Rejected, match="no backslash") as refused:
        torrc_of(tmp_path, f"TestingTorNetwork {value}\nAssumeReachable 1\n")
    assert refused.value.values == {"line": 1}

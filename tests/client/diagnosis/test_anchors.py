import datetime
import os
from pathlib import Path

import pytest
import trustme

from client.diagnosis import anchors
from client.diagnosis.anchors import Anchors
from client.diagnosis.roots_known import Root
from client.diagnosis.sights import Place
from transports.types import Rejected

BEGIN = 'date = 2026-07-29\nsource = "a test"\n'
SERVER = '[[server]]\nname = "one.test"\n'


def parsed(text: str, folder: Path = Path()) -> Anchors:
    return anchors.parse(text, file="own.toml", folder=folder)


def reason(text: str, folder: Path = Path()) -> str:
    with pytest.raises(Rejected) as rejected:
        parsed(text, folder)
    return rejected.value.reason.format_map(rejected.value.values)


@pytest.mark.parametrize("country", ["", *anchors.countries()])
def test_the_own_files_are_whole_and_agree(country: str) -> None:
    found = anchors.load(country)
    assert isinstance(found.date, datetime.date)
    assert found.source
    assert len(found.at(Place.ABROAD)) >= 4
    assert len({server.operator for server in found.at(Place.ABROAD)}) >= 4
    assert any(server.bulk for server in found.at(Place.ABROAD))
    assert any(server.quic for server in found.at(Place.ABROAD))
    assert all(server.name for server in found.servers)
    assert found.resolvers
    assert found.nobody
    assert len(found.relays) >= 3
    assert bool(found.at(Place.HOME)) is bool(country)
    for group in (found.servers, found.pages, found.resolvers, found.names, found.forbidden, found.relays):
        names = [one.who for one in group]
        assert len(names) == len(set(names))


def test_a_country_is_found_in_any_letters_and_comes_besides_the_international_ones() -> None:
    everywhere, here = anchors.load(), anchors.load("kz")
    assert here.at(Place.ABROAD) == everywhere.at(Place.ABROAD)
    assert here.at(Place.HOME)
    assert len(here.names) > len(everywhere.names)
    assert here.files == ("world.toml", "kz.toml")


def test_an_unknown_country_is_told_which_are_known() -> None:
    with pytest.raises(Rejected) as rejected:
        anchors.load("zz")
    assert rejected.value.values == {"country": "zz", "known": ", ".join(anchors.countries())}


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "own.toml").write_text(
        'date = 2026-07-29\nsource = "a test"\nca = "ca.pem"\n'
        '[[server]]\nid = "first"\nplace = "home"\noperator = "A"\nname = "one.test"\n'
        'addresses = ["127.0.0.1", "::1"]\nports = [443, 853]\nplain = [80]\nquic = 443\npath = "/"\n'
        'status = 200\nbody = "hello"\nbulk = "/bulk"\nupload = "/up"\n'
        '[[server]]\nname = "two.test"\n[[server]]\nplace = "listed"\nname = "three.test"\n'
        '[[server]]\nname = "four.test"\n'
        '[[page]]\nurl = "http://one.test:8080/a?b=c"\nbody = "known"\n'
        '[[resolver]]\nplace = "home"\naddress = "127.0.0.1"\nways = ["udp", "tcp"]\n'
        '[[name]]\nname = "one.test"\naddresses = ["127.0.0.1"]\n'
        '[[nobody]]\naddress = "127.0.0.9"\n'
        '[[forbidden]]\nname = "bad.test"\nserver = "abroad-2"\n'
        '[[all_ports]]\nhost = "ports.test"\nhttp = false\n'
        f'[[relay]]\naddress = "127.0.0.1"\nport = 9001\nfingerprint = "{"ab" * 20}"\n'
        '[[bridge]]\nline = "obfs4 127.0.0.1:1 x"\n'
        f'[[national_root]]\nname = "Test"\ncountry = "ZZ"\nsha256 = "{"AB" * 32}"\n'
    )
    found = anchors.load(file=str(tmp_path / "own.toml"))
    assert [server.who for server in found.servers] == ["first", "abroad-1", "listed-1", "abroad-2"]
    first = found.at(Place.HOME)[0]
    assert (first.addresses, first.ports, first.plain, first.quic) == (
        ("127.0.0.1", "::1"),
        (443, 853),
        (80,),
        443,
    )
    assert (first.body, first.bulk, first.upload) == (b"hello", "/bulk", "/up")
    assert found.at(Place.ABROAD)[0].ports == (443,)
    (page,) = found.pages
    assert (page.host, page.port, page.path, page.status, page.body) == (
        "one.test",
        8080,
        "/a?b=c",
        200,
        b"known",
    )
    assert found.resolvers[0].ways == ("udp", "tcp")
    assert found.nobody == ("127.0.0.9",)
    assert (found.forbidden[0].name, found.forbidden[0].server) == ("bad.test", "abroad-2")
    assert found.all_ports[0].http is False
    assert found.relays[0].fingerprint == "AB" * 20
    assert found.bridges == ("obfs4 127.0.0.1:1 x",)
    assert found.national == {"ab" * 32: Root(country="ZZ", name="Test")}
    assert "BEGIN CERTIFICATE" in found.ca
    assert "one.test" not in repr(found)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('[[server]]\nname = "a b"', "server number 1: name"),
        ("[[server]]\nname = 5", "name"),
        (SERVER + SERVER + 'place = "nobody"', "server]] number 2: place"),
        (SERVER + 'place = "home', None),
        (SERVER + 'addresses = ["one.test"]', "addresses"),
        (SERVER + "addresses = [2130706433]", "addresses"),
        (SERVER + "ports = [0]", "ports"),
        (SERVER + 'ports = "443"', "ports"),
        (SERVER + "ports = [443, 70000]", "ports"),
        (SERVER + "quic = true", "quic"),
        (SERVER + "status = 600", "status"),
        (SERVER + "body = 1", "body"),
        (SERVER + 'operator = "a\\u001b[2J"', "operator"),
        (SERVER + '[[page]]\nurl = "https://one.test/"', "url"),
        (SERVER + '[[page]]\nurl = "http://one.test:99999/"', "url"),
        (SERVER + '[[page]]\nurl = "http://[::1/"', "url"),
        (SERVER + '[[resolver]]\naddress = "127.0.0.1"', "ways"),
        (SERVER + '[[resolver]]\naddress = "127.0.0.1"\nways = ["smoke"]', "ways"),
        (SERVER + '[[resolver]]\naddress = "one.test"\nways = ["udp"]', "address"),
        (SERVER + '[[nobody]]\naddress = ""', "address"),
        (SERVER + '[[forbidden]]\nname = "bad.test"', "server"),
        (SERVER + '[[all_ports]]\nhost = "x.test"\nhttp = "yes"', "http"),
        (SERVER + '[[relay]]\naddress = "127.0.0.1"\nport = 0', "port"),
        (SERVER + '[[relay]]\naddress = "127.0.0.1"\nport = 1\nfingerprint = "12"', "fingerprint"),
        (SERVER + '[[national_root]]\nname = "Test"\nsha256 = "zz"', "sha256"),
        (SERVER + "[[bridge]]\nlane = 1", "line"),
        (SERVER + "[bridge]\nline = 1", "bridge"),
        ("server = [1]", "server"),
    ],
)
def test_a_wrong_entry_is_named(text: str, field: str | None) -> None:
    told = reason(BEGIN + text)
    assert told.startswith("own.toml: ")
    assert (field or "not a TOML file").removeprefix("server number 1: ") in told


def test_what_is_no_file_of_anchors_is_told_so(tmp_path: Path) -> None:
    assert "begins with its date" in reason(SERVER)
    assert "no [[server]]" in reason(BEGIN)
    assert "there is no table tables" in reason(BEGIN + "[[tables]]\n")
    assert "cannot be read" in reason(BEGIN + 'ca = "none.pem"\n' + SERVER, tmp_path)
    (tmp_path / "ca.pem").write_text("no certificate")
    assert "not a PEM file" in reason(BEGIN + 'ca = "ca.pem"\n' + SERVER, tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", "not a TOML file"),
        (b"#" * (256 * 1024 + 1), "at most 256 KiB"),
        ((BEGIN + SERVER + 'id = "a"\n' + SERVER + 'id = "a"\n').encode(), "a stands for no server"),
        ((BEGIN + SERVER + '[[forbidden]]\nname = "b.test"\nserver = "c"\n').encode(), "c stands for no"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "own.toml").write_bytes(content)
    with pytest.raises(Rejected) as rejected:
        anchors.load(file=str(tmp_path / "own.toml"))
    assert told in rejected.value.reason.format_map(rejected.value.values)


def test_a_file_of_another_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xef\xbb\xbf" + (BEGIN + SERVER).replace("\n", "\r\n").encode())
    assert anchors.load(file=str(tmp_path / "own.toml")).servers


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 100_000, "x = " + "9" * 6000, BEGIN + SERVER + "number = " + "9" * 6000],
    ids=["a nest without bottom", "a number without end", "a number in an entry"],
)
def test_toml_that_no_reader_bears_is_refused_in_words(text: str) -> None:
    assert "not a TOML file of anchors" in reason(text)


@pytest.mark.parametrize("name", ["a\\u0000b", "pipe", "latin.pem"])
def test_a_ca_that_is_no_file_of_certificates_is_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin.pem").write_text(
        "-----BEGIN CERTIFICATE-----\né\n-----END CERTIFICATE-----\n", "utf-8"
    )
    assert reason(BEGIN.replace("date", f'ca = "{name}"\ndate', 1) + SERVER, tmp_path)

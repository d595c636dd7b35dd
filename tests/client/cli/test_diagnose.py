import re
import signal
from pathlib import Path

import pytest

from client.diagnosis import code
from client.diagnosis.kinds import Certainty, Kind
from client.drill.serving import Handler
from tests.client.cli.commands import on_terminal, sanylau
from tests.client.diagnosis.country import country
from tests.client.diagnosis.loopback import silent

HOLES = code.encode(
    code.Told(
        kinds=(Kind.PORT_HOLES, Kind.UDP_BLOCK),
        certainty=Certainty.LIKELY,
        tcp=(179, 3785),
        udp=(),
        passes=frozenset({"tls"}),
    )
)
KEYS = {
    "v",
    "type",
    "kind",
    "certainty",
    "kinds",
    "evidence",
    "against",
    "findings",
    "survives",
    "next",
    "tcp",
    "udp",
    "passes",
    "code",
    "left_out",
    "stopped",
    "elapsed_ms",
    "connections",
    "kib",
    "sights",
}
ADDRESS = re.compile(r"127\.\d+\.\d+\.\d+")


def mute(name: str, handler: Handler) -> Handler:
    return silent


async def test_a_result_code_is_told_in_words_and_sends_nothing() -> None:
    ended = await sanylau("diagnose", "--explain", HOLES.replace("-", " "))
    assert (ended.status, ended.err) == (0, "")
    for word in ("likely", "port_holes", "udp_block", "TCP ports 179, 3785", "TLS"):
        assert word in ended.out


async def test_a_result_code_is_told_to_scripts() -> None:
    ended = await sanylau("diagnose", "--json", "--explain", HOLES)
    assert ended.objects() == [
        {
            "v": 1,
            "type": "code",
            "kind": "port_holes",
            "certainty": "likely",
            "kinds": ["port_holes", "udp_block"],
            "tcp": [179, 3785],
            "udp": [],
            "passes": ["tls"],
        }
    ]


@pytest.mark.parametrize("text", ["", "12", "hello", HOLES[:-1] + "x", HOLES[:-1], "9" * 300, "\x1b[2J"])
async def test_a_wrong_code_is_one_line(text: str) -> None:
    ended = await sanylau("diagnose", "--explain", text)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert "\x1b" not in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--country", "ZZ"),
        ("--country", "KZ", "--anchors", "x"),
        ("--anchors", "/nowhere/at-all.toml"),
        ("--anchors", __file__),
        ("--profile", "wild"),
        ("--no-such",),
    ],
)
async def test_wrong_usage_is_one_line_and_nothing_is_sent(arguments: tuple[str, ...]) -> None:
    ended = await sanylau("diagnose", "--yes", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1


async def test_without_a_terminal_and_without_consent_nothing_is_sent(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        plain = await sanylau("diagnose", "--anchors", str(place.anchors))
        only_yes = await sanylau("diagnose", "--anchors", str(place.anchors), "--yes", "--forbidden")
        assert (plain.status, plain.out, only_yes.status, only_yes.out) == (2, "", 2, "")
        assert "--yes" in plain.err
        assert "--yes-forbidden" in only_yes.err
        assert (place.connections, place.named) == ([], [])


async def test_the_question_names_whom_it_asks_and_no_means_no(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        async with on_terminal("diagnose", "--anchors", str(place.anchors)) as terminal:
            await terminal.until("[y/N]")
            terminal.type("n\n")
            ended = await terminal.end()
        assert ended.status == 2
        for host in ("home1.example", "abroad4.example", "dns.example", "www.harmless.one"):
            assert host in ended.shown
        assert place.connections == []


async def test_forbidden_names_have_a_question_of_their_own(tmp_path: Path) -> None:
    async with country(tmp_path, abroad=mute) as place:
        arguments = ("diagnose", "--anchors", str(place.anchors), "--yes", "--forbidden")
        async with on_terminal(*arguments) as terminal:
            await terminal.until("[y/N]")
            assert b"forbidden.example" in terminal.shown
            terminal.type("n\n")
            await terminal.until("Asking:")
            terminal.process.send_signal(signal.SIGINT)
            ended = await terminal.end()
        assert ended.status == 130
        assert "forbidden.example" not in place.named


async def test_an_interrupted_diagnosis_prints_what_is_known(tmp_path: Path) -> None:
    async with (
        country(tmp_path, abroad=mute) as place,
        on_terminal("diagnose", "--anchors", str(place.anchors), "--yes", "--json", streams="2") as terminal,
    ):
        await terminal.until("answered")
        terminal.process.send_signal(signal.SIGINT)
        ended = await terminal.end()
    assert ended.status == 130
    (told,) = ended.objects()
    assert told["stopped"] == "interrupted"
    assert any("you stopped it" in text for text in told["left_out"])
    assert told.keys() == KEYS


async def test_a_whole_diagnosis_is_one_object_without_addresses(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        ended = await sanylau(
            "diagnose", "--anchors", str(place.anchors), "--yes", "--json", "--profile", "fast"
        )
    assert (ended.status, ended.err) == (0, "")
    (told,) = ended.objects()
    assert told.keys() == KEYS
    assert (told["v"], told["type"], told["stopped"]) == (1, "diagnosis", None)
    assert told["kind"] == told["kinds"][0] == told["findings"][0]["kind"]
    assert told["evidence"] == told["findings"][0]["evidence"]
    assert code.decode(told["code"]).kinds[0].value == told["kind"]
    assert told["connections"] <= 60
    assert told["kib"] < 500
    assert {"tls_handshake", "http_round_trip"} <= {seen["test"] for seen in told["sights"]}
    assert not ADDRESS.search(ended.out)


async def test_the_text_says_all_and_fits_the_screen(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        arguments = ("diagnose", "--anchors", str(place.anchors), "--yes", "--profile", "fast")
        async with on_terminal(*arguments) as terminal:
            ended = await terminal.end()
        plain = await sanylau(*arguments, env={"LANG": "C", "PYTHONIOENCODING": "ascii"})
    assert ended.status == plain.status == 0
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", ended.shown)
    for words in (
        "What was seen:",
        "What was seen to pass:",
        "Not asked:",
        "It took",
        "Result code:",
        "--explain",
    ):
        assert words in text
        assert words in plain.out
    assert "\x1b[" in ended.shown
    assert "\x1b" not in plain.out
    shown = text[text.rindex("Ctrl-C stops") :].splitlines()[1:]
    assert max(map(len, [*shown, *plain.out.splitlines()])) <= 80
    assert plain.out.isascii()
    assert not ADDRESS.search(ended.shown + plain.out)


async def test_no_colour_is_shown_where_none_is_wanted(tmp_path: Path) -> None:
    async with country(tmp_path) as place:
        arguments = ("diagnose", "--anchors", str(place.anchors), "--yes", "--profile", "fast")
        async with on_terminal(*arguments, streams="01", env={"NO_COLOR": "1"}) as terminal:
            ended = await terminal.end()
    assert ended.status == 0
    assert "\x1b" not in ended.shown


async def test_check_takes_the_code_and_refuses_a_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("127.0.0.1:9\n")
    ended = await sanylau("check", str(tmp_path / "list"), "--yes", "--diagnosis", "123")
    assert (ended.status, ended.out) == (2, "")
    assert "result code" in ended.err

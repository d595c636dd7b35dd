"""`sanylau guide` as its own process: from a list, or from results, to steps that a person can follow."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from client.drill.parts import PASSWORD
from client.drill.stage import Stage, stage
from client.exits import Exit
from tests.client.cli.commands import (
    Ended,
    line_for,
    on_terminal,
    sanylau,
    started,
    toward,
    write_list,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

OBFS4 = "obfs4 192.0.2.77:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=" + "A" * 70 + " iat-mode=0"
TELEGRAM = "tg://proxy?server=192.0.2.88&port=443&secret=dd000102030405060708090a0b0c0d0e0f"
KEYS = {
    "v", "type", "recommended", "better", "reserve", "why", "risks", "steps", "app", "os", "checked", "others", "next", "without",
}  # fmt: skip


def clean(ended: Ended) -> Ended:
    assert "Traceback" not in ended.everything
    assert "\x1b" not in ended.out
    return ended


def narrow(ended: Ended) -> list[str]:
    lines = clean(ended).out.splitlines()
    assert all(len(line) <= 80 for line in lines if "`" not in line)  # a command is never broken
    return lines


def told(ended: Ended) -> dict[str, Any]:
    (one,) = clean(ended).objects()
    assert set(one) >= KEYS
    return dict(one)


def given(playing: Stage, folder: Path, *more: str) -> str:
    return write_list(folder / "list.txt", [*(line_for(placed) for placed in playing.parts), *more])


async def results_of(playing: Stage, folder: Path, *more: str) -> str:
    ended = await sanylau(
        "check", given(playing, folder, *more), *toward(playing, folder), "--json", "--reveal", "--yes"
    )
    path = folder / "results.jsonl"
    path.write_text(ended.out, "utf-8")
    return str(path)


def made(folder: Path, *results: dict[str, object]) -> str:
    base = {"v": 1, "type": "result", "id": "0123abcd", "class": "A", "status": "working", "kib_per_s": 50.0}
    path = folder / "made.jsonl"
    path.write_text("\n".join(json.dumps(base | one) for one in results) + "\n", "utf-8")
    return str(path)


# from a list


async def test_a_list_is_tested_and_the_best_is_told_step_by_step(tmp_path: Path) -> None:
    async with stage({"good-http", "right-password-socks5", "refused-http"}) as playing:
        path = given(playing, tmp_path, TELEGRAM)
        ended = await sanylau("guide", path, *toward(playing, tmp_path), "--yes")
        hosts = {str(placed.port) for placed in playing.parts}
    assert ended.status == Exit.WORKING
    lines = narrow(ended)
    assert lines[0].startswith("Recommended: Firefox")
    assert "In reserve: " in ended.out
    assert f"`sanylau connect {path} --profile fast --target https://localhost:" in ended.out
    assert "Never log in" in ended.out
    assert "working" in ended.err  # the check itself is shown there
    for secret in (PASSWORD, "192.0.2.88", *(f":{port}" for port in hosts)):
        assert secret not in ended.everything


async def test_the_object_names_the_way_the_reserve_and_the_steps(tmp_path: Path) -> None:
    async with stage({"good-http", "good-socks5"}) as playing:
        path = given(playing, tmp_path)
        ended = await sanylau("guide", path, *toward(playing, tmp_path), "--yes", "--json", "--app", "curl")
    one = told(ended)
    assert (one["type"], one["app"], one["os"]) == ("guide", "curl", one["recommended"]["os"])
    assert one["recommended"]["status"] == one["reserve"]["status"] == "working"
    assert {one["recommended"]["transport"], one["reserve"]["transport"]} == {"http", "socks5"}
    assert one["recommended"]["by"] == "local"
    assert 0 <= one["recommended"]["age_s"] < 20
    assert one["steps"][0]["n"] == 1
    assert ended.status == Exit.WORKING


async def test_nothing_is_sent_before_somebody_agreed(tmp_path: Path) -> None:
    knocks: list[object] = []
    counting = await asyncio.start_server(lambda _reader, writer: knocks.append(writer), "127.0.0.1", 0)
    port = counting.sockets[0].getsockname()[1]
    async with counting, stage({"good-http", "good-socks5"}) as playing:
        path = given(playing, tmp_path, f"http://127.0.0.1:{port}", f"socks5://127.0.0.1:{port}")
        options = toward(playing, tmp_path)
        refused = await sanylau("guide", path, *options)
        read = [
            await sanylau("guide", path, *options, "--untested"),
            await sanylau("guide", path, *options, "--untested", "--list"),
            await sanylau("guide", *options),
            await sanylau("guide", *options, "--app", "curl"),
            await sanylau("guide", *options, "--list"),
            await sanylau("guide", path, *options, "--app", "signal"),
        ]
        async with on_terminal("guide", path, *options, streams="0") as terminal:
            await terminal.until("Go on?")
            terminal.type("n\n")
            asked = await terminal.end()
        assert playing.origin.seen.connections == 0
    assert knocks == []
    assert refused.status == asked.status == Exit.USAGE
    assert "--yes" in refused.err
    assert refused.out == ""
    assert [ended.status for ended in read] == [Exit.NOT_MEASURED, Exit.NOT_MEASURED, 0, 0, 0, 0]


async def test_a_yes_on_the_terminal_lets_it_go_on(tmp_path: Path) -> None:
    async with stage({"good-http"}) as playing:
        path = given(playing, tmp_path)
        async with on_terminal("guide", path, *toward(playing, tmp_path), streams="0") as terminal:
            await terminal.until("Go on?")
            terminal.type("y\n")
            ended = await terminal.end()
    assert ended.status == Exit.WORKING
    assert "Recommended: " in ended.out


async def test_where_nothing_works_and_the_own_page_answers_only_the_list_is_blamed(tmp_path: Path) -> None:
    async with stage({"refused-http"}) as playing:
        path = given(playing, tmp_path)
        ended = await sanylau("guide", path, *toward(playing, tmp_path), "--yes")
    assert ended.status == Exit.NOTHING
    assert "they are dead or blocked" in " ".join(ended.out.split())
    assert "When nothing gets through" not in ended.out


async def test_where_nothing_gets_through_other_means_are_named(tmp_path: Path) -> None:
    async with stage({"refused-http"}) as playing:
        path = given(playing, tmp_path)
        options = toward(playing, tmp_path)
        options[1] = "https://localhost:9/"
        options[3] = "https://localhost:9/"
        ended = await sanylau("guide", path, *options, "--yes", "--json")
        shown = await sanylau("guide", path, *options, "--yes")
    one = told(ended)
    assert ended.status == shown.status == Exit.NOTHING
    assert one["recommended"] is None
    assert any("SMS" in text for text in one["without"])
    assert "When nothing gets through" in shown.out
    assert "What to prepare for the next opening" in shown.out
    narrow(shown)


async def test_ctrl_c_ends_with_what_is_known(tmp_path: Path) -> None:
    async with stage({"good-http", "silent-http"}) as playing:
        path = given(playing, tmp_path)
        options = toward(playing, tmp_path, total=30.0)
        async with started("guide", path, *options, "--yes") as process:
            assert process.stderr is not None
            while b"working" not in await asyncio.wait_for(process.stderr.readline(), 15):
                pass
            process.send_signal(signal.SIGINT)
            out, _err = await asyncio.wait_for(process.communicate(), 15)
    assert process.returncode == Exit.INTERRUPTED
    assert b"Recommended: " in out


# from results


async def test_the_results_of_a_check_are_enough(tmp_path: Path) -> None:
    async with stage({"good-http", "right-password-socks5"}) as playing:
        path = await results_of(playing, tmp_path)
        before = playing.origin.seen.connections
        ended = await sanylau("guide", "--results", path)
        shown = await sanylau("guide", "--results", path, "--app", "curl", "--os", "windows", "--reveal")
        hidden = await sanylau("guide", "--results", path, "--app", "curl", "--os", "windows")
        listed = await sanylau("guide", "--results", path, "--list")
        assert playing.origin.seen.connections == before
        ports = [str(placed.port) for placed in playing.parts]
    assert ended.status == listed.status == shown.status == Exit.WORKING
    assert ended.err == ""
    assert narrow(ended)[0].startswith("Recommended: Firefox")
    assert any(port in shown.out for port in ports)
    assert not any(port in hidden.out for port in ports)
    assert "--reveal" in hidden.out
    assert "What " in narrow(listed)[0]


async def test_results_come_from_standard_input_too(tmp_path: Path) -> None:
    made(tmp_path, {"transport": "obfs4", "candidate": OBFS4})
    data = (tmp_path / "made.jsonl").read_bytes()
    ended = await sanylau("guide", "--results", "-", "--json", stdin=data)
    one = told(ended)
    assert one["recommended"]["app"].startswith("tor-browser")
    assert one["recommended"]["age_s"] is None
    assert any("not known when" in text for text in one["why"])


async def test_a_bridge_goes_into_tor_browser_and_is_shown_only_when_asked(tmp_path: Path) -> None:
    path = made(tmp_path, {"transport": "obfs4", "candidate": OBFS4})
    hidden = await sanylau("guide", "--results", path, "--os", "windows")
    shown = await sanylau("guide", "--results", path, "--os", "windows", "--reveal")
    assert "Recommended: Tor Browser on Windows" in hidden.out
    assert "192.0.2.77" not in hidden.everything
    assert OBFS4 in shown.out.splitlines()


async def test_what_works_in_part_only_ends_with_1(tmp_path: Path) -> None:
    path = made(tmp_path, {"transport": "obfs4", "candidate": OBFS4, "status": "degraded"})
    ended = await sanylau("guide", "--results", path)
    assert ended.status == Exit.NOTHING
    assert "Better than nothing" in ended.out


async def test_a_diagnosis_is_taken_along(tmp_path: Path) -> None:
    from client.diagnosis import code
    from client.diagnosis.code import Told
    from client.diagnosis.kinds import Certainty, Kind

    found = code.encode(
        Told(
            kinds=(Kind.TLS_INTERCEPTION,),
            certainty=Certainty.CERTAIN,
            tcp=(443,),
            udp=(),
            passes=frozenset(),
        )
    )
    path = made(tmp_path, {"transport": "obfs4", "candidate": OBFS4})
    ended = await sanylau("guide", "--results", path, "--diagnosis", found)
    assert "Do not install a certificate" in " ".join(ended.out.split())
    assert "The diagnosis is certain" in ended.out
    alone = await sanylau("guide", "--diagnosis", found)
    assert "What tends to survive this" in alone.out


async def test_hostile_results_are_turned_down_in_one_line_or_shown_clean(tmp_path: Path) -> None:
    bad = "\x1b[2J\u202e\x07"
    path = made(
        tmp_path,
        {
            "transport": "socks5",
            "candidate": f"socks5://a%1b%5b2J:b@192.0.2.1:1080#{bad}",
            "source": bad,
            "id": bad,
            "line": -5,
            "kib_per_s": 1e300,
        },
        {"transport": "vless", "candidate": "socks5://192.0.2.3:1", "class": "A"},
        {
            "transport": "socks5",
            "candidate": "socks5://192.0.2.4:1",
            "id": bad,
            "source": bad,
            "kib_per_s": "x",
        },
    )
    for more in ([], ["--reveal"], ["--json"], ["--list"]):
        ended = clean(await sanylau("guide", "--results", path, *more))
        assert not {"\x1b", "\u202e", "\x07"} & set(ended.everything)
        assert ended.status == Exit.WORKING
    assert "left out" in ended.err
    for text in ("", "[" * 9999, '{"v":1,"type":"result"}', "socks5://192.0.2.1:1080"):
        (tmp_path / "bad.jsonl").write_text(text, "utf-8")
        ended = clean(await sanylau("guide", "--results", str(tmp_path / "bad.jsonl")))
        assert (ended.status, ended.out, ended.err.count("\n")) == (Exit.USAGE, "", 1)
        assert "192.0.2.1" not in ended.err


async def test_masked_results_say_that_reveal_is_needed(tmp_path: Path) -> None:
    path = made(tmp_path, {"transport": "obfs4"})
    ended = await sanylau("guide", "--results", path)
    assert ended.status == Exit.USAGE
    assert "--reveal" in ended.err


async def test_an_app_that_takes_none_of_them_says_what_they_go_into(tmp_path: Path) -> None:
    path = made(tmp_path, {"transport": "obfs4", "candidate": OBFS4})
    ended = await sanylau("guide", "--results", path, "--app", "v2rayng")
    assert ended.status == Exit.NOTHING
    assert "cannot use any of these entries" in ended.out
    assert "orbot" in ended.out


async def test_an_untested_list_promises_nothing(tmp_path: Path) -> None:
    path = write_list(tmp_path / "list.txt", [OBFS4, TELEGRAM, "nonsense"])
    ended = await sanylau("guide", path, "--untested")
    assert ended.status == Exit.NOT_MEASURED
    assert ended.out.startswith("Not tested: ")
    assert "worked" not in ended.out
    assert "line 3" in ended.err
    only = told(await sanylau("guide", path, "--untested", "--only", "telegram", "--json"))
    assert only["recommended"]["transport"] == "telegram"


# without a list


async def test_without_a_list_it_says_how_to_go_on(tmp_path: Path) -> None:
    ended = await sanylau("guide")
    assert ended.status == Exit.WORKING
    assert "nothing was sent" in narrow(ended)[0]
    assert "sanylau guide LIST" in " ".join(ended.out.split())
    one = told(await sanylau("guide", "--json"))
    assert one["recommended"] is None
    assert len(one["next"]) >= 4


async def test_an_app_is_shown_with_what_the_helper_gave() -> None:
    ended = await sanylau("guide", "--app", "orbot")
    assert ended.status == Exit.WORKING
    assert "your helper gave you" in " ".join(ended.out.split())
    one = told(await sanylau("guide", "--app", "firefox", "--json"))
    assert {kind for way in one["ways"] for kind in way["for"]} >= {"local", "socks5"}


async def test_the_programs_of_a_system_are_listed() -> None:
    ended = await sanylau("guide", "--list", "--os", "android")
    assert "orbot" in ended.out
    (one,) = (await sanylau("guide", "--list", "--os", "ios", "--json")).objects()
    assert one["type"] == "apps"
    assert "onion-browser" in {app["app"] for app in one["apps"]}


async def test_a_check_goes_on_for_what_protects_after_two_that_do_not(tmp_path: Path) -> None:
    async with stage({"good-http", "good-socks5", "good-socks4a", "good-https"}) as playing:
        ordered = sorted(playing.parts, key=lambda placed: placed.part.transport == "https")
        path = write_list(tmp_path / "list.txt", [line_for(placed) for placed in ordered])
        options = [*toward(playing, tmp_path), "--concurrency", "1", "--json", "--yes"]
        one = told(await sanylau("guide", path, *options))
    assert (one["recommended"]["transport"], one["recommended"]["class"]) == ("https", "C")


async def test_where_nothing_better_can_come_two_are_enough(tmp_path: Path) -> None:
    async with stage({"good-http", "good-socks5", "silent-http"}) as playing:
        path = given(playing, tmp_path)
        options = toward(playing, tmp_path, total=60.0)  # longer than the test waits
        ended = await sanylau("guide", path, *options, "--json", "--yes")
    assert "Stopped after" in ended.err
    assert told(ended)["recommended"]["class"] == "D"

"""`sanylau holes` as a person runs it, against beacons on loopback."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from client.beacon import invite
from client.diagnosis import code
from tests.client.cli.commands import on_terminal, sanylau, started
from tests.client.holes.beacons import beacon, invited

needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of this kind")
ANCHORS = """
date = 2022-01-05
source = "a test"
[[server]]
place = "abroad"
name = "localhost"
addresses = ["127.0.0.1"]
"""
PORTS = (3784, 3785, 4784, 5060)


@pytest.fixture
def anchors(tmp_path: Path) -> list[str]:
    file = tmp_path / "anchors.toml"
    file.write_text(ANCHORS)
    return ["--anchors", str(file), "--ports-only"]


def common(anchors: list[str]) -> list[str]:
    return ["holes", "--beacon", "-", "--profile", "fast", "--timeout", "0.5", *anchors]


async def test_holes_are_told_with_what_they_are_good_for_and_a_code(anchors: list[str]) -> None:
    host = "127.0.7.1"
    async with beacon(*PORTS, host=host) as made:
        made_code = invite.write(invited(*PORTS, host=host))
        ended = await sanylau(*common(anchors), "--yes", stdin=made_code.encode())
        assert made.counts.answers >= 7
    assert ended.status == 0
    assert "TCP 3785" in ended.out
    words = " ".join(ended.out.split())
    assert "ask your helper for an obfs4 bridge or a SOCKS proxy on 3785, 3784, 4784, 5060" in words
    told = code.decode(ended.out.strip().splitlines()[-1].rpartition(" ")[2])
    assert (told.tcp, told.udp) == (PORTS, (3784, 3785))  # 4784 has no place for UDP in a code
    assert host not in ended.everything
    assert made_code[:9] not in ended.everything


async def test_json_has_one_object_for_each_finding(anchors: list[str]) -> None:
    host = "127.0.7.2"
    async with beacon(*PORTS, host=host):
        made_code = invite.write(invited(*PORTS, host=host))
        ended = await sanylau(*common(anchors), "--yes", "--json", stdin=made_code.encode())
    assert ended.status == 0
    (start,), (summary,) = ended.of_type("started"), ended.of_type("summary")
    assert (start["beacons"], start["profile"]) == (1, "fast")
    holes = ended.of_type("hole")
    assert {one["port"] for one in holes if one["protocol"] == "tcp"} == set(PORTS)
    assert all(one["state"] == "open" and one["evidence"] == "keyed" and one["use"] for one in holes)
    assert summary["tcp"] == [3785, 3784, 4784, 5060]  # the order of the data file
    assert {one["state"] for one in ended.of_type("port")} == {"refused"}
    assert code.decode(summary["code"]).tcp == PORTS


async def test_enough_holes_end_the_search_and_the_place_to_go_on_is_told(anchors: list[str]) -> None:
    host = "127.0.7.3"
    async with beacon(*PORTS, host=host):
        feed = invite.write(invited(*PORTS, host=host)).encode()
        ended = await sanylau(
            *common(anchors),
            "--yes",
            "--json",
            "--first",
            "1",
            "--protocol",
            "tcp",
            "--profile",
            "normal",
            stdin=feed,
        )
        (summary,) = ended.of_type("summary")
        assert (ended.status, summary["stopped"], summary["tcp"]) == (0, "first", [3785])
        more = await sanylau(
            *common(anchors), "--yes", "--json", "--from", "tcp/4784", "--protocol", "tcp", stdin=feed
        )
    assert more.of_type("summary")[0]["tcp"] == [4784, 5060]


async def test_the_wrong_key_finds_nothing_and_says_why(anchors: list[str]) -> None:
    host = "127.0.7.4"
    async with beacon(*PORTS, host=host):
        feed = invite.write(invited(*PORTS, host=host, key=bytes(16))).encode()
        ended = await sanylau(*common(anchors), "--yes", stdin=feed)
    assert ended.status == 1
    assert "key never came back" in ended.out.replace("\n  ", " ")


async def test_a_beacon_that_is_not_there_is_no_hole(anchors: list[str]) -> None:
    feed = invite.write(invited(*PORTS, host="127.0.7.5")).encode()
    ended = await sanylau(*common(anchors), "--yes", "--all", stdin=feed)
    assert ended.status == 1
    assert "no more than the likely ports are asked" in ended.out
    assert "0 ports cross" in ended.out


async def test_an_allow_list_is_told_by_number(anchors: list[str], tmp_path: Path) -> None:
    host = "127.0.7.6"
    listed = tmp_path / "listed"
    async with beacon(*PORTS, host=host):
        listed.write_text(f"{host}:3785\n{host}:1\n")
        feed = invite.write(invited(*PORTS, host=host)).encode()
        ended = await sanylau(*common(anchors), "--yes", "--json", "--listed", str(listed), stdin=feed)
    assert {(one["number"], one["came"]) for one in ended.of_type("listed")} == {(1, "right"), (2, "refused")}
    assert ended.of_type("summary")[0]["listed"] == 1


async def test_two_beacons_are_asked_one_after_the_other(anchors: list[str]) -> None:
    one, other = "127.0.7.7", "127.0.7.8"
    async with beacon(3785, host=one), beacon(4784, host=other, key=bytes(16)):
        feed = (
            invite.write(invited(3785, host=one))
            + "\n"
            + invite.write(invited(4784, host=other, key=bytes(16)))
        )
        ended = await sanylau(*common(anchors), "--yes", "--json", stdin=feed.encode())
    assert ended.of_type("summary")[0]["tcp"] == [3785, 4784]


@needs_terminal
async def test_consent_is_asked_on_the_terminal_and_a_no_sends_nothing(anchors: list[str]) -> None:
    host = "127.0.7.9"
    async with beacon(*PORTS, host=host) as made:
        feed = invite.write(invited(*PORTS, host=host)).encode()
        async with on_terminal(*common(anchors), "--all", streams="12", stdin=feed) as terminal:
            await terminal.until("Go on?")
            assert "A sweep is visible to your operator" in " ".join(terminal.shown.decode().split())
            terminal.type("n\n")
            ended = await terminal.end()
        assert (ended.status, made.counts.answers) == (2, 0)


async def test_without_a_terminal_and_without_yes_nothing_is_sent(anchors: list[str]) -> None:
    host = "127.0.7.10"
    async with beacon(*PORTS, host=host) as made:
        feed = invite.write(invited(*PORTS, host=host)).encode()
        ended = await sanylau(*common(anchors), stdin=feed)
        assert (ended.status, ended.out, made.counts.answers) == (2, "", 0)
    assert "--yes" in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_ctrl_c_prints_what_is_known(anchors: list[str]) -> None:
    host = "127.0.7.11"
    async with beacon(*PORTS, host=host):
        feed = invite.write(invited(*PORTS, host=host)).encode()
        arguments = [*common(anchors), "--yes", "--profile", "quiet"]
        async with started(*arguments) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(feed)
            process.stdin.close()
            while b"TCP 3785" not in await asyncio.wait_for(process.stdout.readline(), 10):
                pass
            process.send_signal(signal.SIGINT)
            out = await asyncio.wait_for(process.stdout.read(), 10)
            assert await asyncio.wait_for(process.wait(), 10) == 130
    assert b"--from tcp/" in out
    assert b"Result code" in out


@pytest.mark.parametrize(
    ("arguments", "feed"),
    [
        (["--all", "--yes"], ""),
        (["--beacon", "-", "--yes"], "not a code"),
        (["--beacon", "no-such-file", "--yes"], ""),
        (["--from", "x", "--yes"], ""),
        (["--country", "XX", "--yes"], ""),
        (["--anchors", "no-such-file", "--yes"], ""),
        (["--first", "0"], ""),
    ],
)
async def test_wrong_usage_is_one_line_and_2(arguments: list[str], feed: str) -> None:
    ended = await sanylau("holes", *arguments, stdin=feed.encode())
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1

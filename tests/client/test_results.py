import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import results
from client.diagnosis import code
from client.diagnosis.code import Told
from client.diagnosis.kinds import Certainty, Kind
from client.events import Finished, Judged
from client.model import Candidate, Content, LineState, Message, Proof, Protection, Status, Verdict
from client.render.jsonl import as_json
from tests.client.runs import endpoint
from transports.tor_bridge import parse as bridge
from transports.types import Endpoint, Rejected
from transports.vless import parse as vless

BRIDGE = bridge(
    "obfs4 192.0.2.77:443 0123456789ABCDEF0123456789ABCDEF01234567 cert=" + "A" * 70 + " iat-mode=0"
)
VLESS = vless("vless://11111111-2222-4333-8444-555555555555@192.0.2.5:443?security=tls&sni=a.example#name")
UNENCRYPTED = vless("vless://11111111-2222-4333-8444-555555555555@192.0.2.5:443?security=none#name")


def line(**changes: object) -> bytes:
    one: dict[str, object] = {
        "v": 1,
        "type": "result",
        "source": "list.txt",
        "line": 3,
        "id": "0123abcd",
        "transport": "socks5",
        "class": "D",
        "status": "working",
        "first_byte_ms": 250,
        "kib_per_s": 99.5,
        "proof": {"udp": "intact"},
        "candidate": "socks5://192.0.2.7:1080",
    }
    return json.dumps({name: value for name, value in (one | changes).items() if value is not ...}).encode()


def why(data: bytes) -> str:
    with pytest.raises(Rejected) as raised:
        results.read(data)
    return raised.value.reason.format_map(raised.value.values)


def verdict(
    where: Endpoint, transport: str, protection: Protection, status: Status = Status.WORKING
) -> Verdict:
    proof = Proof(
        content=True, down=65536, bulk_done=True, bulk_seconds=2.0, first_byte=0.5, udp=Content.INTACT
    )
    return Verdict(
        candidate=Candidate(where, "list.txt", 7, 2),
        transport=transport,
        protection=protection,
        status=status,
        reason=Message(""),
        proof=proof,
    )


@pytest.mark.parametrize(
    ("where", "transport", "protection"),
    [
        (endpoint("192.0.2.1", 8080), "http", Protection.OPEN),
        (Endpoint(transport="auto", host="192.0.2.1", port=8080), "socks5", Protection.OPEN),
        (
            Endpoint(transport="socks5", host="2001:db8::1", port=1, username="a b", password="p@:/ %"),
            "socks5",
            Protection.OPEN,
        ),
        (BRIDGE, "tor_bridge", Protection.TOR),
        (Endpoint(transport="tor", host="", port=1, text="tor"), "tor", Protection.TOR),
        (VLESS, "vless", Protection.UNKNOWN),
        (UNENCRYPTED, "vless", Protection.OPEN),
    ],
)
def test_what_a_check_writes_is_read_back_as_the_same_option(
    where: Endpoint, transport: str, protection: Protection
) -> None:
    told = as_json(Judged("0123abcd", verdict(where, transport, protection)), reveal=True)
    read = results.read(json.dumps(told).encode(), seen=1000.0)
    (option,) = read.options
    assert option.candidate.endpoint.key() == where.key()
    assert (option.candidate.source, option.candidate.line, option.candidate.item) == ("list.txt", 7, 2)
    assert (option.transport, option.protection, option.status) == (transport, protection, Status.WORKING)
    assert (option.id, option.kib_per_s, option.first_byte) == ("0123abcd", 32.0, 0.5)
    assert (option.seen, option.udp) == (1000.0, True)


def test_what_failed_is_no_option_but_counts() -> None:
    data = b"\n".join(
        line(status=status.value, candidate=f"socks5://192.0.2.{number}:1")
        for number, status in enumerate(Status)
    )
    read = results.read(data)
    assert {option.status for option in read.options} == {Status.WORKING, Status.DEGRADED, Status.UNTESTED}
    assert (read.given, read.unreadable) == (len(Status), 0)


def test_the_last_result_of_an_entry_counts() -> None:
    read = results.read(line() + b"\n" + line(status="failed") + b"\n")
    assert read.options == ()
    assert results.read(line(status="failed") + b"\n" + line()).options[0].status is Status.WORKING


def test_what_was_not_tested_has_no_time() -> None:
    (option,) = results.read(line(status="untested"), seen=5.0).options
    assert option.seen is None


def test_masked_results_are_turned_down_with_the_way_to_reveal_them() -> None:
    assert "--reveal" in why(line(candidate=...))


@pytest.mark.parametrize(
    "data",
    [b"socks5://192.0.2.1:1080", b"[1]", b'"result"', b'{"v": 1}', b'{"v": 1, "type": 7}', b"\x00\xff", b"{" * 5000],
)  # fmt: skip
def test_what_is_no_result_is_named_with_its_line(data: bytes) -> None:
    said = why(line() + b"\n" + data + b"\n")
    assert "line 2" in said
    assert "check LIST --json --reveal" in said


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_none_are_turned_down(word: bytes) -> None:
    assert "line 1" in why(line().replace(b"99.5", word) + b"\n")


def test_a_line_that_was_being_written_when_the_check_ended_is_passed_over() -> None:
    assert len(results.read(line() + b'\n{"v": 1, "type": "res').options) == 1
    assert "line 2" in why(line() + b'\n{"v": 1, "type": "res\n')


def test_another_version_is_turned_down() -> None:
    assert "version" in why(line(v=2))


@pytest.mark.parametrize("data", [b"", b"\n \n", b'{"v": 1, "type": "summary"}'])
def test_a_file_without_results_is_turned_down(data: bytes) -> None:
    assert "no result" in why(data)


def test_a_line_without_end_is_turned_down() -> None:
    assert "64 KiB" in why(line(reason="x" * results.LONGEST))


@pytest.mark.parametrize(
    "candidate",
    ["", " ", 7, None, ["a"], "nonsense", "socks5://192.0.2.1:1\nsocks5://192.0.2.2:2", "x" * 8191 + "…",
     "socks5://us\ufffder@192.0.2.1:1080", "vless://cut-off…"],
)  # fmt: skip
def test_a_candidate_that_cannot_be_read_back_is_counted_and_left_out(candidate: object) -> None:
    read = results.read(line() + b"\n" + line(candidate=candidate))
    assert (len(read.options), read.given, read.unreadable) == (1, 2, 1)
    assert "give the list itself" in why(line(candidate=candidate))


def test_an_entry_cannot_pass_for_another_kind_or_a_better_class() -> None:
    assert "give the list itself" in why(line(transport="vless"))
    assert "give the list itself" in why(line(transport="obfs4"))
    for claimed in ("A", "B", "C", "Z", None, 7):
        (option,) = results.read(line(**{"class": claimed})).options
        assert option.protection is Protection.OPEN


def test_whoever_wrote_the_results_cannot_say_that_a_server_is_trusted() -> None:
    told = as_json(Judged("0123abcd", verdict(VLESS, "vless", Protection.TRUSTED)), reveal=True)
    assert told is not None
    assert told["class"] == "B"
    (option,) = results.read(json.dumps(told).encode()).options
    assert option.protection is Protection.UNKNOWN


@pytest.mark.parametrize("value", [True, -1, "9", 1e300, 10**400, [], None])
def test_figures_that_cannot_be_are_no_figures(value: object) -> None:
    (option,) = results.read(line(kib_per_s=value, first_byte_ms=value, id=value, source=value)).options
    assert option.kib_per_s is None
    assert option.first_byte is None
    assert option.id == ""


def test_the_line_and_the_diagnosis_are_taken_along() -> None:
    told = Told(
        kinds=(Kind.TLS_INTERCEPTION,), certainty=Certainty.LIKELY, tcp=(443,), udp=(), passes=frozenset()
    )
    ended = Finished(
        given=1, candidates=1, duplicates=0, rejected=0, counts={"working": 1}, stopped="", elapsed=1.0,
        first_working=0.5, line_state=LineState.TAMPERED,
    )  # fmt: skip
    data = [
        json.dumps({"v": 1, "type": "diagnosis", "code": code.encode(told)}).encode(),
        line(),
        json.dumps(as_json(ended, reveal=True)).encode(),
    ]
    read = results.read(b"\n".join(data))
    assert read.told == told
    assert read.line is LineState.TAMPERED
    odd = [
        b'{"v": 1, "type": "diagnosis", "code": "12"}',
        line(),
        b'{"v":1,"type":"summary","line_state":[]}',
    ]
    read = results.read(b"\n".join(odd))
    assert (read.told, read.line) == (None, LineState.UNKNOWN)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(
            (
                *("source", "line", "item", "id", "transport", "class", "status", "kib_per_s"),
                *("first_byte_ms", "proof", "candidate", "v", "type"),
            )
        ),
        _json,
    )
)
def test_hostile_results_are_turned_down_or_read_but_never_trip(changes: dict[str, object]) -> None:
    try:
        read = results.read(line(**changes), seen=1.0)
    except Rejected:
        return
    assert all(option.protection is Protection.OPEN for option in read.options)


@given(st.binary(max_size=300))
def test_any_bytes_are_turned_down(data: bytes) -> None:
    with pytest.raises(Rejected):
        results.read(data)


# files


def test_a_file_is_as_old_as_its_last_change(tmp_path: Path) -> None:
    import os

    path = tmp_path / "r.jsonl"
    path.write_bytes(line())
    os.utime(path, (1000.0, 1000.0))
    assert results.load(str(path)).options[0].seen == 1000.0
    os.utime(path, (time.time() + 9999,) * 2)  # a clock that went wrong says nothing
    assert results.load(str(path)).options[0].seen is None


@pytest.mark.parametrize(("name", "words"), [("missing", "no such file"), ("", "folder")])
def test_a_file_that_cannot_be_read_is_turned_down(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(Rejected) as raised:
        results.load(str(tmp_path / name))
    assert words in raised.value.reason


def test_a_file_that_is_too_large_is_turned_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "LARGEST", 10)
    path = tmp_path / "r.jsonl"
    path.write_bytes(line())
    with pytest.raises(Rejected, match="larger"):
        results.load(str(path))


def test_a_run_that_tells_its_time_dates_its_results() -> None:
    now = time.time()
    run = json.dumps({"v": 1, "type": "started", "at": now - 7200}).encode()
    assert results.read(run + b"\n" + line(), seen=now).options[0].seen == now - 7200
    assert results.read(run + b"\n" + line()).options[0].seen == now - 7200
    for told in (now + 7200, -5, "yesterday", True, 10**30, None):
        run = json.dumps({"v": 1, "type": "started", "at": told}).encode()
        assert results.read(run + b"\n" + line(), seen=now).options[0].seen == now

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import bridges, report
from tests.client.cli.passing import BRIDGE
from transports.types import Rejected

NOW = 1_790_000_000.0 + 1234
MACHINE = {"platform": "linux", "architecture": "amd64"}
PUBLIC = next(line.text for line in bridges.builtin().lines() if line.transport == "obfs4")
RESULT: dict[str, Any] = {
    "v": 1,
    "type": "result",
    "source": "/home/somebody/secret-list.txt",
    "line": 3,
    "id": "0badcafe",
    "transport": "obfs4",
    "class": "A",
    "status": "failed",
    "failure": "connection_reset",
    "step": "pt_handshake",
    "steps": [
        {"name": "connect", "ms": 212, "failure": None},
        {"name": "pt_handshake", "ms": 1931, "failure": "connection_reset"},
    ],
    "kib_per_s": 123.4,
    "tries": 2,
    "proof": None,
    "reason": "It said 203.0.113.9 to us",
    "candidate": BRIDGE,
}


def lines(*told: dict[str, Any]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in told).encode()


def made(*told: dict[str, Any], **more: str) -> dict[str, Any]:
    return report.make(lines(*told), now=NOW, version="0.1.0", machine=MACHINE, **more)


def target(measurement: dict[str, Any]) -> dict[str, Any]:
    (one,) = measurement["test_keys"]["targets"].values()
    assert isinstance(one, dict)
    return one


def test_nothing_that_names_a_private_bridge_or_a_person_is_in_it() -> None:
    text = json.dumps(made({"v": 1, "type": "started", "at": NOW - 100}, RESULT))
    for secret in ("1.2.3.4", "443", "sRL1", "somebody", "secret-list", "203.0.113.9", "0badcafe"):
        assert secret not in text
    assert target(json.loads(text))["target_address"] == "[scrubbed]"
    assert list(json.loads(text)["test_keys"]["targets"]) == ["private-1"]


def test_a_public_bridge_keeps_its_address_under_the_name_that_ooni_gives_it() -> None:
    measurement = made(RESULT | {"candidate": PUBLIC})
    one = target(measurement)
    place = PUBLIC.split()[1]
    assert one["target_address"] == place
    assert one["target_source"] == "built-in"
    assert one["tcp_connect"][0]["ip"] == place.rpartition(":")[0].strip("[]")
    assert report.scrubbed(measurement) == (1, 0)
    assert report.scrubbed(made(RESULT)) == (1, 1)


def test_what_was_seen_is_told_in_the_words_of_ooni() -> None:
    one = target(made(RESULT))
    assert one["failure"] == "connection_reset"
    assert one["summary"] == {"connect": {"failure": None}, "pt_handshake": {"failure": "connection_reset"}}
    assert one["tcp_connect"] == [
        {
            "ip": "[scrubbed]",
            "port": 0,
            "status": {"failure": None, "success": True},
            "t0": 0.0,
            "t": 0.2,
            "tags": [],
            "transaction_id": 1,
        }
    ]
    assert (one["x_status"], one["x_step"], one["x_class"]) == ("failed", "pt_handshake", "A")


def test_the_envelope_is_that_of_the_data_format() -> None:
    measurement = made(RESULT)
    wanted = {
        "annotations",
        "data_format_version",
        "extensions",
        "input",
        "measurement_start_time",
        "options",
        "probe_asn",
        "probe_cc",
        "probe_ip",
        "probe_network_name",
        "report_id",
        "resolver_asn",
        "resolver_ip",
        "resolver_network_name",
        "software_name",
        "software_version",
        "test_helpers",
        "test_keys",
        "test_name",
        "test_runtime",
        "test_start_time",
        "test_version",
    }
    assert set(measurement) == wanted
    assert (measurement["probe_asn"], measurement["probe_cc"], measurement["probe_ip"]) == (
        "AS0",
        "ZZ",
        "127.0.0.1",
    )
    assert measurement["data_format_version"] == "0.2.0"
    assert isinstance(measurement["test_runtime"], float)
    assert json.loads(json.dumps(measurement, allow_nan=False)) == measurement


def test_the_time_is_the_full_hour_and_never_in_the_future() -> None:
    for at in (NOW - 100, NOW + 10**6, -5, True, "x", None):
        measurement = made({"v": 1, "type": "started", "at": at}, RESULT)
        told = measurement["measurement_start_time"]
        assert told == time.strftime("%Y-%m-%d %H:00:00", time.gmtime(NOW - 100))


def test_country_and_kind_of_line_are_there_only_if_they_were_said() -> None:
    assert "network_type" not in made(RESULT)["annotations"]
    said = made(RESULT, country="kz", network="mobile")
    assert (said["probe_cc"], said["annotations"]["network_type"]) == ("KZ", "mobile")


def test_of_one_entry_in_several_runs_the_last_counts() -> None:
    measurement = made(RESULT, RESULT | {"status": "working", "failure": None})
    assert target(measurement)["x_status"] == "working"
    assert measurement["test_keys"]["x_counts"]["working"] == 1


def test_a_run_without_reveal_can_be_reported_too() -> None:
    masked = {name: value for name, value in RESULT.items() if name != "candidate"}
    assert target(made(masked))["target_address"] == "[scrubbed]"


def test_words_that_are_not_ours_do_not_get_through() -> None:
    odd = RESULT | {
        "transport": "1.2.3.4",
        "status": "1.2.3.4",
        "class": "1.2.3.4",
        "failure": "could not reach 1.2.3.4",
        "step": ["1.2.3.4"],
        "steps": [{"name": "1.2.3.4", "ms": "1.2.3.4", "failure": "1.2.3.4"}, "1.2.3.4"],
        "proof": {"upload": "1.2.3.4", "down_bytes": "1.2.3.4"},
        "tries": 10**9,
        "kib_per_s": float("1e300"),
    }
    measurement = made(odd)
    assert "1.2.3.4" not in json.dumps(measurement)
    assert target(measurement)["failure"] == "unknown_failure: [scrubbed]"
    assert target(measurement)["target_protocol"] == "other"


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", b"not json\n", b"[1]\n", b'{"type":"started"}\n', b'{"a":' * 100_000, b"x" * 70_000],
)
def test_what_is_no_result_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(Rejected):
        report.make(data, now=NOW, version="0", machine={})


def test_a_check_that_was_cut_off_in_its_last_line_is_reported() -> None:
    data = lines(RESULT) + b'{"v": 1, "type": "resu'
    assert report.scrubbed(report.make(data, now=NOW, version="0", machine={})) == (1, 1)


def test_results_are_read_from_a_file_and_never_more_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_bytes(lines(RESULT))
    assert report.load(str(tmp_path / "results.jsonl")) == lines(RESULT)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(report.LARGEST + 1)
    for name in ("huge", "none", "."):
        with pytest.raises(Rejected):
            report.load(str(tmp_path / name))


def test_a_report_has_a_limit() -> None:
    many = lines(*({"type": "result", "id": f"{n:08x}"} for n in range(report.MOST + 1)))
    with pytest.raises(Rejected):
        report.make(many, now=NOW, version="0", machine={})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(RESULT)), JSON, max_size=8))
def test_whatever_a_result_holds_the_report_is_made_or_refused(changed: dict[str, Any]) -> None:
    data = json.dumps(RESULT | changed | {"type": "result"}).encode()
    measurement = report.make(data, now=NOW, version="0", machine={})
    assert json.dumps(measurement, allow_nan=False)

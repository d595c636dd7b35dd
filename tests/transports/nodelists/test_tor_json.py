from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transports.links import FP, quick
from tests.transports.test_tor_bridge import MEEK, OBFS4, SNOWFLAKE, WEBTUNNEL
from transports.nodelists import convert
from transports.nodelists.common import MOST_ITEMS, Items
from transports.nodelists.tor_json import from_json
from transports.types import Endpoint, Rejected

SETTINGS = {
    "settings": [
        {"bridges": {"type": "snowflake", "source": "builtin", "bridge_strings": [SNOWFLAKE]}},
        {"bridges": {"type": "webtunnel", "source": "bridgedb", "bridge_strings": [WEBTUNNEL, OBFS4]}},
    ],
    "country": "kz",
}
BUILTIN = {"meek": [MEEK], "obfs4": [OBFS4, OBFS4.replace(".77:", ".78:")], "snowflake": [SNOWFLAKE]}
CHECKED = {"data": [{"id": "3", "type": "moat-bridges", "bridges": [OBFS4, WEBTUNNEL], "qrcode": None}]}
BROWSER = {
    "quickstart": {"enabled": False},
    "bridges": {"enabled": True, "source": 2, "builtin_type": "", "bridge_strings": [OBFS4, "192.0.2.9:443"]},
    "proxy": {"enabled": True, "address": "192.0.2.1", "port": 1080},
}
BUNDLE = {
    "recommendedDefault": "obfs4",
    "pluggableTransports": {"lyrebird": "ClientTransportPlugin obfs4 exec ${pt_path}lyrebird"},
    "bridges": {"meek-azure": [MEEK], "obfs4": [OBFS4]},
}


def kinds(items: Items | None) -> list[tuple[int, str]]:
    """Return the number and the transport of each item, "" for a rejected one."""
    assert items is not None
    return [
        (number, str((item.options or {})["pt"]) if isinstance(item, Endpoint) else "")
        for number, item in items
    ]


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (SETTINGS, ["snowflake", "webtunnel", "obfs4"]),
        (BUILTIN, ["meek_lite", "obfs4", "obfs4", "snowflake"]),
        (CHECKED, ["obfs4", "webtunnel"]),
        (BROWSER, ["obfs4", "vanilla"]),
        (BUNDLE, ["meek_lite", "obfs4"]),
        ([OBFS4, MEEK], ["obfs4", "meek_lite"]),
        ({"bridges": {"bridge_strings": f"Bridge {OBFS4}\n{MEEK}\n"}}, ["obfs4", "meek_lite"]),
        ({"bridge_strings": [OBFS4, "obfs4 nonsense", MEEK]}, ["obfs4", "", "meek_lite"]),
        ({"v": 1, "type": "bridge", "line": WEBTUNNEL}, ["webtunnel"]),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_every_document_with_bridge_lines_is_read_in_its_order(
    document: Any, wanted: list[str], indent: int | None
) -> None:
    assert kinds(convert(json.dumps(document, indent=indent))) == list(enumerate(wanted, 1))


def test_the_escapes_of_other_writers_are_undone() -> None:
    line = WEBTUNNEL.replace("Path123", "Path?a=1&b=2")
    text = json.dumps({"bridge_strings": [line]}).replace("&", "\\u0026").replace("/", "\\/")
    (item,) = convert(text) or []
    assert isinstance(item[1], Endpoint)
    assert item[1].reveal() == line


@pytest.mark.parametrize(
    "document",
    [
        {"cn": {"settings": [{"bridges": {"type": "snowflake", "source": "builtin"}}]}},
        {"bridges": {"enabled": False, "bridge_strings": []}},
        {"bridges": None},
    ],
)
def test_settings_that_name_no_line_are_one_rejected_entry(document: Any) -> None:
    ((number, item),) = convert(json.dumps(document)) or []
    assert number == 1
    assert isinstance(item, Rejected)
    assert item.reason == "these settings name no bridge line"


@pytest.mark.parametrize(
    "document", [{}, [], ["by", "cn"], {"errors": [{"code": 404, "detail": "No"}]}, [1, None]]
)
def test_other_json_is_left_to_others(document: Any) -> None:
    assert from_json(document) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"bridge_strings":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"bridges":' * 500 + "1" + "}" * 500,
        '{"bridge_strings":[' + "9" * 50_000 + "]}",
        '{"bridge_strings":[1e999999, NaN, -Infinity, true, null, {"bridges": 3}]}',
        '{"bridge_strings":["' + "a" * 1_000_000 + '"]}',
        '{"bridge_strings":["\\ud800", "\\u0000", "\\n\\n"]}',
        '{"bridge_strings":["a"],"bridge_strings":[],"bridge_strings":{"bridge_strings":[]}}',
    ],
)
def test_a_hostile_document_costs_a_moment_and_breaks_nothing(text: str) -> None:
    began = time.process_time()
    for _, item in convert(text) or []:
        assert isinstance(item, Rejected)
    assert time.process_time() - began < 1


def test_more_lines_than_the_limit_are_cut_off_and_that_is_said() -> None:
    items = from_json({"bridges": [f"192.0.2.1:443 {FP}"] * (MOST_ITEMS + 5)})
    assert items is not None
    assert len(items) == MOST_ITEMS + 1
    assert isinstance(items[-1][1], Rejected)
    assert items[-1][1].values == {"limit": MOST_ITEMS}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from([OBFS4, "obfs4 1", FP]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["bridges", "bridge_strings", "settings", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@quick
@given(JSON)
def test_any_json_gives_bridges_or_rejected_entries(document: Any) -> None:
    items = from_json(document)
    assert items is None or [number for number, _ in items] == list(range(1, len(items) + 1))
    assert (items is not None) >= (OBFS4 in json.dumps(document))

"""Where a beacon's code may come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.beacon import codes, invite
from tests.client.holes.beacons import invited
from transports.types import Rejected


def test_a_file_of_codes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "code"
    file.write_text(invite.write(invited(host="192.0.2.9")))
    assert [one.key for one in codes.load(str(file))] == [invited(host="192.0.2.9").key]


def test_a_code_on_the_command_line_is_burnt_and_that_is_said() -> None:
    typed = invite.write(invited(host="192.0.2.9"))
    with pytest.raises(Rejected, match="new code") as refused:
        codes.load(typed)
    assert typed[:9] not in str(refused.value) + repr(refused.value.values)


def test_a_file_that_is_not_there_is_no_code() -> None:
    with pytest.raises(Rejected) as refused:
        codes.load("no-such-file")
    assert "new code" not in refused.value.reason

from datetime import UTC, datetime
from pathlib import Path

import pytest

from client.watch.calendar import Mark
from client.watch.replay import load
from transports.types import Rejected


def at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2022, 1, day, hour, minute, tzinfo=UTC).timestamp()


def test_the_table_of_kazakhstan_is_whole() -> None:
    table = load()
    assert len(table.windows) == 8
    hours = [round((window.end - window.start) / 3600, 1) for window in table.windows[:-1]]
    assert hours == [4.5, 3.5, 3.5, 7.5, 3.5, 4, 2]
    assert table.source
    assert table.at(at(8, 5)) is Mark.PARTLY
    assert table.at(at(9, 2, 29)) is Mark.SHUT
    assert table.at(at(9, 2, 30)) is Mark.OPEN
    assert table.at(at(11, 5)) is Mark.OPEN
    assert table.next_change(at(9, 3)) == at(9, 6)
    assert table.next_change(at(11, 3)) == table.end


@pytest.mark.parametrize(
    "text",
    [
        "",
        "date = 2026-07-29",
        "not toml [",
        'date = 2026-07-29\nsource = "s"\nplace = "p"\nfrom = 2022-01-05T10:30:00Z\nto = 2022-01-04T08:00:00Z\nwindow = []',
        'date = 2026-07-29\nsource = "s"\nplace = "p"\nfrom = 2022-01-05T10:30:00\nto = 2022-01-06T08:00:00\nwindow = []',
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "windows.toml"
    file.write_text(text)
    with pytest.raises(Rejected):
        load(file)

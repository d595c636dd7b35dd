import pytest

from client.events import LineRejected, Noticed
from client.model import Message, RejectedLine, Status
from client.render.live import LiveTable
from tests.client.render.faces import HOST, SECRET, Paper, a_run, engine, finished, judged, started


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    return Paper()


def test_a_whole_run_ends_with_the_same_words_as_plain_text(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    for event in a_run():
        face.show(event)
    face.close()
    text = paper.getvalue()
    assert "Best options" in text
    assert "list.txt, line 3" in text
    assert HOST not in text
    assert SECRET not in text


def test_a_notice_is_not_lost(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    face.show(started())
    face.show(Noticed(Message("{source}: only part was read", {"source": "a\x1b[2J"})))
    face.close()
    assert "only part was read" in paper.getvalue()
    assert "\x1b[2J" not in paper.getvalue()


def test_many_rejected_lines_do_not_push_the_table_away(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    for line in range(500):
        face.show(LineRejected(RejectedLine("list.txt", line, Message("why"))))
    face.close()
    text = paper.getvalue()
    assert len(text.splitlines()) < 20
    assert "--json" in text


def test_the_table_is_no_higher_than_the_terminal_and_shows_working_ones_first(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    face.show(started(500))
    for line in range(300):
        face.show(judged(Status.FAILED, line=line))
    face.show(judged(Status.WORKING, line=999))
    face.close()
    picture = paper.getvalue()
    last = picture.rpartition("list.txt:999")[2]
    assert "list.txt:999" in picture
    assert len(last.splitlines()) < 24


def test_closing_twice_or_before_the_first_picture_is_harmless(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    face.close()
    face.show(judged())
    face.close()
    face.close()
    face.show(finished(working=1))
    face.close()


def test_an_engine_is_shown_while_it_gets_ready_and_no_longer(paper: Paper) -> None:
    for last, shown in ((45, True), (75, False)):
        paper.truncate(0)
        face = LiveTable(reveal=False, out=paper)
        face.show(started())
        face.show(engine(10))
        paper.truncate(0)
        face.show(engine(last))
        face.close()
        assert (f"tor at {last} %" in paper.getvalue()) == shown


def test_at_the_end_every_row_stands_there_with_its_reason_in_full(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    face.show(started(30))
    for line in range(1, 31):
        face.show(judged(Status.FAILED, line=line))
    paper.truncate(0)
    face.show(finished(failed=30))
    left = paper.getvalue()
    assert all(f"list.txt:{line} " in left for line in range(1, 31))


def test_of_very_many_rows_the_rest_is_counted(paper: Paper) -> None:
    face = LiveTable(reveal=False, out=paper)
    face.show(started(100))
    for line in range(100):
        face.show(judged(Status.FAILED, line=line))
    face.show(finished(failed=100))
    assert "and 40 more" in paper.getvalue()

import pytest

from client.events import LineRejected, Noticed, PaceChanged, Progressed
from client.model import LineState, Message, Protection, RejectedLine, Status
from client.render.plain import Plain
from tests.client.render.faces import HOST, SECRET, USER, Paper, a_run, engine, finished, judged, started


def shown(*events: object, reveal: bool = False, encoding: str = "utf-8") -> str:
    paper = Paper(encoding)
    face = Plain(reveal=reveal, out=paper)
    for event in events:
        face.show(event)  # type: ignore[arg-type]
    face.close()
    return paper.getvalue()


def test_a_run_is_shown_line_by_line_and_flushed_each_time() -> None:
    paper = Paper()
    face = Plain(reveal=False, out=paper)
    for event in a_run():
        before = paper.flushed
        face.show(event)
        assert paper.flushed > before or isinstance(event, (Progressed, PaceChanged))
    text = paper.getvalue()
    for status in Status:
        assert status.value in text
    assert "list.txt, line 3: longer than 8192 characters" in text
    assert "only the first 3 of 5 lines" in text


@pytest.mark.parametrize("secret", [HOST, USER, SECRET, "10877"])
def test_nothing_of_an_endpoint_is_shown_unless_it_is_asked_for(secret: str) -> None:
    assert secret not in shown(*a_run())
    assert secret in shown(*a_run(), reveal=True)


def test_a_state_is_told_by_symbol_and_word_and_without_symbols_by_ascii() -> None:
    assert "✔ working" in shown(judged())
    plain = shown(*a_run(), encoding="ascii")
    assert plain.isascii()
    assert "+ working" in plain


@pytest.mark.parametrize("spoil", ["\x1b[2J", "\x9b2J", "\r", "\u202e", "\n\n"])
def test_what_comes_from_outside_passes_the_gate(spoil: str) -> None:
    text = shown(
        judged(source=f"li{spoil}st"),
        judged(reason=f"said {spoil}"),
        LineRejected(RejectedLine(f"li{spoil}st", 1, Message("{scheme}", {"scheme": spoil}))),
        Noticed(Message("{source}", {"source": f"a{spoil}b"})),
        reveal=True,
    )
    assert len(text.splitlines()) == 4
    assert spoil.strip("\n") not in text or spoil == "\n\n"


def test_the_best_are_named_at_the_end_class_first() -> None:
    text = shown(
        judged(name="dddddddd"), judged(name="cccccccc", protection=Protection.UNKNOWN), finished(working=2)
    )
    ending = text.partition("Best options")[2]
    assert ending.index("cccccccc") < ending.index("dddddddd")
    assert "First working after 1.2 s" in text


def test_the_end_tells_the_next_step() -> None:
    assert "→" in shown(finished(failed=3))
    assert "run it again" in shown(finished("interrupted", failed=3))
    assert "Connect this machine" in shown(finished(line=LineState.NO_NETWORK, failed=3))


def test_the_start_tells_numbers_and_cost() -> None:
    text = shown(started())
    assert "5 entries read: 3 to test, 1 duplicate, 1 rejected." in text
    assert "21 connections" in text


def test_an_engine_gets_a_line_at_a_new_stage_and_every_ten_seconds() -> None:
    text = shown(
        *(engine(40 + n, elapsed=n / 2) for n in range(50)), engine(75, "it has the list of relays", 25.0)
    )
    assert text.splitlines() == [
        "tor at 40 %: it loads the list of relays, 1200 KiB loaded, 20 KiB/s.",
        "tor at 60 %: it loads the list of relays, 1200 KiB loaded, 20 KiB/s.",
        "tor at 80 %: it loads the list of relays, 1200 KiB loaded.",
        "tor at 75 %: it has the list of relays, 1200 KiB loaded.",
    ]

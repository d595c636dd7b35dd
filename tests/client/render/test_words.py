import pytest

from client.model import Content, Proof, Protection, Status
from client.render import words
from tests.client.render.faces import PROOF, judged


def test_every_status_differs_in_symbol_and_word_and_has_a_place() -> None:
    looks = words.LOOKS
    assert set(looks) == set(Status) == set(words.ORDER)
    assert len({look.symbol for look in looks.values()}) == len(Status)
    assert len({words.word(status) for status in Status}) == len(Status)
    assert all(look.ascii.isascii() for look in looks.values())


def test_every_class_has_words() -> None:
    assert set(words.CLASSES) == set(Protection)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "128 KiB/s"), (0.01, "6.2 MiB/s"), (64.0, "1 KiB/s"), (0.0, "–")]
)
def test_a_speed_has_its_unit(seconds: float, text: str) -> None:
    proof = Proof(content=True, down=65536, bulk_done=True, bulk_seconds=seconds)
    assert words.speed(judged(proof=proof).verdict) == text


def test_a_duration_has_its_unit_or_is_a_dash() -> None:
    assert words.seconds(1.25) == "1.2 s"
    assert words.seconds(None) == "–"


def test_what_was_moved_is_told_both_ways() -> None:
    assert words.moved(PROOF) == "64 KiB down, 32 KiB up"
    assert words.moved(Proof(down=65536, up=4096, upload=Content.REFUSED)) == "64 KiB down"
    assert words.moved(Proof()) == ""

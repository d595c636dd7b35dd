"""The option that a person chose comes before all others that may be used, and before none that may not."""

from client.connect.choice import Confirm, Keep, Standing, Stop, Use, next_step
from client.connect.events import Hold
from client.model import Protection


def standing(
    name: str, kind: Protection, *, alive: bool = True, age: float = 1.0, rate: float = 1.0
) -> Standing:
    return Standing(id=name, protection=kind, age=age, kib_per_s=rate, alive=alive)


TOR, LINK, OPEN, FAST = (
    standing("tor", Protection.TOR),
    standing("link", Protection.UNKNOWN),
    standing("open", Protection.OPEN),
    standing("fast", Protection.OPEN, rate=99.0),
)


def test_the_chosen_one_is_used_though_another_is_faster_or_protects_more() -> None:
    step = next_step([TOR, FAST, OPEN], current=None, floor=Protection.OPEN, preferred="open")
    assert step == Use("open")
    assert next_step([TOR, FAST, OPEN], current="open", floor=Protection.OPEN, preferred="open") == Keep()


def test_without_a_choice_the_class_and_the_speed_decide_as_ever() -> None:
    assert next_step([TOR, FAST, OPEN], current=None, floor=None) == Use("tor")
    assert next_step([TOR, FAST, OPEN], current="open", floor=None) == Use("tor")


def test_the_chosen_one_is_gone_back_to_when_it_lives_again() -> None:
    dead = standing("link", Protection.UNKNOWN, alive=False)
    assert next_step([TOR, dead], current=None, floor=Protection.UNKNOWN, preferred="link") == Use("tor")
    assert next_step([TOR, LINK], current="tor", floor=Protection.UNKNOWN, preferred="link") == Use("link")


def test_one_whose_proof_is_old_is_asked_first() -> None:
    old = standing("link", Protection.UNKNOWN, age=1000.0)
    step = next_step([TOR, old], current=None, floor=Protection.UNKNOWN, preferred="link")
    assert step == Confirm(("link",))


def test_a_choice_never_goes_below_the_floor() -> None:
    step = next_step([OPEN], current=None, floor=Protection.UNKNOWN, preferred="open")
    assert step == Stop(Hold.ONLY_LOWER, Protection.OPEN)
    assert next_step([TOR, OPEN], current="tor", floor=Protection.TOR, preferred="open") == Keep()

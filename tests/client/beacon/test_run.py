"""What a helper may ask for."""

from pathlib import Path

import pytest

from client.beacon import invite, run
from client.beacon.run import Wishes
from transports.types import Rejected


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200), ("90m", 5400), ("45s", 45), ("1D", 86400)])
def test_times(text: str, seconds: int) -> None:
    assert run.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "0h", "8d", "-1h", "1.5h", "h", "99999999s"])
def test_wrong_times_are_refused(text: str) -> None:
    with pytest.raises(Rejected):
        run.seconds(text)


def test_a_new_beacon_has_a_new_key_and_fits_into_its_code() -> None:
    wishes = Wishes(ports="179,3785", hosts=("192.0.2.7", "[2001:db8::7]"))
    one, other = run.prepare(wishes), run.prepare(wishes)
    assert one.invite.key != other.invite.key
    assert one.invite.addresses == ("192.0.2.7", "2001:db8::7")
    assert invite.read(invite.write(one.invite)) == (one.invite,)
    assert one.fresh


def test_a_code_brings_key_and_ports_back(tmp_path: Path) -> None:
    made = run.prepare(Wishes(everything=True, hosts=("192.0.2.7",))).invite
    file = tmp_path / "code"
    file.write_text(invite.write(made))
    again = run.prepare(Wishes(code=str(file)))
    assert again.invite == made
    assert again.everything
    assert not again.fresh


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(hosts=("192.0.2.7",)),
        Wishes(ports="80", everything=True, hosts=("192.0.2.7",)),
        Wishes(ports="80", hosts=("beacon.example",)),
        Wishes(ports="1-60000", hosts=("192.0.2.7",)),
        Wishes(ports="80", hosts=("192.0.2.7",), duration="9d"),
        Wishes(ports="80", hosts=("192.0.2.7",), rules_set=True),
        Wishes(code="no-such-file"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wishes: Wishes) -> None:
    with pytest.raises(Rejected):
        run.prepare(wishes)

from pathlib import Path

import pytest

from client.diagnosis import inquire
from client.diagnosis.anchors import countries
from client.diagnosis.sights import Place
from transports.types import Rejected

TINY = 'date = 2026-07-29\nsource = "a test"\n[[server]]\nname = "one.test"\n'


@pytest.mark.parametrize("country", ["", *countries()])
def test_the_question_names_everybody_who_may_be_asked(country: str) -> None:
    inquiry = inquire.prepare(country=country, policing=True)
    text = "\n".join(inquire.consent_text(inquiry))
    found = inquiry.anchors
    names = [
        *(server.name for server in found.servers),
        *(page.host for page in found.pages),
        *(one.name or one.address for one in found.resolvers),
        *(name.name for name in found.names),
        *(one.host for one in found.all_ports),
    ]
    assert [name for name in names if name not in text] == []
    assert not any(entry.name in text for entry in found.forbidden)
    assert ("in this country" in text) is bool(found.at(Place.HOME))
    assert f"{inquiry.wishes.connections} connections" in text
    assert f"{inquiry.wishes.kib} KiB" in text
    assert "punish" in text
    assert "Tor" in text


def test_forbidden_names_stand_in_their_own_question_only() -> None:
    inquiry = inquire.prepare(forbidden=True)
    text = "\n".join(inquire.forbidden_text(inquiry))
    assert inquiry.anchors.forbidden
    assert all(entry.name in text for entry in inquiry.anchors.forbidden)


def test_a_small_file_asks_for_little(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(TINY)
    inquiry = inquire.prepare(file=str(tmp_path / "own.toml"))
    text = "\n".join(inquire.consent_text(inquiry))
    assert "1 server abroad: one.test" in text
    assert not any(word in text for word in ("Tor", "resolver:", "every port", "punish", "in this country"))
    assert inquiry.anchors.bridges == ()


def test_built_in_bridges_come_in_random_order_and_only_obfs4() -> None:
    drawn = [inquire.prepare().anchors.bridges for _ in range(8)]
    assert len(set(drawn)) > 1
    assert len({frozenset(one) for one in drawn}) == 1
    assert all(line.startswith("obfs4 ") for line in drawn[0])


def test_likely_ports_come_from_the_data_file_in_its_order() -> None:
    wishes = inquire.prepare().wishes
    assert wishes.ports[:2] == inquire.known_ports()[:2] == (179, 3785)
    assert 443 not in wishes.ports
    assert not set(wishes.ports) & set(wishes.ordinary)


def test_wishes_are_passed_on() -> None:
    inquiry = inquire.prepare(profile="normal", forbidden=True, policing=True)
    assert inquiry.profile.name == "normal"
    assert (inquiry.wishes.forbidden, inquiry.wishes.policing) == (True, True)
    assert not inquire.prepare().wishes.forbidden
    with pytest.raises(Rejected):
        inquire.prepare(country="ZZ")


def test_of_many_hosts_every_one_is_named(tmp_path: Path) -> None:
    many = "".join(f'[[server]]\nname = "host-{n}.test"\n' for n in range(150))
    (tmp_path / "own.toml").write_text('date = 2026-07-29\nsource = "a test"\n' + many)
    inquiry = inquire.prepare(file=str(tmp_path / "own.toml"))
    text = "\n".join(inquire.consent_text(inquiry))
    assert "150 servers abroad" in text
    assert all(f"host-{n}.test" in text for n in range(150))

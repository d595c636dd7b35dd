import datetime
import tomllib

from client.diagnosis.roots_known import DATA, KnownRoots, Root, load

QAZNET = "00309c736dd661da6f1eb24173aa849944c168a43a15bffd192eecfdb6f8dbd2"
RUSSIAN = "d26d2d0231b7c39f92cc738512ba54103519e4405d68b5bd703e9788ca8ecf31"


def test_the_data_file_has_a_date_and_whole_fingerprints() -> None:
    data = tomllib.loads(DATA.read_text("utf-8"))
    assert isinstance(data["date"], datetime.date)
    found = load()
    assert len(found.roots) == len(data["root"]) >= 11
    assert all(len(one) == 64 and one == one.lower() and int(one, 16) for one in found.roots)
    assert all(root.country and root.name for root in found.roots.values())
    assert found.products


def test_a_root_is_found_by_its_fingerprint_in_any_letters() -> None:
    found = load().by_fingerprint(["0" * 64, QAZNET.upper()])
    assert found is not None
    fingerprint, root = found
    assert (fingerprint.lower(), root.country, root.name) == (QAZNET, "KZ", "Qaznet Trust Network")


def test_a_state_root_that_was_never_seen_intercepting_is_none() -> None:
    assert RUSSIAN in load().roots
    assert load().by_fingerprint([RUSSIAN]) is None
    assert load().by_name(["Russian Trusted Root CA"]) is None


def test_a_name_is_found_exactly_or_not_at_all() -> None:
    assert load().by_name(["Qaznet Trust Network"])
    assert load().by_name(["qaznet trust network", "KZ", "Security Certificate"]) is None


def test_a_product_is_found_as_a_part_of_a_name() -> None:
    assert load().product(["Example Root", "AO KASPERSKY LAB"]) == "Kaspersky"
    assert load().product(["Example Root"]) == ""


def test_roots_of_an_anchors_file_come_besides() -> None:
    more = load().with_roots({"ab" * 32: Root(country="ZZ", name="Test")})
    assert more.by_fingerprint(["ab" * 32]) == ("ab" * 32, Root(country="ZZ", name="Test"))
    assert more.by_fingerprint([QAZNET])
    assert more.products == load().products
    assert KnownRoots(roots={}, products=()).by_fingerprint([QAZNET]) is None

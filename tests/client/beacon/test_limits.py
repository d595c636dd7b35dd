"""The bounded tables of a beacon."""

from client.beacon.limits import Rate, Remembered, Sources


def test_a_source_gets_its_rate_and_no_more() -> None:
    rate = Rate(10, 1000)
    assert [rate.passes(b"a", 0.0) for _ in range(12)].count(True) == 10
    assert not rate.passes(b"a", 0.05)
    assert [rate.passes(b"a", 1.0) for _ in range(12)].count(True) in (9, 10)


def test_one_source_does_not_use_up_the_share_of_another() -> None:
    rate = Rate(10, 1000)
    for _ in range(50):
        rate.passes(b"a", 0.0)
    assert rate.passes(b"b", 0.0)


def test_all_sources_together_have_a_limit() -> None:
    rate = Rate(10, 25)
    passed = sum(rate.passes(bytes([source]), 0.0) for source in range(20) for _ in range(10))
    assert passed == 25


def test_the_table_of_sources_is_bounded() -> None:
    rate = Rate(10, 1_000_000, most=100)
    for source in range(5000):
        rate.passes(source.to_bytes(4), 0.0)
    assert len(rate) == 100


def test_a_nonce_is_new_once_and_the_memory_is_bounded() -> None:
    remembered = Remembered(100)
    assert remembered.is_new(b"one")
    assert not remembered.is_new(b"one")
    for number in range(500):
        remembered.is_new(number.to_bytes(4))
    assert len(remembered) == 100


def test_a_source_is_a_name_without_its_address() -> None:
    sources = Sources()
    one = sources.name("192.0.2.7")
    assert one == sources.name("::ffff:192.0.2.7")
    assert one != sources.name("192.0.2.8")
    assert sources.name("2001:db8::1") == sources.name("2001:db8::2")
    assert sources.name("2001:db8::1") != sources.name("2001:db8:0:1::1")
    assert one != Sources().name("192.0.2.7")
    assert len(one) == 8
    assert sources.name("no address") == b""

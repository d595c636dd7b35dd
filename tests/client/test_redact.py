from client.redact import Namer
from transports.types import Endpoint

ONE = Endpoint(transport="socks5", host="192.0.2.7", port=1080, username="ann", password="s3cret")
SAME = Endpoint(transport="socks5", host="192.0.2.7", port=1080, username="ann", password="s3cret")
OTHER = Endpoint(transport="socks5", host="192.0.2.7", port=1080, username="ann", password="S3cret")


def test_a_name_is_stable_within_a_run_and_nowhere_else() -> None:
    namer = Namer()
    assert namer.id(ONE) == namer.id(SAME)
    assert namer.id(ONE) != namer.id(OTHER)
    assert namer.id(ONE) != Namer().id(ONE)


def test_a_kept_key_keeps_the_names() -> None:
    assert Namer(b"k" * 32).id(ONE) == Namer(b"k" * 32).id(ONE)


def test_a_name_is_short_hexadecimal() -> None:
    name = Namer().id(ONE)
    assert len(name) == 8
    int(name, 16)


def test_text_that_cannot_be_encoded_has_a_name_too() -> None:
    assert Namer().id(Endpoint(transport="http", host="a\ud800b", port=1))


def test_neither_repr_nor_str_of_an_endpoint_shows_it() -> None:
    for shown in (repr(ONE), str(ONE), f"{ONE}"):
        assert "192.0.2" not in shown
        assert "s3cret" not in shown

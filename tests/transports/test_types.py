import pytest

from transports.types import N_, CannotMeasure, Endpoint, Note, Protection, Rejected, Step

SECRET = Endpoint(transport="socks5", host="192.0.2.7", port=1080, username="drill", password="open sesame")


@pytest.mark.parametrize(
    ("endpoint", "line"),
    [
        (Endpoint(transport="http", host="a.test", port=8080), "http://a.test:8080"),
        (Endpoint(transport="https", host="2001:db8::1", port=443), "https://[2001:db8::1]:443"),
        (
            Endpoint(transport="socks5", host="a.test", port=1, username="a:b", password="p@s/s %"),
            "socks5://a%3Ab:p%40s%2Fs%20%25@a.test:1",
        ),
        (Endpoint(transport="auto", host="a.test", port=80), "a.test:80"),
        (Endpoint(transport="auto", host="a.test", port=80, username="u"), "u:@a.test:80"),
        (Endpoint(transport="vless", host="a.test", port=1, text="vless://as-given"), "vless://as-given"),
    ],
)
def test_a_revealed_endpoint_is_a_line_that_can_be_given_again(endpoint: Endpoint, line: str) -> None:
    assert endpoint.reveal() == line


def test_an_endpoint_in_a_log_shows_neither_address_nor_secret() -> None:
    for text in (repr(SECRET), str(SECRET), f"{SECRET}", repr([SECRET])):
        assert "Endpoint(socks5)" in text
        assert not any(word in text for word in ("192", "1080", "drill", "sesame"))


def test_the_spelling_of_a_name_makes_no_other_endpoint() -> None:
    one, two = (Endpoint(transport="http", host=host, port=80) for host in ("A.Test", "a.test"))
    assert one.key() == two.key()


@pytest.mark.parametrize(
    "change",
    [
        {"transport": "http"},
        {"host": "192.0.2.8"},
        {"port": 1081},
        {"username": "Drill"},
        {"password": "open Sesame"},
        {"options": {"a": 1}},
    ],
)
def test_everything_that_leads_elsewhere_makes_another_endpoint(change: dict[str, object]) -> None:
    from dataclasses import replace

    assert replace(SECRET, **change).key() != SECRET.key()  # type: ignore[arg-type]


def test_the_order_of_options_makes_no_other_endpoint() -> None:
    one, two = (
        Endpoint(transport="vless", host="a.test", port=1, options=options)
        for options in ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    )
    assert one.key() == two.key()


def test_the_link_as_it_was_written_makes_no_other_endpoint() -> None:
    one, two = (
        Endpoint(transport="vless", host="a.test", port=1, text=f"vless://a.test:1#{tag}") for tag in "xy"
    )
    assert one.key() == two.key()


@pytest.mark.parametrize("kind", [Rejected, CannotMeasure])
def test_a_reason_keeps_its_braces_and_its_values_apart(kind: type[Rejected] | type[CannotMeasure]) -> None:
    error = kind(N_("{scheme}:// is not known"), scheme="ftp")
    assert (error.reason, error.values) == ("{scheme}:// is not known", {"scheme": "ftp"})
    assert str(error) == "{scheme}:// is not known"


def test_the_words_on_the_outside_never_change() -> None:
    assert [step.value for step in Step] == [
        "resolve",
        "connect",
        "proxy_handshake",
        "pt_handshake",
        "tor_bootstrap",
        "tls_handshake",
        "http_round_trip",
        "bulk_transfer",
    ]
    assert [protection.value for protection in Protection] == ["A", "B", "C", "D"]
    assert all(note.value == note.name.lower() for note in Note)

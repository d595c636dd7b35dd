import asyncio
from pathlib import Path

import dns.rcode
import pytest
import trustme

from client.diagnosis.around import Around
from client.diagnosis.ask_dns import is_bogon, nameservers, random_names
from client.diagnosis.sights import Came, Forgery, Name, Place, Sight, Test
from client.drill.serving import Handler, nobody, serving
from client.model import Failure
from tests.client.diagnosis.loopback import (
    Reply,
    closes,
    datagrams,
    dns_answer,
    dns_https,
    dns_stream,
    make_around,
    one,
    question,
    resets,
    resolv_conf,
    resolves,
    response,
    says,
    server_context,
    silent,
)

CA = trustme.CA()
OTHER_CA = trustme.CA()
PUBLIC = "8.8.4.4"


async def asked(reply: Reply, around: Around | None = None, **more: object) -> Sight:
    around = around or make_around(CA)
    async with datagrams(reply) as port:
        return await one(question(Test.RESOLVE, port, **({"way": "udp", "limit": 1.0} | more)), around)


async def test_an_answer_by_datagram_is_right() -> None:
    around = make_around(CA)
    seen = await asked(resolves(PUBLIC), around)
    assert (seen.came, seen.after, seen.failure, seen.forgery) == (Came.RIGHT, "query", None, None)
    assert (seen.addresses, seen.detail) == ((PUBLIC,), "noerror")
    assert (around.opened, around.datagrams) == (0, 1)
    assert 50 < around.moved < 200


async def test_two_different_answers_to_one_query_are_a_forgery() -> None:
    seen = await asked(lambda query: [dns_answer(query, "1.2.3.4"), dns_answer(query, PUBLIC)])
    assert (seen.came, seen.forgery, seen.addresses) == (Came.FALSE, Forgery.TWICE, ("1.2.3.4",))


async def test_the_same_answer_twice_is_a_repeated_packet() -> None:
    seen = await asked(
        lambda query: [dns_answer(query, PUBLIC, "1.1.1.1"), dns_answer(query, "1.1.1.1", PUBLIC)]
    )
    assert (seen.came, seen.forgery) == (Came.RIGHT, None)


async def test_an_answer_to_another_query_and_noise_are_not_heard() -> None:
    def reply(query: bytes) -> list[bytes]:
        other = bytes([query[0] ^ 1]) + query[1:]
        return [b"", b"noise", dns_answer(other, "1.2.3.4"), dns_answer(query, PUBLIC)]

    seen = await asked(reply)
    assert (seen.came, seen.addresses) == (Came.RIGHT, (PUBLIC,))


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "127.0.0.1", "0.0.0.0", "100.64.0.1", "169.254.1.1", "240.0.0.1"]
)
async def test_a_bogon_is_a_forgery(address: str) -> None:
    seen = await asked(resolves(address))
    assert (seen.came, seen.forgery, seen.addresses) == (Came.FALSE, Forgery.BOGON, (address,))


@pytest.mark.parametrize("address", ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:4860:4860::8888"])
def test_public_addresses_are_no_bogons(address: str) -> None:
    assert not is_bogon(address)


@pytest.mark.parametrize(
    ("rcode", "came", "forgery", "detail"),
    [
        (dns.rcode.NXDOMAIN, Came.FALSE, Forgery.NO_NAME, "nxdomain"),
        (dns.rcode.REFUSED, Came.REFUSED, None, "refused"),
        (dns.rcode.SERVFAIL, Came.OTHER, None, "servfail"),
        (dns.rcode.NOERROR, Came.OTHER, None, "no_answer"),
    ],
)
async def test_answers_without_an_address(
    rcode: dns.rcode.Rcode, came: Came, forgery: Forgery | None, detail: str
) -> None:
    seen = await asked(resolves(rcode=rcode))
    assert (seen.came, seen.forgery, seen.detail, seen.addresses) == (came, forgery, detail, ())


async def test_a_name_that_cannot_exist_has_no_address() -> None:
    right = await asked(resolves(rcode=dns.rcode.NXDOMAIN), name=Name.RANDOM)
    false = await asked(resolves(PUBLIC), name=Name.RANDOM)
    assert (right.came, right.forgery) == (Came.RIGHT, None)
    assert (false.came, false.forgery) == (Came.FALSE, Forgery.RANDOM_NAME)


async def test_an_answer_from_where_nobody_is_was_made_on_the_way() -> None:
    seen = await asked(resolves(PUBLIC), place=Place.NOBODY)
    assert (seen.came, seen.forgery) == (Came.FALSE, Forgery.NOBODY)


async def test_one_address_for_unrelated_names_is_a_forgery() -> None:
    around = make_around(CA)
    names = ("www.wikipedia.org", "de.wikipedia.org", "www.debian.org")
    seen = [await asked(resolves("1.2.3.4"), around, value=name) for name in names]
    assert [(one.came, one.forgery) for one in seen] == [
        (Came.RIGHT, None),
        (Came.RIGHT, None),
        (Came.FALSE, Forgery.SAME_FOR_ALL),
    ]


async def test_silence_is_silence_until_the_deadline() -> None:
    seen = await asked(lambda query: [], limit=0.3)
    assert (seen.came, seen.after, seen.failure) == (Came.SILENCE, "query", Failure.TIMEOUT)
    assert 0.25 < seen.elapsed < 1.0


async def test_a_closed_port_refuses_a_datagram() -> None:
    async with nobody() as port:
        seen = await one(question(Test.RESOLVE, port, way="udp", limit=1.0), make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (Came.REFUSED, "query", Failure.CONNECTION_REFUSED)
    assert seen.elapsed < 0.5


async def test_the_system_asks_the_resolvers_of_its_file_in_turn(tmp_path: Path) -> None:
    async with datagrams(resolves(PUBLIC)) as first, datagrams(resolves("8.8.8.8")) as second:
        with resolv_conf(tmp_path, first, second) as path:
            around = make_around(CA, resolv_conf=path)
            seen = [
                await one(question(Test.RESOLVE, 0, way="system", limit=1.0, round=round_), around)
                for round_ in (1, 2, 3)
            ]
    assert [one.addresses for one in seen] == [(PUBLIC,), ("8.8.8.8",), (PUBLIC,)]


async def test_where_no_file_tells_the_resolver_the_system_is_asked(tmp_path: Path) -> None:
    around = make_around(CA, resolv_conf=tmp_path / "none")
    seen = await one(question(Test.RESOLVE, 0, way="system", value="localhost"), around)
    assert (seen.came, seen.forgery) == (Came.FALSE, Forgery.BOGON)  # it is, for a public name
    assert "127.0.0.1" in seen.addresses


def test_the_file_of_resolvers_is_read_as_systems_read_it(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_bytes(
        b"; one\nsearch example\nnameserver 9.9.9.9 # two\nnameserver\nnameserver fe80::1%eth0\n"
        b"nameserver host.example\n nameserver [::1]:5353\nnameserver 1.1.1.1\nnameserver \xff\n"
    )
    assert nameservers(path) == [("9.9.9.9", 53), ("fe80::1%eth0", 53), ("::1", 5353)]
    assert nameservers(tmp_path / "none") == []


async def test_an_answer_over_tcp_is_right() -> None:
    around = make_around(CA)
    async with serving(dns_stream) as port:
        seen = await one(question(Test.RESOLVE, port, way="tcp"), around)
    assert (seen.came, seen.after, seen.addresses, seen.detail) == (Came.RIGHT, "query", (PUBLIC,), "noerror")
    assert around.opened == 1


@pytest.mark.parametrize(("way", "handler"), [("dot", dns_stream), ("doh", dns_https)])
async def test_an_answer_over_tls_is_right(way: str, handler: Handler) -> None:
    context = server_context(CA, "dns.test")
    async with serving(handler, context=context) as port:
        asking = question(Test.RESOLVE, port, way=way, data="dns.test", path="/dns-query")
        seen = await one(asking, make_around(CA))
        elsewhere = await one(question(Test.RESOLVE, port, way=way, data="other.test"), make_around(CA))
        untrusted = await one(asking, make_around(OTHER_CA))
    assert (seen.came, seen.after, seen.addresses) == (Came.RIGHT, "query", (PUBLIC,))
    for false, failure in ((elsewhere, Failure.SSL_HOSTNAME), (untrusted, Failure.SSL_AUTHORITY)):
        assert (false.came, false.after, false.failure) == (Came.FALSE, "client_hello", failure)


async def test_an_http_error_of_a_resolver_shows_that_the_question_arrived() -> None:
    async with serving(dns_https, context=server_context(CA, "dns.test")) as port:
        asking = question(Test.RESOLVE, port, way="doh", data="dns.test", path="/elsewhere")
        seen = await one(asking, make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (Came.OTHER, "query", Failure.HTTP_STATUS)


@pytest.mark.parametrize(
    ("handler", "came", "after", "failure"),
    [
        (resets, Came.RESET, "client_hello", Failure.CONNECTION_RESET),
        (closes, Came.CLOSED, "client_hello", Failure.EOF),
        (silent, Came.SILENCE, "client_hello", Failure.TIMEOUT),
    ],
)
async def test_a_resolver_over_tls_that_is_cut(
    handler: Handler, came: Came, after: str, failure: Failure
) -> None:
    async with serving(handler) as port:
        asking = question(Test.RESOLVE, port, way="dot", data="dns.test", limit=0.4)
        seen = await one(asking, make_around(CA))
    assert (seen.came, seen.after, seen.failure) == (came, after, failure)


async def test_garbage_over_tcp_is_false() -> None:
    async with serving(says(b"\0\x05hello")) as port:
        seen = await one(question(Test.RESOLVE, port, way="tcp"), make_around(CA))
    assert (seen.came, seen.detail) == (Came.FALSE, "garbage")


async def test_a_resolver_that_closes_early_over_tcp_is_closed() -> None:
    async with serving(says(b"\0\x05he")) as port:
        seen = await one(question(Test.RESOLVE, port, way="tcp"), make_around(CA))
    assert (seen.came, seen.failure, seen.after) == (Came.CLOSED, Failure.EOF, "query")


async def test_a_name_that_cannot_be_written_is_a_fault_of_ours() -> None:
    seen = await one(question(Test.RESOLVE, 53, way="udp", value="a" * 70 + ".test"), make_around(CA))
    assert (seen.came, seen.detail) == (Came.FAULT, "no_library")


def test_names_that_cannot_exist_are_new_each_time_and_look_ordinary() -> None:
    drawn = [*random_names(3), *random_names(3)]
    assert len(set(drawn)) == 6
    assert all(len(name.partition(".")[0]) == 12 and name.replace(".", "").isalpha() for name in drawn)


async def test_an_http_answer_that_never_ends_is_cut_at_its_limit() -> None:
    async with serving(says(response(200, bytes(64 * 1024))), context=server_context(CA, "dns.test")) as port:
        async with asyncio.timeout(5):
            asking = question(Test.RESOLVE, port, way="doh", data="dns.test", path="/dns-query")
            seen = await one(asking, make_around(CA))
    assert (seen.came, seen.detail) == (Came.FALSE, "garbage")

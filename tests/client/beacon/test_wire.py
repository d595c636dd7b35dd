"""The words between a beacon and its asker."""

from hypothesis import given, settings
from hypothesis import strategies as st

from client.beacon import wire
from client.beacon.wire import Protocol

KEY = bytes(range(16))
protocols = st.sampled_from(list(Protocol))


@given(protocols, st.integers(1, 65535))
@settings(max_examples=50)
def test_a_question_is_known_by_its_key_and_the_answer_names_the_port(protocol: Protocol, port: int) -> None:
    nonce, question = wire.ask(KEY, protocol)
    assert wire.asked(KEY, protocol, question) == nonce
    answer = wire.answer(KEY, protocol, nonce, port, len(question))
    assert wire.answered(KEY, protocol, nonce, port, answer) == port


def test_without_the_key_a_question_is_none() -> None:
    _, question = wire.ask(bytes(16), Protocol.UDP)
    assert wire.asked(KEY, Protocol.UDP, question) is None


@given(st.binary(max_size=600))
def test_no_bytes_of_a_stranger_are_a_question_or_an_answer(data: bytes) -> None:
    assert wire.asked(KEY, Protocol.TCP, data) is None
    assert wire.answered(KEY, Protocol.TCP, bytes(16), 443, data, search=False) is None


def test_a_question_for_one_protocol_is_none_for_the_other() -> None:
    _, question = wire.ask(KEY, Protocol.UDP)
    assert wire.asked(KEY, Protocol.TCP, question) is None


def test_an_answer_to_one_nonce_is_none_to_another() -> None:
    nonce, _ = wire.ask(KEY, Protocol.TCP)
    answer = wire.answer(KEY, Protocol.TCP, nonce, 443, 100)
    assert wire.answered(KEY, Protocol.TCP, bytes(16), 443, answer, search=False) is None


def test_a_question_cannot_be_sent_back_as_its_answer() -> None:
    nonce, question = wire.ask(KEY, Protocol.TCP)
    for data in (question, question[16:]):
        assert wire.answered(KEY, Protocol.TCP, nonce, 443, data, search=False) is None


def test_an_answer_from_another_port_tells_which() -> None:
    nonce, _ = wire.ask(KEY, Protocol.TCP)
    answer = wire.answer(KEY, Protocol.TCP, nonce, 8080, 100)
    assert wire.answered(KEY, Protocol.TCP, nonce, 443, answer) == 8080


def test_a_beacon_that_cannot_tell_the_port_says_so() -> None:
    nonce, _ = wire.ask(KEY, Protocol.UDP)
    answer = wire.answer(KEY, Protocol.UDP, nonce, wire.UNKNOWN, 100)
    assert wire.answered(KEY, Protocol.UDP, nonce, 443, answer) == wire.UNKNOWN


@given(protocols)
@settings(max_examples=200)
def test_no_answer_is_longer_than_its_question(protocol: Protocol) -> None:
    nonce, question = wire.ask(KEY, protocol)
    assert len(question) <= wire.LONGEST
    assert len(wire.answer(KEY, protocol, nonce, 1, len(question))) <= len(question)


def test_lengths_differ_and_no_byte_stays_the_same() -> None:
    questions = [wire.ask(KEY, Protocol.UDP)[1] for _ in range(200)]
    assert len({len(one) for one in questions}) > 20
    assert all(len({one[place] for one in questions}) > 50 for place in range(wire.QUESTION))

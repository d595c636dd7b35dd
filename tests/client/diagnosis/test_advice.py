from collections.abc import Collection

import pytest

from client.diagnosis.advice import next_steps, plain, survives
from client.diagnosis.kinds import Certainty, Diagnosis, Finding, Kind
from client.i18n import say

LINK = frozenset({Kind.OPEN, Kind.LOCAL_FAULT, Kind.CAPTIVE_PORTAL, Kind.UNCLEAR})


def found(
    *kinds: Kind,
    certainty: Certainty = Certainty.CERTAIN,
    tcp: tuple[int, ...] = (),
    passes: Collection[str] = (),
) -> Diagnosis:
    findings = tuple(Finding(kind=kind, certainty=certainty) for kind in kinds)
    return Diagnosis(findings=findings, tcp=tcp, passes=frozenset(passes))


def texts(diagnosis: Diagnosis) -> str:
    return " ".join(say(message) for message in next_steps(diagnosis))


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_plain_words_and_a_next_step(kind: Kind) -> None:
    assert 20 < len(say(plain(kind))) < 120
    assert next_steps(found(kind))


@pytest.mark.parametrize("kind", sorted(set(Kind) - LINK))
def test_each_kind_of_cut_says_what_tends_to_survive_it(kind: Kind) -> None:
    assert survives(found(kind, passes={"dns"}))


def test_the_ports_that_pass_stand_in_the_first_step_unusual_ones_first() -> None:
    first = say(next_steps(found(Kind.PORT_HOLES, tcp=(53, 179, 646, 3785, 4784)))[0])
    assert "179, 646, 3785, 4784" in first
    assert "53," not in first


def test_one_port_that_passes_is_named_alone() -> None:
    assert "on port 3785." in say(next_steps(found(Kind.PORT_HOLES, tcp=(3785,)))[0])


@pytest.mark.parametrize("kind", [Kind.ALLOW_LIST, Kind.OPEN, Kind.IP_BLOCK])
def test_ports_are_asked_for_only_where_ports_are_the_matter(kind: Kind) -> None:
    assert "Ask your helper for" not in texts(found(kind, tcp=(80, 8443)))


def test_a_dns_tunnel_is_named_only_where_a_resolver_abroad_answers() -> None:
    with_dns = [say(one) for one in survives(found(Kind.ALLOW_LIST, passes={"dns"}))]
    without = [say(one) for one in survives(found(Kind.ALLOW_LIST))]
    assert any("DNS tunnel" in text for text in with_dns)
    assert not any("DNS tunnel" in text for text in without)


def test_what_is_only_likely_is_to_be_run_again() -> None:
    assert "Run it again" in texts(found(Kind.IP_BLOCK, certainty=Certainty.LIKELY))
    assert "Run it again" not in texts(found(Kind.SNI_RESET))


def test_several_kinds_give_each_sentence_once() -> None:
    steps = [say(one) for one in next_steps(found(Kind.SNI_RESET, Kind.SNI_DROP, Kind.TOR_BLOCK))]
    assert len(steps) == len(set(steps)) == 1


def test_interception_warns_of_installing_certificates() -> None:
    assert "Do not install a certificate" in texts(found(Kind.TLS_INTERCEPTION))


def test_what_only_the_person_told_gets_advice_and_what_cannot_be_told_does_not() -> None:
    diagnosis = found(Kind.UNCLEAR, Kind.MOBILE_ONLY, Kind.OUTAGE, certainty=Certainty.CANNOT_TELL)
    assert "the network that works" in texts(diagnosis)
    assert "another operator" not in texts(diagnosis)

import contextlib
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.diagnosis import code
from client.diagnosis.kinds import Certainty, Kind
from transports.types import Rejected

PASSES = ("dns", "doh", "dot", "tls", "http", "raw", "quic", "tor", "obfs4", "udp")
UDP = (53, 123, 443, 500, 3478, 3784, 3785, 51820)


@st.composite
def tolds(draw: st.DrawFn) -> code.Told:
    kinds = draw(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=4, unique=True))
    known = draw(st.sets(st.sampled_from((22, 53, 80, 179, 443, 646, 3784, 3785, 4784, 5060, 8443, 9001))))
    other = draw(st.sets(st.integers(10_000, 65_535), max_size=4))
    return code.Told(
        kinds=tuple(kinds),
        certainty=draw(st.sampled_from(list(Certainty))),
        tcp=tuple(sorted(known | other)),
        udp=tuple(sorted(draw(st.sets(st.sampled_from(UDP))))),
        passes=frozenset(draw(st.sets(st.sampled_from(PASSES)))),
    )


ALMATY = code.Told(
    kinds=(Kind.PORT_HOLES,),
    certainty=Certainty.CERTAIN,
    tcp=(179, 646, 3784, 3785, 4784),
    udp=(53,),
    passes=frozenset({"dns"}),
)


@given(tolds())
def test_what_goes_in_comes_out_again(told: code.Told) -> None:
    assert code.decode(code.encode(told)) == told


@given(tolds())
def test_a_code_is_short_and_has_only_digits_in_groups_of_four(told: code.Told) -> None:
    text = code.encode(told)
    assert len(text) < 60
    assert re.fullmatch(r"(\d{4}-)*\d{1,4}", text)


@given(tolds(), st.data())
def test_every_wrong_digit_is_found(told: code.Told, data: st.DataObject) -> None:
    text = code.encode(told)
    at = data.draw(st.sampled_from([i for i, sign in enumerate(text) if sign != "-"]))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[at]]))
    with pytest.raises(Rejected):
        code.decode(text[:at] + wrong + text[at + 1 :])


@given(tolds(), st.data())
def test_every_swap_of_two_digits_side_by_side_is_found(told: code.Told, data: st.DataObject) -> None:
    digits = code.encode(told).replace("-", "")
    places = [at for at, (one, two) in enumerate(itertools.pairwise(digits)) if one != two]
    at = data.draw(st.sampled_from(places))
    with pytest.raises(Rejected):
        code.decode(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])


@given(st.text(max_size=80))
def test_any_other_text_is_refused_in_words(text: str) -> None:
    with contextlib.suppress(Rejected):
        assert isinstance(code.decode(text), code.Told)


@pytest.mark.parametrize(
    "spelt",
    ["{0}", " {0} ", "{1}", "{2}", "{3}"],
    ids=["as told", "blanks", "no hyphens", "spaces", "dashes"],
)
def test_a_code_is_read_however_it_is_written_down(spelt: str) -> None:
    text = code.encode(ALMATY)
    written = spelt.format(text, text.replace("-", ""), text.replace("-", " "), text.replace("-", "–"))
    assert code.decode(written) == ALMATY


def test_other_peoples_digits_are_digits_too() -> None:
    arabic = code.encode(ALMATY).translate({ord("0") + n: 0x0660 + n for n in range(10)})
    assert code.decode(arabic) == ALMATY


def test_a_code_of_a_newer_version_says_so() -> None:
    body = "2" + code.encode(ALMATY).replace("-", "")[1:-3]
    with pytest.raises(Rejected, match="newer"):
        code.decode(f"{body}{int(body) % 997:03}")


def test_version_one_stays_what_it_is() -> None:
    assert code.encode(ALMATY) == "1194-6072-6786-2499-4082-2"


@pytest.mark.parametrize("text", ["", "1", "12-34", "9" * 60, "hello", "1234 x678", "٣"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        code.decode(text)

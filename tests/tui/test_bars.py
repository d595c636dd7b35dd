from client.model import Status
from tests.tui.support import judged
from tui import bars
from tui.listing import Filter, Listing, Sort
from tui.state import RunState


def test_the_filters_have_their_keys_their_counts_and_their_signs() -> None:
    state = RunState()
    state.expect([judged(number).verdict.candidate for number in range(3)])
    for number, status in enumerate((Status.WORKING, Status.DEGRADED, Status.FAILED, Status.HOSTILE), 10):
        state.apply(judged(number, status))
    told = bars.filters(state, Listing(state)).plain
    assert told == "1▸all 7  2 ✔ working 1 ◐ 1  3 … waiting 3  4 ✘ failed 2  / Search  o ↕ best"


def test_where_there_is_no_room_only_the_filter_that_holds_keeps_its_word() -> None:
    state = RunState()
    state.expect([judged(number).verdict.candidate for number in range(2000)])
    for number in range(2000, 2200):
        state.apply(judged(number, list(Status)[number % 6]))
    listing = Listing(state)
    listing.filter = Filter.FAILED
    text = bars.filters(state, listing, 77)
    assert text.plain == "1 all 2200  2 ✔ 33 ◐ 33  3 … 2000  4▸✘ failed 101  / Search  o ↕ best"
    assert len(bars.filters(state, listing).plain) > 77


def test_when_nobody_waits_any_more_the_untested_ones_are_told() -> None:
    state = RunState()
    state.apply(judged(1, Status.UNTESTED))
    assert "3 ? untested 1" in bars.filters(state, Listing(state)).plain


def test_the_filter_that_holds_shows_without_colour_and_the_search_shows_its_words() -> None:
    listing = Listing(RunState())
    listing.filter, listing.sort = Filter.FAILED, Sort.NEWEST
    listing.look_for("tls\x1b[1m[b]")
    text = bars.filters(listing.state, listing)
    reversed_ = [text.plain[span.start : span.end] for span in text.spans if "reverse" in str(span.style)]
    assert any("failed" in part for part in reversed_)
    assert " 4▸✘ failed 0  /▸tls\ufffd[1m[b]" in text.plain
    assert text.plain.endswith("o ↕ newest")


def test_the_controls_offer_only_paces_that_there_are() -> None:
    assert "+ Faster" in bars.controls("quiet", paused=False).plain
    assert "- Quieter" not in bars.controls("quiet", paused=False).plain
    assert "+ Faster" not in bars.controls("fast", paused=False).plain
    assert "- Quieter" in bars.controls("fast", paused=False).plain
    assert "p Resume" in bars.controls("normal", paused=True).plain
    assert "Faster" not in bars.controls("of one's own", paused=False).plain


def test_a_click_on_a_key_is_only_ever_one_of_our_keys() -> None:
    state = RunState()
    listing = Listing(state)
    listing.look_for("[@click=app.quit]")
    known = {"1", "2", "3", "4", "slash", "o", "p", "s", "plus", "minus"}
    for text in (bars.filters(state, listing), bars.controls("normal", paused=False)):
        metas = [span.style.meta for span in text.spans if not isinstance(span.style, str)]
        assert {meta["key"] for meta in metas if meta} <= known

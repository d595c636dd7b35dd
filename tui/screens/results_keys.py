"""The keys of the results. The second key is the same place on a Russian or Kazakh keyboard; there digits are letters."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from client.model import N_

BOUND: Final[list[BindingType]] = [
    Binding("u,г", "use", N_("Use it"), key_display="u"),
    Binding("h,р", "pass_on", N_("Pass it on"), key_display="h"),
    Binding("n,т", "next", N_("Next option"), key_display="n"),
    Binding("enter", "larger", N_("Details"), key_display="⏎"),
    Binding("a,ф", "summary", N_("Advice"), key_display="a"),
    Binding("a,ф", "told", N_("Notices"), key_display="a"),  # what there is of it before the end
    Binding("r,к", "reveal", N_("Reveal"), key_display="r"),
    Binding("l,д", "line", N_("Line"), key_display="l"),
    Binding("e,у", "evidence", N_("Evidence"), key_display="e"),
    Binding("escape", "back", N_("Back"), key_display="esc"),
    # These stand beside what they act on (tui/bars.py).
    Binding("p,з", "pause", show=False),
    Binding("s,ы", "stop", show=False),
    Binding("plus,equals_sign,һ", "pace(1)", show=False),
    Binding("minus,ө", "pace(-1)", show=False),
    Binding("1,quotation_mark", "filter('ALL')", show=False),
    Binding("2,ә", "filter('WORKING')", show=False),
    Binding("3,і", "filter('WAITING')", show=False),
    Binding("4,ң", "filter('FAILED')", show=False),
    Binding("slash,full_stop,numero_sign", "search", show=False),
    Binding("o,щ", "sort", show=False),
]

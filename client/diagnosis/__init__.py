"""Names the kind of cut: what was seen on the line (sights), and what may be concluded from it (findings).

`anchors` says whom to ask, `plan` what to ask next, `ask_*` ask, `rules` conclude. Only `ask_*` and `run` act.
"""

"""What a person can do, without a screen.

    parse        text from anywhere -> candidates and rejected lines
    plan         in which order, how fast, how long, how much
    engine       runs a plan and gives one stream of events; tasks starts every task
    probe        climbs the proof ladder with one candidate; judge says what that means
    control      the same ladder without a proxy: what this line can do by itself
    advise       what to do next
    render/      events -> plain text, live table, JSON Lines
    cli/         the command line; drill/ plays a blackout on loopback

Arrows: tui -> client -> transports. Parsing, judging, planning and advising are pure functions.
"""

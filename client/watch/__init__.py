"""Waiting for an opening: tiny questions at a random pace, a calendar of what was open, and a queue for the moment.

pulse       when the next connection may begin (pure)
asks        which question comes next (pure but for its dice)
state       from sights to the state of the line, by the rules of the diagnosis (pure)
calendar    minutes open and shut, a day per row (pure); `predict` the next likely window
clock       the wall clock, sleep, a changed clock, a changed network
ring        bell and desktop notice
jobs        what is done at once when something opens
run         all of it together: one stream of events
replay      past windows from a data file, for the drill and the tests
"""

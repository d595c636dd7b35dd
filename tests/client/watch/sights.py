"""Sights as a watch sees them, in short."""

from client.diagnosis.sights import Came, Name, Place, Sight, Test
from client.watch.state import Line, Turn


def way_out(came: Came = Came.RIGHT) -> Sight:
    return Sight(test=Test.ROUTE, place=Place.HERE, who="here", came=came, detail="gateway")


def door(who: str, came: Came) -> list[Sight]:
    """Return what a handshake leaves: two sights, or one where there was no connection."""
    place = Place(who.partition("-")[0])
    crossed = came not in (Came.REFUSED, Came.SILENCE)
    below = Sight(
        test=Test.CONNECT,
        place=place,
        who=who,
        port=443,
        name=Name.HARMLESS,
        came=Came.RIGHT if crossed else came,
    )
    if not crossed:
        return [below]
    return [below, Sight(test=Test.TLS, place=place, who=who, port=443, name=Name.HARMLESS, came=came)]


def taken(who: str, came: Came = Came.RIGHT) -> Sight:
    """Return the small question to another server: was the connection taken."""
    return Sight(test=Test.CONNECT, place=Place.ABROAD, who=who, port=443, name=Name.HARMLESS, came=came)


def knock(port: int, came: Came, who: str = "abroad-1") -> Sight:
    return Sight(test=Test.CONNECT, place=Place.ABROAD, who=who, port=port, came=came)


def told(line: Line, answers: str, at: float = 0.0, each: float = 30.0) -> list[Turn]:
    """Take answers such as "a1+ h2-" (abroad-1 answers, home-2 does not), one every `each` seconds."""
    turns = []
    for number, answer in enumerate(answers.split()):
        place = {"a": "abroad", "h": "home", "l": "listed"}[answer[0]]
        came = Came.RIGHT if answer[-1] == "+" else Came.SILENCE
        sights = [way_out(), *door(f"{place}-{answer[1]}", came)]
        turn = line.take(at + each * number, sights)
        turns += [turn] if turn else []
    return turns

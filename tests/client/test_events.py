import dataclasses
import typing

import pytest

from client import events
from tests.client.render.faces import a_run


def test_every_event_is_frozen_and_takes_nothing_else() -> None:
    run = a_run()
    assert {type(event) for event in run} == set(typing.get_args(events.Event))
    for event in run:
        assert not hasattr(event, "__dict__")
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(event, dataclasses.fields(event)[0].name, 1)

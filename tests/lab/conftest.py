"""The laboratory as a fixture: built once for a worker, when the first test asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.lab.world import Lab, NoLab, laboratory


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    try:
        with laboratory() as made:
            yield made
    except NoLab as reason:
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(f"the laboratory must run here: {reason}")
        pytest.skip(f"the laboratory {reason}")

"""What tests of the services begin with."""

import pytest

from tests.builders_trader import World


@pytest.fixture
def world() -> World:
    """A trader whose account has been read once."""
    made = World()
    made.minute()
    return made

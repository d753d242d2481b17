import numpy as np
import pytest

from srlab.figures.pictures import sprite_sheet


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def sprites(rng):
    return sprite_sheet(rng.integers(256, size=(12, 8, 8, 3), dtype=np.uint8))

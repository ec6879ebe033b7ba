"""The shipped network and a photo that it is given."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.colorizer import Colorizer
from engine.picture import Picture


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load(device="cpu")


@pytest.fixture(scope="module")
def picture(colorizer: Colorizer, gray: NDArray[np.uint8]) -> Picture:
    return colorizer.open(gray)

"""What is read of a photo before any colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.colorizer import Colorizer
from engine.hints import Hint


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_gray_at_a_hint_is_the_mean_under_it(colorizer: Colorizer, dtype: type) -> None:
    gray: NDArray[Any] = np.full((60, 80), 50, dtype)
    gray[:, 40:] = 200
    picture = colorizer.open(gray * dtype(np.iinfo(dtype).max // 255))

    across, inside, at_the_rim = picture.gray_at(
        [Hint(40.5, 30.5, 10, (0, 0, 0)), Hint(60, 30, 4, (0, 0, 0)), Hint(0.5, 0.5, 4, (0, 0, 0))]
    )

    assert across == pytest.approx((10 * 50 + 11 * 200) / 21, abs=1)
    assert (inside, at_the_rim) == (200, 50)

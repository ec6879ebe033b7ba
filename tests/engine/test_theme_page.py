"""The page of recommended themes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from engine.theme_page import CELL, STRIP, main
from tests.conftest import SAMPLES


def test_a_row_for_each_photo(tmp_path: Path) -> None:
    target = tmp_path / "page.png"

    main([str(target), str(SAMPLES / "coffee.png"), str(SAMPLES / "astronaut.png")])

    with Image.open(target) as page:
        assert page.size == (7 * CELL, 2 * (CELL + STRIP))
        pixels = np.asarray(page).astype(int)
    assert np.ptp(pixels[:, :CELL], axis=-1).max() == 0
    assert np.ptp(pixels[:, CELL:], axis=-1).mean() > 5

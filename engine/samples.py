"""Photographs that ship with scikit-image and scikit-learn. None was trained on."""

from __future__ import annotations

from pathlib import Path

import skimage
import sklearn

_SKIMAGE = Path(skimage.__file__).parent / "data"
_SKLEARN = Path(sklearn.__file__).parent / "datasets/images"

ASTRONAUT = _SKIMAGE / "astronaut.png"
CAT = _SKIMAGE / "chelsea.png"
COFFEE = _SKIMAGE / "coffee.png"
ROCKET = _SKIMAGE / "rocket.jpg"
MOTORCYCLE = _SKIMAGE / "motorcycle_left.png"
PALACE = _SKLEARN / "china.jpg"
FLOWER = _SKLEARN / "flower.jpg"
SAMPLES = (ASTRONAUT, CAT, COFFEE, ROCKET, MOTORCYCLE, PALACE, FLOWER)  # 451 to 741 pixels wide

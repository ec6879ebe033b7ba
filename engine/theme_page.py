"""Recommended themes in pictures: `python -m engine.theme_page OUT.jpg PHOTO [PHOTO …]`.

A row for each photo: without its colour, then in its six recommended themes, the best first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.colorizer import Colorizer
from engine.photos import read_photo
from engine.recommend import ThemeRecommender
from engine.themes import Theme
from engine.weights import load_network

CELL = 180  # pixels, the side of the square that a photo has on the page
STRIP = 16  # pixels, the height of a theme's swatches
COUNT = 6


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("photos", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load(device="cpu")
    recommender = ThemeRecommender.load(load_network("default"))
    rows = [page_row(path, colorizer, recommender) for path in options.photos]
    Image.fromarray(np.concatenate(rows)).save(options.output, quality=88)


def page_row(path: Path, colorizer: Colorizer, recommender: ThemeRecommender) -> NDArray[np.uint8]:
    """One photo, grey and in its themes: (CELL + STRIP, 7 * CELL, 3)."""
    gray = np.asarray(cv2.cvtColor(read_photo(path.read_bytes()), cv2.COLOR_RGB2GRAY), np.uint8)
    picture = colorizer.open(gray)
    themes = recommender.recommend(picture.working_lightness, COUNT)
    pictures = colorizer.thumbnails(picture, themes, CELL)
    plain = np.repeat(picture.reduced(CELL)[..., None], 3, -1)
    cells = [_cell(plain, None)]
    cells += [_cell(thumbnail, theme) for thumbnail, theme in zip(pictures, themes, strict=True)]
    return np.asarray(np.concatenate(cells, 1), np.uint8)


def _cell(pixels: NDArray[np.uint8], theme: Theme | None) -> NDArray[np.uint8]:
    cell = np.full((CELL + STRIP, CELL, 3), 255, np.uint8)
    height, width = pixels.shape[:2]
    top, left = (CELL - height) // 2, (CELL - width) // 2
    cell[top : top + height, left : left + width] = pixels
    if theme:
        colors = np.array(theme.colors, np.uint8)
        edges = np.minimum(np.arange(CELL - 8) * len(colors) // (CELL - 8), len(colors) - 1)
        cell[CELL + 2 : -2, 4:-4] = colors[edges]
    return cell


if __name__ == "__main__":
    main()

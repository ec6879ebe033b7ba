"""Recommended themes in pictures.

    python -m engine.theme_page OUT.jpg PHOTO [PHOTO …]
    python -m engine.theme_page OUT.jpg --photos DIR     # the photos of docs/themes.jpg

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
from engine.command import parser_of, told_in_a_line
from engine.photos import NoPhotos, photo_files, read_photo
from engine.recommend import ThemeRecommender
from engine.samples import SAMPLES
from engine.themes import Theme
from engine.weights import load_network

# Validation photos of open licences: clothing (CC0), fruit and vegetables, raccoon, grocery (MIT).
OPEN = ("v00095", "v00190", "v00230", "v00182", "v00071")

CELL = 180  # pixels, the side of the square that a photo has on the page
STRIP = 16  # pixels, the height of a theme's swatches
COUNT = 6


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.theme_page", __doc__)
    parser.add_argument("output", type=Path)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("photo", type=Path, nargs="*", default=())
    chosen.add_argument("--photos", type=Path, metavar="DIR", help="the corpus")
    with told_in_a_line("engine.theme_page"):
        make_page(parser.parse_args(arguments))


def make_page(options: argparse.Namespace) -> None:
    files = [path.read_bytes() for path in (SAMPLES if options.photos else options.photo)]
    if options.photos:
        validation = dict(photo_files(options.photos, "val"))
        if not validation.keys() >= set(OPEN):
            raise NoPhotos(f"{options.photos} is not the corpus that has {', '.join(OPEN)}")
        files += [validation[name]() for name in OPEN]
    colorizer = Colorizer.load(device="cpu")
    recommender = ThemeRecommender.load(load_network("default"))
    rows = [page_row(data, colorizer, recommender) for data in files]
    Image.fromarray(np.concatenate(rows)).save(options.output, quality=88)


def page_row(data: bytes, colorizer: Colorizer, recommender: ThemeRecommender) -> NDArray[np.uint8]:
    """One photo's file, grey and in its themes: (CELL + STRIP, 7 * CELL, 3)."""
    gray = np.asarray(cv2.cvtColor(read_photo(data), cv2.COLOR_RGB2GRAY), np.uint8)
    picture = colorizer.open(gray)
    themes = recommender.recommend(picture.seen(()).working_lightness, COUNT)
    pictures = colorizer.thumbnails(picture, themes, CELL)
    plain = np.repeat(picture.reduced(CELL)[..., None], 3, -1)
    cells = [_cell(plain, None)]
    cells += [_cell(thumbnail, theme) for thumbnail, theme in zip(pictures, themes, strict=True)]
    return np.asarray(np.concatenate(cells, 1), np.uint8)


def _cell(pixels: NDArray[np.uint8], theme: Theme | None) -> NDArray[np.uint8]:
    cell = np.full((CELL + STRIP, CELL, 3), 255, np.uint8)
    height, width = pixels.shape[:2]
    top, left = CELL - height, (CELL - width) // 2  # on its swatches
    cell[top : top + height, left : left + width] = pixels
    if theme:
        colors = np.array(theme.colors, np.uint8)
        edges = np.arange(CELL - 8) * len(colors) // (CELL - 8)
        cell[CELL + 2 : -2, 4:-4] = colors[edges]
    return cell


if __name__ == "__main__":
    main()

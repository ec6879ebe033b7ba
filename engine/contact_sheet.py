"""A page of photographs in every way of colouring: `python -m engine.contact_sheet FILE.png`.

Columns: the photo without its colour, no input, a theme, dots, theme and dots. The photos ship with
scikit-image and scikit-learn and were not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.colorizer import Colorizer
from engine.command import parser_of, told_in_a_line
from engine.hints import Hint
from engine.result import Result
from engine.samples import ASTRONAUT, CAT, COFFEE, FLOWER, PALACE
from engine.themes import Color, Theme

HEIGHT = 200  # pixels of a row
GAP = 4


@dataclass(frozen=True)
class Row:
    """A photo, a theme, and dots: (x, y) as shares of width and height, and colour."""

    photo: Path
    theme: tuple[Color, ...]
    dots: tuple[tuple[float, float, Color], ...]


ROWS = (
    Row(
        ASTRONAUT,
        ((205, 120, 60), (150, 90, 60), (230, 190, 150), (60, 70, 110)),
        ((0.40, 0.62, (225, 110, 40)), (0.52, 0.22, (220, 165, 140)), (0.15, 0.35, (60, 80, 160))),
    ),
    Row(
        PALACE,
        ((70, 120, 190), (160, 60, 40), (60, 110, 50), (200, 170, 120)),
        ((0.70, 0.15, (90, 150, 220)), (0.31, 0.42, (170, 50, 40)), (0.70, 0.90, (60, 120, 50))),
    ),
    Row(
        COFFEE,
        ((120, 60, 30), (60, 30, 20), (190, 130, 80), (90, 40, 30)),
        ((0.30, 0.70, (150, 40, 40)), (0.55, 0.45, (110, 65, 35)), (0.92, 0.30, (140, 90, 50))),
    ),
    Row(
        FLOWER,
        ((200, 60, 130), (240, 190, 60), (40, 90, 50), (70, 60, 110)),
        ((0.47, 0.62, (235, 90, 160)), (0.85, 0.25, (40, 90, 45)), (0.08, 0.60, (40, 90, 45))),
    ),
    Row(
        CAT,
        ((190, 120, 70), (230, 190, 150), (110, 80, 70), (90, 140, 90)),
        ((0.45, 0.30, (200, 120, 60)), (0.37, 0.40, (90, 150, 80)), (0.90, 0.80, (90, 100, 150))),
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.contact_sheet", __doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--network", default="default")
    options = parser.parse_args(arguments)
    with told_in_a_line("engine.contact_sheet"):
        colorizer = Colorizer.load(options.network)
    save(options.output, [sheet_row(colorizer, row) for row in ROWS])


def save(path: Path, rows: Sequence[Sequence[NDArray[np.uint8]]]) -> None:
    """Write pictures of one height, (HEIGHT, width, 3), in rows as PNG."""
    gap = np.full((HEIGHT, GAP, 3), 255, np.uint8)
    lines = [np.concatenate([part for cell in row for part in (cell, gap)], 1) for row in rows]
    width = max(line.shape[1] for line in lines)
    sheet = np.concatenate([np.pad(line, ((0, GAP), (0, width - line.shape[1]), (0, 0)),
                                   constant_values=255) for line in lines])  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path, optimize=True)


def sheet_row(colorizer: Colorizer, row: Row) -> list[NDArray[np.uint8]]:
    """One photo without its colour and in all four ways."""
    photo, hints, theme = opened(row)
    picture = colorizer.open(photo)
    return [
        fit(np.repeat(photo[..., None], 3, -1)),
        marked(colorizer.colorize(picture), (), None),
        marked(colorizer.colorize(picture, theme=theme), (), theme),
        marked(colorizer.colorize(picture, hints), hints, None),
        marked(colorizer.colorize(picture, hints, theme), hints, theme),
    ]


def opened(row: Row) -> tuple[NDArray[np.uint8], list[Hint], Theme]:
    """The gray photo, the dots and the theme of a row."""
    photo = cv2.imread(str(row.photo), cv2.IMREAD_GRAYSCALE)
    assert photo is not None, row.photo
    height, width = photo.shape
    hints = [Hint(x * width, y * height, 0.01 * width, color) for x, y, color in row.dots]
    return np.asarray(photo, np.uint8), hints, Theme(row.theme)


def marked(result: Result, hints: Sequence[Hint], theme: Theme | None) -> NDArray[np.uint8]:
    """The result with its dots ringed and its theme in the lower left corner."""
    pixels = fit(np.asarray(result.full()))
    scale = pixels.shape[0] / result.picture.height
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for hint in hints:
        x, y = hint.x * scale, hint.y * scale
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=hint.color, outline=(255, 255, 255))
    for index, color in enumerate(theme.colors if theme else ()):
        left, top = 4 + 15 * index, HEIGHT - 18
        draw.rectangle((left, top, left + 13, top + 13), fill=color, outline=(255, 255, 255))
    return np.asarray(image)


def fit(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = round(pixels.shape[1] * HEIGHT / pixels.shape[0])
    resized = cv2.resize(pixels, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


if __name__ == "__main__":
    main()

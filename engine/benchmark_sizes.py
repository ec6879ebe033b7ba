"""Working sizes, quality and time of the shipped network at each: `engine.benchmark sizes`.

Photos whose colour is known lose it and get it back from the network at different working sizes:
without input, with the theme of their own colours, and with 20 dots of their own colours. The
answer is enlarged to the photo's own size as for a user. PSNR is of ab (peak 110, mean over the
photos), "at edges" the mean CIEDE2000 within 4 pixels of strong edges of chroma, with dots. The
times are of a first run with dots and of a new theme after it, medians, the sizes in turn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.benchmark_networks import describe
from engine.benchmark_photos import (
    Photo,
    add_photo_options,
    edge_error,
    oblong_photos,
    psnr,
    sample_photos,
    validation_photos,
)
from engine.colorizer import Colorizer
from engine.command import parser_of
from engine.enlarge import enlarge_ab
from engine.hints import Hint
from engine.picture import Picture
from engine.themes import Theme

SIDES = (96, 128, 160, 192, 256, 384, 512, 768, 1024)


@dataclass
class Figures:
    """What was measured at one working size, photo by photo and run by run."""

    none: list[float] = field(default_factory=list)  # dB
    theme: list[float] = field(default_factory=list)
    dots: list[float] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)  # CIEDE2000
    first: list[float] = field(default_factory=list)  # milliseconds
    retheme: list[float] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark sizes", __doc__)
    add_photo_options(parser)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    parser.add_argument("--runs", type=int, default=9, help="that are timed")
    parser.add_argument("--device", choices=("cpu", "cuda"))
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load(device=options.device)
    print(describe(colorizer.device))
    _report("photos of 451 to 741 pixels", colorizer, sample_photos(), options)
    if options.photos:
        squares = validation_photos(options.photos, options.limit)
        _report("photos of 256 pixels", colorizer, squares, options)
        oblong = oblong_photos(options.photos, options.limit)
        _report("photos that are not square", colorizer, oblong, options)


def _report(
    title: str, colorizer: Colorizer, photos: Sequence[Photo], options: argparse.Namespace
) -> None:
    figures = {side: Figures() for side in options.sides}
    for photo in photos:
        for side, found in figures.items():
            judge(colorizer, photo, side, found)
    clock(colorizer, photos[0], figures, options.runs)
    print(f"\n{len(photos)} {title}:\n")
    print("| working size | none | theme | dots | at edges | first run | new theme |")
    print("|" + " ---: |" * 7)
    for side, f in figures.items():
        decibels = " | ".join(f"{np.mean(values):.2f} dB" for values in (f.none, f.theme, f.dots))
        edges = f"{np.nanmean(f.edges):.2f}"
        times = " | ".join(f"{statistics.median(values):.0f} ms" for values in (f.first, f.retheme))
        print(f"| {side} | {decibels} | {edges} | {times} |")


def judge(colorizer: Colorizer, photo: Photo, side: int, found: Figures) -> None:
    """Add one photo's figures at one working size."""
    picture = colorizer.open_at(photo.gray, side)
    dotted = _enlarged(colorizer, picture, photo.hints, None)
    found.none.append(psnr(_enlarged(colorizer, picture, (), None), photo))
    found.theme.append(psnr(_enlarged(colorizer, picture, (), photo.theme), photo))
    found.dots.append(psnr(dotted, photo))
    found.edges.append(edge_error(dotted, photo))


def _enlarged(
    colorizer: Colorizer, picture: Picture, hints: Sequence[Hint], theme: Theme | None
) -> NDArray[np.float32]:
    return enlarge_ab(colorizer.colorize(picture, hints, theme).ab, picture.gray)


def clock(colorizer: Colorizer, photo: Photo, figures: dict[int, Figures], runs: int) -> None:
    """Take the times; the first turn warms up."""
    for turn in range(runs + 1):
        for side, found in figures.items():
            picture = colorizer.open_at(photo.gray, side)
            began = time.perf_counter()
            colorizer.colorize(picture, photo.hints)
            middle = time.perf_counter()
            colorizer.colorize(picture, photo.hints, photo.theme)
            if turn:
                found.first.append((middle - began) * 1000)
                found.retheme.append((time.perf_counter() - middle) * 1000)


if __name__ == "__main__":
    main()

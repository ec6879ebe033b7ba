"""How near dots come to what was asked, in the enlarged photo: `python -m engine.benchmark dots`.

CIEDE2000 between a dot's pixels in the result and the colours that it asks for at their lightness:
the mean over each dot, then the mean and the largest of the dots. "apart" dots lie anywhere in a
photo, thirty at a time, in random colours; the others are pairs in two colours, so many cells of
the working size from each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from engine.benchmark_pipeline import SIZES, photo
from engine.color import lab_of
from engine.colorizer import Colorizer
from engine.command import parser_of
from engine.compose import compose
from engine.hints import Hint, asked_ab
from engine.picture import Picture
from engine.result import Result

RADIUS = 3  # photo pixels
RIM = 50  # pixels of the photo without dots
APART, PAIRS = 30, 8
GAPS = (3.0, 2.0, 1.4)  # cells between the dots of a pair
RED, BLUE = (190, 110, 100), (100, 120, 180)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark dots", __doc__)
    parser.add_argument("--megapixels", type=int, nargs="+", default=[1, 12, 24], choices=SIZES)
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load()
    print("| megapixels | dots | mean | largest |")
    print("| ---: | --- | ---: | ---: |")
    for megapixels in options.megapixels:
        picture = colorizer.open(photo(SIZES[megapixels]))
        for name, sets in dot_sets(picture).items():
            found = np.concatenate([missed(colorizer.colorize(picture, dots)) for dots in sets])
            print(f"| {megapixels} | {name} | {found.mean():.2f} | {found.max():.2f} |")


def dot_sets(picture: Picture) -> dict[str, list[list[Hint]]]:
    """Fixed dots, by what they show."""
    rng = np.random.default_rng(0)
    cell = picture.width / picture.size[1]

    def places(count: int, right: float) -> NDArray[np.float64]:
        return rng.uniform(
            (RIM, RIM), (picture.width - RIM - right, picture.height - RIM), (count, 2)
        )

    colors = rng.integers(0, 256, (APART, 3)).tolist()
    sets = {
        "apart": [
            [
                Hint(x, y, RADIUS, (r, g, b))
                for (x, y), (r, g, b) in zip(places(APART, 0), colors, strict=True)
            ]
        ]
    }
    for gap in GAPS:
        sets[f"{gap:g} cells"] = [
            [Hint(x, y, RADIUS, RED), Hint(x + gap * cell, y, RADIUS, BLUE)]
            for x, y in places(PAIRS, gap * cell)
        ]
    return sets


def missed(result: Result) -> NDArray[np.float64]:
    """Mean CIEDE2000 of each dot: (len(hints),)."""
    shown = result.picture.reachable(result.hints)
    return np.array([_missed(result, hint) for hint in shown])


def _missed(result: Result, hint: Hint) -> float:
    inner = round(RADIUS * 0.7)
    side = 2 * inner + 1
    x, y = int(hint.x) - inner, int(hint.y) - inner
    gray = np.ascontiguousarray(result.picture.luminance[y : y + side, x : x + side])
    asked = compose(gray, np.broadcast_to(asked_ab([hint])[0], (*gray.shape, 2)))
    found = result.full(area=(x, y, side, side))
    return float(deltaE_ciede2000(lab_of(asked), lab_of(found)).mean())


if __name__ == "__main__":
    main()

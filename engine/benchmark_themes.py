"""Six thumbnails in one batch beside single runs: `python -m engine.benchmark themes`.

All rows work at the same size, the thumbnails' own. A single run encodes and decodes once.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from engine.colorizer import Colorizer
from engine.command import parser_of
from engine.recommend import ThemeRecommender
from engine.samples import COFFEE
from engine.weights import load_network

SIDE = 160
COUNT = 6
REPEATS = 21


def main(arguments: Sequence[str] | None = None) -> None:
    parser_of("engine.benchmark themes", __doc__).parse_args(arguments)
    colorizer = Colorizer.load()
    recommender = ThemeRecommender.load(load_network("default"))
    photo = cv2.imread(str(COFFEE), cv2.IMREAD_GRAYSCALE)
    assert photo is not None
    picture = colorizer.open(np.asarray(photo, np.uint8))
    lightness = picture.working_lightness
    themes = recommender.recommend(lightness, COUNT)
    rows: dict[str, Callable[[], object]] = {
        "recommend six themes": lambda: recommender.recommend(lightness, COUNT),
        "one thumbnail": lambda: colorizer.thumbnails(picture, themes[:1], SIDE),
        "six thumbnails in one batch": lambda: colorizer.thumbnails(picture, themes, SIDE),
        "six thumbnails one by one": lambda: [
            colorizer.thumbnails(picture, [theme], SIDE) for theme in themes
        ],
    }
    for name, seconds in median_times(rows).items():
        print(f"{name}: {1000 * seconds:.1f} ms", flush=True)


def median_times(rows: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds. The rows take turns, so that what else the machine does hits all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(1 + REPEATS):
        for name, run in rows.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


if __name__ == "__main__":
    main()

"""From a photo to its colours, step by step: `python -m engine.benchmark pipeline`.

The engine's own part, at 1, 12, 24 and 100 megapixels, on the processor and on the GPU:

    open      everything that depends on the photo alone
    network   without input, the first time: encoder and decoder
    dot       the network after a new dot, with the dots' correction
    theme     the network in a new theme on the same photo
    enlarge   colour from working size to the photo's own, along the edges of L
    compose   colour and the photo's lightness to RGB

Milliseconds, medians. The bands of "enlarge" and "compose" run together, as in the product; their
time is parted as that on the cores was. `python -m server.benchmark` adds the files and the
socket, and what all of it costs together.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.benchmark_networks import describe, milliseconds
from engine.colorizer import Colorizer
from engine.command import parser_of
from engine.compose import compose
from engine.enlarge import BAND_PIXELS, THREADS, Lines
from engine.hints import Hint
from engine.result import Result
from engine.samples import COFFEE
from engine.themes import Theme

SIZES = {1: (1200, 800), 12: (4240, 2830), 24: (6000, 4000), 100: (12200, 8200)}  # megapixels
THEMES = (
    Theme(((16, 48, 128), (32, 96, 176), (96, 160, 224)), (0.5, 0.3, 0.2)),
    Theme(((176, 64, 16), (208, 112, 48), (240, 160, 96)), (0.5, 0.3, 0.2)),
)
Step = Callable[[], object]


@dataclass(frozen=True)
class Stages:
    """Milliseconds of each step."""

    open: float
    network: float
    dot: float
    theme: float
    enlarge: float
    compose: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark pipeline", __doc__)
    parser.add_argument("--megapixels", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    names = [field.name for field in fields(Stages)]
    for device in ("cpu", "cuda"):
        if device == "cuda" and not torch.cuda.is_available():
            print("\nno GPU here")
            continue
        print(f"\n{describe(device)}\n\n| megapixels | {' | '.join(names)} |")
        print("| ---: |" + " ---: |" * len(names))
        colorizer = Colorizer.load(device=device)
        for megapixels in options.megapixels:
            stages = measure(colorizer, photo(SIZES[megapixels]), options.repeats)
            times = " | ".join(f"{value:.0f}" for value in astuple(stages))
            print(f"| {megapixels} | {times} |", flush=True)


def measure(colorizer: Colorizer, gray: NDArray[np.uint8], repeats: int) -> Stages:
    """Medians over `repeats` runs, after one that warms up."""
    found = [_once(colorizer, gray, turn) for turn in range(repeats + 1)][1:]
    return Stages(*(statistics.median(values) for values in zip(*found, strict=True)))


def _once(colorizer: Colorizer, gray: NDArray[np.uint8], turn: int) -> tuple[float, ...]:
    height, width = gray.shape
    dots = [Hint(width / 2 + turn, height / 3, 8, (200, 30, 40))]
    opened = colorizer.open(gray)

    def timed(step: Step) -> float:
        return milliseconds(step, colorizer.device)

    return (
        timed(lambda: colorizer.open(gray)),
        timed(lambda: colorizer.colorize(opened)),
        timed(lambda: colorizer.colorize(opened, dots)),
        timed(lambda: colorizer.colorize(opened, (), THEMES[turn % 2])),
        *_full(colorizer.colorize(opened, dots)),
    )


def _full(result: Result) -> tuple[float, float]:
    """Milliseconds of enlarging and of composing, as `engine.enlarge.full_size` does them."""
    gray = result.picture.gray
    height, width = gray.shape
    began = time.perf_counter()
    lines = Lines(result.ab, gray, guide=result.picture.guide)
    prepared = time.perf_counter() - began
    rows = max(1, BAND_PIXELS // width)

    def color(top: int) -> tuple[float, float]:
        band = gray[top : top + rows]
        start = time.perf_counter()
        ab = lines.band(band, top, height)
        middle = time.perf_counter()
        compose(band, ab)
        return middle - start, time.perf_counter() - middle

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        busy = np.array(list(threads.map(color, range(0, height, rows)))).sum(0)
    enlarging, composing = (time.perf_counter() - began) * busy / busy.sum()
    return 1000 * (prepared + float(enlarging)), 1000 * float(composing)


def photo(size: tuple[int, int], number: int = 0) -> NDArray[np.uint8]:
    """A real photo, enlarged to (width, height); one of its own for each number."""
    sample = cv2.imread(str(COFFEE), cv2.IMREAD_GRAYSCALE)
    assert sample is not None
    large = np.asarray(cv2.resize(sample, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    large[0, 0] = number
    return large


if __name__ == "__main__":
    main()

"""Ways of enlarging colour, against the truth: `python -m engine.benchmark enlarge`.

First the true ab of photos is reduced 4 and 8 times and enlarged again. PSNR of ab (peak 110) over
all pixels, mean CIEDE2000 within 4 pixels of strong edges of chroma, and the time for a megapixel
(median over the photos). Ways marked * are OpenCV's own from its module ximgproc; they appear where
opencv-contrib-python-headless is installed. Each of them refines the cubic enlargement, with the
best settings of a few that were tried on these photos.

Then what the network gives with 20 dots at growing working sizes, enlarged in two ways.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine import enlarge
from engine.benchmark_photos import (
    Photo,
    add_photo_options,
    edge_error,
    psnr,
    sample_photos,
    validation_photos,
)
from engine.colorizer import Colorizer
from engine.command import parser_of

FACTORS = (4, 8)
WORKING_SIDES = (128, 256, 512)

Plane = NDArray[np.float32]
Way = Callable[[Plane, Plane], Plane]  # ab (h, w, 2) and the photo (H, W) 0..1 -> ab (H, W, 2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark enlarge", __doc__)
    add_photo_options(parser)
    options = parser.parse_args(arguments)
    sets = {"of 451 to 741 pixels": sample_photos()}
    if options.photos:
        sets["of 256 pixels"] = validation_photos(options.photos, options.limit)
    for title, photos in sets.items():
        print(f"\n{len(photos)} photos {title}, true colour reduced:\n")
        print(truth_table(photos, ways()), flush=True)
    print(f"\n{len(sets['of 451 to 741 pixels'])} photos, the network's colour with dots:\n")
    print(network_table(sets["of 451 to 741 pixels"]))


def truth_table(photos: Sequence[Photo], candidates: Mapping[str, Way]) -> str:
    heads = [f"{f}x: {what}" for f in FACTORS for what in ("PSNR", "at edges", "ms / MP")]
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for name, way in candidates.items():
        figures = [f"{figure:.2f}" for factor in FACTORS for figure in measure(photos, factor, way)]
        lines.append(f"| {name} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def measure(photos: Sequence[Photo], factor: int, way: Way) -> tuple[float, float, float]:
    """PSNR, CIEDE2000 at edges, and milliseconds for a megapixel."""
    decibels, edges, times = [], [], []
    for photo in photos:
        height, width = photo.gray.shape
        size = (max(1, width // factor), max(1, height // factor))
        small = cv2.resize(photo.lab[..., 1:], size, interpolation=cv2.INTER_AREA)
        began = time.perf_counter()
        ab = way(np.asarray(small, np.float32), photo.gray)
        times.append((time.perf_counter() - began) * 1e9 / photo.gray.size)
        decibels.append(psnr(ab, photo))
        edges.append(edge_error(ab, photo))
    return float(np.mean(decibels)), float(np.nanmean(edges)), statistics.median(times)


def network_table(photos: Sequence[Photo]) -> str:
    """The shipped network at several working sizes, its ab enlarged by bicubic and by ours."""
    colorizer = Colorizer.load()
    lines = ["| working size | bicubic: PSNR | at edges | ours: PSNR | at edges |"]
    lines.append("| ---: |" + " ---: |" * 4)
    for side in WORKING_SIDES:
        small = [colorizer.colorize(colorizer.open_at(p.gray, side), p.hints).ab for p in photos]
        figures = []
        for way in (_plain(cv2.INTER_CUBIC), enlarge.enlarge_ab):
            large = [way(ab, photo.gray) for ab, photo in zip(small, photos, strict=True)]
            pairs = list(zip(large, photos, strict=True))
            figures.append(float(np.mean([psnr(ab, photo) for ab, photo in pairs])))
            figures.append(float(np.nanmean([edge_error(ab, photo) for ab, photo in pairs])))
        lines.append(f"| {side} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    return "\n".join(lines)


def ways() -> dict[str, Way]:
    """Every way that can be had here."""
    found: dict[str, Way] = {
        "bilinear": _plain(cv2.INTER_LINEAR),
        "bicubic": _plain(cv2.INTER_CUBIC),
        "joint bilateral upsampling": joint_bilateral_upsampling,
        "guided, whole slope": _lines(1.0),
        f"guided, slope times {enlarge.TRUST:g} (ours)": _lines(enlarge.TRUST),
    }
    if hasattr(cv2, "ximgproc"):
        x = cv2.ximgproc
        found |= {
            "* guided filter": _refine(lambda g, p, f: x.guidedFilter(g, p, f, 1e-3 * 255**2)),
            "* joint bilateral filter": _refine(
                lambda g, p, f: x.jointBilateralFilter(g.astype(np.float32), p, -1, 10, f / 2)
            ),
            "* domain transform": _refine(lambda g, p, f: x.dtFilter(g, p, f / 2, 10)),
            "* fast global smoother": _refine(
                lambda g, p, f: x.fastGlobalSmootherFilter(g, p, 0.1 * f * f, 5)
            ),
        }
    return found


def joint_bilateral_upsampling(ab: Plane, gray: Plane, reach: int = 2) -> Plane:
    """Kopf et al. (2007): a mean of small pixels, weighted by distance and by likeness of L."""
    height, width = gray.shape
    small_height, small_width = ab.shape[:2]
    small = cv2.resize(gray, (small_width, small_height), interpolation=cv2.INTER_AREA)
    y = (np.arange(height, dtype=np.float32) + 0.5) * small_height / height - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) * small_width / width - 0.5
    total, weights = np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            rows, columns = np.round(y) + dy, np.round(x) + dx
            far = ((rows - y) ** 2)[:, None] + ((columns - x) ** 2)[None]
            near = np.ix_(
                np.clip(rows, 0, small_height - 1).astype(int),
                np.clip(columns, 0, small_width - 1).astype(int),
            )
            weight = np.exp(-far / (2 * 0.7**2) - (small[near] - gray) ** 2 / (2 * 0.08**2))
            weights += weight
            total += weight[..., None] * ab[near]
    return np.asarray(total / np.maximum(weights, 1e-12)[..., None], np.float32)


def _plain(method: int) -> Way:
    def way(ab: Plane, gray: Plane) -> Plane:
        return np.asarray(cv2.resize(ab, gray.shape[::-1], interpolation=method))

    return way


def _lines(trust: float) -> Way:
    def way(ab: Plane, gray: Plane) -> Plane:
        usual = enlarge.TRUST
        enlarge.TRUST = trust
        try:
            return enlarge.enlarge_ab(ab, gray)
        finally:
            enlarge.TRUST = usual

    return way


def _refine(filtered: Callable[[NDArray[np.uint8], Plane, int], Plane]) -> Way:
    """Bicubic, then a filter of each plane under an 8-bit guide; the factor scales its reach."""

    def way(ab: Plane, gray: Plane) -> Plane:
        factor = round(gray.shape[0] / ab.shape[0])
        guide = (gray * 255 + 0.5).astype(np.uint8)
        cubic = cv2.resize(ab, gray.shape[::-1], interpolation=cv2.INTER_CUBIC)
        planes = [np.ascontiguousarray(cubic[..., channel]) for channel in range(2)]
        return np.stack(
            [filtered(guide, np.asarray(plane, np.float32), factor) for plane in planes], -1
        )

    return way


if __name__ == "__main__":
    main()

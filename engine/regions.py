"""The region that a dot speaks for, and pulling it wholly to the dot's colour.

A dot's region is what can be reached from it over lightness like its own. It serves to say whether
a dot was followed, and, where somebody locks a dot, to colour all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

ALIKE = 0.07  # largest difference of L / 100 between a dot and a place of its region
FOLLOWED = 15.0  # distance in ab at which a place still counts as being of the dot's colour

Region = NDArray[np.bool_]


def regions(lightness: NDArray[np.float32], seeds: Sequence[tuple[int, int]]) -> Iterator[Region]:
    """The region of every dot; a place that several dots reach belongs to the nearest one.

    lightness: (h, w), L / 100. seeds: (row, column) of the dots. Gives (h, w) for each, one at a
    time: there may be thousands.
    """
    calm = np.asarray(cv2.bilateralFilter(lightness, 5, ALIKE, 2), np.float32)
    rows, columns = (np.arange(length, dtype=np.float32) for length in lightness.shape)
    nearest = np.full(lightness.shape, np.inf, np.float32)  # squared distance in cells
    owner = np.full(lightness.shape, -1, np.int32)
    for index, (row, column) in enumerate(seeds):
        distance = (rows[:, None] - row) ** 2 + (columns - column) ** 2
        nearer = _reached(calm, (row, column)) & (distance < nearest)
        nearest[nearer], owner[nearer] = distance[nearer], index
    return (owner == index for index in range(len(seeds)))


def followed(ab: NDArray[np.float32], region: Region, asked: NDArray[np.float32]) -> float:
    """Share of a region, 0..1, whose ab (h, w, 2) is like the asked ab (2,), in CIE units."""
    distance = np.linalg.norm(ab[region] - asked, axis=-1)
    return float((distance < FOLLOWED).mean()) if len(distance) else 0.0


def pull(ab: NDArray[np.float32], region: Region, asked: NDArray[np.float32]) -> None:
    """Give a region of ab (h, w, 2) the asked ab (2,), in place; outside nothing moves."""
    ab[region] = asked


def _reached(lightness: NDArray[np.float32], seed: tuple[int, int]) -> Region:
    mask = np.zeros((lightness.shape[0] + 2, lightness.shape[1] + 2), np.uint8)
    flags = 8 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    cv2.floodFill(lightness, mask, seed[::-1], 0, ALIKE, ALIKE, flags)
    return np.asarray(mask[1:-1, 1:-1] > 0)

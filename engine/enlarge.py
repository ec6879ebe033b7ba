"""From ab at working size to the photo in colour at its own size.

Around every place of the small picture ab is explained as a straight line over L, as in the guided
filter (He, Sun and Tang, 2010): a slope, how much colour changes where lightness does, and the
offset that makes the line meet the small picture's ab. Slopes and offsets are enlarged smoothly and
the full-size L goes into the lines, so colour turns where the photo's lightness turns, and where L
is flat the result is the plain cubic enlargement. All of it runs in bands of rows, and a band needs
nothing of its neighbours: memory stays flat and there are no seams.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.compose import compose
from engine.gray import unit

BAND_PIXELS = 1 << 17  # coloured at a time; what is worked on fits the processor's cache
RADIUS = 1  # of the window at working size
EDGE = 0.05  # contrast of L (0..1) at which the slope is trusted half
TRUST = 0.5  # share of the slope that is used; more overshoots at edges of lightness alone
THREADS = min(8, os.cpu_count() or 1)  # for the bands
REACH = RADIUS + 2  # cells at working size from which a place of the result takes its colour
SMOOTH = 4  # times the working size that the cubic enlargement goes; from there on it is linear

Area = tuple[int, int, int, int]  # x, y, width, height in photo pixels


def enlarge_ab(ab: NDArray[np.float32], gray: NDArray[Any]) -> NDArray[np.float32]:
    """Enlarge ab edge-aware.

    ab: (h, w, 2) in any unit; gray: (H, W) uint8, uint16 or float32. Returns (H, W, 2).
    """
    lines = Lines(ab, gray)
    return lines.band(gray, 0, gray.shape[0])


def full_size(
    gray: NDArray[Any],
    ab: NDArray[np.float32],
    tick: Callable[[float], None],
    area: Area | None = None,
    guide: NDArray[np.float32] | None = None,
) -> NDArray[Any]:
    """The photo in colour.

    gray: (H, W), or (H, W, 2) with alpha last; uint8, uint16 or float32. ab: (h, w, 2), CIE units.
    tick: called with the fraction done after each band. area: the rectangle that is wanted, all by
    default. guide: `guide_of` the photo at ab's size, where it is known already. Returns (H, W, 3),
    or (H, W, 4) with gray's alpha, of gray's dtype.
    """
    luminance = gray if gray.ndim == 2 else np.ascontiguousarray(gray[..., 0])
    x, y, width, height = area or (0, 0, gray.shape[1], gray.shape[0])
    result = np.empty((height, width, 3 if gray.ndim == 2 else 4), gray.dtype)
    if not result.size:
        return result
    lines = Lines(ab, luminance, x, width, guide)
    wanted = luminance[y : y + height, x : x + width]
    if gray.ndim == 3:
        result[..., 3] = gray[y : y + height, x : x + width, 1]
    rows = max(1, BAND_PIXELS // width)

    def color(top: int) -> None:
        band = np.ascontiguousarray(wanted[top : top + rows])
        ab_there = lines.band(band, y + top, luminance.shape[0])
        result[top : top + rows, :, :3] = compose(band, ab_there)

    with ThreadPoolExecutor(THREADS) as threads:
        jobs = [threads.submit(color, top) for top in range(0, height, rows)]
        try:
            for number, job in enumerate(jobs, 1):
                job.result()
                tick(number / len(jobs))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return result


def guide_of(gray: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """The photo (H, W) at working size (height, width): 0..1."""
    return unit(np.asarray(cv2.resize(gray, size[::-1], interpolation=cv2.INTER_AREA)))


def lines_over(ab: NDArray[np.float32], guide: NDArray[np.float32]) -> NDArray[np.float32]:
    """ab (h, w, 2) as straight lines over `guide_of` the photo: (h, w, 4), slopes and offsets."""
    guide = guide[..., None]
    mean_guide, mean_ab = _mean(guide), _mean(ab)
    variance = _mean(guide * guide) - mean_guide**2
    covariance = _mean(guide * ab) - mean_guide * mean_ab
    slope = np.float32(TRUST) * covariance / (variance + EDGE**2)
    return np.concatenate((slope, ab - slope * guide), -1, dtype=np.float32)


class Lines:
    """ab as straight lines over L: slopes and offsets, already as wide as the photo.

    Only their rows are enlarged later, band by band: the width is done once for all bands.
    x, wide: the photo's columns that are wanted; all by default. guide: as for `full_size`.
    """

    def __init__(
        self,
        ab: NDArray[np.float32],
        gray: NDArray[Any],
        x: int = 0,
        wide: int | None = None,
        guide: NDArray[np.float32] | None = None,
    ) -> None:
        height, width = ab.shape[:2]
        lines = lines_over(ab, guide_of(gray, (height, width)) if guide is None else guide)
        size = (_smooth(width, gray.shape[1]), _smooth(height, gray.shape[0]))
        smooth = cv2.resize(lines, size, interpolation=cv2.INTER_CUBIC)
        whole = (gray.shape[1], smooth.shape[0])
        columns = np.s_[:, x : None if wide is None else x + wide]
        self._wide = np.stack(
            [
                cv2.resize(plane, whole, interpolation=cv2.INTER_LINEAR)[columns]
                for plane in cv2.split(smooth)
            ]
        )  # (4, h, W)

    def band(self, gray: NDArray[Any], top: int, height: int) -> NDArray[np.float32]:
        """ab of some rows of the photo.

        gray: (rows, W), the photo's rows from `top` on; height: of the whole photo.
        """
        small = self._wide.shape[1]
        place = (np.arange(top, top + gray.shape[0]) + 0.5) * small / height - 0.5
        place = np.clip(place, 0, small - 1)
        above = place.astype(np.intp)
        below = np.minimum(above + 1, small - 1)
        share = (place - above).astype(np.float32)[:, None]
        light = unit(gray)
        result = np.empty((*gray.shape, 2), np.float32)
        for channel in range(2):
            slope, offset = (
                self._wide[plane, above] * (1 - share) + self._wide[plane, below] * share
                for plane in (channel, channel + 2)
            )
            slope *= light
            np.add(slope, offset, out=result[..., channel])
        return result


class Pixels:
    """Single pixels of the enlarged picture, which can be had without making the rest of it.

    x and y: (N, M), columns and rows of the photo; gray: the photo (H, W); working: height and
    width at working size.
    """

    def __init__(
        self,
        x: NDArray[np.intp],
        y: NDArray[np.intp],
        gray: NDArray[Any],
        working: tuple[int, int],
    ) -> None:
        self._light = unit(gray[y, x])[..., None]
        *self._columns, across = _between(x, working[1], gray.shape[1])
        *self._rows, down = _between(y, working[0], gray.shape[0])
        self._across, self._down = across[..., None], down[..., None]

    def ab(self, lines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Their ab, (N, M, 2). lines: of `lines_over`."""
        above, below = (self._in_row(lines, row) for row in self._rows)
        there = above + self._down * (below - above)
        return np.asarray(there[..., :2] * self._light + there[..., 2:], np.float32)

    def _in_row(self, lines: NDArray[np.float32], row: NDArray[np.float32]) -> NDArray[np.float32]:
        left, right = (
            np.asarray(cv2.remap(lines, column, row, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE))
            for column in self._columns
        )
        return np.asarray(left + self._across * (right - left), np.float32)


def _smooth(cells: int, length: int) -> int:
    """As many places the cubic enlargement gives along a side of `length` photo pixels."""
    return min(SMOOTH * cells, length)


def _between(
    pixel: NDArray[np.intp], cells: int, length: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The two places of the cubic enlargement around a pixel, in cells, and the second's share."""
    count = _smooth(cells, length)
    place = np.clip((pixel + 0.5) * count / length - 0.5, 0, count - 1)
    first = np.floor(place)
    both = (first, np.minimum(first + 1, count - 1))
    low, high = (((at + 0.5) * cells / count - 0.5).astype(np.float32) for at in both)
    return low, high, (place - first).astype(np.float32)


def _mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    side = 2 * RADIUS + 1
    mean = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, np.float32).reshape(values.shape)

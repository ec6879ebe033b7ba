"""Dots ("hints") a person paints: found in a layer, and laid out for the network.

A dot is found at full size, as a connected blob of like colour, so the smallest one on the largest
photo survives; on the network's grid it takes at least one cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.color import lab_of

OPAQUE = 128  # alpha from which a painted pixel counts; a soft brush's rim does not
SAME_COLOR = 24  # largest difference of one 8-bit component inside a dot
_NEIGHBOURS = 8
_PICTURE_SHARE = 0.5  # of a layer painted in
_PICTURE_COLORS = 128  # or more different colours: that is a picture
_SAMPLE = 100_000  # pixels that are enough to tell
_LONGEST_DOT = 2.5  # a blob longer than this many times its thickness is a stroke
_MAX_PIECES = 64  # along the longer side of a stroke

Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns


@dataclass(frozen=True)
class Hint:
    """One dot, in photo pixels; the centre of the first pixel is at 0.5, 0.5."""

    x: float
    y: float
    radius: float  # photo pixels, of a disc of the dot's area
    color: tuple[int, int, int]  # sRGB, 0..255
    locked: bool = False  # all of the dot's region shall have its colour


def is_picture(rgba: NDArray[np.uint8]) -> bool:
    """Is this layer (H, W, 4) a picture, a copy of the photo for instance, rather than dots?"""
    opaque = rgba[..., 3] >= OPAQUE
    if opaque.mean() < _PICTURE_SHARE:
        return False
    painted = rgba[opaque][:, :3]
    sample = painted[:: max(1, len(painted) // _SAMPLE)]
    return len(np.unique(sample, axis=0)) >= _PICTURE_COLORS


def hints_from_rgba(rgba: NDArray[np.uint8], x: int = 0, y: int = 0) -> list[Hint]:
    """Find the dots of a hints layer.

    rgba: (H, W, 4) sRGB with straight alpha; x, y: where its corner lies in the photo. Touching
    strokes of different colours are different dots. The order is from top to bottom.
    """
    opaque = rgba[..., 3] >= OPAQUE
    if not opaque.any():
        # Nothing reaches half opacity: a faint dot is still a dot.
        opaque = rgba[..., 3] > 0
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        opaque.astype(np.uint8), connectivity=_NEIGHBOURS, ltype=cv2.CV_32S
    )
    hints: list[Hint] = []
    for index in range(1, count):
        left, top, width, height, _ = (int(v) for v in boxes[index])
        window = np.s_[top : top + height, left : left + width]
        hints += _blob_hints(rgba[window], labels[window] == index, x + left, y + top)
    return hints


def _blob_hints(rgba: NDArray[np.uint8], inside: NDArray[np.bool_], x: int, y: int) -> list[Hint]:
    """The dots of one connected blob: one for each of its colours, several along a stroke."""
    return [
        _hint(rgba, rows, columns, x, y)
        for area in _single_colored(rgba[..., :3], inside)
        for rows, columns in _pieces(area)
    ]


def _single_colored(rgb: NDArray[np.uint8], inside: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    if int(np.ptp(rgb[inside], axis=0).max()) <= SAME_COLOR:
        return [inside]
    areas: list[NDArray[np.bool_]] = []
    left = inside.copy()
    while left.any():
        # The most frequent of the remaining colours takes every pixel that is like it.
        packed = rgb[left].astype(np.int32) @ np.array((1 << 16, 1 << 8, 1), np.int32)
        values, counts = np.unique(packed, return_counts=True)
        most = int(values[counts.argmax()])
        color = np.array((most >> 16, most >> 8 & 255, most & 255), np.int16)
        alike = left & (np.abs(rgb.astype(np.int16) - color).max(-1) <= SAME_COLOR)
        count, labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=_NEIGHBOURS)
        areas += [labels == index for index in range(1, count)]
        left &= ~alike
    # Where a smooth brush crosses another colour, thin rims of mixed colour arise: not dots.
    solid = [area for area in areas if cv2.erode(area.astype(np.uint8), np.ones((2, 2))).any()]
    return solid or areas


def _pieces(area: NDArray[np.bool_]) -> Iterator[Pixels]:
    """A compact dot as it is; a stroke cut into squares about as long as it is thick."""
    rows, columns = np.nonzero(area)
    distance = cv2.distanceTransform(np.pad(area, 1).astype(np.uint8), cv2.DIST_L2, 3)
    thickness = 2 * float(distance.max())
    extent = max(area.shape)
    if extent <= _LONGEST_DOT * thickness:
        yield rows, columns
        return
    side = int(np.ceil(max(thickness, extent / _MAX_PIECES)))
    cell = rows // side * (area.shape[1] // side + 1) + columns // side
    order = cell.argsort(kind="stable")
    for piece in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        yield rows[piece], columns[piece]


def _hint(
    rgba: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp], x: int, y: int
) -> Hint:
    pixels = rgba[rows, columns]
    alpha = pixels[:, 3].astype(np.float64)
    color = np.average(pixels[:, :3], axis=0, weights=alpha).round().astype(int)
    return Hint(
        float(x + np.average(columns, weights=alpha) + 0.5),
        float(y + np.average(rows, weights=alpha) + 0.5),
        float(np.sqrt(len(rows) / np.pi)),
        (int(color[0]), int(color[1]), int(color[2])),
    )


def hint_planes(
    hints: Sequence[Hint], photo: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.float32]:
    """Lay hints out on the network's grid.

    photo and grid: (height, width). Returns (3, height, width) of the grid: CIE a, b and the mask.
    Every hint covers the cells whose centres it covers, and at least the one it lies in; where two
    meet in a cell the smaller one wins, since it was aimed more finely. Hints outside the photo
    are left out.
    """
    planes = np.zeros((3, *grid), np.float32)
    scale_y, scale_x = grid[0] / photo[0], grid[1] / photo[1]
    inside = [h for h in hints if 0 <= h.x < photo[1] and 0 <= h.y < photo[0]]
    for hint in sorted(inside, key=lambda h: -h.radius):
        ab = srgb_to_lab(hint.color)[1:]
        cells = _covered(hint.x * scale_x, hint.y * scale_y, hint.radius * scale_x, grid)
        planes[(slice(None), *cells)] = np.array((*ab, 1.0), np.float32)[:, None]
    return planes


def _covered(
    x: float, y: float, radius: float, grid: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells under a disc, clipped to the grid."""
    rows = np.arange(max(0, int(y - radius)), min(grid[0], int(y + radius) + 1))
    columns = np.arange(max(0, int(x - radius)), min(grid[1], int(x + radius) + 1))
    distance = (rows[:, None] + 0.5 - y) ** 2 + (columns[None, :] + 0.5 - x) ** 2
    row, column = np.nonzero(distance <= radius**2)
    if len(row):
        return rows[row], columns[column]
    return np.array([min(int(y), grid[0] - 1)]), np.array([min(int(x), grid[1] - 1)])


def srgb_to_lab(color: tuple[int, int, int]) -> tuple[float, float, float]:
    """CIE Lab (D65) of one 8-bit sRGB colour."""
    lightness, a, b = lab_of(np.array(color, np.uint8))
    return float(lightness), float(a), float(b)

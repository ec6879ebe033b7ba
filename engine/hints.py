"""Dots ("hints") a person paints, and how they lie on the network's grid.

On the grid even the smallest dot on the largest photo takes at least one cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.color import ab_of

NOBODY = -1  # a cell of the grid without a dot


@dataclass(frozen=True)
class Hint:
    """One dot, in photo pixels; the centre of the first pixel is at 0.5, 0.5."""

    x: float
    y: float
    radius: float  # photo pixels, of a disc of the dot's area
    color: tuple[int, int, int]  # sRGB, 0..255
    locked: bool = False  # all of the dot's region shall have its colour


def owners(
    hints: Sequence[Hint], photo: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.intp]:
    """Which hint each cell of the network's grid belongs to: its number, or NOBODY.

    photo and grid: (height, width); the result has the grid's shape. Every hint covers the cells
    whose centres it covers, and at least the one it lies in; where two meet in a cell the smaller
    one wins, since it was aimed more finely. Hints outside the photo are left out.
    """
    owner = np.full(grid, NOBODY, np.intp)
    inside = [i for i, h in enumerate(hints) if 0 <= h.x < photo[1] and 0 <= h.y < photo[0]]
    for index in sorted(inside, key=lambda i: -hints[i].radius):
        owner[_covered(hints[index], photo, grid)] = index
    return owner


def hint_planes(hints: Sequence[Hint], owner: NDArray[np.intp]) -> NDArray[np.float32]:
    """Hints as the network takes them: CIE a, b and the mask, (3, height, width).

    owner: of `owners`.
    """
    planes = np.zeros((3, *owner.shape), np.float32)
    there = owner != NOBODY
    if there.any():
        planes[:2, there] = asked_ab(hints)[owner[there]].T
    planes[2] = there
    return planes


def asked_ab(hints: Sequence[Hint]) -> NDArray[np.float32]:
    """The CIE a and b of each hint's colour: (len(hints), 2)."""
    return ab_of([hint.color for hint in hints])


def _covered(
    hint: Hint, photo: tuple[int, int], grid: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells under a hint, clipped to the grid."""
    down, across = grid[0] / photo[0], grid[1] / photo[1]  # cells of a photo pixel
    x, y, wide, tall = hint.x * across, hint.y * down, hint.radius * across, hint.radius * down
    rows = np.arange(max(0, int(y - tall)), min(grid[0], int(y + tall) + 1))
    columns = np.arange(max(0, int(x - wide)), min(grid[1], int(x + wide) + 1))
    distance = ((rows + 0.5 - y) / down)[:, None] ** 2 + ((columns + 0.5 - x) / across) ** 2
    row, column = np.nonzero(distance <= hint.radius**2)
    if len(row):
        return rows[row], columns[column]
    return np.array([min(int(y), grid[0] - 1)]), np.array([min(int(x), grid[1] - 1)])

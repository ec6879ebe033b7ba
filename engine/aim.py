"""Bring the enlarged result to the asked colour at every dot.

The result is made at working size, where a small dot is one cell, and then enlarged along the edges
of L. There the colours around a dot and the photo's lightness have their say, so what is seen at
the dot is not what its cell holds: the cell is given more, or less, until the enlarged colour is
the asked one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.enlarge import Pixels, lines_over
from engine.hints import NOBODY, Hint
from engine.picture import Picture

NEAR = 0.5  # CIE units; what is missing no more than this is not looked for
OTHER = 5.0  # CIE units; two dots that differ less were asked the same colour
_MOST_ROUNDS = 12
_FARTHEST = 40.0  # CIE units of a or b that a cell may be from what its dot asks for
_STEP = 1.5  # times what is missing: of a cell's change its dot shows a quarter to the whole
_SAMPLES = 5  # pixels looked at in a row and in a column of a dot
_INNER = 0.7  # of a dot's radius: half the side of the square inside its disc


class Sight:
    """Looks at dots in the enlarged result, without making the rest of it.

    owner: of `Picture.owners` of these hints.
    """

    def __init__(self, picture: Picture, hints: Sequence[Hint], owner: NDArray[np.intp]) -> None:
        self._guide = picture.guide
        x, y = _places(hints, picture)
        self._pixels = Pixels(x, y, picture.luminance, picture.size)
        height, width = picture.size
        cells = owner[y * height // picture.height, x * width // picture.width]
        own = (cells == np.arange(len(hints))[:, None]) | (cells == NOBODY)
        own |= ~own.any(1, keepdims=True)  # of a dot that lost all of its cells all counts
        self._share = (own / own.sum(1, keepdims=True)).astype(np.float32)[..., None]

    def seen(self, ab: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean a and b of each dot in the enlargement of ab (h, w, 2): (len(hints), 2).

        Where a smaller dot lies on a larger one, they are those of what is left of the larger one.
        """
        found = self._pixels.ab(lines_over(ab, self._guide))
        return np.asarray((found * self._share).sum(1), np.float32)


def aim(
    ab: NDArray[np.float32],
    sight: Sight,
    owner: NDArray[np.intp],
    asked: NDArray[np.float32],
) -> None:
    """Change ab (h, w, 2), in CIE units, in place, until the dots are seen in the asked colours.

    asked: (len(hints), 2), a and b. Dots that are nearer to each other than cells, or than pixels
    of a photo below the working size, may miss them: then it ends with the least that was missed.
    """
    there = owner != NOBODY
    aimed, wanted = np.unique(owner[there]), asked[owner[there]]
    best, least = ab[there], np.inf
    for _ in range(_MOST_ROUNDS):
        missing = asked - sight.seen(ab)
        missed = np.square(missing[aimed]).mean()
        if missed < least:
            best, least = ab[there], missed
        if np.abs(missing[aimed]).max() < NEAR:
            break
        moved = ab[there] + _STEP * missing[owner[there]]
        ab[there] = np.clip(moved, wanted - _FARTHEST, wanted + _FARTHEST)
    ab[there] = best


def overruled(
    picture: Picture, hints: Sequence[Hint], owner: NDArray[np.intp], asked: NDArray[np.float32]
) -> bool:
    """Has a dot no cell of its own, while the one that has its cell was asked another colour?

    The arguments are those of `Sight` and `aim`.
    """
    lost = np.setdiff1d(np.arange(len(hints)), owner)
    winners = [owner[picture.cell(hints[index])] for index in lost]
    return bool((np.abs(asked[lost] - asked[winners]) > OTHER).any())


def _places(hints: Sequence[Hint], picture: Picture) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns and rows of pixels all over each dot: (len(hints), _SAMPLES**2)."""
    steps = np.linspace(-_INNER, _INNER, _SAMPLES)
    dots = np.array([(hint.x, hint.y, hint.radius) for hint in hints])[..., None]
    x = dots[:, 0] + dots[:, 2] * np.tile(steps, _SAMPLES)
    y = dots[:, 1] + dots[:, 2] * np.repeat(steps, _SAMPLES)
    columns = np.clip(x.astype(np.intp), 0, picture.width - 1)
    return columns, np.clip(y.astype(np.intp), 0, picture.height - 1)

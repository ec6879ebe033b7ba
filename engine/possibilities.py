"""What colours a photo could have: the same photo in several themes that suit it.

Where they agree the network is sure; where they differ it lies with the person. So the colours
found at a place are suggested for it, and the places where they differ most are the ones where a
dot helps most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.compose import compose
from engine.themes import Color, color_of

ALIKE = 9.0  # distance in ab below which two suggestions are the same colour
_CALM = 0.06  # of the longer side: a place of doubt is no smaller than this
_CLEAR = 5.0  # mean distance in ab from the mean colour below which nobody needs a dot
_REACH = 0.15  # of the longer side: so far around a dot no other one is asked for


@dataclass(frozen=True)
class Possibilities:
    """ab of a photo in several themes, the likeliest first, over its lightness."""

    ab: NDArray[np.float32]  # (M, h, w, 2), CIE units
    weights: NDArray[np.float32]  # (M,), how likely each is; sums to 1

    def colors_at(
        self, x: float, y: float, gray: int, most: int
    ) -> tuple[tuple[Color, float], ...]:
        """Different colours of a place and how likely each is, the likeliest first.

        x, y: 0..1 of the photo's width and height. gray: the photo's 8-bit luminance there.
        """
        _, height, width, _ = self.ab.shape
        row, column = min(int(y * height), height - 1), min(int(x * width), width - 1)
        around = np.s_[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        found = self.ab[around].mean((1, 2))
        groups: list[tuple[NDArray[np.float32], float]] = []
        for ab, weight in zip(found, self.weights, strict=True):
            near = [i for i, (mean, _) in enumerate(groups) if np.hypot(*(mean - ab)) < ALIKE]
            if near:
                mean, share = groups[near[0]]
                total = share + float(weight)
                groups[near[0]] = ((mean * share + ab * weight) / total, total)
            else:
                groups.append((ab, float(weight)))
        groups = sorted(groups, key=lambda group: -group[1])[:most]
        colors = compose(
            np.full((1, len(groups)), gray, np.uint8), np.stack([mean for mean, _ in groups])[None]
        )[0]
        shares = [share for _, share in groups]
        return tuple(zip(map(color_of, colors), shares, strict=True))

    def places(
        self, dots: Sequence[tuple[float, float]], most: int
    ) -> tuple[tuple[float, float], ...]:
        """Where the possibilities differ most, away from the dots; x, y are 0..1 of the photo."""
        _, height, width, _ = self.ab.shape
        doubt = self._doubt()
        places: list[tuple[float, float]] = []
        reach = max(1.0, _REACH * max(height, width))
        rows, columns = np.indices((height, width)) + 0.5
        for x, y in dots:
            doubt[np.hypot(rows - y * height, columns - x * width) < reach] = 0
        while len(places) < most and doubt.max() > _CLEAR:
            row, column = np.unravel_index(doubt.argmax(), doubt.shape)
            places.append(((float(column) + 0.5) / width, (float(row) + 0.5) / height))
            doubt[np.hypot(rows - row - 0.5, columns - column - 0.5) < reach] = 0
        return tuple(places)

    def _doubt(self) -> NDArray[np.float32]:
        """Mean distance in ab from the mean colour, over a neighbourhood: (h, w)."""
        weights = self.weights[:, None, None]
        mean = (self.ab * weights[..., None]).sum(0)
        doubt = (np.linalg.norm(self.ab - mean, axis=-1) * weights).sum(0)
        side = 2 * round(_CALM * max(doubt.shape) / 2) + 1
        return np.asarray(cv2.blur(doubt, (side, side)), np.float32)

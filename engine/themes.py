"""Colour themes: three to seven colours that say what mood a picture shall have (paper 3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.color import lab_of, lab_to_rgb

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

MIN_COLORS, MAX_COLORS = 3, 7  # paper 3.2
_SAMPLE_SIDE = 128  # a photo is looked at on a grid of about this side
_WORTH_A_COLOR = 0.15  # one more colour must explain this share of what was left unexplained

Color = tuple[int, int, int]  # sRGB, 0..255


def color_of(rgb: NDArray[Any]) -> Color:
    """One pixel (3,), 0..255, as a colour; fractions are rounded."""
    r, g, b = (int(value) for value in np.round(rgb))
    return r, g, b


class ThemeError(ValueError):
    """No theme can be made of this; the message says why."""


@dataclass(frozen=True)
class Theme:
    """Colours and, where it is known, how much of a picture each one has.

    Raises ThemeError.
    """

    colors: tuple[Color, ...]
    shares: tuple[float, ...] = ()  # how they compare counts; empty when not known
    name: str = ""

    def __post_init__(self) -> None:
        if not self.shares:
            return
        if len(self.shares) != len(self.colors):
            raise ThemeError("a theme needs one share for each colour, or none at all")
        if not (min(self.shares) >= 0 and 0 < sum(self.shares) < math.inf):
            raise ThemeError("a theme's shares are numbers from 0 on, not all of them 0")

    @property
    def weights(self) -> tuple[float, ...]:
        """What each colour counts: its share, or the same for all; sums to 1."""
        shares = self.shares or (1.0,) * len(self.colors)
        return tuple(share / sum(shares) for share in shares)


def theme_from_photo(rgb: NDArray[np.uint8], count: int | None = None) -> Theme:
    """K-means in ab over a colour photo; the most used colour comes first.

    rgb: (H, W, 3) sRGB. count: 3..7, or None to let the photo decide. The same photo gives the
    same theme in the same order. A photo with fewer distinct colours gives fewer. Raises
    ThemeError.
    """
    if count is not None and not MIN_COLORS <= count <= MAX_COLORS:
        raise ThemeError(f"a theme has {MIN_COLORS} to {MAX_COLORS} colours, not {count}")
    if rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ThemeError("a theme is taken from a colour photo of shape (height, width, 3)")
    scale = _SAMPLE_SIDE / max(rgb.shape[:2])
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
        rgb = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    lab = lab_of(rgb).reshape(-1, 3).astype(np.float64)
    return _theme(lab, np.ones(len(lab)), lab[:, 1:], count)


def reduce_theme(colors: Sequence[Color]) -> Theme:
    """Drop what repeats and cluster the rest in Lab until at most MAX_COLORS are left.

    How often a palette has a colour tells nothing of a picture: the theme's shares are not known.
    Raises ThemeError when there are no colours.
    """
    if not colors:
        raise ThemeError("the palette has no colours")
    distinct, counts = np.unique(np.array(colors, np.uint8), axis=0, return_counts=True)
    if len(distinct) <= MAX_COLORS:
        unique = dict.fromkeys(tuple(int(v) for v in color) for color in colors)
        return Theme(tuple((r, g, b) for r, g, b in unique))
    lab = lab_of(distinct[None])[0].astype(np.float64)
    clustered, _ = _cluster(lab, counts.astype(float), lab, MAX_COLORS)
    return Theme(clustered)


def colors_of_lab(lab: NDArray[np.floating[Any]]) -> tuple[Color, ...]:
    """The nearest 8-bit sRGB colours of CIE Lab colours (K, 3)."""
    planes = torch.from_numpy(np.ascontiguousarray(lab, np.float64).T[:, None])
    rgb = (lab_to_rgb(planes)[:, 0].T * 255).round().int().tolist()
    return tuple((r, g, b) for r, g, b in rgb)


def _theme(
    lab: NDArray[np.float64],
    weights: NDArray[np.float64],
    features: NDArray[np.float64],
    count: int | None,
) -> Theme:
    distinct = len(np.unique(features.round(1), axis=0))
    if count is None:
        count = _natural_count(features, min(distinct, MAX_COLORS))
    return Theme(*_cluster(lab, weights, features, min(count, distinct)))


def _natural_count(features: NDArray[np.float64], most: int) -> int:
    """Add colours while each one explains a good share of what is left."""
    fewest = min(MIN_COLORS, most)
    left = _fit(features, fewest).inertia_
    for count in range(fewest + 1, most + 1):
        now = _fit(features, count).inertia_
        if now > (1 - _WORTH_A_COLOR) * left:
            return count - 1
        left = now
    return most


def _fit(
    features: NDArray[np.float64], count: int, weights: NDArray[np.float64] | None = None
) -> KMeans:
    # A second's import, which colouring without a large palette does not need.
    from sklearn.cluster import KMeans

    return KMeans(count, n_init=2, random_state=0).fit(features, sample_weight=weights)


def _cluster(
    lab: NDArray[np.float64],
    weights: NDArray[np.float64],
    features: NDArray[np.float64],
    count: int,
) -> tuple[tuple[Color, ...], tuple[float, ...]]:
    """Cluster by features; each cluster's mean Lab is its colour. The largest comes first."""
    labels = _fit(features, count, weights).labels_
    total = np.array([weights[labels == k].sum() for k in range(count)])
    means = np.array(
        [np.average(lab[labels == k], axis=0, weights=weights[labels == k]) for k in range(count)]
    )
    order = np.lexsort((means[:, 2], means[:, 1], means[:, 0], -total))
    return colors_of_lab(means[order]), tuple(float(v) for v in total[order] / total.sum())

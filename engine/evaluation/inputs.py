"""What a photo is tried with: dots, a theme and an object to recolour, all drawn from a seed.

The draw depends on the photo's pixels and the seed only, so a photo is tried in the same way
whatever else is evaluated beside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.segmentation import felzenszwalb
from torch import Tensor

from engine.color import lab_to_linear
from engine.themes import MAX_COLORS, MIN_COLORS, Theme, theme_from_photo

COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)
FEWEST_DOTS, MOST_DOTS = 3, 20  # of the paper's Table 1
OTHER_DOTS = 10  # true ones beside the dot whose obedience is tried
_OBJECT_SHARE = (0.03, 0.2)  # of the photo
_OBJECT_LIGHTNESS = (30.0, 80.0)  # L at which every hue can be shown
_OBJECT_DEPTH = 6.0  # pixels from the dot's centre to the object's edge, at least
# Asked of the object: the first that the lightness can show, down to the last.
_CHROMA = (45.0, 20.0)
_TURN = (0.25, 0.75)  # share of the hue circle between the true colour and the asked one


@dataclass(frozen=True)
class Protocol:
    """How dots are laid out. The photo is a square of `size` pixels."""

    name: str
    size: int
    side: int  # pixels of a dot's side; it has the mean of the true ab under it
    grid: bool  # dots are different cells of a grid; else they lie anywhere and may overlap


DOTS_256 = Protocol("6x6 dots at 256", 256, 6, False)  # Zhang et al. 2017
CELLS_224 = Protocol("2x2 cells at 224", 224, 2, True)  # iColoriT (2022) and after


@dataclass(frozen=True)
class Obedience:
    """Recolour one object with one dot."""

    inside: NDArray[np.bool_]  # (256, 256), the object
    dot: NDArray[np.intp]  # (2,) row and column of the dot's corner
    asked: NDArray[np.float32]  # (2,) CIE ab, not the photo's
    others: NDArray[np.intp]  # (OTHER_DOTS, 2) corners of dots outside the object


@dataclass(frozen=True)
class Case:
    """Everything one photo is tried with."""

    theme: Theme  # the photo's own, of 3..7 colours
    dots: int  # of Table 1
    places: NDArray[np.intp]  # (100, 2) corners, for DOTS_256
    cells: NDArray[np.intp]  # (100, 2) corners, for CELLS_224
    obedience: Obedience | None  # None: the photo has no fitting object


def photo_key(rgb: NDArray[np.uint8], seed: int) -> str:
    """Names a photo and the seed: 32 hexadecimal digits."""
    return hashlib.sha256(f"{seed} {rgb.shape} ".encode() + rgb.tobytes()).hexdigest()[:32]


def draw_case(rgb: NDArray[np.uint8], seed: int) -> Case:
    """Draw a photo's inputs; the same photo and seed give the same. rgb: (256, 256, 3) sRGB."""
    rng = np.random.default_rng(int(photo_key(rgb, seed), 16))
    count = int(rng.integers(MIN_COLORS, MAX_COLORS + 1))
    dots = int(rng.integers(FEWEST_DOTS, MOST_DOTS + 1))
    places, cells = (draw_places(p, max(COUNTS), rng) for p in (DOTS_256, CELLS_224))
    return Case(theme_from_photo(rgb, count), dots, places, cells, draw_obedience(rgb, rng))


def draw_places(protocol: Protocol, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Corners of random dots: (count, 2), rows and columns. The first n are a draw of n."""
    if not protocol.grid:
        return rng.integers(0, protocol.size - protocol.side + 1, (count, 2)).astype(np.intp)
    across = protocol.size // protocol.side
    cells = rng.choice(across * across, count, replace=False)
    return (np.stack(np.divmod(cells, across), 1) * protocol.side).astype(np.intp)


def true_hints(ab: Tensor, places: list[NDArray[np.intp]], side: int) -> Tensor:
    """The hints tensor of dots in the photo's true colours.

    ab: (N, 2, H, W), any unit; places: for each photo the corners (n, 2) of its dots, n may
    differ. Returns (N, 3, H, W): the mean ab under each dot, and the mask.
    """
    means = F.avg_pool2d(ab, side, 1)
    hints = ab.new_zeros(ab.shape[0], 3, *ab.shape[2:])
    for photo, corners in enumerate(places):
        for corner in corners:
            put_dot(hints[photo], corner, side, means[photo, :, corner[0], corner[1]])
    return hints


def put_dot(hints: Tensor, corner: NDArray[np.intp], side: int, ab: Tensor) -> None:
    """Set one square dot in place. hints: (3, H, W); ab: (2,) in the hints' unit."""
    row, column = int(corner[0]), int(corner[1])
    hints[:2, row : row + side, column : column + side] = ab[:, None, None]
    hints[2, row : row + side, column : column + side] = 1


def draw_obedience(rgb: NDArray[np.uint8], rng: np.random.Generator) -> Obedience | None:
    """Choose an object and a colour for it that is not the photo's.

    There are no outlines drawn by people in the data, so an object is a segment of the true colour
    photo (Felzenszwalb and Huttenlocher 2004: scale 150, sigma 0.8, at least 400 pixels) of 3 to
    20 % of its area and mean L of 30 to 80; of those the one that holds the largest disc, and the
    dot lies in that disc's middle. The asked colour is a quarter to three quarters of the hue
    circle away from the object's own. Returns None where no segment fits.
    """
    lab = rgb2lab(rgb).astype(np.float32)
    found = _object(rgb, lab)
    if found is None:
        return None
    inside, (row, column) = found
    half = DOTS_256.side // 2
    dot = np.clip(np.array((row - half, column - half)), 0, DOTS_256.size - DOTS_256.side)
    under = lab[dot[0] : dot[0] + DOTS_256.side, dot[1] : dot[1] + DOTS_256.side].mean((0, 1))
    asked = _other_color(under, lab[inside].mean(0), float(rng.uniform(*_TURN)))
    if asked is None:
        return None
    return Obedience(inside, dot.astype(np.intp), asked, _places_outside(inside, rng))


def _object(
    rgb: NDArray[np.uint8], lab: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], tuple[int, int]] | None:
    labels = felzenszwalb(rgb, scale=150, sigma=0.8, min_size=400)
    best: tuple[float, NDArray[np.bool_], tuple[int, int]] | None = None
    for index in range(labels.max() + 1):
        inside = labels == index
        if not _OBJECT_SHARE[0] <= inside.mean() <= _OBJECT_SHARE[1]:
            continue
        if not _OBJECT_LIGHTNESS[0] <= lab[inside, 0].mean() <= _OBJECT_LIGHTNESS[1]:
            continue
        depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        deepest = float(depth[row, column])
        if deepest >= _OBJECT_DEPTH and (best is None or deepest > best[0]):
            best = deepest, inside, (int(row) - 1, int(column) - 1)
    return None if best is None else best[1:]


def _other_color(
    under: NDArray[np.float32], true: NDArray[np.float32], turn: float
) -> NDArray[np.float32] | None:
    """The most colourful ab, within bounds, that the lightness under the dot can show."""
    hue = float(np.arctan2(true[2], true[1])) + 2 * np.pi * turn
    for chroma in np.arange(_CHROMA[0], _CHROMA[1] - 1, -5):
        ab = np.array((chroma * np.cos(hue), chroma * np.sin(hue)), np.float32)
        linear = lab_to_linear(torch.tensor([under[0], *ab]).view(3, 1, 1))
        if linear.min() >= 0 and linear.max() <= 1:
            return ab
    return None


def _places_outside(inside: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Corners of dots that touch the object nowhere."""
    side = DOTS_256.side
    # A pixel is a good corner when no pixel of the dot that starts there is the object's.
    touched = cv2.dilate(inside.astype(np.uint8), np.ones((side, side)), anchor=(0, 0)) > 0
    free = np.argwhere(~touched[: 1 - side, : 1 - side])
    return free[rng.integers(0, len(free), OTHER_DOTS)]

"""The frame around a scanned photograph: a mount, a white margin, the rim of a film.

The network takes a frame for a part of what is shown and colours what is inside it otherwise; and
a frame has no colour to guess. It is sought from the photo's sides inwards: rows that are of one
tone, up to where, all at once, most of a row is of others. A frame may lie within another.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.gray import Gray, unit

Box = tuple[int, int, int, int]  # top, bottom, left, right, in photo pixels

SIDE = 512  # of the photo's longer side, at which frames are sought
LEAST_INSIDE = 0.25  # of the photo
DEEPEST = 0.3  # of a side, that one layer of a frame takes
ROUNDS = 5  # frames within frames

# Tones are luminance, 0..1.
ALIKE = 0.08  # the tones of a frame's row are no further from the frame's
MOSTLY = 0.75  # of its pixels
DRIFT = 0.2  # how quickly the frame's tone follows its rows
SUDDEN = 0.012  # of a side: within so much the photograph begins
OTHER = 0.6  # of the photograph's first row, at least, is unlike the frame
OTHER_ENCLOSED = 0.2  # … where the frame is known at both sides beside this one
PAIR = 0.15  # how far the tones of a frame's opposite sides may be apart
# A side without its opposite is believed where it is so white, or so black, and so even …
WHITE, BLACK, EVEN = 0.94, 0.05, 0.95
THIN = 0.008  # … or takes so little of the photo that little is lost, beside two more sides

_TOP, _BOTTOM, _LEFT, _RIGHT = range(4)
_SMALLEST = 32  # pixels at SIDE, of which a frame can be told


@dataclass(frozen=True)
class _Rim:
    """Rows of one tone at one side."""

    depth: int
    tone: float
    even: float  # the share of pixels that are nearly of that tone


def whole(gray: Gray) -> Box:
    """All of a photo (H, W) or (H, W, 2)."""
    return 0, int(gray.shape[0]), 0, int(gray.shape[1])


def inside(gray: Gray) -> Box:
    """What of a photo, (H, W) or (H, W, 2), lies inside its frame; all where it has none.

    A photo that is cut out, by its alpha, counts as one without.
    """
    luminance = gray if gray.ndim == 2 else gray[..., 0]
    if gray.ndim == 3 and unit(gray[..., 1].min()[None])[0] < 1:
        return whole(gray)
    scale = min(1.0, SIDE / max(luminance.shape))
    height, width = (max(1, round(side * scale)) for side in luminance.shape)
    small = unit(np.asarray(cv2.resize(luminance, (width, height), interpolation=cv2.INTER_AREA)))
    top, bottom, left, right = _inside(small)
    if (bottom - top) * (right - left) < LEAST_INSIDE * small.size:
        return whole(gray)
    down, across = luminance.shape[0] / height, luminance.shape[1] / width
    return round(top * down), round(bottom * down), round(left * across), round(right * across)


def _inside(small: NDArray[np.float32]) -> Box:
    top, bottom, left, right = whole(small)
    known: dict[int, float] = {}  # sides whose frame is found, and its tone
    for _ in range(ROUNDS):
        if min(bottom - top, right - left) < _SMALLEST:
            break
        depths = _layer(small[top:bottom, left:right], known)
        if not any(depths):
            break
        top, bottom = top + depths[_TOP], bottom - depths[_BOTTOM]
        left, right = left + depths[_LEFT], right - depths[_RIGHT]
    return top, bottom, left, right


def _layer(cut: NDArray[np.float32], known: dict[int, float]) -> list[int]:
    """How deep a frame's outermost layer is at each side; what is found is added to `known`."""
    inwards = (cut, cut[::-1], cut.T, cut.T[::-1])  # the rows of each side, from it inwards
    rims = [_rim(rows) for rows in inwards]
    depths = [rim.depth for rim in rims]
    while True:  # that one side is not believed may cost another its belief
        believed = [_believed(rims, depths, inwards[side], side, known) for side in range(4)]
        if believed == depths:
            break
        depths = believed
    known |= {side: rims[side].tone for side in range(4) if depths[side] > THIN * SIDE}
    return depths


def _rim(rows: NDArray[np.float32]) -> _Rim:
    """The rows of one tone from the first one on, but for a line or a shadow among them."""
    tone = float(np.median(rows[0]))
    depth = 0
    for index, row in enumerate(rows[: round(DEEPEST * len(rows)) + 1]):
        if (np.abs(row - tone) < ALIKE).mean() >= MOSTLY:
            depth = index + 1
            tone += DRIFT * (float(np.median(row)) - tone)
        elif index - depth > _sudden(rows):
            even = float((np.abs(rows[:depth] - tone) < ALIKE / 2).mean()) if depth else 0.0
            return _Rim(depth, tone, even)
    return _Rim(0, tone, 0.0)  # it goes on and on: a sky, a wall


def _believed(
    rims: list[_Rim],
    depths: list[int],
    rows: NDArray[np.float32],
    side: int,
    known: dict[int, float],
) -> int:
    """The depth of the frame at a side, beside what is believed of the others; 0: none is there."""
    rim, opposite = rims[side], side ^ 1
    if not depths[side]:
        return 0
    beside = (_LEFT, _RIGHT) if side in (_TOP, _BOTTOM) else (_TOP, _BOTTOM)
    framed = sum(bool(depths[each]) or each in known for each in range(4))
    paired = depths[opposite] and abs(rim.tone - rims[opposite].tone) < PAIR
    extreme = (rim.tone > WHITE or rim.tone < BLACK) and rim.even > EVEN
    thin = rim.depth <= THIN * len(rows) and framed >= 3
    distances = [abs(known.get(each, np.inf) - rim.tone) for each in beside]
    enclosed = side not in known and max(distances) < ALIKE
    if not (paired or extreme or thin or enclosed):
        return 0
    start, end = depths[beside[0]], rows.shape[1] - depths[beside[1]]
    beyond = rows[rim.depth : rim.depth + _sudden(rows) + 1, start:end]
    other = (np.abs(beyond - rim.tone) > ALIKE).mean(1)
    begins = np.flatnonzero(other >= (OTHER_ENCLOSED if enclosed else OTHER))
    return rim.depth + int(begins[0]) if len(begins) else 0


def _sudden(rows: NDArray[np.float32]) -> int:
    return max(1, round(SUDDEN * len(rows)))

"""Dots found in a painted layer.

A dot is found at full size, as a connected blob of like colour, so the smallest one on the largest
photo is not lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.hints import Hint
from engine.themes import color_of

# Alpha, for each blob of paint by itself:
FAINT = 32  # from which a pixel can be a dot's: less is what a soft eraser leaves
OPAQUE = 128  # where a blob has any such pixel, only those count: a soft brush's rim does not
SAME_COLOR = 24  # largest difference of one 8-bit component inside a dot
_NEIGHBOURS = 8
# A picture is pasted as a rectangle full of colours; a brush leaves round ends, also one whose
# colour changes on the way.
_PICTURE_SHARE = 0.98  # of the rectangle around it
_PICTURE_COLORS = 128  # or more different ones
_PICTURE_SIDE = 32  # pixels of the shorter side: a smaller one makes few dots
_PICTURE_LONGEST = 4  # times the shorter side: of a straight stroke the round ends are a small part
_SAMPLE = 100_000  # pixels that are enough to tell
_LONGEST_DOT = 2.5  # a blob longer than this many times its thickness is a stroke
_MAX_PIECES = 64  # along the longer side of a stroke

Places = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns of pixels
Blob = tuple[int, int, NDArray[np.bool_]]  # left and top of its box, and its pixels in there


class TooManyDots(ValueError):
    """A layer holds more dots than are wanted."""


class PictureFound(ValueError):
    """A layer holds a picture, a copy of the photo for instance, rather than dots."""


def hints_from_rgba(
    rgba: NDArray[np.uint8], x: int = 0, y: int = 0, most: int | None = None
) -> list[Hint]:
    """Find the dots of a hints layer.

    rgba: (H, W, 4) sRGB with straight alpha; x, y: where its corner lies in the photo; most: as
    many dots are wanted, None: all. Touching strokes of different colours are different dots. The
    order is from top to bottom. Raises TooManyDots and PictureFound.
    """
    hints: list[Hint] = []
    for left, top, inside in _blobs(rgba[..., 3]):
        height, width = inside.shape
        window = rgba[top : top + height, left : left + width]
        for hint in _blob_hints(window, inside, x + left, y + top):
            hints.append(hint)
            if most is not None and len(hints) > most:
                raise TooManyDots(f"more than {most} dots")
    return hints


def _blobs(alpha: NDArray[np.uint8]) -> Iterator[Blob]:
    """A faint dot counts like an opaque one; what is opaque parts what its faint rim connects."""
    if not alpha.size:
        return  # OpenCV 5.0 would end the process
    for left, top, inside in _connected(alpha >= FAINT):
        height, width = inside.shape
        opaque = inside & (alpha[top : top + height, left : left + width] >= OPAQUE)
        if not opaque.any():
            yield left, top, inside
            continue
        for x, y, part in _connected(opaque):
            yield left + x, top + y, part


def _connected(mask: NDArray[np.bool_]) -> Iterator[Blob]:
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(
        mask.view(np.uint8), connectivity=_NEIGHBOURS, ltype=cv2.CV_32S
    )
    for index in range(1, len(boxes)):
        left, top, width, height, _ = (int(v) for v in boxes[index])
        yield left, top, labels[top : top + height, left : left + width] == index


def _blob_hints(
    rgba: NDArray[np.uint8], inside: NDArray[np.bool_], x: int, y: int
) -> Iterator[Hint]:
    """The dots of one connected blob: one for each of its colours, several along a stroke."""
    for area in _single_colored(rgba[..., :3], inside):
        for rows, columns in _pieces(area):
            yield _hint(rgba, rows, columns, x, y)


def _single_colored(rgb: NDArray[np.uint8], inside: NDArray[np.bool_]) -> Iterator[Places]:
    colors = rgb[inside]
    if int(np.ptp(colors, axis=0).max()) <= SAME_COLOR:
        rows, columns = np.nonzero(inside)
        return iter([(rows, columns)])
    if _is_picture(inside, colors):
        raise PictureFound("a picture instead of dots")
    groups = np.zeros(inside.shape, np.int16)
    groups[inside] = _color_groups(colors)
    areas = _without_rims(_areas(groups))
    rows, columns = np.nonzero(areas)
    return _split((rows, columns), areas[rows, columns])


def _is_picture(inside: NDArray[np.bool_], colors: NDArray[np.uint8]) -> bool:
    shorter, longer = sorted(inside.shape)
    if shorter < _PICTURE_SIDE or longer > _PICTURE_LONGEST * shorter:
        return False
    if inside.mean() < _PICTURE_SHARE:
        return False
    sample = colors[:: max(1, len(colors) // _SAMPLE)]
    return len(np.unique(sample, axis=0)) >= _PICTURE_COLORS


def _color_groups(colors: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The number, from 1, of the group of like colours each of `colors` (N, 3) belongs to."""
    packed = colors.astype(np.int32) @ np.array((1 << 16, 1 << 8, 1), np.int32)
    values, counts = np.unique(packed, return_counts=True)
    group_of = np.zeros((256, 256, 256), np.int16)  # by red, green and blue
    number = 0
    for value in values[np.argsort(-counts, kind="stable")].tolist():
        color = (value >> 16, value >> 8 & 255, value & 255)
        if group_of[color]:
            continue
        # The most frequent of the remaining colours takes all that are like it.
        number += 1
        alike = group_of[*(slice(max(0, c - SAME_COLOR), c + SAME_COLOR + 1) for c in color)]
        alike[alike == 0] = number
    return group_of.reshape(-1)[packed]


def _areas(groups: NDArray[np.int16]) -> NDArray[np.intp]:
    """Connected pixels of one group have one number, from 1; where there is no group it is 0."""
    from skimage.measure import label  # slow to import, and seldom needed

    return label(groups, connectivity=2)


def _without_rims(areas: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where a smooth brush crosses another colour, thin rims of mixed colour arise: not dots."""
    corner = areas[1:, 1:]
    square = (corner == areas[:-1, 1:]) & (corner == areas[1:, :-1]) & (corner == areas[:-1, :-1])
    solid = np.zeros(areas.max() + 1, np.bool_)
    solid[corner[square]] = True
    solid[0] = False
    if solid.any():
        areas[~solid[areas]] = 0
    return areas


def _pieces(area: Places) -> Iterator[Places]:
    """A compact dot as it is; a stroke cut into squares about as long as it is thick."""
    rows, columns = (places - places.min() for places in area)
    mask = np.zeros((rows.max() + 1, columns.max() + 1), np.uint8)
    mask[rows, columns] = 1
    distance = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)
    thickness = 2 * float(distance.max())
    extent = max(mask.shape)
    if extent <= _LONGEST_DOT * thickness:
        return iter([area])
    side = int(np.ceil(max(thickness, extent / _MAX_PIECES)))
    return _split(area, rows // side * (mask.shape[1] // side + 1) + columns // side)


def _split(pixels: Places, numbers: NDArray[np.intp]) -> Iterator[Places]:
    """The pixels of each number, by growing numbers."""
    rows, columns = pixels
    order = numbers.argsort(kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    for start, end in pairwise(np.append(starts, len(order))):
        yield rows[order[start:end]], columns[order[start:end]]


def _hint(
    rgba: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp], x: int, y: int
) -> Hint:
    pixels = rgba[rows, columns]
    alpha = pixels[:, 3].astype(np.float64)
    return Hint(
        float(x + np.average(columns, weights=alpha) + 0.5),
        float(y + np.average(rows, weights=alpha) + 0.5),
        float(np.sqrt(len(rows) / np.pi)),
        color_of(np.average(pixels[:, :3], axis=0, weights=alpha)),
    )

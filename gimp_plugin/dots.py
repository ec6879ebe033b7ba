"""The hints layer as it was last read, and which parts of it to read again.

A small picture of the layer (a thumbnail, which GIMP makes in milliseconds) tells where something
was painted, erased or undone; only those cells are read at full size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Optional

from gimp_plugin.plan import STRIP_ROWS
from server.protocol.messages import HintStrip

_TRANSPARENT = b"\0"

CELL_COLUMNS = 512  # of the hints layer, read at a time; the rows are plan.STRIP_ROWS

Cell = tuple[int, int]  # its first row and its first column in the layer
ReadCell = tuple[Cell, Optional[HintStrip]]  # None: there is no paint


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a layer: rows from the top, `channels` bytes a pixel."""

    pixels: bytes
    width: int
    height: int
    channels: int

    def row(self, index: int) -> bytes:
        length = self.width * self.channels
        return self.pixels[index * length : (index + 1) * length]

    def without_filling(self, full_width: int, full_height: int) -> Thumbnail:
        """Only what shows the layer, which is of this size.

        GIMP rounds both sides and then makes the picture at the smaller of their two scales; what
        is left of the longer side repeats the layer's edge. Of a panorama that is a good part.
        """
        scale = min(self.width / full_width, self.height / full_height)
        width, height = (max(1, round(side * scale)) for side in (full_width, full_height))
        if width == self.width:
            length = width * self.channels * height
            return replace(self, pixels=self.pixels[:length], height=height)
        rows = (self.row(index)[: width * self.channels] for index in range(height))
        return replace(self, pixels=b"".join(rows), width=width, height=height)


class Painted:
    """The painted parts of the hints layer, kept from one look to the next."""

    def __init__(self) -> None:
        self._strips: dict[Cell, Optional[HintStrip]] = {}  # noqa: UP045

    @property
    def strips(self) -> tuple[HintStrip, ...]:
        """Those that hold paint."""
        return tuple(strip for strip in self._strips.values() if strip is not None)

    def forget(self) -> None:
        self._strips.clear()

    def put(self, strips: Iterable[ReadCell]) -> None:
        self._strips.update(strips)


def changed_cells(
    old: Optional[Thumbnail],  # noqa: UP045
    new: Thumbnail,
    size: tuple[int, int],
) -> list[Cell]:
    """The cells of a layer, `size` (width, height), to read again.

    A thumbnail's pixel stands for several of the layer's, and a dot at their border can change it
    alone; so the neighbouring pixels count as changed, too.
    """
    width, height = size
    cells = [(y, x) for y in range(0, height, STRIP_ROWS) for x in range(0, width, CELL_COLUMNS)]
    if old is None or _shape(old) != _shape(new):
        return cells
    tall, wide = height / new.height, width / new.width
    areas = [
        ((row - 1) * tall, (row + 2) * tall, (left - 1) * wide, (right + 1) * wide)
        for row in range(new.height)
        for left, right in _changed_columns(old.row(row), new.row(row), new.channels)
    ]
    return [
        (y, x)
        for y, x in cells
        if any(
            top < y + STRIP_ROWS and y < bottom and left < x + CELL_COLUMNS and x < right
            for top, bottom, left, right in areas
        )
    ]


def _shape(thumbnail: Thumbnail) -> tuple[int, int, int]:
    return thumbnail.width, thumbnail.height, thumbnail.channels


def _changed_columns(old: bytes, new: bytes, channels: int) -> list[tuple[int, int]]:
    """Where two rows of a thumbnail differ: the first column, and the one after the last.

    The rows are compared as long numbers, which is done at once.
    """
    different = int.from_bytes(old, "big") ^ int.from_bytes(new, "big")
    if not different:
        return []
    changed = different.to_bytes(len(new), "big")
    first = len(changed) - len(changed.lstrip(_TRANSPARENT))
    last = len(changed.rstrip(_TRANSPARENT)) - 1
    return [(first // channels, last // channels + 1)]


def trimmed(strip: HintStrip) -> Optional[HintStrip]:  # noqa: UP045
    """The smallest rectangle of a strip that holds all its paint; None: there is none."""
    stride = strip.width * 4
    rows = [strip.rgba[start : start + stride] for start in range(0, len(strip.rgba), stride)]
    alphas = [row[3::4] for row in rows]
    painted = [index for index, alpha in enumerate(alphas) if alpha.strip(_TRANSPARENT)]
    if not painted:
        return None
    top, bottom = painted[0], painted[-1] + 1
    # Numbers of arbitrary length lay whole rows over each other at once.
    together = 0
    for alpha in alphas[top:bottom]:
        together |= int.from_bytes(alpha, "big")
    columns = together.to_bytes(strip.width, "big")
    left = strip.width - len(columns.lstrip(_TRANSPARENT))
    right = len(columns.rstrip(_TRANSPARENT))
    rgba = b"".join(row[left * 4 : right * 4] for row in rows[top:bottom])
    return HintStrip(strip.x + left, strip.y + top, right - left, bottom - top, rgba)

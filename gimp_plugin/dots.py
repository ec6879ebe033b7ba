"""The hints layer as it was last read, and which of its rows to read again.

A small picture of the layer (a thumbnail, which GIMP makes in milliseconds) tells where something
was painted, erased or undone; only those rows are read at full size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from gimp_plugin.plan import STRIP_ROWS
from server.protocol.messages import HintStrip

_TRANSPARENT = b"\0"

ReadStrip = tuple[int, Optional[HintStrip]]  # first row in the layer; None: no paint there


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


class PaintedRows:
    """The painted parts of the hints layer, kept from one look to the next."""

    def __init__(self) -> None:
        self._strips: dict[int, Optional[HintStrip]] = {}  # noqa: UP045

    @property
    def strips(self) -> tuple[HintStrip, ...]:
        """From top to bottom, without those that hold no paint."""
        return tuple(strip for _top, strip in sorted(self._strips.items()) if strip is not None)

    def forget(self) -> None:
        self._strips.clear()

    def put(self, strips: Iterable[ReadStrip]) -> None:
        """Strips by their first row in the layer; None: nothing is painted there."""
        self._strips.update(strips)


def changed_strips(
    old: Optional[Thumbnail],  # noqa: UP045
    new: Thumbnail,
    height: int,
) -> list[int]:
    """The first rows of the strips of a layer, `height` rows tall, to read again.

    A thumbnail's row stands for several of the layer's, and a dot at their border can change it
    alone; so the neighbouring rows count as changed, too.
    """
    tops = list(range(0, height, STRIP_ROWS))
    if old is None or (old.width, old.height) != (new.width, new.height):
        return tops
    rows_each = height / new.height
    changed = [row for row in range(new.height) if old.row(row) != new.row(row)]
    spans = [((row - 1) * rows_each, (row + 2) * rows_each) for row in changed]
    return [top for top in tops if any(a < top + STRIP_ROWS and top < b for a, b in spans)]


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

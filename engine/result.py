"""What colorizing gives: colour at working size, from which pixels are made on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.aim import Sight
from engine.color import lab_of
from engine.compose import compose
from engine.enlarge import REACH, Area, full_size
from engine.gray import Gray, to_uint8
from engine.hints import Hint, asked_ab
from engine.picture import Picture
from engine.progress import Tick, no_tick
from engine.regions import followed
from engine.themes import color_of

SAME_AB = 0.25  # CIE units; a smaller difference between two results is not measured
NOT_SEEN_AB = 2.0  # a smaller one is not seen


@dataclass(frozen=True)
class HintReport:
    """What became of a dot. Colours are sRGB, 0..255."""

    hint: Hint
    reachable: tuple[int, int, int]  # the nearest colour that exists at this lightness
    reached: tuple[int, int, int]  # the result at the dot, at full size
    delta_e: float  # CIEDE2000 between those two
    followed: float  # share of the dot's region, 0..1, that has its colour


@dataclass(frozen=True)
class Result:
    """Colour for a picture, at working size; pixels are made on demand."""

    picture: Picture
    ab: NDArray[np.float32]  # (h, w, 2), CIE units
    hints: tuple[Hint, ...]
    notes: tuple[str, ...] = ()  # sentences for people

    def full(self, tick: Tick = no_tick, area: Area | None = None) -> Gray:
        """The photo in colour, at its own size and dtype: (H, W, 3), or (H, W, 4) with alpha.

        area: make this rectangle of it only.
        """
        return self._enlarged(self.picture.gray, tick, area)

    def color_only(self, tick: Tick = no_tick, area: Area | None = None) -> NDArray[np.uint8]:
        """The colours for a layer that leaves lightness to the photo below it, at the photo's size.

        In 8 bits: (H, W, 3), or (H, W, 4) with the photo's alpha. Of a large photo not every pixel
        is coloured; the others' colours lie in between, as in a JPEG file. area: make this
        rectangle only.
        """
        picture = self.picture
        x, y, width, height = area or (0, 0, picture.width, picture.height)
        if not (width and height):
            return self.full(tick, area).astype(np.uint8)
        rows, columns = picture.thinned.shape[:2]
        left, right = _cells(x, width, picture.width, columns)
        top, bottom = _cells(y, height, picture.height, rows)
        cells = (left, top, right - left, bottom - top)
        small = self._enlarged(picture.thinned, tick, cells)
        # Enlarged where they lie in the whole, one direction after the other: OpenCV is quick at
        # that only from edge to edge, and so a part has the very same pixels as in the whole.
        row = np.pad(small, ((0, 0), (left, columns - right), (0, 0)))
        wide = cv2.resize(row, (picture.width, len(row)), interpolation=cv2.INTER_LINEAR)
        column = np.pad(wide[:, x : x + width], ((top, rows - bottom), (0, 0), (0, 0)))
        tall = cv2.resize(column, (width, picture.height), interpolation=cv2.INTER_LINEAR)
        cut = np.asarray(tall[y : y + height], np.uint8)
        if picture.gray.ndim == 3:
            cut[..., 3] = to_uint8(picture.gray[y : y + height, x : x + width, 1])
        return cut

    def changed(self, since: Result, tolerance: float = SAME_AB) -> Area:
        """The rectangle of the full-size photo outside which `since` is the same.

        since: a result of the same picture; tolerance: in CIE units. Empty if nothing changed.
        """
        height, width = self.ab.shape[:2]
        different = np.abs(self.ab - since.ab).max(-1) > tolerance
        rows, columns = np.flatnonzero(different.any(1)), np.flatnonzero(different.any(0))
        if not len(rows):
            return 0, 0, 0, 0
        y, tall = _scaled(rows, height, self.picture.height)
        x, wide = _scaled(columns, width, self.picture.width)
        return x, y, wide, tall

    def pasted(self, since: Result, area: Area) -> Result:
        """What somebody shows who had `since` and was given this area of this result."""
        x, y, columns, rows = area
        there = (
            _within(y, rows, self.picture.height, self.ab.shape[0]),
            _within(x, columns, self.picture.width, self.ab.shape[1]),
        )
        ab = since.ab.copy()
        ab[there] = self.ab[there]
        return replace(self, ab=ab)

    def preview(self, max_side: int) -> NDArray[np.uint8]:
        """The result with its longer side at most max_side: (h, w, 3 or 4), sRGB 0..255."""
        return np.asarray(self._enlarged(self.picture.reduced(max_side), no_tick), np.uint8)

    def _enlarged(self, gray: Gray, tick: Tick, area: Area | None = None) -> Gray:
        """The colours on the photo or a smaller version of it."""
        return full_size(gray, self.ab, tick, area, self.picture.guide)

    def reports(self) -> tuple[HintReport, ...]:
        """How well each dot was followed."""
        if not self.hints:
            return ()
        from skimage.color import deltaE_ciede2000  # costs a quarter of a second at the start

        gray = self.picture.gray_at(self.hints)
        owner = self.picture.owners(self.hints)
        reached_ab = Sight(self.picture, self.hints, owner).seen(self.ab)
        reachable = compose(gray[None], asked_ab(self.hints)[None])[0]
        reached = compose(gray[None], reached_ab[None])[0]
        delta = deltaE_ciede2000(lab_of(reachable), lab_of(reached))
        wanted = lab_of(reachable)[:, 1:].astype(np.float32)
        shares = [
            followed(self.ab, region, ab)
            for region, ab in zip(self.picture.regions(self.hints), wanted, strict=True)
        ]
        return tuple(
            HintReport(hint, color_of(a), color_of(b), float(d), share)
            for hint, a, b, d, share in zip(
                self.hints, reachable, reached, delta, shares, strict=True
            )
        )


def _cells(start: int, long: int, length: int, count: int) -> tuple[int, int]:
    """First and end of those of `count` cells that colour this stretch of `length` pixels."""
    first = max(0, start * count // length - 1)
    return first, min(count, (start + long) * count // length + 2)


def _scaled(cells: NDArray[np.intp], count: int, length: int) -> tuple[int, int]:
    """Start and length, in photo pixels, of what the changed rows or columns of `count` reach.

    In whole numbers: a float's last digit would reach one pixel beyond the photo.
    """
    first, last = max(0, int(cells[0]) - REACH), min(count, int(cells[-1]) + 1 + REACH)
    start = first * length // count
    return start, -(-last * length // count) - start


def _within(start: int, long: int, length: int, count: int) -> slice:
    """Those of `count` rows or columns that lie wholly in this stretch of `length` pixels."""
    return slice(-(-start * count // length), (start + long) * count // length)

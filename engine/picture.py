"""A photo made ready for colour: what of it depends on its lightness alone."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine.compose import compose
from engine.gray import Gray, resize_visible, to_uint8, unit
from engine.hints import Hint, asked_ab, owners
from engine.networks.base import Features
from engine.regions import Region, regions
from engine.themes import color_of

COLOR_PIXELS = 2_000_000  # that are coloured at most where colour alone counts
EDGE_CELLS = 256  # of so many parts of the longer side a frame's edge may be one off


@dataclass(frozen=True)
class Picture:
    """A photo made ready: its pixels and everything that depends on its lightness alone."""

    gray: Gray  # (H, W) or (H, W, 2), as given to `Colorizer.open`
    lightness: Tensor  # (1, 1, h, w) at working size, L / 100
    guide: NDArray[np.float32]  # (h, w), the luminance at working size, 0..1
    side: int  # of the square that has the working size's area
    inner: Picture | None = None  # what lies inside the photo's frame; None where it has none
    corner: tuple[int, int] = (0, 0)  # x and y of its first pixel
    features: OrderedDict[tuple[torch.dtype, bytes], Features] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )  # the encoder's answers by type of number and hints, newest last
    decoded: OrderedDict[tuple[bytes, bytes], Tensor] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )  # the decoder's answers by hints and theme: strength and saturation need no network
    reductions: dict[int, NDArray[np.uint8]] = field(
        default_factory=dict, repr=False, compare=False
    )  # by the longest side, the last one asked for

    @property
    def size(self) -> tuple[int, int]:
        """Height and width at working size."""
        _, _, height, width = self.lightness.shape
        return height, width

    @cached_property
    def working_lightness(self) -> NDArray[np.float32]:
        """The lightness at working size: (h, w), L / 100."""
        return np.asarray(self.lightness[0, 0].cpu().numpy(), np.float32)

    @property
    def luminance(self) -> NDArray[Any]:
        """The photo without its alpha: (H, W)."""
        return self.gray if self.gray.ndim == 2 else self.gray[..., 0]

    @property
    def height(self) -> int:
        return int(self.gray.shape[0])

    @property
    def width(self) -> int:
        return int(self.gray.shape[1])

    @property
    def color_step(self) -> int:
        """Of so many pixels in a row and in a column one is coloured where colour alone counts."""
        return math.ceil(math.sqrt(self.width * self.height / COLOR_PIXELS))

    @cached_property
    def thinned(self) -> NDArray[np.uint8]:
        """The photo in 8 bits, `color_step` times smaller."""
        height, width = (-(-side // self.color_step) for side in self.gray.shape[:2])
        return self._resized(width, height)

    def reduced(self, max_side: int) -> NDArray[np.uint8]:
        """The photo in 8 bits with its longer side at most max_side: (h, w) or (h, w, 2)."""
        if max_side not in self.reductions:
            self.reductions.clear()  # previews of a photo are all of one size
            self.reductions[max_side] = self._reduced(max_side)
        return self.reductions[max_side]

    def _reduced(self, max_side: int) -> NDArray[np.uint8]:
        scale = max_side / max(self.gray.shape[:2])
        if scale >= 1:
            return to_uint8(self.gray)
        height, width = (max(1, round(side * scale)) for side in self.gray.shape[:2])
        return self._resized(width, height)

    def _resized(self, width: int, height: int) -> NDArray[np.uint8]:
        small = cv2.resize(self.gray, (width, height), interpolation=cv2.INTER_AREA)
        return to_uint8(np.asarray(small))

    def gray_at(self, hints: Sequence[Hint]) -> NDArray[np.uint8]:
        """Mean 8-bit luminance under each hint: (len(hints),)."""
        luminance = self.luminance
        means = []
        for hint in hints:
            top, bottom = max(0, int(hint.y - hint.radius)), int(hint.y + hint.radius) + 1
            left, right = max(0, int(hint.x - hint.radius)), int(hint.x + hint.radius) + 1
            means.append(unit(luminance[top:bottom, left:right]).mean())
        return (np.array(means) * 255 + 0.5).astype(np.uint8)

    def reachable(self, hints: Sequence[Hint]) -> list[Hint]:
        """The hints with the nearest colours that exist at the photo's lightness."""
        if not hints:
            return []
        colors = compose(self.gray_at(hints)[None], asked_ab(hints)[None])[0]
        return [replace(h, color=color_of(color)) for h, color in zip(hints, colors, strict=True)]

    def owners(self, hints: Sequence[Hint]) -> NDArray[np.intp]:
        """Which of the hints each cell at working size belongs to: (h, w), its number or NOBODY."""
        return owners(hints, (self.height, self.width), self.size)

    def cell(self, hint: Hint) -> tuple[int, int]:
        """Row and column of a hint at working size."""
        height, width = self.size
        row = min(int(hint.y * height / self.height), height - 1)
        return row, min(int(hint.x * width / self.width), width - 1)

    def seen(self, hints: Sequence[Hint]) -> Picture:
        """What the network looks at: without the frame, unless a hint lies on that.

        A hint that reaches into the photo lies there: the edge is not known to the pixel.
        """
        if self.inner is None:
            return self
        (x, y), width, height = self.corner, self.inner.width, self.inner.height

        def is_on_frame(hint: Hint) -> bool:
            reach = hint.radius + max(self.width, self.height) / EDGE_CELLS
            far = max(x - hint.x, hint.x - x - width, y - hint.y, hint.y - y - height)
            return far > reach

        return self if any(map(is_on_frame, hints)) else self.inner

    def moved(self, hints: Sequence[Hint], inner: Picture) -> list[Hint]:
        """Hints as they lie on the inner picture; what is a little beside it, on its edge."""
        (left, top), right, bottom = self.corner, inner.width - 0.5, inner.height - 0.5
        places = [(h.x - left, h.y - top) for h in hints]
        return [
            replace(h, x=min(max(x, 0.5), right), y=min(max(y, 0.5), bottom))
            for h, (x, y) in zip(hints, places, strict=True)
        ]

    def framed(self, ab: Tensor, seen: Picture) -> Tensor:
        """Colours (N, 2, h, w) of what was seen, on the grid of the whole picture; grey around.

        Returns (N, 2, H, W). The colours go on for a cell beyond the frame's edge, fading: the
        edge may be a little askew.
        """
        if seen is self:
            return ab
        (height, width), (tall, wide) = self.size, ab.shape[2:]
        rows = _places(height, self.height, self.corner[1], seen.height).to(ab.device)
        columns = _places(width, self.width, self.corner[0], seen.width).to(ab.device)
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
        grid = grid.expand(len(ab), -1, -1, -1)
        found = F.grid_sample(ab, grid, padding_mode="border", align_corners=False)
        beyond = [(places.abs() - 1) * n / 2 for places, n in ((rows, tall), (columns, wide))]
        down, across = ((1 - cells).clamp(0, 1) for cells in beyond)
        return found * down[:, None] * across

    def regions(self, hints: Sequence[Hint]) -> Iterator[Region]:
        """The region that each hint speaks for, (h, w) at working size, one at a time.

        As for `seen`: without the frame, unless a hint lies on that.
        """
        lightness, seen = self.working_lightness, self.seen(hints)
        if seen is not self:
            inside = self._cells_of(seen)
            lightness = np.full_like(lightness, -1)  # like nothing: no region goes on there
            lightness[inside] = self.working_lightness[inside]
            x, y = self.corner
            hints = [replace(h, x=h.x + x, y=h.y + y) for h in self.moved(hints, seen)]
        return regions(lightness, [self.cell(hint) for hint in hints])

    def _cells_of(self, inner: Picture) -> tuple[slice, slice]:
        """The cells at working size that the inner picture lies in, also in part."""
        (x, y), (height, width) = self.corner, self.size
        bottom, right = (y + inner.height) * height, (x + inner.width) * width
        rows = slice(y * height // self.height, -(-bottom // self.height))
        return rows, slice(x * width // self.width, -(-right // self.width))


def _places(cells: int, length: int, start: int, inner: int) -> Tensor:
    """Where the middles of a picture's cells, (cells,), lie in a part of it: -1..1 are its ends.

    length, start, inner: of the picture, of the part's first pixel and of the part, in pixels.
    """
    middles = (torch.arange(cells) + 0.5) * length / cells
    return (middles - start) / inner * 2 - 1


def at_working_size(gray: Gray, side: int, multiple: int) -> Gray:
    """The photo with about a square's area of pixels and sides that the network takes.

    A picture that is a little out of shape is coloured better than one with a rim of pixels that
    are not the photo's. A photo that would be thinner than the network takes is made shorter.
    """
    scale = side / float(np.sqrt(gray.shape[0] * gray.shape[1]))
    longest = side * side // multiple
    height, width = (nearest_multiple(min(n * scale, longest), multiple) for n in gray.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    if gray.ndim == 2:
        return cv2.resize(gray, (width, height), interpolation=method)
    return resize_visible(gray, (width, height), method)


def nearest_multiple(length: float, multiple: int) -> int:
    """The nearest multiple, but at least one."""
    # `round` would take 2.5 down and 3.5 up: half of 160 x 224 would become 64 x 128.
    return max(1, int(length / multiple + 0.5)) * multiple

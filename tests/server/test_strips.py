"""Dots in strips of a hints layer: the same as in the whole layer."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from engine.painted import hints_from_rgba
from gimp_plugin.dots import trimmed
from server.dots import hints_in, touching
from server.protocol import messages
from server.protocol.messages import HintStrip, InvalidParams

RED, GREEN = (200, 30, 30), (30, 200, 30)


def layer(dots: list[tuple[int, int, int, tuple[int, int, int], int]]) -> np.ndarray:
    """A layer of 300 x 200 with square dots: x, y, side, colour, alpha."""
    rgba = np.zeros((200, 300, 4), np.uint8)
    for x, y, side, color, alpha in dots:
        rgba[y : y + side, x : x + side] = (*color, alpha)
    return rgba


def cut(rgba: np.ndarray, rows: int) -> tuple[HintStrip, ...]:
    """What is painted in strips, as a plug-in reads them: from cells, each cut to its paint."""
    corners = product(range(0, rgba.shape[0], rows), range(0, rgba.shape[1], 110))
    cells = [(top, left, rgba[top : top + rows, left : left + 110]) for top, left in corners]
    strips = [
        trimmed(HintStrip(left, top, cell.shape[1], cell.shape[0], cell.tobytes()))
        for top, left, cell in cells
    ]
    return tuple(strip for strip in strips if strip)


@pytest.mark.parametrize("rows", [7, 64])
@pytest.mark.parametrize(
    "dots",
    [
        [(10, 10, 5, RED, 255), (200, 150, 9, GREEN, 255)],
        [(10, 60, 9, RED, 255)],  # across the border of two strips of 64
        [(10, 10, 5, RED, 60), (200, 150, 9, GREEN, 255)],  # a faint one is a dot, too
        [(10, 10, 5, RED, 60), (200, 150, 9, GREEN, 60)],
        [(10, 10, 5, RED, 20), (200, 150, 9, GREEN, 60)],  # what an eraser left is none
        [(10, 30, 80, RED, 60), (20, 40, 9, RED, 255), (60, 90, 9, RED, 255)],  # on a faint rim
    ],
)
def test_strips_hold_the_dots_of_the_whole_layer(
    dots: list[tuple[int, int, int, tuple[int, int, int], int]], rows: int
) -> None:
    rgba = layer(dots)

    found = hints_in(cut(rgba, rows))

    assert found and found == hints_from_rgba(rgba)


def test_faint_and_opaque_dots_are_found_in_strips() -> None:
    rgba = layer([(10, 10, 5, RED, 60), (200, 150, 9, GREEN, 255), (100, 80, 9, GREEN, 20)])

    assert [hint.color for hint in hints_in(cut(rgba, 64))] == [RED, GREEN]


def test_more_dots_than_can_be_used_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if no group of strips alone has too many."""
    monkeypatch.setattr(messages, "MAX_DOTS", 3)
    above = cut(layer([(10, 10, 5, RED, 255), (200, 10, 5, RED, 255)]), 64)
    below = tuple(replace(strip, y=1000) for strip in above)

    assert len(hints_in(above)) == 2
    with pytest.raises(InvalidParams, match="more than 3 dots"):
        hints_in((*above, *below))


def test_a_picture_among_dots_is_refused() -> None:
    rgba = layer([(200, 50, 9, GREEN, 255)])
    rgba[20:80, 30:120, :3] = np.random.default_rng(0).integers(0, 256, (60, 90, 3))
    rgba[20:80, 30:120, 3] = 255

    with pytest.raises(InvalidParams, match="a picture, not dots"):
        hints_in(cut(rgba, 64))


def test_rows_without_paint_part_the_strips() -> None:
    strips = [HintStrip(0, y, 4, 10, bytes(160)) for y in (30, 0, 10, 60)]

    assert [[s.y for s in group] for group in touching(strips)] == [[0, 10], [30], [60]]


def test_no_strips_no_dots() -> None:
    assert hints_in(()) == []

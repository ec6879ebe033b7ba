"""Dots in strips of a hints layer: the same as in the whole layer."""

from __future__ import annotations

import numpy as np
import pytest

from engine.hints import hints_from_rgba
from server.handlers import hints_in, touching
from server.protocol.messages import HintStrip

RED, GREEN = (200, 30, 30), (30, 200, 30)


def layer(dots: list[tuple[int, int, int, tuple[int, int, int], int]]) -> np.ndarray:
    """A layer of 300 x 200 with square dots: x, y, side, colour, alpha."""
    rgba = np.zeros((200, 300, 4), np.uint8)
    for x, y, side, color, alpha in dots:
        rgba[y : y + side, x : x + side] = (*color, alpha)
    return rgba


def cut(rgba: np.ndarray, rows: int) -> tuple[HintStrip, ...]:
    """The painted rows in strips, as a plug-in reads them."""
    tops = range(0, len(rgba), rows)
    pieces = [(top, rgba[top : top + rows]) for top in tops]
    return tuple(
        HintStrip(0, top, rgba.shape[1], len(piece), piece.tobytes())
        for top, piece in pieces
        if piece[..., 3].any()
    )


@pytest.mark.parametrize("rows", [7, 64])
@pytest.mark.parametrize(
    "dots",
    [
        [(10, 10, 5, RED, 255), (200, 150, 9, GREEN, 255)],
        [(10, 60, 9, RED, 255)],  # across the border of two strips of 64
        [(10, 10, 5, RED, 60), (200, 150, 9, GREEN, 255)],  # the faint one is no dot
        [(10, 10, 5, RED, 60), (200, 150, 9, GREEN, 60)],
    ],
)
def test_strips_hold_the_dots_of_the_whole_layer(
    dots: list[tuple[int, int, int, tuple[int, int, int], int]], rows: int
) -> None:
    rgba = layer(dots)

    found = hints_in(cut(rgba, rows))

    assert found and found == hints_from_rgba(rgba)


def test_rows_without_paint_part_the_strips() -> None:
    strips = [HintStrip(0, y, 4, 10, bytes(160)) for y in (30, 0, 10, 60)]

    assert [[s.y for s in group] for group in touching(strips)] == [[0, 10], [30], [60]]


def test_no_strips_no_dots() -> None:
    assert hints_in(()) == []

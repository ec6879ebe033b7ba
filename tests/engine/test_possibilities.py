"""Suggestions, on a photo whose left half is certain and whose right half is not."""

from __future__ import annotations

import numpy as np
import pytest

from engine.possibilities import Possibilities


@pytest.fixture
def possibilities() -> Possibilities:
    ab = np.zeros((3, 20, 40, 2), np.float32)
    ab[:, :, :20] = (10, 20)
    ab[0, :, 20:], ab[1, :, 20:], ab[2, :, 20:] = (40, 30), (-30, 20), (41, 31)
    return Possibilities(ab, np.array((0.5, 0.3, 0.2), np.float32))


def test_a_certain_place_has_one_colour(possibilities: Possibilities) -> None:
    ((color, share),) = possibilities.colors_at(0.2, 0.5, 128, 9)

    assert share == pytest.approx(1)
    assert color[0] > color[1] > color[2]


def test_like_colours_are_one_and_the_likeliest_comes_first(possibilities: Possibilities) -> None:
    (red, much), (green, little) = possibilities.colors_at(0.9, 0.5, 128, 9)

    assert (much, little) == pytest.approx((0.7, 0.3))
    assert red[0] > red[1] and green[1] > green[0]


def test_dots_are_asked_for_where_the_colour_is_open(possibilities: Possibilities) -> None:
    places = possibilities.places([], 3)

    assert places and all(x > 0.5 for x, _ in places)


def test_no_second_dot_is_asked_for_beside_one(possibilities: Possibilities) -> None:
    dots = [(0.525 + 0.05 * step, y) for step in range(10) for y in (0.1, 0.5, 0.9)]

    assert possibilities.places(dots, 3) == ()

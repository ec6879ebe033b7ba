"""Suggestions, on a photo whose left half is certain and whose right half is not."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from engine.colorizer import Colorizer
from engine.compose import compose
from engine.picture import Picture
from engine.possibilities import Possibilities
from engine.themes import Theme


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
    assert possibilities.colors_at(0.9, 0.5, 128, 1) == ((red, much),)


def test_dots_are_asked_for_where_the_colour_is_open(possibilities: Possibilities) -> None:
    places = possibilities.places([], 3)

    assert len(places) == 3
    assert all(0.5 < x < 1 and 0 < y < 1 for x, y in places)
    cells = [(40 * x, 20 * y) for x, y in places]
    assert min(math.dist(a, b) for a, b in combinations(cells, 2)) >= 0.15 * 40


def test_a_speck_is_asked_for_after_what_is_larger(possibilities: Possibilities) -> None:
    possibilities.ab[0, 10, 5], possibilities.ab[1, 10, 5] = (70, 60), (-70, -60)

    assert possibilities.places([], 1)[0][0] > 0.5


def test_no_second_dot_is_asked_for_beside_one(possibilities: Possibilities) -> None:
    dots = [(0.525 + 0.05 * step, y) for step in range(10) for y in (0.1, 0.5, 0.9)]

    assert possibilities.places(dots, 3) == ()


def test_like_colours_are_mixed_by_their_likelihood() -> None:
    ab = np.zeros((2, 8, 8, 2), np.float32)
    ab[0], ab[1] = (40, 30), (33, 30)

    likely = Possibilities(ab, np.array((0.9, 0.1), np.float32))
    ((color, _),) = likely.colors_at(0.5, 0.5, 128, 9)

    mean = np.full((1, 1, 2), (39.3, 30), np.float32)
    assert color == pytest.approx(compose(np.full((1, 1), 128, np.uint8), mean)[0, 0], abs=1)


def test_an_unlikely_possibility_alone_asks_for_no_dot() -> None:
    ab = np.zeros((2, 20, 40, 2), np.float32)
    ab[1] = (0, 20)

    open_question = Possibilities(ab, np.array((0.5, 0.5), np.float32))
    nearly_sure = Possibilities(ab, np.array((0.95, 0.05), np.float32))

    assert open_question.places([], 1) and not nearly_sure.places([], 1)


def test_a_photo_without_a_theme_is_likeliest_and_then_its_best_theme(
    colorizer: Colorizer, picture: Picture
) -> None:
    themes = [Theme((color,)) for color in ((200, 60, 40), (40, 120, 60), (60, 80, 200))]

    weights = colorizer.possibilities(picture, themes).weights

    assert weights.sum() == pytest.approx(1)
    assert weights / weights[0] == pytest.approx([1, 1 / 2, 1 / 4, 1 / 6])

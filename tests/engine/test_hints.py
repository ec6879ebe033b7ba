"""Dots are found in a layer, all of them, and laid out on the network's grid."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from skimage.color import lab2rgb

from engine.hints import Hint, hint_planes, hints_from_rgba

RED, BLUE = (200, 30, 40), (30, 60, 200)


def empty(height: int = 60, width: int = 80) -> np.ndarray:
    return np.zeros((height, width, 4), np.uint8)


def paint(layer: np.ndarray, x: int, y: int, radius: int, color: tuple[int, int, int]) -> None:
    cv2.circle(layer, (x, y), radius, (*color, 255), -1)


def test_an_empty_layer_has_no_dots() -> None:
    assert hints_from_rgba(empty()) == []


def test_a_dot_is_found_with_its_place_size_and_colour() -> None:
    layer = empty()
    paint(layer, 30, 20, 5, RED)

    (hint,) = hints_from_rgba(layer, 100, 200)

    assert hint.color == RED
    assert (hint.x, hint.y) == (130.5, 220.5)
    assert hint.radius == pytest.approx(5, abs=0.6)


def test_a_single_pixel_is_a_dot() -> None:
    layer = empty()
    layer[7, 9] = (*BLUE, 255)

    (hint,) = hints_from_rgba(layer)

    assert (hint.x, hint.y, hint.color) == (9.5, 7.5, BLUE)


def test_a_faint_dot_alone_is_a_dot() -> None:
    layer = empty()
    layer[7, 9] = (*BLUE, 60)

    assert [hint.color for hint in hints_from_rgba(layer)] == [BLUE]


def test_touching_dots_of_two_colours_are_two() -> None:
    layer = empty()
    paint(layer, 20, 20, 5, RED)
    paint(layer, 29, 20, 5, BLUE)

    assert {hint.color for hint in hints_from_rgba(layer)} == {RED, BLUE}


def test_the_rim_between_two_colours_is_no_dot() -> None:
    rgb = np.full((60, 80, 3), RED, np.uint8)
    alpha = np.zeros((60, 80), np.uint8)
    cv2.circle(alpha, (20, 20), 8, 255, -1)
    cv2.circle(alpha, (28, 20), 8, 255, -1)
    cv2.circle(rgb, (28, 20), 8, BLUE, -1, cv2.LINE_AA)  # a smooth brush mixes along its rim
    layer = np.dstack((rgb, alpha))

    colors = np.array([hint.color for hint in hints_from_rgba(layer)])

    assert np.abs(colors[:, None] - np.array((RED, BLUE))).max(-1).min(1).max() <= 24


def test_a_stroke_is_followed_along_its_length() -> None:
    layer = empty(60, 300)
    cv2.line(layer, (10, 10), (290, 50), (*RED, 255), 5)

    hints = hints_from_rgba(layer)

    assert len(hints) > 10
    assert all(layer[int(h.y), int(h.x), 3] for h in hints)


def test_a_long_stroke_takes_little_memory() -> None:
    layer = empty(1500, 2000)
    cv2.line(layer, (5, 5), (1990, 1490), (*RED, 255), 3)
    tracemalloc.start()

    hints = hints_from_rgba(layer)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(hints) > 60
    assert most < 20 * 1500 * 2000  # bytes


def test_a_soft_brush_is_weighted_by_its_alpha() -> None:
    layer = empty()
    layer[10, 10:12] = ((10, 10, 10, 255), (30, 30, 30, 128))

    (hint,) = hints_from_rgba(layer)

    assert hint.color == (17, 17, 17)


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (2048, 1536), (4000, 3000)])
@pytest.mark.parametrize("diameter", [1, 3, 9])
def test_no_dot_is_lost_on_a_large_photo(width: int, height: int, diameter: int) -> None:
    """The nearest rival loses 61 % of the 9-pixel dots of a 12-megapixel photo."""
    rng = np.random.default_rng(diameter)
    layer = np.zeros((height, width, 4), np.uint8)
    cells = rng.permutation(20 * 20)[:100]
    for cell in cells:
        x, y = (cell % 20 + 0.5) * width / 20, (cell // 20 + 0.5) * height / 20
        cv2.circle(layer, (int(x), int(y)), diameter // 2, (*RED, 255), -1)

    hints = hints_from_rgba(layer)
    planes = hint_planes(hints, (height, width), (192, 256))

    assert len(hints) == 100
    count, _ = cv2.connectedComponents(planes[2].astype(np.uint8), connectivity=8)
    assert count - 1 == 100


def test_a_hint_keeps_its_whole_colour_on_the_grid() -> None:
    planes = hint_planes([Hint(2000.5, 1500.5, 1.5, RED)], (3000, 4000), (192, 256))
    row, column = (int(v[0]) for v in np.nonzero(planes[2]))

    assert (row, column) == (96, 128)
    rgb = lab2rgb(np.array([44.0, *planes[:2, row, column]])) * 255
    assert rgb[0] > 2 * rgb[1]


def test_the_smaller_of_two_hints_in_a_cell_wins() -> None:
    fine, coarse = Hint(50, 50, 1, BLUE), Hint(52, 50, 20, RED)
    both = hint_planes([fine, coarse], (100, 100), (10, 10))
    alone = hint_planes([fine], (100, 100), (10, 10))

    assert np.array_equal(both[:, 5, 5], alone[:, 5, 5])
    assert both[2].sum() > alone[2].sum()


def test_hints_outside_the_photo_are_left_out() -> None:
    hints = [Hint(-1, 5, 2, RED), Hint(5, 200, 2, RED)]

    assert not hint_planes(hints, (100, 100), (10, 10)).any()


def test_a_hint_in_the_last_corner_is_kept() -> None:
    planes = hint_planes([Hint(99.9, 99.9, 0.4, RED)], (100, 100), (10, 10))

    assert planes[2, 9, 9] == 1

"""Dots are found in a painted layer, all of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from engine.hints import NOBODY, owners
from engine.painted import FAINT, PictureFound, TooManyDots, hints_from_rgba

RED, BLUE = (200, 30, 40), (30, 60, 200)


def empty(height: int = 60, width: int = 80) -> np.ndarray:
    return np.zeros((height, width, 4), np.uint8)


def paint(layer: np.ndarray, x: int, y: int, radius: int, color: tuple[int, int, int]) -> None:
    cv2.circle(layer, (x, y), radius, (*color, 255), -1)


def test_an_empty_layer_has_no_dots() -> None:
    assert hints_from_rgba(empty()) == []


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_layer_without_pixels_has_no_dots(size: tuple[int, int]) -> None:
    assert hints_from_rgba(empty(*size)) == []


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


def test_a_faint_dot_beside_an_opaque_one_is_a_dot() -> None:
    layer = empty()
    paint(layer, 20, 20, 5, RED)
    layer[40:44, 60:64] = (*BLUE, 100)

    assert [hint.color for hint in hints_from_rgba(layer)] == [RED, BLUE]


@pytest.mark.parametrize(("alpha", "dots"), [(FAINT - 1, 0), (FAINT, 1)])
def test_what_a_soft_eraser_leaves_is_no_dot(alpha: int, dots: int) -> None:
    layer = empty()
    layer[7:12, 9:14] = (*BLUE, alpha)

    assert len(hints_from_rgba(layer)) == dots


def test_dots_whose_faint_rims_touch_are_two() -> None:
    layer = empty()
    layer[15:26, 10:50] = (*RED, 100)
    paint(layer, 20, 20, 4, RED)
    paint(layer, 40, 20, 4, RED)

    assert [(hint.x, hint.y) for hint in hints_from_rgba(layer)] == [(20.5, 20.5), (40.5, 20.5)]


def test_a_dot_that_touches_a_stroke_is_not_cut_up() -> None:
    layer = empty(60, 300)
    cv2.line(layer, (10, 40), (290, 40), (*BLUE, 255), 5)
    layer[24:38, 100:130] = (*RED, 255)

    reds = [hint for hint in hints_from_rgba(layer) if hint.color == RED]

    assert [(hint.x, hint.y) for hint in reds] == [(115.0, 31.0)]


@pytest.mark.parametrize(("darker", "dots"), [(24, 1), (25, 2)])
def test_touching_dots_of_two_colours_are_two(darker: int, dots: int) -> None:
    layer = empty()
    paint(layer, 20, 20, 5, RED)
    paint(layer, 29, 20, 5, (RED[0] - darker, *RED[1:]))

    assert len(hints_from_rgba(layer)) == dots


def test_a_dot_within_a_ring_is_one() -> None:
    layer = empty()
    cv2.circle(layer, (40, 30), 22, (*BLUE, 255), 4)
    paint(layer, 40, 30, 5, RED)

    assert [hint.color for hint in hints_from_rgba(layer)].count(RED) == 1


@pytest.mark.parametrize("end", [RED, BLUE])
def test_a_pencils_slanting_line_is_not_as_many_dots_as_pixels(end: tuple[int, int, int]) -> None:
    layer = empty()
    for step in range(40):
        layer[10 + step, 10 + step] = (*(RED if step < 20 else end), 255)

    assert 2 <= len(hints_from_rgba(layer)) <= 22


def test_the_rim_between_two_colours_is_no_dot() -> None:
    rgb = np.full((60, 80, 3), RED, np.uint8)
    alpha = np.zeros((60, 80), np.uint8)
    cv2.circle(alpha, (20, 20), 8, 255, -1)
    cv2.circle(alpha, (28, 20), 8, 255, -1)
    cv2.circle(rgb, (28, 20), 8, BLUE, -1, cv2.LINE_AA)  # a smooth brush mixes along its rim
    layer = np.dstack((rgb, alpha))

    colors = np.array([hint.color for hint in hints_from_rgba(layer)])

    assert np.abs(colors[:, None] - np.array((RED, BLUE))).max(-1).min(1).max() <= 24


def slanting(layer: np.ndarray) -> None:
    cv2.line(layer, (10, 10), (290, 50), (*RED, 255), 5)


def level(layer: np.ndarray) -> None:
    layer[20:25, 10:290] = (*RED, 255)


def arched(layer: np.ndarray) -> None:
    cv2.ellipse(layer, (150, 55), (130, 45), 0, 180, 360, (*RED, 255), 5)


def crooked(layer: np.ndarray) -> None:
    """Not much longer than thick."""
    cv2.ellipse(layer, (150, 30), (20, 20), 0, 0, 270, (*RED, 255), 7)


@pytest.mark.parametrize("stroke", [slanting, level, arched, crooked])
def test_a_stroke_is_followed_along_its_length(stroke: Callable[[np.ndarray], None]) -> None:
    layer = empty(60, 300)
    stroke(layer)

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
    assert 60 < len(hints) < 200
    assert most < 20 * 1500 * 2000  # bytes


def noise(height: int, width: int) -> np.ndarray:
    """As many colours as pixels, opaque."""
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return np.dstack((rgb, np.full((height, width), 255, np.uint8)))


def gradient(mask: np.ndarray) -> np.ndarray:
    """Paint whose colour goes on along the mask (H, W), as a brush's can: 256 colours and more."""
    steps = np.linspace(0, 1020, mask.shape[1]).astype(int)
    ramps = [np.clip(steps - shift, 0, 255).astype(np.uint8) for shift in (0, 300, 700)]
    rgb = np.broadcast_to(np.stack(ramps, -1), (*mask.shape, 3))
    return np.dstack((rgb, mask)).astype(np.uint8)


def test_a_picture_in_a_small_part_of_the_layer_is_refused() -> None:
    layer = empty(1000, 1500)
    paint(layer, 700, 500, 9, RED)
    layer[20:80, 30:120] = noise(60, 90)

    with pytest.raises(PictureFound):
        hints_from_rgba(layer)


def test_a_faint_picture_is_refused() -> None:
    layer = noise(60, 90)
    layer[..., 3] = FAINT

    with pytest.raises(PictureFound):
        hints_from_rgba(layer)


def straight_stroke() -> np.ndarray:
    """So long that it nearly fills the rectangle around it."""
    mask = np.zeros((60, 800), np.uint8)
    cv2.line(mask, (30, 30), (770, 30), 255, 40)
    return gradient(mask)


def round_dot() -> np.ndarray:
    mask = np.zeros((300, 300), np.uint8)
    cv2.circle(mask, (150, 150), 140, 255, -1)
    return gradient(mask)


def few_colors() -> np.ndarray:
    """A square with as many colours as touching strokes have, not as a picture has."""
    return noise(10, 10).repeat(10, 0).repeat(10, 1)


@pytest.mark.parametrize(
    "paint_of", [straight_stroke, round_dot, few_colors, lambda: noise(24, 24)]
)
def test_paint_of_many_colours_is_no_picture(paint_of: Callable[[], np.ndarray]) -> None:
    assert len(hints_from_rgba(paint_of())) > 5


def test_many_colours_take_memory_for_what_is_painted_only() -> None:
    layer = empty(1500, 2000)
    layer[50:350, 50:350] = noise(50, 50).repeat(6, 0).repeat(6, 1)
    mask = np.zeros((300, 300), np.uint8)
    cv2.circle(mask, (150, 150), 145, 255, -1)
    layer[50:350, 50:350, 3] = mask  # a round cut-out: not surely a picture
    tracemalloc.start()

    hints = hints_from_rgba(layer)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert hints
    assert most < 30 * 1500 * 2000  # bytes; the colours have a table of 34 million


def test_more_dots_than_are_wanted_are_refused() -> None:
    layer = empty()
    layer[::2, ::2] = (*RED, 255)

    assert len(hints_from_rgba(layer, most=1200)) == 1200
    with pytest.raises(TooManyDots):
        hints_from_rgba(layer, most=1199)


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
    cells = owners(hints, (height, width), (192, 256)) != NOBODY

    assert len(hints) == 100
    count, _ = cv2.connectedComponents(cells.astype(np.uint8), connectivity=8)
    assert count - 1 == 100

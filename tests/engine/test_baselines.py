"""The baselines on pictures whose right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation import baselines


def hints_at(shape: tuple[int, int], *dots: tuple[int, int, float, float]) -> np.ndarray:
    planes = np.zeros((3, *shape), np.float32)
    for row, column, a, b in dots:
        planes[:, row, column] = a, b, 1
    return planes


@pytest.fixture
def two_halves() -> np.ndarray:
    """L of a dark and a light half, (24, 32)."""
    lightness = np.full((24, 32), 30, np.float32)
    lightness[:, 16:] = 80
    return lightness


def test_levin_stops_at_an_edge_and_fills_both_sides(two_halves: np.ndarray) -> None:
    ab = baselines.levin(two_halves, hints_at((24, 32), (3, 3, 40, 0), (20, 28, 0, -30)))

    np.testing.assert_allclose(ab[:, :15], np.broadcast_to((40, 0), (24, 15, 2)), atol=1.5)
    np.testing.assert_allclose(ab[:, 17:], np.broadcast_to((0, -30), (24, 15, 2)), atol=1.5)


def test_levin_blends_between_dots_on_an_even_surface() -> None:
    lightness = np.full((9, 21), 50, np.float32)

    ab = baselines.levin(lightness, hints_at((9, 21), (4, 0, -20, 0), (4, 20, 20, 0)))

    assert ab[4, 10, 0] == pytest.approx(0, abs=1e-3)
    assert (np.diff(ab[4, :, 0]) > 0).all()
    assert np.abs(ab[..., 0]).max() <= 20 + 1e-4  # a mean never leaves the dots' range


def test_levin_solves_what_it_says(two_halves: np.ndarray) -> None:
    lightness = two_halves + np.random.default_rng(0).normal(0, 3, two_halves.shape)
    hints = hints_at(two_halves.shape, (3, 3, 40, 10), (20, 28, 0, -30), (12, 9, -5, 5))

    ab = baselines.levin(lightness.astype(np.float32), hints)

    assert ab[3, 3] == pytest.approx((40, 10)) and ab[12, 9] == pytest.approx((-5, 5))
    matrix = baselines._averaging(lightness.astype(np.float32).astype(np.float64) / 100)
    free = hints[2].ravel() == 0
    flat = ab.reshape(-1, 2)
    np.testing.assert_allclose((matrix @ flat)[free], flat[free], atol=1e-3)


def test_levin_without_dots_is_gray_and_one_dot_colours_everything(
    two_halves: np.ndarray,
) -> None:
    assert not baselines.levin(two_halves, hints_at((24, 32))).any()
    one = baselines.levin(two_halves, hints_at((24, 32), (3, 3, 40, 10)))
    np.testing.assert_allclose(one, np.broadcast_to((40, 10), one.shape), atol=0.05)


def test_theme_by_lightness_takes_the_colour_of_the_nearest_lightness() -> None:
    theme = np.array([[20, 5, -40], [85, -10, 30]], np.float32)
    lightness = np.array([[0, 40, 60, 100]], np.float32)

    ab = baselines.theme_by_lightness(lightness, theme)

    assert ab[0].tolist() == [[5, -40], [5, -40], [-10, 30], [-10, 30]]


def test_k_color_map_takes_the_colour_nearest_to_the_truth() -> None:
    theme = np.array([[0, 0], [50, 0]], np.float32)
    truth = np.array([[[20, 3], [30, -9]]], np.float32)

    assert baselines.k_color_map(truth, theme)[0].tolist() == [[0, 0], [50, 0]]


def test_constant_colours_every_pixel() -> None:
    ab = baselines.constant((2, 3), (4, 9))

    assert ab.shape == (2, 3, 2) and (ab == (4, 9)).all()

"""Regions of dots, on a picture of a light disc over a dark ground."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.regions import followed, pull, regions


@pytest.fixture
def disc() -> NDArray[np.float32]:
    """A light disc of radius 20 in the middle of (80, 100) darkness."""
    rows, columns = np.indices((80, 100))
    inside = np.hypot(rows - 40, columns - 50) < 20
    return np.where(inside, 0.8, 0.3).astype(np.float32)


def test_a_region_ends_where_lightness_turns(disc: NDArray[np.float32]) -> None:
    (region,) = regions(disc, [(40, 50)])

    assert (region & (disc > 0.5)).sum() > 0.9 * (disc > 0.5).sum()
    assert (region & (disc < 0.5)).sum() < 0.03 * (disc > 0.5).sum()


def test_a_region_ends_where_lightness_has_drifted_far_from_the_dots() -> None:
    ramp = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (80, 1))

    (region,) = regions(ramp, [(40, 50)])

    assert np.flatnonzero(region.any(0)).tolist() == [*range(44, 57)]


def test_grain_does_not_end_a_region(disc: NDArray[np.float32]) -> None:
    grain = np.random.default_rng(0).normal(0, 0.05, disc.shape).astype(np.float32)

    (region,) = regions(disc + grain, [(40, 50)])

    assert (region & (disc > 0.5)).sum() > 0.9 * (disc > 0.5).sum()


def test_two_dots_share_their_ground_by_nearness(disc: NDArray[np.float32]) -> None:
    left, right = regions(disc, [(40, 40), (40, 60)])

    assert not (left & right).any()
    assert left[40, 35] and right[40, 65]


def test_many_dots_take_no_more_memory_than_few(disc: NDArray[np.float32]) -> None:
    seeds = [(row, column) for row in range(5, 75, 5) for column in range(5, 95, 5)]
    tracemalloc.start()

    shares = sum(region.mean() for region in regions(disc, seeds))

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.9 < shares < 1.001
    assert most < 100 * disc.size  # bytes


@pytest.mark.parametrize("seed", [(40, 50), (10, 50)])
def test_all_of_a_pulled_region_has_the_asked_colour_and_nothing_else_moves(
    disc: NDArray[np.float32], seed: tuple[int, int]
) -> None:
    disc[10] = 0.8  # a line as thin as a cell
    (region,) = regions(disc, [seed])
    asked = np.array((40.0, -20.0), np.float32)
    ab = np.zeros((*disc.shape, 2), np.float32)

    assert followed(ab, region, asked) == 0
    pull(ab, region, asked)

    assert followed(ab, region, asked) == 1
    assert (ab[region] == asked).all() and not ab[~region].any()

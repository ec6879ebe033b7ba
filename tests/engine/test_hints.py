"""Dots are laid out on the network's grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.color import lab2rgb

from engine.hints import Hint, hint_planes, owners

RED, BLUE = (200, 30, 40), (30, 60, 200)


def planes_of(
    hints: list[Hint], photo: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.float32]:
    return hint_planes(hints, owners(hints, photo, grid))


def test_a_hint_keeps_its_whole_colour_on_the_grid() -> None:
    planes = planes_of([Hint(2000.5, 1500.5, 1.5, RED)], (3000, 4000), (192, 256))
    row, column = (int(v[0]) for v in np.nonzero(planes[2]))

    assert (row, column) == (96, 128)
    rgb = lab2rgb(np.array([44.0, *planes[:2, row, column]])) * 255
    assert rgb[0] > 2 * rgb[1]


def test_the_smaller_of_two_hints_in_a_cell_wins() -> None:
    fine, coarse = Hint(50, 50, 1, BLUE), Hint(52, 50, 20, RED)
    both = planes_of([fine, coarse], (100, 100), (10, 10))
    alone = planes_of([fine], (100, 100), (10, 10))

    assert np.array_equal(both[:, 5, 5], alone[:, 5, 5])
    assert both[2].sum() > alone[2].sum()


def test_hints_outside_the_photo_are_left_out() -> None:
    hints = [Hint(-1, 5, 2, RED), Hint(5, 200, 2, RED)]

    assert not planes_of(hints, (100, 100), (10, 10)).any()


def test_a_hint_in_the_last_corner_is_kept() -> None:
    planes = planes_of([Hint(99.9, 99.9, 0.4, RED)], (100, 100), (10, 10))

    assert planes[2, 9, 9] == 1


def test_a_hint_is_round_on_the_photo_also_where_the_grid_is_not() -> None:
    planes = planes_of([Hint(100, 50, 30, RED)], (100, 200), (50, 50))

    rows, columns = np.nonzero(planes[2])
    assert np.ptp(rows) + 1 == 30  # cells of 2 photo pixels
    assert np.ptp(columns) + 1 == 14  # of 4


def test_every_cell_knows_its_hint() -> None:
    owner = owners(
        [Hint(5, 5, 1, RED), Hint(95, 95, 1, BLUE), Hint(5, 5, 9, BLUE)], (100, 100), (10, 10)
    )

    assert owner[0, 0] == 0 and owner[9, 9] == 1 and owner[0, 1] == -1

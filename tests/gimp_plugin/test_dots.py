"""Which parts of the hints layer are read again, and cut to what is painted."""

from __future__ import annotations

import numpy as np
import pytest

from gimp_plugin.dots import Painted, Thumbnail, changed_cells, trimmed
from server.protocol.messages import HintStrip


def thumbnail(
    rows: int, painted: tuple[int, ...] = (), columns: tuple[int, ...] = (3,)
) -> Thumbnail:
    pixels = np.zeros((rows, 8, 4), np.uint8)
    for row in painted:
        pixels[row, list(columns)] = 255
    return Thumbnail(pixels.tobytes(), 8, rows, 4)


def strip(rgba: np.ndarray, x: int = 0, y: int = 0) -> HintStrip:
    return HintStrip(x, y, rgba.shape[1], rgba.shape[0], rgba.tobytes())


@pytest.mark.parametrize(
    ("full", "made", "shown"),
    [
        ((651, 27), (256, 10), (241, 10)),
        ((27, 651), (10, 256), (10, 241)),
        ((600, 400), (60, 40), (60, 40)),
        ((20, 20), (40, 40), (40, 40)),
        ((9000, 1), (256, 1), (256, 1)),
    ],
)
def test_of_a_small_picture_counts_what_shows_the_layer(
    full: tuple[int, int], made: tuple[int, int], shown: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (made[1], made[0], 4), np.uint8)

    small = Thumbnail(pixels.tobytes(), *made, 4).without_filling(*full)

    assert (small.width, small.height) == shown
    assert small.pixels == pixels[: shown[1], : shown[0]].tobytes()


def test_at_first_every_cell_is_read() -> None:
    assert changed_cells(None, thumbnail(10), (600, 100)) == [(0, 0), (0, 512), (64, 0), (64, 512)]


def test_nothing_painted_nothing_read() -> None:
    assert changed_cells(thumbnail(10), thumbnail(10), (80, 200)) == []


@pytest.mark.parametrize(("row", "tops"), [(0, [0]), (1, [0]), (9, [128, 192]), (5, [64, 128])])
def test_only_cells_about_a_changed_row_are_read(row: int, tops: list[int]) -> None:
    found = changed_cells(thumbnail(10), thumbnail(10, (row,)), (80, 200))

    assert found == [(top, 0) for top in tops]


@pytest.mark.parametrize(
    ("columns", "lefts"),
    [((0,), [0]), ((3,), [512, 1024]), ((7,), [1536]), ((1, 6), [0, 512, 1024, 1536])],
)
def test_only_cells_about_changed_columns_are_read(
    columns: tuple[int, ...], lefts: list[int]
) -> None:
    found = changed_cells(thumbnail(4), thumbnail(4, (0,), columns), (2048, 64))

    assert found == [(0, left) for left in lefts]


def test_a_layer_of_another_shape_is_read_wholly() -> None:
    assert changed_cells(thumbnail(10), thumbnail(12), (80, 100)) == [(0, 0), (64, 0)]


def test_a_layer_that_lost_its_alpha_is_read_wholly() -> None:
    opaque = Thumbnail(bytes([255]) * (10 * 8 * 3), 8, 10, 3)

    assert changed_cells(thumbnail(10, (5,)), opaque, (80, 100)) == [(0, 0), (64, 0)]
    assert changed_cells(opaque, thumbnail(10, (5,)), (80, 100)) == [(0, 0), (64, 0)]


def test_a_strip_is_cut_to_its_paint() -> None:
    rgba = np.zeros((64, 100, 4), np.uint8)
    rgba[10:13, 20:25] = (1, 2, 3, 255)
    rgba[30, 60] = (4, 5, 6, 1)

    cut = trimmed(strip(rgba, x=-5, y=128))

    assert cut is not None
    assert (cut.x, cut.y, cut.width, cut.height) == (15, 138, 41, 21)
    pixels = np.frombuffer(cut.rgba, np.uint8).reshape(21, 41, 4)
    assert (pixels == rgba[10:31, 20:61]).all()


def test_a_strip_without_paint_is_left_out() -> None:
    colored = np.zeros((3, 5, 4), np.uint8)
    colored[..., :3] = 200  # an eraser leaves the colour and takes the opacity

    assert trimmed(strip(colored)) is None


def test_erased_cells_are_forgotten() -> None:
    painted = Painted()
    some = strip(np.full((2, 2, 4), 255, np.uint8))
    painted.put([((64, 0), some), ((0, 512), some)])
    painted.put([((64, 0), None)])

    assert painted.strips == (some,)

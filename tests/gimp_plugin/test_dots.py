"""Which parts of the hints layer are read again, and cut to what is painted."""

from __future__ import annotations

import numpy as np
import pytest

from gimp_plugin.dots import PaintedRows, Thumbnail, changed_strips, trimmed
from server.protocol.messages import HintStrip


def thumbnail(rows: int, painted: tuple[int, ...] = ()) -> Thumbnail:
    pixels = np.zeros((rows, 8, 4), np.uint8)
    for row in painted:
        pixels[row, 3] = 255
    return Thumbnail(pixels.tobytes(), 8, rows, 4)


def strip(rgba: np.ndarray, x: int = 0, y: int = 0) -> HintStrip:
    return HintStrip(x, y, rgba.shape[1], rgba.shape[0], rgba.tobytes())


def test_at_first_every_strip_is_read() -> None:
    assert changed_strips(None, thumbnail(10), 200) == [0, 64, 128, 192]


def test_nothing_painted_nothing_read() -> None:
    assert changed_strips(thumbnail(10), thumbnail(10), 200) == []


@pytest.mark.parametrize(("row", "tops"), [(0, [0]), (1, [0]), (9, [128, 192]), (5, [64, 128])])
def test_only_strips_about_a_changed_row_are_read(row: int, tops: list[int]) -> None:
    assert changed_strips(thumbnail(10), thumbnail(10, (row,)), 200) == tops


def test_a_layer_of_another_shape_is_read_wholly() -> None:
    assert changed_strips(thumbnail(10), thumbnail(12), 100) == [0, 64]


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


def test_erased_rows_are_forgotten() -> None:
    rows = PaintedRows()
    some = strip(np.full((2, 2, 4), 255, np.uint8))
    rows.put([(64, some), (0, some)])
    rows.put([(64, None)])

    assert rows.strips == (some,)

"""Pixels made of a result, and what two results have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import picture as pictures
from engine.colorizer import Colorizer
from engine.hints import Hint
from engine.picture import Picture
from engine.result import Result
from engine.themes import Theme

EARTH = Theme(((120, 60, 20), (190, 120, 60), (230, 190, 140)))


def test_preview_and_full_agree(colorizer: Colorizer, picture: Picture) -> None:
    result = colorizer.colorize(picture, theme=EARTH)

    assert np.array_equal(result.preview(600), result.full())
    assert result.preview(100).shape == (67, 100, 3)


def test_what_did_not_change_is_not_in_the_changed_rectangle(
    colorizer: Colorizer, picture: Picture
) -> None:
    before = colorizer.colorize(picture, [Hint(40, 40, 4, (90, 60, 40))])
    after = colorizer.colorize(
        picture, [Hint(40, 40, 4, (90, 60, 40)), Hint(560, 360, 4, (30, 90, 150))]
    )
    x, y, width, height = after.changed(before)
    first, second = before.full(), after.full()
    part = second[y : y + height, x : x + width]

    assert np.array_equal(after.full(area=(x, y, width, height)), part)
    outside = np.abs(first.astype(int) - second).max(-1)
    outside[y : y + height, x : x + width] = 0
    assert outside.max() <= 1
    assert before.changed(before) == (0, 0, 0, 0)
    assert before.full(area=(0, 0, 0, 0)).shape == (0, 0, 3)


def test_the_changed_rectangle_ends_with_the_photo_whatever_its_size(picture: Picture) -> None:
    for size, working in (((334, 500), (209, 313)), ((3000, 4000), (333, 443))):
        photo = replace(picture, gray=np.zeros(size, np.uint8))
        nothing, all_over = (np.full((*working, 2), ab, np.float32) for ab in (0, 1))
        before, after = Result(photo, nothing, ()), Result(photo, all_over, ())

        assert after.changed(before) == (0, 0, size[1], size[0])


def color_layer(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> Result:
    """A photo of (400, 601) of which every 11th row and column is coloured, in waves."""
    monkeypatch.setattr(pictures, "COLOR_PIXELS", 2000)
    gray, lightness = np.full((400, 601), 128, np.uint8), torch.full((1, 1, 100, 150), 0.5)
    a, b = np.meshgrid(np.sin(np.linspace(0, 30, 150)), np.sin(np.linspace(0, 20, 100)))
    guide = np.full((100, 150), 0.5, np.float32)
    photo = replace(picture, gray=gray, lightness=lightness, guide=guide)
    return Result(photo, 20 * np.dstack((a, b)).astype(np.float32), ())


def test_rough_colours_lie_where_the_exact_ones_do(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = color_layer(picture, monkeypatch)

    apart = np.abs(result.color_only().astype(int) - result.full())

    assert result.picture.color_step == 11
    assert np.percentile(apart[8:-8, 8:-8], 99) <= 3


@pytest.mark.parametrize(
    "area", [(0, 0, 1, 1), (600, 399, 1, 1), (250, 0, 100, 400), (313, 207, 288, 50), (5, 9, 0, 0)]
)
def test_a_part_of_a_colour_layer_is_the_same_as_in_the_whole(
    picture: Picture, monkeypatch: pytest.MonkeyPatch, area: tuple[int, int, int, int]
) -> None:
    result = color_layer(picture, monkeypatch)
    x, y, width, height = area

    part = result.color_only(area=area)

    assert np.array_equal(part, result.color_only()[y : y + height, x : x + width])

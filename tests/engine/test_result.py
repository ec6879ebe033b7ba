"""Pixels made of a result, and what two results have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import picture as pictures
from engine.colorizer import Colorizer
from engine.enlarge import guide_of
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


@pytest.mark.parametrize("cell", [(0, 0), (7, 20), (63, 95)])
def test_what_a_single_cell_changes_lies_in_the_changed_rectangle(cell: tuple[int, int]) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (401, 607), np.uint8)
    guide = guide_of(gray, (64, 96))
    photo = Picture(gray, torch.from_numpy(guide)[None, None], guide, 78)
    before = Result(photo, np.zeros((64, 96, 2), np.float32), ())
    ab = before.ab.copy()
    ab[cell] = (60, -60)

    x, y, width, height = (after := Result(photo, ab, ())).changed(before)

    moved = (before.full() != after.full()).any(-1)
    assert moved[y : y + height, x : x + width].any()
    moved[y : y + height, x : x + width] = False
    assert not moved.any()
    assert width * height < 401 * 607 / 50


def test_a_dot_that_was_missed_is_reported_so(colorizer: Colorizer, picture: Picture) -> None:
    result = colorizer.colorize(picture, [Hint(300, 60, 5, (200, 30, 40))])

    (report,) = replace(result, ab=np.zeros_like(result.ab)).reports()

    assert report.delta_e > 20 and report.followed == 0
    assert max(report.reached) - min(report.reached) <= 1 < np.ptp(report.reachable)


def test_the_changed_rectangle_ends_with_the_photo_whatever_its_size(picture: Picture) -> None:
    for size, working in (((334, 500), (209, 313)), ((3000, 4000), (333, 443))):
        photo = replace(picture, gray=np.zeros(size, np.uint8))
        nothing, all_over = (np.full((*working, 2), ab, np.float32) for ab in (0, 1))
        before, after = Result(photo, nothing, ()), Result(photo, all_over, ())

        assert after.changed(before) == (0, 0, size[1], size[0])


def color_layer(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> Result:
    """A photo of (400, 601) with alpha; every 11th row and column is coloured, in waves."""
    monkeypatch.setattr(pictures, "COLOR_PIXELS", 2000)
    alpha = np.random.default_rng(0).integers(0, 256, (400, 601), np.uint8)
    gray = np.dstack((np.full_like(alpha, 128), alpha))
    lightness = torch.full((1, 1, 100, 150), 0.5)
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
def test_a_part_is_the_same_as_in_the_whole(
    picture: Picture, monkeypatch: pytest.MonkeyPatch, area: tuple[int, int, int, int]
) -> None:
    result = color_layer(picture, monkeypatch)
    x, y, width, height = area

    for make in (result.full, result.color_only):
        whole, part = make(), make(area=area)
        assert np.array_equal(part, whole[y : y + height, x : x + width])
        assert np.array_equal(whole[..., 3], result.picture.gray[..., 1])

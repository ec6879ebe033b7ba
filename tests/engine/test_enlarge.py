"""From working size to the photo's own: along edges, without seams."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import rgb2lab

from engine import enlarge
from engine.enlarge import Pixels, enlarge_ab, full_size, guide_of, lines_over


def no_tick(fraction: float) -> None:
    pass


@pytest.fixture
def small(coffee: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The true ab of the photo at a third of its size."""
    ab = rgb2lab(coffee)[..., 1:].astype(np.float32)
    return np.asarray(cv2.resize(ab, (200, 133), interpolation=cv2.INTER_AREA))


def test_colour_stops_at_an_edge_sooner_than_with_cubic() -> None:
    """A sharp edge through the middle of a cell of the small picture."""
    gray = np.full((64, 64), 60, np.uint8)
    gray[:, 34:] = 200
    truth = np.zeros((64, 64, 2), np.float32)
    truth[:, 34:] = (40, -30)
    small = cv2.resize(truth, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)

    ours = np.abs(enlarge_ab(small, gray) - truth).mean()
    cubic = np.abs(cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC) - truth).mean()

    assert ours < 0.8 * cubic


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_line_thinner_than_a_cell_takes_more_of_its_colour_than_with_cubic(width: int) -> None:
    gray = np.full((64, 64), 60, np.uint8)
    gray[:, 33 : 33 + width] = 200
    truth = np.zeros((64, 64, 2), np.float32)
    truth[:, 33 : 33 + width] = (40, -30)
    small = cv2.resize(truth, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)

    ours = np.abs(enlarge_ab(small, gray) - truth)
    cubic = np.abs(cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC) - truth)

    assert ours.mean() < 0.7 * cubic.mean()
    assert ours[:, 33 : 33 + width].mean() < 0.9 * cubic[:, 33 : 33 + width].mean()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("alpha", [False, True])
def test_bands_leave_no_seams(
    gray: NDArray[np.uint8],
    small: NDArray[np.float32],
    dtype: type,
    alpha: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo: NDArray[Any] = gray.astype(dtype)
    if dtype is np.float32:
        photo = photo / np.float32(255)
    if alpha:
        photo = np.dstack((photo, photo))

    whole = full_size(photo, small, no_tick)
    monkeypatch.setattr(enlarge, "BAND_PIXELS", 600 * 7)
    banded = full_size(photo, small, no_tick)

    # A float's last bit may decide a rounding, or whether a colour counts as out of gamut.
    step = 2e-4 if dtype is np.float32 else max(1.0, 2e-4 * np.iinfo(dtype).max)
    assert np.abs(whole.astype(float) - banded).max() <= step
    assert whole.shape == (400, 600, 4 if alpha else 3) and whole.dtype == dtype
    if alpha:
        assert np.array_equal(whole[..., 3], photo[..., 1])


def test_the_tick_rises_to_one(
    gray: NDArray[np.uint8], small: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enlarge, "BAND_PIXELS", 600 * 50)
    seen: list[float] = []

    full_size(gray, small, seen.append)

    assert seen == sorted(seen) and len(seen) == 8 and seen[-1] == 1.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_any_shape_is_enlarged(shape: tuple[int, int]) -> None:
    ab = np.full((max(1, shape[0] // 4), max(1, shape[1] // 4), 2), 20, np.float32)

    result = enlarge_ab(ab, np.full(shape, 120, np.uint8))

    assert result.shape == (*shape, 2)
    assert np.allclose(result, 20, atol=0.01)


def test_the_photos_true_colours_come_nearly_back(
    coffee: NDArray[np.uint8], gray: NDArray[np.uint8], small: NDArray[np.float32]
) -> None:
    truth = rgb2lab(coffee)[..., 1:]

    error = np.abs(enlarge_ab(small, gray) - truth)

    assert error.mean() < 1.5


@pytest.mark.parametrize("shape", [(90, 110), (400, 600), (1200, 1800), (37, 1000)])
def test_single_pixels_are_the_ones_of_the_whole(
    small: NDArray[np.float32], gray: NDArray[np.uint8], shape: tuple[int, int]
) -> None:
    photo = np.asarray(cv2.resize(gray, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    y, x = np.random.default_rng(0).integers(0, shape, (50, 2)).T
    corners = np.array((0, 0, shape[0] - 1, shape[0] - 1)), np.array((0, shape[1] - 1) * 2)
    y, x = (np.concatenate(pair)[None] for pair in zip((y, x), corners, strict=True))

    working = small.shape[0], small.shape[1]
    found = Pixels(x, y, photo, working).ab(lines_over(small, guide_of(photo, working)))

    # A remapped place is rounded to a 32nd of a cell.
    assert np.abs(found - enlarge_ab(small, photo)[y, x]).max() < 1

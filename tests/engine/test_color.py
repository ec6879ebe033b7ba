"""Colour conversion agrees with scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from engine.color import (
    ab_of,
    lab_to_linear,
    lab_to_rgb,
    linear_to_srgb,
    rgb_to_lab,
    srgb_to_linear,
)


@pytest.fixture
def rgb() -> np.ndarray:
    """All combinations of 18 levels, black and white among them: (18, 324, 3) 0..1."""
    levels = np.linspace(0, 255, 18)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1) / 255
    return cube.reshape(18, -1, 3)


def planes(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)


def test_lab_has_scikit_images_values(rgb: np.ndarray) -> None:
    expected = rgb2lab(rgb)

    assert np.abs(rgb_to_lab(planes(rgb)).permute(1, 2, 0).numpy() - expected).max() < 0.02


def test_rgb_has_scikit_images_values(rgb: np.ndarray) -> None:
    lab = rgb2lab(rgb)

    difference = lab_to_rgb(planes(lab)).permute(1, 2, 0).numpy() - lab2rgb(lab)

    assert np.abs(difference).max() < 1e-3


def test_there_and_back_again_changes_nothing(rgb: np.ndarray) -> None:
    there = rgb_to_lab(planes(rgb))

    assert torch.allclose(lab_to_rgb(there), planes(rgb), atol=1e-5)


def test_single_precision_is_enough_for_sixteen_bits(rgb: np.ndarray) -> None:
    single = planes(rgb).float()

    assert (lab_to_rgb(rgb_to_lab(single)) - single).abs().max() < 1 / 65535


def test_grey_has_no_chroma() -> None:
    grey = torch.linspace(0, 1, 256).view(1, 1, -1).expand(3, -1, -1)

    assert rgb_to_lab(grey)[1:].abs().max() < 0.01


def test_batches_are_converted_like_single_pictures(rgb: np.ndarray) -> None:
    one = planes(rgb)

    assert torch.allclose(rgb_to_lab(torch.stack((one, one)))[1], rgb_to_lab(one))


def test_colours_outside_the_gamut_are_clipped_only_in_srgb() -> None:
    vivid = torch.tensor((50.0, 100.0, -100.0)).view(3, 1, 1)

    assert lab_to_linear(vivid).min() < 0
    assert lab_to_rgb(vivid).min() >= 0 and lab_to_rgb(vivid).max() <= 1


def test_the_transfer_curve_is_its_own_inverse() -> None:
    levels = torch.linspace(0, 1, 4096, dtype=torch.float64)

    assert torch.allclose(linear_to_srgb(srgb_to_linear(levels)), levels, atol=1e-6)


def test_single_colours_have_the_ab_of_pixels() -> None:
    colors = ((122, 59, 18), (0, 0, 0), (16, 48, 128))

    expected = rgb2lab(np.array([colors], np.uint8))[0, :, 1:]

    assert np.abs(ab_of(colors) - expected).max() < 0.02
    assert ab_of(()).shape == (0, 2)

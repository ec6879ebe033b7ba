"""Figures against their reference implementations and against what can be said by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from engine.evaluation import metrics


@pytest.fixture
def pair(coffee: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A photo and a worse one, (96, 128, 3) 0..1."""
    truth = coffee[100:196, 200:328].astype(np.float32) / 255
    noise = np.random.default_rng(0).normal(0, 0.08, truth.shape).astype(np.float32)
    return np.clip(truth * 0.9 + noise, 0, 1), truth


def batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


def test_psnr_agrees_with_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    expected = peak_signal_noise_ratio(pair[1], pair[0], data_range=1)

    assert metrics.psnr(batch(pair[0]), batch(pair[1])).item() == pytest.approx(expected, abs=1e-3)


def test_psnr_of_equal_photos_is_finite(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert metrics.psnr(batch(pair[0]), batch(pair[0])).item() == pytest.approx(100)


def test_ssim_agrees_with_scikit_image_inside_the_picture(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    _, full = structural_similarity(
        *pair, channel_axis=2, data_range=1, gaussian_weights=True,
        use_sample_covariance=False, full=True,
    )  # fmt: skip
    inside = full[5:-5, 5:-5].mean()

    assert metrics.ssim(batch(pair[0]), batch(pair[1])).item() == pytest.approx(inside, abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # from the table of Sharma, Wu and Dalal
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_ciede2000_gives_the_published_values(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    colors = [torch.tensor(c, dtype=torch.float64).view(1, 3, 1, 1) for c in (first, second)]

    assert metrics.ciede2000(*colors).item() == pytest.approx(expected, abs=1e-4)


def test_gray_has_no_colorfulness_and_more_chroma_has_more(coffee: np.ndarray) -> None:
    color = batch(coffee.astype(np.float32) / 255)
    gray = color.mean(1, keepdim=True).expand_as(color)

    values = [metrics.colorfulness(torch.lerp(gray, color, t)).item() for t in (0, 0.5, 1)]

    assert values[0] == pytest.approx(0, abs=1e-3)
    assert values[1] == pytest.approx(values[2] / 2, rel=1e-3)  # linear in the opponent channels


def test_emd_of_a_photo_made_of_the_theme_is_zero_and_of_a_moved_one_the_way() -> None:
    colors = np.array([[30, 10], [-20, 40]], np.float32)
    weights = np.array([0.25, 0.75], np.float32)
    pixels = np.repeat(colors, (25, 75), axis=0)

    assert metrics.theme_emd(pixels, colors, weights) == pytest.approx(0, abs=1e-4)
    assert metrics.theme_emd(pixels + 3, colors, weights) == pytest.approx(3 * 2**0.5, abs=1e-3)
    assert metrics.theme_emd(pixels, colors, weights[::-1]) > 10  # the shares count


def test_nearest_theme_distance_ignores_shares() -> None:
    colors = np.array([[30, 10], [-20, 40]], np.float32)
    pixels = np.repeat(colors + np.array((0, 2), np.float32), (9, 1), axis=0)

    assert metrics.nearest_theme_distance(pixels, colors) == pytest.approx(2)

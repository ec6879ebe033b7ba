"""sRGB, linear light and CIE Lab (D65, 2 degree observer), on torch tensors.

L is 0..100; inside the sRGB gamut |a| and |b| stay below 110. Values agree with
scikit-image's `rgb2lab` and `lab2rgb`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

AB_SCALE = 110.0  # networks see ab / AB_SCALE, which is within -1..1 for every sRGB colour

XYZ_FROM_RGB = (  # linear light
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
WHITE_D65 = (0.95047, 1.0, 1.08883)
_DELTA = 6.0 / 29.0  # where CIE Lab's cube root becomes a straight line


def srgb_to_linear(rgb: Tensor) -> Tensor:
    """Undo the sRGB transfer curve. Any shape, 0..1; returns the same shape, 0..1."""
    return torch.where(
        rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    )


def linear_to_srgb(linear: Tensor) -> Tensor:
    """Apply the sRGB transfer curve. Any shape, 0..1; values outside are clipped."""
    linear = linear.clamp(0.0, 1.0)
    curve = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, curve)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB to CIE Lab (D65).

    rgb: (*, 3, H, W) float, 0..1. Returns the same shape: L 0..100, a and b about -110..110.
    """
    xyz = _multiply(_matrix(rgb), srgb_to_linear(rgb)) / _column(WHITE_D65, rgb)
    f = torch.where(
        xyz > _DELTA**3, xyz.clamp(min=_DELTA**3) ** (1 / 3), xyz / (3 * _DELTA**2) + 4 / 29
    )
    x, y, z = f.unbind(-3)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -3)


def lab_of(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """CIE Lab (D65) of sRGB pixels (*, 3): uint8, or float 0..1. Returns the same shape.

    The same numbers as scikit-image's `rgb2lab`, without what importing that costs at the start.
    """
    unit = rgb.astype(np.float32) / np.float32(255 if rgb.dtype == np.uint8 else 1)
    channels = torch.from_numpy(unit.reshape(-1, 3).T[..., None].copy())
    return np.asarray(rgb_to_lab(channels)[..., 0].numpy().T.reshape(rgb.shape))


def ab_of(colors: Sequence[tuple[int, int, int]]) -> NDArray[np.float32]:
    """CIE a and b of 8-bit sRGB colours: (len(colors), 2)."""
    return lab_of(np.array(colors, np.uint8).reshape(-1, 3))[:, 1:]


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert CIE Lab (D65) to sRGB.

    lab: (*, 3, H, W) float, L 0..100. Returns the same shape, 0..1, clipped to the sRGB gamut.
    """
    return linear_to_srgb(lab_to_linear(lab))


def lab_to_linear(lab: Tensor) -> Tensor:
    """Convert CIE Lab (D65) to linear-light sRGB, not clipped: outside 0..1 means out of gamut.

    lab: (*, 3, H, W) float, L 0..100. Returns the same shape.
    """
    lightness, a, b = lab.unbind(-3)
    y = (lightness + 16) / 116
    f = torch.stack((y + a / 500, y, y - b / 200), -3)
    xyz = torch.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29))
    return _multiply(torch.linalg.inv(_matrix(lab)), xyz * _column(WHITE_D65, lab))


def _matrix(like: Tensor) -> Tensor:
    return torch.tensor(XYZ_FROM_RGB, dtype=like.dtype, device=like.device)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(-1, 1, 1)


def _multiply(matrix: Tensor, channels: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix, channels)

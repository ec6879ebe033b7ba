"""A photo's grey pixels: sRGB-encoded luminance of any precision, with alpha or without."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.color import lab_of

MAX_PIXELS = 200_000_000
DTYPES = (np.uint8, np.uint16, np.float32)

# A photo is faded, or exposed wrongly, where its 1st and 99th percentile are nearer than this;
# and wholly so from the second number down.
FADED, VERY_FADED = 0.55, 0.4
TONES = (0.06, 0.90)  # what those percentiles are restored to
MOST_CONTRAST = 4.0  # times as much; more would show grain

Gray = NDArray[Any]  # (H, W), or (H, W, 2) with alpha last; one of DTYPES


def check(gray: Gray) -> None:
    """Raises ValueError, with a sentence for people, for what is no photo that can be coloured."""
    if gray.dtype not in DTYPES:
        raise ValueError(f"pixels must be uint8, uint16 or float32, not {gray.dtype}")
    if gray.ndim not in (2, 3) or (gray.ndim == 3 and gray.shape[2] != 2):
        raise ValueError(f"a photo is (height, width) or (height, width, 2), not {gray.shape}")
    if gray.shape[0] == 0 or gray.shape[1] == 0:
        raise ValueError("the photo is empty: it has no pixels")
    if gray.shape[0] * gray.shape[1] > MAX_PIXELS:
        raise ValueError(
            f"the photo has {gray.shape[0] * gray.shape[1] / 1e6:.0f} megapixels; "
            f"at most {MAX_PIXELS // 1_000_000} can be coloured"
        )
    if gray.ndim == 3 and not (gray[..., 1] > 0).any():
        raise ValueError("the photo is fully transparent: there is nothing to colour")


def unit(gray: Gray) -> NDArray[np.float32]:
    """Any supported dtype to float32, 0..1."""
    if gray.dtype == np.float32:
        finite = np.nan_to_num(gray, nan=0.0, posinf=1.0, neginf=0.0)
        return np.clip(finite, 0, 1, out=finite)
    return gray.astype(np.float32) / np.float32(np.iinfo(gray.dtype).max)


def cleaned(gray: Gray) -> Gray:
    """A float photo with all of its values in 0..1; any other, and one that is so, as it is."""
    if gray.dtype != np.float32 or (gray.min() >= 0 and gray.max() <= 1):  # not so for NaN
        return gray
    return unit(gray)


def to_uint8(gray: Gray) -> NDArray[np.uint8]:
    """Any supported dtype to 8 bits."""
    return gray if gray.dtype == np.uint8 else (unit(gray) * 255 + 0.5).astype(np.uint8)


def resize_visible(gray: Gray, size: tuple[int, int], method: int) -> NDArray[np.float32]:
    """Resize (H, W, 2) so that transparent pixels do not count; returns (h, w), 0..1."""
    values = unit(gray)
    alpha = values[..., 1]
    weighted = values * np.stack((alpha, np.ones_like(alpha)), -1)
    small = cv2.resize(weighted, size, interpolation=method)
    share = small[..., 1]
    mean = weighted[..., 0].sum() / alpha.sum()
    return np.where(share > 1e-3, small[..., 0] / np.maximum(share, 1e-3), mean).astype(np.float32)


def lightness_of(gray: Gray) -> NDArray[np.float32]:
    """L / 100 of sRGB-encoded luminance (H, W)."""
    values = unit(gray)
    return lab_of(np.repeat(values[..., None], 3, -1))[..., 0] / np.float32(100)


def restored(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A faded, dark or bright photo (H, W), 0..1, with its contrast restored; others as they are.

    For the network, which learned from photos that are none of these: it takes a faded sky for a
    wall.
    """
    low, high = (float(v) for v in np.quantile(values, (0.01, 0.99)))
    span = max(high - low, 1e-3)
    share = min(1.0, max(0.0, (FADED - span) / (FADED - VERY_FADED)))
    if not share:
        return values
    gain = min(MOST_CONTRAST, (TONES[1] - TONES[0]) / span)
    wanted = (values - (low + high) / 2) * gain + sum(TONES) / 2
    return np.clip(values + share * (wanted - values), 0, 1).astype(np.float32)

"""Put colour on a photo's own lightness, exactly.

GIMP's LCh-colour blending keeps the lightness of the layer below and takes chroma and hue from the
layer above, in CIE Lab relative to D50. What is composed here has the photo's luminance under D50
and lies inside sRGB, so that blending gives back the very same pixels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Luminance of linear sRGB relative to D50 (Bradford-adapted), as GIMP's colour engine has it.
LUMINANCE_D50 = np.array((0.22248840, 0.71690369, 0.06060791), np.float32)
_BISECTIONS = 14  # chroma of colours out of gamut to 1/16384


def compose(gray: NDArray[Any], ab: NDArray[np.float32]) -> NDArray[Any]:
    """Colour a photo.

    gray: (H, W) uint8, uint16 or float32 (0..1), sRGB-encoded luminance. ab: (H, W, 2), CIE Lab
    (D65) a and b. Returns (H, W, 3) sRGB of gray's dtype. Colours that do not exist at a pixel's
    lightness lose chroma until they do; lightness never changes but by rounding.
    """
    luminance = _luminance(gray)
    linear = _linear(_lightness(luminance), ab)
    chroma = _chroma(linear)
    outside = _outside(chroma, luminance)
    if outside.any():
        chroma[outside] = _reduced(luminance[outside], ab[outside])
    return _encode(np.clip(chroma + luminance[..., None], 0, 1), gray.dtype)


def _luminance(gray: NDArray[Any]) -> NDArray[np.float32]:
    """Undo the sRGB curve: linear luminance 0..1."""
    if gray.dtype == np.uint8:
        return np.asarray(cv2.LUT(gray, _decode(np.arange(256) / 255)), np.float32)
    if gray.dtype == np.uint16:
        return _decode(np.arange(65536) / 65535)[gray]
    return _decode(np.clip(np.nan_to_num(gray), 0, 1))


def _decode(encoded: NDArray[Any]) -> NDArray[np.float32]:
    curve = ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, curve).astype(np.float32)


def _encode(linear: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    curve = cv2.pow(np.ascontiguousarray(linear), 1 / 2.4) * np.float32(1.055) - np.float32(0.055)
    encoded = np.where(linear <= 0.0031308, linear * np.float32(12.92), curve)
    if dtype == np.float32:
        return encoded
    top = np.float32(np.iinfo(dtype).max)
    return (encoded * top + np.float32(0.5)).astype(dtype)


def _lightness(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE L* 0..100 of linear luminance."""
    root = np.cbrt(luminance)
    return np.where(luminance > 0.008856, 116 * root - 16, luminance * np.float32(903.2963))


def _linear(lightness: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE Lab (D65) to linear sRGB, not clipped: (..., 3)."""
    y = (lightness + 16) / 116
    f = np.stack((y + ab[..., 0] / 500, y, y - ab[..., 1] / 200), -1)
    xyz = np.where(f > 6 / 29, f * f * f, (f - 4 / 29) * np.float32(3 * (6 / 29) ** 2))
    return (xyz * _WHITE) @ _RGB_FROM_XYZ


def _chroma(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear RGB less grey of the same luminance; its own luminance is zero."""
    return linear - (linear @ LUMINANCE_D50)[..., None]


def _outside(chroma: NDArray[np.float32], luminance: NDArray[np.float32]) -> NDArray[np.bool_]:
    low = chroma.min(-1) + luminance < 0
    return low | (chroma.max(-1) + luminance > 1)


def _reduced(luminance: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.float32]:
    """The chroma term at the largest share of ab that is inside the gamut. All (N, ...)."""
    lightness = _lightness(luminance)
    share = np.zeros_like(luminance)
    for step in range(1, _BISECTIONS + 1):
        more = share + np.float32(0.5**step)
        chroma = _chroma(_linear(lightness, ab * more[:, None]))
        share = np.where(_outside(chroma, luminance), share, more)
    return _chroma(_linear(lightness, ab * share[:, None]))


_WHITE = np.array((0.95047, 1.0, 1.08883), np.float32)
_RGB_FROM_XYZ = np.linalg.inv(
    np.array(
        (
            (0.412453, 0.357580, 0.180423),
            (0.212671, 0.715160, 0.072169),
            (0.019334, 0.119193, 0.950227),
        )
    )
).T.astype(np.float32)

"""Put colour on a photo's own lightness, exactly.

GIMP's LCh-colour blending keeps the lightness of the layer below and takes chroma and hue from the
layer above, in CIE Lab relative to D50. What is composed here has the photo's luminance under D50
and lies inside sRGB, so that blending gives back the very same pixels.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.color import WHITE_D65, XYZ_FROM_RGB

# Luminance of linear sRGB relative to D50 (Bradford-adapted), as GIMP's colour engine has it.
LUMINANCE_D50 = np.array((0.22248840, 0.71690369, 0.06060791), np.float32)
# The largest chroma that exists, by lightness and hue, is looked up in a table of this size; to
# seek it for every pixel takes much longer (python -m engine.benchmark gamut).
_LEVELS, _HUES = 512, 1024
_RADIUS = 256.0  # |a| + |b| that no colour reaches
_HALVINGS = 14  # find it to 0.02 CIE units
_DARKEST = 4 / 29  # CIE Lab's f of black
_LONGEST_ROW = 16384  # that OpenCV remaps
_TABLE_LOCK = Lock()

Plane = NDArray[np.float32]  # any shape; the three components of a colour lie in planes, since
Planes = tuple[Plane, Plane, Plane]  # comparing them within a pixel costs numpy ten times as much


def compose(gray: NDArray[Any], ab: NDArray[np.float32]) -> NDArray[Any]:
    """Colour a photo.

    gray: (H, W) uint8, uint16 or float32 (0..1), sRGB-encoded luminance. ab: (H, W, 2), CIE Lab
    (D65) a and b. Returns (H, W, 3) sRGB of gray's dtype. Colours that do not exist at a pixel's
    lightness lose chroma until they do; lightness never changes but by rounding.
    """
    luminance, lightness = tones(gray)
    a, b = np.ascontiguousarray(ab[..., 0]), np.ascontiguousarray(ab[..., 1])
    chroma = _chroma(luminance, lightness, a, b)
    outside = _outside(chroma, luminance)
    if outside.any():
        far = luminance[outside], lightness[outside], a[outside], b[outside]
        for plane, values in zip(chroma, reduced(*far), strict=True):
            plane[outside] = values
    encoded = [_encode(np.clip(plane + luminance, 0, 1), gray.dtype) for plane in chroma]
    return np.asarray(cv2.merge(encoded))


def tones(gray: NDArray[Any]) -> tuple[Plane, Plane]:
    """Linear luminance 0..1 of sRGB-encoded gray, and CIE Lab's f of it, (L* + 16) / 116."""
    if gray.dtype == np.uint8:
        return tuple(np.asarray(cv2.LUT(gray, table), np.float32) for table in _table(256))  # type: ignore[return-value]
    if gray.dtype == np.uint16:
        luminance, lightness = _table(65536)
        return luminance[gray], lightness[gray]
    luminance = _decode(np.clip(np.nan_to_num(gray), 0, 1))
    return luminance, _lab_f(luminance)


@cache
def _table(levels: int) -> tuple[Plane, Plane]:
    luminance = _decode(np.arange(levels) / (levels - 1))
    return luminance, _lab_f(luminance)


def _decode(encoded: NDArray[Any]) -> Plane:
    curve = ((np.maximum(encoded, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, curve).astype(np.float32)


def _encode(linear: Plane, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The sRGB curve, and rounding for whole numbers."""
    encoded: Plane = np.asarray(cv2.pow(linear, 1 / 2.4), np.float32)
    encoded *= np.float32(1.055)
    encoded -= np.float32(0.055)
    np.multiply(linear, np.float32(12.92), out=encoded, where=linear <= 0.0031308)
    if dtype == np.float32:
        return np.asarray(encoded)
    encoded *= np.float32(np.iinfo(dtype).max)
    encoded += np.float32(0.5)
    return np.asarray(encoded.astype(dtype))


def _lab_f(luminance: Plane) -> Plane:
    """CIE Lab's f, the cube root with its straight start; it is (L* + 16) / 116."""
    start = luminance * np.float32(841 / 108) + np.float32(4 / 29)
    return np.where(luminance > (6 / 29) ** 3, np.cbrt(luminance), start).astype(np.float32)


def _chroma(y: Plane, f: Plane, a: Plane, b: Plane) -> Planes:
    """Linear sRGB of a Lab colour less grey of the same luminance y, which may be negative."""
    x = _lab_f_inverse(f + a * np.float32(1 / 500))
    z = _lab_f_inverse(f - b * np.float32(1 / 200))
    planes = [row[0] * x + row[1] * y + row[2] * z for row in _CHROMA_FROM_XYZ]
    return planes[0], planes[1], planes[2]


def _lab_f_inverse(f: Plane) -> Plane:
    cube = f * f * f
    low = f <= np.float32(6 / 29)
    if low.any():
        cube[low] = (f[low] - np.float32(4 / 29)) * np.float32(108 / 841)
    return cube


def _outside(chroma: Planes, luminance: Plane) -> NDArray[np.bool_]:
    r, g, b = chroma
    low = np.minimum(np.minimum(r, g), b) + luminance < 0
    return np.asarray(low | (np.maximum(np.maximum(r, g), b) + luminance > 1))


def reduced(luminance: Plane, f: Plane, a: Plane, b: Plane) -> Planes:
    """Bring colours into the gamut, with as much of their ab as exists there.

    Flat planes: luminance 0..1, CIE Lab's f of it, and ab in CIE units, all out of gamut. Returns
    linear sRGB less the luminance.
    """
    share = share_looked_up(f, a, b)
    color = _chroma(luminance, f, a * share, b * share)
    still = _outside(color, luminance)  # between its places the table may be a trace too high
    if still.any():
        luminance, f, share = luminance[still], f[still], share[still]
        a, b = a[still] * share, b[still] * share
        share = share_inside(luminance, f, a, b)
        for plane, values in zip(color, _chroma(luminance, f, a * share, b * share), strict=True):
            plane[still] = values
    return color


def share_inside(luminance: Plane, f: Plane, a: Plane, b: Plane) -> Plane:
    """The largest share of ab that is inside the gamut, sought by halving. Planes as above."""
    share = np.zeros_like(luminance)
    for step in range(1, _HALVINGS + 1):
        more = share + np.float32(0.5**step)
        color = _chroma(luminance, f, a * more, b * more)
        share = np.where(_outside(color, luminance), share, more)
    return share


def share_looked_up(f: Plane, a: Plane, b: Plane) -> Plane:
    """The largest share of ab that is inside the gamut, to a trace. Flat planes, as above."""
    radius = np.maximum(np.abs(a) + np.abs(b), np.float32(1e-6))
    # Where the ray from gray through the colour meets the diamond |a| + |b| = 1: tells hues apart
    # like their angle and takes no trigonometry. -1..3.
    side = b / radius
    largest = _largest(f, np.where(a < 0, 2 - side, side))
    return np.minimum(largest / radius, np.float32(1))


def _largest(f: Plane, side: Plane) -> Plane:
    """The largest radius that exists at each lightness and hue; flat planes."""
    column = (side + 1) * np.float32(_HUES / 4)
    row = (f - np.float32(_DARKEST)) * np.float32((_LEVELS - 1) / (1 - _DARKEST))
    parts = (np.s_[i : i + _LONGEST_ROW] for i in range(0, f.size, _LONGEST_ROW))
    with _TABLE_LOCK:  # bands are composed side by side, and the first ones all want it at once
        table = _largest_table()
    return np.concatenate(
        [
            cv2.remap(
                table, column[p], row[p], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            ).ravel()
            for p in parts
        ]
    )


@cache
def _largest_table() -> Plane:
    f, side = np.meshgrid(
        np.linspace(_DARKEST, 1, _LEVELS, dtype=np.float32),
        np.linspace(-1, 3, _HUES + 1, dtype=np.float32),
        indexing="ij",
    )
    b = 1 - np.abs(side - 1)
    a = np.where(side < 1, 1 - np.abs(b), np.abs(b) - 1)
    radius = np.float32(_RADIUS)
    return radius * share_inside(_lab_f_inverse(f), f, a * radius, b * radius)


# from X, Y and Z relative to D65 white
_RGB_FROM_XYZ = np.linalg.inv(np.array(XYZ_FROM_RGB)) * np.array(WHITE_D65)
# Taking the colour's own D50 luminance away from all three components is linear, too. Grey, whose
# X, Y and Z are equal here, is to stay grey; for 16 bits the matrix has too few digits.
_CHROMA_FROM_XYZ = _RGB_FROM_XYZ - LUMINANCE_D50 @ _RGB_FROM_XYZ
_CHROMA_FROM_XYZ[:, 1] -= _CHROMA_FROM_XYZ.sum(1)
_CHROMA_FROM_XYZ = _CHROMA_FROM_XYZ.astype(np.float32)

"""A photo's own colour profile, by littlecms: in to sRGB-encoded luminance, out from sRGB.

Both ways are relative colorimetric, so a profile's white is white. Gray and RGB profiles of all
kinds are followed, those of tables too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

_SPACES = {b"GRAY": "gray", b"RGB ": "rgb"}
_RELATIVE = 1  # the rendering intent's number
# For speed littlecms puts 16-bit pixels through a coarse table, which moves L* by up to 0.5.
_NO_TABLES = 0x0100
_BAND_ROWS = 64
_PROBE = 9  # levels of each component by which a profile is compared with sRGB
_SAME = 1e-3  # of 0..1; a quarter of an 8-bit step

Pixels = NDArray[Any]  # uint8, uint16 or float32; (H, W) or (H, W, 3)


def space_of(profile: bytes | None) -> str:
    """Gray or RGB: "gray" or "rgb"; "" for no profile, a damaged one and one of other pixels."""
    if profile is None:
        return ""
    space = _SPACES.get(profile[16:20], "")
    try:
        if space:
            _luminance(np.zeros((1, 1), np.uint8), profile)
    except imagecodecs.CmsError:
        return ""
    return space


def is_srgb(profile: bytes) -> bool:
    """Does an RGB profile say what sRGB says?"""
    levels = np.linspace(0, 1, _PROBE, dtype=np.float32)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(_PROBE, -1, 3)
    same = _transform(cube, profile, "rgb", _profile("srgb"), "rgb")
    return bool(np.abs(same - cube).max() < _SAME)


def can_hold(profile: bytes) -> bool:
    """Can RGB pixels be put into a profile? Some say only how theirs are to be read."""
    try:
        _transform(np.zeros((1, 1, 3), np.uint8), _profile("srgb"), "rgb", profile, "rgb")
    except imagecodecs.CmsError:
        return False
    return True


def luminance(pixels: Pixels, profile: bytes) -> Pixels:
    """Numbers of a profile to sRGB-encoded luminance (H, W), integers with the rounding of theirs.

    pixels: (H, W), which is grey in an RGB profile too, or (H, W, 3) of an RGB profile.
    """
    if pixels.ndim == 2 and pixels.dtype != np.float32:
        levels = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype)
        return np.asarray(_luminance(levels[None], profile)[0][pixels])
    return in_bands(lambda band: _luminance(band, profile), pixels)


def from_srgb(rgb: Pixels, profile: bytes) -> Pixels:
    """sRGB (H, W, 3) to the numbers of an RGB profile, of the same type."""
    return in_bands(lambda band: _transform(band, _profile("srgb"), "rgb", profile, "rgb"), rgb)


def _luminance(pixels: Pixels, profile: bytes) -> Pixels:
    space = _SPACES[profile[16:20]]
    if space == "rgb" and pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, -1)
    xyz = _transform(pixels, profile, space, _profile("xyz"), "xyz", "f8")
    return encoded(xyz[..., 1], pixels.dtype)


def encoded(luminance: Pixels, kind: np.dtype[Any]) -> Pixels:
    """Linear luminance, which is clipped to 0..1, on sRGB's curve in the numbers of a type."""
    y = np.clip(luminance, 0, 1)
    curve: Pixels = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    if kind == np.float32:
        return curve.astype(np.float32)
    return (curve * np.iinfo(kind).max + 0.5).astype(kind)


def _transform(
    pixels: Pixels,
    source: bytes,
    source_space: str,
    target: bytes,
    target_space: str,
    kind: str | None = None,
) -> Pixels:
    """kind: the result's type, by default that of the pixels."""
    return np.asarray(
        imagecodecs.cms_transform(
            np.ascontiguousarray(pixels),
            source,
            target,
            colorspace=source_space,
            outcolorspace=target_space,
            outdtype=kind,
            intent=_RELATIVE,
            flags=None if pixels.dtype == np.uint8 else _NO_TABLES,
        )
    )


def in_bands(work: Callable[[Pixels], Pixels], pixels: Pixels) -> Pixels:
    """What work makes of pixels, a few rows at a time on every core: no large temporaries.

    work: gets bands (h, W, ...) of pixels (H, W, ...), and keeps their rows.
    """
    tops = range(0, len(pixels), _BAND_ROWS)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        bands = threads.map(lambda top: work(pixels[top : top + _BAND_ROWS]), tops)
        return np.concatenate(list(bands))


@cache
def _profile(name: str) -> bytes:
    return bytes(imagecodecs.cms_profile(name))

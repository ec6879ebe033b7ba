"""Colour on the photo's own lightness: exact, in gamut, at every precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import rgb2lab

from engine.compose import LUMINANCE_D50, compose

# Bradford-adapted sRGB to XYZ relative to D50, as published with the ICC sRGB profile.
XYZ_D50 = np.array(
    ((0.4360747, 0.3850649, 0.1430804), (0.2225045, 0.7168786, 0.0606169),
     (0.0139322, 0.0971045, 0.7141733)),
)  # fmt: skip
WHITE_D50 = XYZ_D50.sum(1)


def unit(pixels: NDArray[Any]) -> NDArray[np.float64]:
    top = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    return pixels.astype(np.float64) / top


def linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab_d50(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    t = linear(rgb) @ XYZ_D50.T / WHITE_D50
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -1)


def ramp(dtype: type) -> NDArray[Any]:
    """256 greys, each with 64 colours beside it."""
    levels = np.tile(np.linspace(0, 1, 256)[:, None], (1, 64))
    if dtype is np.float32:
        return levels.astype(np.float32)
    return np.asarray((levels * np.iinfo(dtype).max).round().astype(dtype))


@pytest.fixture
def ab() -> NDArray[np.float32]:
    """(256, 64, 2): chroma 0 to 110 at eight hues each, 64 different ones."""
    chroma = np.repeat(np.linspace(0, 110, 8), 8)
    hue = np.linspace(0, 2 * np.pi, 64, endpoint=False).reshape(8, 8).T.ravel()
    colors = np.stack((chroma * np.cos(hue), chroma * np.sin(hue)), -1)
    return np.tile(colors[None], (256, 1, 1)).astype(np.float32)


@pytest.mark.parametrize(
    # Half a step of 8 bits is worth 0.28 in the steep darks. Below that the figures measure how
    # the published matrix and the one in GIMP's colour engine differ in their fifth digit.
    ("dtype", "limit"),
    [(np.uint8, 0.28), (np.uint16, 0.0025), (np.float32, 0.002)],
)
def test_lightness_changes_by_rounding_alone(
    dtype: type, limit: float, ab: NDArray[np.float32]
) -> None:
    gray = ramp(dtype)

    rgb = compose(gray, ab)

    wanted = lab_d50(np.repeat(unit(gray)[..., None], 3, -1))[..., 0]
    assert np.abs(lab_d50(unit(rgb))[..., 0] - wanted).max() <= limit
    assert rgb.dtype == gray.dtype


# Nearly all pixels differ by a rounding step. Where a colour lies on the border of the gamut, the
# rounded one lies outside, and clipping it costs a little more.
@pytest.mark.parametrize(("dtype", "usual", "most"), [(np.uint8, 1, 3), (np.uint16, 4, 8)])
def test_lch_blending_gives_the_same_pixels_back(
    dtype: type, usual: int, most: int, ab: NDArray[np.float32]
) -> None:
    """What GIMP's LCh-colour mode does: L of the photo, chroma and hue of the result."""
    gray = ramp(dtype)
    rgb = compose(gray, ab)
    blended = lab_d50(unit(rgb))
    blended[..., 0] = lab_d50(np.repeat(unit(gray)[..., None], 3, -1))[..., 0]

    f = (blended[..., :1] + 16) / 116
    f = np.concatenate((f + blended[..., 1:2] / 500, f, f - blended[..., 2:] / 200), -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * WHITE_D50
    light = np.clip(xyz @ np.linalg.inv(XYZ_D50).T, 0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    back = (encoded * np.iinfo(dtype).max).round()

    difference = np.abs(back - rgb.astype(np.float64)).max(-1)
    assert np.quantile(difference, 0.95) <= usual
    assert difference.max() <= most


def test_colours_inside_the_gamut_are_scikit_images() -> None:
    wanted = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    lab = rgb2lab(wanted)
    y = np.where(lab[..., 0] > 8, ((lab[..., 0] + 16) / 116) ** 3, lab[..., 0] / 903.3)
    gray = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)

    difference = np.abs(compose(gray.astype(np.float32), lab[..., 1:].astype(np.float32)) - wanted)

    # the luminance is matched under D50, which moves vivid colours a little
    assert difference.mean() < 0.01


def test_colours_out_of_gamut_keep_their_hue(ab: NDArray[np.float32]) -> None:
    gray = ramp(np.float32)

    reached = rgb2lab(compose(gray, ab).astype(np.float64))[..., 1:]

    chroma = np.hypot(*np.moveaxis(reached, -1, 0))
    turn = np.angle(np.exp(1j * (np.arctan2(reached[..., 1], reached[..., 0])
                                 - np.arctan2(ab[..., 1], ab[..., 0]))))  # fmt: skip
    seen = (chroma > 8) & (np.hypot(ab[..., 0], ab[..., 1]) > 8)
    assert np.abs(np.degrees(turn[seen])).max() < 12


def test_colours_out_of_gamut_keep_the_chroma_that_exists(ab: NDArray[np.float32]) -> None:
    gray = ramp(np.float32)[100:240, -8:]
    nowhere = 1.5 * ab[100:240, -8:]  # chroma 165

    light = linear(compose(gray, nowhere).astype(np.float64))

    to_border = np.minimum(light.min(-1), 1 - light.max(-1))
    assert to_border.max() < 0.003


def test_many_colours_out_of_gamut_are_composed_like_few(ab: NDArray[np.float32]) -> None:
    """More than OpenCV takes at once, as a band of a large photo can have."""
    gray, nowhere = ramp(np.uint16)[100:240], 9 * ab[100:240]

    many = compose(np.tile(gray, (6, 1)), np.tile(nowhere, (6, 1, 1)))

    assert np.array_equal(many, np.tile(compose(gray, nowhere), (6, 1, 1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_grey_stays_grey(dtype: type) -> None:
    gray = ramp(dtype)

    rgb = compose(gray, np.zeros((*gray.shape, 2), np.float32))

    most = 1e-6 if dtype == np.float32 else 0  # a few of a float's last bits
    assert np.abs(rgb.astype(float) - gray[..., None]).max() <= most


def test_floats_beyond_range_and_nan_give_colours(ab: NDArray[np.float32]) -> None:
    gray = np.array([[np.nan, np.inf, -1.0, 2.0]], np.float32)

    rgb = compose(gray, ab[:1, 20:24])

    assert np.isfinite(rgb).all()
    assert rgb.min() >= 0 and rgb.max() <= 1


def test_the_luminance_weights_are_those_of_the_published_matrix() -> None:
    assert np.abs(LUMINANCE_D50 - XYZ_D50[1]).max() < 1e-4

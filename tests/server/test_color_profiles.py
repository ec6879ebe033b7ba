"""Files with profiles of their own, against littlecms's answers through Pillow."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from engine.compose import compose
from server.command_line import main
from server.photo_files import read_photo, write_photo

D65, D50 = (0.3127, 0.3290, 1.0), (0.3457, 0.3585, 1.0)
# red, green and blue as x, y, Y; white; exponent of the transfer curve
RGB_SPACES = {
    "Display P3": ((0.680, 0.320, 1, 0.265, 0.690, 1, 0.150, 0.060, 1), D65, 2.2),
    "Adobe RGB": ((0.640, 0.330, 1, 0.210, 0.710, 1, 0.150, 0.060, 1), D65, 2.19921875),
    "ProPhoto": ((0.7347, 0.2653, 1, 0.1596, 0.8404, 1, 0.0366, 0.0001, 1), D50, 1.8),
    "linear": ((0.640, 0.330, 1, 0.300, 0.600, 1, 0.150, 0.060, 1), D65, 1.0),
}
GRAY_SPACES = {"gray linear": 1.0, "gray 1.8": 1.8, "gray 2.2": 2.2}
COLOR = np.array((25.0, -20.0), np.float32)  # ab of what is painted


def rgb_profile(name: str) -> bytes:
    primaries, white, gamma = RGB_SPACES[name]
    return bytes(imagecodecs.cms_profile("rgb", whitepoint=white, primaries=primaries, gamma=gamma))


def gray_profile(name: str) -> bytes:
    return bytes(imagecodecs.cms_profile("gray", gamma=GRAY_SPACES[name]))


def scaled(values: NDArray[Any], dtype: type) -> NDArray[Any]:
    """0..1 to a type's range."""
    if dtype is np.float32:
        return values.astype(np.float32)
    return (values * np.iinfo(dtype).max + 0.5).astype(dtype)


def eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    top = 1.0 if pixels.dtype == np.float32 else float(np.iinfo(pixels.dtype).max)
    return np.asarray(pixels / top * 255 + 0.5).astype(np.uint8)


def lab_by_littlecms(pixels: NDArray[Any], profile: bytes) -> NDArray[np.float64]:
    """CIE Lab relative to the profile's white, in Pillow's 8 bits: (H, W, 3)."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = "L" if pixels.ndim == 2 else "RGB"
    transform = ImageCms.buildTransform(
        source, ImageCms.createProfile("LAB"), mode, "LAB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.NOOPTIMIZE,  # else through tables that are coarse in the dark
    )  # fmt: skip
    image = ImageCms.applyTransform(Image.fromarray(eight_bits(pixels)), transform)
    assert image is not None
    lab = np.asarray(image).astype(np.int16)
    ab = np.where(lab[..., 1:] > 127, lab[..., 1:] - 256, lab[..., 1:])
    return np.concatenate((lab[..., :1] / 2.55, ab), -1)


def lightness(luminance: NDArray[Any]) -> NDArray[np.float64]:
    """CIE L* of sRGB-encoded luminance of any type."""
    top = 1.0 if luminance.dtype == np.float32 else float(np.iinfo(luminance.dtype).max)
    return np.asarray(rgb2lab(np.repeat((luminance / top)[..., None], 3, -1))[..., 0])


def tiff(path: Path, pixels: NDArray[Any], profile: bytes) -> Path:
    kind = "minisblack" if pixels.ndim == 2 else "rgb"
    tifffile.imwrite(path, pixels, photometric=kind, iccprofile=profile)
    return path


@pytest.fixture
def ramp() -> NDArray[np.float64]:
    """Greys from black to white: (16, 64), 0..1."""
    return np.linspace(0, 1, 16 * 64).reshape(16, 64)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("name", GRAY_SPACES)
def test_a_gray_profile_is_followed(
    tmp_path: Path, ramp: NDArray[np.float64], name: str, dtype: type
) -> None:
    pixels, profile = scaled(ramp, dtype), gray_profile(name)

    photo = read_photo(tiff(tmp_path / "gray.tif", pixels, profile))

    assert photo.gray.dtype == dtype and photo.profile is None
    curve = scaled(ramp, dtype) / (1 if dtype is np.float32 else np.iinfo(dtype).max)
    exact = curve ** GRAY_SPACES[name]
    l_star = np.where(exact > 216 / 24389, 116 * np.cbrt(exact) - 16, exact * 24389 / 27)
    limit = 0.4 if dtype is np.uint8 else 0.01
    assert np.abs(lightness(photo.gray) - l_star).max() < limit
    # Pillow's littlecms works in 8 bits, through tables that are coarse in a linear dark.
    by_littlecms = lab_by_littlecms(pixels, profile)[..., 0]
    assert np.abs(lightness(photo.gray) - by_littlecms).mean() < 0.5


@pytest.mark.parametrize("tint", [(1, 1, 1), (1, 0.85, 0.65)], ids=["neutral", "sepia"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("name", RGB_SPACES)
def test_lightness_is_that_of_the_profile_and_colours_come_out_in_it(
    tmp_path: Path, ramp: NDArray[np.float64], name: str, dtype: type, tint: tuple[float, ...]
) -> None:
    pixels, profile = scaled(ramp[..., None] * np.array(tint), dtype), rgb_profile(name)

    photo = read_photo(tiff(tmp_path / "photo.tif", pixels, profile))
    asked = np.broadcast_to(COLOR, (*photo.gray.shape, 2))
    write_photo(tmp_path / "result.tif", compose(photo.gray, asked), photo.profile)
    result = tifffile.imread(tmp_path / "result.tif")

    assert photo.gray.dtype == result.dtype == dtype
    before, after = lab_by_littlecms(pixels, profile), lab_by_littlecms(result, profile)
    assert np.abs(lightness(photo.gray) - lab_by_littlecms(pixels, profile)[..., 0]).mean() < 0.5
    # 8 bits of a linear profile are coarse in the dark: a step is up to 3.5 of L*
    bright = before[..., 0] > (40 if name == "linear" else 10)
    assert np.abs(before - after)[bright][:, 0].max() < 1.3
    in_gamut = (before[..., 0] > 45) & (before[..., 0] < 70)
    wanted = lab_by_littlecms(compose(photo.gray, asked), bytes(imagecodecs.cms_profile("srgb")))
    assert np.abs(after - wanted)[in_gamut].max() < 2.1


@pytest.mark.parametrize("name", RGB_SPACES)
def test_sixteen_bits_through_a_profile_and_back_move_lightness_by_little(
    tmp_path: Path, ramp: NDArray[np.float64], name: str
) -> None:
    pixels, profile = scaled(np.repeat(ramp[..., None], 3, -1), np.uint16), rgb_profile(name)

    photo = read_photo(tiff(tmp_path / "photo.tif", pixels, profile))
    grey = np.repeat(photo.gray[..., None], 3, -1)
    write_photo(tmp_path / "result.tif", grey, photo.profile)
    back = tifffile.imread(tmp_path / "result.tif")

    # No step of the table that littlecms uses for speed, no second gamma: a few of 65,535 parts.
    assert np.abs(back.astype(int) - pixels)[ramp > 0.02].max() <= 40


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_the_result_carries_the_photos_profile(
    home: Path, tmp_path: Path, gray: NDArray[np.uint8], suffix: str
) -> None:
    profile = rgb_profile("Adobe RGB")
    path, target = tmp_path / f"photo{suffix}", tmp_path / f"result{suffix}"
    Image.fromarray(np.repeat(gray[::4, ::4, None], 3, -1)).save(path, icc_profile=profile)

    assert main(["colorize", str(path), "-o", str(target), "--own"]) == 0

    with Image.open(target) as image:
        assert image.info["icc_profile"] == profile
        result = np.asarray(image.convert("RGB"))
    with Image.open(path) as image:
        before = lab_by_littlecms(np.asarray(image.convert("RGB")), profile)
    after = lab_by_littlecms(result, profile)
    assert np.abs(after[..., 0] - before[..., 0]).mean() < 1
    assert np.ptp(result.astype(int), axis=-1).mean() > 2


def test_alpha_stays_beside_a_profile(tmp_path: Path) -> None:
    rgba = np.full((4, 4, 4), (120, 90, 60, 0), np.uint8)
    rgba[..., 3] = np.arange(16).reshape(4, 4)

    write_photo(tmp_path / "result.png", rgba, rgb_profile("Adobe RGB"))

    with Image.open(tmp_path / "result.png") as image:
        assert np.array_equal(np.asarray(image)[..., 3], rgba[..., 3])


def test_where_no_profile_can_be_carried_the_result_is_srgb(tmp_path: Path) -> None:
    rgb = np.full((4, 4, 3), (200, 90, 60), np.uint8)

    write_photo(tmp_path / "result.bmp", rgb, rgb_profile("Adobe RGB"))

    with Image.open(tmp_path / "result.bmp") as image:
        assert np.array_equal(np.asarray(image), rgb)


def scanner_profile() -> bytes:
    """An RGB profile that only says how its numbers are to be read: as L*, a and b alike."""
    grid = [bytes((r, g, b)) for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    identity, ramp = (65536, 0, 0, 0, 65536, 0, 0, 0, 65536), bytes(range(256))
    table = struct.pack(">4s4x4B9i", b"mft1", 3, 3, 2, 0, *identity)
    table += 3 * ramp + b"".join(grid) + 3 * ramp
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    tags = struct.pack(">I4sII4sII", 2, b"A2B0", 156, len(table), b"wtpt", 156 + len(table), 20)
    header = struct.pack(">I4xI4s4s4s12x4s", 156 + len(table) + 20, 0x02400000, b"scnr", b"RGB ",
                         b"Lab ", b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + tags + table + white


def test_a_profile_that_can_only_be_read_is_followed_and_the_result_is_srgb(
    home: Path, tmp_path: Path, ramp: NDArray[np.float64]
) -> None:
    lab = np.dstack((ramp, np.full_like(ramp, 0.5), np.full_like(ramp, 0.5)))
    path, target = tmp_path / "scan.tif", tmp_path / "result.tif"
    tiff(path, scaled(lab, np.uint8), scanner_profile())

    photo = read_photo(path)

    assert photo.profile is None
    assert np.abs(lightness(photo.gray) - 100 * ramp).max() < 0.6
    assert main(["colorize", str(path), "-o", str(target), "--own"]) == 0
    with tifffile.TiffFile(target) as file:
        assert file.pages.first.tags.valueof("InterColorProfile") is None


@pytest.mark.parametrize("dtype", [np.uint32, np.float16, np.float64])
def test_wide_numbers_are_read_as_floats(
    tmp_path: Path, ramp: NDArray[np.float64], dtype: type
) -> None:
    top = np.iinfo(dtype).max if dtype is np.uint32 else 1
    path = tmp_path / "wide.tif"
    tifffile.imwrite(path, (ramp * top).astype(dtype), photometric="minisblack")

    photo = read_photo(path)

    assert photo.gray.dtype == np.float32
    assert np.abs(photo.gray - ramp).max() < 1e-3


@pytest.mark.parametrize(
    "profile",
    [b"no profile", b"\0" * 16 + b"RGB " + b"\0" * 200, b"\0" * 16 + b"CMYK" + b"\0" * 200],
    ids=["short", "damaged", "of other pixels"],
)
def test_a_profile_that_cannot_be_followed_counts_as_none(
    tmp_path: Path, ramp: NDArray[np.float64], profile: bytes
) -> None:
    pixels = scaled(ramp, np.uint16)

    photo = read_photo(tiff(tmp_path / "photo.tif", pixels, profile))

    assert np.array_equal(photo.gray, pixels) and photo.profile is None


def test_srgb_pixels_pass_untouched(tmp_path: Path, ramp: NDArray[np.float64]) -> None:
    pixels = scaled(np.repeat(ramp[..., None], 3, -1), np.uint16)
    srgb = bytes(imagecodecs.cms_profile("srgb"))

    photo = read_photo(tiff(tmp_path / "photo.tif", pixels, srgb))
    write_photo(tmp_path / "result.tif", pixels, photo.profile)

    assert np.array_equal(photo.gray, pixels[..., 0]) and photo.profile == srgb
    assert np.array_equal(tifffile.imread(tmp_path / "result.tif"), pixels)

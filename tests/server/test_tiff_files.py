"""The kinds of TIFF that scanners, Photoshop and GIMP write."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from server.decoded import TooLarge
from server.tiff_files import decode_tiff
from tests.server.test_color_profiles import scaled

ORIENTATION = 274  # the tag's number
DTYPES = [np.uint8, np.uint16, np.float32]
Values = NDArray[np.float64]


def tiff(pixels: NDArray[Any], photometric: str = "", **options: Any) -> bytes:
    """A TIFF of (H, W), (H, W, 2) with alpha, (H, W, 3) or (H, W, 4); alpha unassociated."""
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    plain = {
        "photometric": photometric or ("rgb" if samples > 2 else "minisblack"),
        "planarconfig": "contig" if samples > 1 else None,
        "extrasamples": ["unassalpha"] if samples in (2, 4) else None,
        "metadata": None,
    }
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **{**plain, **options})
    return file.getvalue()


def read(data: bytes) -> NDArray[Any]:
    found = decode_tiff(data)
    assert found is not None
    return found.pixels


def pages(*written: tuple[NDArray[Any], dict[str, Any]]) -> bytes:
    """A TIFF of several pages, each with options of its own."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for pixels, options in written:
            writer.write(pixels, metadata=None, **options)
    return file.getvalue()


@pytest.fixture
def values() -> Values:
    """Colours and alpha, (12, 20, 4), 0..1; alpha from nothing to full."""
    values = np.random.default_rng(0).random((12, 20, 4))
    values[..., 3] = np.linspace(0, 1, 20)
    return values


@pytest.mark.parametrize("channels", [[0], [0, 3], [0, 1, 2], [0, 1, 2, 3]], ids=len)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_every_bit_and_alpha_are_kept(
    values: Values, channels: list[int], dtype: type, byteorder: str
) -> None:
    pixels = scaled(values[..., channels].squeeze(), dtype)

    for compression in (None, "lzw"):
        found = read(tiff(pixels, byteorder=byteorder, compression=compression))
        assert found.dtype == dtype and np.array_equal(found, pixels)


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64, np.float16, np.float64])
def test_wide_numbers_with_alpha_become_floats(values: Values, dtype: type) -> None:
    top = float(np.iinfo(dtype).max) if np.dtype(dtype).kind == "u" else 1
    pixels: NDArray[Any] = (values[..., [0, 3]] * top * 0.999).astype(dtype)

    found = read(tiff(pixels))

    assert found.dtype == np.float32
    assert np.abs(found - 0.999 * values[..., [0, 3]]).max() < 1e-3


@pytest.mark.parametrize("dtype", DTYPES)
def test_where_white_is_zero_grey_is_turned_round_and_alpha_is_not(
    values: Values, dtype: type
) -> None:
    pixels = scaled(values[..., [0, 3]], dtype)
    top = 1 if dtype is np.float32 else np.iinfo(dtype).max

    assert np.array_equal(read(tiff(pixels[..., 0], "miniswhite")), top - pixels[..., 0])
    found = read(tiff(pixels, "miniswhite"))
    assert np.array_equal(found[..., 0], top - pixels[..., 0])
    assert np.array_equal(found[..., 1], pixels[..., 1])


@pytest.mark.parametrize("channels", [[0, 3], [0, 1, 2, 3]], ids=len)
@pytest.mark.parametrize("dtype", DTYPES)
def test_colours_are_divided_by_an_alpha_they_were_multiplied_by(
    values: Values, channels: list[int], dtype: type
) -> None:
    top = 1 if dtype is np.float32 else np.iinfo(dtype).max
    colors, alpha = values[..., channels[:-1]], values[..., 3:]
    pixels = scaled(np.concatenate((colors * alpha, alpha), -1), dtype)

    found = read(tiff(pixels, extrasamples=["assocalpha"]))

    assert np.array_equal(found[..., -1], pixels[..., -1])
    assert (found[:, 0, :-1] == 0).all()  # alpha is 0 there
    off = np.abs(found[:, 1:, :-1] / top - colors[:, 1:])
    assert (off <= 1.5 / top / alpha[:, 1:] + 1e-6).all()  # both were rounded to a step


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_colour_above_the_alpha_it_was_multiplied_by_is_white(dtype: type) -> None:
    top = np.iinfo(dtype).max
    pixels: NDArray[Any] = np.full((4, 4, 2), (top // 2, top // 3), dtype)

    assert (read(tiff(pixels, extrasamples=["assocalpha"]))[..., 0] == top).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright(values: Values, orientation: int, dtype: type) -> None:
    pixels = scaled(values[..., 0], dtype)
    image = Image.fromarray(pixels)
    image.getexif()[ORIENTATION] = orientation
    wanted = np.asarray(ImageOps.exif_transpose(image))

    tag = (ORIENTATION, "H", 1, orientation, True)
    assert np.array_equal(read(tiff(pixels, extratags=[tag])), wanted)
    planes = tiff(np.stack([pixels] * 3), "rgb", planarconfig="separate", extratags=[tag])
    assert np.array_equal(read(planes)[..., 0], wanted)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr"])
def test_other_kinds_are_read_in_colour_or_grey(values: Values, mode: str) -> None:
    image = Image.fromarray(scaled(values[..., :3], np.uint8)).convert(mode)
    file = io.BytesIO()
    image.save(file, "tiff")

    found, wanted = read(file.getvalue()), np.asarray(image.convert("RGB")).astype(int)

    assert np.abs(found.reshape(12, 20, -1)[..., :3] - wanted).mean() < 12


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "jpeg"])
def test_a_damaged_file_is_none_or_a_picture(values: Values, compression: str | None) -> None:
    whole = tiff(scaled(values[..., :3], np.uint8), compression=compression, iccprofile=b"x" * 40)
    chance = np.random.default_rng(1)

    for length in range(4, len(whole), 11):
        decode_tiff(whole[:length])
    for _ in range(200):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[chance.integers(4, len(whole), 3)] = chance.integers(0, 256, 3)
        with suppress(TooLarge):
            found = decode_tiff(damaged.tobytes())
            assert found is None or found.pixels.ndim in (2, 3)
    assert decode_tiff(whole[:100]) is None


@pytest.mark.parametrize("photometric", ["rgb", "separated"])  # read here, and by OpenCV
def test_a_thumbnail_before_the_photo_is_passed_over(values: Values, photometric: str) -> None:
    pixels = scaled(values if photometric == "separated" else values[..., :3], np.uint8)
    small = np.zeros((3, 5, 3), np.uint8)

    found = decode_tiff(
        pages(
            (small, {"photometric": "rgb", "subfiletype": 1}),
            (pixels, {"photometric": photometric}),
        )
    )

    assert found is not None and found.pixels.shape[:2] == (12, 20) and not found.note
    if photometric == "rgb":
        assert np.array_equal(found.pixels, pixels)


def test_a_file_of_thumbnails_alone_is_read(values: Values) -> None:
    pixels = scaled(values[..., 0], np.uint8)

    assert np.array_equal(read(tiff(pixels, subfiletype=1)), pixels)


def test_of_several_pages_the_first_is_taken_and_that_is_said(values: Values) -> None:
    first, second = scaled(values[..., 0], np.uint8), scaled(values[..., 1], np.uint8)
    plain = {"photometric": "minisblack"}
    small, mask = {**plain, "subfiletype": 1}, {"photometric": "mask", "subfiletype": 4}

    found = decode_tiff(pages((first, plain), (second, plain), (second, small), (second, plain)))
    alone = decode_tiff(pages((first, plain), (second[::2], small), (second > 99, mask)))

    assert found is not None and np.array_equal(found.pixels, first)
    assert found.note == "only page 1 of 3 was taken"
    assert alone is not None and np.array_equal(alone.pixels, first) and not alone.note


def test_a_damaged_page_does_not_keep_back_the_one_before(values: Values) -> None:
    first, second = scaled(values[..., 0], np.uint8), scaled(values[..., 1], np.uint8)
    whole = bytearray(pages(*((page, {"photometric": "minisblack"}) for page in (first, second))))
    with tifffile.TiffFile(io.BytesIO(whole)) as file:
        place = file.pages[1].offset
    whole[place : place + 2] = b"\xff\xff"  # more tags than a directory can have

    assert np.array_equal(read(bytes(whole)), first)


@pytest.mark.parametrize("note", [(2, 3, b"up\0"), (5, 1, bytes(8)), (3, 2, (6, 6)), (3, 1, 99)])
def test_a_note_that_says_no_way_to_turn_turns_nothing(values: Values, note: Any) -> None:
    pixels = scaled(values[..., 0], np.uint8)

    assert np.array_equal(read(tiff(pixels, extratags=[(ORIENTATION, *note, True)])), pixels)

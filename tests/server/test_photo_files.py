"""Photographs as files: odd ones, and what must not be lost when they are written."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base
from skimage.color import rgb2xyz

from server.photo_files import read_photo, write_photo
from server.photo_paths import UserError
from tests.server.test_color_profiles import scaled

EMPTY = np.zeros((4, 4, 3), np.uint8)


def odd(kind: int, raw: bytes) -> bytes:
    """EXIF with such a note how to turn the photo: 8 bytes of a type of TIFF's."""
    entry = struct.pack("<HHII", Base.Orientation, kind, 1 if kind == 5 else len(raw), 26)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4) + raw


@pytest.mark.parametrize(
    "exif",
    [odd(5, bytes(8)), odd(2, b"upwards\0"), b"Exif\0\0XX*\0" + bytes(20)],
    ids=["0/0", "text", "no TIFF"],
)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_an_odd_note_how_to_turn_a_photo_turns_nothing(
    tmp_path: Path, gray: NDArray[np.uint8], exif: bytes, suffix: str
) -> None:
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(gray).save(path, exif=exif)

    assert read_photo(path).gray.shape == gray.shape


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


@pytest.mark.parametrize(("bits", "level"), [(2, 3), (8, 7), (16, 700)])
def test_a_grey_that_is_transparent_in_a_png_stays_so(
    tmp_path: Path, bits: int, level: int
) -> None:
    path = tmp_path / "photo.png"
    size = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0)
    row = {2: b"\0\xe4\xe4", 8: bytes(range(9)), 16: bytes(9) + struct.pack(">4H", 0, 0, 700, 1)}
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", size)
        + png_chunk(b"tRNS", struct.pack(">H", level))
        + png_chunk(b"IDAT", zlib.compress(row[bits]))
        + png_chunk(b"IEND", b"")
    )

    gray = read_photo(path).gray

    top = np.iinfo(gray.dtype).max
    assert gray.shape == (1, 8, 2)
    clear = gray[0, :, 0] == level * top // (2**bits - 1)
    assert 0 < clear.sum() < 3 and np.array_equal(gray[0, :, 1], np.where(clear, 0, top))


@pytest.mark.parametrize("side", [14_200, 60_000])
def test_a_photo_that_is_too_large_is_refused_in_words(tmp_path: Path, side: int) -> None:
    path = tmp_path / "large.png"
    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", size) + png_chunk(b"IDAT", zlib.compress(b""))
    )

    with pytest.raises(UserError, match=f"{side**2 // 10**6} megapixels; at most 200 can"):
        read_photo(path)


def test_a_large_page_behind_a_thumbnail_is_refused(tmp_path: Path) -> None:
    path, side = tmp_path / "large.tif", 14_200
    with tifffile.TiffWriter(path) as writer:
        writer.write(EMPTY, photometric="rgb", subfiletype=1)
        tile = np.zeros((1024, 1024), np.uint8)
        tiles = (tile for _ in range((side // 1024 + 1) ** 2))
        writer.write(tiles, shape=(side, side), dtype=np.uint8, tile=tile.shape,
                     photometric="minisblack", compression="zlib")  # fmt: skip

    with pytest.raises(UserError, match="201 megapixels; at most 200 can"):
        read_photo(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_of_another_range_are_refused(
    tmp_path: Path, gray: NDArray[np.uint8], channels: int
) -> None:
    path = tmp_path / "photo.tif"
    pixels: NDArray[Any] = np.repeat(gray[..., None], channels, -1).astype(np.float32).squeeze()
    tifffile.imwrite(path, pixels, photometric="rgb" if channels == 3 else "minisblack")

    with pytest.raises(UserError, match="far above 1"):
        read_photo(path)


def test_floats_may_be_brighter_than_white_in_places(
    tmp_path: Path, gray: NDArray[np.uint8]
) -> None:
    path = tmp_path / "photo.tif"
    pixels = gray.astype(np.float32) / np.float32(np.quantile(gray, 0.6))
    tifffile.imwrite(path, pixels)

    assert np.array_equal(read_photo(path).gray, pixels)


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_of_an_animation_the_first_frame_is_taken_and_that_is_said(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"moving.{kind}"
    frames = [Image.new("RGB", (40, 30), (value,) * 3) for value in (40, 120, 200)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)

    photo = read_photo(path)

    assert photo.note == "only frame 1 of 3 was taken"
    assert abs(photo.gray[..., 0] if photo.gray.ndim == 3 else photo.gray).max() == 40


@pytest.mark.parametrize("color", [(220, 40, 30), (40, 190, 30), (40, 50, 230)])
@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp", "tif", "16-bit tif", "float tif"])
def test_a_colour_photo_is_read_as_its_luminance(
    tmp_path: Path, kind: str, color: tuple[int, int, int]
) -> None:
    path, rgb = tmp_path / f"photo.{kind.split()[-1]}", np.full((16, 16, 3), color, np.uint8)
    if kind == "16-bit tif":
        tifffile.imwrite(path, rgb.astype(np.uint16) * 257, photometric="rgb")
    elif kind == "float tif":
        tifffile.imwrite(path, rgb.astype(np.float32) / 255, photometric="rgb")
    else:
        Image.fromarray(rgb).save(path)

    gray = read_photo(path).gray

    y = rgb2xyz(rgb)[0, 0, 1]  # relative to D65: blue counts a little more, red less, than here
    wanted = 12.92 * y if y <= 0.0031308 else 1.055 * y ** (1 / 2.4) - 0.055
    top = 1 if gray.dtype == np.float32 else np.iinfo(gray.dtype).max
    assert gray.shape == (16, 16) and np.abs(gray / top - wanted).max() < 0.03


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        read_photo(tmp_path)


def test_a_jpeg_keeps_the_colours_of_single_pixels(tmp_path: Path) -> None:
    rgb = np.full((64, 64, 3), 120, np.uint8)
    rgb[:, ::2], rgb[:, 1::2] = (150, 110, 120), (100, 128, 120)  # of one lightness

    write_photo(tmp_path / "result.jpg", rgb)

    with Image.open(tmp_path / "result.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - rgb).max() <= 12


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".bmp"])
def test_a_result_is_written_as_precisely_as_its_kind_allows(
    tmp_path: Path, suffix: str, dtype: type, channels: int
) -> None:
    path, values = tmp_path / f"result{suffix}", np.empty((32, 48, channels))
    values[..., :3] = np.linspace(0.1, 0.9, 48)[:, None] * (1, 0.8, 0.6)
    values[..., 3:] = 0.8

    write_photo(path, scaled(values, dtype))

    found = decoded(path)
    kinds = {".tif": dtype, ".png": np.uint8 if dtype is np.uint8 else np.uint16}
    assert found.dtype == kinds.get(suffix, np.uint8)
    step = {".jpg": 4, ".webp": 12}.get(suffix, 1)
    top = 1 if found.dtype == np.float32 else np.iinfo(found.dtype).max
    kept = found.shape[2]
    assert kept == (3 if suffix == ".jpg" else channels)
    assert np.abs(found / top - values[..., :kept]).max() <= step / 255 + 1e-6
    if found.dtype == np.uint16:
        assert np.array_equal(found, scaled(values, np.uint16))


def decoded(path: Path) -> NDArray[Any]:
    """A file's own numbers, in the order RGBA."""
    if path.suffix == ".tif":
        return np.asarray(tifffile.imread(path))
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 244}.png"

    write_photo(path, EMPTY)

    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", [f"{'x' * 300}.png", "file.txt/out.png", "nowhere/out.png"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").touch()

    with pytest.raises(UserError, match="cannot be written"):
        write_photo(tmp_path / name, EMPTY)
    assert [found.name for found in tmp_path.iterdir()] == ["file.txt"]


def test_an_interrupted_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        assert list(tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)

    with pytest.raises(KeyboardInterrupt):
        write_photo(tmp_path / "result.png", EMPTY)
    assert not list(tmp_path.iterdir())

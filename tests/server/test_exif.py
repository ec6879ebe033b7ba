"""What a photo's file tells beside its pixels, and what of it a result carries on."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from server.exif import Exif, Order, Value, read_exif
from server.photo_files import read_photo, write_photo

ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7  # TIFF's types
KINDS = [".png", ".jpg", ".webp", ".tif"]


def scan(order: Order = "<") -> Exif:
    """What a thorough scanner and its owner write."""
    return Exif(
        order,
        {
            Base.ImageDescription: Value(ASCII, "Großmutter, 1931\0".encode()),
            Base.DateTime: Value(ASCII, b"2001:02:03 04:05:06\0"),
            Base.Orientation: Value(SHORT, struct.pack(order + "H", 6)),
            Base.XResolution: Value(RATIONAL, struct.pack(order + "II", 600, 1)),
            Base.YResolution: Value(RATIONAL, struct.pack(order + "II", 3000, 10)),
            Base.ResolutionUnit: Value(SHORT, struct.pack(order + "H", 2)),
        },
        {
            IFD.Exif: {
                Base.DateTimeOriginal: Value(ASCII, b"1931:07:01 12:00:00\0"),
                Base.LensSpecification: Value(RATIONAL, bytes(32)),  # 0/0: not known
                Base.MakerNote: Value(UNDEFINED, b"starts at 1234"),
                Base.ExifImageWidth: Value(LONG, struct.pack(order + "I", 600)),
            },
            IFD.GPSInfo: {GPS.GPSLatitudeRef: Value(ASCII, b"N\0")},
        },
    )


def save(path: Path, gray: NDArray[Any], exif: Exif) -> None:
    if path.suffix == ".tif":
        write_photo(path, np.repeat(gray[..., None], 3, -1), exif=exif)
    else:
        Image.fromarray(gray).save(path, exif=b"Exif\0\0" + exif.block())


def read(path: Path) -> tuple[Any, tuple[float, float]]:
    """By Pillow: EXIF, and dots an inch."""
    with Image.open(path) as image:
        exif: Any = image.getexif()
        exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo), exif.get_ifd(IFD.IFD1)
        dpi = exif.get(Base.XResolution), exif.get(Base.YResolution)
        return exif, image.info["dpi"] if image.format == "PNG" else dpi


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_what_a_scan_carries_is_carried_on(
    tmp_path: Path, gray: NDArray[np.uint8], source: str, target: str, order: Order
) -> None:
    path, result = tmp_path / f"scan{source}", tmp_path / f"result{target}"
    save(path, gray[:40, :60], scan(order))

    photo = read_photo(path)
    pixels = np.repeat(photo.gray[..., None], 3, -1)
    write_photo(result, pixels, photo.profile, photo.exif)

    exif, dpi = read(result)
    assert exif[Base.ImageDescription].encode("latin-1").decode() == "Großmutter, 1931"
    assert exif[Base.DateTime] == "2001:02:03 04:05:06"
    assert exif[Base.ResolutionUnit] == 2
    assert dpi == pytest.approx((300, 600), abs=0.01)  # the photo was turned
    camera = exif.get_ifd(IFD.Exif)
    assert camera[Base.DateTimeOriginal] == "1931:07:01 12:00:00"
    assert len(camera[Base.LensSpecification]) == 4
    assert exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] == "N"
    assert exif.get(Base.Orientation, 1) == 1
    assert not {Base.MakerNote, Base.ExifImageWidth} & set(camera)
    again = read_photo(result)
    assert photo.gray.shape == again.gray.shape == (60, 40)
    if target != ".jpg":
        assert np.array_equal(photo.gray, again.gray)


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", [".png", ".jpg", ".bmp", ".tif"])
def test_the_resolution_alone_is_carried_on(
    tmp_path: Path, gray: NDArray[np.uint8], source: str, target: str
) -> None:
    path, result = tmp_path / f"scan{source}", tmp_path / f"result{target}"
    Image.fromarray(gray[:40, :60]).save(path, dpi=(1200, 1200))

    photo = read_photo(path)
    write_photo(result, np.repeat(photo.gray[..., None], 3, -1), exif=photo.exif)

    assert read(result)[1] == pytest.approx((1200, 1200), abs=0.05)


def test_a_resolution_in_centimetres_is_understood(tmp_path: Path, gray: NDArray[np.uint8]) -> None:
    path, result = tmp_path / "scan.tif", tmp_path / "result.png"
    tifffile.imwrite(path, gray, resolution=(100, 200), resolutionunit="centimeter")

    write_photo(result, np.dstack([gray] * 3), exif=read_photo(path).exif)

    assert read(result)[1] == pytest.approx((254, 508), abs=0.05)


def test_a_photo_that_tells_nothing_gives_a_result_that_tells_nothing(
    tmp_path: Path, gray: NDArray[np.uint8]
) -> None:
    path, result = tmp_path / "photo.png", tmp_path / "result.png"
    Image.fromarray(gray).save(path)

    photo = read_photo(path)
    write_photo(result, np.dstack([gray] * 3), exif=photo.exif)

    with Image.open(result) as image:
        assert not photo.exif.block() and not image.info and not image.getexif()


def test_a_cameras_thumbnail_is_left_out(tmp_path: Path, gray: NDArray[np.uint8]) -> None:
    block = scan().block()
    end = struct.unpack_from("<H", block, 8)[0] * 12 + 10  # of the directory, which names the next
    thumbnail = struct.pack("<HHHIII", 1, Base.Compression, SHORT, 1, 6, 0) + b"\xff\xd8 small"
    marked = block[:end] + struct.pack("<I", len(block)) + block[end + 4 :] + thumbnail
    path, result = tmp_path / "photo.jpg", tmp_path / "result.jpg"
    Image.fromarray(gray).save(path, exif=b"Exif\0\0" + marked)
    assert read(path)[0].get_ifd(IFD.IFD1)

    write_photo(result, np.dstack([gray] * 3), exif=read_photo(path).exif)

    assert not read(result)[0].get_ifd(IFD.IFD1)
    assert b"\xff\xd8 small" not in result.read_bytes()


def test_a_description_for_programs_does_not_describe_the_result(
    tmp_path: Path, gray: NDArray[np.uint8]
) -> None:
    path, result = tmp_path / "photo.tif", tmp_path / "result.tif"
    tifffile.imwrite(path, gray)  # with its shape, for itself

    write_photo(result, np.dstack([gray] * 3), exif=read_photo(path).exif)

    with tifffile.TiffFile(path) as file:
        assert "shape" in file.pages.first.description
    with tifffile.TiffFile(result) as file:
        assert not file.pages.first.description


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_book_in_the_description_does_not_keep_the_result_back(
    tmp_path: Path, gray: NDArray[np.uint8], suffix: str
) -> None:
    book = Value(ASCII, b"x" * 40_000)
    known = (Fraction(300), Fraction(300))
    exif = Exif(tags={Base.ImageDescription: book, Base.Artist: book}, dpi=known)

    write_photo(tmp_path / f"result{suffix}", np.dstack([gray] * 3), exif=exif)

    assert read(tmp_path / f"result{suffix}")[1] == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_damaged_notes_are_carried_on_as_far_as_they_can_be_read(
    tmp_path: Path, gray: NDArray[np.uint8], suffix: str
) -> None:
    whole, chance = scan(">").block(), np.random.default_rng(0)

    for _ in range(1000):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[chance.integers(4, len(whole), 4)] = chance.integers(0, 256, 4)
        exif = read_exif(damaged.tobytes()[: chance.integers(len(whole) + 1)])
        assert read_exif(exif.block()) == exif or not exif.block()
    write_photo(tmp_path / f"result{suffix}", np.dstack([gray] * 3), exif=exif)
    assert read_photo(tmp_path / f"result{suffix}").gray.shape == gray.shape


@pytest.mark.parametrize("dpi", [(0, 0), (-1, 300), (float("nan"), 300), (float("inf"), 300)])
def test_an_impossible_resolution_is_none(dpi: tuple[float, float]) -> None:
    assert read_exif(b"", dpi=dpi).dpi is None

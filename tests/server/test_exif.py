"""What a photo's file tells beside its pixels, and what of it a result carries on."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from server.exif import carried_on
from server.photo_files import PhotoFile, read_photo, write_photo

WITH_BLOCKS = [".png", ".jpg", ".webp"]
KINDS = [*WITH_BLOCKS, ".tif"]
UPRIGHT, ON_ITS_SIDE = 1, 6
SHORT = 3  # TIFF's number of that type
WORDS: dict[int, str] = {
    Base.ImageDescription: "Oma, 1931",
    Base.Make: "Zeiss",
    Base.Model: "Ikonta",
    Base.Software: "A scanner's",
    Base.DateTime: "2001:02:03 04:05:06",
    Base.Artist: "Opa",
    Base.Copyright: "nobody's",
}


def scan(orientation: int = ON_ITS_SIDE) -> Image.Exif:
    """What a thorough scanner and its owner write."""
    exif = Image.Exif()
    exif.update(WORDS)
    exif[Base.Orientation] = orientation
    exif[Base.XResolution], exif[Base.YResolution], exif[Base.ResolutionUnit] = 600, 300, 2
    exif[IFD.Exif] = {
        Base.DateTimeOriginal: "1931:07:01 12:00:00",
        Base.LensSpecification: (float("nan"),) * 4,  # not known
        Base.MakerNote: b"starts at 1234",
        Base.ExifImageWidth: 60,
    }
    exif[IFD.GPSInfo] = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (52.0, 31.0, 7.5)}
    return exif


def write(path: Path, photo: PhotoFile) -> None:
    write_photo(path, np.repeat(photo.gray[..., None], 3, -1), photo.profile, photo.exif)


def read(path: Path) -> Any:
    """EXIF, by Pillow."""
    with Image.open(path) as image:
        exif = image.getexif()
        for part in (IFD.Exif, IFD.GPSInfo, IFD.IFD1):
            exif.get_ifd(part)
        return exif


def resolution(path: Path) -> tuple[float, float, int]:
    exif = read(path)
    return exif[Base.XResolution], exif[Base.YResolution], exif[Base.ResolutionUnit]


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_what_a_scan_carries_is_carried_on(
    tmp_path: Path, gray: NDArray[np.uint8], source: str, target: str
) -> None:
    path, result = tmp_path / f"scan{source}", tmp_path / f"result{target}"
    Image.fromarray(gray[:40, :60]).save(path, exif=scan().tobytes())

    photo = read_photo(path)
    write(result, photo)

    exif = read(result)
    assert {tag: exif.get(tag) for tag in WORDS} == WORDS
    assert resolution(result) == (300, 600, 2)  # the photo was turned
    assert exif.get(Base.Orientation, UPRIGHT) == UPRIGHT
    assert photo.gray.shape == read_photo(result).gray.shape == (60, 40)


@pytest.mark.parametrize("target", WITH_BLOCKS)
@pytest.mark.parametrize("source", KINDS)
def test_what_the_camera_and_its_place_were_is_carried_on(
    tmp_path: Path, gray: NDArray[np.uint8], source: str, target: str
) -> None:
    path, result = tmp_path / f"scan{source}", tmp_path / f"result{target}"
    Image.fromarray(gray).save(path, exif=scan().tobytes())

    write(result, read_photo(path))

    camera, place = read(result).get_ifd(IFD.Exif), read(result).get_ifd(IFD.GPSInfo)
    assert camera[Base.DateTimeOriginal] == "1931:07:01 12:00:00"
    assert len(camera[Base.LensSpecification]) == 4
    assert not {Base.MakerNote, Base.ExifImageWidth} & set(camera)
    assert place == {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (52.0, 31.0, 7.5)}


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_letters_stay_in_their_encoding(
    tmp_path: Path, gray: NDArray[np.uint8], source: str, target: str, encoding: str
) -> None:
    path, result = tmp_path / f"scan{source}", tmp_path / f"result{target}"
    words, exif = "Großmutter, 1931".encode(encoding), Image.Exif()
    exif[Base.ImageDescription] = words
    if source == ".tif":
        tifffile.imwrite(path, gray, description=words, metadata=None)
    else:
        Image.fromarray(gray).save(path, exif=exif.tobytes())

    write(result, read_photo(path))

    assert read(result)[Base.ImageDescription].encode("latin-1") == words


def test_the_resolution_of_an_upright_photo_stays(tmp_path: Path, gray: NDArray[np.uint8]) -> None:
    Image.fromarray(gray).save(tmp_path / "scan.jpg", exif=scan(UPRIGHT).tobytes())

    write(tmp_path / "result.jpg", read_photo(tmp_path / "scan.jpg"))

    assert resolution(tmp_path / "result.jpg") == (600, 300, 2)


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", [".png", ".jpg", ".bmp", ".tif"])
def test_the_resolution_alone_is_carried_on(
    tmp_path: Path, gray: NDArray[np.uint8], source: str, target: str
) -> None:
    path, result = tmp_path / f"scan{source}", tmp_path / f"result{target}"
    Image.fromarray(gray).save(path, dpi=(1200, 1200))

    write(result, read_photo(path))

    assert resolution(result) == pytest.approx((1200, 1200, 2), abs=0.05)


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
@pytest.mark.parametrize("target", KINDS)
def test_tiffs_of_either_order_and_large_ones_are_understood(
    tmp_path: Path, gray: NDArray[np.uint8], target: str, order: Literal["<", ">"], big: bool
) -> None:
    path, result = tmp_path / "scan.tif", tmp_path / f"result{target}"
    tifffile.imwrite(path, gray, resolution=(100, 200), resolutionunit="centimeter",
                     byteorder=order, bigtiff=big)  # fmt: skip

    write(result, read_photo(path))

    assert resolution(result) == (100, 200, 3)


def test_the_page_that_is_taken_tells_and_not_its_thumbnail(
    tmp_path: Path, gray: NDArray[np.uint8]
) -> None:
    path, result = tmp_path / "scan.tif", tmp_path / "result.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(gray[::8, ::8], subfiletype=1, description="small", metadata=None)
        file.write(gray, description="large", metadata=None)

    write(result, read_photo(path))

    assert read(result)[Base.ImageDescription] == "large"


@pytest.mark.parametrize("target", KINDS)
def test_a_photo_that_tells_nothing_gives_a_result_that_tells_nothing(
    tmp_path: Path, gray: NDArray[np.uint8], target: str
) -> None:
    path, result = tmp_path / "photo.png", tmp_path / f"result{target}"
    Image.fromarray(gray).save(path)

    photo = read_photo(path)
    write(result, photo)

    assert not photo.exif
    assert not {*WORDS, IFD.Exif, IFD.GPSInfo} & set(read(result))


def test_a_cameras_thumbnail_is_left_out(tmp_path: Path, gray: NDArray[np.uint8]) -> None:
    block = scan().tobytes().removeprefix(b"Exif\0\0")
    end = struct.unpack_from(">H", block, 8)[0] * 12 + 10  # of the directory, which names the next
    thumbnail = struct.pack(">HHHIHHI", 1, Base.Compression, SHORT, 1, 6, 0, 0) + b"\xff\xd8 small"
    marked = block[:end] + struct.pack(">I", len(block)) + block[end + 4 :] + thumbnail
    path, result = tmp_path / "photo.jpg", tmp_path / "result.jpg"
    Image.fromarray(gray).save(path, exif=b"Exif\0\0" + marked)
    assert read(path).get_ifd(IFD.IFD1)

    write(result, read_photo(path))

    assert read(result)[Base.Make] == "Zeiss"
    assert not read(result).get_ifd(IFD.IFD1)
    assert b"\xff\xd8 small" not in result.read_bytes()


@pytest.mark.parametrize("kind", ["shaped", "imagej", "ome"])
def test_a_description_for_programs_does_not_describe_the_result(
    tmp_path: Path, gray: NDArray[np.uint8], kind: str
) -> None:
    path, result = tmp_path / "photo.tif", tmp_path / "result.tif"
    tifffile.imwrite(path, gray, imagej=kind == "imagej", ome=kind == "ome")
    assert read(path)[Base.ImageDescription]

    write(result, read_photo(path))

    assert Base.ImageDescription not in read(result)


@pytest.mark.parametrize("target", KINDS)
def test_of_a_book_in_the_description_only_the_resolution_is_left(
    tmp_path: Path, gray: NDArray[np.uint8], target: str
) -> None:
    path, result = tmp_path / "photo.png", tmp_path / f"result{target}"
    exif = scan()
    exif[Base.ImageDescription] = exif[Base.Artist] = "x" * 40_000
    Image.fromarray(gray).save(path, exif=exif.tobytes())

    write(result, read_photo(path))

    assert resolution(result) == (300, 600, 2)
    assert not {Base.Artist, Base.Make, IFD.Exif} & set(read(result))


def test_dots_of_no_unit_are_no_resolution(tmp_path: Path, gray: NDArray[np.uint8]) -> None:
    path = tmp_path / "photo.tif"
    tifffile.imwrite(path, gray, resolution=(4, 3), resolutionunit="none", software=False,
                     metadata=None)  # fmt: skip

    assert not read_photo(path).exif


@pytest.mark.parametrize("kind", WITH_BLOCKS)
def test_damaged_exif_counts_as_nothing(tmp_path: Path, gray: NDArray[np.uint8], kind: str) -> None:
    path = tmp_path / f"photo{kind}"
    damaged = scan().tobytes().replace(b"MM\0*", b"XX\0*")
    Image.fromarray(gray).save(path, exif=damaged)

    photo = read_photo(path)

    left = Image.Exif()
    left.load(photo.exif)
    assert photo.gray.shape == gray.shape
    # Pillow then takes a JPEG to have 72 dots an inch.
    assert set(left) <= {Base.XResolution, Base.YResolution, Base.ResolutionUnit}


def test_no_damage_keeps_a_photo_from_its_result(tmp_path: Path) -> None:
    whole, chance = scan().tobytes().removeprefix(b"Exif\0\0"), np.random.default_rng(0)
    blocks = set()

    for _ in range(1000):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[chance.integers(4, len(whole), 4)] = chance.integers(0, 256, 4)
        cut = damaged.tobytes()[: chance.integers(len(whole) + 1)]
        blocks |= {carried_on(cut, False), carried_on(cut, True, 8)}
    assert b"" in blocks and len(blocks) > 100
    for block in sorted(blocks):
        write_photo(tmp_path / "result.tif", np.zeros((4, 4, 3), np.uint8), exif=block)
        write_photo(tmp_path / "result.jpg", np.zeros((4, 4, 3), np.uint8), exif=block)
        read(tmp_path / "result.tif"), read(tmp_path / "result.jpg")


@pytest.mark.parametrize("dpi", [(0, 0), (-1, 300), (float("nan"), 300), (float("inf"), 300)])
def test_an_impossible_resolution_is_none(dpi: tuple[float, float]) -> None:
    assert carried_on(b"", False, dpi=(300, 300))
    assert not carried_on(b"", False, dpi=dpi)

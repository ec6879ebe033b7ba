"""What a photo's file tells beside its pixels: when, where, what and by whom, and its resolution.

A result carries it on as a new EXIF block. Left out is what holds for the photo's own file alone:
how it is turned, its thumbnail, its size and colours, and the maker's note, which counts from the
place where it stood.
"""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

_LONGEST = 65_000  # bytes; a JPEG has room for few more
_UNITS = (2, 3)  # inch and centimetre
_LEAST, _MOST = 1, 100_000  # dots for each unit; others are taken for unknown
_ASCII = 2  # TIFF's number of that type

_WORDS = (Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist,
          Base.Copyright)  # fmt: skip
_LEFT_OUT = (Base.MakerNote, Base.ExifImageWidth, Base.ExifImageHeight, Base.ColorSpace,
             Base.ExifInteroperabilityOffset)  # fmt: skip
_FOR_PROGRAMS = ("{", "<", "ImageJ=")  # such descriptions tell how the old file is laid out


def carried_on(data: bytes, turned: bool, start: int | None = None, dpi: Any = (0, 0)) -> bytes:
    """What a result carries on of an EXIF block or a TIFF file, as a block; b"" of nothing.

    turned: have rows of pixels become columns? start: where a TIFF page's directory is;
    dpi: what else is known of the resolution, across and down.
    """
    resolution, block = _resolution(dpi, turned), b""
    # What damaged EXIF makes Pillow raise is of every kind; it counts as nothing.
    with suppress(Exception), warnings.catch_warnings(action="ignore"):
        found = _load(data, start)
        dots = (found.get(Base.XResolution, 0), found.get(Base.YResolution, 0))
        unit = found.get(Base.ResolutionUnit, 2)
        resolution = _resolution(dots, turned, unit) or resolution
        block = _block(resolution | _words(found) | _parts(found))
    return block if len(block) in range(1, _LONGEST) else _block(resolution)


def tiff_arguments(block: bytes) -> dict[str, Any]:
    """The block for tifffile's imwrite, which can write no camera's and no GPS directory."""
    exif = _load(block)
    words = [(tag, _ASCII, 0, text, True) for tag, text in _words(exif).items()]
    dots = (exif.get(Base.XResolution, 1), exif.get(Base.YResolution, 1))
    unit = exif.get(Base.ResolutionUnit, 1)  # 1: not known
    return {"resolution": dots, "resolutionunit": unit, "software": False, "extratags": words}


def _load(data: bytes, start: int | None = None) -> Image.Exif:
    exif = Image.Exif()
    if start is None:
        exif.load(data)
    else:
        exif.endian, exif.bigtiff = "<" if data[:2] == b"II" else ">", b"+" in data[:4]
        exif.load_from_fp(io.BytesIO(data), start)
    return exif


def _resolution(dots: Any, turned: bool, unit: Any = 2) -> dict[int, Any]:
    x, y = reversed(dots) if turned else dots
    if unit not in _UNITS or not all(_LEAST <= n <= _MOST for n in (x, y)):
        return {}
    return {Base.XResolution: x, Base.YResolution: y, Base.ResolutionUnit: unit}


def _words(found: Image.Exif) -> dict[int, Any]:
    """As bytes, in the encoding that they were written in: Pillow reads each byte as a letter."""
    texts = {tag: found[tag] for tag in _WORDS if isinstance(found.get(tag), str)}
    if texts.get(Base.ImageDescription, "").startswith(_FOR_PROGRAMS):
        del texts[Base.ImageDescription]
    return {tag: text.encode("latin-1") for tag, text in texts.items() if text}


def _parts(found: Image.Exif) -> dict[int, Any]:
    """The camera's directory and the place's."""
    parts = {part: dict(found.get_ifd(part)) for part in (IFD.Exif, IFD.GPSInfo)}
    for tag in _LEFT_OUT:
        parts[IFD.Exif].pop(tag, None)
    return {part: tags for part, tags in parts.items() if tags}


def _block(tags: dict[int, Any]) -> bytes:
    exif = Image.Exif()
    exif.update(tags)
    return bytes(exif.tobytes()).removeprefix(b"Exif\0\0") if tags else b""

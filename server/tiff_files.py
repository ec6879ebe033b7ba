"""TIFF files, with all their bits and their alpha, black as 0, and upright.

tifffile reads the plain kinds, of which OpenCV loses bits, alpha or the sense of black and white.
OpenCV reads the others, and turns them by itself.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
import tifffile
from tifffile import EXTRASAMPLE, PHOTOMETRIC, SAMPLEFORMAT

from server.color_profiles import in_bands
from server.decoded import (
    Decoded,
    Pixels,
    TooLarge,
    on_its_side,
    refuse_too_large,
    rgb_order,
    upright,
    white,
)
from server.exif import carried_on

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # what such files begin with
# Numbers for each pixel of the kinds that are read here, without and with alpha.
_SAMPLES = {PHOTOMETRIC.MINISBLACK: (1, 2), PHOTOMETRIC.MINISWHITE: (1, 2), PHOTOMETRIC.RGB: (3, 4)}
_WIDE = (np.uint32, np.uint64, np.float16, np.float64)


def decode_tiff(data: bytes) -> Decoded | None:
    """The first page that is no thumbnail; None of a file that cannot be read.

    Pixels are upright, with black as 0 and colours that are not multiplied by alpha. Integers of
    8 and 16 bits stay; half floats, doubles and wider integers become 32-bit floats, 0..1. Raises
    TooLarge.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pictures = list(_pictures(file))
            page = pictures[0] if pictures else file.pages.first
            refuse_too_large(page.imagewidth, page.imagelength)
            pixels = _decode_plain(page) if _is_plain(page) else _decode_other(data, page.index)
            profile = page.tags.valueof("InterColorProfile")
            turned = on_its_side(page.tags.valueof("Orientation"))
            exif = carried_on(data, turned, page.offset)
    except TooLarge:
        raise
    except Exception:  # what a damaged file makes tifffile and its codecs raise is of every kind
        return None
    if pixels is None:
        return None
    note = f"only page 1 of {len(pictures)} was taken" if len(pictures) > 1 else ""
    return Decoded(pixels, profile if isinstance(profile, bytes) else None, exif, note)


def _pictures(file: Any) -> Iterator[Any]:
    """The pages that are neither a smaller copy of another one nor its mask."""
    with suppress(Exception):  # a damaged page must not keep back those before it
        for page in file.pages:
            if not page.is_reduced and not page.is_mask:
                yield page


def _is_plain(page: Any) -> bool:
    """Grey or RGB in whole bytes, with at most an alpha beside the colours?"""
    return bool(
        page.samplesperpixel in _SAMPLES.get(page.photometric, ())
        and page.axes in ("YX", "YXS", "SYX")  # no depth
        and page.bitspersample in (8, 16, 32, 64)
        and page.sampleformat in (SAMPLEFORMAT.UINT, SAMPLEFORMAT.IEEEFP)
        and page.imagewidth * page.imagelength > 0
    )


def _decode_plain(page: Any) -> Pixels:
    pixels = _narrow(page.asarray())
    if page.axes == "SYX":  # a plane for each component
        pixels = np.moveaxis(pixels, 0, -1)
    if page.extrasamples == (EXTRASAMPLE.ASSOCALPHA,):
        pixels = in_bands(_unmultiplied, pixels)
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        pixels = _inverted(pixels)
    return upright(pixels, page.tags.valueof("Orientation"))


def _decode_other(data: bytes, page: int) -> Pixels | None:
    done, found = cv2.imdecodemulti(
        np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED, range=(page, page + 1)
    )
    pixels = rgb_order(found[0]) if done else None
    return None if pixels is None else _narrow(pixels)


def _narrow(pixels: Pixels) -> Pixels:
    if pixels.dtype not in _WIDE:
        return pixels
    top = np.float64(white(pixels))
    return in_bands(lambda band: (band / top).astype(np.float32), pixels)


def _unmultiplied(pixels: Pixels) -> Pixels:
    """Colours divided by alpha; where that is 0 nobody knows them, and they are black."""
    colors, alpha = pixels[..., :-1], pixels[..., -1:]
    top = white(pixels)
    plain = np.zeros(colors.shape)
    np.divide(colors * float(top), alpha, out=plain, where=alpha > 0)
    if pixels.dtype.kind == "u":
        plain = np.minimum(plain, top) + 0.5
    return np.concatenate((plain.astype(pixels.dtype), alpha), -1)


def _inverted(pixels: Pixels) -> Pixels:
    """Grey the other way round; alpha stays."""
    if pixels.ndim == 2:
        return np.asarray(white(pixels) - pixels)
    return np.dstack((white(pixels) - pixels[..., 0], pixels[..., 1]))

"""A picture read from a photo's file of any kind, and what is to be done with all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from server.protocol.messages import MAX_PIXELS

Pixels = NDArray[Any]  # (H, W), (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA


@dataclass(frozen=True)
class Decoded:
    """The first picture in a photo's file."""

    pixels: Pixels
    profile: bytes | None  # of colours
    exif: bytes  # what a result carries on of it, as a block
    note: str = ""  # for people, of what else is in the file


class TooLarge(Exception):
    """More pixels than can be coloured; the message says how many."""


def refuse_too_large(width: int, height: int) -> None:
    """Before they take all memory: a damaged size is large, too. Raises TooLarge."""
    if width * height > MAX_PIXELS:
        raise TooLarge(f"{width * height // 1_000_000} megapixels; at most "
                       f"{MAX_PIXELS // 1_000_000} can be coloured")  # fmt: skip


def upright(pixels: Pixels, orientation: Any) -> Pixels:
    """Turned as the camera's note says: 1..8, alike in TIFF and EXIF; others turn nothing."""
    if on_its_side(orientation):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def on_its_side(orientation: Any) -> bool:
    """Do rows become columns when a photo is turned as its note says?"""
    return orientation in (5, 6, 7, 8)


def rgb_order(pixels: Pixels | None) -> Pixels | None:
    """OpenCV's order of components is BGRA; grey, and what it could not read, pass."""
    if pixels is None or pixels.ndim == 2:
        return pixels
    return np.asarray(
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    )


def white(pixels: Pixels) -> int:
    """The number that is white in pixels of this type."""
    return int(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1

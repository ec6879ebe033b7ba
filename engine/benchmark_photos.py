"""Photos whose true colour is known, and how near to it a result comes; for the benchmarks."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from engine.color import AB_SCALE
from engine.hints import Hint
from engine.photos import color_photos, load_squares, read_photo
from engine.samples import SAMPLES
from engine.themes import Color, Theme, color_of, theme_from_photo

EDGE = 60.0  # of the Sobel gradient's length in a and b together: a strong edge
REACH = 4  # pixels
OBLONG = 1.15  # times the shorter side, or more
DOTS = 20  # for each photo
DOT_RADIUS = 2


@dataclass(frozen=True)
class Photo:
    """A photo, its luminance, and what a user who knows its colours would ask for."""

    lab: NDArray[np.float32]  # (H, W, 3)
    gray: NDArray[np.float32]  # (H, W), sRGB-encoded luminance, 0..1
    hints: list[Hint]
    theme: Theme


def sample_photos() -> list[Photo]:
    """Seven photos of more than 400 pixels."""
    return [described(read_photo(path.read_bytes())) for path in SAMPLES]


def add_photo_options(parser: argparse.ArgumentParser) -> None:
    """What `validation_photos` is to take."""
    parser.add_argument("--photos", type=Path, help="as for engine.train; its validation photos")
    parser.add_argument("--limit", type=int, default=60, help="of those photos")


def validation_photos(source: Path, limit: int) -> list[Photo]:
    """Squares of 256 pixels; source: as for engine.train."""
    squares = load_squares(source, "val", 256, limit=limit).permute(0, 2, 3, 1)
    return [described(np.ascontiguousarray(rgb)) for rgb in squares.numpy()]


def oblong_photos(source: Path, limit: int) -> list[Photo]:
    """The first of the validation photos that are not square, in their own shape and size."""
    read = color_photos(source, "val")
    oblong = (rgb for rgb in read if max(rgb.shape[:2]) > OBLONG * min(rgb.shape[:2]))
    return [described(rgb) for rgb in islice(oblong, limit)]


def described(rgb: NDArray[np.uint8]) -> Photo:
    """rgb: (H, W, 3) sRGB. The dots lie at fixed random places, in the colours that are there."""
    lab = rgb2lab(rgb).astype(np.float32)
    levels = np.linspace(0, 1, 4096)
    lightness = rgb2lab(np.repeat(levels[None, :, None], 3, -1))[0, :, 0]
    gray = np.interp(lab[..., 0], lightness, levels).astype(np.float32)
    low, high = DOT_RADIUS, np.array(gray.shape) - DOT_RADIUS - 1
    places = np.random.default_rng(0).integers(low, high, (DOTS, 2)).tolist()
    hints = [Hint(x + 0.5, y + 0.5, DOT_RADIUS, _mean_color(rgb, y, x)) for y, x in places]
    return Photo(lab, gray, hints, theme_from_photo(rgb))


def near_edges(ab: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a strong edge of chroma is within reach: (H, W)."""
    gradient = sum(
        np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
        for plane in np.moveaxis(ab, -1, 0)
    )
    strong = (np.asarray(gradient) > EDGE).astype(np.uint8)
    return np.asarray(cv2.dilate(strong, np.ones((2 * REACH + 1, 2 * REACH + 1))) > 0)


def psnr(ab: NDArray[np.float32], photo: Photo) -> float:
    """Of a and b, in dB; peak 110."""
    error = np.square(ab - photo.lab[..., 1:]).mean()
    return float(-10 * np.log10(error / AB_SCALE**2))


def edge_error(ab: NDArray[np.float32], photo: Photo) -> float:
    """Mean CIEDE2000 near strong edges of chroma; nan for a photo that has none."""
    edges = near_edges(photo.lab[..., 1:])
    if not edges.any():
        return float("nan")
    result = np.concatenate((photo.lab[..., :1][edges], ab[edges]), -1)
    return float(deltaE_ciede2000(photo.lab[edges], result).mean())


def _mean_color(rgb: NDArray[np.uint8], y: int, x: int) -> Color:
    reach = DOT_RADIUS
    window = rgb[y - reach : y + reach + 1, x - reach : x + reach + 1].reshape(-1, 3)
    return color_of(window.mean(0))

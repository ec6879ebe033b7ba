"""Photographs as files: read as luminance, written in colour, nothing of the user's overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
# Luminance relative to D50, as GIMP computes it.
_LUMINANCE = np.array((0.22248840, 0.71690369, 0.06060791), np.float32)


class UserError(Exception):
    """Something the person at the keyboard can put right; the message says what."""


def output_paths(photos: Sequence[Path], output: Path) -> list[Path]:
    """Where each result goes. Raises UserError when one would cover a photo or another result."""
    if output.suffix and not output.is_dir() and output.suffix.lower() not in SUFFIXES:
        raise UserError(f"{output.suffix} files cannot be written; take {', '.join(SUFFIXES)}")
    if len(photos) == 1 and output.suffix.lower() in SUFFIXES and not output.is_dir():
        targets = [output]
    elif output.suffix and not output.is_dir():
        raise UserError(f"{output} is no folder; several photos need a folder for their results")
    else:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"the folder {output} cannot be made: {error.strerror}") from error
        targets = [output / f"{photo.stem}.png" for photo in photos]
    for photo in photos:
        if any(target.resolve() == photo.resolve() for target in targets):
            raise UserError(f"the result would replace the photo {photo}; choose another place")
    if len(set(targets)) < len(targets):
        raise UserError("two photos have the same name; colour them into different folders")
    return targets


def read_gray(path: Path) -> NDArray[Any]:
    """A photo's sRGB-encoded luminance: (H, W), or (H, W, 2) with alpha. Raises UserError.

    16-bit files keep their 16 bits. Colour profiles are not looked at: sRGB is assumed.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist")
    pixels = (
        cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        if path.stat().st_size
        else None
    )
    if pixels is None:
        raise UserError(f"{path} is not a photo that can be read")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise UserError(f"{path} has pixels of the type {pixels.dtype}, which cannot be coloured")
    pixels = upright(pixels, path)
    if pixels.ndim == 2:
        return pixels
    luminance = _luminance(np.ascontiguousarray(pixels[..., 2::-1]))
    return luminance if pixels.shape[2] == 3 else np.dstack((luminance, pixels[..., 3]))


def expand(names: Sequence[str]) -> list[Path]:
    """Files as they are, folders as the photos in them. Raises UserError for an empty folder."""
    found: list[Path] = []
    for path in map(Path, names):
        inside = sorted(p for p in path.glob("*") if p.suffix.lower() in SUFFIXES)
        if path.is_dir() and not inside:
            raise UserError(f"the folder {path} holds no photos")
        found += inside if path.is_dir() else [path]
    return found


def upright(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Turned as the camera's note (EXIF orientation) says, which OpenCV leaves out here."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1)
    except OSError:
        return pixels  # a kind of file that Pillow does not know carries no such note
    if turned in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if turned in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turned in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _luminance(rgb: NDArray[Any]) -> NDArray[Any]:
    if (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all():
        return np.ascontiguousarray(rgb[..., 0])  # grey already: keep every bit
    top = 1.0 if rgb.dtype == np.float32 else float(np.iinfo(rgb.dtype).max)
    unit = rgb.astype(np.float32) / top
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    y = np.clip(linear @ _LUMINANCE, 0, 1)
    encoded = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    if rgb.dtype == np.float32:
        return encoded.astype(np.float32)
    return (encoded * top + 0.5).astype(rgb.dtype)


def write_photo(path: Path, rgb: NDArray[Any]) -> None:
    """Write (H, W, 3 or 4) sRGB; the file's ending chooses its kind. Raises UserError."""
    if path.suffix.lower() in (".jpg", ".jpeg", ".webp", ".bmp") and rgb.dtype != np.uint8:
        top = 1.0 if rgb.dtype == np.float32 else float(np.iinfo(rgb.dtype).max)
        rgb = (rgb / top * 255 + 0.5).astype(np.uint8)
    if path.suffix.lower() == ".png" and rgb.dtype == np.float32:
        rgb = (rgb * 65535 + 0.5).astype(np.uint16)
    order = [2, 1, 0, 3][: rgb.shape[2]]
    done, data = cv2.imencode(path.suffix, np.ascontiguousarray(rgb[..., order]))
    if not done:
        raise UserError(f"{path} cannot be written as a {path.suffix} file")
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data.tobytes())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}") from error

"""Photographs as files: read as luminance, written in colour; none that is read is overwritten."""

from __future__ import annotations

import glob
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image

from server import color_profiles, tiff_files

# Only headers are read with Pillow, so no size is a bomb, and none is to be warned of.
Image.MAX_IMAGE_PIXELS = None

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
# Luminance relative to D50, as GIMP computes it.
_LUMINANCE = np.array((0.22248840, 0.71690369, 0.06060791), np.float32)


class UserError(Exception):
    """Something the person at the keyboard can put right; the message says what."""


def output_paths(photos: Sequence[Path], output: str) -> list[Path]:
    """Where each result goes: a file, or PNGs in a folder, which is made.

    output: as it was typed; a slash at its end makes it a folder. Raises UserError, also when a
    result would cover a photo or another result.
    """
    place = Path(output)
    if output.endswith(("/", os.sep)) or not place.suffix or place.is_dir():
        targets = [_folder(place) / name for name in _result_names(photos)]
    elif place.suffix.lower() not in SUFFIXES:
        raise UserError(f"{place.suffix} files cannot be written; take {', '.join(SUFFIXES)}")
    elif len(photos) > 1:
        raise UserError(f"{place} is no folder; several photos need a folder for their results")
    else:
        targets = [place]
    written = {_same_file(target) for target in targets}
    covered = [photo for photo in photos if _same_file(photo) in written]
    if covered:
        raise UserError(f"the result would replace the photo {covered[0]}; choose another place")
    if len(written) < len(targets):
        raise UserError("two photos have the same name; colour them into different folders")
    return targets


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the folder {path} cannot be made: {error.strerror}") from error
    return path


def _result_names(photos: Sequence[Path]) -> list[str]:
    """Each photo's name as a PNG; where two would share one, their endings stay in it."""
    short = [f"{photo.stem}.png" for photo in photos]
    uses = Counter(name.casefold() for name in short)
    return [
        f"{photo.name}.png" if uses[name.casefold()] > 1 else name
        for photo, name in zip(photos, short, strict=True)
    ]


def _same_file(path: Path) -> str:
    """Equal for two names of one file; Windows and macOS see no capitals in names."""
    return str(path.resolve()).casefold()


@dataclass(frozen=True)
class PhotoFile:
    """What is read of a photo's file."""

    gray: NDArray[Any]  # sRGB-encoded luminance: (H, W), or (H, W, 2) with alpha
    profile: bytes | None  # the RGB colour profile that the result is written in; None: sRGB


def read_photo(path: Path) -> PhotoFile:
    """Read a photo. Raises UserError.

    16-bit files keep their 16 bits; half floats, doubles and wider integers become 32-bit floats.
    An embedded profile, gray or RGB, is followed; without one sRGB is assumed.
    """
    try:
        if not path.is_file():
            raise UserError(f"{path} does not exist")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    pixels, profile = _decode(data)
    if pixels is None:
        raise UserError(f"{path} is not a photo that can be read")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise UserError(f"{path} has pixels of the type {pixels.dtype}, which cannot be coloured")
    profile = profile if color_profiles.space_of(profile) else None
    colors, alpha = _parted(pixels)
    gray = _luminance(colors, profile)
    if alpha is not None:
        gray = np.dstack((gray, alpha))
    return PhotoFile(gray, profile if profile and color_profiles.can_hold(profile) else None)


def _decode(data: bytes) -> tuple[NDArray[Any] | None, bytes | None]:
    """Pixels, upright, (H, W) or (H, W, 2, 3 or 4) in the order RGBA, and the profile."""
    if data[:4] in tiff_files.MAGIC:
        return tiff_files.decode_tiff(data)
    if not data:
        return None, None
    buffer = np.frombuffer(data, np.uint8)
    found, kinds, notes = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    pixels = tiff_files.rgb_order(found)
    if pixels is None:
        return None, None
    profiles = [
        bytes(note.tobytes())
        for kind, note in zip(kinds, notes, strict=True)
        if kind == cv2.IMAGE_METADATA_ICCP
    ]
    # OpenCV leaves out the camera's note here.
    return tiff_files.upright(pixels, _orientation(data)), profiles[0] if profiles else None


def _parted(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Grey (H, W) or colours (H, W, 3), and alpha (H, W), if there is one."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, None
    return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3], pixels[..., -1]


def expand(names: Sequence[str]) -> list[Path]:
    """Files as they are, folders as the photos in them. Raises UserError for an empty folder.

    Patterns with * or ? are what they match: the shell of Windows leaves that to the programs.
    """
    found: list[Path] = []
    for path in (Path(match) for name in names for match in _matches(name)):
        inside = sorted(p for p in path.glob("*") if p.suffix.lower() in SUFFIXES)
        if path.is_dir() and not inside:
            raise UserError(f"the folder {path} holds no photos")
        found += inside if path.is_dir() else [path]
    return found


def _matches(name: str) -> list[str]:
    if not {"*", "?"} & set(name) or Path(name).exists():
        return [name]
    pattern = name.replace("[", "[[]")  # brackets are letters like others, as they are to Windows
    return sorted(glob.glob(pattern)) or [name]  # noqa: PTH207 (Path.glob takes no absolute pattern)


def _orientation(data: bytes) -> int:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except OSError:
        return 1  # a kind of file that Pillow does not know carries no such note


def _luminance(pixels: NDArray[Any], profile: bytes | None) -> NDArray[Any]:
    """sRGB-encoded luminance (H, W) of (H, W) or (H, W, 3) in that profile, sRGB without one."""
    if pixels.ndim == 3 and (pixels[..., :1] == pixels).all():
        pixels = np.ascontiguousarray(pixels[..., 0])  # grey already: keep every bit
    space = color_profiles.space_of(profile)
    if profile is None or (space == "gray" and pixels.ndim == 3):
        return pixels if pixels.ndim == 2 else _srgb_luminance(pixels)
    if space == "rgb" and color_profiles.is_srgb(profile):
        return pixels if pixels.ndim == 2 else _srgb_luminance(pixels)
    return color_profiles.luminance(pixels, profile)


def _srgb_luminance(rgb: NDArray[Any]) -> NDArray[Any]:
    return color_profiles.in_bands(_srgb_band_luminance, rgb)


def _srgb_band_luminance(rgb: NDArray[Any]) -> NDArray[Any]:
    top = 1.0 if rgb.dtype == np.float32 else float(np.iinfo(rgb.dtype).max)
    unit = rgb.astype(np.float32) / top
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    y = np.clip(linear @ _LUMINANCE, 0, 1)
    encoded = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    if rgb.dtype == np.float32:
        return encoded.astype(np.float32)
    return (encoded * top + 0.5).astype(rgb.dtype)


def write_photo(path: Path, rgb: NDArray[Any], profile: bytes | None = None) -> None:
    """Write (H, W, 3 or 4) sRGB; the file's ending chooses its kind. Raises UserError.

    profile: an RGB profile, whose numbers the file then holds, and which it carries.
    """
    if profile is not None and path.suffix.lower() != ".bmp":  # those can carry none
        if not color_profiles.is_srgb(profile):
            colors = color_profiles.from_srgb(rgb[..., :3], profile)
            rgb = colors if rgb.shape[2] == 3 else np.dstack((colors, rgb[..., 3]))
    else:
        profile = None
    data = _encode(path.suffix.lower(), rgb, profile)
    if data is None:
        raise UserError(f"{path} cannot be written as a {path.suffix} file")
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def _encode(suffix: str, rgb: NDArray[Any], profile: bytes | None) -> bytes | None:
    if suffix in (".tif", ".tiff"):
        file = io.BytesIO()
        alpha = ["unassalpha"] if rgb.shape[2] == 4 else None
        tifffile.imwrite(file, rgb, photometric="rgb", extrasamples=alpha, compression="zlib",
                         iccprofile=profile, metadata=None)  # fmt: skip
        return file.getvalue()
    kind = np.uint16 if suffix == ".png" and rgb.dtype != np.uint8 else np.uint8
    if rgb.dtype != kind:
        top = 1.0 if rgb.dtype == np.float32 else float(np.iinfo(rgb.dtype).max)
        rgb = (np.clip(rgb / top, 0, 1) * np.iinfo(kind).max + 0.5).astype(kind)
    order = cv2.COLOR_RGB2BGR if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    pixels = cv2.cvtColor(np.ascontiguousarray(rgb), order)
    if profile is None:
        done, data = cv2.imencode(suffix, pixels)
    else:
        note = np.frombuffer(profile, np.uint8)[None]
        done, data = cv2.imencodeWithMetadata(suffix, pixels, [cv2.IMAGE_METADATA_ICCP], [note])
    return bytes(data.tobytes()) if done else None

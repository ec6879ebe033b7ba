"""Photographs as files: read as luminance, written in colour."""

from __future__ import annotations

import io
import secrets
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image

from server import color_profiles, tiff_files
from server.decoded import (
    Decoded,
    TooLarge,
    on_its_side,
    refuse_too_large,
    rgb_order,
    upright,
    white,
)
from server.exif import carried_on, tiff_arguments
from server.photo_paths import UserError, in_words

# Sizes are bounded here, above Pillow's own bound, before it decodes a picture (as it does a PNG,
# whose EXIF may stand behind the pixels).
Image.MAX_IMAGE_PIXELS = None

_FRAMED = ("GIF", "PNG", "WEBP")  # kinds whose further pictures are an animation
# Colours are half of what a result is for: none is shared by four pixels.
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95,
         cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)  # fmt: skip
# Luminance relative to D50, as GIMP computes it.
_LUMINANCE = np.array((0.22248840, 0.71690369, 0.06060791), np.float32)


@dataclass(frozen=True)
class PhotoFile:
    """What is read of a photo's file."""

    gray: NDArray[Any]  # sRGB-encoded luminance: (H, W), or (H, W, 2) with alpha
    profile: bytes | None  # the RGB colour profile that the result is written in; None: sRGB
    exif: bytes  # what a result carries on of it, as a block
    note: str  # for people, of what in the file was left; "" of nothing


def read_photo(path: Path) -> PhotoFile:
    """Read a photo. Raises UserError.

    16-bit files keep their 16 bits; half floats, doubles and wider integers become 32-bit floats.
    An embedded profile, gray or RGB, is followed; without one sRGB is assumed.
    """
    found = _found(path)
    profile = found.profile if color_profiles.space_of(found.profile) else None
    colors, alpha = _parted(found.pixels)
    _refuse_odd_numbers(path, colors)
    gray = _luminance(colors, profile)
    if alpha is not None:
        gray = np.dstack((gray, alpha))
    held = profile if profile and color_profiles.can_hold(profile) else None
    return PhotoFile(gray, held, found.exif, found.note)


def _found(path: Path) -> Decoded:
    with in_words(f"{path} cannot be read"):
        if path.is_dir():
            raise UserError(f"{path} is a folder; name a photo in it")
        if not path.is_file():
            raise UserError(f"{path} does not exist")
        data = path.read_bytes()
    try:
        found = _decode(data)
    except TooLarge as error:
        raise UserError(f"{path} has {error}") from error
    except cv2.error as error:
        raise UserError(f"{path} cannot be read: it is damaged or too large") from error
    if found is None:
        raise UserError(f"{path} is not a photo that can be read")
    return found


def _refuse_odd_numbers(path: Path, colors: NDArray[Any]) -> None:
    if colors.dtype not in (np.uint8, np.uint16, np.float32):
        raise UserError(f"{path} has pixels of the type {colors.dtype}, which cannot be coloured")
    # Lights may be brighter than white, but not most of a photo.
    if colors.dtype == np.float32 and np.mean(colors > 1) > 0.5:
        raise UserError(f"{path} has floating-point pixels far above 1, which is white; scale them "
                        "to 0 to 1, or save them as 16-bit integers")  # fmt: skip


def _decode(data: bytes) -> Decoded | None:
    """Pixels, upright, (H, W) or (H, W, 2, 3 or 4) in the order RGBA; None: no photo."""
    if data[:4] in tiff_files.MAGIC:
        return tiff_files.decode_tiff(data)
    if not data:
        return None
    refuse_too_large(*_size_told(data))
    buffer = np.frombuffer(data, np.uint8)
    found, kinds, notes = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    pixels = rgb_order(found)
    if pixels is None:
        return None
    profiles = [
        bytes(note.tobytes())
        for kind, note in zip(kinds, notes, strict=True)
        if kind == cv2.IMAGE_METADATA_ICCP
    ]
    orientation, exif, note = _told(data)
    # OpenCV leaves out the camera's note here.
    pixels = upright(_with_clear(pixels, data), orientation)
    return Decoded(pixels, profiles[0] if profiles else None, exif, note)


def _size_told(data: bytes) -> tuple[int, int]:
    """Width and height by the file's header; nothing where Pillow does not know its kind."""
    quiet = warnings.catch_warnings(action="ignore")
    with suppress(Exception), quiet, Image.open(io.BytesIO(data)) as image:
        return image.width, image.height
    return 0, 0


def _with_clear(pixels: NDArray[Any], data: bytes) -> NDArray[Any]:
    """With alpha, where a grey PNG calls one level transparent, which OpenCV leaves out."""
    quiet = warnings.catch_warnings(action="ignore")
    with suppress(Exception), quiet, Image.open(io.BytesIO(data)) as image:
        level = image.info.get("transparency")
        if image.format == "PNG" and pixels.ndim == 2 and isinstance(level, int):
            top = np.iinfo(pixels.dtype).max
            bits = data[24]  # of a pixel in the file; OpenCV widens fewer than 8
            clear = pixels == level * top // ((1 << bits) - 1)
            return np.dstack((pixels, np.where(clear, 0, top).astype(pixels.dtype)))
    return pixels


def _parted(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Grey (H, W) or colours (H, W, 3), and alpha (H, W), if there is one."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, None
    return pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3], pixels[..., -1]


def _told(data: bytes) -> tuple[Any, bytes, str]:
    """The camera's note how to turn a photo, what its result carries on, and a note for people."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            orientation = image.getexif().get(ExifTags.Base.Orientation)
            turned = on_its_side(orientation)
            exif = carried_on(
                image.info.get("exif", b""), turned, dpi=image.info.get("dpi", (0, 0))
            )
            frames = getattr(image, "n_frames", 1) if image.format in _FRAMED else 1
    except Exception:  # what a damaged note makes Pillow raise is of every kind
        return None, b"", ""  # nor does a kind that Pillow does not know tell anything
    note = f"only frame 1 of {frames} was taken" if frames > 1 else ""
    return orientation, exif, note


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
    unit = rgb.astype(np.float32) / white(rgb)
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    return color_profiles.encoded(linear @ _LUMINANCE, rgb.dtype)


def write_photo(
    path: Path, rgb: NDArray[Any], profile: bytes | None = None, exif: bytes = b""
) -> None:
    """Write (H, W, 3 or 4) sRGB; the file's ending chooses its kind. Raises UserError.

    profile: an RGB profile, whose numbers the file then holds, and which it carries.
    """
    if profile is not None and path.suffix.lower() != ".bmp":  # those can carry none
        if not color_profiles.is_srgb(profile):
            colors = color_profiles.from_srgb(rgb[..., :3], profile)
            rgb = colors if rgb.shape[2] == 3 else np.dstack((colors, rgb[..., 3]))
    else:
        profile = None
    data = _encode(path.suffix.lower(), rgb, profile, exif)
    if data is None:
        raise UserError(f"{path} cannot be written as a {path.suffix} file")
    _put(path, data)


def _put(path: Path, data: bytes) -> None:
    """Write a file as a whole or not at all."""
    partial = path.with_name(f"{secrets.token_hex(4)}.partial")  # short: path's may be the longest
    try:
        with in_words(f"{path} cannot be written"):
            partial.write_bytes(data)
            partial.replace(path)
    finally:
        with suppress(OSError):  # it bears its own name by now, or never came to be
            partial.unlink()


def _encode(suffix: str, rgb: NDArray[Any], profile: bytes | None, exif: bytes) -> bytes | None:
    if suffix in (".tif", ".tiff"):
        return _encode_tiff(rgb, profile, exif)
    kind = np.uint16 if suffix == ".png" and rgb.dtype != np.uint8 else np.uint8
    if rgb.dtype != kind:
        rgb = (np.clip(rgb / white(rgb), 0, 1) * np.iinfo(kind).max + 0.5).astype(kind)
    order = cv2.COLOR_RGB2BGR if rgb.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    pixels = cv2.cvtColor(np.ascontiguousarray(rgb), order)
    notes = {cv2.IMAGE_METADATA_ICCP: profile, cv2.IMAGE_METADATA_EXIF: exif}
    if suffix == ".bmp":  # those can carry none
        notes = {}
    held = {kind: np.frombuffer(note, np.uint8)[None] for kind, note in notes.items() if note}
    done, data = cv2.imencodeWithMetadata(
        suffix, pixels, [*held], [*held.values()], _JPEG if suffix in (".jpg", ".jpeg") else ()
    )
    return bytes(data.tobytes()) if done else None


def _encode_tiff(rgb: NDArray[Any], profile: bytes | None, exif: bytes) -> bytes:
    file = io.BytesIO()
    alpha = ["unassalpha"] if rgb.shape[2] == 4 else None
    tifffile.imwrite(file, rgb, photometric="rgb", extrasamples=alpha, compression="zlib",
                     iccprofile=profile, metadata=None, **tiff_arguments(exif))  # fmt: skip
    return file.getvalue()

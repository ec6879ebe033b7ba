"""The photographs to train and measure on, decoded and held as one tensor.

A source is either a corpus folder (`photos/index.csv` beside zip files of JPEGs) or any folder of
photos.
"""

from __future__ import annotations

import csv
import hashlib
import io
import multiprocessing
import os
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from skimage.segmentation import felzenszwalb
from torch import Tensor
from tqdm import tqdm

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"))
SEGMENT_SHARE = 0.006  # of the photo, at least; so there are less than 256
SEGMENT_SCALE, SEGMENT_SIGMA = 150, 0.5
READING = 2  # one more whenever a folder's photos come out otherwise than before; see _kept_name
NAMED = 5  # of the photos without colour
# What Pillow raises beside OSError, all of it seen at damaged files.
DAMAGED = (SyntaxError, TypeError, ValueError, struct.error, Image.DecompressionBombError)
Opener = Callable[[], bytes]


class NoPhotos(Exception):
    """The folder holds no photographs that can be read."""


def photo_files(source: Path, split: str) -> list[tuple[str, Opener]]:
    """Name and opener of every photo of a source.

    split: "train" or "val"; a plain folder knows no splits and gives all of its photos for both.
    Raises NoPhotos.
    """
    index = _index(source)
    files = _folder_files(source) if index is None else _corpus_files(index, split)
    if not files:
        raise NoPhotos(f"{source} holds no photographs ({', '.join(sorted(SUFFIXES))})")
    return files


def _index(source: Path) -> Path | None:
    """The list of a corpus' photos; None for a plain folder."""
    paths = (source / "photos/index.csv", source / "index.csv")
    return next((path for path in paths if path.exists()), None)


def _folder_files(folder: Path) -> list[tuple[str, Opener]]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    return [(str(path.relative_to(folder)), path.read_bytes) for path in paths]


def _corpus_files(index: Path, split: str) -> list[tuple[str, Opener]]:
    with index.open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split]
    try:
        shards = {name: zipfile.ZipFile(index.parent / name) for name in {r["shard"] for r in rows}}
    except (OSError, zipfile.BadZipFile) as error:
        raise NoPhotos(f"the corpus of {index} is not whole: {error}") from error

    def opener(row: dict[str, str]) -> Opener:
        return lambda: shards[row["shard"]].read(row["id"] + ".jpg")

    return [(row["id"], opener(row)) for row in rows]


def read_photo(data: bytes) -> NDArray[np.uint8]:
    """Decode a photo, turned as its EXIF says. Returns (H, W, 3) sRGB 0..255.

    Raises OSError when it is none, or not a whole one.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except UnidentifiedImageError as error:
        raise OSError("no photo of a known kind") from error
    except DAMAGED as error:
        raise OSError(str(error)) from error


def is_gray(photo: NDArray[np.uint8]) -> bool:
    """Has a photo (H, W, 3) no colour at all? One whose colours are only faint has some."""
    return bool((photo[..., 0] == photo[..., 1]).all() and (photo[..., 1] == photo[..., 2]).all())


def square(photo: NDArray[np.uint8], side: int, position: float = 0.5) -> NDArray[np.uint8]:
    """Cut the largest square out and resize it. position: 0 = left or top, 1 = right or bottom.

    Returns (side, side, 3).
    """
    height, width = photo.shape[:2]
    short = min(height, width)
    y, x = int((height - short) * position), int((width - short) * position)
    cut = np.ascontiguousarray(photo[y : y + short, x : x + short])
    method = cv2.INTER_AREA if side < short else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (side, side), interpolation=method), np.uint8)


def color_photos(
    source: Path, split: str, limit: int | None = None, told: str = "reading photos"
) -> Iterator[NDArray[np.uint8]]:
    """The photos of a split, (H, W, 3) sRGB each, with a bar that has the name `told`.

    limit: as many files are looked at, None: all. Left out, and told on stderr, are those that
    cannot be read and those without colour: nobody learns colours from them, and as truth they have
    an infinite PSNR. Raises NoPhotos when no photo is left.
    """
    any_used, gray = False, []
    for name, opener in tqdm(photo_files(source, split)[:limit], desc=told, mininterval=5):
        try:
            photo = read_photo(opener())
        except (OSError, zipfile.BadZipFile, KeyError) as error:  # KeyError: not in its zip file
            tqdm.write(f"{name} is left out: it cannot be read ({error})", sys.stderr)
            continue
        if is_gray(photo):
            gray.append(name)
            continue
        any_used = True
        yield photo
    if gray:
        names = ", ".join([*gray[:NAMED], "…"] if len(gray) > NAMED else gray)
        tqdm.write(f"left out for having no colour: {len(gray)} photos ({names})", sys.stderr)
    if not any_used:
        raise NoPhotos(f"none of the photographs in {source} can be used")


def _squares(source: Path, split: str, side: int, limit: int | None) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    for photo in color_photos(source, split, limit, f"decoding {split} photos at {side} px"):
        # Training cuts anywhere along the longer side, validation in the middle.
        yield square(photo, side, float(rng.random()) if split == "train" else 0.5)


def load_squares(
    source: Path, split: str, side: int, *, limit: int | None = None, cache: Path | None = None
) -> Tensor:
    """All colour photos of a split as squares: (N, 3, side, side) uint8 sRGB.

    cache: a folder in which the decoded squares are kept for the next time. Raises NoPhotos.
    """

    def decoded() -> NDArray[np.uint8]:
        stacked = np.stack(list(_squares(source, split, side, limit)))
        return np.ascontiguousarray(stacked.transpose(0, 3, 1, 2))

    return _kept(decoded, cache, _kept_name(source, split, side, limit))


def load_segments(
    source: Path, split: str, side: int, *, limit: int | None = None, cache: Path | None = None
) -> Tensor:
    """What `load_squares` gives, cut into segments: (N, 1, side, side) uint8, their numbers."""

    def found() -> NDArray[np.uint8]:
        squares = load_squares(source, split, side, limit=limit, cache=cache)
        photos = squares.permute(0, 2, 3, 1).numpy()
        with multiprocessing.get_context("spawn").Pool() as pool:
            cut = pool.imap(segments, photos, chunksize=64)
            told = f"cutting {split} photos into segments"
            return np.stack(list(tqdm(cut, desc=told, total=len(photos), mininterval=5)))[:, None]

    way = f"segments-{SEGMENT_SCALE}-{SEGMENT_SIGMA}-{SEGMENT_SHARE}"
    return _kept(found, cache, f"{_kept_name(source, split, side, limit)}-{way}")


def segments(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut a photo where its colours have edges (Felzenszwalb and Huttenlocher 2004).

    photo: (H, W, 3) sRGB. Returns the number of each pixel's segment, (H, W).
    """
    least = int(SEGMENT_SHARE * photo.shape[0] * photo.shape[1])
    return felzenszwalb(photo, SEGMENT_SCALE, SEGMENT_SIGMA, least).astype(np.uint8)


def _kept_name(source: Path, split: str, side: int, limit: int | None) -> str:
    """Another one where the photos are others, so that a changed folder is read anew."""
    names = [name for name, _ in photo_files(source, split)[:limit]]
    # A corpus is made once and stays; in a folder a photo may be replaced, or left out by now.
    found = [(source / name).stat() for name in names] if _index(source) is None else []
    stamps = [(READING, each.st_size, each.st_mtime_ns) for each in found]
    told = repr((str(source.resolve()), split, side, limit, names, stamps))
    return f"{split}-{side}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _kept(make: Callable[[], NDArray[np.uint8]], cache: Path | None, name: str) -> Tensor:
    """What `make` gives, made once only where there is a folder to keep it in."""
    if cache is None:
        return torch.from_numpy(make())
    kept = cache / f"{name}.npy"
    if kept.exists():
        return torch.from_numpy(np.load(kept))
    made = make()
    cache.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}.partial.npy")  # several processes may make it
    np.save(partial, made)
    partial.replace(kept)
    return torch.from_numpy(made)

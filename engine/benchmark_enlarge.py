"""Ways of enlarging ab, against the truth: `python -m engine.benchmark_enlarge --photos DIR`.

The true ab of photos of 256 pixels is reduced to 64 and to 128 pixels and enlarged again. PSNR of
ab (peak 110) over all pixels, and over those within 4 pixels of a strong edge of chroma.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from engine import enlarge
from engine.color import AB_SCALE
from engine.photos import load_squares

SIDE = 256
EDGE = 60.0  # of the Sobel gradient's length in a and b together: a strong edge
REACH = 4  # pixels

Way = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=60)
    options = parser.parse_args(arguments)
    photos = load_squares(options.photos, "val", SIDE, limit=options.limit)
    labs = [rgb2lab(photo).astype(np.float32) for photo in photos.permute(0, 2, 3, 1).numpy()]
    print("| | 64: all | 64: at edges | 128: all | 128: at edges |\n|" + " --- |" * 5)
    for name, way in WAYS.items():
        figures = [figure for small in (64, 128) for figure in measure(labs, small, way)]
        print(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")


def measure(labs: list[NDArray[np.float32]], small: int, way: Way) -> tuple[float, float]:
    """Mean PSNR over the photos, of all pixels and of those near edges."""
    everywhere, near = [], []
    for lab in labs:
        truth = lab[..., 1:]
        reduced = cv2.resize(truth, (small, small), interpolation=cv2.INTER_AREA)
        gray = np.clip(lab[..., 0] / np.float32(100), 0, 1)
        error = np.square(way(np.asarray(reduced, np.float32), gray) - truth)
        everywhere.append(_psnr(error))
        edges = near_edges(truth)
        if edges.any():
            near.append(_psnr(error[edges]))
    return float(np.mean(everywhere)), float(np.mean(near))


def near_edges(ab: NDArray[np.float32]) -> NDArray[np.bool_]:
    gradient = sum(
        np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
        for plane in np.moveaxis(ab, -1, 0)
    )
    strong = (np.asarray(gradient) > EDGE).astype(np.uint8)
    return np.asarray(cv2.dilate(strong, np.ones((2 * REACH + 1, 2 * REACH + 1))) > 0)


def _plain(method: int) -> Way:
    return lambda ab, gray: np.asarray(cv2.resize(ab, (SIDE, SIDE), interpolation=method))


def _guided(trust: float) -> Way:
    def way(ab: NDArray[np.float32], gray: NDArray[np.float32]) -> NDArray[np.float32]:
        usual = enlarge.TRUST
        enlarge.TRUST = trust
        try:
            return enlarge.enlarge_ab(ab, gray)
        finally:
            enlarge.TRUST = usual

    return way


def _psnr(squared_error: NDArray[np.float32]) -> float:
    return float(-10 * np.log10(squared_error.mean() / AB_SCALE**2))


WAYS: dict[str, Way] = {
    "bilinear": _plain(cv2.INTER_LINEAR),
    "bicubic": _plain(cv2.INTER_CUBIC),
    "guided, whole slope": _guided(1.0),
    f"guided, slope times {enlarge.TRUST:g} (ours)": _guided(enlarge.TRUST),
}

if __name__ == "__main__":
    main()

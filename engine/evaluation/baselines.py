"""What a network has to beat: constants, a theme laid on by lightness, and Levin et al. (2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

# Mean ab of 4,000 training photos; no stronger tint has a higher PSNR on them.
WARM_TINT = (1.0, 5.8)
_SHIFTS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
_VARIANCE_SHARE = 0.6  # of a window's variance of L, in the affinity
_LEAST_AFFINITY = 0.01  # of a pixel to the neighbour that is most like it
_LEAST_VARIANCE = 2e-6  # of L / 100

Ab = NDArray[np.float32]  # (H, W, 2), CIE units


def constant(shape: tuple[int, int], ab: NDArray[np.floating] | tuple[float, float]) -> Ab:
    """One colour everywhere. shape: (H, W); ab: (2,)."""
    return np.broadcast_to(np.asarray(ab, np.float32), (*shape, 2)).copy()


def theme_by_lightness(lightness: NDArray[np.float32], theme_lab: NDArray[np.float32]) -> Ab:
    """Every pixel in the theme colour whose lightness is nearest to its own.

    lightness: (H, W), L 0..100; theme_lab: (K, 3). Returns (H, W, 2).
    """
    nearest = np.abs(lightness[..., None] - theme_lab[:, 0]).argmin(-1)
    return theme_lab[nearest, 1:]


def k_color_map(ab: Ab, theme_ab: NDArray[np.float32]) -> Ab:
    """Every pixel in the theme colour nearest to its true one (paper figure 3).

    ab: (H, W, 2), the truth; theme_ab: (K, 2). What a theme alone could reach at best.
    """
    distance = np.square(ab[:, :, None] - theme_ab).sum(-1)
    return theme_ab[distance.argmin(-1)]


def levin(lightness: NDArray[np.float32], hints: NDArray[np.float32]) -> Ab:
    """Colorization using optimization (Levin, Lischinski and Weiss 2004).

    Each pixel's ab is the mean of its eight neighbours', weighted by how alike their lightness is
    (the authors' first affinity); pixels under dots are held fixed; solved exactly. The original
    works in YUV, this on L and ab.

    lightness: (H, W), L 0..100. hints: (3, H, W), CIE a, b and the mask. Without dots all is gray.
    Returns (H, W, 2).
    """
    height, width = lightness.shape
    held = hints[2].ravel() > 0
    ab = hints[:2].reshape(2, -1).T.astype(np.float64) * held[:, None]
    if held.any() and not held.all():
        matrix = _averaging(lightness.astype(np.float64) / 100)
        free = ~held
        known = matrix[free][:, held] @ ab[held]
        system = sparse.identity(int(free.sum()), format="csc") - matrix[free][:, free]
        # The matrix is nearly symmetric and diagonally dominant: no pivoting is needed.
        factors = splu(
            system.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        ab[free] = factors.solve(np.ascontiguousarray(known))
    return ab.reshape(height, width, 2).astype(np.float32)


def _averaging(lightness: NDArray[np.float64]) -> sparse.csr_matrix:
    """The matrix (H*W, H*W) that replaces each pixel by the weighted mean of its neighbours."""
    weights = _affinities(lightness)
    size = lightness.size
    index = np.pad(np.arange(size).reshape(lightness.shape), 1, constant_values=-1)
    neighbours = np.stack([_shifted(index, shift) for shift in _SHIFTS])
    exists = neighbours >= 0
    rows = np.broadcast_to(np.arange(size).reshape(lightness.shape), neighbours.shape)
    entries = (weights[exists], (rows[exists], neighbours[exists]))
    return sparse.csr_matrix(entries, shape=(size, size))


def _affinities(lightness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of each of the eight neighbours, summing to 1: (8, H, W); 0 outside the photo."""
    padded = np.pad(lightness, 1, constant_values=np.nan)
    around = np.stack([_shifted(padded, shift) for shift in _SHIFTS])
    variance = np.nanvar(np.concatenate((around, lightness[None])), axis=0)
    difference = np.square(around - lightness)
    # As the authors do: even the most alike neighbour of a lonely pixel keeps a little weight.
    least = -np.nanmin(difference, axis=0) / np.log(_LEAST_AFFINITY)
    scale = np.maximum.reduce(
        (_VARIANCE_SHARE * variance, least, np.full_like(least, _LEAST_VARIANCE))
    )
    weights = np.nan_to_num(np.exp(-difference / scale))
    return np.asarray(weights / weights.sum(0))


def _shifted(padded: NDArray[np.generic], shift: tuple[int, int]) -> NDArray[np.generic]:
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    return padded[1 + shift[0] : 1 + shift[0] + height, 1 + shift[1] : 1 + shift[1] + width]

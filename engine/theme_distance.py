"""How far apart two themes are: earth mover's distance in ab, and a fast relative of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.themes import Theme, ab_of


def earth_movers_distance(first: Theme, second: Theme) -> float:
    """The work to turn one theme's colours, by their shares, into the other's: CIE ab units."""
    distance, *_ = cv2.EMD(_signature(first), _signature(second), cv2.DIST_L2)
    return float(distance)


def energy_distances(ab: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Energy distance between all pairs of themes (Székely): like EMD, but in closed form.

    ab: (N, K, 2); weights: (N, K), summing to 1 in each row. Returns (N, N), CIE ab units, zero on
    the diagonal.
    """
    n, k, _ = ab.shape
    points = ab.reshape(-1, 2)
    flat = np.linalg.norm(points[:, None] - points[None], axis=-1)
    # E|X - Y| for every pair: sum over colours i, j of w_i * w_j * distance
    cross = np.einsum("aibj,ai,bj->ab", flat.reshape(n, k, n, k), weights, weights, optimize=True)
    own = np.diag(cross)
    return np.maximum(2 * cross - own[:, None] - own[None], 0).astype(np.float32)


def _signature(theme: Theme) -> NDArray[np.float32]:
    weights = np.array(theme.weights, np.float32)[:, None]
    return np.concatenate((weights, ab_of(theme).astype(np.float32)), 1)

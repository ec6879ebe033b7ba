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
    apart = _expected_distance(ab, weights, ab, weights)
    own = np.diag(apart)
    return np.maximum(2 * apart - own[:, None] - own[None], 0)


def energy_distances_to(
    points: NDArray[np.float32], ab: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Energy distance of equally weighted ab points (P, 2) to each theme, less a constant: (N,)."""
    even = np.full((1, len(points)), 1 / len(points), np.float32)
    apart = _expected_distance(points[None], even, ab, weights)[0]
    own = [float(_expected_distance(a[None], w[None], a[None], w[None])[0, 0])
           for a, w in zip(ab, weights, strict=True)]  # fmt: skip
    return np.asarray(2 * apart - np.array(own, np.float32))


def _expected_distance(
    ab: NDArray[np.float32],
    weights: NDArray[np.float32],
    other_ab: NDArray[np.float32],
    other_weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    """E|X - Y| for each pair of weighted point sets: (N, M)."""
    (n, k, _), (m, j, _) = ab.shape, other_ab.shape
    flat = np.linalg.norm(ab.reshape(-1, 1, 2) - other_ab.reshape(1, -1, 2), axis=-1)
    apart = np.einsum(
        "aibj,ai,bj->ab", flat.reshape(n, k, m, j), weights, other_weights, optimize=True
    )
    return np.asarray(apart, np.float32)


def _signature(theme: Theme) -> NDArray[np.float32]:
    weights = np.array(theme.weights, np.float32)[:, None]
    return np.concatenate((weights, ab_of(theme).astype(np.float32)), 1)

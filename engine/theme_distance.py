"""How far apart two themes are: earth mover's distance in ab, and a fast relative of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.color import ab_of
from engine.themes import Theme

_ROWS = 256  # compared at a time: memory stays flat


def earth_movers_distance(first: Theme, second: Theme) -> float:
    """The work to turn one theme's colours, by their shares, into the other's: CIE ab units."""
    distance, *_ = cv2.EMD(_signature(first), _signature(second), cv2.DIST_L2)
    return float(distance)


def energy_distances(
    ab: NDArray[np.float32],
    weights: NDArray[np.float32],
    other_ab: NDArray[np.float32],
    other_weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Energy distance of themes to other themes (Székely): like EMD, but fast.

    ab: (N, K, 2); weights: (N, K), summing to 1 in each row; the others' likewise, M of them.
    Returns (N, M), CIE ab units.
    """
    own, other_own = _spread(ab, weights), _spread(other_ab, other_weights)
    apart = np.concatenate(
        [
            _expected_distance(ab[rows], weights[rows], other_ab, other_weights)
            for rows in np.array_split(np.arange(len(ab)), -(-len(ab) // _ROWS))
        ]
    )
    return np.maximum(2 * apart - own[:, None] - other_own, 0)


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


def _spread(ab: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """E|X - X'| of each weighted point set: (N,)."""
    within = np.linalg.norm(ab[:, :, None] - ab[:, None], axis=-1)
    return np.asarray(np.einsum("nij,ni,nj->n", within, weights, weights), np.float32)


def _signature(theme: Theme) -> NDArray[np.float32]:
    weights = np.array(theme.weights, np.float32)[:, None]
    return np.concatenate((weights, ab_of(theme.colors)), 1)

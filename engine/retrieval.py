"""Themes from photos that are like this one, chosen to be good and different.

The network's encoder already knows what a photo shows. Its features, pooled over the photo and
compressed, find the photos of the corpus that are most like this one; their true themes are the
candidates. Six of them are chosen so that whatever the true theme is, one of the six is near it:
each choice lowers the expected distance from the neighbours' themes to the nearest chosen one the
most (greedy facility location). The first is thereby the neighbours' most central theme, and the
later ones are as different as the neighbours are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from skimage.color import rgb2lab
from torch import Tensor

from engine.color import AB_SCALE
from engine.networks import ColorizationNetwork
from engine.networks.base import no_hints, no_theme
from engine.theme_distance import energy_distances, energy_distances_to
from engine.themes import Theme, colors_of_lab

FEATURES = 32  # numbers kept of a photo
NEIGHBOURS = 200
COLORS = 5  # of a theme in the library
SIDE = 128  # pixels of the shorter side that the encoder sees
_GRID = 8  # places a side, at which the automatic colours are looked at
SIMILARITY_FADING = 0.15  # of a neighbour's say, in units of cosine similarity
COLOR_FADING = 20.0  # likewise, in units of the distance of its colours from the automatic ones


@dataclass(frozen=True)
class PhotoLibrary:
    """The corpus, a row for each photo; the numbers are small so that the file is."""

    mean: NDArray[np.float32]  # (D,) of the encoder's pooled features
    projection: NDArray[np.float32]  # (D, FEATURES)
    features: NDArray[np.int8]  # (N, FEATURES), unit length times 127
    lab: NDArray[np.int8]  # (N, COLORS, 3): L - 50, a, b
    shares: NDArray[np.uint8]  # (N, COLORS), sums to 255 or so

    def recommend(
        self, pooled: NDArray[np.float32], automatic: NDArray[np.float32], count: int
    ) -> list[Theme]:
        """Ranked, different themes.

        pooled: (D,), the photo's pooled features. automatic: (P, 2), ab of places of the photo as
        the network colours it without input; neighbours in such colours count more.
        """
        similarity = self.features.astype(np.float32) @ self._compress(pooled[None])[0] / 127
        nearest = np.argsort(-similarity, kind="stable")[:NEIGHBOURS]
        ab = self.lab[nearest][..., 1:].astype(np.float32)
        shares = self.shares[nearest].astype(np.float32)
        shares /= shares.sum(1, keepdims=True)
        unlike = (similarity[nearest[0]] - similarity[nearest]) / SIMILARITY_FADING
        away = energy_distances_to(automatic, ab, shares) / COLOR_FADING
        weights = np.exp(-unlike - away + away.min())
        rows = choose(energy_distances(ab, shares), weights.astype(np.float32), count)
        return [self.theme(int(nearest[row])) for row in rows]

    def _compress(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        return unit_length(((pooled - self.mean) @ self.projection).astype(np.float32))

    def theme(self, row: int) -> Theme:
        """The true theme of a photo of the corpus."""
        lab = self.lab[row].astype(np.float64) + np.array((50, 0, 0))
        shares = self.shares[row].astype(np.float64)
        used = shares > 0
        return Theme(colors_of_lab(lab[used]), tuple((shares[used] / shares.sum()).tolist()))


def choose(distances: NDArray[np.float32], weights: NDArray[np.float32], count: int) -> list[int]:
    """Greedy facility location: rows of `distances` (N, N) that leave every row near a chosen one.

    weights: (N,), how much each row counts. Returns up to `count` different rows, best first.
    """
    chosen: list[int] = []
    nearest = np.full(len(distances), np.inf, np.float32)
    for _ in range(min(count, len(distances))):
        cost = weights @ np.minimum(nearest[:, None], distances)
        cost[chosen] = np.inf
        best = int(cost.argmin())
        chosen.append(best)
        nearest = np.minimum(nearest, distances[:, best])
    return chosen


@torch.inference_mode()
def describe_photos(
    network: ColorizationNetwork, lightness: Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network makes of photos: the encoder's deeper maps, pooled, and automatic colours.

    lightness: (N, 1, H, W), L / 100, H and W multiples of the network's. Returns (N, D) and
    (N, P, 2), CIE ab.
    """
    features = network.encode(lightness, no_hints(lightness))
    deep = [f for f in features if f.shape[1] >= 64 and f.shape[-1] <= lightness.shape[-1] // 8]
    parts = [part for f in deep for part in (f.mean((2, 3)), f.std((2, 3)))]
    ab = F.adaptive_avg_pool2d(network.decode(features, no_theme(lightness)), _GRID) * AB_SCALE
    pooled = torch.cat(parts, 1).float().cpu().numpy()
    return np.asarray(pooled), np.asarray(ab.flatten(2).transpose(1, 2).cpu().numpy())


def build_photo_library(pooled: NDArray[np.float32], themes: list[Theme]) -> PhotoLibrary:
    """pooled: (N, D) of the corpus's photos; themes: the true one of each."""
    from sklearn.decomposition import PCA

    mean, spread = pooled.mean(0), pooled.std(0) + 1e-6
    fitted = PCA(FEATURES, random_state=0).fit((pooled - mean) / spread)
    # The square root of whitening: the first components say most, but must not say all.
    projection = (fitted.components_ / fitted.explained_variance_[:, None] ** 0.25).T
    projection = (projection / spread[:, None]).astype(np.float32)
    lab = np.zeros((len(themes), COLORS, 3), np.int8)
    shares = np.zeros((len(themes), COLORS), np.uint8)
    for index, theme in enumerate(themes):
        used = min(COLORS, len(theme.colors))
        colors = rgb2lab(np.array([theme.colors[:used]], np.uint8))[0] - (50, 0, 0)
        lab[index, :used] = np.clip(colors.round(), -128, 127)
        shares[index, :used] = np.round(255 * np.array(theme.weights[:used])).clip(1)
    compressed = unit_length(((pooled - mean) @ projection).astype(np.float32)) * 127
    features = compressed.round().astype(np.int8)
    return PhotoLibrary(mean.astype(np.float32), projection, features, lab, shares)


def unit_length(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)

"""Themes that suit a photo: how likely each of the corpus's typical themes is, and six of them.

The corpus's true themes are reduced to a few hundred typical ones. What the colorization network
makes of a photo (its encoder's deeper features, pooled, and its automatic colours, coarsely) gives,
by one linear layer, the probability that the photo's true theme is like each typical one. Six are
chosen so that, whatever the true theme is, one of the six is near it: each choice lowers the
expected earth mover's distance to the nearest chosen one the most (greedy facility location).
Besides, a theme must differ visibly from those already chosen and be plausible: one of the
likeliest, and likelier here than in the corpus. Of two that are about as good the one with more
hues is taken. The first is the safest theme, and the later ones are as different as the photo
leaves open.
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
from engine.theme_distance import earth_movers_distance, energy_distances
from engine.themes import Theme, colors_of_lab

TYPICAL = 400  # themes that can be recommended
COLORS = 5  # of each
SIDE = 128  # pixels of the shorter side that the encoder sees
DIFFERENT = 10.0  # the least distance between two recommended themes, in CIE ab units
PLAUSIBLE = 120  # so many of the typical themes, the likeliest, can be recommended for a photo
VARIETY = 0.02  # expected distance that is given for a unit of a theme's variety
_GRID = 8  # places a side, at which the automatic colours are looked at
_CANDIDATES = 3000  # photos of the corpus among whose themes the typical ones are looked for
_STIFFNESS = 0.5  # of the ridge regression, per photo
_VARIED = 15.0  # CIE ab units; more variety than this is not worth more
_TOO_MUCH = 1e3  # above every distance in ab
_UNUSUAL = 4.0  # standard deviations beyond which a feature says no more
_LIKE = 2.0  # energy distance over which a typical theme stops being like a photo's true one


@dataclass(frozen=True)
class ThemePredictor:
    """D numbers say what a photo shows; M themes are typical of the corpus."""

    mean: NDArray[np.float32]  # (D,) of the corpus
    spread: NDArray[np.float32]  # (D,), its standard deviation
    weight: NDArray[np.float16]  # (D, M), from features in units of the spread to likelihoods
    bias: NDArray[np.float32]  # (M,)
    frequency: NDArray[np.float32]  # (M,), each theme's share of the corpus; sums to 1
    lab: NDArray[np.int8]  # (M, COLORS, 3): L - 50, a, b
    shares: NDArray[np.uint8]  # (M, COLORS), of a photo, times 255; 0 for an absent colour
    distances: NDArray[np.float16]  # (M, M): earth mover's, in CIE ab units

    def recommend(self, features: NDArray[np.float32], count: int) -> list[Theme]:
        """Ranked, different themes for a photo of these features (D,); at most `count`."""
        likelihood = self._likelihood(features)
        implausible = likelihood < np.maximum(self.frequency, np.sort(likelihood)[-PLAUSIBLE:][0])
        price = np.where(implausible, _TOO_MUCH, -VARIETY * self._variety()).astype(np.float32)
        chosen = choose(self.distances.astype(np.float32), likelihood, count, DIFFERENT, price)
        return [self.theme(row) for row in chosen]

    def most_frequent(self, count: int) -> list[Theme]:
        """The themes that suit the corpus as a whole."""
        chosen = choose(self.distances.astype(np.float32), self.frequency, count)
        return [self.theme(row) for row in chosen]

    def theme(self, row: int) -> Theme:
        """A typical theme; row: 0..M-1."""
        lab = self.lab[row].astype(np.float64) + np.array((50, 0, 0))
        shares = self.shares[row].astype(np.float64)
        used = shares > 0
        return Theme(colors_of_lab(lab[used]), tuple((shares[used] / shares.sum()).tolist()))

    def _variety(self) -> NDArray[np.float32]:
        """Chroma in different directions: what mixing a theme's colours would take away, (M,)."""
        ab, shares = self.lab[..., 1:].astype(np.float32), _sum_to_one(self.shares)[..., None]
        chroma = (np.linalg.norm(ab, axis=-1, keepdims=True) * shares).sum((1, 2))
        return np.minimum(chroma - np.linalg.norm((ab * shares).sum(1), axis=-1), _VARIED)

    def _likelihood(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = ((features - self.mean) / self.spread).clip(-_UNUSUAL, _UNUSUAL)
        likelihood = np.maximum(scaled @ self.weight.astype(np.float32) + self.bias, 0)
        return np.asarray(likelihood / likelihood.sum(), np.float32)


def choose(
    distances: NDArray[np.float32],
    weights: NDArray[np.float32],
    count: int,
    apart: float = 0.0,
    price: NDArray[np.float32] | float = 0.0,
) -> list[int]:
    """Greedy facility location: columns of `distances` that leave every row near a chosen one.

    distances: (N, N); weights: (N,), how much each row counts, summing to 1; apart: the least
    distance between two chosen ones, which is given up where it cannot be kept; price: (N,), of
    choosing a column, in the distances' unit. Returns min(count, N) different columns, best first.
    """
    chosen: list[int] = []
    nearest = np.full(len(distances), np.inf, np.float32)
    for _ in range(min(count, len(distances))):
        cost = weights @ np.minimum(nearest[:, None], distances) + price
        cost[nearest < apart] += 2 * _TOO_MUCH
        cost[chosen] = np.inf
        best = int(cost.argmin())
        chosen.append(best)
        nearest = np.minimum(nearest, distances[:, best])
    return chosen


@torch.inference_mode()
def describe_photos(network: ColorizationNetwork, lightness: Tensor) -> NDArray[np.float32]:
    """What the network makes of photos: (N, D).

    lightness: (N, 1, H, W), L / 100, H and W multiples of the network's. The D numbers are mean and
    standard deviation of each of the encoder's deeper maps, and the automatic colours' ab at 8 x 8
    places.
    """
    features = network.encode(lightness, no_hints(lightness))
    deep = [f for f in features if f.shape[1] >= 64 and f.shape[-1] <= lightness.shape[-1] // 8]
    parts = [part for f in deep for part in (f.mean((2, 3)), f.std((2, 3)))]
    ab = F.adaptive_avg_pool2d(network.decode(features, no_theme(lightness)), _GRID) * AB_SCALE
    return np.asarray(torch.cat((*parts, ab.flatten(1)), 1).float().cpu().numpy())


def train_predictor(features: NDArray[np.float32], themes: list[Theme]) -> ThemePredictor:
    """features: (N, D) of the corpus's photos; themes: the true one of each.

    The linear layer is ridge regression to how like each typical theme the true one is.
    """
    from sklearn.linear_model import Ridge

    lab, shares = _packed(themes)
    ab, parts = lab[..., 1:].astype(np.float32), _sum_to_one(shares)
    candidates = np.random.default_rng(0).permutation(len(themes))[:_CANDIDATES]
    some = ab[candidates], parts[candidates]
    among = energy_distances(*some, *some)
    even = np.ones(len(candidates), np.float32)
    typical = candidates[choose(among, even, TYPICAL)]
    unlike = energy_distances(ab, parts, ab[typical], parts[typical])
    likeness = np.exp(-(unlike - unlike.min(1, keepdims=True)) / _LIKE)
    likeness /= likeness.sum(1, keepdims=True)
    mean, spread = features.mean(0), features.std(0) + 1e-6
    fitted = Ridge(_STIFFNESS * len(themes)).fit((features - mean) / spread, likeness)
    return ThemePredictor(
        mean=mean,
        spread=spread,
        weight=fitted.coef_.T.astype(np.float16),
        bias=fitted.intercept_.astype(np.float32),
        frequency=likeness.mean(0),
        lab=lab[typical],
        shares=shares[typical],
        distances=_earth_movers_distances([themes[row] for row in typical]),
    )


def _packed(themes: list[Theme]) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    lab = np.zeros((len(themes), COLORS, 3), np.int8)
    shares = np.zeros((len(themes), COLORS), np.uint8)
    for index, theme in enumerate(themes):
        used = min(COLORS, len(theme.colors))
        colors = rgb2lab(np.array([theme.colors[:used]], np.uint8))[0] - (50, 0, 0)
        lab[index, :used] = np.clip(colors.round(), -128, 127)
        shares[index, :used] = np.round(255 * np.array(theme.weights[:used])).clip(1)
    return lab, shares


def _sum_to_one(shares: NDArray[np.uint8]) -> NDArray[np.float32]:
    parts = shares.astype(np.float32)
    return parts / parts.sum(1, keepdims=True)


def _earth_movers_distances(themes: list[Theme]) -> NDArray[np.float16]:
    distances = np.zeros((len(themes), len(themes)), np.float16)
    for row, first in enumerate(themes):
        for column, second in enumerate(themes[:row]):
            distances[row, column] = earth_movers_distance(first, second)
    return distances + distances.T

"""How near recommended themes come to the truth, beside other ways of proposing themes.

For each validation photo a method proposes six themes from L alone. Measured are the earth mover's
distance (CIE ab units) from the photo's true theme to the best of the first 1, 3 and 6, the PSNR of
the photo coloured with the best of the six, and how different the six are from each other (mean
distance over all pairs). The K-means of the automatic result gives five themes: of 5, 3, 7, 4 and 6
colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from tqdm import tqdm

from engine.color import AB_SCALE, lab_to_rgb
from engine.colorizer import theme_tensor
from engine.networks import ColorizationNetwork
from engine.networks.base import no_hints, no_theme
from engine.photos import load_squares
from engine.recommend import ThemeRecommender
from engine.theme_distance import earth_movers_distance
from engine.theme_prediction import COLORS
from engine.themes import Theme, theme_from_photo
from engine.weights import load_network

SIDE = 256
COUNT = 6

Method = Callable[[NDArray[np.float32]], list[Theme]]


def evaluate(photos: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """Print the table and return it: figures by method."""
    network = load_network("default")
    recommender = ThemeRecommender.load(network)
    squares = load_squares(photos, "val", SIDE, limit=limit).permute(0, 2, 3, 1).numpy()
    truths = [theme_from_photo(photo, COLORS) for photo in squares]
    methods = _methods(recommender, network, truths)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    photos_and_truths = zip(squares, truths, strict=True)
    for photo, truth in tqdm(photos_and_truths, "photos", len(truths), mininterval=10):
        lab = rgb2lab(photo).astype(np.float32)
        for name, method in methods.items():
            rows[name].append(
                _measure(method(lab[..., 0] / np.float32(100)), truth, lab, photo, network)
            )
    table = {
        name: {key: float(np.mean([row[key] for row in found])) for key in found[0]}
        for name, found in rows.items()
    }
    print_table(table)
    return table


def print_table(table: Mapping[str, Mapping[str, float]]) -> None:
    columns = list(next(iter(table.values())))
    print("| method | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for name, figures in table.items():
        print(f"| {name} | " + " | ".join(f"{figures[key]:.2f}" for key in columns) + " |")


def _methods(
    recommender: ThemeRecommender, network: ColorizationNetwork, truths: Sequence[Theme]
) -> dict[str, Method]:
    """truths: the themes that are drawn from for the row of random photos."""
    rng = np.random.default_rng(0)
    common = recommender.predictor.most_frequent(COUNT)

    def drawn(lightness: NDArray[np.float32]) -> list[Theme]:
        return [truths[row] for row in rng.integers(0, len(truths), COUNT)]

    def automatic(lightness: NDArray[np.float32]) -> list[Theme]:
        rgb = (_colored(network, lightness, None) * 255).round().astype(np.uint8)
        return [theme_from_photo(rgb, count) for count in (5, 3, 7, 4, 6)]

    return {
        "ours: predicted by the network": lambda light: recommender.recommend(light, COUNT),
        "paper 3.5: textures": lambda light: recommender.textures.recommend(light, COUNT),
        "K-means of the automatic result": automatic,
        "the corpus's most frequent": lambda light: common,
        "random photos": drawn,
    }


def _measure(
    themes: list[Theme],
    truth: Theme,
    lab: NDArray[np.float32],
    photo: NDArray[np.uint8],
    network: ColorizationNetwork,
) -> dict[str, float]:
    distances = [earth_movers_distance(theme, truth) for theme in themes]
    best = themes[int(np.argmin(distances))]
    error = _colored(network, (lab[..., 0] / 100).astype(np.float32), best) - photo / 255.0
    pairs = [earth_movers_distance(a, b) for a, b in combinations(themes, 2)]
    return {
        "best of 1": distances[0],
        "best of 3": min(distances[:3]),
        "best of 6": min(distances),
        "PSNR with the best of 6": float(-10 * np.log10((error**2).mean())),
        "difference among the six": float(np.mean(pairs)),
    }


@torch.inference_mode()
def _colored(
    network: ColorizationNetwork, lightness: NDArray[np.float32], theme: Theme | None
) -> NDArray[np.float32]:
    light = torch.from_numpy(lightness)[None, None]
    tokens = no_theme(light) if theme is None else theme_tensor(theme)
    ab = network(light, no_hints(light), tokens) * AB_SCALE
    rgb = lab_to_rgb(torch.cat((light * 100, ab), 1))[0]
    return np.asarray(rgb.permute(1, 2, 0).numpy())

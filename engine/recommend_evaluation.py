"""How near recommended themes come to the truth, beside other ways of proposing themes.

For each validation photo a method proposes six themes from L alone. Measured are the earth mover's
distance (CIE ab units) from the photo's true theme to the best of the first 1, 3 and 6, the PSNR of
the photo coloured with the best of the six, and how different the six are from each other (mean
distance over all pairs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from engine.retrieval import choose
from engine.theme_distance import earth_movers_distance, energy_distances
from engine.themes import Theme, theme_from_photo
from engine.weights import load_network

SIDE = 256
COUNT = 6
_COMMON_PHOTOS = 1500  # among which the corpus's most frequent themes are looked for

Method = Callable[[NDArray[np.float32]], list[Theme]]


def evaluate(photos: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """Print the table and return it: figures by method."""
    network = load_network("default")
    recommender = ThemeRecommender.load(network)
    squares = load_squares(photos, "val", SIDE, limit=limit).permute(0, 2, 3, 1).numpy()
    methods = _methods(recommender, network)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    for photo in tqdm(squares, desc="photos", mininterval=10):
        lab = rgb2lab(photo).astype(np.float32)
        truth = theme_from_photo(photo, 5)
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


def _methods(recommender: ThemeRecommender, network: ColorizationNetwork) -> dict[str, Method]:
    rng = np.random.default_rng(0)
    library = recommender.photos
    rows = rng.choice(len(library.lab), min(_COMMON_PHOTOS, len(library.lab)), replace=False)
    shares = library.shares[rows].astype(np.float32)
    distances = energy_distances(
        library.lab[rows][..., 1:].astype(np.float32), shares / shares.sum(1, keepdims=True)
    )
    picked = choose(distances, np.ones(len(rows), np.float32), COUNT)
    common = [library.theme(int(rows[index])) for index in picked]

    def drawn(lightness: NDArray[np.float32]) -> list[Theme]:
        return [library.theme(int(row)) for row in rng.integers(0, len(library.lab), COUNT)]

    def automatic(lightness: NDArray[np.float32]) -> list[Theme]:
        rgb = (_colored(network, lightness, None) * 255).round().astype(np.uint8)
        return [theme_from_photo(rgb, count) for count in (5, 3, 7, 4, 6)]

    return {
        "ours: themes of similar photos": lambda light: recommender.recommend(light, COUNT),
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

"""Recommend colour themes for a photo without colour.

    python -m engine.recommend build --photos DIR      # makes the library file
    python -m engine.recommend evaluate --photos DIR   # compares with other ways

Two methods share a library file: the paper's (`engine.texture`) and ours
(`engine.theme_prediction`). The library belongs to the network it was made with: build it anew for
other weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from skimage.color import rgb2lab

from engine.command import parser_of, told_in_a_line
from engine.networks import ColorizationNetwork
from engine.photos import color_photos, square
from engine.texture import TextureLibrary, build_texture_library
from engine.theme_prediction import COLORS, SIDE, ThemePredictor, describe_photos, train_predictor
from engine.themes import Theme, theme_from_photo
from engine.weights import FOLDER, WeightsMissing, load_network, sha256, weights_path

LIBRARY = FOLDER / "themes.safetensors"
TEXTURE_PHOTOS = 3000  # "thousands of images" (paper 3.5)
_BATCH = 32


@dataclass(frozen=True)
class ThemeRecommender:
    """Both methods, and the network that the predictor was trained with."""

    predictor: ThemePredictor
    textures: TextureLibrary
    network: ColorizationNetwork

    @classmethod
    def load(cls, network: ColorizationNetwork, path: Path = LIBRARY) -> ThemeRecommender:
        """network: the shipped `default`, on the CPU. Raises WeightsMissing."""
        try:
            with safe_open(path, framework="numpy") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            predictor = ThemePredictor(**_part(tensors, "themes.", ThemePredictor))
            textures = TextureLibrary(**_part(tensors, "textures.", TextureLibrary))
        except (OSError, SafetensorError, KeyError) as error:
            raise WeightsMissing(
                f"{path} is missing or damaged: repair Tincture with install.py repair"
            ) from error
        return cls(predictor, textures, network)

    def recommend(self, lightness: NDArray[np.float32], count: int = 6) -> list[Theme]:
        """Different themes that suit a photo, best first.

        lightness: (H, W), L / 100, of any size.
        """
        fitted = torch.from_numpy(_fit(lightness, SIDE, self.network.multiple))[None, None]
        return self.predictor.recommend(describe_photos(self.network, fitted)[0], count)


def _fit(lightness: NDArray[np.float32], side: int, multiple: int) -> NDArray[np.float32]:
    """Shorter side to `side`, both sides to multiples; a longer photo than 3:1 is squashed."""
    scale = side / min(lightness.shape)
    height, width = (
        max(multiple, min(3 * side, round(length * scale)) // multiple * multiple)
        for length in lightness.shape
    )
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(lightness, (width, height), interpolation=method), np.float32)


def build(photos: Path, limit: int | None, path: Path = LIBRARY) -> None:
    """Make the library file from a corpus of colour photos."""
    network = load_network("default")
    read = color_photos(photos, "train", limit)
    described: list[NDArray[np.float32]] = []
    themes: list[Theme] = []
    examples: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    while batch := [square(photo, SIDE) for photo in islice(read, _BATCH)]:
        lab = rgb2lab(np.stack(batch)).astype(np.float32)
        lightness = lab[..., 0] / 100
        described.append(describe_photos(network, torch.from_numpy(lightness)[:, None]))
        themes += [theme_from_photo(photo[::2, ::2], COLORS) for photo in batch]
        if len(examples) < TEXTURE_PHOTOS:
            examples += [
                (light, colors[..., 1:]) for light, colors in zip(lightness, lab, strict=True)
            ]
    predictor = train_predictor(np.concatenate(described), themes)
    textures = build_texture_library(examples)
    tensors = {
        f"{prefix}{field.name}": np.ascontiguousarray(getattr(part, field.name))
        for prefix, part in (("themes.", predictor), ("textures.", textures))
        for field in fields(part)
    }
    record = {"photos": len(themes), "weights": sha256(weights_path("default"))}
    partial = path.with_suffix(".partial")  # an engine that runs may be reading the old file
    save_file(tensors, partial, {"made_from": json.dumps(record)})
    partial.replace(path)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB from {len(themes)} photos")


def _part(tensors: dict[str, Any], prefix: str, kind: Any) -> dict[str, Any]:
    return {field.name: tensors[prefix + field.name] for field in fields(kind)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.recommend", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "evaluate"):
        command = commands.add_parser(name)
        command.add_argument("--photos", type=Path, required=True, help="a corpus or a folder")
        command.add_argument("--limit", type=int, help="the first photos only")
    options = parser.parse_args(arguments)
    with told_in_a_line("engine.recommend"):
        if options.command == "build":
            build(options.photos, options.limit)
        else:
            from engine.recommend_evaluation import evaluate

            evaluate(options.photos, options.limit)


if __name__ == "__main__":
    main()

"""Measure a network: `python -m engine.evaluate --photos DIR [--network NAME]`.

Prints the tables and saves them as results.json, index.html, curves.png and sheet.png. The same
command gives the same tables. The baselines' results are kept in a cache, so the next network on
the same photos costs only its own time. What is measured is said at the end of the page and in
`engine/evaluation/`.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from engine.colorizer import WORKING_SIDES
from engine.command import parser_of, told_in_a_line
from engine.evaluation import report
from engine.evaluation.inputs import CELLS_224, DOTS_256
from engine.evaluation.metrics import colorfulness
from engine.evaluation.reference import references
from engine.evaluation.runner import Runner, load
from engine.evaluation.trials import Method, try_network
from engine.inference import best_device
from engine.networks import NETWORKS
from engine.photos import load_squares


@dataclass(frozen=True)
class Config:
    """What to evaluate, on what, and where the results go."""

    photos: Path
    network: str = "default"
    weights: Path | None = None  # instead of the shipped ones
    limit: int | None = None  # photos; None = all
    working_size: int = WORKING_SIDES["normal"]  # pixels, as in the plug-in
    seed: int = 0
    batch: int = 8
    device: str = "cpu"
    workers: int = 1  # processes that fill the cache of baselines
    output: Path | None = None
    cache: Path = Path("runs/references")


def evaluate(config: Config) -> Path:
    """Run an evaluation, print its tables and save it. Returns the folder of the results.

    Raises NoPhotos, WeightsMissing, ValueError (working size).
    """
    loaded = load(config.network, config.weights)
    runner = Runner(loaded.network, config.working_size, config.device)
    photos = {protocol.size: _photos(config, protocol.size) for protocol in (DOTS_256, CELLS_224)}
    known = references(photos[DOTS_256.size], config.seed, config.cache, config.workers)
    method = Method(config.network, runner)
    tally, sheet = try_network(method, photos, known, config.batch)
    records = tally.records()
    for table in report.tables(records):
        print(report.as_text(table))
    settings = {
        "network": config.network,
        "weights": str(config.weights or "shipped"),
        "weights' SHA-256": loaded.sha256,
        "training": json.dumps(loaded.training),
        "photos": f"{len(known)} of {config.photos}",
        "colourfulness of the photos": round(_colorfulness_of(photos[DOTS_256.size]), 1),
        "seed": config.seed,
        "working size": config.working_size,
        "torch": torch.__version__,
    }
    folder = config.output or Path("runs") / f"evaluation-{config.network}"
    report.save(folder, records, settings, sheet)
    return folder


def _colorfulness_of(photos: Tensor) -> float:
    """The mean of the true photos', (N, 3, H, W) uint8, beside which a network's is to be seen."""
    return sum(float(colorfulness(photo[None].float() / 255)) for photo in photos) / len(photos)


def _photos(config: Config, size: int) -> Tensor:
    return load_squares(
        config.photos, "val", size, limit=config.limit, cache=config.cache.parent / "photos"
    )


def _parse(arguments: Sequence[str] | None) -> Config:
    parser = parser_of("engine.evaluate", __doc__)
    add = parser.add_argument
    add("--photos", type=Path, required=True, help="a folder of photos, or a corpus folder")
    add("--network", default="default", choices=NETWORKS)
    add("--weights", type=Path, help="a .safetensors file or a run's checkpoint.pt")
    add("--limit", type=_positive, help="the first so many photos only")
    normal = Config.working_size
    add("--working-size", type=_positive, default=normal,
        help=f"side in pixels at which the network runs (default {normal})")  # fmt: skip
    add("--seed", type=int, default=0, help="draws dots, themes and objects (default 0)")
    add("--batch", type=_positive, default=8)
    add("--device", default=best_device())
    add("--workers", type=_positive, default=os.cpu_count() or 1, help="processes for baselines")
    add("--output", type=Path, help="folder of the results (default runs/evaluation-NETWORK)")
    return Config(**vars(parser.parse_args(arguments)))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def main(arguments: Sequence[str] | None = None) -> None:
    with told_in_a_line("engine.evaluate", ValueError):
        folder = evaluate(_parse(arguments))
    print(f"Saved in {folder}: index.html, results.json, curves.png, sheet.png")


if __name__ == "__main__":
    main()

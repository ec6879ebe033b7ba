"""What the ideas of `default` and the terms of the paper's loss are worth.

    python -m engine.ablation --photos DIR --samples 60000

Every variant is trained anew on the same photos, in the same order of sizes, for the same number of
samples, and measured as training measures itself (PSNR on 48 validation photos). Prints the table
in Markdown and saves `runs/ablation/sheet.png`: photos with the same dots in each variant, in the
table's order. Runs live in `runs/ablation/`, those of other budgets and limits apart; a run that is
complete is not made again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.colorizer import Colorizer
from engine.command import parser_of, told_in_a_line
from engine.contact_sheet import ROWS, Row, marked, opened, save
from engine.networks import NETWORKS
from engine.networks.base import Features
from engine.networks.default import NEVER, DefaultDimensions, DefaultNetwork
from engine.train import MODES, TrainConfig, train
from engine.weights import load_network, sha256

FOLDER = "ablation"
STAGES = "64x64x0.7,128x24x0.3"


class WithoutSpreadDots(DefaultNetwork):
    """The dots arrive only as they are."""

    def _spread(self, lightness: Tensor, dots: Tensor) -> Tensor:
        return torch.zeros_like(dots)


class WithoutMatching(DefaultNetwork):
    """Dots reach other places only along edges and through the layers."""

    def _matched(self, x: Tensor, dots: Tensor) -> Tensor:
        return dots.new_tensor((0, 0, NEVER)).view(3, 1, 1).expand_as(dots)


class WithoutMixture(DefaultNetwork):
    """The last layer invents all colours itself."""

    def _mix(self, head: Tensor, keys: Tensor, theme: Tensor, given: Tensor) -> Tensor:
        guess = head[:, self.dimensions.query : self.dimensions.query + 2]
        return torch.tanh(guess)


class WithoutShares(DefaultNetwork):
    """A theme is its colours alone."""

    def decode(self, features: Features, theme: Tensor) -> Tensor:
        return super().decode(features, theme * theme.new_tensor((1, 1, 1, 0)))


class WithoutBalance(DefaultNetwork):
    """The network is told the shares of a theme's colours; its last layer need not keep to them."""

    def _keeps_shares(self, theme: Tensor) -> bool:
        return False


@dataclass(frozen=True)
class Variant:
    network: str
    knobs: Mapping[str, Any] = field(default_factory=dict)


ABLATED: Mapping[str, type[DefaultNetwork]] = {
    "default-without-spread-dots": WithoutSpreadDots,
    "default-without-matching": WithoutMatching,
    "default-without-mixture": WithoutMixture,
    "default-without-shares": WithoutShares,
    "default-without-balance": WithoutBalance,
}
AS_THEY_ARE = {"recolored": 0.0, "objects": 0.0}  # photos keep their colours
VARIANTS: Mapping[str, Variant] = {
    "default": Variant("default"),
    "… without dots spread along edges": Variant("default-without-spread-dots"),
    "… without dots matched by likeness": Variant("default-without-matching"),
    "… without the mixture of given colours": Variant("default-without-mixture"),
    "… without the shares of a theme's colours": Variant("default-without-shares"),
    "… told the shares, without keeping to them": Variant("default-without-balance"),
    "… without recoloured photos and objects": Variant("default", AS_THEY_ARE),
    "… with AdamW alone": Variant("default", {"muon_rate": 0.0}),
    "paper, L_g + L_s + L_p": Variant("paper", AS_THEY_ARE),
    "paper, L_g + L_s": Variant("paper", AS_THEY_ARE | {"loss_terms": "gs"}),
    "paper, L_g": Variant("paper", AS_THEY_ARE | {"loss_terms": "g"}),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.ablation", __doc__)
    parser.add_argument("--photos", required=True, help="as for engine.train")
    parser.add_argument("--samples", type=int, default=60_000, help="photos drawn for each variant")
    parser.add_argument("--limit", type=int, default=0, help="the first photos only; 0 = all")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, help="these variants; default: all")
    with told_in_a_line("engine.ablation"):
        compare(parser.parse_args(arguments))


def compare(options: argparse.Namespace) -> None:
    """Train what is not trained yet, print the table and save the sheet."""
    NETWORKS.update({name: (kind, DefaultDimensions) for name, kind in ABLATED.items()})
    rows, colorizers = {}, []
    for index, (name, variant) in enumerate(VARIANTS.items()):
        if options.only and name not in options.only:
            continue
        run = f"{FOLDER}/{options.samples}-{options.limit or 'all'}/{index}-{variant.network}"
        rows[name] = trained(run, variant, options)
        weights = Path("runs") / run / f"{variant.network}.safetensors"
        network = load_network(variant.network, weights)
        colorizers.append(Colorizer(network, variant.network, "cpu", sha256(weights)))
    print(as_markdown(rows))
    save(Path("runs") / FOLDER / "sheet.png", [with_dots(colorizers, row) for row in ROWS])


def trained(run: str, variant: Variant, options: argparse.Namespace) -> Mapping[str, float]:
    """The last figures of a variant's run, which is made if it is not complete."""
    train(
        TrainConfig(
            photos=options.photos,
            network=variant.network,
            name=run,
            samples_budget=options.samples,
            stages=STAGES,
            limit=options.limit,
            evaluate_minutes=1e9,
            **variant.knobs,
        )
    )
    lines = (Path("runs") / run / "curves.jsonl").read_text().splitlines()
    figures: dict[str, float] = [json.loads(x) for x in lines if '"validation"' in x][-1]
    return figures


def with_dots(colorizers: Sequence[Colorizer], row: Row) -> list[NDArray[np.uint8]]:
    """One photo with its dots, by each colorizer."""
    photo, hints, _ = opened(row)
    return [marked(c.colorize(c.open(photo), hints), hints, None) for c in colorizers]


def as_markdown(rows: Mapping[str, Mapping[str, float]]) -> str:
    """PSNR in dB by variant and by what was given."""
    lines = [f"| | {' | '.join(MODES)} |", "| --- |" + " ---: |" * len(MODES)]
    for name, figures in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{figures[mode]:.2f}" for mode in MODES) + " |")
    gray = next(iter(rows.values()))["gray"]
    return "\n".join([*lines, "", f"Without colour: {gray:.2f} dB."])


if __name__ == "__main__":
    main()

"""What the ideas of `default` and the terms of the paper's loss are worth.

    python -m engine.ablation --photos DIR --samples 60000

Every variant is trained anew on the same photos, in the same order of sizes, for the same number of
samples, and measured as training measures itself (PSNR on 48 validation photos). Prints the table
in Markdown. Runs live in `runs/ablation/`; a run that is complete is not made again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.networks import NETWORKS
from engine.networks.default import DefaultDimensions, DefaultNetwork
from engine.train import MODES, TrainConfig, train

FOLDER = "ablation"
STAGES = "64x64x0.7,128x24x0.3"


class WithoutSpreadDots(DefaultNetwork):
    """The dots arrive only as they are."""

    def _spread(self, lightness: Tensor, dots: Tensor) -> Tensor:
        return torch.zeros_like(dots)


class WithoutMixture(DefaultNetwork):
    """The last layer invents all colours itself."""

    def _mix(self, head: Tensor, tokens: Tensor, theme: Tensor, spread: Tensor) -> Tensor:
        guess = head[:, self.dimensions.query : self.dimensions.query + 2]
        return torch.tanh(guess)


@dataclass(frozen=True)
class Variant:
    network: str
    knobs: Mapping[str, Any] = field(default_factory=dict)


ABLATED: Mapping[str, type[DefaultNetwork]] = {
    "default-without-spread-dots": WithoutSpreadDots,
    "default-without-mixture": WithoutMixture,
}
VARIANTS: Mapping[str, Variant] = {
    "default": Variant("default"),
    "… without dots spread along edges": Variant("default-without-spread-dots"),
    "… without the mixture of given colours": Variant("default-without-mixture"),
    "… without recoloured photos": Variant("default", {"recolored": 0.0}),
    "paper, L_g + L_s + L_p": Variant("paper", {"recolored": 0.0}),
    "paper, L_g + L_s": Variant("paper", {"recolored": 0.0, "loss_terms": "gs"}),
    "paper, L_g": Variant("paper", {"recolored": 0.0, "loss_terms": "g"}),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", required=True, help="as for engine.train")
    parser.add_argument("--samples", type=int, default=60_000, help="photos drawn for each variant")
    parser.add_argument("--limit", type=int, default=0, help="the first photos only; 0 = all")
    options = parser.parse_args(arguments)
    rows = {
        name: trained(index, variant, options)
        for index, (name, variant) in enumerate(VARIANTS.items())
    }
    print(as_markdown(rows))


def trained(index: int, variant: Variant, options: argparse.Namespace) -> Mapping[str, float]:
    """The last figures of a variant's run, which is made if it is not complete."""
    run = f"{FOLDER}/{index}-{variant.network}"
    NETWORKS.update({name: (kind, DefaultDimensions) for name, kind in ABLATED.items()})
    train(
        TrainConfig(
            photos=options.photos,
            network=variant.network,
            run=run,
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


def as_markdown(rows: Mapping[str, Mapping[str, float]]) -> str:
    """PSNR in dB by variant and by what was given."""
    lines = [f"| | {' | '.join(MODES)} |", "| --- |" + " ---: |" * len(MODES)]
    for name, figures in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{figures[mode]:.2f}" for mode in MODES) + " |")
    gray = next(iter(rows.values()))["gray"]
    return "\n".join([*lines, "", f"Without colour: {gray:.2f} dB."])


if __name__ == "__main__":
    main()

"""The mean of networks trained side by side.

    python -m engine.average FIRST.safetensors SECOND.safetensors --out MEAN.safetensors

Runs that start from the same weights and see other photos, or the same ones in another order, end
near each other, and their mean is better than any of them (Wortsman et al. 2022): so two processes
of one thread each can train at the same time without waiting for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.command import parser_of
from engine.networks import NETWORKS, ColorizationNetwork
from engine.weights import WeightsMissing, load_network, save_network, training_record


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.average", __doc__)
    parser.add_argument("weights", type=Path, nargs="+", help="safetensors files of one network")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--network", choices=sorted(NETWORKS), default="default")
    options = parser.parse_args(arguments)
    try:
        network = mean([load_network(options.network, path) for path in options.weights])
        records = [training_record(path) for path in options.weights]
    except (WeightsMissing, ValueError) as error:
        parser.error(str(error))
    save_network(network, options.network, options.out, joint_record(records))


@torch.no_grad()
def mean(networks: Sequence[ColorizationNetwork]) -> ColorizationNetwork:
    """The first network with the mean of all weights. Raises ValueError where shapes differ."""
    if len({repr(network.dimensions) for network in networks}) > 1:
        raise ValueError("networks of different dimensions have no mean")
    states = [network.state_dict() for network in networks]
    for key, value in states[0].items():
        if value.is_floating_point():
            value.copy_(torch.stack([state[key] for state in states]).mean(0))
    return networks[0]


def joint_record(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The training record of the mean; what all runs started from is told once."""
    starts = [record.get("started from") for record in records]
    if starts[0] is None or any(start != starts[0] for start in starts):
        return {"mean of": list(records)}
    own = [{key: told[key] for key in told if key != "started from"} for told in records]
    return {"mean of": own, "started from": starts[0]}


if __name__ == "__main__":
    main()

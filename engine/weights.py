"""Weights as safetensors files: fp16 numbers, dimensions and training record in the metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.networks import NETWORKS, ColorizationNetwork, build_network

FOLDER = Path(__file__).parent / "weights"


class WeightsMissing(Exception):
    """There are no usable weights; the message says what to do."""


def weights_path(name: str) -> Path:
    """Where the shipped weights of a network lie. Raises WeightsMissing for an unknown name."""
    if name not in NETWORKS:
        raise WeightsMissing(f"there is no network '{name}'; choose one of {', '.join(NETWORKS)}")
    return FOLDER / f"{name}.safetensors"


def load_network(name: str = "default", path: Path | None = None) -> ColorizationNetwork:
    """A network in eval mode, fp32, on the CPU, from the shipped file or from `path`.

    Raises WeightsMissing when the file is absent, damaged or of another network.
    """
    path = path or weights_path(name)
    try:
        with safe_open(path, framework="pt") as file:
            record = file.metadata() or {}
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        require_network(record["network"], name, path)
        network = build_network(name, json.loads(record["dimensions"]))
        _fill(network, tensors)
    except FileNotFoundError:
        raise WeightsMissing(f"{path} is missing{_mended(path)}") from None
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsMissing(f"{path} is damaged ({error}){_mended(path)}") from error
    return network.eval()


def _mended(path: Path) -> str:
    """What to do about a file that is not as it should be, if it is one of Tincture's own."""
    return ": repair Tincture with install.py repair" if path.parent == FOLDER else ""


def require_network(found: str, name: str, path: Path) -> None:
    """Raises WeightsMissing when the weights in a file are not of the network that is wanted."""
    if found != name:
        raise WeightsMissing(f"{path} holds weights of the network '{found}', not of '{name}'")


def _fill(network: ColorizationNetwork, tensors: dict[str, torch.Tensor]) -> None:
    """Load weights; only the counters of batch normalisation, which are not saved, may lack."""
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{len(missing)} tensors are missing and {len(unexpected)} unknown")


def training_record(path: Path) -> dict[str, Any]:
    """What a weights file tells of its training. Raises WeightsMissing when it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            record: dict[str, Any] = json.loads((file.metadata() or {})["training"])
            return record
    except (FileNotFoundError, SafetensorError, KeyError, ValueError) as error:
        raise WeightsMissing(f"{path} tells nothing of its training ({error})") from error


def save_network(
    network: ColorizationNetwork, name: str, path: Path, record: Mapping[str, object]
) -> None:
    """Write a network's weights in fp16 with its dimensions and a training record.

    What fp16 cannot hold, such as a large variance of batch normalisation, stays in fp32.

    record: what a reader wants to know of the training; JSON values.
    """
    tensors = {
        key: _short(value.detach().cpu()).contiguous()
        for key, value in network.state_dict().items()
        if value.is_floating_point()
    }
    metadata = {
        "network": name,
        "dimensions": json.dumps(asdict(network.dimensions)),
        "training": json.dumps(record),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata)
    partial.replace(path)


def _short(value: torch.Tensor) -> torch.Tensor:
    short = value.to(torch.float16)
    return short if torch.isfinite(short).all() else value


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""A network on a device, run on batches of photos at a working size of choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine.color import AB_SCALE, lab_to_rgb
from engine.colorizer import keep_dots, theme_tensor
from engine.enlarge import enlarge_ab
from engine.networks import ColorizationNetwork, build_network
from engine.networks.base import Features, no_hints, no_theme
from engine.themes import Theme
from engine.weights import (
    WeightsMissing,
    load_network,
    require_network,
    sha256,
    training_record,
    weights_path,
)


@dataclass(frozen=True)
class Encoded:
    """A batch of photos with its dots, ready for any theme."""

    lightness: Tensor  # (N, 1, H, W), L / 100, at the photos' size
    small: Tensor  # the same at working size
    hints: Tensor | None  # (N, 3, h, w) at working size, ab / AB_SCALE
    features: Features


class Runner:
    """Runs a network.

    working_size: side in pixels at which it runs; its ab is then enlarged guided by L, as the
    product does. None: at the photos' size. device: "cpu" or "cuda".
    """

    def __init__(
        self, network: ColorizationNetwork, working_size: int | None = None, device: str = "cpu"
    ) -> None:
        if working_size is not None and (working_size < 1 or working_size % network.multiple):
            raise ValueError(f"the working size must be a multiple of {network.multiple}")
        self.network = network.to(device).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.working_size = working_size
        self.device = device

    def encode(self, lightness: Tensor, hints: Tensor | None = None) -> Encoded:
        """lightness: (N, 1, H, W), L / 100. hints: (N, 3, H, W), CIE ab and mask; None: no dots."""
        lightness = lightness.to(self.device)
        small, planes = lightness, None
        if hints is not None:
            scale = hints.new_tensor((AB_SCALE, AB_SCALE, 1)).view(3, 1, 1)
            planes = (hints / scale).to(self.device)
        if self.working_size not in (None, lightness.shape[2]):
            size = (self.working_size, self.working_size)
            small = F.interpolate(lightness, size, mode="area")
            planes = None if planes is None else _shrink_hints(planes, size)
        given = no_hints(small) if planes is None else planes
        return Encoded(lightness, small, planes, self.network.encode(small, given))

    def colorize(
        self, encoded: Encoded, themes: Sequence[Theme] | None = None, dots_kept: bool = False
    ) -> Tensor:
        """ab in CIE units at the photos' size, (N, 2, H, W).

        themes: one for each photo. dots_kept: with the product's correction at the dots.
        """
        tokens = no_theme(encoded.small)
        if themes is not None:
            tokens = torch.cat([theme_tensor(theme) for theme in themes]).to(self.device)
        ab = self.network.decode(encoded.features, tokens).float()
        if dots_kept and encoded.hints is not None:
            ab = keep_dots(encoded.small, encoded.hints, ab)
        return (self._enlarge(ab, encoded.lightness) * AB_SCALE).cpu()

    def _enlarge(self, ab: Tensor, lightness: Tensor) -> Tensor:
        if ab.shape[2:] == lightness.shape[2:]:
            return ab
        gray = lab_to_rgb(F.pad(lightness * 100, (0, 0, 0, 0, 0, 2)))[:, 0].cpu().numpy()
        small = np.ascontiguousarray(ab.permute(0, 2, 3, 1).cpu().numpy())
        wide = [enlarge_ab(each, guide) for each, guide in zip(small, gray, strict=True)]
        return torch.from_numpy(np.stack(wide)).permute(0, 3, 1, 2).to(ab.device)


def _shrink_hints(hints: Tensor, size: tuple[int, int]) -> Tensor:
    """Every dot keeps at least the cells that it touches, in its full colour."""
    share = F.interpolate(hints[:, 2:], size, mode="area")
    ab = F.interpolate(hints[:, :2] * hints[:, 2:], size, mode="area") / share.clamp(min=1e-6)
    return torch.cat((ab, (share > 0).to(hints.dtype)), 1)


@dataclass(frozen=True)
class Loaded:
    """A network and where it comes from."""

    network: ColorizationNetwork
    sha256: str
    training: dict[str, Any]  # what its file says of its training


def load(name: str, path: Path | None = None) -> Loaded:
    """Shipped weights, a .safetensors file, or a training run's checkpoint.pt (averaged weights).

    Raises WeightsMissing when the file is absent, damaged or of another network.
    """
    chosen = path or weights_path(name)
    if chosen.suffix != ".pt":
        network = load_network(name, chosen)
        return Loaded(network, sha256(chosen), training_record(chosen))
    if not chosen.exists():
        raise WeightsMissing(f"{chosen} is missing")
    state: dict[str, Any] = torch.load(chosen, map_location="cpu", weights_only=True)
    require_network(str(state["config"]["network"]), name, chosen)
    network = build_network(name)
    network.load_state_dict(state["averaged"])
    return Loaded(network, sha256(chosen), dict(state["progress"]))


def to_numpy(ab: Tensor) -> NDArray[np.float32]:
    """One result (2, H, W) as pixels (H * W, 2)."""
    return np.ascontiguousarray(ab.flatten(1).T.cpu().numpy())
